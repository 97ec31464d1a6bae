"""A change of data that is pending when its membership ends: it lapses (docs/adr/0024)."""

from __future__ import annotations

from datetime import datetime

from lianfang.audit.actions import action, record
from lianfang.audit.tags import Tag
from lianfang.members.actions.applying import log_event
from lianfang.members.actions.ending import at_end
from lianfang.members.lifecycle import CHANGE, OPEN_CHANGE
from lianfang.members.models import ChangeRequest, Membership
from lianfang.policy.facts import Subject


@at_end
def lapse_changes(membership: Membership, by: Subject, at: datetime) -> None:
    """What was asked for a membership is not applied to a former member."""
    for case in ChangeRequest.objects.filter(membership=membership, state__in=OPEN_CHANGE):
        _lapse(case=case, by=by, at=at)


@action(Tag.MEMBERS_CHANGE_WITHDRAW)
def _lapse(*, case: ChangeRequest, by: Subject, at: datetime) -> None:
    CHANGE.move(case, "withdraw")
    case.decided_at = at
    case.save(update_fields=["state", "decided_at"])
    record(by=by, at=at, about=case, detail={"lapsed": True})
    log_event(case=case.number, event="change_lapsed", by=None, at=at, detail={})
