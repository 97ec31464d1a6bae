"""The two log-ins of the database and what each may do.

`lf_owner` migrates and owns everything; only the step that migrates knows its address. `lf_app` reads and writes rows
and nothing else: it owns no table, may not TRUNCATE, alter, switch triggers off or become the owner. Default privileges
carry this to every later table, so a migration has only to take away (append-only tables), never to give.
"""

from __future__ import annotations

import psycopg

__all__ = ["APP", "OWNER", "create_database", "grant", "make_logins", "script", "set_defaults"]

OWNER = "lf_owner"
APP = "lf_app"

# Held by the role, not by code: a forgotten connection option cannot switch them off. A second list for the owner is
# not needed: migrations may take as long as they take.
_APP_LIMITS = {"statement_timeout": "15s", "lock_timeout": "5s", "idle_in_transaction_session_timeout": "30s"}

_BY_DEFAULT = f"ALTER DEFAULT PRIVILEGES FOR ROLE {OWNER} IN SCHEMA public"
_DEFAULTS = (
    f"{_BY_DEFAULT} GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {APP}",  # never TRUNCATE
    f"{_BY_DEFAULT} GRANT USAGE, SELECT ON SEQUENCES TO {APP}",
)
_GRANTS = (
    f"ALTER SCHEMA public OWNER TO {OWNER}",
    "REVOKE CREATE ON SCHEMA public FROM public",
    f"GRANT USAGE ON SCHEMA public TO {APP}",
    *_DEFAULTS,
)


def make_logins(connection: psycopg.Connection) -> None:
    """Make both roles where they are missing and set the limits of `lf_app`; needs a superuser."""
    for name in (OWNER, APP):
        if connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [name]).fetchone() is None:
            connection.execute(f"CREATE ROLE {name} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS")
    for setting, value in _APP_LIMITS.items():
        connection.execute(f"ALTER ROLE {APP} SET {setting} = '{value}'")


def grant(connection: psycopg.Connection) -> None:
    """Give `lf_app` its rights in the database of `connection`, present and future; before the first migration."""
    for statement in _GRANTS:
        connection.execute(statement)


def set_defaults(connection: psycopg.Connection, *, on: bool) -> None:
    """Switch on or off what `lf_app` gets on each table that is made from now on; the owner may.

    Off while a dump is played: it says what was given, and not what was taken away from what comes by itself.
    """
    for statement in _DEFAULTS:
        other = statement.replace(" GRANT ", " REVOKE ").replace(f" TO {APP}", f" FROM {APP}")
        connection.execute(statement if on else other)


def script(*, database: str) -> str:
    """The same as SQL for an administrator of a PostgreSQL of his own; passwords are his to set."""
    lines = [f"CREATE ROLE {name} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS;" for name in (OWNER, APP)]
    lines += [f"ALTER ROLE {APP} SET {setting} = '{value}';" for setting, value in _APP_LIMITS.items()]
    lines.append(f"{create_database(database)};")
    lines.append(f"\\connect {_quoted(database)}")
    lines += [f"{statement};" for statement in _GRANTS]
    return "\n".join(lines) + "\n"


def create_database(name: str) -> str:
    """UTF8 and C.UTF-8: order and search must not change with the machine's locale."""
    return (
        f"CREATE DATABASE {_quoted(name)} OWNER {OWNER} TEMPLATE template0 "
        "ENCODING 'UTF8' LC_COLLATE 'C.UTF-8' LC_CTYPE 'C.UTF-8'"
    )


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
