"""The guard in the database: no commit of a domain row without an entry of the same transaction.

`install` runs after each migrate as the owner of the tables, and puts triggers on *every* table of the schema that is
not in `exempt.EXEMPT`, so that a new table is guarded before anybody thinks of it. The functions are made by migration
0002. None of them can be switched off by a setting, and the application's role may not disable a trigger.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.apps import apps
from django.db import connections
from django.db.backends.utils import CursorWrapper

from lianfang.audit.exempt import BULK, EXEMPT

ROW = "lf_audited"
STATEMENT = "lf_audited_bulk"
APPEND_ONLY = "lf_append_only"
NO_TRUNCATE = "lf_no_truncate"
STAMP = "lf_stamp"
DUE = "lf_due"

CHECK = (
    "SELECT 1 FROM public.audit_entry"
    " WHERE tx = pg_catalog.pg_current_xact_id()::text::bigint AND at = pg_catalog.transaction_timestamp()"
)
"""What the guard asks at commit. The function, not a variable, so that the plan never becomes a sequential scan."""

_SECURITY = "LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp"

FUNCTIONS = f"""
CREATE OR REPLACE FUNCTION lf_stamp() RETURNS trigger {_SECURITY} AS $$
BEGIN
  NEW.tx := pg_catalog.pg_current_xact_id()::text::bigint;
  NEW.at := pg_catalog.transaction_timestamp();
  RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION lf_require_entry() RETURNS trigger {_SECURITY} AS $$
BEGIN
  IF NOT EXISTS ({CHECK}) THEN
    RAISE EXCEPTION 'unaudited % on %', TG_OP, TG_TABLE_NAME
      USING ERRCODE = 'integrity_constraint_violation', HINT = 'write through an @action';
  END IF;
  RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION lf_note_due() RETURNS trigger {_SECURITY} AS $$
BEGIN
  INSERT INTO public.audit_due (tx, relation) VALUES (pg_catalog.pg_current_xact_id(), TG_TABLE_NAME)
    ON CONFLICT DO NOTHING;
  RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION lf_check_due() RETURNS trigger {_SECURITY} AS $$
BEGIN
  IF NOT EXISTS ({CHECK}) THEN
    RAISE EXCEPTION 'unaudited write on %', NEW.relation
      USING ERRCODE = 'integrity_constraint_violation', HINT = 'write through an @action';
  END IF;
  DELETE FROM public.audit_due WHERE tx = NEW.tx;
  RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION lf_refuse_change() RETURNS trigger {_SECURITY} AS $$
BEGIN
  RAISE EXCEPTION '% on append-only table %', TG_OP, TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END $$;

CREATE UNLOGGED TABLE IF NOT EXISTS audit_due (tx xid8 PRIMARY KEY, relation name NOT NULL);
"""  # noqa: S608 - no value from outside stands in it

FIXED = f"""
CREATE TRIGGER {STAMP} BEFORE INSERT ON audit_entry FOR EACH ROW EXECUTE FUNCTION lf_stamp();
CREATE CONSTRAINT TRIGGER {DUE} AFTER INSERT ON audit_due DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION lf_check_due();
"""
"""Triggers on the guard's own tables."""

REMOVE = """
DROP TRIGGER IF EXISTS lf_stamp ON audit_entry;
DROP TABLE IF EXISTS audit_due;
DROP FUNCTION IF EXISTS lf_stamp(), lf_require_entry(), lf_note_due(), lf_check_due(), lf_refuse_change() CASCADE;
"""

_CREATE: dict[str, str] = {
    ROW: (
        "CREATE CONSTRAINT TRIGGER {name} AFTER INSERT OR UPDATE OR DELETE ON {table}"
        " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION lf_require_entry()"
    ),
    STATEMENT: (
        "CREATE TRIGGER {name} AFTER INSERT OR UPDATE OR DELETE ON {table}"
        " FOR EACH STATEMENT EXECUTE FUNCTION lf_note_due()"
    ),
    APPEND_ONLY: (
        "CREATE TRIGGER {name} BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION lf_refuse_change()"
    ),
    NO_TRUNCATE: (
        "CREATE TRIGGER {name} BEFORE TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION lf_refuse_change()"
    ),
}

_TABLES = """
SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND NOT c.relispartition ORDER BY 1
"""
_TRIGGERS = """
SELECT c.relname, t.tgname FROM pg_trigger t
JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'public' AND NOT t.tgisinternal AND t.tgname = ANY(%s) AND t.tgenabled = 'O'
"""
_GRANTEES = """
SELECT DISTINCT CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace, aclexplode(c.relacl) a
WHERE n.nspname = 'public' AND c.relname = %s AND a.grantee <> c.relowner AND a.privilege_type = ANY(%s)
"""
_CHANGING = ["UPDATE", "DELETE", "TRUNCATE"]


def append_only_tables() -> frozenset[str]:
    """Return the tables of all models that declare `append_only = True`."""
    models = apps.get_models(include_auto_created=True)
    return frozenset(model._meta.db_table for model in models if getattr(model, "append_only", False))


def wanted(tables: Iterable[str]) -> dict[str, set[str]]:
    """Return table -> names of the triggers that it must carry, for these tables."""
    append_only = append_only_tables()
    names: dict[str, set[str]] = {}
    for table in tables:
        names[table] = {APPEND_ONLY, NO_TRUNCATE} if table in append_only else set()
        if table not in EXEMPT:
            # A truncated domain table would be a write without an entry.
            names[table] |= {STATEMENT if table in BULK else ROW, NO_TRUNCATE}
    names.setdefault("audit_entry", set()).add(STAMP)
    names.setdefault("audit_due", set()).add(DUE)
    return names


def tables(cursor: CursorWrapper) -> list[str]:
    """Return every ordinary table of the schema, from the database's own catalogue."""
    cursor.execute(_TABLES)
    return [name for (name,) in cursor.fetchall()]


def installed(cursor: CursorWrapper) -> dict[str, set[str]]:
    """Return table -> names of the guard's triggers that the database has, enabled."""
    # Only the guard's own: other triggers of ours are none of its business, and `install` drops what it does not want.
    cursor.execute(_TRIGGERS, [[ROW, STATEMENT, APPEND_ONLY, NO_TRUNCATE, STAMP, DUE]])
    found: dict[str, set[str]] = {}
    for table, name in cursor.fetchall():
        found.setdefault(table, set()).add(name)
    return found


def install(*, using: str = "default", **_signal: Any) -> None:
    """Bring triggers and grants in line with the lists in code. Needs the owner of the tables; safe to repeat."""
    with connections[using].cursor() as cursor:
        cursor.execute("SELECT to_regprocedure('lf_require_entry()')")
        if cursor.fetchone()[0] is None:
            return  # migrated back to before the guard
        cursor.execute(FUNCTIONS)
        want, have = wanted(tables(cursor)), installed(cursor)
        for table, names in want.items():
            for name in sorted(have.get(table, set()) - names):
                cursor.execute(f'DROP TRIGGER {name} ON "{table}"')
            for name in sorted(names - have.get(table, set())):
                cursor.execute(_CREATE[name].format(name=name, table=f'"{table}"'))
        for table in sorted(append_only_tables() & want.keys()):
            _revoke(cursor, table, _CHANGING)
        _revoke(cursor, "audit_due", ["SELECT", "INSERT", *_CHANGING])
        if "django_migrations" in want:
            _revoke(cursor, "django_migrations", ["INSERT", *_CHANGING])


def _revoke(cursor: CursorWrapper, table: str, privileges: list[str]) -> None:
    cursor.execute(_GRANTEES, [table, privileges])
    for (role,) in cursor.fetchall():
        cursor.execute(f'REVOKE {", ".join(privileges)} ON "{table}" FROM {role}')
