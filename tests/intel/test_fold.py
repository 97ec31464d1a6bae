"""Words folded for search."""

from __future__ import annotations

import pytest

from lianfang.intel.fold import folded, terms, tsquery, words_of


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("ＡＢＣ　情資", "abc 情資"),
        ("hxxps://evil[.]example", "https://evil.example"),
        ("A\n\n B", "a b"),
        ("a\0b", "a b"),
    ],
)
def test_one_form(text: str, form: str) -> None:
    assert folded(text) == form


def test_chinese_by_pairs_and_the_last_alone() -> None:
    assert terms("偽冒物流") == ["偽冒", "冒物", "物流", "流"]


def test_chunks_and_the_words_inside() -> None:
    assert terms("parcel-notice.example") == ["parcel-notice.example", "parcel", "notice", "example"]


def test_the_question_quotes_what_would_be_an_operator() -> None:
    question, needles = tsquery("it's a\\b & | ! :* 物流簡訊 cve:CVE-2026-0001")
    assert "'物流' & '流簡' & '簡訊'" in question
    assert "'cve-2026-0001':*" in question
    assert "&" not in needles


def test_nothing_asked() -> None:
    assert tsquery("  !! ") == ("", [])


def test_dates_and_references_are_not_searched() -> None:
    words = words_of(
        {"type": "x", "id": "x--1", "created": "2026", "name": "甲", "a_ref": "b--2", "hashes": {"MD5": "ab"}}
    )
    assert "2026" not in words
    assert "b--2" not in words
    assert "甲" in words
    assert "ab" in words
