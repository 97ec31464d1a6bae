"""An installation of the release before is brought to this one with its data: nothing is lost, everything is guarded.

"Before" is one migration back from the newest of each app. The rows are those of the tests' world, put into the old
tables by their columns; what the old tables held and the new ones do not stands in `ONCE`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection, connections
from django.db.migrations.autodetector import MigrationAutodetector
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.state import ProjectState
from django.utils import translation
from psycopg import sql as text

from lianfang import roles
from lianfang.accounts.models import DutyGrant, Person
from lianfang.audit import guard, sequencer
from lianfang.audit.verify import verify
from lianfang.embedded import DATABASE
from lianfang.intel.positions import INDEX
from lianfang.policy import sql
from tests.database import CLUSTER
from tests.world import build

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(300)]

# (table, column) of the release before -> what stood there.
ONCE = {("accounts_dutygrant", "reason"): "接任"}
# Rows of these are the migrations' own, or hold what is worked out anew.
OWN = {"django_migrations", "django_content_type", "auth_permission", "audit_due"}


@pytest.fixture
def old() -> Iterator[None]:
    """Django on a database of the release before, as its owner; the world stands in the ordinary one."""
    build()
    connections.close_all()
    settings = connections["default"].settings_dict
    kept = settings["NAME"], settings["USER"]
    with CLUSTER.connect() as server:
        server.execute("DROP DATABASE IF EXISTS before WITH (FORCE)")
        server.execute(roles.create_database("before"))
    with CLUSTER.connect(database="before") as server:
        roles.grant(server)
    settings["NAME"], settings["USER"] = "before", roles.OWNER
    _forget()
    try:
        yield
    finally:
        connections.close_all()
        settings["NAME"], settings["USER"] = kept
        with CLUSTER.connect() as server:
            server.execute("DROP DATABASE IF EXISTS before WITH (FORCE)")
        _forget()


def _forget() -> None:
    INDEX.clear()
    sql.forget()
    sequencer._horizon.tx = 0


def before(executor: MigrationExecutor) -> list[tuple[str, str | None]]:
    """One migration back from the newest of each app of ours; everything else as it is now.

    What needs such a newest migration itself, as an app that is new does, was not there yet.
    """
    graph = executor.loader.graph
    targets = {}
    for app, name in graph.leaf_nodes():
        ours = apps.get_app_config(app).name.startswith("lianfang.")
        parents = [parent for parent in graph.node_map[app, name].parents if parent.key[0] == app] if ours else []
        targets[app] = parents[0].key if parents else (app, name)
    newest = {leaf for leaf in graph.leaf_nodes() if targets[leaf[0]] != leaf}
    return [(app, None) if newest & set(graph.forwards_plan(key)) else key for app, key in targets.items()]


def columns(server: psycopg.Connection) -> dict[str, dict[str, str]]:
    rows = server.execute(
        "SELECT table_name, column_name, data_type FROM information_schema.columns "
        "JOIN information_schema.tables USING (table_schema, table_name) "
        "WHERE table_schema = 'public' AND table_type = 'BASE TABLE' AND is_generated = 'NEVER'"
    )
    found: dict[str, dict[str, str]] = {}
    for table, column, kind in rows:
        found.setdefault(table, {})[column] = kind
    return found


def fill(source: psycopg.Connection, target: psycopg.Connection) -> dict[str, list[str]]:
    """Every row of the world, by the columns that both releases have; return these columns by table."""
    new, was = columns(source), columns(target)
    target.execute("SET session_replication_role = replica")
    carried = {}
    for table in sorted(new.keys() & was.keys() - OWN):
        shared = sorted(name for name, kind in was[table].items() if new[table].get(name) == kind)
        lost = {name: value for (of, name), value in ONCE.items() if of == table and name in was[table]}
        lost = {name: value for name, value in lost.items() if name not in shared}
        target.execute(text.SQL("DELETE FROM {}").format(text.Identifier(table)))
        names = [text.Identifier(name) for name in (*shared, *lost)]
        given = [*(text.Identifier(name) for name in shared), *(text.Literal(value) for value in lost.values())]
        read = text.SQL("COPY (SELECT {} FROM {}) TO STDOUT").format(text.SQL(", ").join(given), text.Identifier(table))
        write = text.SQL("COPY {} ({}) FROM STDIN").format(text.Identifier(table), text.SQL(", ").join(names))
        with source.cursor().copy(read) as out, target.cursor().copy(write) as into:
            for part in out:
                into.write(part)
        carried[table] = [name for name in shared if (table, name) not in ONCE]
        _count_on(target, table)
    target.execute("SET session_replication_role = origin")
    return carried


def _count_on(server: psycopg.Connection, table: str) -> None:
    """Rows that come later are numbered after those put in."""
    counted = server.execute(
        "SELECT attname, pg_get_serial_sequence(%s, attname) FROM pg_attribute "
        "WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped",
        [f'public."{table}"', f'public."{table}"'],
    ).fetchall()
    for column, sequence in counted:
        if sequence is not None:
            highest = text.SQL("SELECT setval(%s, coalesce(max({}), 0) + 1, false) FROM {}")
            server.execute(highest.format(text.Identifier(column), text.Identifier(table)), [sequence])


def digests(server: psycopg.Connection, carried: dict[str, list[str]]) -> dict[str, tuple[int, str]]:
    """Number and digest of the rows of each table, by the columns that were carried over."""
    found = {}
    for table, names in carried.items():
        row = text.SQL("ROW({})::text").format(text.SQL(", ").join(map(text.Identifier, names)))
        asked = text.SQL("SELECT count(*), md5(coalesce(string_agg({0}, '|' ORDER BY {0}), '')) FROM {1}")
        result = server.execute(asked.format(row, text.Identifier(table))).fetchone()
        assert result is not None
        found[table] = result
    return found


def test_the_release_before_is_brought_to_this_one_with_all_its_data(old: None, settings: Any) -> None:
    executor = MigrationExecutor(connection)
    targets = before(executor)
    assert targets != executor.loader.graph.leaf_nodes(), "nothing is one migration back"
    executor.migrate(targets)
    guard.install()
    with CLUSTER.connect(database=DATABASE) as source, CLUSTER.connect(database="before") as target:
        carried = fill(source, target)
        held = digests(target, carried)
        epoch = target.execute("SELECT head, policy FROM policy_epoch").fetchone()
        assert sum(count for count, _ in held.values()) > 500
        assert held["accounts_person"][0] > 20

        call_command("migrate", interactive=False, verbosity=0)

        after = digests(target, carried)
        # Migrations say in the ledger what they did; nothing that stood there is gone or changed.
        entries = held.pop("audit_entry")[0], after.pop("audit_entry")[0]
        assert entries[1] >= entries[0]
        # What a migration changes of the facts moves the epoch, which only ever goes on.
        moved = target.execute("SELECT head, policy FROM policy_epoch").fetchone()
        assert epoch is not None
        assert moved is not None
        assert moved[0] == epoch[0]
        assert moved[1] >= epoch[1]
        del held["policy_epoch"], after["policy_epoch"]
        assert {table: (held[table], after[table]) for table in held if held[table] != after[table]} == {}

    with connection.cursor() as cursor:
        wanted, have = guard.wanted(guard.tables(cursor)), guard.installed(cursor)
        assert {
            table: names - have.get(table, set()) for table, names in wanted.items() if names - have.get(table, set())
        } == {}
        for table in guard.append_only_tables():
            cursor.execute("SELECT has_table_privilege('lf_app', %s, 'UPDATE, DELETE, TRUNCATE')", [table])
            assert cursor.fetchone() == (False,), table
    loader = MigrationExecutor(connection).loader
    assert loader.applied_migrations.keys() >= set(loader.graph.leaf_nodes())
    with translation.override(None):  # as makemigrations does: words of models are not compared in a language
        now = ProjectState.from_apps(apps)
        changes = MigrationAutodetector(loader.project_state(), now).changes(graph=loader.graph)
    assert not {app: found for app, found in changes.items() if apps.get_app_config(app).name.startswith("lianfang.")}

    # As the application, from here on.
    connections.close_all()
    connections["default"].settings_dict["USER"] = roles.APP
    assert all(person.name for person in Person.objects.all())
    assert {grant.reason for grant in DutyGrant.objects.all()} <= {"到職", "接任", ""}
    report = verify()
    assert report.ok, [fault.words.en for fault in report.problems][:3]
