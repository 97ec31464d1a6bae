"""Reading an office calendar: the government's own CSV, or a plain list of days."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from datetime import date, datetime

from lianfang.kernel.refusal import Refusal
from lianfang.kernel.text import Bilingual

_SATURDAY = 5
_MOST_BYTES = 1024 * 1024
_DAY = re.compile(r"(\d{4})-?(\d{2})-?(\d{2})")
# The columns of the calendar that the personnel administration publishes, and of a plain list.
_HEADS = {"西元日期": "day", "是否放假": "off", "date": "day", "off": "off", "日期": "day", "放假": "off"}
_OFF = {"2": True, "0": False, "rest": True, "work": False, "yes": True, "no": False}

_LARGE = Bilingual(zh="檔案超過1MB。", en="The file is larger than 1 MB.")
_TEXT = Bilingual(zh="檔案不是UTF-8或Big5的文字。", en="The file is no text in UTF-8 or Big5.")
_COLUMNS = Bilingual(
    zh="第一列要有「西元日期」與「是否放假」兩欄（或date與off）。",
    en="The first line needs the columns 西元日期 and 是否放假 (or date and off).",
)
_ROW = Bilingual(
    zh="第{n}列：日期要寫成20260101或2026-01-01，放假寫2、上班寫0。",
    en="Line {n}: write the date as 20260101 or 2026-01-01, and 2 for rest or 0 for work.",
)
_TWICE = Bilingual(zh="第{n}列：{day}寫了兩次。", en="Line {n}: {day} stands twice.")
_YEAR = Bilingual(zh="{year}年只有{n}天，要整年。", en="{year} has {n} days only; give whole years.")
_NONE = Bilingual(zh="檔案裡沒有日期。", en="There is no day in the file.")


@dataclass(frozen=True, slots=True)
class Read:
    """What a file says: weekdays that rest, weekend days that are worked, and the years it covers whole."""

    rest_days: frozenset[date]
    workdays: frozenset[date]
    years: tuple[int, ...]


def read(content: bytes) -> Read:
    """Read a calendar, whole or not at all. Raises Refusal naming the line that is wrong."""
    if len(content) > _MOST_BYTES:
        raise Refusal(_LARGE, rule="calendar-file", field="file")
    rows = list(csv.reader(io.StringIO(_text(content), newline="")))
    heads = {_HEADS.get(cell.strip().lower(), ""): place for place, cell in enumerate(rows[0] if rows else [])}
    if "day" not in heads or "off" not in heads:
        raise Refusal(_COLUMNS, rule="calendar-file", field="file")
    days: dict[date, bool] = {}
    for number, row in enumerate(rows[1:], start=2):
        if not any(cell.strip() for cell in row):
            continue
        day, off = _row(row, heads, number)
        if day in days:
            raise Refusal(_TWICE.format(n=number, day=day.isoformat()), rule="calendar-file", field="file")
        days[day] = off
    return _whole(days)


def _text(content: bytes) -> str:
    for encoding in ("utf-8-sig", "big5"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise Refusal(_TEXT, rule="calendar-file", field="file")


def _row(row: list[str], heads: dict[str, int], number: int) -> tuple[date, bool]:
    try:
        found = _DAY.fullmatch(row[heads["day"]].strip())
        # Never guessed: a year of the Republic does not look like this.
        day = datetime.strptime("".join(found.groups()), "%Y%m%d").date() if found else None  # noqa: DTZ007
        off = _OFF[row[heads["off"]].strip().lower()]
    except (ValueError, KeyError, IndexError):
        day, off = None, False
    if day is None:
        raise Refusal(_ROW.format(n=number), rule="calendar-file", field="file")
    return day, off


def _whole(days: dict[date, bool]) -> Read:
    if not days:
        raise Refusal(_NONE, rule="calendar-file", field="file")
    years = sorted({day.year for day in days})
    for year in years:
        listed, wanted = sum(day.year == year for day in days), (date(year + 1, 1, 1) - date(year, 1, 1)).days
        if listed != wanted:
            raise Refusal(_YEAR.format(year=year, n=listed), rule="calendar-file", field="file")
    rest = frozenset(day for day, off in days.items() if off and day.weekday() < _SATURDAY)
    work = frozenset(day for day, off in days.items() if not off and day.weekday() >= _SATURDAY)
    return Read(rest, work, tuple(years))
