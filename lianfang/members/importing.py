"""A table compared with the roster in force: what is to be corrected, added, changed, removed, and what stays.

Every row of the file stands in exactly one of these, so their counts add up to its rows. Nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time
from typing import Any, Final

from lianfang.kernel.clock import TAIPEI
from lianfang.kernel.refusal import Refusal
from lianfang.kernel.text import Bilingual
from lianfang.members import days, roster
from lianfang.members.changing import Listed

FIX, ADD, CHANGE, REMOVE, SAME, SKIPPED = "fix", "add", "change", "remove", "same", "skipped"
TABS: Final = {
    FIX: Bilingual(zh="要修正", en="To correct"),
    ADD: Bilingual(zh="新增", en="Added"),
    CHANGE: Bilingual(zh="變更", en="Changed"),
    REMOVE: Bilingual(zh="移除", en="Removed"),
    SAME: Bilingual(zh="不變", en="As before"),
}
"""The five tabs, in their order."""

_HEADINGS: Final = {
    "name": ("名稱", "組織名稱", "公司名稱", "機構名稱", "成員名稱", "會員名稱", "中文名稱", "name", "organisation",
             "organization", "organisation name", "company"),
    "ubn": ("統一編號", "統編", "營利事業統一編號", "business number", "ubn", "tax id", "unified business number"),
    "removed": ("移除日", "移除日期", "退出日", "退出日期", "removed", "removed on", "left on"),
}  # fmt: skip
COLUMNS: Final = {
    "name": Bilingual(zh="名稱", en="Name"),
    "ubn": Bilingual(zh="統一編號", en="Business number"),
    "removed": Bilingual(zh="移除日（可不選）", en="Removed on (optional)"),
}

_NO_NUMBER = Bilingual(
    zh="名冊上同名的組織有統一編號{n}，這一列沒有。請補上，或寫不同的名稱。",
    en="The roster has this name with the number {n}; this row has none. Give it, or another name.",
)
_SAME_ROW = Bilingual(
    zh="與第{n}列指名冊上的同一個組織。", en="Speaks of the same organisation on the roster as row {n}."
)
_MOST = Bilingual(zh="超過名冊的上限{n}列。", en="Past the most that a roster holds, {n} rows.")
_PAST = Bilingual(zh="移除日不能早於今天。", en="The day of removal cannot lie before today.")
_NOT_THERE = Bilingual(zh="名冊上沒有這個組織，不能移除。", en="This organisation is not on the roster.")


@dataclass(frozen=True, slots=True)
class Entry:
    """One row and what it means. `line` is that of the file, 0 for what the file does not hold."""

    line: int
    name: str
    ubn: str
    reason: Bilingual | None = None
    id: str = ""
    old: str = ""
    at: str = ""
    """Of a removal: the instant that the file names, or nothing."""


@dataclass(slots=True)
class Diff:
    """All entries, by tab."""

    entries: dict[str, list[Entry]] = field(default_factory=lambda: {name: [] for name in (*TABS, SKIPPED)})
    rows: int = 0
    """Rows of the file, without its heading."""
    before: int = 0
    """Rows of the roster in force."""

    def count(self, tab: str) -> int:
        """How many there are."""
        return len(self.entries[tab])

    @property
    def missing(self) -> int:
        """Removals of what a whole roster does not hold: no rows of the file."""
        return sum(entry.line == 0 for entry in self.entries[REMOVE])

    @property
    def after(self) -> int:
        """How many constituents the roster holds once this is applied."""
        return self.before + self.count(ADD) - self.count(REMOVE)

    def operations(self) -> dict[str, list[dict[str, str]]]:
        """Return what a change request holds."""
        found = {
            "add": [{"name": one.name, "ubn": one.ubn} for one in self.entries[ADD]],
            "rename": [
                {"id": one.id, "old": one.old, "name": one.name, "ubn": one.ubn} for one in self.entries[CHANGE]
            ],
            "remove": [{"id": one.id, "name": one.name, "ubn": one.ubn, "at": one.at} for one in self.entries[REMOVE]],
        }
        return {name: rows for name, rows in found.items() if rows}


def headings(cells: Sequence[str]) -> dict[str, int]:
    """Return which column of a heading holds what, as far as its words say; nothing if the line is no heading."""
    plain = [cell.strip().lower() for cell in cells]
    found = {}
    for what, names in _HEADINGS.items():
        place = next((plain.index(name) for name in names if name in plain), None)
        if place is not None:
            found[what] = place
    return found if "name" in found else {}


def compare(
    lines: Sequence[Mapping[str, Any]],
    *,
    columns: Mapping[str, int],
    heading: bool,
    whole: bool,
    fixes: Mapping[str, Mapping[str, Any]],
    held: Sequence[Listed],
    applicant: roster.Row,
    at: datetime,
    most: int = 5000,
) -> Diff:
    """Compare the lines of a table (`number`, `cells`, `fault`) with the roster in force.

    `fixes` are by line the words typed in place of the file's, or `{"skip": True}`; `whole` says that whatever of the
    roster is not in the table is removed.
    """
    found = Diff(before=len(held))
    by_number = {one.row.ubn: one for one in held if one.row.ubn}
    by_name = {one.row.name: one for one in held}
    met: dict[str, int] = {}
    seen: dict[roster.Row | str, int] = {}
    for line in lines[1:] if heading else lines:
        found.rows += 1
        number, given = int(line["number"]), fixes.get(str(line["number"]), {})
        cells, fault = line["cells"], line.get("fault")
        name, ubn_, day = (_cell(cells, columns.get(what)) for what in ("name", "ubn", "removed"))
        if given.get("skip"):
            found.entries[SKIPPED].append(Entry(number, name, ubn_))
            continue
        if "name" in given:
            name, ubn_, fault = str(given["name"]), str(given.get("ubn", "")), None
        try:
            if fault is not None:
                raise Refusal(Bilingual(**fault), rule="roster-row")
            row = roster.row_of([name, ubn_])
            roster.once(row, number, seen, applicant)
            tab, entry = _place(row, number, day, by_number, by_name, at)
            if entry.id in met:
                raise Refusal(_SAME_ROW.format(n=met[entry.id]), rule="roster-row")
        except Refusal as refusal:
            found.entries[FIX].append(Entry(number, name[:200], ubn_[:40], refusal.reason))
            continue
        if tab == ADD and found.after >= most:
            found.entries[FIX].append(Entry(number, name, ubn_, _MOST.format(n=most)))
            continue
        if entry.id:
            met[entry.id] = number
        found.entries[tab].append(entry)
    if whole:
        found.entries[REMOVE] += [Entry(0, one.row.name, one.row.ubn, id=one.id) for one in held if one.id not in met]
    return found


def _place(
    row: roster.Row, line: int, day: str, by_number: Mapping[str, Listed], by_name: Mapping[str, Listed], at: datetime
) -> tuple[str, Entry]:
    known = by_number.get(row.ubn) if row.ubn else by_name.get(row.name)
    if known is None and row.ubn:
        same = by_name.get(row.name)
        # A number that was missing so far is filled in; a row with another number is another organisation.
        known = same if same is not None and not same.row.ubn else None
    if known is not None and not row.ubn and known.row.ubn:
        raise Refusal(_NO_NUMBER.format(n=known.row.ubn), rule="roster-row")
    if day:
        if known is None:
            raise Refusal(_NOT_THERE, rule="roster-row")
        return REMOVE, Entry(line, known.row.name, known.row.ubn, id=known.id, at=_instant(day, at))
    if known is None:
        return ADD, Entry(line, row.name, row.ubn)
    if known.row == row:
        return SAME, Entry(line, row.name, row.ubn, id=known.id)
    return CHANGE, Entry(line, row.name, row.ubn, id=known.id, old=known.row.name)


def _instant(day: str, at: datetime) -> str:
    wanted = days.read(day)
    if wanted < at.astimezone(TAIPEI).date():
        raise Refusal(_PAST, rule="roster-row")
    return datetime.combine(wanted, time(), TAIPEI).isoformat()


def _cell(cells: Sequence[str], place: int | None) -> str:
    return cells[place] if place is not None and 0 <= place < len(cells) else ""
