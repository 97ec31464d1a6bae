"""The database refuses every write without an entry of the same transaction, whoever writes."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import psycopg
import pytest
from django.apps import apps
from django.db import DatabaseError, IntegrityError, ProgrammingError, connection, transaction

from lianfang.audit import guard
from lianfang.audit.actions import action, record
from lianfang.audit.exempt import BULK, EXEMPT
from lianfang.audit.models import Entry
from lianfang.audit.tags import Tag
from lianfang.vault.models import SubjectKey
from tests.audit.deeds import AT, BY, deed
from tests.database import CLUSTER

pytestmark = pytest.mark.django_db(transaction=True)


def entry() -> Entry:
    return record(by=BY, at=AT, about=("test.thing", "1"), tag=Tag.VAULT_KEY_SHRED)


def row() -> SubjectKey:
    return SubjectKey(master_id="0", wrapped=b"x")


def audited_rows(count: int) -> list[SubjectKey]:
    with transaction.atomic():
        entry()
        return SubjectKey.objects.bulk_create(row() for _ in range(count))


def lone_insert() -> None:
    row().save()


def lone_insert_in_a_transaction() -> None:
    with transaction.atomic():
        row().save()


def bulk_create() -> None:
    SubjectKey.objects.bulk_create([row(), row()])


def update() -> None:
    SubjectKey.objects.update(master_id="1")


def delete() -> None:
    SubjectKey.objects.all().delete()


def raw_sql() -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE vault_subjectkey SET master_id = '2'")


def entry_in_a_rolled_back_savepoint() -> None:
    with transaction.atomic():
        row().save()
        point = transaction.savepoint()
        entry()
        transaction.savepoint_rollback(point)


def entry_of_another_transaction() -> None:
    entry()
    row().save()


def forged_numbers() -> None:
    """An entry that claims the numbers of the transaction to come."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint + 1, now() + interval '1 second'")
        tx, at = cursor.fetchone()
    Entry.objects.create(tx=tx, at=at, happened_at=AT, tag="x", actor="x", about_type="x", about_id="x")
    with transaction.atomic():
        row().save()


def after_constraints_became_immediate() -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        row().save()


def a_false_ledger_in_the_temporary_schema() -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE audit_entry (tx bigint, at timestamptz) ON COMMIT DROP")
        cursor.execute(
            "INSERT INTO pg_temp.audit_entry VALUES (pg_current_xact_id()::text::bigint, transaction_timestamp())"
        )
        row().save()


def a_setting_of_the_session() -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL pgtrigger.ignore = '{vault_subjectkey:lf_audited}'")
        row().save()


REFUSED = [
    lone_insert, lone_insert_in_a_transaction, bulk_create, update, delete, raw_sql,
    entry_in_a_rolled_back_savepoint, entry_of_another_transaction, forged_numbers,
    after_constraints_became_immediate, a_false_ledger_in_the_temporary_schema, a_setting_of_the_session,
]  # fmt: skip


@pytest.mark.parametrize("write", REFUSED, ids=lambda write: write.__name__)
def test_refused(write: Callable[[], None]) -> None:
    audited_rows(2)
    before = list(SubjectKey.objects.order_by("pk").values_list("pk", "master_id"))
    with pytest.raises(IntegrityError, match=r"unaudited \w+ on vault_subjectkey"):
        write()
    assert list(SubjectKey.objects.order_by("pk").values_list("pk", "master_id")) == before


def test_accepted_in_different_savepoints_of_one_transaction() -> None:
    with transaction.atomic():
        with transaction.atomic():
            row().save()
        with transaction.atomic():
            entry()
    assert SubjectKey.objects.count() == 1


def test_the_entry_may_come_first_or_last() -> None:
    audited_rows(1)
    with transaction.atomic():
        SubjectKey.objects.update(master_id="9")
        entry()
    assert SubjectKey.objects.get().master_id == "9"


def test_the_database_stamps_transaction_and_start_over_what_the_writer_says() -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        made = Entry.objects.create(tx=7, at=AT, happened_at=AT, tag="x", actor="x", about_type="x", about_id="x")
        cursor.execute("SELECT pg_current_xact_id()::text::bigint, transaction_timestamp()")
        expected = cursor.fetchone()
    made.refresh_from_db()
    assert (made.tx, made.at) == expected


@action(Tag.VAULT_KEY_SHRED)
def _bulk_write() -> None:
    """An action that writes a thousand rows of a table under the statement form."""
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO lf_bulk SELECT generate_series(1, 1000)")
    record(by=BY, at=AT, about=("test.bulk", "1"))


@pytest.fixture
def bulk_table() -> Iterator[None]:
    """A table under the statement form of the guard."""
    with psycopg.connect(CLUSTER.url("lf_owner"), autocommit=True) as owner:
        owner.execute("CREATE TABLE lf_bulk (id int)")
        owner.execute(guard._CREATE[guard.STATEMENT].format(name=guard.STATEMENT, table="lf_bulk"))
        yield
        owner.execute("DROP TABLE lf_bulk")


def test_bulk_tables_are_checked_once_a_statement(bulk_table: None) -> None:
    _bulk_write()
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM lf_bulk")
        assert cursor.fetchone() == (1000,)
    with psycopg.connect(CLUSTER.url("postgres")) as administrator:
        assert administrator.execute("SELECT count(*) FROM audit_due").fetchone() == (0,)


@pytest.mark.parametrize(
    "statement", ["INSERT INTO lf_bulk VALUES (1), (2)", "UPDATE lf_bulk SET id = 3", "DELETE FROM lf_bulk"]
)
def test_bulk_tables_refuse_a_statement_without_entry(bulk_table: None, statement: str) -> None:
    _bulk_write()
    with pytest.raises(IntegrityError, match="unaudited write on lf_bulk"), connection.cursor() as cursor:
        cursor.execute(statement)


def test_a_second_bulk_statement_after_an_early_check_is_checked_again(bulk_table: None) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        point = transaction.savepoint()
        entry()
        cursor.execute("INSERT INTO lf_bulk VALUES (1)")
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        transaction.savepoint_rollback(point)
        cursor.execute("INSERT INTO lf_bulk VALUES (2)")
        # The savepoint took the first SET CONSTRAINTS along.
        with pytest.raises(IntegrityError, match="unaudited write"):
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        transaction.set_rollback(True)


def test_the_application_has_no_right_on_the_guard_own_table() -> None:
    with pytest.raises(ProgrammingError, match="permission denied"), connection.cursor() as cursor:
        cursor.execute("INSERT INTO audit_due VALUES ('1', 'x')")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_entry SET tag = 'x'",
        "DELETE FROM audit_entry",
        "TRUNCATE audit_entry CASCADE",
        "TRUNCATE vault_subjectkey CASCADE",
        "ALTER TABLE audit_entry DISABLE TRIGGER ALL",
        "SET session_replication_role = replica",
        "DROP TRIGGER lf_audited ON vault_subjectkey",
        "CREATE OR REPLACE FUNCTION lf_require_entry() RETURNS trigger LANGUAGE sql AS 'SELECT NULL'",
        "SET ROLE lf_owner",
    ],
)
def test_the_application_cannot_undo_the_guard(statement: str) -> None:
    deed()
    with pytest.raises(DatabaseError, match=r"permission denied|must be owner"), connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.parametrize(
    "statement", ["UPDATE audit_entry SET tag = 'x'", "DELETE FROM audit_entry", "TRUNCATE audit_entry CASCADE"]
)
def test_not_even_the_owner_changes_an_append_only_table(statement: str) -> None:
    deed()
    with psycopg.connect(CLUSTER.url("lf_owner")) as owner, pytest.raises(psycopg.Error, match="append-only table"):
        owner.execute(statement)


def test_triggers_of_every_table_are_as_the_lists_in_code_say() -> None:
    with connection.cursor() as cursor:
        wanted = {table: names for table, names in guard.wanted(guard.tables(cursor)).items() if names}
        assert guard.installed(cursor) == wanted
    assert len(wanted) > 20


def test_every_model_is_guarded_or_exempt_with_a_reason() -> None:
    with connection.cursor() as cursor:
        tables, installed = set(guard.tables(cursor)), guard.installed(cursor)
    for model in apps.get_models(include_auto_created=True):
        table = model._meta.db_table
        guarded = bool({guard.ROW, guard.STATEMENT} & installed.get(table, set()))
        assert guarded != (table in EXEMPT), table
    assert EXEMPT.keys() - tables == set(), "an exemption for a table that does not exist"
    assert BULK - tables == set()
    assert not EXEMPT.keys() & BULK
    assert all(len(reason) >= 7 for reason in EXEMPT.values())


def test_grants_are_as_the_lists_in_code_say() -> None:
    append_only = guard.append_only_tables()
    with connection.cursor() as cursor:
        for table in guard.tables(cursor):
            cursor.execute(
                "SELECT has_table_privilege('lf_app', %s, 'UPDATE'), has_table_privilege('lf_app', %s, 'DELETE'),"
                " has_table_privilege('lf_app', %s, 'TRUNCATE'), has_table_privilege('lf_app', %s, 'INSERT')",
                [f'"{table}"'] * 4,
            )
            update_, delete_, truncate, insert = cursor.fetchone()
            assert not truncate, table
            if table in append_only:
                assert (update_, delete_, insert) == (False, False, True), table
            elif table in ("audit_due", "django_migrations"):
                assert (update_, delete_, insert) == (False, False, False), table
            else:
                assert (update_, delete_, insert) == (True, True, True), table
    assert "audit_entry" in append_only


GUARD = ["lf_check_due", "lf_note_due", "lf_refuse_change", "lf_require_entry", "lf_stamp"]


def test_functions_look_nowhere_but_in_public() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT proname, prosecdef, proconfig FROM pg_proc"
            " WHERE pronamespace = 'public'::regnamespace AND proname = ANY(%s) ORDER BY proname",
            [GUARD],
        )
        found = cursor.fetchall()
    assert found == [(name, True, ["search_path=public, pg_temp"]) for name in GUARD]


def test_the_plan_of_the_check_stays_an_index_scan_under_skewed_statistics() -> None:
    with psycopg.connect(CLUSTER.url("postgres"), autocommit=True) as administrator:
        administrator.execute("SET session_replication_role = replica")
        # Statistics that say: nearly all entries are of one transaction.
        administrator.execute(
            "INSERT INTO audit_entry (tx, at, happened_at, tag, actor, acting_for, about_type, about_id, detail)"
            " SELECT 1, now(), now(), 'x', 'x', '', 'x', 'x', '{}' FROM generate_series(1, 20000)"
        )
        administrator.execute("ANALYZE audit_entry")
    with transaction.atomic(), connection.cursor() as cursor:
        entry()
        cursor.execute(f"EXPLAIN {guard.CHECK}")
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert plan.startswith("Index Scan using audit_entry_"), plan


def test_installing_again_changes_nothing_and_mends_what_is_missing() -> None:
    with psycopg.connect(CLUSTER.url("postgres"), autocommit=True) as administrator:
        administrator.execute("DROP TRIGGER lf_audited ON vault_storedfile")
        administrator.execute("GRANT DELETE ON audit_leaf TO lf_app")
    settings = connection.settings_dict.copy()
    try:
        connection.close()
        connection.settings_dict["USER"] = "lf_owner"
        guard.install()
        guard.install()
    finally:
        connection.close()
        connection.settings_dict["USER"] = settings["USER"]
    test_triggers_of_every_table_are_as_the_lists_in_code_say()
    test_grants_are_as_the_lists_in_code_say()
