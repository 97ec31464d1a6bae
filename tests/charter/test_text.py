"""The text of a document as data: what stands against it, and what a new text changes."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lianfang.charter import actions, text
from lianfang.kernel.text import Bilingual

calm = settings(deadline=None, max_examples=150)
TITLES = Bilingual(zh="規章", en="Charter")


def clause(number: str, zh: str = "條文", en: str = "Clause") -> dict[str, str]:
    return {"id": number, "zh": zh, "en": en}


def said(clauses: list[Any], titles: Bilingual = TITLES) -> list[tuple[str, str]]:
    return [(one.clause, one.reason.en) for one in text.faults(titles, clauses)]


@pytest.mark.parametrize("kind", actions.MODEL_KINDS)
def test_the_texts_that_come_with_the_software_are_sound(kind: str) -> None:
    model = actions.model_text(kind)
    assert text.faults(Bilingual(zh=model["title_zh"], en=model["title_en"]), model["clauses"]) == []


@pytest.mark.parametrize(
    ("clauses", "where", "words"),
    [
        ([], "", "no clause"),
        ([clause("1"), clause("1")], "1", "numbered twice"),
        ([clause("1"), clause("2"), clause("1.1")], "1.1", "stands after 2"),
        ([clause("1"), clause("1.2"), clause("1.10"), clause("1.9")], "1.9", "stands after 1.10"),
        ([clause("1"), clause("2.1")], "2.1", "below no 2"),
        ([clause("5"), clause("5.1"), clause("5.1-1.3.1")], "5.1-1.3.1", "below no 5.1-1.3"),
        ([clause("一")], "一", "no number"),
        ([clause("01")], "01", "no number"),
        ([clause("1.")], "1.", "no number"),
        ([clause("{x}")], "{x}", "no number"),
        ([clause("1", zh=" ")], "1", "no Chinese"),
        ([clause("1", en="")], "1", "no English"),
        ([clause("1", zh="甲" * 20_001)], "1", "longer"),
        ([clause("1", en="a\x00b")], "1", "cannot be shown"),
        ([clause("1", zh="\ud800")], "1", "cannot be shown"),
        ([{"id": 1, "zh": "x", "en": "x"}], "1", "no number"),
        (["1.1"], "", "no number"),
        ([{"id": "1", "zh": 7, "en": "x"}], "1", "no Chinese"),
    ],
)
def test_each_of_these_alone_stands_against_a_text_and_names_its_clause(
    clauses: list[Any], where: str, words: str
) -> None:
    (fault,) = said(clauses)
    assert fault[0] == where
    assert words in fault[1]


def test_a_title_is_one_line() -> None:
    for broken in (Bilingual(zh="甲\n乙", en="A"), Bilingual(zh="甲" * 201, en="A"), Bilingual(zh="甲", en="\x00")):
        assert len(said([clause("1")], broken)) == 1
    assert len(said([clause(str(n)) for n in range(1, 502)])) == 1


numbers = st.lists(
    st.lists(st.integers(1, 12), min_size=1, max_size=3).map(lambda parts: ".".join(map(str, parts))),
    min_size=1, max_size=12, unique=True,
)  # fmt: skip


def whole(found: list[str]) -> list[dict[str, str]]:
    """These numbers with everything above them, in order."""
    every = set(found)
    for one in found:
        while one := text.above(one):
            every.add(one)
    return [clause(one) for one in sorted(every, key=text.key)]


@calm
@given(numbers)
def test_numbers_in_order_with_everything_above_them_are_sound_and_in_no_other_order(found: list[str]) -> None:
    clauses = whole(found)
    assert text.faults(TITLES, clauses) == []
    if len(clauses) > 1:
        assert text.faults(TITLES, clauses[::-1])
    for place in range(len(clauses)):
        assert text.faults(TITLES, [*clauses, clauses[place]]), "numbered twice"


words = st.text(alphabet=st.sampled_from("規章會員同意a b12。，"), max_size=30)


@calm
@given(st.dictionaries(st.sampled_from(["1", "1.1", "1.2", "2", "2.10", "2.9"]), st.tuples(words, words)),
       st.dictionaries(st.sampled_from(["1", "1.1", "1.2", "2", "2.10", "2.9"]), st.tuples(words, words)))  # fmt: skip
def test_a_comparison_loses_nothing_of_either_text(old: dict[str, Any], new: dict[str, Any]) -> None:
    before = [clause(number, *both) for number, both in old.items()]
    after = [clause(number, *both) for number, both in new.items()]
    rows = text.compare(before, after)
    assert [row.id for row in rows] == sorted({*old, *new}, key=text.key)
    for row in rows:
        for place, language in enumerate(("zh", "en")):
            for pieces, source, gone in ((row.old, old, "del"), (row.new, new, "ins")):
                if row.id in source:
                    assert "".join(one.text for one in pieces[language]) == source[row.id][place]
                    assert {one.change for one in pieces[language]} <= {"", gone}
                else:
                    assert not pieces
        same = [one.text for one in row.old.get("zh", []) if not one.change]
        assert row.kind != "changed" or same == [one.text for one in row.new["zh"] if not one.change]
        expected = "added" if row.id not in old else "removed" if row.id not in new else None
        assert row.kind == (expected or ("same" if old[row.id] == new[row.id] else "changed"))
    assert text.changed(before, after) == [row.id for row in rows if row.kind != "same"]


def test_a_comparison_marks_characters_in_chinese_and_words_in_english() -> None:
    old = [clause("1.4", "應於30日內申訴。", "Appeal within 30 days.")]
    new = [clause("1.4", "應於45日內申訴。", "Appeal within 45 days.")]
    (row,) = text.compare(old, new)
    assert [one.text for one in row.old["zh"] if one.change] == ["30"]
    assert [one.text for one in row.new["en"] if one.change] == ["45"]
    again = copy.deepcopy(new)
    assert text.compare(new, again)[0].kind == "same"
