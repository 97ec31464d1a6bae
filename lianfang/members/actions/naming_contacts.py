"""Whom a member names for which purpose: checked when filed, named and ended when the change is applied (2.4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from lianfang.accounts.actions import person_enter
from lianfang.accounts.models import Affiliation, Person
from lianfang.accounts.queries import canonical_address
from lianfang.kernel.refusal import Refusal
from lianfang.kernel.text import Bilingual
from lianfang.members import changing, contact_queries, queries
from lianfang.members.lifecycle import IN_FORCE
from lianfang.members.models import ChangeRequest, Contact, FactChange, Membership
from lianfang.members.procedure import Spec
from lianfang.members.purposes import NOTICE, PURPOSES, SECURITY
from lianfang.notices.actions import send
from lianfang.policy.facts import Subject

_PURPOSE = Bilingual(zh="請選這個人的用途。", en="Choose for what this person is named.")
_GONE = Bilingual(zh="這位聯絡人已經不在名單上。", en="This contact is not on the list any more.")
_THERE = Bilingual(zh="這個信箱已經是「{purpose}」。", en="This address is named already: {purpose}.")
_ONE_NOTICE = Bilingual(
    zh="每個會員至少要有一個通知信箱。請同時指定新的通知信箱。",
    en="Every member has at least one notice address. Name a new one in the same change.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Naming:
    """Contacts that end, by id, and one person who is named for one purpose or several."""

    ends: Sequence[UUID] = ()
    purposes: Sequence[str] = ()
    new: Mapping[str, str] = field(default_factory=dict)


def contact_values(*, membership: Membership, naming: Naming, spec: Spec, at: datetime) -> dict[str, Any]:
    """Return what a filing changes about contacts. Raises Refusal naming the field for what is wrong with it."""
    held = {row.pk: row for row in contact_queries.named(membership_id=membership.pk, at=at)}
    ending = list(dict.fromkeys(naming.ends))
    if any(key not in held for key in ending):
        raise Refusal(_GONE, rule="contact-gone", field="ends")
    rest = [row for key, row in held.items() if key not in ending]
    added = _new(naming, spec, rest)
    had_notice = any(row.purpose == NOTICE for row in held.values())
    if had_notice and not any(one == NOTICE for one in (*(row.purpose for row in rest), *naming.purposes)):
        raise Refusal(_ONE_NOTICE, rule="contact-notice", clause="2.4", field="ends")
    found: dict[str, Any] = {}
    if ending:
        found["end"] = [
            {"id": str(key), "purpose": held[key].purpose, "name": held[key].name, "email": held[key].email}
            for key in ending
        ]
    if added:
        found["add"] = added
    return found


def _new(naming: Naming, spec: Spec, rest: Sequence[Contact]) -> list[dict[str, str]]:
    new = {name: str(naming.new.get(name, "")).strip() for name in ("name", "title", "email", "phone")}
    if not naming.purposes:
        if any(new.values()):
            raise Refusal(_PURPOSE, rule="contact-purpose", field="purposes")
        return []
    if any(one not in PURPOSES for one in naming.purposes):
        raise Refusal(_PURPOSE, rule="contact-purpose", field="purposes")
    for name, reason in changing.person_faults(spec, new).items():
        raise Refusal(reason, rule="contact-person", field=f"contact_{name}")
    new["email"] = canonical_address(new["email"])
    for row in rest:
        if row.purpose in naming.purposes and canonical_address(row.email) == new["email"]:
            said = _THERE.format(purpose=PURPOSES[row.purpose])
            raise Refusal(said, rule="contact-once", field="contact_email")
    return [{"purpose": one, **new} for one in PURPOSES if one in naming.purposes]


def apply_contacts(*, case: ChangeRequest, by: Subject, at: datetime) -> dict[str, Any]:
    """End and name contacts as a change asks for, at this instant; return what the entry of the ledger says of it."""
    given = case.values.get("contacts", {})
    wanted = [UUID(one["id"]) for one in given.get("end", ())]
    # Nobody else ends them meanwhile but the recovery of a membership; what has ended stays as it is.
    rows = Contact.objects.select_for_update(of=("self",)).select_related("vault_key")
    ended = list(rows.filter(pk__in=wanted, ended_at__isnull=True).order_by("pk"))
    for row in ended:
        _end(row, case, at)
    made = [_name(case, one, by, at) for one in given.get("add", ())]
    for row in made:
        _turn(case.membership, row, old=None, new=_words(row), at=at, case=case)
    return (
        {"contacts": {"ended": [str(row.pk) for row in ended], "named": [str(row.pk) for row in made]}} if given else {}
    )


def _name(case: ChangeRequest, one: Mapping[str, str], by: Subject, at: datetime) -> Contact:
    person = person_enter(
        name=one["name"], title=one["title"], email=one["email"], phone=one["phone"], by=by, at=at
    )  # fmt: skip
    if person.entered_by_other and person.first_contact_at is None:
        # Nobody is put on a list without hearing of it (5.1; personal data protection act, article 9).
        organization = case.membership.organization
        names = {"organization_zh": organization.name_zh, "organization_en": organization.name_en}
        names["organization_en"] = names["organization_en"] or organization.name_zh
        send(notice="N5", to_person=person, context=names, by=by, at=at)
    return _contact(case.membership, one["purpose"], person, one, at, case)


def pass_on(*, case: ChangeRequest, former: Person, new: Mapping[str, str], by: Subject, at: datetime) -> None:
    """Name whoever takes the place of a person for what that person was named."""
    for row in _of(case.membership, former, at):
        _end(row, case, at)
        made = _name(case, {"purpose": row.purpose, **new}, by, at)
        _turn(case.membership, made, old=None, new=_words(made), at=at, case=case)


def end_for_leaver(affiliation: Affiliation, by: Subject, at: datetime) -> None:  # noqa: ARG001 - its caller records
    """End what somebody who leaves was named for; a last notice address goes over to another administrator."""
    if affiliation.organization_id != affiliation.group_id:
        return
    membership = Membership.objects.filter(organization=affiliation.organization_id, state__in=IN_FORCE).first()
    if membership is None:
        return
    for row in _of(membership, affiliation.person, at):
        _end(row, None, at)
        if row.purpose == NOTICE and not membership.contacts.filter(purpose=NOTICE, ended_at__isnull=True).exists():
            _to_an_administrator(membership, at)


def _to_an_administrator(membership: Membership, at: datetime) -> None:
    for person in queries.administrators(organization_id=membership.organization_id, at=at)[:1]:
        made = _contact(membership, NOTICE, person, {name: getattr(person, name) for name in _SEALED}, at, None)
        _turn(membership, made, old=None, new=_words(made), at=at)


def _of(membership: Membership, person: Person, at: datetime) -> list[Contact]:
    rows = Contact.objects.select_for_update(of=("self",)).select_related("vault_key")
    held = rows.filter(membership=membership, person=person, started_at__lte=at, ended_at__isnull=True)
    return list(held.order_by("pk"))


def _end(row: Contact, case: ChangeRequest | None, at: datetime) -> None:
    row.ended_at = at
    row.save(update_fields=["ended_at"])
    _turn(row.membership, row, old=_words(row), new=None, at=at, case=case)


def name_first(*, membership: Membership, administrator: Person, security: Person, at: datetime) -> list[Contact]:
    """Name with whom a membership begins: notices go to the first administrator, incidents to the contact."""
    return [
        _contact(membership, purpose, person, {name: getattr(person, name) for name in _SEALED}, at, None)
        for purpose, person in ((SECURITY, security), (NOTICE, administrator))
    ]


_SEALED = ("name", "title", "email", "phone")


def _contact(
    membership: Membership, purpose: str, person: Person, said: Mapping[str, str], at: datetime,
    change: ChangeRequest | None,
) -> Contact:  # fmt: skip
    return Contact.objects.create(
        vault_key=person.vault_key,
        membership=membership,
        purpose=purpose,
        person=person,
        started_at=at,
        change=change,
        **{name: said[name] for name in _SEALED},
    )


def _words(row: Contact) -> dict[str, str]:
    return {"name": row.name, "email": row.email}


def _turn(
    membership: Membership, row: Contact, *, old: Any, new: Any, at: datetime, case: ChangeRequest | None = None
) -> None:
    FactChange.objects.create(
        vault_key=row.vault_key, membership=membership, change=case, field=f"contact.{row.purpose}", old=old, new=new,
        at=at,
    )  # fmt: skip
