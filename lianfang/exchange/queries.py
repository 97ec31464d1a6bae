"""What the machine doors know about a subject beside the policy."""

from __future__ import annotations

from lianfang.exchange.models import WriteProfile
from lianfang.intel.labelling import LabelForm, hold
from lianfang.policy.facts import Audience, AudienceKind, NameSource, Pair, Subject, Upstream


def profile_of(pair: Pair | None) -> WriteProfile | None:
    """Return the write profile in force for this pair, or None where nothing was decided."""
    if pair is None:
        return None
    mine = WriteProfile.objects.filter(organization_id=pair.organization, group_id=pair.group)
    return mine.order_by("-set_at").first()


def write_form(subject: Subject) -> LabelForm:
    """Return what the write profile says about objects that carry no label of their own."""
    profile = profile_of(subject.pair)
    return LabelForm() if profile is None else form_of(profile)


def form_of(profile: WriteProfile) -> LabelForm:
    """Return a profile as a label form."""
    everybody = profile.audience == AudienceKind.ALLIANCE
    return LabelForm(
        audience=Audience.alliance() if everybody else Audience.coordinator_only(),
        name_source=NameSource(profile.name_source),
        upstream=Upstream() if profile.warranted else hold(),
    )
