"""Legal hold on a case: placed by one of the staff, lifted by another (charter 4.3)."""

from __future__ import annotations

from datetime import datetime

from django.db import IntegrityError, transaction

from lianfang.accounts.doors import require
from lianfang.audit.actions import action, record
from lianfang.audit.tags import Tag
from lianfang.kernel.refusal import Refusal
from lianfang.kernel.text import Bilingual
from lianfang.members import queries
from lianfang.members.actors import person_of
from lianfang.members.models import LegalHold
from lianfang.policy.facts import Right, Subject

_CASE = Bilingual(zh="找不到這個案件。", en="There is no such case.")
_REASON = Bilingual(zh="請寫下原因。", en="Give the reason.")
_HELD = Bilingual(zh="這個案件已在保全中。", en="The case is held already.")
_SAME = Bilingual(zh="保全要由另一人解除。", en="Somebody else lifts a hold.")
_LIFTED = Bilingual(zh="這個保全已解除。", en="This hold was lifted already.")


@action(Tag.MEMBERS_HOLD_PLACE)
def place_hold(*, case: str, reason: str, by: Subject, at: datetime) -> LegalHold:
    """Hold a case by its number, or a draft by its id: from now on nothing of it is purged."""
    require(subject=by, right=Right.ENTER_STAFF_PLANE, at=at)
    if not queries.case_exists(case):
        raise Refusal(_CASE, rule="hold-case", field="case")
    if not reason.strip():
        raise Refusal(_REASON, rule="hold-reason", field="reason")
    try:
        with transaction.atomic():
            held = LegalHold.objects.create(
                case=case, reason=reason.strip()[:4000], placed_by_id=person_of(by), placed_at=at
            )
    except IntegrityError:
        raise Refusal(_HELD, rule="hold-once", field="case") from None
    record(by=by, at=at, about=held, detail={"case": case}, text=reason)
    return held


@action(Tag.MEMBERS_HOLD_LIFT)
def lift_hold(*, hold: LegalHold, by: Subject, at: datetime) -> None:
    """Lift a hold; whoever placed it cannot."""
    require(subject=by, right=Right.ENTER_STAFF_PLANE, at=at)
    locked = LegalHold.objects.select_for_update(of=("self",)).select_related("vault_key").get(pk=hold.pk)
    if locked.lifted_at is not None:
        raise Refusal(_LIFTED, rule="hold-lifted")
    if locked.placed_by_id == by.person:
        raise Refusal(_SAME, rule="hold-another")
    locked.lifted_by_id, locked.lifted_at = person_of(by), at
    locked.save()
    record(by=by, at=at, about=locked, detail={"case": locked.case})
