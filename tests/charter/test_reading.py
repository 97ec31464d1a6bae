"""An operator's text becomes clauses by its numbers; what cannot be placed is told, nothing is guessed or lost."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lianfang.charter import actions, reading, text
from lianfang.kernel.refusal import Refusal
from lianfang.kernel.text import Bilingual

calm = settings(deadline=None, max_examples=150)
TITLES = Bilingual(zh="規章", en="Charter")


def pairs(written: str) -> list[tuple[str, str]]:
    return [(one["id"], one["text"]) for one in reading.read(written).clauses]


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("# 第一條　入會資格\n1.1 會員可以是公司。", [("1", "第一條　入會資格"), ("1.1", "會員可以是公司。")]),
        ("第十二條 其他\r\n12.1　條文", [("12", "第十二條 其他"), ("12.1", "條文")]),
        ("第二十條\n第一百零三條", [("20", "第二十條"), ("103", "第一百零三條")]),
        ("第 3 條 保密", [("3", "第 3 條 保密")]),
        ("## Article 4  Publication\n4.1. Approved.", [("4", "Article 4  Publication"), ("4.1", "Approved.")]),
        ("**2.3** 善良管理人\n（一）其一\n\n（二）其二", [("2.3", "善良管理人\n（一）其一\n（二）其二")]),
        ("5.1-1.3.2 地區\n5.1、告知", [("5.1-1.3.2", "地區"), ("5.1", "告知")]),
        ("0 前言", [("0", "前言")]),
        ("1\n條文在下一行", [("1", "條文在下一行")]),
        ("\ufeff".strip("\ufeff") + "1.1 30天內\n30天後仍同", [("1.1", "30天內\n30天後仍同")]),
        ("1.1 甲\n2026-11-23 起", [("1.1", "甲\n2026-11-23 起")]),
    ],
)  # fmt: skip
def test_a_clause_begins_with_its_number_and_holds_what_follows(written: str, found: list[tuple[str, str]]) -> None:
    assert pairs(written) == found


def test_what_stands_before_the_first_number_is_told() -> None:
    got = reading.read("團體會員規章\n\n民國一百十五年修訂\n1 總則")
    assert got.loose == ["團體會員規章", "民國一百十五年修訂"]
    for nothing in ("", "規章\n沒有條號", "\n \n"):
        with pytest.raises(Refusal) as refused:
            reading.read(nothing)
        assert (refused.value.rule, refused.value.field) == ("charter-numbers", "file")


@pytest.mark.parametrize("content", [b"\xff\xfe1\x00", "規章".encode("big5"), b"PK\x03\x04\x80"])
def test_what_is_no_text_is_refused(content: bytes) -> None:
    with pytest.raises(Refusal) as refused:
        reading.decode(content)
    assert refused.value.field == "file"
    assert reading.decode("\ufeff1 甲".encode()) == "1 甲"


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_model_charter_is_read_back_as_it_was_written(language: str) -> None:
    clauses = actions.model_text("charter")["clauses"]
    # An article's heading holds its number; every other clause is written behind its own.
    written = "\n\n".join(
        one[language] if "." not in one["id"] and one["id"] != "0" else f"{one['id']} {one[language]}"
        for one in clauses
    )
    read = reading.read(written)
    assert reading.merged(clauses, read, language=language) == clauses


def test_a_number_that_stands_twice_is_told_and_not_lost() -> None:
    merged = reading.merged([], reading.read("1 甲\n1 乙"), language="zh")
    assert [one["zh"] for one in merged] == ["甲", "乙"]
    reasons = [one.reason.en for one in text.faults(TITLES, merged)]
    assert any("numbered twice" in one for one in reasons)
    assert sum("no English" in one for one in reasons) == 2


def test_the_other_language_stays_by_its_number() -> None:
    old = [{"id": "1", "zh": "舊", "en": "One"}, {"id": "2", "zh": "二", "en": "Two"}]
    merged = reading.merged(old, reading.read("2 新二\n3 三"), language="zh")
    assert merged == [{"id": "2", "zh": "新二", "en": "Two"}, {"id": "3", "zh": "三", "en": ""}]


numbers = st.lists(
    st.lists(st.integers(1, 12), min_size=1, max_size=3).map(lambda parts: ".".join(map(str, parts))),
    min_size=1, max_size=10, unique=True,
)  # fmt: skip


@calm
@given(numbers, st.data())
def test_a_clause_finds_its_place_by_its_number(found: list[str], data: st.DataObject) -> None:
    ordered = sorted(found, key=text.key)
    clauses = [{"id": one, "zh": one, "en": one} for one in ordered]
    moved = data.draw(st.sampled_from(ordered))
    rest = [one for one in clauses if one["id"] != moved]
    placed = reading.placed(rest, moved, "新", "new", before="")
    assert [one["id"] for one in placed] == ordered
    # Written again it stays the one; under another number it goes there.
    again = reading.placed(placed, moved, "再", "again", before=moved)
    assert [one["id"] for one in again] == ordered
    assert sum(one["zh"] == "再" for one in again) == 1
    assert [one["id"] for one in reading.placed(placed, "99", "x", "x", before=moved)][-1] == "99"
    assert reading.placed(placed, "無", "x", "x", before="")[-1]["id"] == "無", "kept, and told as a fault"


@calm
@given(st.text(max_size=300))
def test_any_text_is_read_or_refused(written: str) -> None:
    try:
        got = reading.read(written)
    except Refusal:
        return
    assert all(text.NUMBER.match(one["id"]) for one in got.clauses)
    kept = "".join(got.loose) + "".join(one["id"] + one["text"] for one in got.clauses)
    letters = [one for one in kept if one.isalpha()]
    assert len(letters) <= len([one for one in reading.unicodedata.normalize("NFC", written) if one.isalpha()]) + 1
