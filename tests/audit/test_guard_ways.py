"""Every other way round the guard that PostgreSQL has: none leaves a change without an entry, or an entry changed."""

from __future__ import annotations

import psycopg
import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from lianfang.accounts.models import Organization
from lianfang.audit import guard
from lianfang.audit.actions import Unaudited, action, record
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


@pytest.fixture
def kept() -> list[tuple[object, str]]:
    """Two rows that were written as they should be."""
    with transaction.atomic():
        entry()
        SubjectKey.objects.bulk_create([row(), row()])
    return state()


def state() -> list[tuple[object, str]]:
    return list(SubjectKey.objects.order_by("pk").values_list("pk", "master_id"))


COLUMNS = "id, master_id, wrapped, created_at"


STATEMENTS = [
    "DELETE FROM vault_subjectkey",
    "DELETE FROM vault_subjectkey USING audit_entry",
    "UPDATE vault_subjectkey SET master_id = master_id || '1' WHERE true",
    "WITH gone AS (DELETE FROM vault_subjectkey RETURNING *) SELECT count(*) FROM gone",
    "WITH made AS (UPDATE vault_subjectkey SET master_id = '5' RETURNING *) SELECT * FROM made",
    "MERGE INTO vault_subjectkey k USING (SELECT 1) s ON true WHEN MATCHED THEN UPDATE SET master_id = '6'",
    "MERGE INTO vault_subjectkey k USING (SELECT 1) s ON true WHEN MATCHED THEN DELETE",
    "DO $$ BEGIN DELETE FROM vault_subjectkey; END $$",
    "DO $$ BEGIN BEGIN DELETE FROM vault_subjectkey; PERFORM 1 / 1; EXCEPTION WHEN OTHERS THEN NULL; END; END $$",
    "SELECT 1; DELETE FROM vault_subjectkey",
    "UPDATE ONLY vault_subjectkey SET master_id = '7'",
]


def test_one_statement_of_any_form_is_refused(kept: list[tuple[object, str]]) -> None:
    for statement in STATEMENTS:
        with pytest.raises(IntegrityError, match=r"unaudited \w+ on vault_subjectkey"), connection.cursor() as cursor:
            cursor.execute(statement)
        assert state() == kept, statement


def test_rows_by_copy_are_refused(kept: list[tuple[object, str]]) -> None:
    with psycopg.connect(CLUSTER.url("lf_app")) as app:
        with app.cursor().copy(f"COPY vault_subjectkey ({COLUMNS}) FROM STDIN") as copy:
            copy.write("00000000-0000-4000-8000-000000000001\t0\tx\tnow\n")
        with pytest.raises(psycopg.errors.IntegrityError, match="unaudited INSERT on vault_subjectkey"):
            app.commit()
    assert state() == kept


def entry_taken_back_after_an_early_check() -> None:
    """The check ran while the entry stood, in a savepoint that is then rolled back: it is asked again at the end."""
    with transaction.atomic(), connection.cursor() as cursor:
        row().save()
        point = transaction.savepoint()
        entry()
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        transaction.savepoint_rollback(point)


def entry_in_a_failed_block() -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        row().save()
        cursor.execute(
            "DO $$ BEGIN INSERT INTO audit_entry (at, tx, happened_at, tag, actor, acting_for, about_type, about_id,"
            " detail) VALUES (now(), 0, now(), 'x', 'x', '', 'x', 'x', '{}'); RAISE 'x';"
            " EXCEPTION WHEN OTHERS THEN NULL; END $$"
        )


def entry_of_the_transaction_before_on_the_same_connection() -> None:
    with transaction.atomic():
        entry()
    with transaction.atomic():
        row().save()


def another_search_path() -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL search_path = pg_temp, public")
        cursor.execute("CREATE TEMP TABLE audit_entry (tx bigint, at timestamptz) ON COMMIT DROP")
        cursor.execute("INSERT INTO pg_temp.audit_entry SELECT txid_current(), now()")
        row().save()


def false_functions_in_the_temporary_schema() -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION pg_temp.transaction_timestamp() RETURNS timestamptz RETURN 'epoch'::timestamptz"
        )
        cursor.execute("SET LOCAL search_path = pg_temp, pg_catalog, public")
        row().save()


def the_last_of_several_writes() -> None:
    with transaction.atomic():
        for _ in range(3):
            row().save()
        SubjectKey.objects.filter(master_id="0").delete()


PLAYS = [
    entry_taken_back_after_an_early_check, entry_in_a_failed_block, another_search_path,
    entry_of_the_transaction_before_on_the_same_connection, false_functions_in_the_temporary_schema,
    the_last_of_several_writes,
]  # fmt: skip


def test_no_play_with_time_or_names_is_taken_for_an_entry(kept: list[tuple[object, str]]) -> None:
    for write in PLAYS:
        with pytest.raises(IntegrityError, match="unaudited"):
            write()
        assert state() == kept, write.__name__


FORBIDDEN = [
    "ALTER TABLE vault_subjectkey DISABLE TRIGGER lf_audited",
    "ALTER TABLE vault_subjectkey DISABLE TRIGGER USER",
    "ALTER TABLE audit_entry NO INHERIT audit_leaf",
    "ALTER TABLE audit_entry RENAME TO old",
    "ALTER TABLE audit_entry OWNER TO lf_app",
    "ALTER TABLE audit_entry ADD COLUMN x int",
    "ALTER FUNCTION lf_require_entry() RENAME TO x",
    "ALTER FUNCTION lf_require_entry() SET search_path = x",
    "DROP FUNCTION lf_require_entry() CASCADE",
    "DROP TABLE audit_entry CASCADE",
    "DROP TRIGGER lf_stamp ON audit_entry",
    "CREATE TRIGGER x BEFORE INSERT ON audit_entry FOR EACH ROW EXECUTE FUNCTION lf_stamp()",
    "CREATE RULE x AS ON DELETE TO vault_subjectkey DO INSTEAD NOTHING",
    "CREATE TABLE public.x (id int)",
    "CREATE FUNCTION public.x() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "CREATE SCHEMA x",
    "CREATE EXTENSION dblink",
    "SET SESSION AUTHORIZATION lf_owner",
    "SET session_replication_role = 'local'",
    "SET LOCAL session_replication_role = 'replica'",
    "ALTER ROLE lf_app SET session_replication_role = 'replica'",
    "ALTER ROLE lf_app SUPERUSER",
    "ALTER SYSTEM SET session_replication_role = 'replica'",
    "GRANT ALL ON audit_entry TO lf_app",
    "GRANT lf_owner TO lf_app",
    "TRUNCATE audit_leaf CASCADE",
    "UPDATE audit_checkpoint SET root = ''",
    "DELETE FROM audit_checkpoint",
    "UPDATE audit_leaf SET seq = seq + 1",
    "DELETE FROM audit_node",
    "UPDATE audit_batchedreceipt SET index = 1",
    "DELETE FROM audit_due",
    "SELECT * FROM audit_due",
    "COPY audit_entry FROM PROGRAM 'true'",
    "COPY audit_entry TO '/tmp/x'",
    "SELECT pg_read_file('/etc/passwd')",
    "SELECT lo_import('/etc/passwd')",
    "BEGIN; LOCK TABLE audit_entry IN ACCESS EXCLUSIVE MODE",
    "UPDATE django_migrations SET name = 'x'",
    "DELETE FROM django_migrations",
    "UPDATE pg_trigger SET tgenabled = 'D'",
    "DELETE FROM pg_catalog.pg_trigger",
    "REINDEX TABLE audit_entry",
    "VACUUM FULL audit_entry",
]


def test_the_application_may_not_touch_what_holds_it() -> None:
    deed()
    for statement in FORBIDDEN:
        with psycopg.connect(CLUSTER.url("lf_app"), autocommit=True) as app:
            app.execute("SET statement_timeout = '5s'")
            told: list[str] = []
            app.add_notice_handler(lambda notice, told=told: told.append(notice.message_primary))  # type: ignore[misc]
            try:
                app.execute(statement)
            except psycopg.Error as refused:
                told.append(str(refused))
            # Some only warn and do nothing.
            words = ("permission denied", "must be", "no privileges were granted", "does not exist")
            assert any(word in message for message in told for word in words), (statement, told)
    with connection.cursor() as cursor:
        assert guard.installed(cursor)["audit_entry"] >= {guard.STAMP, guard.APPEND_ONLY, guard.NO_TRUNCATE}
        cursor.execute("SELECT has_table_privilege('lf_app', 'audit_entry', 'UPDATE, DELETE, TRUNCATE')")
        assert cursor.fetchone() == (False,)
    assert Entry.objects.count() == 1


APPEND_ONLY = [
    "audit_entry", "audit_leaf", "audit_node", "audit_checkpoint", "audit_batchedreceipt", "intel_receipt",
    "intel_recall",
]  # fmt: skip


def test_append_only_tables_refuse_the_owner_too() -> None:
    for table in APPEND_ONLY:
        with psycopg.connect(CLUSTER.url("lf_owner")) as owner, pytest.raises(psycopg.Error, match="append-only table"):
            owner.execute(f'TRUNCATE "{table}" CASCADE')


def test_a_deletion_that_cascades_is_a_write_of_every_table_that_it_reaches() -> None:
    """A row of an exempt table may go by itself; one of a guarded table may not take anything along unrecorded."""
    with transaction.atomic():
        made = Organization.objects.create(kind="twse", name_zh="甲", created_at=AT)
        entry()
    with pytest.raises((IntegrityError, DatabaseError)):
        made.delete()
    assert Organization.objects.filter(pk=made.pk).exists()


# -- actions ---------------------------------------------------------------------------------------------------------


@action(Tag.VAULT_KEY_SHRED)
def inner(*, records: bool, fails: bool = False) -> None:
    row().save()
    if records:
        record(by=BY, at=AT, about=("test.thing", "inner"))
    if fails:
        raise LookupError


@action(Tag.VAULT_MASTER_ROTATE)
def outer(*, inner_records: bool, inner_fails: bool, swallows: bool) -> None:
    row().save()
    record(by=BY, at=AT, about=("test.thing", "outer"))
    try:
        inner(records=inner_records, fails=inner_fails)
    except LookupError:
        if not swallows:
            raise


def test_an_inner_action_that_forgets_takes_the_outer_one_along() -> None:
    with pytest.raises(Unaudited, match="inner"):
        outer(inner_records=False, inner_fails=False, swallows=False)
    assert (SubjectKey.objects.count(), Entry.objects.count()) == (0, 0)


@pytest.mark.parametrize("swallows", [True, False])
def test_an_inner_action_that_fails_leaves_neither_row_nor_entry(swallows: bool) -> None:
    if swallows:
        outer(inner_records=True, inner_fails=True, swallows=True)
    else:
        with pytest.raises(LookupError):
            outer(inner_records=True, inner_fails=True, swallows=False)
    left = int(swallows)
    assert SubjectKey.objects.count() == left
    assert list(Entry.objects.values_list("about_id", flat=True)) == ["outer"] * left


def test_rolling_back_by_hand_takes_row_and_entry_together() -> None:
    @action(Tag.VAULT_KEY_SHRED)
    def undone() -> None:
        row().save()
        record(by=BY, at=AT, about=("test.thing", "1"))
        transaction.set_rollback(True)

    undone()
    assert (SubjectKey.objects.count(), Entry.objects.count()) == (0, 0)


def test_a_write_that_bypasses_the_action_is_found_in_the_middle_of_many_good_ones() -> None:
    for _ in range(3):
        with transaction.atomic():
            inner(records=True)
    with pytest.raises(IntegrityError):
        SubjectKey.objects.all().delete()
    assert SubjectKey.objects.count() == 3
    with transaction.atomic():
        SubjectKey.objects.all().delete()
        entry()
    assert SubjectKey.objects.count() == 0
