"""What the machine doors know about a subject beside the policy."""

from __future__ import annotations

from lianfang.exchange.models import WriteProfile
from lianfang.exchange.taxii.collections import WRITABLE, Collection
from lianfang.intel.labelling import LabelForm, hold
from lianfang.policy.facts import Audience, AudienceKind, NameSource, Pair, Subject, Tlp, Upstream


def profile_of(pair: Pair | None, collection: str) -> WriteProfile | None:
    """Return the write profile in force for this pair in a collection, by its alias; None where nothing was decided."""
    if pair is None:
        return None
    mine = WriteProfile.objects.filter(organization_id=pair.organization, group_id=pair.group, collection=collection)
    return mine.order_by("-set_at").first()


def profiles_of(pair: Pair | None) -> dict[str, WriteProfile | None]:
    """Return the write profile in force for this pair in each collection that machines add to, by its alias."""
    decided: dict[str, WriteProfile | None] = dict.fromkeys(one.alias for one in WRITABLE)
    if pair is not None:
        mine = WriteProfile.objects.filter(organization_id=pair.organization, group_id=pair.group)
        decided |= {one.collection: one for one in mine.select_related("set_by__vault_key").order_by("set_at")}
    return decided


def write_form(subject: Subject, collection: Collection) -> LabelForm:
    """Return what a collection and its write profile say about what is added there."""
    return form_of(profile_of(subject.pair, collection.alias), tlp=collection.tlp)


def form_of(profile: WriteProfile | None, *, tlp: Tlp | None = None) -> LabelForm:
    """Return a profile, and the label of its collection, as a label form."""
    if profile is None:
        return LabelForm(tlp=tlp)
    everybody = profile.audience == AudienceKind.ALLIANCE
    return LabelForm(
        tlp=tlp,
        audience=Audience.alliance() if everybody else Audience.coordinator_only(),
        name_source=NameSource(profile.name_source),
        upstream=Upstream() if profile.warranted else hold(),
    )
