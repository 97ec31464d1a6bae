"""Who may be told why something is refused, and what would open it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lianfang.policy.explain import Step, explain, steps
from lianfang.policy.facts import Channel, Label, Request, Right, Standing, Target, Tlp
from lianfang.policy.registry import Question
from tests.policy.cast import ALPHA, FILE, PAGE, PUBLIC, SOON, TAXII, item, own, person, red, token
from tests.policy.generate import cases
from tests.policy.ground import AT
from tests.policy.oracle import evaluate

pytestmark = pytest.mark.fast
READ = Right.READ


def asked(subject: object, target: Target, right: Right = READ, request: Request = PAGE) -> Question:
    return Question(subject, right, target, AT, request)  # type: ignore[arg-type]


def test_the_second_factor_is_shown_to_whom_it_would_let_in() -> None:
    found = explain(asked(person(mfa=False), item()))
    assert found.steps == (Step.SECOND_FACTOR,)
    assert found.may_be_told
    assert found.decision.forbids == ("F-mfa",)


def test_duty_is_asked_before_the_factor() -> None:
    assert steps(asked(person(mfa=False, acknowledged=False), item())) == (Step.ACKNOWLEDGE, Step.SECOND_FACTOR)


def test_the_page_is_a_step_for_what_stays_on_it() -> None:
    assert steps(asked(person(), red(ALPHA), Right.EXPORT, FILE)) == (Step.CHANNEL,)
    assert steps(asked(person(mfa=False), red(ALPHA), Right.EXPORT, FILE)) == (Step.SECOND_FACTOR, Step.CHANNEL)


def test_no_step_is_shown_that_would_not_help() -> None:
    outside = item(audience=own().audience)
    found = explain(asked(person(mfa=False, acknowledged=False), outside))
    assert found.steps == ()
    assert not found.may_be_told


def test_machine_doors_are_never_told() -> None:
    for request in (TAXII, Request(channel=Channel.LIST), Request(channel=Channel.SNIPPET)):
        assert not explain(asked(person(mfa=False), item(), request=request)).may_be_told
    assert not explain(asked(token(person(mfa=False)), item())).may_be_told
    assert not explain(asked(PUBLIC, item())).may_be_told


def test_the_source_may_be_told_and_so_may_who_received_it() -> None:
    mine = own(tlp=Tlp.RED)
    assert explain(asked(person(), mine)).may_be_told
    theirs = item(not_before=SOON)
    assert not explain(asked(person(), theirs)).may_be_told
    assert explain(asked(person(), theirs, request=replace(PAGE, received=True))).may_be_told


def test_who_left_is_told_nothing() -> None:
    assert not explain(asked(person(left_at=AT), own())).may_be_told


def test_a_former_source_knows_its_items() -> None:
    found = explain(asked(person(standing=Standing.REVOKED), own()))
    assert found.may_be_told
    assert found.decision.rule == "F-standing"


def test_an_allowed_question_needs_no_steps() -> None:
    found = explain(asked(person(), item()))
    assert found.decision.allowed
    assert found.steps == ()


def test_a_step_is_shown_only_if_all_of_them_together_allow() -> None:
    shown = 0
    for question in cases(seed=51, count=8_000):
        if not isinstance(question.target, Label):
            continue
        found = steps(Question(question.subject, question.right, question.target, question.at, question.request))
        if not found:
            continue
        shown += 1
        subject = replace(question.subject, acknowledged=True, mfa=True)
        request, right = question.request, question.right
        if Step.CHANNEL in found:
            request, right = replace(request, channel=Channel.PAGE), READ
        assert evaluate(subject, right, question.target, question.at, request).allowed
        assert not evaluate(question.subject, question.right, question.target, question.at, question.request).allowed
    assert shown > 100
