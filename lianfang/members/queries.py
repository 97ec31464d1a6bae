"""What is read about applications, memberships and their cases."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from lianfang.accounts import registry
from lianfang.accounts.models import Organization
from lianfang.members.models import MembershipInterval
from lianfang.members.standing import Spell, gaps_of, standing_of
from lianfang.policy.facts import Gap, Standing


def spells(organization_id: UUID) -> list[Spell]:
    """Return every time in which a membership of this organisation was in force, oldest first."""
    rows = MembershipInterval.objects.filter(membership__organization=organization_id).order_by("began_at")
    return [
        Spell(str(row.membership_id), row.membership.state, row.began_at, row.ended_at)
        for row in rows.select_related("membership")
    ]


def standing(organization_id: UUID, at: datetime) -> Standing:
    """Return the standing of a group member at that instant; the coordinator's own organisation counts as active."""
    if Organization.objects.filter(pk=organization_id, kind=Organization.Kind.COORDINATOR).exists():
        return Standing.ACTIVE
    return standing_of(spells(organization_id), at)


def gaps(organization_id: UUID, at: datetime | None = None) -> frozenset[Gap]:
    """Return the times in which no membership of this organisation was in force (policy F-gap).

    Whether the time between two memberships counts is a setting; without `at` its default speaks.
    """
    name = "gap_between_memberships"
    between = registry.setting(name).default if at is None else registry.value(name, at)
    return gaps_of(spells(organization_id), between_memberships=bool(between))
