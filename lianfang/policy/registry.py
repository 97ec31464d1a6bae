"""What a rule is, and how rules make a decision: deny by default, and any forbid beats every permit."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from lianfang.kernel.text import Bilingual
from lianfang.policy.facts import Case, Label, Request, Right, Subject, Target


@dataclass(frozen=True, slots=True)
class Question:
    """May this subject use this right on this target, at this instant, asked in this way?"""

    subject: Subject
    right: Right
    target: Target
    at: datetime
    request: Request

    @property
    def label(self) -> Label | None:
        """The target, where it is an item version."""
        return self.target if isinstance(self.target, Label) else None

    @property
    def case(self) -> Case | None:
        """The target, where it is a case."""
        return self.target if isinstance(self.target, Case) else None

    def reading(self, label: Label) -> Question:
        """Whether the same subject may read another label, at this instant and through this channel."""
        return Question(self.subject, Right.READ, label, self.at, self._plain_request())

    def naming(self) -> Question:
        """Whether the same subject may learn the source of the same label."""
        return Question(self.subject, Right.READ_SOURCE, self.target, self.at, self._plain_request())

    def by(self, subject: Subject) -> Question:
        """The same question, asked by somebody else."""
        return Question(subject, self.right, self.target, self.at, self.request)

    def _plain_request(self) -> Request:
        return replace(self.request, by_source=False)


class Effect(StrEnum):
    """What a rule does when it speaks."""

    PERMIT = "permit"
    FORBID = "forbid"


Predicate = Callable[[Question], bool]


@dataclass(frozen=True, slots=True)
class Rule:
    """A stable id, the clause it comes from, one sentence, the rights it speaks of, and when it speaks."""

    id: str
    effect: Effect
    clause: str
    sentence: Bilingual
    rights: frozenset[Right]
    speaks: Predicate


RULES: dict[str, Rule] = {}
_PERMITS: dict[Right, tuple[Rule, ...]] = dict.fromkeys(Right, ())
_FORBIDS: dict[Right, tuple[Rule, ...]] = dict.fromkeys(Right, ())


def permit(rule_id: str, *, clause: str, zh: str, en: str, rights: Iterable[Right]) -> Callable[[Predicate], Predicate]:
    """Register the decorated predicate as a permit; the predicate itself is returned unchanged."""
    return _register(rule_id, Effect.PERMIT, clause, Bilingual(zh=zh, en=en), frozenset(rights))


def forbid(rule_id: str, *, clause: str, zh: str, en: str, rights: Iterable[Right]) -> Callable[[Predicate], Predicate]:
    """Register the decorated predicate as a forbid; the predicate itself is returned unchanged."""
    return _register(rule_id, Effect.FORBID, clause, Bilingual(zh=zh, en=en), frozenset(rights))


def permits(question: Question) -> tuple[str, ...]:
    """Ids of the permits that hold, in the order of the rules."""
    return tuple(rule.id for rule in _PERMITS[question.right] if rule.speaks(question))


def forbids(question: Question) -> tuple[str, ...]:
    """Ids of the forbids that speak, in the order of the rules."""
    return tuple(rule.id for rule in _FORBIDS[question.right] if rule.speaks(question))


def allows(question: Question) -> bool:
    """Whether some permit holds and no forbid speaks."""
    return any(rule.speaks(question) for rule in _PERMITS[question.right]) and not any(
        rule.speaks(question) for rule in _FORBIDS[question.right]
    )


def _register(
    rule_id: str, effect: Effect, clause: str, sentence: Bilingual, rights: frozenset[Right]
) -> Callable[[Predicate], Predicate]:
    def register(speaks: Predicate) -> Predicate:
        if rule_id in RULES:
            raise ValueError(f"rule {rule_id} is registered twice")
        rule = RULES[rule_id] = Rule(rule_id, effect, clause, sentence, rights, speaks)
        table = _PERMITS if effect is Effect.PERMIT else _FORBIDS
        for right in rights:
            table[right] += (rule,)
        return speaks

    return register
