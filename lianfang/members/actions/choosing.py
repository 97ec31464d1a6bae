"""A member chooses what other members may see of it, and takes it back; either holds from that very instant."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from lianfang.accounts.doors import require
from lianfang.audit.actions import action, record
from lianfang.audit.tags import Tag
from lianfang.kernel.refusal import Refusal
from lianfang.kernel.text import Bilingual
from lianfang.members import directory_queries
from lianfang.members.actions.ending import at_end
from lianfang.members.actors import person_of
from lianfang.members.lifecycle import IN_FORCE
from lianfang.members.models import DirectoryChoice, Membership
from lianfang.policy.facts import Case, Right, Subject

_ENDED = Bilingual(zh="會籍不在有效狀態。", en="The membership is not in force.")


@action(Tag.MEMBERS_DIRECTORY_SET)
def choose_directory(
    *, membership: Membership, listed: bool, sector: bool = False, security: bool = False, by: Subject, at: datetime
) -> None:
    """Let other members see this one, and what of it, or nothing any more. Raises Refusal for who may not choose."""
    held = Membership.objects.select_for_update().get(pk=membership.pk)
    target = Case(kind="directory", organization=held.organization_id, state=held.state)
    require(subject=by, right=Right.MANAGE_PEOPLE, target=target, at=at)
    if held.state not in IN_FORCE:
        raise Refusal(_ENDED, rule="directory-standing")
    before = directory_queries.choice(organization_id=held.organization_id, at=at)
    DirectoryChoice.objects.filter(membership=held, ended_at__isnull=True).update(ended_at=at)
    if listed:
        DirectoryChoice.objects.create(
            membership=held, sector=sector, security=security, chosen_by_id=person_of(by), started_at=at
        )
    detail: dict[str, Any] = {
        "before": _said(before),
        "listed": listed,
        "sector": listed and sector,
        "security": listed and security,
    }
    record(by=by, at=at, about=held, detail=detail)


@at_end
def leave_directory(membership: Membership, by: Subject, at: datetime) -> None:  # noqa: ARG001 - its caller records
    """Take a member whose membership ends out of the directory; coming back it chooses anew."""
    DirectoryChoice.objects.filter(membership=membership, ended_at__isnull=True).update(ended_at=at)


def _said(found: DirectoryChoice | None) -> dict[str, bool]:
    return {
        "listed": found is not None,
        "sector": bool(found and found.sector),
        "security": bool(found and found.security),
    }
