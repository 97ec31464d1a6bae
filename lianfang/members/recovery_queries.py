"""What is read about recoveries: cases, whom they are told, and when one may be finished."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet

from lianfang.accounts.models import Affiliation, Person
from lianfang.accounts.queries import keyed_digest
from lianfang.members import case_kinds, contact_queries, queries
from lianfang.members.lifecycle import OPEN_RECOVERY
from lianfang.members.models import Recovery, RecoveryFile, RecoveryNotice
from lianfang.policy.facts import Role


def _rows() -> QuerySet[Recovery]:
    return Recovery.objects.select_related(
        "vault_key", "membership__organization", "membership__application__vault_key", "filed_by__vault_key",
        "reviewer__vault_key", "decided_by__vault_key",
    )  # fmt: skip


def recovery(number: str) -> Recovery | None:
    """Return a case by its number."""
    return _rows().filter(number=number).first() if case_kinds.is_number(number) else None


def recoveries(*, open_only: bool) -> list[Recovery]:
    """Return cases: open ones by due date, or all with the latest first."""
    if open_only:
        return list(_rows().filter(state__in=OPEN_RECOVERY).order_by("due_at", "id"))
    return list(_rows().order_by("-filed_at", "id")[:200])


def open_recovery(membership_id: UUID) -> Recovery | None:
    """Return the case of a membership that is not closed."""
    return _rows().filter(membership=membership_id, state__in=OPEN_RECOVERY).first()


def over(*, at: datetime) -> list[Recovery]:
    """Return the cases in which the time to object is over."""
    return list(_rows().filter(state="waiting", waits_until__lte=at).order_by("waits_until", "id"))


def files(case: Recovery) -> list[RecoveryFile]:
    """Return what came with a case."""
    return list(case.files.select_related("file__vault_key", "vault_key").order_by("id"))


def notices(case: Recovery) -> list[RecoveryNotice]:
    """Return whom an approval was told."""
    rows = case.notices.select_related("vault_key", "person__vault_key", "delivery")
    return list(rows.order_by("sent_at", "id"))


def notice_by_secret(secret: str) -> RecoveryNotice | None:
    """Return what a mailed link belongs to."""
    rows = RecoveryNotice.objects.select_related("vault_key", "recovery__membership__organization")
    return rows.filter(secret_digest=keyed_digest(secret)).first()


def administrators(case: Recovery, at: datetime) -> list[Affiliation]:
    """Return the administrators that a member has now, with or without an account."""
    organization = case.membership.organization_id
    rows = Affiliation.objects.filter(organization=organization, group=organization, role=Role.MEMBER_ADMIN)
    return list(rows.exclude(left_at__lte=at).select_related("person__vault_key", "organization").order_by("id"))


def told(case: Recovery, at: datetime) -> list[Person]:
    """Return everybody who is a contact: administrators, security contacts, and whoever is named for a purpose."""
    organization = case.membership.organization_id
    found = {one.pk: one for one in queries.notified(organization_id=organization, at=at)}
    security = Affiliation.objects.live(at).filter(
        organization=organization, group=organization, role=Role.SECURITY_CONTACT
    )
    for row in security.select_related("person__vault_key").order_by("id"):
        found.setdefault(row.person_id, row.person)
    for contact in contact_queries.named(membership_id=case.membership_id, at=at):
        found.setdefault(contact.person_id, contact.person)
    return list(found.values())
