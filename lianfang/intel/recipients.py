"""Who received a version: names for analysts, classes and floored counts for its source."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from lianfang.accounts.models import Organization
from lianfang.intel import receipts
from lianfang.intel.models import Recall, Version
from lianfang.intel.preview import FLOOR
from lianfang.intel.queries import label_of
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


def of(*, version: Version, subject: Subject) -> Sequence[Received]:
    """Return who received this version, the source itself left out.

    The caller has asked `decide` for `see_receipts` or `recall`.
    """
    item = version.item
    own = (item.source_organization_id, item.source_group_id)
    found: dict[tuple[object, object], set[str]] = {}
    for receipt in receipts.received_by(version):
        pair = (receipt.organization, receipt.group)
        if receipt.organization is not None and pair != own:
            found.setdefault(pair, set()).add(receipt.channel)
    rows = {row.pk: row for row in Organization.objects.filter(pk__in={pair[0] for pair in found})}
    analyst = Duty.ANALYST in subject.duties
    made = []
    for words, chosen in (
        (_MEMBERS, {pair for pair in found if pair[0] == pair[1] and rows[pair[0]].kind != "coordinator"}),  # type: ignore[index]
        (_CONSTITUENTS, {pair for pair in found if pair[0] != pair[1]}),
        (_STAFF, {pair for pair in found if rows[pair[0]].kind == "coordinator"}),  # type: ignore[index]
    ):
        if not chosen:
            continue
        channels = tuple(sorted({channel for pair in chosen for channel in found[pair]}))
        few = len(chosen) < FLOOR and not analyst and words is not _STAFF
        names = [
            Bilingual(zh=rows[pair[0]].name_zh, en=rows[pair[0]].name_en or rows[pair[0]].name_zh) for pair in chosen
        ]  # type: ignore[index]
        made.append(Received(words, FEW if few else len(chosen), channels, tuple(names) if analyst else ()))
    return made


def notice(*, subject: Subject, stix_id: str, at: datetime) -> Recall | None:
    """Return the recall of a version that the subject's organisation received under this id, or None."""
    for recall in Recall.objects.filter(version__item__stix_id=stix_id).select_related("version__item").order_by("-at"):
        if _told(recall, subject, at):
            return recall
    served = Recall.objects.filter(version__item__served_id=stix_id).select_related("version__item").order_by("-at")
    return next((recall for recall in served if _told(recall, subject, at)), None)


def _told(recall: Recall, subject: Subject, at: datetime) -> bool:
    received = receipts.holds(subject=subject, version=recall.version)
    asking = Request(channel=Channel.PAGE, received=received)
    label = label_of(recall.version)
    return decide(subject=subject, right=Right.SEE_NOTICE, target=label, at=at, request=asking).allowed
