"""A table as an official list: headings, rows, what is wrong with which; and whether a claim stands on a list."""

from __future__ import annotations

from datetime import date

import pytest

from lianfang.kernel.refusal import Refusal
from lianfang.members import eligibility
from lianfang.members.eligibility import Admitted, Claim, Found
from lianfang.members.official import Listed, Reading, day_of, difference, read
from lianfang.members.sheets import FORMULA, MERGED, Line, Sheet

DAY = date(2026, 11, 1)


def sheet(*rows: tuple[str, ...]) -> Sheet:
    return Sheet(tuple(Line(number, cells) for number, cells in enumerate(rows, start=1)), "utf-8")


def mainland(*rows: tuple[str, ...]) -> Reading:
    return read(sheet(("統一編號", "事業名稱"), *rows), kind="mainland", list_date=DAY)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-11-01", DAY), ("2026/11/1", DAY), ("20261101", DAY), ("115/11/01", DAY), ("1151101", DAY),
        ("民國115年11月1日", DAY), ("中華民國115年11月1日", DAY), ("１１５／１１／０１", DAY), ("115.11.1", DAY),
        ("99/11/01", None), ("26-11-01", None), ("11/01/2026", None), ("115/1101", None), ("11511", None),
        ("115111", None), ("1900-01-01", None), ("2026-13-01", None), ("2026-02-29", None), ("2026/11-01", None),
        ("", None), ("昨天", None),
    ],
)  # fmt: skip
def test_a_day_is_read_in_one_calendar_or_not_at_all(text: str, day: date | None) -> None:
    assert day_of(text) == day


def test_the_headings_of_the_authorities_are_known_wherever_they_stand() -> None:
    rows = (("陸資名錄", ""), ("出表日期", "115/11/01"), ("序號", "陸資投資事業名稱", "營利事業統一編號"))
    found = read(sheet(*rows, ("1", "甲 投資", "04595257")), kind="mainland", list_date=DAY)
    assert found.rows == (Listed(4, "甲 投資", "04595257"),)
    board = ("出表日期", "公司代號", "公司名稱", "公司簡稱", "營利事業統一編號")
    listed = read(sheet(board, ("1151101", "2330", "臺積", "台積電", "22099131")), kind="twse", list_date=DAY)
    assert (listed.rows, listed.faults) == ((Listed(2, "臺積", "22099131", "2330"),), ())
    machine = ("Date", "SecuritiesCompanyCode", "CompanyName", "UnifiedBusinessNo.")
    assert read(sheet(machine, ("1151101", "6488", "環球晶", "53212539")), kind="tpex", list_date=DAY).rows


@pytest.mark.parametrize(
    ("heading", "kind"),
    [
        (("名稱",), "mainland"),
        (("名稱", "統一編號"), "twse"),
        (("統一編號",), "association"),
        (("名稱", "公司名稱", "統一編號"), "mainland"),
        (("名稱", "統一編號", "統編"), "mainland"),
    ],
)
def test_a_file_without_its_columns_or_with_two_of_them_is_no_list(heading: tuple[str, ...], kind: str) -> None:
    with pytest.raises(Refusal) as refused:
        read(sheet(heading, ("甲", "04595257", "2330")), kind=kind, list_date=DAY)
    assert refused.value.field == "file"


def test_each_wrong_row_is_named_and_the_right_ones_are_read() -> None:
    rows = [
        ("04595257", "甲企業"),
        ("4595257", "少了零"),
        ("88117126", "檢核不符"),
        ("", "沒有號"),
        ("04595257", "號碼重複"),
        ("", "沒 有 號"),
        ("22099131", ""),
        ("53212539", "甲" * 201),
        ("－", "A123456789先生"),
        ("２２０９９１３１", "全形號碼"),
    ]
    found = mainland(*rows)
    assert [row.name for row in found.rows] == ["甲企業", "沒有號", "全形號碼"]
    assert found.rows[2].ubn == "22099131"
    assert [fault.line for fault in found.faults] == [3, 4, 6, 7, 8, 9, 10]
    reasons = [fault.reason.zh for fault in found.faults]
    for reason, word in zip(
        reasons, ("開頭的0", "檢查碼", "第2列", "第5列", "缺少名稱", "200字", "身分證"), strict=True
    ):
        assert word in reason


def test_faults_of_the_sheet_and_dates_of_rows_are_faults_of_the_list() -> None:
    lines = (
        Line(1, ("名稱", "統一編號", "資料日期")),
        Line(2, (), FORMULA),
        Line(3, ("甲",), MERGED),
        Line(4, ("乙", "", "2026-11-02")),
        Line(5, ("丙", "", "99/11/01")),
        Line(6, ("丁", "", "115/11/01")),
    )
    found = read(Sheet(lines, "xlsx"), kind="mainland", list_date=DAY)
    assert [row.name for row in found.rows] == ["丁"]
    assert [fault.line for fault in found.faults] == [2, 3, 4, 5]
    assert "2026-11-02" in found.faults[2].reason.zh
    assert "民國還是西元" in found.faults[3].reason.zh


@pytest.mark.parametrize(
    ("row", "word"),
    [
        (("2330", "甲", "22099131"), ""),
        (("9951", "乙-KY", ""), ""),
        (("9951", "乙－ＫＹ", "－"), ""),
        (("9951", "乙", ""), "-KY"),
        (("ABC", "甲", "22099131"), "代號"),
        (("0050", "甲", "22099131"), "代號"),
        (("", "甲", "22099131"), "代號"),
    ],
)
def test_rows_of_a_board_need_a_code_and_a_number_unless_foreign(row: tuple[str, ...], word: str) -> None:
    found = read(sheet(("公司代號", "公司名稱", "統一編號"), row), kind="twse", list_date=DAY)
    assert [fault.reason.zh for fault in found.faults] == [] if not word else word in found.faults[0].reason.zh


def test_the_difference_is_by_what_tells_rows_apart() -> None:
    before = [Listed(1, "甲", "1"), Listed(2, "乙", "2"), Listed(3, "臺丙"), Listed(4, "丁", "4", "1101")]
    after = [Listed(9, "甲", "1"), Listed(8, "乙改名", "2"), Listed(7, "台丙"), Listed(6, "戊")]
    found = difference(before=before, after=after)
    assert [row.name for row in found.new] == ["戊"]
    assert [row.name for row in found.gone] == ["丁"]
    assert [(one.name, other.name) for one, other in found.changed] == [("乙", "乙改名"), ("臺丙", "台丙")]
    assert found.same == 1


ALL = Admitted(("twse", "tpex", "association"), ("occupational", "social", "political"))
ROW = Listed(1, "甲", "22099131", "2330")
FOREIGN = Listed(1, "乙-KY", "", "9951")


def in_class(state: str) -> dict[str, Found]:
    return {"association": Found(DAY, None, Listed(1, "甲", state=state))}


def claim(**given: object) -> Claim:
    facts: dict[str, object] = {"kind": "twse", "name": "甲", "ubn": "22099131", "code": "2330", **given}
    return Claim(**facts)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("asked", "found", "code", "blocks"),
    [
        (claim(), {}, "by_hand", False),
        (claim(), {"twse": Found(DAY, ROW, ROW)}, "right", False),
        (claim(ubn="04595257"), {"twse": Found(DAY, ROW)}, "other_number", True),
        (claim(ubn=""), {"twse": Found(DAY, ROW)}, "other_number", True),
        (claim(code="9999"), {"twse": Found(DAY, None, ROW)}, "other_code", True),
        (claim(), {"twse": Found(DAY)}, "nowhere", True),
        (claim(), {"twse": Found(DAY), "tpex": Found(DAY, ROW)}, "other_board", True),
        (claim(kind="tpex"), {"tpex": Found(DAY), "twse": Found(DAY, None, ROW)}, "other_board", True),
        (claim(), {"twse": Found(DAY), "emerging": Found(DAY, ROW)}, "emerging", True),
        # Of the emerging board's list alone nothing follows for who claims another: its own list is not there.
        (claim(), {"emerging": Found(DAY, ROW)}, "by_hand", False),
        (claim(code="9951", ubn="", without_number=True), {"twse": Found(DAY, FOREIGN)}, "foreign", False),
        (claim(code="9951", ubn=""), {"twse": Found(DAY, FOREIGN)}, "other_number", True),
        (claim(kind="association"), {}, "by_hand", False),
        (claim(kind="association"), {"association": Found(DAY)}, "unlisted", False),
        (claim(kind="association"), in_class("職業團體"), "right", False),
        (claim(kind="association"), in_class("財團法人"), "class_not_admitted", True),
        (claim(kind="other"), {}, "not_admitted", True),
    ],
)  # fmt: skip
def test_a_claim_is_answered_by_the_lists(asked: Claim, found: dict[str, Found], code: str, blocks: bool) -> None:
    answer = eligibility.answer(asked, found, ALL)
    assert (answer.code, answer.blocks) == (code, blocks)
    assert answer.words.zh
    assert answer.words.en


def test_what_the_charter_leaves_open_follows_the_settings() -> None:
    listed = {"twse": Found(DAY, ROW, ROW)}
    assert eligibility.answer(claim(), listed, Admitted(("tpex",), ())).code == "not_admitted"
    groups = Admitted(ALL.kinds, ALL.associations, company_alone=False)
    assert eligibility.answer(claim(), listed, groups).code == "alone"
    assert eligibility.answer(claim(constituents=1), listed, groups).code == "right"
    political = in_class("政治團體")
    assert eligibility.answer(claim(kind="association"), political, ALL).code == "right"
    fewer = Admitted(ALL.kinds, ("occupational", "social"))
    assert eligibility.answer(claim(kind="association"), political, fewer).code == "class_not_admitted"
