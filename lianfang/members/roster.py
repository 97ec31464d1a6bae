"""A roster as typed or pasted: reading it row by row, and the fingerprint that an attestation covers."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lianfang.kernel import ubn
from lianfang.kernel.canonical import canonical
from lianfang.kernel.ids import digest
from lianfang.kernel.refusal import Refusal
from lianfang.kernel.text import Bilingual
from lianfang.members.identity import holds_identity_number

_LONGEST_NAME = 200
_HEADINGS = frozenset({"名稱", "組織名稱", "name", "organisation", "organization", "公司名稱", "中文名稱"})
_NO_NAME = Bilingual(zh="缺少名稱。", en="The name is missing.")
_LONG = Bilingual(zh="名稱超過200字。", en="The name is longer than 200 characters.")
_TWICE = Bilingual(zh="與第{n}列重複。", en="The same as row {n}.")
_IDENTITY = Bilingual(zh="含有身分證字號，請刪除。", en="Holds an identity number; remove it.")
APPLICANT = Bilingual(zh="這是貴組織自己，不必列入。", en="This is your own organisation; leave it out.")
_INVISIBLE = Bilingual(zh="含有看不見的字元，請重新輸入。", en="Holds an invisible character; type it anew.")
_BROKEN_CELL = Bilingual(
    zh="引號沒有成對，可能是儲存格裡有換行。請寫在同一列。",
    en="A quotation mark is not closed, perhaps a cell with a line break. Write it on one line.",
)
_NUMBER_IN_NAME = Bilingual(
    zh="統一編號寫在名稱裡。請用Tab或逗號與名稱分開。",
    en="The business number stands in the name. Put a tab or a comma between them.",
)
_TORN = "\x00"
"""In place of the cells of a line that could not be told apart; no cell holds this character."""
_EIGHT = re.compile(r"(?<![0-9])[0-9]{8}(?![0-9])")
# Categories of Unicode that show nothing: control and format characters, halves of surrogate pairs, line separators.
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


@dataclass(frozen=True, slots=True)
class Row:
    """One organisation on a roster. `ubn` is empty for one that has none."""

    name: str
    ubn: str

    @property
    def key(self) -> str:
        """The digest of exactly these words, to which a screening finding is bound."""
        return digest(canonical([self.name, self.ubn])).hex()


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one row; `line` counts from 1 as the applicant sees it."""

    line: int
    text: str
    reason: Bilingual


@dataclass(frozen=True, slots=True)
class Reading:
    """A roster read from text: every row, or what is wrong with which."""

    rows: tuple[Row, ...]
    faults: tuple[Fault, ...]


def read(text: str, *, applicant: Row | None = None, most: int = 5000) -> Reading:
    """Read rows of `name, business number` as typed or pasted from a table (tab, comma or semicolon).

    Nothing is guessed: a row that cannot be read is a fault with its line, and the caller then takes none of them.
    """
    rows: list[Row] = []
    faults: list[Fault] = []
    seen: dict[Row | str, int] = {}
    for line, cells in _cells(text):
        try:
            row = row_of(cells)
            once(row, line, seen, applicant)
        except Refusal as refusal:
            faults.append(Fault(line, _shown(cells), refusal.reason))
        else:
            rows.append(row)
        if len(rows) > most:
            reason = Bilingual(
                zh="超過{n}列，請改由協調中心匯入。", en="More than {n} rows; ask the coordinator to import them."
            )
            faults.append(Fault(line, "", reason.format(n=most)))
            break
    return Reading(tuple(rows), tuple(faults))


def text_of(rows: Iterable[Mapping[str, Any]]) -> str:
    """Return kept rows as the text in which they are edited."""
    return "\n".join(f"{row['name']}\t{row['ubn']}".rstrip() for row in rows)


def fingerprint(applicant: Row, rows: Sequence[Row]) -> str:
    """Return the 64 hexadecimal digits of the roster with the applicant itself; the order of rows does not matter."""
    listed = sorted([row.name, row.ubn] for row in rows)
    return digest(canonical([[applicant.name, applicant.ubn], *listed])).hex()


def _cells(text: str) -> Iterable[tuple[int, list[str]]]:
    # A file of an old Macintosh ends its lines by CR alone, one of Excel begins with a byte order mark.
    plain = text.replace("\x00", "").replace("\ufeff", "").replace("\r\n", "\n").replace("\r", "\n")
    clean = unicodedata.normalize("NFC", plain)
    sample = clean.split("\n", 1)[0]
    separator = "\t" if "\t" in clean else ";" if ";" in sample else ","
    # A cell that opens with a quotation mark and does not close on its line was torn apart by a break within it.
    torn = re.compile(rf'(?:^|{separator})\s*"')
    for line, raw in enumerate(io.StringIO(clean), start=1):
        if raw.count('"') % 2 and torn.search(raw):
            yield line, [raw.strip(), _TORN]
            continue
        try:
            cells = next(csv.reader([raw.replace("，", ",") if separator == "," else raw], delimiter=separator), [])
        except csv.Error:
            cells = [raw]
        cells = [cell.strip() for cell in cells]
        if not any(cells) or (line == 1 and cells[0].lower() in _HEADINGS):
            continue
        yield line, cells


def _shown(cells: list[str]) -> str:
    """Return the beginning of a line as it can be shown and kept: without halves of surrogate pairs, without NUL."""
    whole = " ".join(cells).replace(_TORN, "").strip()[:80]
    return whole.encode("utf-8", "replace").decode("utf-8")


def row_of(cells: list[str]) -> Row:
    """Return a row read from its cells, name and number. Raises Refusal for what cannot be read."""
    if cells[1:] == [_TORN]:
        raise Refusal(_BROKEN_CELL, rule="roster-row")
    if any(unicodedata.category(character) in _UNSEEN for cell in cells for character in cell):
        raise Refusal(_INVISIBLE, rule="roster-row")
    name = " ".join(cells[0].split())
    number = unicodedata.normalize("NFKC", cells[1]).replace(" ", "").replace("-", "") if len(cells) > 1 else ""
    if not name:
        raise Refusal(_NO_NAME, rule="roster-row")
    if len(name) > _LONGEST_NAME:
        raise Refusal(_LONG, rule="roster-row")
    if holds_identity_number(" ".join(cells)):
        raise Refusal(_IDENTITY, rule="roster-row")
    if number:
        ubn.check(number)
    # Left in the name it would never be compared with the official list by number.
    elif any(ubn.is_valid(digits) for digits in _EIGHT.findall(unicodedata.normalize("NFKC", name))):
        raise Refusal(_NUMBER_IN_NAME, rule="roster-row")
    return Row(name, number)


def names_applicant(row: Row, applicant: Row) -> bool:
    """Return whether a row is the applicant itself, by its number or by exactly its words."""
    return row == applicant or bool(row.ubn and row.ubn == applicant.ubn)


def once(row: Row, line: int, seen: dict[Row | str, int], applicant: Row | None) -> None:
    """Raise Refusal for a row that names the applicant itself, or what an earlier line named; else remember it."""
    if applicant is not None and names_applicant(row, applicant):
        raise Refusal(APPLICANT, rule="roster-row")
    mark: Row | str = row.ubn or row
    if mark in seen:
        raise Refusal(_TWICE.format(n=seen[mark]), rule="roster-row")
    seen[mark] = line
