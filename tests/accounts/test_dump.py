"""Whoever steals the tables of this app learns no name, title or phone; the log-in address is the one exception."""

from __future__ import annotations

import re

import pytest
from django.db import connection

from lianfang.accounts import actions
from lianfang.accounts.models import Account
from lianfang.charter.actions import acknowledge
from lianfang.policy.facts import Role
from tests.accounts.cast import Few
from tests.world import SYSTEM, join

pytestmark = pytest.mark.django_db
PEOPLE = 20


def dump(prefixes: tuple[str, ...]) -> dict[str, str]:
    """The text of every row of these apps' tables, with what is binary in hexadecimal."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        tables = [name for (name,) in cursor.fetchall() if name.startswith(prefixes) and name != "audit_due"]
        found = {}
        for table in tables:
            cursor.execute(f"SELECT coalesce(string_agg(t::text, chr(10)), '') FROM \"{table}\" t")
            (found[table],) = cursor.fetchone()
    return found


def test_no_personal_value_stands_in_clear(cast: Few) -> None:
    planted: list[str] = []
    for number in range(PEOPLE):
        name, title, phone = f"隱名{number:03d}號", f"密職{number:03d}長", f"09{number:02d}-555-{number:04d}"
        email = f"hidden{number:03d}@plant.example"
        person = actions.person_enter(name=name, title=title, phone=phone, email=email, by=SYSTEM, at=cast.clock.tick())
        _, path = actions.invite(
            person=person, organization=cast.organization, group=cast.organization, role=Role.MEMBER, by=SYSTEM,
            at=cast.clock.tick(),
        )  # fmt: skip
        planted += [name, title, phone, email]
    joined = join(cast.clock, path)
    acknowledge(affiliation=joined.affiliation, by=joined.subject(), at=cast.clock.tick())
    allowed = {Account._meta.db_table, "account_emailaddress"}
    found = dump(("accounts_", "charter_", "account_", "mfa_", "outbox_", "notices_", "audit_"))
    assert len(found) > 15
    for table, text in found.items():
        shown = text + _as_text(text)
        leaks = [value for value in planted if value in shown]
        assert all("@" in value for value in leaks) if table in allowed else leaks == [], table


def _as_text(text: str) -> str:
    """What PostgreSQL prints of byte columns, read as UTF-8."""
    return " ".join(bytes.fromhex(run).decode(errors="ignore") for run in re.findall(r"\\x((?:[0-9a-f]{2})+)", text))
