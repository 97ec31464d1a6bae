"""Who may be told why something is refused, and which step of their own would open it.

A refusal is explained only to somebody who may know that the thing exists: to one whom a step would let in, to the
source, and to the holder of a receipt. Everybody else gets the answer for what does not exist; machine doors always.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import combinations

from lianfang.policy.decide import Decision, decide
from lianfang.policy.facts import Channel, Kind, Label, Right, Subject
from lianfang.policy.predicates import a_source, has_left
from lianfang.policy.registry import Question

PAGES = frozenset({Channel.PAGE, Channel.FILE})
"""Where a person sits before a screen and asks for one thing by name."""


class Step(StrEnum):
    """What somebody can do by themselves. Duty is asked first."""

    ACKNOWLEDGE = "acknowledge"
    SECOND_FACTOR = "second_factor"
    CHANNEL = "channel"


@dataclass(frozen=True, slots=True)
class Explanation:
    """Whether the refusal may be explained, the decision behind it, and the steps that together would open it."""

    may_be_told: bool
    decision: Decision
    steps: tuple[Step, ...]


def explain(question: Question) -> Explanation:
    """Explain a refusal as far as this subject may know. An allowed question needs no steps."""
    decision = _decide(question)
    found = steps(question)
    told = decision.allowed or bool(found) or _knows_that_it_exists(question)
    return Explanation(may_be_told=told, decision=decision, steps=found)


def steps(question: Question) -> tuple[Step, ...]:
    """The fewest steps with which `decide` would allow; none if it allows already, or if no step helps.

    The channel as a step means: the same thing may be read on its page.
    """
    if not _asks_on_a_page(question) or _decide(question).allowed:
        return ()
    for taken in _fewest_first():
        if _decide(_after(question, taken)).allowed:
            return taken
    return ()


def _fewest_first() -> Iterator[tuple[Step, ...]]:
    for count in range(1, len(Step) + 1):
        yield from combinations(Step, count)


def _after(question: Question, taken: tuple[Step, ...]) -> Question:
    subject, request, right = question.subject, question.request, question.right
    subject = replace(
        subject,
        acknowledged=subject.acknowledged or Step.ACKNOWLEDGE in taken,
        mfa=subject.mfa or Step.SECOND_FACTOR in taken,
    )
    if Step.CHANNEL in taken and isinstance(question.target, Label):
        request, right = replace(request, channel=Channel.PAGE), Right.READ
    return Question(subject, right, question.target, question.at, request)


def _asks_on_a_page(question: Question) -> bool:
    return question.subject.kind is Kind.PERSON and question.request.channel in PAGES


def _knows_that_it_exists(question: Question) -> bool:
    subject, label = question.subject, question.label
    if label is None or not _asks_on_a_page(question) or has_left(subject, question.at):
        return False
    return _is_source(subject, label) or question.request.received


def _is_source(subject: Subject, label: Label) -> bool:
    return not subject.is_coordinator and a_source(subject, label)


def _decide(question: Question) -> Decision:
    return decide(
        subject=question.subject,
        right=question.right,
        target=question.target,
        at=question.at,
        request=question.request,
    )
