"""What is written by the machine doors themselves."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from django.db import transaction

from lianfang.accounts.doors import require
from lianfang.audit.actions import action, record
from lianfang.audit.tags import Tag
from lianfang.exchange.models import WriteProfile
from lianfang.intel import queries
from lianfang.intel.actions import recall
from lianfang.intel.models import Version
from lianfang.kernel.refusal import Refusal
from lianfang.kernel.text import Bilingual
from lianfang.policy.facts import AudienceKind, NameSource, Right, State, Subject

BY_MACHINE = "Recalled by a machine of the source. 由來源的系統召回。"
_NO_PAIR = Bilingual(zh="請先選擇您代表的組織。", en="Choose the organisation that you act for first.")


@action(Tag.EXCHANGE_PROFILE_SET)
def set_profile(
    *, by: Subject, at: datetime, audience: AudienceKind, name_source: NameSource, warranted: bool
) -> WriteProfile:
    """Decide under what label the organisation's machines share. Raises Refusal without the right to make keys."""
    require(subject=by, right=Right.MAKE_TOKEN, at=at)
    if by.pair is None or by.person is None:
        raise Refusal(_NO_PAIR, rule="G-make_token")
    made = WriteProfile.objects.create(
        organization_id=by.pair.organization,
        group_id=by.pair.group,
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
        detail={"audience": made.audience, "name_source": made.name_source, "warranted": warranted},
    )
    return made


def recall_versions(
    *, by: Subject, at: datetime, stix_id: str, chosen: Callable[[list[Version]], list[Version]]
) -> int:
    """Recall those of the subject's own versions of this object that `chosen` picks; all or none.

    Returns how many were recalled: 0 where the subject's pair brought no such object, or nothing of it stands. Raises
    Refusal where the policy denies.
    """
    with transaction.atomic():
        standing = [
            version
            for version in queries.own_versions(subject=by, stix_id=stix_id)
            if queries.label_of(version).state is not State.RECALLED
        ]
        picked = chosen(standing)
        for version in picked:
            recall(by=by, at=at, version=version, reason=BY_MACHINE)
        return len(picked)
