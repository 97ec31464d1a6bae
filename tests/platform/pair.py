"""A primary and its synchronous standby from the embedded binaries, made, killed, promoted and joined again.

The steps are those of the operator's handbook (Primary and standby), where they are followed by hand.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import psycopg

from lianfang import embedded
from lianfang.embedded import Cluster
from tests import database
from tests.faults.durable import DURABLE, kill

OPTIONS = (
    *DURABLE, "wal_level=replica", "max_wal_senders=6", "max_replication_slots=6", "wal_keep_size=64MB",
    "hot_standby=on", "wal_log_hints=on",
)  # fmt: skip


class Pair:
    """Two clusters below one folder; `primary` is the one that takes writes."""

    def __init__(self, base: Path) -> None:
        binaries = embedded.find_binaries()
        self.primary = Cluster(base / "a", binaries=binaries, options=OPTIONS)
        self.standby = Cluster(base / "b", binaries=binaries, options=OPTIONS)
        self.both = [self.primary, self.standby]

    def url(self, role: str) -> str:
        """The address with both hosts, in an order that never changes."""
        places = ",".join(quote(str(one.sockets), safe="") for one in self.both)
        return f"postgresql://{role}@{places}/{embedded.DATABASE}"

    def begin(self) -> None:
        """A migrated primary, its standby, and commits that wait for it."""
        database.start(self.primary)
        _let_the_server_in(self.primary)
        self._copy()
        self.standby.start()
        _let_the_server_in(self.standby)
        self.wait_for_it()

    def wait_for_it(self) -> None:
        """Have commits wait for the standby, once it follows."""
        name = self.standby.base.name
        with self.primary.connect() as connection:
            connection.execute(f"ALTER SYSTEM SET synchronous_standby_names = 'FIRST 1 ({name})'")
            connection.execute("SELECT pg_reload_conf()")
            asked = "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync' AND state = 'streaming'"
            until(lambda: connection.execute(asked).fetchone() == (1,), "the standby does not follow")

    def kill(self) -> None:
        """SIGKILL the primary and every process of it."""
        kill(self.primary)
        self.primary._held.close()

    def promote(self) -> None:
        """Make the standby the primary. It waits for no standby of its own until one is named."""
        with self.standby.connect() as connection:
            assert connection.execute("SELECT pg_promote(wait => true, wait_seconds => 30)").fetchone() == (True,)
        self.primary, self.standby = self.standby, self.primary

    def rejoin(self) -> None:
        """Bring the old primary back as the standby of the new one."""
        old, new = self.standby, self.primary
        (old.data / "postmaster.pid").unlink(missing_ok=True)
        source = f"host={new.sockets} user=postgres dbname=postgres"
        with new.connect() as connection:
            # It has to know where the timelines part, which a checkpoint writes down.
            connection.execute("CHECKPOINT")
        # A server that was killed recovers once, alone and without a client, before it is compared.
        self._run(old, "postgres", "--single", "-D", str(old.data), "postgres", given="")
        self._run(old, "pg_rewind", "-D", str(old.data), "--source-server", source, "-R")
        self._follow(old, new)
        old.start()
        _let_the_server_in(old)
        self.wait_for_it()

    def stop(self) -> None:
        """Stop both."""
        for cluster in self.both:
            cluster.stop()

    def _copy(self) -> None:
        new = self.standby
        new.base.mkdir(parents=True, exist_ok=True)
        new.base.chmod(0o711)
        new.data.mkdir(mode=0o700)
        new._give(new.data)
        source = f"host={self.primary.sockets} user=postgres"
        self._run(new, "pg_basebackup", "-D", str(new.data), "-d", source, "-R", "-X", "stream", "-c", "fast")
        self._follow(new, self.primary)

    def _follow(self, standby: Cluster, primary: Cluster) -> None:
        """The slot on the primary; name and source in the standby's own settings (the last line of each wins)."""
        name = standby.base.name
        with primary.connect() as connection:
            if not connection.execute("SELECT 1 FROM pg_replication_slots WHERE slot_name = %s", [name]).fetchone():
                connection.execute("SELECT pg_create_physical_replication_slot(%s, true)", [name])
            # What this one kept for the other when roles were changed.
            others = "FROM pg_replication_slots WHERE slot_name <> %s AND NOT active"
            connection.execute(f"SELECT pg_drop_replication_slot(slot_name) {others}", [name])
        with (standby.data / "postgresql.auto.conf").open("a") as settings:
            source = f"host={primary.sockets} user=postgres application_name={name}"
            settings.write(f"primary_conninfo = '{source}'\nprimary_slot_name = '{name}'\n")
            settings.write("synchronous_standby_names = ''\n")

    def _run(self, cluster: Cluster, program: str, *words: str, given: str | None = None) -> None:
        done = subprocess.run(
            [*embedded._as_server(), cluster.binaries / program, *words],
            cwd="/",
            env=embedded._ENVIRONMENT | {"PGAPPNAME": program},
            input=given,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, f"{program}: {done.stdout}{done.stderr}"


def _let_the_server_in(cluster: Cluster) -> None:
    """The standby connects under the server's own user, which is not ours when we are root."""
    ident = cluster.base / "pg_ident.conf"
    if embedded.is_root() and "nobody" not in ident.read_text():
        ident.write_text(ident.read_text() + 'lf "nobody" postgres\n')
    with cluster.connect() as connection:
        connection.execute("SELECT pg_reload_conf()")


def until(so: Callable[[], bool], words: str, seconds: float = 30) -> None:
    """Wait for something that others bring about."""
    end = time.monotonic() + seconds
    while True:
        try:
            if so():
                return
        except (psycopg.OperationalError, OSError):
            pass
        assert time.monotonic() < end, words
        time.sleep(0.02)
