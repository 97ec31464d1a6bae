"""The triggers that move the epoch are there, and the ledger's guard leaves them alone."""

from __future__ import annotations

from importlib import import_module

import pytest
from django.db import connection


@pytest.mark.django_db
def test_every_table_of_facts_moves_the_epoch() -> None:
    tables = import_module("lianfang.exchange.migrations.0002_facts_epoch").TABLES
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname, array_agg(t.tgname ORDER BY t.tgname) FROM pg_trigger t"
            " JOIN pg_class c ON c.oid = t.tgrelid WHERE t.tgname LIKE 'lf\\_facts%%' GROUP BY 1"
        )
        found = dict(cursor.fetchall())
    assert found == {table: ["lf_facts_change", "lf_facts_rows"] for table in tables}
