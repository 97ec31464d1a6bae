"""What is read about the freshness of contacts: who is due, who answered, what is left to the staff."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet

from lianfang.accounts import registry
from lianfang.accounts.models import Affiliation, Organization, Person
from lianfang.accounts.queries import keyed_digest
from lianfang.kernel.text import Bilingual
from lianfang.members import queries
from lianfang.members.lifecycle import CONTACT_TASKS
from lianfang.members.models import ContactCheck
from lianfang.outbox.lifecycle import FAILED
from lianfang.policy.facts import Role

CONTACTS = (Role.MEMBER_ADMIN, Role.SECURITY_CONTACT)


def contacts(at: datetime) -> QuerySet[Affiliation]:
    """Return who is a contact of a member in force at that instant: administrators and security contacts."""
    return Affiliation.objects.live(at).filter(group__in=queries.members_in_force(at=at), role__in=CONTACTS)


def organizations_of(person: Person, at: datetime) -> list[Bilingual]:
    """Return the organisations that a person is a contact of, by name."""
    rows = Organization.objects.filter(pk__in=contacts(at).filter(person=person).values("organization"))
    return [Bilingual(zh=one.name_zh, en=one.name_en or one.name_zh) for one in rows.order_by("name_zh", "pk")]


def due(*, at: datetime) -> QuerySet[Person]:
    """Return the contacts who did not say for the set time that their data are right, nor were asked since."""
    since = at - timedelta(days=int(registry.value("contact_check_days", at)))
    lately = ContactCheck.objects.filter(person=OuterRef("pk"), asked_at__gt=since)
    waiting = ContactCheck.objects.filter(person=OuterRef("pk"), state="asked")
    began = contacts(at).filter(person=OuterRef("pk"), started_at__lte=since)
    rows = Person.objects.filter(Exists(began)).exclude(Exists(lately)).exclude(Exists(waiting))
    return rows.select_related("vault_key").order_by("pk")


def open_checks() -> list[ContactCheck]:
    """Return the questions that wait for an answer, oldest first."""
    rows = ContactCheck.objects.select_related("vault_key", "person__vault_key", "delivery", "reminder")
    return list(rows.filter(state="asked").order_by("asked_at", "pk"))


def has_bounced(check: ContactCheck) -> bool:
    """Whether a mail of this question could not be delivered."""
    return any(one is not None and one.state == FAILED for one in (check.delivery, check.reminder))


def check_by_secret(secret: str) -> ContactCheck | None:
    """Return the question of a mailed link, answered or not."""
    rows = ContactCheck.objects.select_related("vault_key", "person__vault_key")
    return rows.filter(secret_digest=keyed_digest(secret)).first()


def task(check_id: UUID) -> ContactCheck | None:
    """Return a question that is left to the staff."""
    rows = ContactCheck.objects.select_related("vault_key", "person__vault_key")
    return rows.filter(pk=check_id, state__in=CONTACT_TASKS).first()


@dataclass(frozen=True, slots=True)
class Freshness:
    """How fresh a member's contacts are."""

    organization: Organization
    people: int
    confirmed: int
    asked: int
    tasks: int


def freshness(*, at: datetime) -> list[Freshness]:
    """Return for every member in force how many contacts it has and how their last questions stand; worst first."""
    since = at - timedelta(days=int(registry.value("contact_check_days", at)))
    found: dict[UUID, tuple[Organization, set[UUID]]] = {}
    for row in contacts(at).select_related("group"):
        found.setdefault(row.group_id, (row.group, set()))[1].add(row.person_id)
    last = _last_states(at)
    listed = []
    for organization, people in found.values():
        states = [last.get(person) for person in people]
        listed.append(
            Freshness(
                organization, len(people),
                sum(one is not None and one[0] in ("confirmed", "settled") and one[1] > since for one in states),
                sum(one is not None and one[0] == "asked" for one in states),
                sum(one is not None and one[0] in CONTACT_TASKS for one in states),
            )
        )  # fmt: skip
    return sorted(listed, key=lambda one: (-one.tasks, one.confirmed - one.people, one.organization.name_zh))


def _last_states(at: datetime) -> Mapping[UUID, tuple[str, datetime]]:
    rows = ContactCheck.objects.filter(asked_at__lte=at).order_by("person", "-asked_at").distinct("person")
    return {
        person: (state, answered or asked)
        for person, state, answered, asked in rows.values_list("person", "state", "answered_at", "asked_at")
    }


def tasks() -> list[tuple[ContactCheck, list[Organization]]]:
    """Return what is left to the staff, oldest first, each with the organisations it is about."""
    rows = ContactCheck.objects.select_related("vault_key", "person__vault_key").filter(state__in=CONTACT_TASKS)
    checks = list(rows.order_by("answered_at", "pk")[:200])
    of: dict[UUID, list[Organization]] = {}
    pairs = Affiliation.objects.filter(person__in=[one.person_id for one in checks], left_at__isnull=True)
    for pair in pairs.select_related("organization").order_by("pk"):
        of.setdefault(pair.person_id, []).append(pair.organization)
    return [(one, of.get(one.person_id, [])) for one in checks]
