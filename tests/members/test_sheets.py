"""Reading CSV and XLSX as people make them, and as nobody should."""

from __future__ import annotations

import io
import zipfile
from datetime import date, datetime
from typing import Any

import openpyxl
import pytest

from lianfang.kernel.refusal import Refusal
from lianfang.members.sheets import FORMULA, MERGED, Sheet, read

TABLE = "公司名稱,統一編號\r\n臺灣示範電子股份有限公司,04595257\r\n,\r\n樣本化工,22099131\r\n"
ROWS = [(1, ("公司名稱", "統一編號")), (2, ("臺灣示範電子股份有限公司", "04595257")), (4, ("樣本化工", "22099131"))]


def shown(sheet: Sheet) -> list[tuple[int, tuple[str, ...]]]:
    assert not [line for line in sheet.lines if line.fault]
    return [(line.number, line.cells) for line in sheet.lines]


def book(*rows: list[Any], merge: str = "", sheets: int = 1) -> bytes:
    made = openpyxl.Workbook()
    for place in range(sheets):
        sheet = made.worksheets[0] if not place else made.create_sheet()
        for row in rows:
            sheet.append(row)
        if merge:
            sheet.merge_cells(merge)
    kept = io.BytesIO()
    made.save(kept)
    return kept.getvalue()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "big5", "cp950"])
@pytest.mark.parametrize("separator", [",", "\t", ";"])
@pytest.mark.parametrize("ending", ["\r\n", "\n", "\r"])
def test_a_csv_reads_alike_however_it_was_saved(encoding: str, separator: str, ending: str) -> None:
    text = TABLE.replace(",", separator).replace("\r\n", ending)
    assert shown(read(text.encode(encoding))) == ROWS


def test_a_cell_may_hold_a_break_and_its_row_is_named_by_where_it_begins() -> None:
    sheet = read('名稱,備註\n甲,"一\n二"\n乙,三\n'.encode())
    assert [(line.number, line.cells[0]) for line in sheet.lines] == [(1, "名稱"), (2, "甲"), (4, "乙")]


def test_an_xlsx_gives_text_and_no_guess() -> None:
    midnight = datetime(2026, 11, 1)  # noqa: DTZ001 - a sheet knows no zone
    content = book(
        ["名稱", "統編"], ["甲", "04595257"], ["乙", 4595257], ["丙", 22099131.0], ["丁", 0.5], ["戊", midnight],
        ["己", date(2026, 11, 2)], [None, None], ["庚", "115/11/01"],
    )  # fmt: skip
    assert [line.cells[1] for line in read(content).lines] == [
        "統編", "04595257", "4595257", "22099131", "0.5", "2026-11-01", "2026-11-02", "115/11/01",
    ]  # fmt: skip
    assert [line.number for line in read(content).lines][-1] == 9


def test_formulas_are_faults_and_never_values() -> None:
    lines = read(book(["名稱"], ['=HYPERLINK("http://x","甲")'], ["乙"])).lines
    assert [line.fault for line in lines] == [None, FORMULA, None]
    assert lines[1].cells == ()
    assert [line.fault for line in read('名稱\n"=1+1"\n -3\n'.encode()).lines] == [None, FORMULA, None]


def test_merged_cells_are_faults_of_their_lines_alone() -> None:
    lines = read(book(["名稱", "統編"], ["甲", "1"], ["乙", "2"], ["丙", "3"], merge="A2:A3")).lines
    assert [line.fault for line in lines] == [None, MERGED, MERGED, None]


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (b"", "sheet-empty"),
        (b"\n,,\n", "sheet-empty"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1rest", "sheet-kind"),
        (b"PK\x03\x04 not a workbook", "sheet-broken"),
        ("名稱\n".encode() + b"\xff\xfe\xff", "sheet-encoding"),
        ('名稱\n"甲'.encode(), "sheet-quotes"),
        (book(["甲"], sheets=2), "sheet-several"),
        (b"x" * (10 * 1024 * 1024 + 1), "sheet-size"),
    ],
    ids=["empty", "blank", "old", "damaged", "encoding", "quotes", "two sheets", "large"],
)
def test_what_is_no_table_is_refused_by_name(content: bytes, rule: str) -> None:
    with pytest.raises(Refusal) as refused:
        read(content)
    assert refused.value.rule == rule


def repacked(content: bytes, change: Any) -> bytes:
    kept = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(kept, "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.infolist():
            new.writestr(part.filename, change(part.filename, old.read(part)))
    return kept.getvalue()


def test_entities_and_bombs_are_refused_before_they_unfold() -> None:
    head = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">]>'
    declared = repacked(book(["甲"]), lambda name, body: head + body if name.endswith("sheet1.xml") else body)
    bomb = repacked(book(["甲"]), lambda name, body: body + b" " * (301 * 1024 * 1024) if "styles" in name else body)
    for content, rule in ((declared, "sheet-entity"), (bomb, "sheet-size")):
        with pytest.raises(Refusal) as refused:
            read(content)
        assert refused.value.rule == rule


def test_lines_past_the_limit_refuse_the_whole_file() -> None:
    content = b"name\n" + b"a\n" * 10
    assert len(read(content, most_rows=11).lines) == 11
    with pytest.raises(Refusal):
        read(content, most_rows=10)


def test_control_characters_and_endless_cells_are_faults() -> None:
    lines = read("名稱\na\x07b\n".encode() + b"x" * 5000 + b"\n").lines
    assert [line.fault is None for line in lines] == [True, False, False]
