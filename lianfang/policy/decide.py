"""The one decision: may this subject use this right on this target, at this instant, asked in this way?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from lianfang.kernel.text import Bilingual
from lianfang.policy import rules, rules_without_reading  # they register themselves
from lianfang.policy.facts import Label, Request, Right, Source, Subject, Target
from lianfang.policy.registry import RULES, Question, Rule, forbids, permits

__all__ = [
    "NO_PERMIT",
    "RULES",
    "Decision",
    "Rule",
    "decide",
    "next_change",
    "rules",
    "rules_without_reading",
    "visible_sources",
]

NO_PERMIT = Bilingual(zh="沒有規則允許這件事。", en="No rule permits this.")


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer, and the ids of every rule that spoke."""

    allowed: bool
    permits: tuple[str, ...]
    forbids: tuple[str, ...]

    def __bool__(self) -> bool:
        return self.allowed

    @property
    def rule(self) -> str:
        """Id of the first forbid that speaks; empty when allowed, or denied because no rule permits it."""
        return self.forbids[0] if self.forbids else ""

    @property
    def sentence(self) -> Bilingual:
        """One sentence for the whole answer: of the rule that denies, or that permits."""
        speaking = self.forbids or self.permits
        return RULES[speaking[0]].sentence if speaking else NO_PERMIT

    @property
    def clause(self) -> str:
        """Clause of the charter (or standard) behind that sentence; empty when no rule speaks."""
        speaking = self.forbids or self.permits
        return RULES[speaking[0]].clause if speaking else ""


def decide(*, subject: Subject, right: Right, target: Target, at: datetime, request: Request) -> Decision:
    """Decide. Deny by default; any forbid beats every permit.

    `at` is an aware datetime, read once a request from the database clock; ValueError if it is naive.
    """
    if at.tzinfo is None:
        raise ValueError("at: an aware datetime is needed")
    question = Question(subject, right, target, at, request)
    holding, speaking = permits(question), forbids(question)
    return Decision(allowed=bool(holding) and not speaking, permits=holding, forbids=speaking)


def visible_sources(*, subject: Subject, label: Label, at: datetime, request: Request) -> frozenset[Source]:
    """The sources of an item whose names the subject may learn; everything else is "an Alliance member"."""
    asked = {
        source: Question(subject, Right.READ_SOURCE, label, at, _about(request, source)) for source in label.sources
    }
    return frozenset(source for source, question in asked.items() if permits(question) and not forbids(question))


def next_change(*, subject: Subject, label: Label, at: datetime) -> datetime | None:
    """The next instant after `at` at which time alone may change a decision on this label; None if none will."""
    later = [instant for instant in (*_instants_of_subject(subject), *_instants_of_label(label)) if instant > at]
    return min(later, default=None)


def _about(request: Request, source: Source) -> Request:
    return Request(
        channel=request.channel, stop=request.stop, network=request.network, view=request.view, source=source
    )


def _instants_of_subject(subject: Subject) -> list[datetime]:
    found = [subject.left_at, subject.caveats.expires_at if subject.caveats else None]
    if subject.owner is not None:
        found += _instants_of_subject(subject.owner)
    return [instant for instant in found if instant is not None]


def _instants_of_label(label: Label) -> list[datetime]:
    publication = label.publication
    found = [label.not_before, label.upstream.until]
    if publication is not None:
        found += [publication.start, publication.until]
    for other in (*label.requires, *label.parents):
        found += _instants_of_label(other)
    return [instant for instant in found if instant is not None]
