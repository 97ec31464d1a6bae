"""Folding names of organisations, and laying two of them side by side."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lianfang.members.names import align, fold


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("臺灣示範電子股份有限公司", "台灣示範電子股份有限公司"),
        ("臺灣示範電子股份有限公司", "台湾示范电子股份有限公司"),
        ("示範電子股份有限公司", "示範電子（股）公司"),
        ("示範電子股份有限公司", "示範電子有限公司"),
        ("示範電子股份有限公司", " 示 範　電\u200b子 "),
        ("ＡＢＣ示範電子", "abc示範電子"),
        ("示範‧電子", "示範電子"),
        ("Example Co., Ltd.", "EXAMPLE CORPORATION"),
        ("Example Co., Ltd. Taiwan Branch", "Example"),
        ("香港商示範創新有限公司台灣分公司", "示範創新有限公司"),
        ("英屬開曼群島商示範創新", "示範創新"),
        ("衞星電子", "衛星電子"),
        ("峯群鑛業", "峰羣礦業"),
        ("⼤⽴工業", "大立工業"),
        ("示範㈱", "示範（株）"),
    ],
)
def test_ways_of_writing_one_name_fold_alike(one: str, other: str) -> None:
    assert fold(one).core == fold(other).core


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("示範電子", "示範電機"),
        ("大立工業", "大力工業"),
        ("Example", "Examples"),
        ("香港商示範", "香港商樣本"),
        ("股份有限公司", "有限公司"),
    ],
)
def test_different_names_stay_different(one: str, other: str) -> None:
    assert fold(one).core != fold(other).core


@pytest.mark.parametrize("name", ["股份有限公司", "Ltd", "美商", "香港商", "公司", "台灣分公司"])
def test_a_name_that_is_only_a_form_keeps_something_to_compare(name: str) -> None:
    assert fold(name).core


NAMES = st.text(st.characters(codec="utf-8", exclude_categories=("Cs",)), max_size=30)


@given(NAMES)
def test_folding_twice_changes_nothing_and_every_letter_of_both_names_is_shown(name: str) -> None:
    core = fold(name).core
    assert fold(core).whole == core
    columns = align(name, core)
    assert "".join(one.right for one in columns) == core
    assert not [one for one in columns if not one.left and not one.right]


def test_alignment_shows_each_character_once_with_what_it_is() -> None:
    kinds = [(one.left, one.right, one.kind) for one in align("臺灣 示範", "台灣市範x")]
    assert kinds == [
        ("臺", "台", "folded"),
        ("灣", "灣", "same"),
        (" ", "", "ignored"),
        ("示", "市", "different"),
        ("範", "範", "same"),
        ("", "x", "missing"),
    ]
