"""What is shown, computed before the template: label chips, clocks, bars. Pure; time is an argument."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from lianfang.kernel.clock import taipei
from lianfang.kernel.text import Bilingual
from lianfang.policy.facts import Tlp

_WEEKDAYS_ZH: Final = "一二三四五六日"
_WEEKDAYS_EN: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_HOURS_SHOWN: Final = timedelta(hours=48)
_SATURDAY: Final = 5


def tlp_of(label: Tlp | str) -> Tlp:
    """Read a label however it is written: `Tlp.AMBER_STRICT`, `TLP:AMBER+STRICT`, `amber+strict`, `amber_strict`.

    Raises ValueError for anything else.
    """
    if isinstance(label, Tlp):
        return label
    name = label.strip().upper().removeprefix("TLP:").replace("+", "_").replace("-", "_")
    if name not in Tlp.__members__:
        raise ValueError(f"no TLP label {label!r}")
    return Tlp[name]


def tlp_class(label: Tlp | str) -> str:
    """Return the colour class of the chip: AMBER and AMBER+STRICT share one colour, the word tells them apart."""
    return "tlp-" + tlp_of(label).name.split("_")[0].lower()


@dataclass(frozen=True, slots=True)
class Clock:
    """A time limit as shown: what is left in words, the date, and how urgent it is."""

    left: Bilingual
    on: Bilingual
    tone: str
    """"" more than 2 working days left, "due" at most 2, "late" past."""
    icon: str


def clock(due: datetime, *, at: datetime, with_time: bool = False) -> Clock:
    """Read the clock of a time limit at an instant. Days are counted by dates in Taipei, hours below 48 hours.

    Weekends count as days off here; the limit itself was computed with the official calendar, this is its colour.
    """
    end, now = taipei(due), taipei(at)
    days = (end.date() - now.date()).days
    if due < at:
        tone, icon = "late", "alarm"
        left = _past(at - due, days)
    else:
        tone, icon = ("due" if _working_days(now, end) <= 2 else ""), "clock"
        left = _ahead(due - at, days, with_time)
    return Clock(left=left, on=short_date(due, with_time=with_time), tone=tone, icon=icon)


def short_date(at: datetime, *, with_time: bool = False) -> Bilingual:
    """Return `11/23（一）` and `Mon 23 Nov`, with ` 17:00` when asked for."""
    day = taipei(at)
    time = f"{day:%H:%M}" if with_time else ""
    zh = f"{day.month}/{day.day}（{_WEEKDAYS_ZH[day.weekday()]}）{time}"
    en = f"{_WEEKDAYS_EN[day.weekday()]} {day.day} {day:%b}" + (f", {time}" if time else "")
    return Bilingual(zh=zh, en=en)


def _past(over: timedelta, days: int) -> Bilingual:
    if days < 0:
        count = -days
        return Bilingual(zh=f"逾{count}天", en=f"{count} day{'s' * (count > 1)} late")
    hours = max(1, int(over.total_seconds() // 3600))
    return Bilingual(zh=f"逾{hours}小時", en=f"{hours} hour{'s' * (hours > 1)} late")


def _ahead(left: timedelta, days: int, with_time: bool) -> Bilingual:
    if with_time and left < _HOURS_SHOWN:
        hours = int(left.total_seconds() // 3600)
        if hours < 1:
            minutes = max(1, int(left.total_seconds() // 60))
            return Bilingual(zh=f"剩{minutes}分鐘", en=f"{minutes} min left")
        return Bilingual(zh=f"剩{hours}小時", en=f"{hours} hour{'s' * (hours > 1)} left")
    if days == 0:
        return Bilingual(zh="今天到期", en="Due today")
    return Bilingual(zh=f"剩{days}天", en=f"{days} day{'s' * (days > 1)} left")


def _working_days(start: datetime, end: datetime) -> int:
    day, count = start.date(), 0
    # Beyond a fortnight the answer is "many" whatever the weekends.
    while day < end.date() and count <= 10:
        day += timedelta(days=1)
        count += day.weekday() < _SATURDAY
    return count


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of a chart: its words, its number, its length in percent of the longest, and a word beside the number."""

    label: str
    value: float
    share: str
    note: str = ""


def bars(rows: list[tuple[str, float] | tuple[str, float, str]], *, whole: float | None = None) -> list[Bar]:
    """Scale rows (label, value[, note]) to bars; `whole` is what 100 % stands for, else the greatest value."""
    top = whole if whole is not None else max((row[1] for row in rows), default=0)
    return [
        Bar(label=row[0], value=row[1], share=f"{100 * min(row[1], top) / top:.1f}" if top else "0", note=str(*row[2:]))
        for row in rows
    ]


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a chart, as the attributes of its rectangle in a drawing 80 units high."""

    label: str
    value: float
    x: int
    y: str
    height: str
    last: bool


def columns(rows: list[tuple[str, float]]) -> list[Column]:
    """Scale rows (label, value) to columns; the last, the present, is the darkest."""
    top = max((value for _, value in rows), default=0)
    made = []
    for number, (label, value) in enumerate(rows):
        height = 76 * value / top if top else 0
        made.append(
            Column(
                label=label, value=value, x=1 + 10 * number, y=f"{79 - height:.1f}", height=f"{height:.1f}",
                last=number == len(rows) - 1,
            )
        )  # fmt: skip
    return made


@dataclass(frozen=True, slots=True)
class Part:
    """One layer of a stacked column, as the attributes of its rectangle; `tone` is b1 (lowest, darkest) to b3."""

    tone: str
    x: int
    y: str
    height: str


@dataclass(frozen=True, slots=True)
class Stack:
    """One stacked column: its words, its numbers from the lowest layer up, and its layers."""

    label: str
    values: list[int]
    parts: list[Part]

    @property
    def total(self) -> int:
        """The height of the whole column as a number."""
        return sum(self.values)


def stacks(rows: list[tuple[str, list[int]]]) -> list[Stack]:
    """Scale rows (label, numbers from the lowest layer up) to stacked columns in a drawing 80 units high."""
    top = max((sum(values) for _, values in rows), default=0)
    made = []
    for number, (label, values) in enumerate(rows):
        floor, parts = 79.0, []
        for layer, value in enumerate(values, start=1):
            height = 76 * value / top if top else 0
            floor -= height
            parts.append(Part(tone=f"b{layer}", x=1 + 10 * number, y=f"{floor:.1f}", height=f"{height:.1f}"))
        made.append(Stack(label=label, values=values, parts=parts))
    return made


_BROWSERS = (("Edg", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
_SYSTEMS = (
    ("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Windows", "Windows"), ("Macintosh", "macOS"),
    ("Linux", "Linux"),
)  # fmt: skip


def device(user_agent: str) -> Bilingual:
    """Return browser and system in words, from what a browser says of itself; every one also names its ancestors."""
    browser = next((name for mark, name in _BROWSERS if mark in user_agent), "")
    system = next((name for mark, name in _SYSTEMS if mark in user_agent), "")
    if not browser or not system:
        return Bilingual(zh=browser or system or "其他瀏覽器", en=browser or system or "Another browser")
    return Bilingual(zh=f"{browser}（{system}）", en=f"{browser} on {system}")
