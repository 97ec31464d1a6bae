"""A disk is full, under the database, its log of writes or the uploaded files: 503 with a time, never 500.

Once there is room all goes on, and nothing that was acknowledged is lost.
"""

from __future__ import annotations

import contextlib
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connections

from lianfang.embedded import Cluster
from lianfang.members import queries
from tests.exchange.stage import GREEN, indicator
from tests.faults.durable import restart
from tests.faults.test_database import Ground, below, ground, start, stop
from tests.members.cases import browser, draft
from tests.world import PDF, build

__all__ = ["below"]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(300)]


@contextlib.contextmanager
def small(folder: Path, mib: int) -> Iterator[Path]:
    """A disk of so many MiB at this folder."""
    folder.mkdir(parents=True, exist_ok=True)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={mib}m,mode=0711", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("only root can make a small disk")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(folder: Path) -> Path:
    """Take all the room that is left."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as out:
        for size in (2**20, 4096):
            with contextlib.suppress(OSError):
                while True:
                    out.write(b"\0" * size)
    return ballast


def _log_elsewhere(cluster: Cluster, place: Path) -> None:
    """Its log of writes on a disk of its own, as the handbook has it: a full disk then stops writing alone."""
    stop(cluster)
    subprocess.run(["cp", "-a", cluster.data / "pg_wal", place], check=True)
    shutil.rmtree(cluster.data / "pg_wal")
    (cluster.data / "pg_wal").symlink_to(place / "pg_wal")
    start(cluster)


def _until_full(here: Ground) -> None:
    for number in range(200):
        # Nothing that could be compressed: what stands in the log of writes already is used up first.
        if here.add(indicator(number, description=secrets.token_hex(400_000), object_marking_refs=[GREEN])) == 503:
            return
    raise AssertionError("it never ran out of room")


def _goes_on(here: Ground) -> None:
    for act, status in ((here.add, 202), (here.read, 200), (here.page, 200)):
        here.until(act, status)
    here.each_once()
    assert "Internal Server Error" not in here.server.said()


def test_the_database_has_no_room(below: Path, tmp_path: Path) -> None:
    elsewhere = below / "log"
    elsewhere.mkdir()
    elsewhere.chmod(0o711)
    with small(below / "disk", 220) as disk, ground(disk, tmp_path) as here:
        connections.close_all()
        _log_elsewhere(here.cluster, elsewhere)
        here.until(here.add, 202)
        here.until(here.read, 200)
        ballast = fill(disk)
        _until_full(here)
        # Reading goes on, as far as it leaves no trace; what has to leave one says when to come back.
        assert [here.page() for _ in range(5)] == [200] * 5
        assert here.read() in (200, 503)
        ballast.unlink()
        _goes_on(here)


def test_the_log_of_writes_has_no_room(below: Path, tmp_path: Path) -> None:
    """PostgreSQL stops rather than acknowledge what it cannot write, and recovers by itself where it still runs."""
    with small(below / "log", 160) as disk, ground(below / "disk", tmp_path) as here:
        connections.close_all()
        _log_elsewhere(here.cluster, disk)
        here.until(here.add, 202)
        ballast = fill(disk)
        _until_full(here)
        assert here.page() == 503
        ballast.unlink()
        assert here.cluster.process is not None
        if here.cluster.process.poll() is not None:  # its supervisor's part
            restart(here.cluster)
        _goes_on(here)


def test_an_uploaded_file_has_no_room() -> None:
    application = draft(build())
    client = browser()
    client.raise_request_exception = False
    client.post(f"/apply/resume/{application.secret}")

    def hand_in() -> int:
        file = SimpleUploadedFile("登記.pdf", PDF + b"2%%EOF\n")
        answer = client.post("/apply/step/attachments", {"registration": file, "upload": "1"})
        assert answer.status_code != 503 or answer["Retry-After"] == "60"
        return answer.status_code

    before = queries.file_counts(application)["registration"]
    with small(Path(settings.DATA_DIR) / "files", 1) as disk:
        ballast = fill(disk)
        assert [hand_in() for _ in range(3)] == [503] * 3
        assert queries.file_counts(application) == {"registration": before}
        ballast.unlink()
        left = [path for path in disk.rglob("*") if path.is_file()]
        assert left == [], "what could not be written whole was left behind"
        assert hand_in() == 302
        assert queries.file_counts(application) == {"registration": before + 1}
