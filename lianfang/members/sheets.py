"""Tables that people hand in as CSV or XLSX: cells as text, line by line, with what is wrong with which line.

Nothing is guessed and nothing is run: a formula is a fault, not its result; a merged cell is a fault, not a repetition.
Files are hostile: sizes are read from the head of the archive before anything is unpacked.
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import openpyxl
from openpyxl.utils.cell import range_boundaries

from lianfang.kernel.refusal import Refusal
from lianfang.kernel.text import Bilingual

MOST_BYTES = 10 * 1024 * 1024
_MOST_UNPACKED = 300 * 1024 * 1024
_MOST_PARTS = 500
_MOST_COLUMNS = 64
_LONGEST_CELL = 4000
_OLE = b"\xd0\xcf\x11\xe0"
_ZIP = b"PK\x03\x04"
_MERGED = re.compile(rb'<(?:\w+:)?mergeCell\b[^>]*\bref="([A-Z]{1,3}[0-9]{1,7}(?::[A-Z]{1,3}[0-9]{1,7})?)"')
_DECLARES = re.compile(rb"<!(?:DOCTYPE|ENTITY)", re.I)

_EMPTY = Bilingual(zh="檔案裡沒有資料。", en="The file holds no rows.")
_LARGE = Bilingual(zh="檔案超過10 MB。", en="The file is larger than 10 MB.")
_OLD = Bilingual(
    zh="這是舊的.xls或有密碼的檔案。請另存成.xlsx或.csv，不要設密碼。",
    en="An old .xls file, or one with a password. Save it as .xlsx or .csv without a password.",
)
_BROKEN = Bilingual(
    zh="檔案打不開，可能已損壞。請重新另存。", en="The file cannot be opened, it may be damaged. Save it anew."
)
_BOMB = Bilingual(zh="檔案展開後太大，不予處理。", en="The file is too large once unpacked; it is not processed.")
_ENCODING = Bilingual(
    zh="看不出文字編碼。請存成UTF-8或Big5的CSV。", en="The encoding cannot be told. Save the CSV as UTF-8 or Big5."
)
_SHEETS = Bilingual(
    zh="有好幾張工作表有資料（{names}）。請只留一張。", en="Several sheets hold data ({names}). Keep one only."
)
_MANY = Bilingual(zh="超過{n}列。", en="More than {n} rows.")
_QUOTES = Bilingual(zh="第{n}列附近引號沒有成對。", en="A quotation mark is not closed near row {n}.")
FORMULA = Bilingual(
    zh="有公式。請改成值再上傳；我們不計算公式。", en="Holds a formula. Replace it by its value; we calculate nothing."
)
MERGED = Bilingual(
    zh="有合併的儲存格。請取消合併並逐列填寫。", en="Holds merged cells. Unmerge them and fill each row."
)
_ERROR = Bilingual(zh="儲存格是錯誤值。", en="A cell holds an error value.")
_LONG = Bilingual(zh="儲存格超過4,000字。", en="A cell is longer than 4,000 characters.")
_WIDE = Bilingual(zh="超過64欄。", en="More than 64 columns.")
_UNSEEN = Bilingual(zh="含有看不見的控制字元。", en="Holds an invisible control character.")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a table as its author counts it, from 1; `fault` says why its cells cannot be taken."""

    number: int
    cells: tuple[str, ...]
    fault: Bilingual | None = None

    def cell(self, place: int | None) -> str:
        """Return a cell, empty past the end of a short line and for a column that is not there."""
        return self.cells[place] if place is not None and place < len(self.cells) else ""


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table: its lines that are not empty, and how it was read (`utf-8`, `cp950`, `xlsx` …)."""

    lines: tuple[Line, ...]
    encoding: str


def read(content: bytes, *, most_rows: int = 60_000) -> Sheet:
    """Read a table whole. Raises Refusal for a file that is no table or past a limit."""
    if len(content) > MOST_BYTES:
        raise Refusal(_LARGE, rule="sheet-size", field="file")
    if content.startswith(_OLE):
        raise Refusal(_OLD, rule="sheet-kind", field="file")
    if content.startswith(_ZIP):
        found, encoding = _xlsx(content), "xlsx"
    else:
        text, encoding = _decoded(content)
        found = _csv(text)
    lines = []
    for line in found:
        if not any(line.cells) and line.fault is None:
            continue
        lines.append(line)
        if len(lines) > most_rows:
            raise Refusal(_MANY.format(n=most_rows), rule="sheet-rows", field="file")
    if not lines:
        raise Refusal(_EMPTY, rule="sheet-empty", field="file")
    return Sheet(tuple(lines), encoding)


# CSV


def _decoded(content: bytes) -> tuple[str, str]:
    marks = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
    told = next((name for mark, name in marks.items() if content.startswith(mark)), None)
    for encoding in (told,) if told else ("utf-8", "cp950", "big5hkscs"):
        try:
            return content.decode(encoding), encoding
        except UnicodeDecodeError:
            continue
    raise Refusal(_ENCODING, rule="sheet-encoding", field="file")


def _csv(text: str) -> Iterator[Line]:
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    head = text.split("\n", 1)[0]
    separator = "\t" if "\t" in head else ";" if ";" in head and "," not in head else ","
    reader = csv.reader(io.StringIO(text), delimiter=separator, strict=True)
    # A cell may hold a line break: a row is named by the line on which it begins.
    begun = 1
    try:
        for cells in reader:
            yield _line(begun, [(cell, cell.lstrip().startswith("=")) for cell in cells])
            begun = reader.line_num + 1
    except csv.Error:
        raise Refusal(_QUOTES.format(n=begun), rule="sheet-quotes", field="file") from None


# XLSX


def _xlsx(content: bytes) -> Iterator[Line]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            _guard(archive)
            book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=False, keep_links=False)
            try:
                yield from _lines(archive, book)
            finally:
                book.close()
    except Refusal:
        raise
    # The library raises whatever it stumbles over in a damaged file; to whoever uploads it is all one.
    except Exception as fault:
        raise Refusal(_BROKEN, rule="sheet-broken", field="file") from fault


def _guard(archive: zipfile.ZipFile) -> None:
    parts = archive.infolist()
    if len(parts) > _MOST_PARTS or sum(part.file_size for part in parts) > _MOST_UNPACKED:
        raise Refusal(_BOMB, rule="sheet-size", field="file")
    for part in parts:
        if part.filename.endswith((".xml", ".rels")):
            with archive.open(part) as opened:
                if _DECLARES.search(opened.read(4096)):
                    raise Refusal(_BROKEN, rule="sheet-entity", field="file")


def _lines(archive: zipfile.ZipFile, book: Any) -> Iterator[Line]:
    filled = []
    for sheet in book.worksheets:
        if sheet.sheet_state == "visible":
            sheet.reset_dimensions()
            if any(cell.value is not None for row in sheet.iter_rows(max_row=200) for cell in row):
                filled.append(sheet)
    if not filled:
        return
    if len(filled) > 1:
        names = "、".join(sheet.title for sheet in filled)
        raise Refusal(_SHEETS.format(names=names), rule="sheet-several", field="file")
    sheet = filled[0]
    merged = _merged(archive, sheet)
    for number, row in enumerate(sheet.iter_rows(), start=1):
        line = _line(number, [_cell(cell) for cell in row])
        yield Line(number, line.cells, MERGED) if number in merged else line


def _merged(archive: zipfile.ZipFile, sheet: Any) -> set[int]:
    """Return the lines that a merged cell lies on; the library reads them only with all cells in memory."""
    lines: set[int] = set()
    rest = b""
    with archive.open(sheet._worksheet_path.lstrip("/")) as opened:
        while block := opened.read(1 << 20):
            block = rest + block
            for found in _MERGED.finditer(block):
                _, first, _, last = range_boundaries(found[1].decode())
                lines.update(range(int(first or 1), min(int(last or 1), int(first or 1) + 100_000) + 1))
            rest = block[-200:]
    return lines


def _cell(cell: Any) -> tuple[str, bool | Bilingual]:
    """Return a cell as text, and whether it is a formula or what else is wrong with it."""
    value = cell.value
    kind = getattr(cell, "data_type", "n")
    if kind == "f" or not isinstance(value, str | int | float | bool | date | None):
        return "", True
    if kind == "e":
        return str(value), _ERROR
    if value is None:
        return "", False
    if isinstance(value, datetime):
        return (value.date() if value.time() == datetime.min.time() else value).isoformat(), False
    if isinstance(value, date):
        return value.isoformat(), False
    if isinstance(value, float):
        return (str(int(value)) if value.is_integer() else repr(value)), False
    return str(value), False


def _line(number: int, cells: Iterable[tuple[str, bool | Bilingual]]) -> Line:
    listed = list(cells)
    texts = tuple(text.strip() for text, _ in listed)
    while texts and not texts[-1]:
        texts = texts[:-1]
    faults = [_ERROR if fault is _ERROR else FORMULA for _, fault in listed if fault]
    if len(texts) > _MOST_COLUMNS:
        return Line(number, texts[:_MOST_COLUMNS], _WIDE)
    if any(len(text) > _LONGEST_CELL for text in texts):
        return Line(number, tuple(text[:80] for text in texts), _LONG)
    if not faults and any(_CONTROL.search(text) for text in texts):
        return Line(number, tuple(_CONTROL.sub("", text) for text in texts), _UNSEEN)
    return Line(number, texts, faults[0] if faults else None)
