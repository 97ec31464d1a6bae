"""The label form: what a submitter says about who may see, once for a whole submission."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Max, Q

from lianfang.intel.stix import TIMELESS
from lianfang.kernel.refusal import Refusal
from lianfang.kernel.text import Bilingual
from lianfang.members.models import MembershipInterval
from lianfang.policy.facts import (
    Audience,
    AudienceKind,
    Label,
    Named,
    NameSource,
    Source,
    Subject,
    Tlp,
    Upstream,
    UpstreamKind,
)

LONGEST_EMBARGO_DAYS = 366


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelForm:
    """What the form, or the profile of a write collection, says. What is None was not said (policy.md, "Markings")."""

    tlp: Tlp | None = None
    audience: Audience | None = None
    upstream: Upstream = Upstream()  # noqa: RUF009 - frozen
    name_source: NameSource = NameSource.COORDINATOR
    not_before: datetime | None = None
    named_analysts: frozenset[UUID] = frozenset()

    @property
    def hides_name(self) -> bool:
        """Whether a body that does not name the source has to be made."""
        return self.name_source is NameSource.COORDINATOR

    def check(self, *, subject: Subject, at: datetime) -> None:
        """Raise Refusal, naming the field, where the parts do not go together."""
        named = self.audience is not None and self.audience.kind is AudienceKind.PERSONS
        if named and self.tlp is not Tlp.RED:
            raise Refusal(
                Bilingual(zh="指名的人只能搭配TLP:RED。", en="Named persons go with TLP:RED alone."),
                rule="label-named-red", clause="TLP", field="audience",
            )  # fmt: skip
        if self.not_before is not None and (self.not_before - at).days > LONGEST_EMBARGO_DAYS:
            raise Refusal(
                Bilingual(zh="延後不能超過一年。", en="An embargo ends within a year."),
                rule="label-embargo", clause="2.2", field="not_before",
            )  # fmt: skip
        if subject.pair is None:
            raise Refusal(
                Bilingual(zh="請先選擇您代表的組織。", en="Choose the organisation that you act for first."),
                rule="G-submit", clause="2.1",
            )  # fmt: skip

    def as_json(self) -> dict[str, Any]:
        """Return the form as it is kept with the submission."""
        audience = self.audience
        return {
            "tlp": self.tlp.label if self.tlp is not None else None,
            "audience": None if audience is None else audience.kind.value,
            "members": sorted(_member(member) for member in audience.members) if audience is not None else [],
            "upstream": self.upstream.kind.value,
            "upstream_until": self.upstream.until.isoformat() if self.upstream.until else None,
            "upstream_groups": sorted(str(group) for group in self.upstream.groups | self.upstream.sharing_groups),
            "name_source": self.name_source.value,
            "not_before": self.not_before.isoformat() if self.not_before else None,
            "named_analysts": sorted(str(person) for person in self.named_analysts),
        }

    def label(self, *, subject: Subject, at: datetime) -> Label:
        """Return the label that an object without markings of its own would get; for showing who would see it."""
        from lianfang.intel.markings import Marked, resolve

        if subject.pair is None:
            raise ValueError("a label needs the pair that brings the item in")
        resolved = resolve(
            marked=Marked(),
            form_tlp=self.tlp,
            audience=self.audience,
            predecessor=None,
            by_token=subject.token is not None,
        )
        return Label(
            sources=frozenset({Source(pair=subject.pair)}),
            submitted_by=subject.person,
            owner=subject.pair,
            tlp=resolved.tlp,
            audience=resolved.audience,
            shared_at=at,
            upstream=self.upstream,
            named_analysts=self.named_analysts,
            not_before=self.not_before,
            name_source=self.name_source,
        )


def hold() -> Upstream:
    """An earlier agreement is declared whose terms are not known yet: it reaches nobody."""
    return Upstream(UpstreamKind.HOLD)


def last_change_of_standing(at: datetime) -> datetime:
    """Return the last instant, up to `at`, at which any membership began or ended.

    F-gap asks whether an item was shared while a membership was not in force. No gap begins or ends after this instant
    and up to `at`, so `shared_at` says the same with it as with `at`, and a thousand submissions share one label.
    """
    found = MembershipInterval.objects.aggregate(
        began=Max("began_at", filter=Q(began_at__lte=at)), ended=Max("ended_at", filter=Q(ended_at__lte=at))
    )
    return max((instant for instant in found.values() if instant is not None), default=TIMELESS)


def _member(member: UUID | Named) -> str:
    return f"{member.person}/{member.organization}" if isinstance(member, Named) else str(member)
