"""What is read about contacts: who is named for what at an instant, who is due to confirm, what the staff has to do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from lianfang.accounts import registry
from lianfang.accounts.models import Affiliation, Organization, Person
from lianfang.accounts.providers import Named
from lianfang.accounts.queries import keyed_digest
from lianfang.kernel.text import Bilingual
from lianfang.members import queries
from lianfang.members.lifecycle import CONTACT_TASKS, IN_FORCE
from lianfang.members.models import Contact, ContactCheck
from lianfang.members.participation import Supplied
from lianfang.members.purposes import PURPOSES
from lianfang.outbox.lifecycle import FAILED
from lianfang.policy.facts import Role

CONTACTS = (Role.MEMBER_ADMIN, Role.SECURITY_CONTACT)


def named(*, membership_id: UUID, at: datetime) -> list[Contact]:
    """Return whom a member names at an instant, by purpose: [started_at, ended_at)."""
    rows = _in_force(at).filter(membership=membership_id).select_related("vault_key", "person__vault_key")
    order = list(PURPOSES)
    return sorted(rows.order_by("started_at", "id"), key=lambda row: order.index(row.purpose))


def _in_force(at: datetime) -> QuerySet[Contact]:
    return Contact.objects.filter(Q(ended_at__isnull=True) | Q(ended_at__gt=at), started_at__lte=at)


def purposes_at(*, organization_id: UUID, at: datetime) -> dict[UUID, list[Contact]]:
    """Return by person for what an organisation's membership in force names him at an instant."""
    rows = _in_force(at).filter(membership__organization=organization_id, membership__state__in=IN_FORCE)
    found: dict[UUID, list[Contact]] = {}
    order = list(PURPOSES)
    listed = rows.select_related("vault_key", "person__vault_key").order_by("started_at", "id")
    for row in sorted(listed, key=lambda one: order.index(one.purpose)):
        found.setdefault(row.person_id, []).append(row)
    return found


def named_people(organization_id: UUID, at: datetime) -> list[Named]:
    """Return whom an organisation names, each person once with all purposes, for the table of its people."""
    return [
        Named(person, rows[0].name, rows[0].title, rows[0].email, rows[0].phone,
              tuple(PURPOSES[row.purpose] for row in rows))
        for person, rows in purposes_at(organization_id=organization_id, at=at).items()
    ]  # fmt: skip


def named_of(*, memberships: Iterable[UUID], purpose: str, at: datetime) -> dict[UUID, Contact]:
    """Return by membership the first whom each names for a purpose at an instant; one statement, also for none."""
    rows = _in_force(at).filter(membership__in=list(memberships), purpose=purpose).select_related("vault_key")
    found: dict[UUID, Contact] = {}
    for row in rows.order_by("started_at", "id"):
        found.setdefault(row.membership_id, row)
    return found


def named_in_force(at: datetime) -> QuerySet[Contact]:
    """Return everybody whom a member in force names for a purpose at that instant."""
    return _in_force(at).filter(membership__organization__in=queries.members_in_force(at=at))


def contacts(at: datetime) -> QuerySet[Affiliation]:
    """Return who is a contact of a member in force at that instant: administrators and security contacts."""
    return Affiliation.objects.live(at).filter(group__in=queries.members_in_force(at=at), role__in=CONTACTS)


def organizations_of(person: Person, at: datetime) -> list[Bilingual]:
    """Return the organisations that a person is a contact of, by role or by purpose, by name."""
    acting = contacts(at).filter(person=person).values("organization")
    named_for = named_in_force(at).filter(person=person).values("membership__organization")
    rows = Organization.objects.filter(Q(pk__in=acting) | Q(pk__in=named_for))
    return [Bilingual(zh=one.name_zh, en=one.name_en or one.name_zh) for one in rows.order_by("name_zh", "pk")]


def purposes_of(person: Person, at: datetime) -> list[Contact]:
    """Return for what members in force name a person, by member and purpose, as each of them wrote it."""
    rows = named_in_force(at).filter(person=person).select_related("vault_key", "membership__organization")
    return list(rows.order_by("membership__organization__name_zh", "started_at", "id"))


def due(*, at: datetime) -> QuerySet[Person]:
    """Return the contacts who did not say for the set time that their data are right, nor were asked since."""
    since = at - timedelta(days=int(registry.value("contact_check_days", at)))
    lately = ContactCheck.objects.filter(person=OuterRef("pk"), asked_at__gt=since)
    waiting = ContactCheck.objects.filter(person=OuterRef("pk"), state="asked")
    acting = contacts(at).filter(person=OuterRef("pk"), started_at__lte=since)
    named_for = named_in_force(at).filter(person=OuterRef("pk"), started_at__lte=since)
    rows = Person.objects.filter(Exists(acting) | Exists(named_for)).exclude(Exists(lately)).exclude(Exists(waiting))
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
    for one in named_in_force(at).select_related("membership__organization"):
        held = one.membership.organization
        found.setdefault(held.pk, (held, set()))[1].add(one.person_id)
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
    people = [one.person_id for one in checks]
    of: dict[UUID, dict[UUID, Organization]] = {}
    pairs = Affiliation.objects.filter(person__in=people, left_at__isnull=True)
    for pair in pairs.select_related("organization").order_by("pk"):
        of.setdefault(pair.person_id, {})[pair.organization_id] = pair.organization
    rows_for = Contact.objects.filter(person__in=people, ended_at__isnull=True)
    for row in rows_for.select_related("membership__organization").order_by("pk"):
        of.setdefault(row.person_id, {})[row.membership.organization_id] = row.membership.organization
    return [(one, list(of.get(one.person_id, {}).values())) for one in checks]


_ANSWERED = Bilingual(zh="確認聯絡資料的詢問已答覆", en="Answered a check of contact data")
_SILENT = Bilingual(zh="確認聯絡資料的詢問逾期未答覆", en="Did not answer a check of contact data in time")


def participation(since: datetime, until: datetime) -> Iterator[Supplied]:
    """Return who answered a check of its contact data in that time, and who did not (charter 1.2)."""
    rows = ContactCheck.objects.filter(answered_at__gte=since, answered_at__lt=until)
    rows = rows.filter(state__in=["confirmed", "change_wanted", "silent"])
    for check in rows.order_by("answered_at", "pk"):
        assert check.answered_at is not None
        answered = check.state != "silent"
        groups = contacts(check.asked_at).filter(person=check.person_id).values_list("group", flat=True)
        for group in sorted(set(groups)):
            yield Supplied(
                group=group,
                kind="contact",
                outcome="took_part" if answered else "absent",
                occurred_at=check.answered_at,
                key=f"{check.pk}:{group}",
                text=_ANSWERED if answered else _SILENT,
                evidence=f"{check.asked_at:%Y-%m-%d}",
            )
