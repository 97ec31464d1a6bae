"""Sending a notice: composed now, sealed into the outbox, delivered after commit."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from lianfang.accounts.models import Person
from lianfang.accounts.queries import person_by_email
from lianfang.audit.actions import action, record
from lianfang.audit.tags import Tag
from lianfang.notices.catalogue import FIRST_CONTACT
from lianfang.notices.compose import compose
from lianfang.outbox.actions import enqueue
from lianfang.outbox.models import Delivery
from lianfang.outbox.reply import case_address
from lianfang.policy.facts import Subject
from lianfang.vault.models import SubjectKey


@action(Tag.NOTICES_NOTICE_SEND)
def send(
    *,
    notice: str,
    to_person: Person | None = None,
    to_address: str = "",
    context: Mapping[str, Any],
    by: Subject,
    at: datetime,
    dedupe: str = "",
    key: SubjectKey | None = None,
) -> Delivery:
    """Put a notice into the outbox for one person, or for an address that belongs to nobody we know.

    The first mail to a person whom somebody else entered is, or begins with, the whole privacy notice (N5): no other
    mail can precede it, whoever sends. An address of a known person counts as that person. `key` seals the mail to any
    other address, so that whatever erases what it belongs to takes the mail along. Answers to a mail about a case, by
    its `number`, go to the address of that case. Raises compose.Unknown for a notice outside the catalogue or a fact
    not given, Refusal for an address that is none, ValueError unless exactly one of person and address is given.
    """
    if (to_person is None) == (not to_address):
        raise ValueError("send to a person or to an address, not to both or neither")
    person = _locked(to_person, to_address)
    first = person is not None and person.entered_by_other and person.first_contact_at is None
    known = {**_entered_by(person), **context} if person is not None and first else context
    mail = compose(notice=notice, context=known, first_contact=first, at=at)
    delivery = enqueue(
        to=person.email if person else to_address,
        subject=mail.subject,
        body_text=mail.text,
        body_html=mail.html,
        kind=notice,
        person_id=person.pk if person else None,
        dedupe=dedupe,
        reply_to=case_address(str(context.get("number", ""))),
        key=person.vault_key if person else key,
        at=at,
    )
    if person is not None and first:
        person.first_contact_at = at
        person.save(update_fields=["first_contact_at"])
    record(
        by=by,
        at=at,
        about=delivery,
        detail={
            "notice": notice,
            "person": str(person.pk) if person else None,
            "with_privacy_notice": first or notice == FIRST_CONTACT,
        },
        text=mail.text,
    )
    return delivery


def _entered_by(person: Person) -> dict[str, str]:
    """Return the organisation that gave the person's data, for a first mail whose sender did not name it."""
    affiliation = person.affiliations.select_related("organization").order_by("pk").first()
    if affiliation is None:
        return {}
    organization = affiliation.organization
    return {"organization_zh": organization.name_zh, "organization_en": organization.name_en or organization.name_zh}


def _locked(person: Person | None, address: str) -> Person | None:
    """Return the person concerned, locked: of two first mails written at once only one is the first."""
    known = person or person_by_email(address)
    if known is None:
        return None
    return Person.objects.select_for_update(of=("self",)).select_related("vault_key").get(pk=known.pk)
