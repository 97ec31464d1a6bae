"""What every end of a membership does, whatever decided it: the interval, sessions and keys, and what was pending."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from lianfang.accounts.actions import end_sessions
from lianfang.accounts.models import Token
from lianfang.audit.actions import record
from lianfang.audit.tags import Tag
from lianfang.members.lifecycle import OPEN_CHANGE
from lianfang.members.models import ChangeRequest, Decision, Membership, MembershipInterval
from lianfang.policy.facts import Subject

AtEnd = Callable[[Membership, Subject, datetime], None]
_AT_END: list[AtEnd] = []


def at_end(do: AtEnd) -> AtEnd:
    """Register what a pending case of its own does when the membership that it is about ends (docs/adr/0024).

    It is called inside the transaction of the decision, with the membership locked and already ended.
    """
    _AT_END.append(do)
    return do


def lock_pending(membership: Membership) -> None:
    """Lock the changes that wait for a decision, before the membership itself: whoever applies one locks it so."""
    list(ChangeRequest.objects.filter(membership=membership, state__in=OPEN_CHANGE).select_for_update(of=("self",)))


def locked_membership(membership: Membership) -> Membership:
    """Lock a membership and return it as it is now."""
    rows = Membership.objects.select_for_update(of=("self",)).select_related("organization")
    return rows.get(pk=membership.pk)


def end_membership(*, membership: Membership, by: Subject, at: datetime) -> None:
    """Save the end of a membership whose state was moved, end what is open, and let what was pending lapse.

    Each next request is denied by standing anyway; this ends what no request would touch.
    """
    membership.ended_at = at
    membership.save(update_fields=["state", "ended_at"])
    MembershipInterval.objects.filter(membership=membership, ended_at__isnull=True).update(ended_at=at)
    organization = membership.organization
    live = Token.objects.filter(affiliation__group=organization, revoked_at__isnull=True, expires_at__gt=at)
    ended = [str(token) for token in live.values_list("pk", flat=True)]
    live.update(revoked_at=at)
    record(by=by, at=at, about=membership, tag=Tag.ACCOUNTS_TOKEN_REVOKE, detail={"tokens": ended})
    end_sessions(organization=organization, by=by, at=at)
    for do in _AT_END:
        do(membership, by, at)


def decision_detail(decision: Decision) -> dict[str, Any]:
    """Return what a ledger entry says of a decision."""
    return {
        "decision": decision.number,
        "kind": decision.kind,
        "clause": decision.clause,
        "reviewed_by": str(decision.reviewed_by_id),
        "membership": str(decision.membership_id),
        "letter": decision.text_sha256.hex(),
    }


def signed_text(decision: Decision) -> str:
    """Return the text whose digest a ledger entry holds: the letter in both languages."""
    return f"{decision.letter_zh}\n{decision.letter_en}"
