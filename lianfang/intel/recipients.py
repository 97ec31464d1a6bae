"""Who received a version: names for analysts, classes and floored counts for its source."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Q

from lianfang.accounts import registry
from lianfang.accounts.models import Organization
from lianfang.intel import receipts
from lianfang.intel.models import LogEntry, Recall, Version
from lianfang.intel.queries import label_of
from lianfang.intel.stix import is_id
from lianfang.kernel.text import Bilingual
from lianfang.policy.decide import decide
from lianfang.policy.facts import Channel, Duty, Request, Right, Subject
from lianfang.policy.words import FEW


@dataclass(frozen=True, slots=True)
class Received:
    """One class of recipients: how many organisations, and by which channels. Names are for analysts."""

    who: Bilingual
    count: int | Bilingual
    channels: tuple[str, ...]
    names: tuple[Bilingual, ...]


_MEMBERS = Bilingual(zh="團體會員", en="Group members")
_CONSTITUENTS = Bilingual(zh="內部成員", en="Constituents")
_STAFF = Bilingual(zh="協調中心", en="The coordinator")


def of(*, version: Version, subject: Subject, at: datetime) -> Sequence[Received]:
    """Return who received this version, the source itself left out.

    The caller has asked `decide` for `see_receipts` or `recall`.
    """
    item = version.item
    own = (item.source_organization_id, item.source_group_id)
    found: dict[tuple[UUID, UUID | None], set[str]] = {}
    for receipt in receipts.received_by(version):
        if receipt.organization is not None and (receipt.organization, receipt.group) != own:
            found.setdefault((receipt.organization, receipt.group), set()).add(receipt.channel)
    rows = {row.pk: row for row in Organization.objects.filter(pk__in={pair[0] for pair in found})}
    staff = {pair for pair in found if rows[pair[0]].kind == Organization.Kind.COORDINATOR}
    members = {pair for pair in found if pair[0] == pair[1]} - staff
    analyst, floor = Duty.ANALYST in subject.duties, registry.value("audience_floor", at)
    made = []
    for words, chosen in ((_MEMBERS, members), (_CONSTITUENTS, found.keys() - members - staff), (_STAFF, staff)):
        if not chosen:
            continue
        channels = tuple(sorted({channel for pair in chosen for channel in found[pair]}))
        few = len(chosen) < floor and not analyst and words is not _STAFF
        names = sorted((rows[pair[0]] for pair in chosen), key=lambda row: row.name_zh) if analyst else []
        said = tuple(Bilingual(zh=row.name_zh, en=row.name_en or row.name_zh) for row in names)
        made.append(Received(words, FEW if few else len(chosen), channels, said))
    return made


def notice(*, subject: Subject, stix_id: str, at: datetime) -> Recall | None:
    """Return the recall of a version that the subject's organisation received under this id, or None.

    Who has no receipt costs what an absent id costs: that a hidden object was recalled must not show in the work done.
    """
    if not is_id(stix_id):
        return None
    lines = LogEntry.objects.filter(
        Q(version__item__stix_id=stix_id) | Q(version__item__served_id=stix_id), version__recall__isnull=False
    )
    versions = dict(lines.values_list("position", "version_id"))
    received = {versions[position] for position in receipts.received_among(subject=subject, positions=versions)}
    if not received:
        return None
    recalls = Recall.objects.filter(version__in=received).select_related("version__item")
    # A copy whose own id this is comes before one that only some readers meet under it.
    found = sorted(recalls, key=lambda one: (one.version.item.stix_id == stix_id, one.at), reverse=True)
    return next((recall for recall in found if _told(recall, subject, at)), None)


def _told(recall: Recall, subject: Subject, at: datetime) -> bool:
    asking = Request(channel=Channel.PAGE, received=True)
    label = label_of(recall.version)
    return decide(subject=subject, right=Right.SEE_NOTICE, target=label, at=at, request=asking).allowed
