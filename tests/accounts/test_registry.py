"""Types of settings: what people type, what is kept, what is shown."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lianfang.accounts import registry
from lianfang.accounts.models import SettingDecision
from lianfang.kernel.refusal import Refusal

calm = settings(deadline=None, max_examples=150)


@calm
@given(st.integers(min_value=-50, max_value=200))
def test_a_whole_number_keeps_to_its_bounds(number: int) -> None:
    kind = registry.whole(1, 100)
    if 1 <= number <= 100:
        assert kind.parse(kind.show(number)) == number
    else:
        with pytest.raises(ValueError, match=str(number)):
            kind.parse(str(number))


@calm
@given(st.text(max_size=60))
def test_no_text_breaks_a_type(typed: str) -> None:
    for known in registry.SETTINGS.values():
        try:
            value = known.parse(typed)
        except Refusal as refusal:
            assert refusal.field == "value"  # noqa: PT017 - most texts are refused, some are not
        else:
            assert registry.same(known.parse(known.type.show(value)), value)


@calm
@given(st.lists(st.integers(min_value=1, max_value=90), min_size=1, max_size=6))
def test_numbers_are_sorted_and_said_once(numbers: list[int]) -> None:
    kind = registry.numbers(1, 90)
    found = kind.parse(", ".join(map(str, numbers)))
    assert found == sorted(set(numbers), reverse=True)
    assert kind.parse(kind.show(found)) == found


@calm
@given(st.lists(st.sampled_from(["CLEAR", "GREEN"])))
def test_choices_stand_in_their_own_order(chosen: list[str]) -> None:
    kind = registry.choices("CLEAR", "GREEN")
    assert kind.parse(",".join(chosen)) == [one for one in ("CLEAR", "GREEN") if one in chosen]


def test_choices_refuse_what_is_not_listed() -> None:
    with pytest.raises(ValueError, match="AMBER"):
        registry.choices("CLEAR", "GREEN").parse("CLEAR, AMBER")


def test_a_text_has_two_languages() -> None:
    assert registry.TEXT.parse("示範基金會\nExample  Foundation") == {"zh": "示範基金會", "en": "Example Foundation"}
    for typed in ("示範基金會", "\nExample", "示\n" + "x" * 2001):
        with pytest.raises(ValueError, match=r".+"):
            registry.TEXT.parse(typed)


def test_codes_are_said_in_words() -> None:
    assert registry.YES_NO.say(True).zh == "是"
    assert registry.setting("gap_release").type.say("withheld").en == "Withheld"
    assert registry.choices("CLEAR").say([]).zh == "－"


def test_an_instant_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="naive"):
        registry.value("invitation_days", datetime(2026, 11, 23))  # noqa: DTZ001
    with pytest.raises(KeyError):
        registry.value("nothing", datetime(2026, 11, 23, tzinfo=UTC))


@pytest.mark.django_db
def test_without_a_decision_the_default_applies() -> None:
    at = datetime(2026, 11, 23, tzinfo=UTC)
    assert not SettingDecision.objects.exists()
    for name, known in registry.SETTINGS.items():
        assert registry.value(name, at) == known.default
