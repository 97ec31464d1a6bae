"""Worlds to decide in: seeded, small, and leaning towards the edges of every rule.

A case starts from a situation in which some permit holds, then meets none, one or several *troubles*: changes of one
fact each, taken from the rules' own subject matter and set on, just before or just after their instants.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from random import Random

from lianfang.policy.facts import (
    Case,
    Caveats,
    Kind,
    Request,
    Right,
    Subject,
    Target,
)
from tests.policy.ground import (
    AT,
    TOKEN,
    Draft,
    make_label,
)
from tests.policy.situations import situation
from tests.policy.troubles import another_target, as_token, pick_trouble


@dataclass(frozen=True)
class Question:
    """One generated case, frozen, with the instants that were set."""

    subject: Subject
    right: Right
    target: Target
    request: Request
    instants: tuple[str, ...]
    at: datetime = AT


def cases(*, seed: int, count: int) -> Iterator[Question]:
    """`count` cases, the same for the same seed."""
    rng = Random(seed)
    rights = list(Right)
    weights = [20 if right is Right.READ else WEIGHTS.get(right, 2) for right in rights]
    for _ in range(count):
        yield one(rng, rng.choices(rights, weights)[0])


WEIGHTS = {
    Right.READ_SOURCE: 4,
    Right.EXPORT: 8,
    Right.DECIDE_CONSENT: 4,
    Right.MAIL_BODY: 6,
    Right.RELAY_TO_CONSTITUENTS: 4,
    Right.READ_DIRECTORY: 3,
    Right.USE_COMMERCIALLY: 3,
    Right.RELABEL: 12,
    Right.SEE_NOTICE: 3,
    Right.FILE_APPEAL: 3,
    Right.GRANT_DUTY: 4,
    Right.DECIDE_APPEAL: 6,
    Right.APPROVE: 8,
    Right.REVOKE: 3,
}


def one(rng: Random, right: Right) -> Question:
    """One case about this right."""
    draft = Draft(rng, right)
    situation(draft)
    if rng.random() < 0.22 and draft.subject["kind"] is Kind.PERSON:
        as_token(draft)
    troubles = rng.choices((0, 1, 2, 3, 5), (30, 40, 17, 9, 4))[0]
    for _ in range(troubles):
        pick_trouble(draft)(draft)
    if rng.random() < 0.02:
        another_target(draft)
    return freeze(draft)


def freeze(draft: Draft) -> Question:
    """Make the frozen facts of a draft."""
    target: Target = None
    if draft.label is not None:
        target = make_label(draft.label)
    elif draft.case is not None:
        target = Case(**draft.case)
    return Question(_subject(draft), draft.right, target, Request(**draft.request), tuple(draft.instants))


def _subject(draft: Draft) -> Subject:
    facts = dict(draft.subject)
    if draft.token is None or facts["kind"] is not Kind.PERSON:
        return Subject(**facts)
    owner = Subject(**(facts | draft.owner))
    return Subject(**(facts | {"kind": Kind.TOKEN, "token": TOKEN, "owner": owner, "caveats": Caveats(**draft.token)}))


# --- counting -------------------------------------------------------------------------------------------------------


def instants_of(questions: list[Question]) -> Counter[str]:
    """How often each instant was set before, at and after the instant of the question."""
    return Counter(instant for question in questions for instant in question.instants)
