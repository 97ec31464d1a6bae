import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lianfang.kernel.text import Bilingual

BOTH = Bilingual(zh="申請", en="Application")


@pytest.mark.parametrize("code", ["zh", "zh-hant", "zh-Hant", "zh-Hant-TW", "zh_Hant", "zh-TW", "ZH"])
def test_every_chinese_code_gets_chinese(code: str) -> None:
    assert BOTH.in_language(code) == "申請"


@pytest.mark.parametrize("code", ["en", "en-GB", "EN_us", "ja", "zha", ""])
def test_every_other_code_gets_english(code: str) -> None:
    assert BOTH.in_language(code) == "Application"


def test_english_falls_back_to_chinese_when_empty() -> None:
    assert Bilingual(zh="申請", en="").in_language("en") == "申請"


@pytest.mark.parametrize("zh", ["", " ", "\u3000\n"])
def test_chinese_is_required(zh: str) -> None:
    with pytest.raises(ValueError, match="Chinese"):
        Bilingual(zh=zh, en="Application")


def test_format_fills_both_halves_and_each_with_its_own_language() -> None:
    text = Bilingual(zh="{n}件「{kind}」待辦", en="{n} of {kind} wait")
    assert text.format(n=3, kind=BOTH) == Bilingual(zh="3件「申請」待辦", en="3 of Application wait")


def test_format_does_not_pass_over_a_missing_value() -> None:
    with pytest.raises(KeyError):
        Bilingual(zh="{n}件", en="{n}").format(m=1)


@given(value=st.text())
@settings(deadline=None)
def test_a_value_is_never_taken_for_a_template(value: str) -> None:
    assert Bilingual(zh="「{x}」", en="{x}").format(x=value).in_language("zh") == f"「{value}」"


def test_it_is_frozen_and_hashable() -> None:
    assert len({BOTH, Bilingual(zh="申請", en="Application")}) == 1
    with pytest.raises(AttributeError):
        BOTH.zh = "x"  # type: ignore[misc]
