"""Every rule has a case in which it allows and one in which it denies, written by hand."""

from __future__ import annotations

import pytest

from lianfang.policy.decide import RULES, Decision, decide
from lianfang.policy.facts import Right
from lianfang.policy.registry import Effect, Question, permit
from tests.policy.agreement import NOT_YET
from tests.policy.allow import ALLOW
from tests.policy.allow.deciding import MORE_DECIDING as ALLOW_DECIDING
from tests.policy.allow.reading import MORE_READING as ALLOW_READING
from tests.policy.allow.using import MORE_USING as ALLOW_USING
from tests.policy.cast import Asked
from tests.policy.deny import DENY
from tests.policy.deny.deciding import MORE_DECIDING as DENY_DECIDING
from tests.policy.deny.reading import MORE_READING as DENY_READING
from tests.policy.deny.using import MORE_USING as DENY_USING
from tests.policy.ground import AT
from tests.policy.oracle import evaluate

NOBODY = {
    "U-purpose", *NOT_YET, "G-request_disclosure", "G-disclose", "G-redact", "G-decide_consent", "G-see_ledger",
    "G-publish", "G-release_to_authority", "G-release_to_law_enforcement",
}  # fmt: skip
"""Rules about what nobody may do: commercial use, and what cannot be recorded yet. They have no case that allows."""
MORE_ALLOW = ALLOW_READING | ALLOW_USING | ALLOW_DECIDING
MORE_DENY = DENY_READING | DENY_USING | DENY_DECIDING
pytestmark = pytest.mark.fast


def decided(asked: Asked) -> Decision:
    return decide(subject=asked.subject, right=asked.right, target=asked.target, at=AT, request=asked.request)


def test_every_rule_has_both_cases() -> None:
    assert set(DENY) == set(RULES)
    assert set(ALLOW) == set(RULES) - NOBODY


def test_no_right_without_a_rule() -> None:
    spoken_of = {right for rule in RULES.values() for right in rule.rights}
    permitted = {right for rule in RULES.values() if rule.effect is Effect.PERMIT for right in rule.rights}
    assert spoken_of == set(Right)
    assert set(Right) - permitted == {Right.USE_COMMERCIALLY}


@pytest.mark.parametrize("rule", sorted(ALLOW))
def test_allow(rule: str) -> None:
    decision = decided(ALLOW[rule])
    assert decision.allowed, decision
    if RULES[rule].effect is Effect.PERMIT:
        assert decision.permits == (rule,)
    else:
        assert ALLOW[rule].right in RULES[rule].rights


@pytest.mark.parametrize("rule", sorted(DENY))
def test_deny(rule: str) -> None:
    decision = decided(DENY[rule])
    assert not decision.allowed
    assert DENY[rule].right in RULES[rule].rights
    if RULES[rule].effect is Effect.PERMIT:
        assert decision.permits == ()
    else:
        assert decision.forbids == (rule,)


@pytest.mark.parametrize("name", sorted(MORE_ALLOW))
def test_more_that_is_allowed(name: str) -> None:
    assert decided(MORE_ALLOW[name]).allowed, decided(MORE_ALLOW[name])


@pytest.mark.parametrize("name", sorted(MORE_DENY))
def test_more_that_is_denied(name: str) -> None:
    assert not decided(MORE_DENY[name]).allowed


def test_the_second_evaluation_agrees_on_every_written_case() -> None:
    for asked in (*ALLOW.values(), *DENY.values(), *MORE_ALLOW.values(), *MORE_DENY.values()):
        second = evaluate(asked.subject, asked.right, asked.target, AT, asked.request)
        first = decided(asked)
        assert (first.allowed, set(first.permits), set(first.forbids)) == (
            second.allowed,
            second.permits,
            second.forbids,
        ), asked


def test_a_rule_is_registered_once() -> None:
    def never(q: Question) -> bool:
        return False

    with pytest.raises(ValueError, match="P-own"):
        permit("P-own", clause="2.1", zh="又一次", en="again", rights={Right.READ})(never)
