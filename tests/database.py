"""The PostgreSQL of a test run: private to the process, so several runs (and pytest-xdist's workers) never meet.

A migrated cluster is kept as a snapshot, named by a hash of whatever shapes the database, and each run starts on its
own copy: the copy takes a fraction of a second, migrating takes many.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import psycopg
from psycopg import sql

from lianfang import embedded
from lianfang.embedded import Cluster

ROOT = Path(__file__).resolve().parent.parent
FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "wal_level=minimal", "max_wal_senders=0")
KEPT_SNAPSHOTS = 12
# Written by migrating, read by Django's caches, changed by no test.
REFERENCE = ("django_content_type", "django_migrations", "auth_permission")

_SHAPING = (
    "config/settings.py",
    "requirements/runtime.lock",
    "tests/database.py",
    "lianfang/*.py",
    "lianfang/audit/*.py",
    "lianfang/vault/*.py",
    "lianfang/policy/*.py",
    "lianfang/*/apps.py",
    "lianfang/*/models.py",
    "lianfang/*/models/*.py",
    "lianfang/*/lifecycle.py",
    "lianfang/*/*sql*.py",
    "lianfang/*/migrations/*.py",
)


class DoesNotMigrate(Exception):
    """The tree as it stands makes no database; the text is what the migration said."""


def place() -> Path:
    """A new folder for one process' server and data; folders of dead processes are removed on the way."""
    for old in Path("/tmp").glob("lf-test-*"):
        pid = old.name.split("-")[2]
        if pid.isdigit() and not Path(f"/proc/{pid}").exists() and old.stat().st_uid == os.geteuid():
            shutil.rmtree(old, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=f"lf-test-{os.getpid()}-", dir="/tmp"))
    # The server may run as `nobody` and must get through to its own folders below.
    folder.chmod(0o711)
    return folder


def start(cluster: Cluster) -> None:
    """Copy the snapshot for this tree (made first where it is missing) and start on it. Raises DoesNotMigrate."""
    store = _store()
    store.mkdir(mode=0o755, parents=True, exist_ok=True)
    with embedded.locked(store / "lock", wait=True):
        snapshot = store / _shape(cluster.binaries.version)
        if not snapshot.exists():
            _build(snapshot)
        os.utime(snapshot)
        cluster.base.mkdir(parents=True, exist_ok=True)
        cluster.base.chmod(0o711)
        # cp keeps the owner, which for root is the server's own user.
        subprocess.run(["cp", "-a", "--reflink=auto", snapshot / "pg", cluster.data], check=True, timeout=60)
    cluster.start()


def _store() -> Path:
    if embedded.is_root():
        return embedded.ROOT_STORE / "tests"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "lianfang-tests"


def _shape(version: str) -> str:
    files = sorted({path for pattern in _SHAPING for path in ROOT.glob(pattern)})
    whole = hashlib.sha256(version.encode())
    for path in files:
        whole.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes() + b"\0")
    return whole.hexdigest()[:16]


def _build(snapshot: Path) -> None:
    making = Path(tempfile.mkdtemp(prefix="lf-build-", dir="/tmp"))
    making.chmod(0o711)
    cluster = Cluster(making / "c", binaries=embedded.find_binaries(), options=FAST)
    try:
        cluster.start()
        cluster.provision()
        _migrate(cluster)
        with cluster.connect(database=embedded.DATABASE) as connection:
            _keep_baseline(connection)
        cluster.stop()
        partial = snapshot.with_name(f".{snapshot.name}")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(mode=0o755)
        subprocess.run(["cp", "-a", "--reflink=auto", cluster.data, partial / "pg"], check=True, timeout=60)
        partial.rename(snapshot)
    finally:
        cluster.stop()
        shutil.rmtree(making, ignore_errors=True)
    finished = sorted(
        (path for path in snapshot.parent.glob("[!.]*") if path.is_dir()), key=lambda p: p.stat().st_mtime
    )
    for old in finished[:-KEPT_SNAPSHOTS]:
        shutil.rmtree(old, ignore_errors=True)


def _migrate(cluster: Cluster) -> None:
    # The product's own settings: migrating is the same step here as at an operator's.
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "config.settings"}
    environment |= {"DATABASE_OWNER_URL": cluster.url("lf_owner"), "DATABASE_URL": cluster.url("lf_app")}
    done = subprocess.run(
        [sys.executable, "-m", "lianfang", "migrate"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    if done.returncode:
        raise DoesNotMigrate((done.stderr or done.stdout).strip())


def _tables(connection: psycopg.Connection) -> list[str]:
    rows = connection.execute(
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' ORDER BY relname"
    )
    return [name for (name,) in rows if name not in REFERENCE]


def _filled(connection: psycopg.Connection, tables: list[str]) -> list[str]:
    if not tables:
        return []
    asked = sql.SQL(" UNION ALL ").join(
        sql.SQL("SELECT {name} WHERE EXISTS (SELECT 1 FROM public.{table})").format(
            name=sql.Literal(name), table=sql.Identifier(name)
        )
        for name in tables
    )
    return [name for (name,) in connection.execute(asked)]


def _keep_baseline(connection: psycopg.Connection) -> None:
    """Rows that migrating leaves (a counter, an epoch, built-in labels) must be there again after each real commit."""
    connection.execute("CREATE SCHEMA lf_baseline")
    for name in _filled(connection, _tables(connection)):
        table = sql.Identifier(name)
        connection.execute(sql.SQL("CREATE TABLE lf_baseline.{0} AS TABLE public.{0}").format(table))


def reset(cluster: Cluster) -> None:
    """Bring every table back to what migrating left, as the superuser and without triggers.

    `lf_app` may not TRUNCATE and the append-only tables refuse it from anybody, which is as it should be.
    """
    with psycopg.connect(cluster.url("postgres"), connect_timeout=10) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute("SET lock_timeout = '10s'")
        filled = _filled(connection, _tables(connection))
        if filled:
            names = sql.SQL(", ").join(sql.Identifier("public", name) for name in filled)
            connection.execute(sql.SQL("TRUNCATE {} RESTART IDENTITY CASCADE").format(names))
        kept = connection.execute("SELECT relname FROM pg_class WHERE relnamespace = 'lf_baseline'::regnamespace")
        for (name,) in kept.fetchall():
            _restore(connection, name)


def _restore(connection: psycopg.Connection, name: str) -> None:
    table = sql.Identifier(name)
    connection.execute(
        sql.SQL("INSERT INTO public.{0} OVERRIDING SYSTEM VALUE SELECT * FROM lf_baseline.{0}").format(table)
    )
    numbered = connection.execute(
        "SELECT attname, pg_get_serial_sequence(%s, attname) FROM pg_attribute "
        "WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped",
        [f'public."{name}"', f'public."{name}"'],
    ).fetchall()
    for column, sequence in numbered:
        if sequence is not None:
            highest = sql.SQL("SELECT setval(%s, coalesce(max({}), 0) + 1, false) FROM public.{}")
            connection.execute(highest.format(sql.Identifier(column), table), [sequence])


PLACE = place()
# Known before it runs: the settings need its address.
CLUSTER = Cluster(PLACE / "cluster", binaries=embedded.find_binaries(), options=FAST)
