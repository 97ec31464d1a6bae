"""The triggers that move the epoch are there, and the ledger's guard leaves them alone."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from importlib import import_module
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from lianfang.accounts.models import Affiliation
from lianfang.accounts.queries import token_of_digest
from lianfang.exchange import moment
from lianfang.exchange.moment import Moment
from lianfang.members.subjects import facts_of
from lianfang.policy.store import EpochValue

TABLES = {
    table
    for name in ("0002_facts_epoch", "0004_facts_of_providers")
    for table in import_module(f"lianfang.exchange.migrations.{name}").TABLES
}


@pytest.mark.django_db
def test_every_table_of_facts_moves_the_epoch() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname, array_agg(t.tgname ORDER BY t.tgname) FROM pg_trigger t"
            " JOIN pg_class c ON c.oid = t.tgrelid WHERE t.tgname LIKE 'lf\\_facts%%' GROUP BY 1"
        )
        found = dict(cursor.fetchall())
    assert found == {table: ["lf_facts_change", "lf_facts_rows"] for table in TABLES}


@pytest.mark.django_db
def test_everything_that_is_remembered_of_a_key_is_read_from_those_tables() -> None:
    with CaptureQueriesContext(
        connection,
    ) as captured:
        token_of_digest(b"x" * 32)
        with pytest.raises(Affiliation.DoesNotExist):
            facts_of(uuid4())
    read = {name for query in captured for name in re.findall(r'(?:FROM|JOIN) "(\w+)"', query["sql"])}
    assert read == TABLES


@pytest.mark.django_db
def test_within_a_transaction_nothing_is_supposed() -> None:
    moment.now()
    assert moment.assumed() is None


def test_a_supposed_moment_goes_on_with_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    class Outside:
        in_atomic_block = False

    monkeypatch.setattr(moment, "connection", Outside())
    clock = [100.0]
    monkeypatch.setattr(moment.time, "monotonic", lambda: clock[0])
    read = Moment(datetime(2026, 11, 23, tzinfo=UTC), EpochValue(7, 3), stop=True)
    moment.confirmed(read, at=read.at)
    clock[0] += 1.5
    supposed = moment.assumed()
    assert supposed is not None
    assert (supposed.at - read.at).total_seconds() == 1.5
    assert (supposed.epoch, supposed.stop, supposed.assumed) == (read.epoch, True, True)
    clock[0] += 60
    assert moment.assumed() is None, "too long ago"
    moment.forget()
