"""Thousands of members, tens of thousands of constituents, a hundred thousand cases: rows like those the actions make.

A few cases are brought to each state by the real actions; the others are copies of these rows under new keys, names and
numbers, sealed anew, each with the rows that belong to it. They are stored in bulk by the owner of the database with
triggers off, as a restored backup is: what the triggers hold (an entry in the ledger for each change) is not what is
measured here, and every constraint of the tables holds.
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import connection, models

from lianfang.accounts.models import Person
from lianfang.kernel.ids import new_id
from lianfang.members.models import (
    Appeal,
    Application,
    CaseEvent,
    ChangeRequest,
    Constituent,
    Decision,
    Membership,
    Revocation,
    Termination,
)
from tests import world
from tests.members import cases, change_cases

BATCH = 2000


@dataclass(frozen=True)
class Size:
    """How many of each; `cases` are applications, changes, revocations, appeals and terminations together."""

    members: int
    constituents: int
    cases: int


WHOLE = Size(members=3_000, constituents=20_000, cases=100_000)


@contextmanager
def as_owner() -> Iterator[None]:
    """Let Django speak to this database as its superuser, with triggers off."""
    kept = dict(connection.settings_dict)
    connection.close()
    connection.settings_dict.update(USER="postgres")
    try:
        with connection.cursor() as cursor:
            cursor.execute("SET session_replication_role = replica")
        yield
    finally:
        connection.close()
        connection.settings_dict.update(kept)


def fill(made: world.World, size: Size) -> dict[str, str]:
    """Fill the database, and return the addresses of one page of each kind of case."""
    shown = _examples(made)
    kinds = {
        "application": size.cases * 90 // 100 - size.members,
        "change": size.cases * 5 // 100,
        "revocation": size.cases * 2 // 100,
        "appeal": size.cases // 100,
        "termination": size.cases * 2 // 100,
    }
    with as_owner():
        members = list(_members(made, size))
        for kind, number in kinds.items():
            _COPY[kind](made, members, number)
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
    return shown


def _examples(made: world.World) -> dict[str, str]:
    """One of each by the real actions: what the copies are made of, and whose pages are asked for."""
    ops = {"add": [{"name": "浮標倉儲股份有限公司", "ubn": world.business_number(900)}]}
    change = change_cases.taken_up(made, change_cases.file(made, made.ding, roster=ops))
    revocation = cases.proposed(made, made.yi)
    appeal = cases.appealed(made, made.revocation, made.former.admin)
    at = made.clock.tick()
    end = world.actions.request_termination(
        membership=made.bing.membership, reason="理由", handling="destroy", by=made.bing.admin.subject(at), at=at
    )
    application = cases.taken_up(made, 91)
    return {
        "case": f"/staff/cases/{application.number}",
        "membership": f"/staff/members/{made.ding.membership.pk}",
        "history": f"/staff/members/{made.ding.membership.pk}/history",
        "change": f"/staff/changes/{change.number}",
        "revocation": f"/staff/revocations/{revocation.number}",
        "appeal": f"/staff/appeals/{appeal.number}",
        "termination": f"/staff/terminations/{end.number}",
    }


def like(row: Any, **changed: Any) -> Any:
    """A copy of a row under a key of its own; what is sealed is sealed anew for it."""
    made = copy.copy(row)
    made._state = copy.copy(row._state)
    made._state.adding, made._state.fields_cache = True, dict(row._state.fields_cache)
    for field in type(row)._meta.concrete_fields:
        getattr(row, field.attname)
    made.__dict__.update({name: value for name, value in row.__dict__.items() if name != "_state"})
    made.pk = new_id() if isinstance(row._meta.pk, models.UUIDField) else None
    for name, value in changed.items():
        setattr(made, name, value)
    return made


def _store(rows: Iterable[Any]) -> None:
    """Store rows of one table in bulk."""
    source = iter(rows)
    while batch := list(itertools.islice(source, BATCH)):
        type(batch[0]).objects.bulk_create(batch)


def _members(made: world.World, size: Size) -> Iterator[Membership]:
    """Members with their application, its decision and events, two people and their roster."""
    held = made.ding.membership
    app = Application.objects.select_related("vault_key").get(pk=held.application_id)
    decision = Decision.objects.select_related("vault_key").get(application=app, kind="approve")
    events, attestation = list(CaseEvent.objects.filter(case=app.number)), app.attestations.first()
    interval = held.intervals.get()
    person = Person.objects.select_related("vault_key").get(pk=made.ding.admin.person.pk)
    pair, row = made.ding.admin.affiliation, Constituent.objects.filter(group=held.organization_id).first()
    each = max(1, size.constituents // size.members)
    kept: dict[type, list[Any]] = {}

    def keep(one: Any) -> Any:
        kept.setdefault(type(one), []).append(one)
        return one

    found = []
    for place in range(size.members):
        organization = keep(like(
            held.organization, name_zh=f"第{place:05}號示範協會", ubn=f"1{place:07}",
            certificate_number=f"示社字第{place}號",
        ))  # fmt: skip
        number = f"A-2019-{place:05}"
        application = keep(like(
            app, number=number, name_zh=organization.name_zh, ubn=organization.ubn, organization=organization,
            secret_digest=place.to_bytes(32, "big"), submission_key=f"m{place}",
            due_at=app.due_at - timedelta(minutes=place),
        ))  # fmt: skip
        membership = keep(like(held, organization=organization, application=application, ubn=organization.ubn))
        keep(like(interval, membership=membership))
        keep(like(decision, number=f"D-2019-{place:05}", application=application, membership=membership))
        keep(like(attestation, application=application))
        for event in events:
            keep(like(event, case=number))
        for second in (0, 1):
            somebody = keep(like(
                person, email=f"p{second}@n{place}.example", email_index=(2 * place + second + 1).to_bytes(32, "big")
            ))  # fmt: skip
            keep(like(pair, person=somebody, organization=organization, group=organization))
        for one in range(each):
            bank = keep(like(
                row.organization, name_zh=f"第{place:05}之{one}號示範銀行", ubn=f"2{place * each + one:07}"
            ))  # fmt: skip
            keep(like(row, group=organization, organization=bank))
        found.append(membership)
    for rows in kept.values():
        _store(rows)
    return iter(found)


def _applications(made: world.World, _: list[Membership], number: int) -> None:
    """One in twenty is open, in every open state; the others are over."""
    app = made.applicant
    app = Application.objects.select_related("vault_key", "procedure").get(pk=app.pk)
    closed = Application.objects.select_related("vault_key").get(pk=made.jia.membership.application_id)
    reviewer = made.reviewer.person

    def one(place: int) -> Application:
        open_ = place % 20 == 0
        state = ("submitted", "under_review", "recommended", "correction_requested")[place // 20 % 4] if open_ else None
        changed: dict[str, Any] = {
            "number": f"A-2020-{place:06}", "ubn": f"3{place:07}", "name_zh": f"第{place:06}號申請人股份有限公司",
            "secret_digest": b"a" + place.to_bytes(31, "big"), "submission_key": f"a{place}",
        }  # fmt: skip
        if state is not None:
            changed |= {"state": state, "due_at": app.due_at + timedelta(minutes=place)}
            changed |= {"reviewer": None if state == "submitted" else reviewer}
            return like(app, **changed)
        over = ("rejected", "withdrawn", "rejected")[place % 3]
        return like(closed, **changed, state=over, due_at=closed.due_at - timedelta(minutes=place), organization=None)

    _store(one(place) for place in range(number))


def _of_members(
    model: type[models.Model], letter: str, states: tuple[str, ...], **ended: Any
) -> Callable[[world.World, list[Membership], int], None]:
    """Copies of the one row of a table, spread over the members; the last of `states` is over."""

    def copies(made: world.World, members: list[Membership], number: int) -> None:
        row: Any = model._default_manager.select_related("vault_key").order_by("pk").first()

        def one(place: int) -> Any:
            held = members[place % len(members)]
            # An organisation has one open case of a kind; what else it had is over.
            state = states[place % (len(states) - 1)] if place < len(members) and place % 10 == 0 else states[-1]
            changed: dict[str, Any] = {"number": f"{letter}-2020-{place:06}", "membership": held, "state": state}
            if hasattr(row, "key"):
                changed["key"] = f"{letter}{place}"
            changed["due_at"] = row.due_at + timedelta(minutes=place)
            return like(row, **changed, **(ended if state == states[-1] else {}))

        _store(one(place) for place in range(number))

    return copies


def _appeals(made: world.World, members: list[Membership], number: int) -> None:
    row = Appeal.objects.select_related("vault_key").order_by("pk")[0]
    against = list(Revocation.objects.filter(number__startswith="R-2020").order_by("-number")[:number])

    def one(place: int) -> Any:
        over = place % 10 != 0
        changed = {"state": "denied", "decided_at": row.filed_at} if over else {"state": "filed"}
        return like(
            row, number=f"P-2020-{place:06}", revocation=against[place], key=f"P{place}",
            due_at=row.due_at + timedelta(minutes=place), **changed,
        )  # fmt: skip

    _store(one(place) for place in range(min(number, len(against))))


_COPY: dict[str, Callable[[world.World, list[Membership], int], None]] = {
    "application": _applications,
    "change": _of_members(ChangeRequest, "C", ("submitted", "under_review", "applied"), decided_at=world.BEGIN),
    "revocation": _of_members(Revocation, "R", ("under_review", "proposed", "closed"), decided_at=world.BEGIN),
    "termination": _of_members(Termination, "T", ("requested", "recommended", "withdrawn"), closed_at=world.BEGIN),
    "appeal": _appeals,
}
