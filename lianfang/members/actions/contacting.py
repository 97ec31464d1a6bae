"""Asking contacts whether their data are right: asked, reminded, answered by link, left to the staff (charter 2.4)."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.urls import reverse

from lianfang.accounts import registry
from lianfang.accounts.doors import require
from lianfang.accounts.models import Person
from lianfang.accounts.queries import keyed_digest
from lianfang.audit.actions import action, record
from lianfang.audit.tags import Tag
from lianfang.kernel.ids import new_secret
from lianfang.members import contact_queries
from lianfang.members.actors import person_of
from lianfang.members.lifecycle import CONTACT_CHECK
from lianfang.members.models import ContactCheck
from lianfang.notices.actions import send
from lianfang.outbox.models import Delivery
from lianfang.policy.facts import Case, Right, Subject

MOST_AT_ONCE = 200
"""In one run of the job, so that a large alliance is asked over a day and not in a minute."""


def ask_contacts(*, by: Subject, at: datetime) -> int:
    """Ask everybody whose data were not confirmed for the set time, one mail a person; return how many."""
    due = contact_queries.due(at=at)[:MOST_AT_ONCE]
    return sum(ask_contact(person=person, by=by, at=at) is not None for person in due)


@action(Tag.MEMBERS_CONTACT_ASK)
def ask_contact(*, person: Person, by: Subject, at: datetime) -> ContactCheck | None:
    """Mail one person a link that takes one answer, for all organisations he is a contact of; None if asked already."""
    locked = Person.objects.select_for_update(of=("self",)).select_related("vault_key").get(pk=person.pk)
    organizations = contact_queries.organizations_of(locked, at)
    if not organizations or ContactCheck.objects.filter(person=locked, state="asked").exists():
        record(by=by, at=at, about=locked, detail={"asked": False})
        return None
    secret = new_secret()
    check = ContactCheck.objects.create(
        vault_key=locked.vault_key,
        person=locked,
        secret=secret,
        secret_digest=keyed_digest(secret),
        asked_at=at,
        answer_until=at + timedelta(days=int(registry.value("contact_answer_days", at))),
    )
    check.delivery = _mail(check, by, at)
    check.save(update_fields=["delivery"])
    record(by=by, at=at, about=check, detail={"person": str(locked.pk), "until": check.answer_until.isoformat()})
    return check


def _mail(check: ContactCheck, by: Subject, at: datetime) -> Delivery:
    return send(
        notice="N21",
        to_person=check.person,
        context={
            "items": contact_queries.organizations_of(check.person, at),
            "link": settings.BASE_URL + reverse("contact_check", args=[check.secret]),
            "expires_at": check.answer_until,
        },
        by=by,
        at=at,
    )


def look_after_contacts(*, by: Subject, at: datetime) -> int:
    """Remind half-way, and give to the staff what came back or was not answered; return how many moved."""
    moved = 0
    for check in contact_queries.open_checks():
        if contact_queries.has_bounced(check):
            miss_contact(check=check, move="bounce", by=by, at=at)
        elif at >= check.answer_until:
            miss_contact(check=check, move="fall_silent", by=by, at=at)
        elif check.reminded_at is None and at >= check.asked_at + (check.answer_until - check.asked_at) / 2:
            remind_contact(check=check, by=by, at=at)
        else:
            continue
        moved += 1
    return moved


@action(Tag.MEMBERS_CONTACT_REMIND)
def remind_contact(*, check: ContactCheck, by: Subject, at: datetime) -> None:
    """Send the same link once more; answered or reminded meanwhile, nothing is sent."""
    locked = _locked(check)
    due = locked.state == "asked" and locked.reminded_at is None
    if due:
        locked.reminded_at, locked.reminder = at, _mail(locked, by, at)
        locked.save(update_fields=["reminded_at", "reminder"])
    record(by=by, at=at, about=locked, detail={"sent": due})


@action(Tag.MEMBERS_CONTACT_MISS)
def miss_contact(*, check: ContactCheck, move: str, by: Subject, at: datetime) -> None:
    """Make silence, or a mail that came back, a task of the staff. Raises Refusal once it was answered."""
    locked = _locked(check)
    CONTACT_CHECK.move(locked, move, at=at, kept_until=locked.answer_until)
    locked.answered_at = at
    locked.save(update_fields=["state", "answered_at"])
    record(by=by, at=at, about=locked, detail={"state": locked.state})


@action(Tag.MEMBERS_CONTACT_ANSWER)
def answer_contact(*, check: ContactCheck, right: bool, by: Subject, at: datetime) -> None:
    """Take the one answer of a link: the data are right, or need a change (then also a task). Raises Refusal."""
    locked = _locked(check)
    require(subject=by, right=Right.CONFIRM_CONTACT, target=case_of_contact(locked), at=at)
    CONTACT_CHECK.move(locked, "confirm" if right else "want_change", at=at, answer_until=locked.answer_until)
    locked.answered_at = at
    locked.save(update_fields=["state", "answered_at"])
    record(by=by, at=at, about=locked, detail={"state": locked.state})


@action(Tag.MEMBERS_CONTACT_SETTLE)
def settle_contact(*, check: ContactCheck, how: str, by: Subject, at: datetime) -> None:
    """Close a task with what was done about it. Raises Refusal without a word."""
    require(subject=by, right=Right.REVIEW, at=at)
    locked = _locked(check)
    CONTACT_CHECK.move(locked, "settle", how=how)
    locked.how, locked.settled_by_id, locked.settled_at = how.strip()[:2000], person_of(by), at
    locked.save(update_fields=["state", "how", "settled_by", "settled_at"])
    record(by=by, at=at, about=locked, text=locked.how)


def case_of_contact(check: ContactCheck) -> Case:
    """Return the facts about a question that the policy decides on."""
    return Case(id=f"contact:{check.pk}", kind="contact", state=check.state, concerns=check.person_id)


def holder_of(check: ContactCheck, at: datetime) -> Subject:
    """Return whoever holds the mailed link: one answer to this one question."""
    return Subject.link(
        case=f"contact:{check.pk}",
        rights=frozenset({Right.CONFIRM_CONTACT}),
        expires_at=at + timedelta(minutes=1),
    )


def _locked(check: ContactCheck) -> ContactCheck:
    rows = ContactCheck.objects.select_for_update(of=("self",)).select_related("vault_key", "person__vault_key")
    return rows.get(pk=check.pk)
