import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lianfang.kernel import ubn
from lianfang.kernel.refusal import Refusal

PASS_ALWAYS = ["22099131", "04595257", "53212539", "88117125", "10458575"]
PASS_BY_SEVENTH_DIGIT = ["10458574"]
PASS_SINCE_2023 = ["04595252", "22099136", "10458570"]
FAIL = ["88117126", "12222539", "53212535"]


def by_hand(number: str) -> bool:
    """The rule as the Ministry of Finance explains it: every digit of every product is added."""
    products = [int(d) * w for d, w in zip(number, [1, 2, 1, 2, 1, 2, 4, 1], strict=True)]
    sums = {sum(int(c) for product in products for c in str(product))}
    if number[6] == "7":  # 28 -> 2 + 8 = 10 -> 1 or 0
        rest = sum(int(c) for i, product in enumerate(products) if i != 6 for c in str(product))
        sums = {rest + 1, rest}
    return any(total % 5 == 0 for total in sums)


@pytest.mark.parametrize("number", PASS_ALWAYS + PASS_BY_SEVENTH_DIGIT + PASS_SINCE_2023)
def test_numbers_that_pass(number: str) -> None:
    ubn.check(number)
    assert ubn.is_valid(number)


@pytest.mark.parametrize("number", FAIL)
def test_numbers_with_a_wrong_check_digit(number: str) -> None:
    with pytest.raises(Refusal) as caught:
        ubn.check(number)
    assert caught.value.rule == "ubn-check-digit"
    assert not ubn.is_valid(number)


@pytest.mark.parametrize(
    "number",
    [
        "",
        "2209913",
        "220991310",
        "2209913a",
        "22099131 ",
        "２２０９９１３１",
        "²²⁰⁹⁹¹³¹",
        "٢٢٠٩٩١٣١",
        "-2209913",
        "22099131\n",
    ],
)
def test_only_eight_ascii_digits_are_a_number(number: str) -> None:
    with pytest.raises(Refusal) as caught:
        ubn.check(number)
    assert caught.value.rule == "ubn-shape"


def test_zeroes_are_refused_though_their_sum_passes() -> None:
    assert by_hand("00000000")
    with pytest.raises(Refusal) as caught:
        ubn.check("00000000")
    assert caught.value.rule == "ubn-zero"


def test_the_refusal_names_the_field_and_speaks_both_languages() -> None:
    with pytest.raises(Refusal) as caught:
        ubn.check("88117126", field="constituents[3].ubn")
    assert caught.value.field == "constituents[3].ubn"
    assert "統一編號" in caught.value.reason.zh
    assert "check digit" in caught.value.reason.en


@given(number=st.text("0123456789", min_size=8, max_size=8).filter(lambda text: text != "00000000"))
@settings(deadline=None, max_examples=500)
def test_agrees_with_the_rule_worked_by_hand(number: str) -> None:
    assert ubn.is_valid(number) == by_hand(number)


def test_every_seventh_digit_passes_as_often_as_the_rule_says() -> None:
    # 2 check digits of 10 pass; with a seventh digit 7 it is 4 of 10: 22 % over all.
    passed = sum(ubn.is_valid(f"{number:08d}") for number in range(10_000_000, 10_010_000))
    assert passed == 2_200


@given(number=st.text(max_size=12))
@settings(deadline=None)
def test_hostile_text_is_refused_and_never_crashes(number: str) -> None:
    assert ubn.is_valid(number) in (True, False)
