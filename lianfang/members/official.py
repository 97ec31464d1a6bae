"""Reading a file as an official list: its columns by their headings, its rows with what is wrong with which.

A list is taken whole or not at all, so a row is never mended here: not a number that lost its leading zeros, not a date
that could be of either calendar.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from lianfang.kernel import ubn
from lianfang.kernel.refusal import Refusal
from lianfang.kernel.text import Bilingual
from lianfang.members.identity import holds_identity_number
from lianfang.members.names import fold
from lianfang.members.sheets import Line, Sheet

BOARDS = ("twse", "tpex", "emerging")
_HEADINGS = {
    "name": (
        "名稱", "公司名稱", "公司全名", "事業名稱", "企業名稱", "團體名稱", "組織名稱", "中文名稱", "機構名稱",
        "陸資投資事業名稱", "投資事業名稱", "國內事業名稱", "被投資事業名稱", "name", "companyname", "organisation",
        "organization",
    ),
    "ubn": ("統一編號", "統編", "營利事業統一編號", "公司統一編號", "unifiedbusinessno",
            "unifiedbusinessnumber", "ubn"),
    "code": ("公司代號", "股票代號", "證券代號", "代號", "securitiescompanycode", "code", "stockcode"),
    "state": ("類別", "團體類別", "狀態", "核准狀態", "上市狀態", "產業別", "class", "state", "status"),
    "date": ("出表日期", "資料日期", "名單日期", "date"),
}  # fmt: skip
_ROLE = {heading: role for role, headings in _HEADINGS.items() for heading in headings}
_LOOKED_AT = 20
_LONGEST_NAME = 200
_CODE = re.compile(r"[1-9][0-9]{3,5}[A-Z]?\Z")
_NONE = frozenset({"", "-", "－", "–", "—", "無"})
_ISO = re.compile(r"([0-9]{4})([-/.]?)([0-9]{1,2})\2([0-9]{1,2})\Z")
_ROC = re.compile(
    r"(?:中華民國|民國)?([0-9]{3})(?:([-/.])([0-9]{1,2})\2([0-9]{1,2})|([0-9]{2})([0-9]{2})|年([0-9]{1,2})月([0-9]{1,2})日)\Z"
)

_NO_HEADINGS = Bilingual(
    zh="前20列找不到標題列。這種名單要有這些欄位：{columns}。",
    en="No heading row in the first 20. This list needs the columns: {columns}.",
)
_TWO_COLUMNS = Bilingual(zh="「{heading}」欄不只一個。", en="There is more than one column “{heading}”.")
_NO_NAME = Bilingual(zh="缺少名稱。", en="The name is missing.")
_LONG = Bilingual(zh="名稱超過200字。", en="The name is longer than 200 characters.")
_IDENTITY = Bilingual(zh="含有身分證字號，請刪除。", en="Holds an identity number; remove it.")
_NO_CODE = Bilingual(zh="代號不是4到6個數字。", en="The code has no 4 to 6 digits.")
_ZEROS = Bilingual(
    zh="統一編號不足8位，可能被試算表吃掉開頭的0。請存成文字。",
    en="The number has fewer than 8 digits; a sheet may have dropped leading zeros. Store it as text.",
)
_NO_UBN = Bilingual(
    zh="沒有統一編號。只有-KY公司可以沒有。", en="No business number; only a -KY company may have none."
)
_TWICE = Bilingual(zh="與第{n}列重複（{key}）。", en="The same as row {n} ({key}).")
_DATE = Bilingual(
    zh="日期看不出是民國還是西元。請寫成2026-11-23。", en="We cannot tell ROC from Gregorian. Write 2026-11-23."
)
_OTHER_DATE = Bilingual(
    zh="檔案裡的日期是{found}，與您寫的{given}不同。", en="The file says {found}, you wrote {given}."
)
_COLUMN_WORDS = {
    "name": Bilingual(zh="名稱", en="name"),
    "ubn": Bilingual(zh="統一編號", en="business number"),
    "code": Bilingual(zh="代號", en="code"),
}


@dataclass(frozen=True, slots=True)
class Listed:
    """One organisation as a list has it."""

    line: int
    name: str
    ubn: str = ""
    code: str = ""
    state: str = ""

    @property
    def key(self) -> str:
        """What tells it from every other on the same list."""
        return self.code or self.ubn or fold(self.name).core or self.name

    @property
    def said(self) -> tuple[str, str, str, str]:
        """What the list says about it; another edition may say it otherwise."""
        return self.name, self.ubn, self.code, self.state


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one row."""

    line: int
    text: str
    reason: Bilingual


@dataclass(frozen=True, slots=True)
class Reading:
    """A list as read: its rows, or what is wrong with which."""

    rows: tuple[Listed, ...]
    faults: tuple[Fault, ...]


def day_of(text: str) -> date | None:
    """Return the day that a text names in one calendar only, or None.

    A year of four digits is Gregorian, one of three is ROC; two digits could be either, and 1911 or earlier neither.
    """
    plain = unicodedata.normalize("NFKC", text).strip()
    if (found := _ISO.fullmatch(plain)) and int(found[1]) > 1911 and (found[2] or len(plain) == 8):
        year, month, day = int(found[1]), int(found[3]), int(found[4])
    elif found := _ROC.fullmatch(plain):
        month, day = (int(part) for part in (found[3] or found[5] or found[7], found[4] or found[6] or found[8]))
        year = int(found[1]) + 1911
    else:
        return None
    try:
        return date(year, month, day)
    except ValueError:
        return None


def read(sheet: Sheet, *, kind: str, list_date: date) -> Reading:
    """Read a table as a list of that kind. Raises Refusal where the whole file cannot be one."""
    columns, body = _headings(sheet.lines, kind)
    rows: list[Listed] = []
    faults: list[Fault] = []
    seen: dict[str, int] = {}
    for line in body:
        try:
            row = _row(line, columns, kind)
            _dated(line.cell(columns.get("date")), list_date)
            _once(row, seen)
        except Refusal as refusal:
            faults.append(Fault(line.number, " ".join(line.cells)[:80], refusal.reason))
        else:
            rows.append(row)
    return Reading(tuple(rows), tuple(faults))


def _headings(lines: Sequence[Line], kind: str) -> tuple[Mapping[str, int], Sequence[Line]]:
    needed = ("name", "code") if kind in BOARDS else ("name", "ubn") if kind == "mainland" else ("name",)
    for place, line in enumerate(lines[:_LOOKED_AT]):
        roles = [_ROLE.get(_plain(cell)) for cell in line.cells]
        if line.fault is not None or not all(role in roles for role in needed):
            continue
        for role in ("name", "ubn", "code", "date"):
            if roles.count(role) > 1:
                heading = line.cells[roles.index(role)]
                raise Refusal(_TWO_COLUMNS.format(heading=heading), rule="list-columns", field="file")
        return {role: roles.index(role) for role in set(roles) if role is not None}, lines[place + 1 :]
    columns = Bilingual(
        zh="、".join(_COLUMN_WORDS[role].zh for role in needed),
        en=", ".join(_COLUMN_WORDS[role].en for role in needed),
    )
    raise Refusal(_NO_HEADINGS.format(columns=columns), rule="list-headings", field="file")


def _plain(heading: str) -> str:
    return re.sub(r"[\s._\-()（）]", "", unicodedata.normalize("NFKC", heading)).casefold()


def _row(line: Line, columns: Mapping[str, int], kind: str) -> Listed:
    if line.fault is not None:
        raise Refusal(line.fault, rule="list-row")
    name = " ".join(unicodedata.normalize("NFC", line.cell(columns["name"])).split())
    if not name:
        raise Refusal(_NO_NAME, rule="list-row")
    if len(name) > _LONGEST_NAME:
        raise Refusal(_LONG, rule="list-row")
    if holds_identity_number(" ".join(line.cells)):
        raise Refusal(_IDENTITY, rule="list-row")
    code = unicodedata.normalize("NFKC", line.cell(columns.get("code"))).strip().upper() if kind in BOARDS else ""
    if kind in BOARDS and not _CODE.fullmatch(code):
        raise Refusal(_NO_CODE, rule="list-row")
    state = line.cell(columns.get("state"))[:60]
    return Listed(line.number, name, _number(line.cell(columns.get("ubn")), name, kind), code, state)


def _number(text: str, name: str, kind: str) -> str:
    number = unicodedata.normalize("NFKC", text).replace(" ", "")
    if number in _NONE:
        if kind in BOARDS and "-KY" not in unicodedata.normalize("NFKC", name).upper():
            raise Refusal(_NO_UBN, rule="list-row")
        return ""
    if number.isdigit() and len(number) < 8:
        raise Refusal(_ZEROS, rule="list-row")
    ubn.check(number)
    return number


def _dated(text: str, list_date: date) -> None:
    if not text:
        return
    found = day_of(text)
    if found is None:
        raise Refusal(_DATE, rule="list-row")
    if found != list_date:
        raise Refusal(_OTHER_DATE.format(found=found.isoformat(), given=list_date.isoformat()), rule="list-row")


def _once(row: Listed, seen: dict[str, int]) -> None:
    for mark in {row.key, row.ubn} - {""}:
        if mark in seen:
            raise Refusal(_TWICE.format(n=seen[mark], key=mark), rule="list-row")
    seen.update(dict.fromkeys({row.key, row.ubn} - {""}, row.line))


@dataclass(frozen=True, slots=True)
class Difference:
    """What an edition says otherwise than the one before: by key, the former and the present row."""

    new: tuple[Listed, ...]
    gone: tuple[Listed, ...]
    changed: tuple[tuple[Listed, Listed], ...]
    same: int


def difference(*, before: Iterable[Listed], after: Iterable[Listed]) -> Difference:
    """Compare two editions of a list."""
    old, new = {row.key: row for row in before}, {row.key: row for row in after}
    both = [(old[key], row) for key, row in new.items() if key in old]
    changed = tuple((one, other) for one, other in both if one.said != other.said)
    return Difference(
        tuple(row for key, row in new.items() if key not in old),
        tuple(row for key, row in old.items() if key not in new),
        changed,
        len(both) - len(changed),
    )
