"""What a member's part in the alliance is counted by (charter 1.2): kinds of facts, and when a record is looked at.

The charter names no number (Q4), so nothing follows from a count by itself: a record past a threshold is listed for
somebody of the staff to look at. Where nothing is recorded, nothing is known: that is never counted as nothing done.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from lianfang.kernel.text import Bilingual


def _w(zh: str, en: str) -> Bilingual:
    return Bilingual(zh=zh, en=en)


KIND_WORDS: Final = {
    "sharing": _w("分享情資", "Intelligence shared"),
    "alert": _w("回應警訊", "Answer to an alert"),
    "incident": _w("回覆資安通報", "Answer to an incident report"),
    "drill": _w("演練", "Exercise"),
    "training": _w("教育訓練", "Training"),
    "meeting": _w("會議", "Meeting"),
    "contact": _w("確認聯絡資料", "Answer to a check of contact data"),
}
KINDS: Final = tuple(KIND_WORDS)
OUTCOME_WORDS: Final = {
    "took_part": _w("有參與", "Took part"),
    "absent": _w("受邀而未參與", "Asked, did not take part"),
    "withdrawn": _w("不成立", "Withdrawn"),
}
OUTCOMES: Final = tuple(OUTCOME_WORDS)
STATE_WORDS: Final = {
    "none": _w("尚無紀錄", "No record yet"),
    "fine": _w("有紀錄", "On record"),
    "look": _w("待檢視", "To be looked at"),
}
STATE_TONES: Final = {"none": "", "fine": "good", "look": "warn"}
_ABSENT = _w(
    "{months}個月內有{n}次受邀而未參與（門檻{most}次）",
    "Did not take part {n} times in {months} months (threshold {most})",
)
_LITTLE = _w("{months}個月內參與{n}次（門檻{least}次）", "Took part {n} times in {months} months (threshold {least})")


@dataclass(frozen=True, slots=True)
class Terms:
    """What the operator set: over how many months, and from where on a record is listed; 0 switches one off."""

    months: int
    least: int
    absences: int


@dataclass(frozen=True, slots=True)
class Counts:
    """What the record of one member holds within the period. An absence that it objects to is not counted as one."""

    took_part: int = 0
    absent: int = 0
    objected: int = 0
    by_kind: dict[str, tuple[int, int]] = field(default_factory=dict, hash=False)

    @property
    def facts(self) -> int:
        """How many facts there are."""
        return self.took_part + self.absent + self.objected


def state_of(counts: Counts, terms: Terms) -> str:
    """Return `none` for a member of whom nothing is recorded, `look` past a threshold, else `fine`."""
    if not counts.facts:
        return "none"
    return "look" if reasons(counts, terms) else "fine"


def reasons(counts: Counts, terms: Terms) -> list[Bilingual]:
    """Return which thresholds a record is past; none where nothing is recorded."""
    if not counts.facts:
        return []
    found = []
    if terms.absences and counts.absent >= terms.absences:
        found.append(_ABSENT.format(months=terms.months, n=counts.absent, most=terms.absences))
    # An absence that waits for an answer may turn out to be none, so it is not held against the member here either.
    if terms.least and counts.took_part + counts.objected < terms.least:
        found.append(_LITTLE.format(months=terms.months, n=counts.took_part, least=terms.least))
    return found


def since(day: date, months: int) -> date:
    """Return the first day of the period that ends on that day: the same day so many months before."""
    month = day.year * 12 + day.month - 1 - months
    year, of_year = divmod(month, 12)
    for last in (day.day, 30, 29, 28):
        try:
            return date(year, of_year + 1, min(last, day.day))
        except ValueError:
            continue
    raise AssertionError("every month has 28 days")


def months_of(first: date, last: date) -> list[str]:
    """Return the months from that day to this, as `2026-11`."""
    found = range(first.year * 12 + first.month - 1, last.year * 12 + last.month)
    return [f"{month // 12}-{month % 12 + 1:02}" for month in found]


@dataclass(frozen=True, slots=True)
class Month:
    """One month of the chart; `recorded` says whether anything is known of it."""

    name: str
    took_part: int
    absent: int

    @property
    def recorded(self) -> bool:
        """Whether there is any fact."""
        return bool(self.took_part or self.absent)


def by_month(facts: Iterable[tuple[date, str]], first: date, last: date) -> list[Month]:
    """Return each month of the period with what happened in it."""
    rows = [(day.strftime("%Y-%m"), outcome) for day, outcome in facts]
    return [Month(one, rows.count((one, "took_part")), rows.count((one, "absent"))) for one in months_of(first, last)]
