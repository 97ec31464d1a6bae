import copy
import pickle

import pytest

from lianfang.kernel.refusal import Refusal
from lianfang.kernel.text import Bilingual

REASON = Bilingual(zh="權杖已過期。", en="The token is past its hour.")


def test_it_carries_reason_rule_clause_and_field() -> None:
    refusal = Refusal(REASON, rule="F-token", clause="2.1", field="token")
    assert (refusal.reason, refusal.rule, refusal.clause, refusal.field) == (REASON, "F-token", "2.1", "token")


def test_everything_but_the_reason_may_be_left_out() -> None:
    refusal = Refusal(REASON)
    assert (refusal.rule, refusal.clause, refusal.field) == ("", "", "")


def test_logs_show_the_field_and_the_reason() -> None:
    assert str(Refusal(REASON, field="token")) == "token: The token is past its hour."
    assert str(Refusal(REASON)) == "The token is past its hour."


def test_a_refusal_without_a_bilingual_reason_cannot_be_made() -> None:
    with pytest.raises(TypeError, match="Bilingual"):
        Refusal("no")  # type: ignore[arg-type]


def test_two_refusals_of_one_kind_keep_their_own_reasons() -> None:
    other = Bilingual(zh="不行。", en="No.")
    assert Refusal(REASON).reason != Refusal(other).reason


def test_it_survives_pickling_and_copying_whole() -> None:
    refusal = Refusal(REASON, rule="F-token", clause="2.1", field="token")
    for again in (pickle.loads(pickle.dumps(refusal)), copy.copy(refusal)):
        assert (again.reason, again.rule, again.clause, again.field) == (REASON, "F-token", "2.1", "token")
