"""Who would see it: the answer of the live form, made with the same `decide` that answers every door later."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from lianfang.accounts import registry
from lianfang.intel.labelling import LabelForm
from lianfang.kernel.clock import taipei, utc
from lianfang.kernel.text import Bilingual
from lianfang.members.queries import members_in_force
from lianfang.policy.facts import AudienceKind, Duty, Label, NameSource, Subject, Tlp
from lianfang.policy.words import FEW, Other, audience_sentence, others

FEW_GROUPS = 3
_NEARNESS = {"cannot": 0, "not_yet": 1, "can": 2}


@dataclass(frozen=True, slots=True)
class Preview:
    """What the form shows beside itself. `size` is the published figure, the words for few, or None = not counted."""

    label: Label
    sentence: Bilingual
    size: int | Bilingual | None
    others: tuple[Other, ...]
    shows_name: bool
    too_few: bool
    embargo: datetime | None


def preview_audience(*, form: LabelForm, subject: Subject, at: datetime) -> Preview:
    """Return who would see an object without markings of its own, submitted now under this form."""
    label = form.label(subject=subject, at=at)
    size = audience_size(label=label, subject=subject, at=at)
    return Preview(
        label=label,
        sentence=audience_sentence(label, at=at, size=size),
        size=size,
        others=tuple(others(label, at=at)),
        shows_name=label.name_source is NameSource.EVERYONE,
        too_few=label.audience.kind is AudienceKind.GROUPS and len(label.audience.members) <= FEW_GROUPS,
        embargo=label.not_before,
    )


def losing(*, old: Label, new: Label, at: datetime) -> tuple[Other, ...]:
    """Return the kinds of people who are further from reading under the new label than under the old one, and why.

    While an embargo holds nobody can read yet, so it is asked for the instant at which it ends.
    """
    at = max(at, old.not_before) if old.not_before is not None else at
    before = {row.who: _NEARNESS[row.answer] for row in others(old, at=at)}
    return tuple(row for row in others(new, at=at) if _NEARNESS[row.answer] < before.get(row.who, 0))


def audience_size(*, label: Label, subject: Subject, at: datetime) -> int | Bilingual | None:
    """Return how many group members an audience has: exact and now for analysts; for everybody else the figure of the
    month's first instant, and only from the set floor on: below it a number would tell who is a member."""
    if label.audience.kind is not AudienceKind.ALLIANCE or label.tlp is Tlp.RED:
        return None
    if Duty.ANALYST in subject.duties:
        return members_in_force(at=at).count()
    month = utc(taipei(at).replace(day=1, hour=0, minute=0, second=0, microsecond=0))
    published = members_in_force(at=month).count()
    return published if published >= registry.value("audience_floor", at) else FEW
