"""What is written by the machine doors themselves."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from django.db import transaction

from lianfang.accounts.doors import require
from lianfang.audit.actions import action, record
from lianfang.audit.tags import Tag
from lianfang.exchange.models import WriteProfile
from lianfang.exchange.taxii.collections import WRITABLE
from lianfang.intel import queries
from lianfang.intel.actions import recall
from lianfang.intel.models import Version
from lianfang.intel.parts import Part
from lianfang.kernel.refusal import Refusal
from lianfang.kernel.text import Bilingual
from lianfang.policy.decide import decide
from lianfang.policy.facts import AudienceKind, Label, NameSource, Request, Right, State, Subject

BY_MACHINE = "Recalled by a machine of the source. 由來源的系統召回。"
_NO_PAIR = Bilingual(zh="請先選擇您代表的組織。", en="Choose the organisation that you act for first.")


@action(Tag.EXCHANGE_PROFILE_SET)
def set_profile(
    *,
    by: Subject,
    at: datetime,
    audience: AudienceKind,
    name_source: NameSource,
    warranted: bool,
    collection: str = "all",
) -> WriteProfile:
    """Decide under what label the organisation's machines share through one collection, named by its alias.

    Raises Refusal without the right to make keys, and ValueError for a collection that nobody adds to.
    """
    require(subject=by, right=Right.MAKE_TOKEN, at=at)
    if collection not in {one.alias for one in WRITABLE}:
        raise ValueError(f"nobody adds to a collection {collection!r}")
    if by.pair is None or by.person is None:
        raise Refusal(_NO_PAIR, rule="G-make_token")
    made = WriteProfile.objects.create(
        organization_id=by.pair.organization,
        group_id=by.pair.group,
        collection=collection,
        audience=audience.value,
        name_source=name_source.value,
        warranted=warranted,
        set_by_id=by.person,
        set_at=at,
    )
    record(
        by=by,
        at=at,
        about=made,
        detail={
            "collection": collection,
            "audience": made.audience,
            "name_source": made.name_source,
            "warranted": warranted,
        },
    )
    return made


def recall_versions(
    *,
    by: Subject,
    at: datetime,
    stix_id: str,
    request: Request,
    part: Part | None,
    chosen: Callable[[list[Version]], list[Version]],
) -> int:
    """Recall those of the subject's own versions of this object that `chosen` picks; all or none.

    Only versions that the subject may have through the part that is asked for. Returns how many were recalled: 0 where
    the subject's pair brought no such object, where the part does not show it, or nothing of it stands. Raises Refusal
    where the policy denies.
    """
    with transaction.atomic():
        standing = [
            version
            for version in queries.own_versions(subject=by, stix_id=stix_id)
            if _within(part, queries.label_of(version), by=by, at=at, request=request)
        ]
        picked = chosen(standing)
        for version in picked:
            recall(by=by, at=at, version=version, reason=BY_MACHINE, request=request)
        return len(picked)


def _within(part: Part | None, label: Label, *, by: Subject, at: datetime, request: Request) -> bool:
    if part is None or label.state is State.RECALLED or (part.tlp is not None and label.tlp is not part.tlp):
        return False
    return decide(subject=by, right=Right.EXPORT, target=label, at=at, request=request).allowed
