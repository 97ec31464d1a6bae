"""Who a secret link to the calendar of limits belongs to, and whether it still opens it."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from lianfang.accounts.doors import may
from lianfang.accounts.models import Affiliation
from lianfang.accounts.queries import keyed_digest
from lianfang.members.models import FeedLink
from lianfang.members.subjects import facts_of, subject_of
from lianfang.policy.facts import Right


def link_of(person: UUID | None) -> FeedLink | None:
    """Return somebody's live link."""
    return FeedLink.objects.filter(person=person, ended_at__isnull=True).first()


def opens(secret: str, at: datetime) -> bool:
    """Return whether this link is live and its owner may enter the staff's pages at that instant."""
    link = FeedLink.objects.filter(secret_digest=keyed_digest(secret), ended_at__isnull=True).first()
    if link is None:
        return False
    own = Affiliation.objects.live(at).filter(person=link.person_id).values_list("pk", flat=True)
    # The link stands for a person who signed in with a second factor when it was made, and reads dates alone.
    return any(
        may(subject=subject_of(facts_of(one), at=at, mfa=True), right=Right.ENTER_STAFF_PLANE, at=at) for one in own
    )
