"""A private PostgreSQL, to be killed, as it is set in production: a commit is on the disk before it is acknowledged.

The ordinary server of the tests has all that switched off.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

from django.db import connections

from lianfang import embedded
from lianfang.embedded import Cluster
from tests import database

# The last is how recovery brings what it finds to the disk: one call for the file system, not one for each file.
DURABLE = ("fsync=on", "synchronous_commit=on", "full_page_writes=on", "recovery_init_sync_method=syncfs")


@contextlib.contextmanager
def durable(folder: Path) -> Iterator[Cluster]:
    """A migrated cluster below `folder`, to which Django is connected until the end of the block."""
    cluster = Cluster(folder / "c", binaries=embedded.find_binaries(), options=DURABLE)
    database.start(cluster)
    settings = connections["default"].settings_dict
    kept = settings["HOST"]
    connections.close_all()
    settings["HOST"] = str(cluster.sockets)
    try:
        yield cluster
    finally:
        connections.close_all()
        settings["HOST"] = kept
        cluster.stop()


def kill(cluster: Cluster) -> None:
    """SIGKILL the postmaster and every one of its processes, of which none can tidy up."""
    process = cluster.process
    assert process is not None
    process.send_signal(signal.SIGSTOP)  # it starts nothing in the place of the dead
    children = _children(process.pid)
    assert len(children) > 3
    for pid in children:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    process.kill()
    process.wait(20)
    end = time.monotonic() + 20
    while any(_running(pid) for pid in children):
        assert time.monotonic() < end
        time.sleep(0.002)


def restart(cluster: Cluster) -> None:
    """Start it again, as the supervisor does: PostgreSQL recovers from its log of writes."""
    before = cluster.log.read_text(errors="replace").count("automatic recovery in progress")
    connections.close_all()  # ours; the processes under test have to find out by themselves
    # Not by stop and start: the lock on its folder is held by our forked children, too, which would never let go.
    cluster._drop_stale_pid()
    cluster._launch()
    assert cluster.log.read_text(errors="replace").count("automatic recovery in progress") == before + 1


def _children(parent: int) -> list[int]:
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with contextlib.suppress(OSError):
                if int(_stat(int(folder.name))[1]) == parent:
                    found.append(int(folder.name))
    return found


def _running(pid: int) -> bool:
    try:
        return _stat(pid)[0] != "Z"
    except OSError:
        return False


def _stat(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
