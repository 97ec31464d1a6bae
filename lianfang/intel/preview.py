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
    """Return the kinds of people who can read under the old label and no longer under the new one, and why not."""
    before = {row.who: row for row in others(old, at=at) if row.answer == "can"}
    after = {row.who: row for row in others(new, at=at)}
    return tuple(after[who] for who in before if who in after and after[who].answer != "can")


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
