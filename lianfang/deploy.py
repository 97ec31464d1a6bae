"""`lianfang check --deploy`: what is missing before real people's data may be entrusted to this installation."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection

from lianfang import health, roles
from lianfang.audit import guard
from lianfang.health import Check
from lianfang.kernel.clock import utcnow

__all__ = ["findings", "guards"]

OLDEST_MAJOR = 15
CLOCK_SECONDS = 2


def findings() -> list[Check]:
    """Every check in a fixed order; also those that pass, so that an operator sees what was looked at."""
    found = health.checks()
    if not all(check.ok for check in found[:2]):
        return found  # the others could not be asked
    return [*found, *_settings(), *_server(), *_log_in(), *guards()]


def _settings() -> Iterator[Check]:
    yield Check("demo", ok=not settings.DEMO, said="LIANFANG_DEMO is " + ("on" if settings.DEMO else "off"))
    yield Check("https", ok=settings.SECURE, said=f"LIANFANG_BASE_URL is {settings.BASE_URL}")
    key = Path(settings.KEY_FILE)
    private = key.exists() and not key.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO)
    words = "is private" if private else "is missing, or others can read it"
    yield Check("master key", ok=private, said=f"{key} {words}")
    length = len(settings.SECRET_KEY)
    one, agreed = settings.MAX_BODY, settings.DATA_UPLOAD_MAX_MEMORY_SIZE == settings.MAX_BODY
    words = f"bodies up to {one} bytes are taken; let the proxy pass more (nginx: client_max_body_size {_above(one)})"
    yield Check("body size", ok=agreed, said=words)
    yield Check("secret key", ok=length >= 50, said=f"LIANFANG_SECRET_KEY has {length} characters (wanted: 50 or more)")


def _above(limit: int) -> str:
    """Whole MiB above a limit: what is too long is told so by us, in the standard's own form, not by the proxy."""
    return f"{limit // 1024**2 + 1}m"


def _server() -> Iterator[Check]:
    major = int(_row("SHOW server_version_num")[0]) // 10000
    yield Check("server", ok=major >= OLDEST_MAJOR, said=f"PostgreSQL {major}")
    encoding, collation, locale = _row(
        "SELECT pg_encoding_to_char(encoding), datcollate, datctype FROM pg_database WHERE datname = current_database()"
    )
    right = encoding == "UTF8" and {collation, locale} <= {"C.UTF-8", "C.utf8"}
    yield Check("encoding", ok=right, said=f"{encoding}, {collation}, {locale} (wanted: UTF8, C.UTF-8)")
    for name in ("fsync", "full_page_writes"):
        value = _row(f"SHOW {name}")[0]
        yield Check(name, ok=value == "on", said=f"is {value}")
    yield from _standby()
    socket, encrypted = _row("SELECT inet_client_addr() IS NULL, ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
    words = "by a socket of this machine" if socket else f"over the network, {'with' if encrypted else 'without'} TLS"
    yield Check("way to the server", ok=socket or encrypted, said=words)
    before = utcnow()
    (server,) = _row("SELECT clock_timestamp()")
    apart = abs((server - before).total_seconds())
    yield Check("clock", ok=apart <= CLOCK_SECONDS, said=f"{apart:.1f} s from the server's (limit {CLOCK_SECONDS} s)")


def _standby() -> Iterator[Check]:
    """A standby is meant where one is connected, has a slot, or is named beside the primary in DATABASE_URL."""
    (connected,) = _row("SELECT count(*) FROM pg_stat_replication")
    (slots,) = _row("SELECT count(*) FROM pg_replication_slots WHERE slot_type = 'physical'")
    hosts, names = health.hosts(), health.synchronous()
    meant = connected or slots or hosts > 1
    said = f"{hosts} host{'s' * (hosts > 1)} in DATABASE_URL, {connected} connected, {slots} slots"
    yield Check("standby", ok=bool(names) or not meant, said=f"{said}; commits wait for {names or 'none'}")


def _log_in() -> Iterator[Check]:
    name, mighty = _row(
        "SELECT rolname, rolsuper OR rolcreaterole OR rolcreatedb OR rolbypassrls OR rolreplication "
        "FROM pg_roles WHERE rolname = current_user"
    )
    yield Check("log-in", ok=not mighty, said=f"{name} has {'' if mighty else 'no '}rights over the server")
    (owned,) = _row("SELECT count(*) FROM pg_class WHERE relowner = current_user::regrole")
    yield Check("ownership", ok=owned == 0, said=f"{name} owns {owned} tables (wanted: none; {roles.OWNER} owns them)")
    (truncated,) = _row(
        "SELECT count(*) FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace "
        "AND has_table_privilege(oid, 'TRUNCATE')"
    )
    yield Check("truncate", ok=truncated == 0, said=f"{name} may empty {truncated} tables")


def guards() -> Iterator[Check]:
    """Triggers on every table that is to be audited, and no right to change what is append-only."""
    with connection.cursor() as cursor:
        present = guard.tables(cursor)
        have = guard.installed(cursor)
        wanted = guard.wanted(present)
        missing = sorted(table for table, names in wanted.items() if names - have.get(table, set()))
        words = f"missing on {', '.join(missing)}" if missing else "on every table"
        yield Check("audit guard", ok=not missing, said=words)
        loose = []
        for table in sorted(guard.append_only_tables() & set(present)):
            cursor.execute("SELECT has_table_privilege(%s, 'UPDATE, DELETE, TRUNCATE')", [table])
            if cursor.fetchone()[0]:
                loose.append(table)
    yield Check("append-only", ok=not loose, said=f"may be changed: {', '.join(loose)}" if loose else "as listed")


def _row(statement: str) -> tuple[Any, ...]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        row: tuple[Any, ...] = cursor.fetchone()
    return row
