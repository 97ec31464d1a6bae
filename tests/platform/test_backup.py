"""A backup holds everything, is whole or no backup, and goes back into an empty place only."""

from __future__ import annotations

import io
import stat
import tarfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from lianfang import backup, embedded, roles
from lianfang.embedded import Cluster, Unavailable
from tests.database import FAST

AT = datetime(2026, 11, 23, 6, 32, tzinfo=UTC)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A server with a small database in which triggers and grants can be lost or kept."""
    import shutil
    import tempfile

    base = Path(tempfile.mkdtemp(prefix="lf-b-", dir="/tmp"))
    base.chmod(0o711)
    made = Cluster(base / "c", binaries=embedded.find_binaries(), options=FAST)
    made.start()
    made.provision()
    with made.connect(roles.OWNER, embedded.DATABASE) as connection:
        connection.execute("CREATE TABLE kept (a int PRIMARY KEY)")
        connection.execute("INSERT INTO kept SELECT generate_series(1, 1000)")
        connection.execute("REVOKE UPDATE, DELETE ON kept FROM lf_app")
    yield made
    made.stop()
    shutil.rmtree(base, ignore_errors=True)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    (folder / "files" / "ab").mkdir(parents=True)
    (folder / "files" / "ab" / "ab12").write_bytes(b"sealed")
    (folder / "files" / "ab" / ".half").write_bytes(b"being written")
    for name in ("master.key", "audit-signing.key", "secret.key"):
        (folder / name).write_text(name)
    return folder


@pytest.fixture
def made(cluster: Cluster, data: Path, tmp_path: Path) -> Path:
    return written(cluster, data, tmp_path / "b.tar")


def written(cluster: Cluster, data: Path, target: Path) -> Path:
    url = cluster.url(roles.OWNER)
    return backup.write(target=target, database=url, data=data, key_file=data / "master.key", demo=False, at=AT)


def test_there_and_back(cluster: Cluster, made: Path, tmp_path: Path) -> None:
    manifest = backup.read_manifest(made)
    assert manifest["at"] == AT.isoformat()
    assert stat.S_IMODE(made.stat().st_mode) == 0o600
    with cluster.connect() as connection:
        connection.execute("DROP DATABASE IF EXISTS back")
        connection.execute(roles.create_database("back"))
    url = cluster.url(roles.OWNER, "back")
    assert backup.target_is_empty(database=url)
    backup.restore_database(source=made, database=url)
    assert not backup.target_is_empty(database=url)
    with cluster.connect(roles.APP, "back") as connection:
        assert connection.execute("SELECT count(*) FROM kept").fetchone() == (1000,)
        assert connection.execute("SELECT has_table_privilege('kept', 'INSERT')").fetchone() == (True,)
        assert connection.execute("SELECT has_table_privilege('kept', 'UPDATE')").fetchone() == (False,)
    there = tmp_path / "there"
    backup.restore_files(source=made, data=there, key_file=there / "keys" / "master.key")
    assert (there / "files/ab/ab12").read_bytes() == b"sealed"
    assert not (there / "files/ab/.half").exists()
    assert (there / "keys/master.key").read_text() == "master.key"
    assert (there / "keys/audit-signing.key").read_text() == "audit-signing.key"
    assert (there / "secret.key").read_text() == "secret.key"
    with pytest.raises(Unavailable, match="writes over nothing"):
        backup.restore_files(source=made, data=there, key_file=there / "keys" / "master.key")


def test_a_folder_gets_a_dated_file(cluster: Cluster, data: Path, tmp_path: Path) -> None:
    assert written(cluster, data, tmp_path).name == "lianfang-20261123T063200Z.tar"


def test_nothing_is_written_over(cluster: Cluster, data: Path, made: Path) -> None:
    with pytest.raises(Unavailable, match="exists already"):
        written(cluster, data, made)


def test_nothing_is_left_of_a_failed_one(data: Path, tmp_path: Path) -> None:
    target = tmp_path / "out"
    target.mkdir()
    url = "postgresql://lf_owner@%2Fnonexistent/lianfang"
    with pytest.raises(Unavailable, match="does not answer"):
        backup.write(target=target, database=url, data=data, key_file=data / "master.key", demo=False, at=AT)
    assert not list(target.iterdir())


def test_a_changing_key_stops_it(cluster: Cluster, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dump = backup._dump

    def rotate(database: str, target: Path) -> None:
        dump(database, target)
        (data / "master.key").write_text("new")

    monkeypatch.setattr(backup, "_dump", rotate)
    with pytest.raises(Unavailable, match="being changed"):
        written(cluster, data, tmp_path / "x.tar")


def changed(source: Path, target: Path, *, name: str, content: bytes | None) -> Path:
    """A copy in which one part has other content, or is left out."""
    with tarfile.open(source) as old, tarfile.open(target, "w") as new:
        for entry in old:
            body = backup._member(old, entry).read()
            if entry.name == name:
                if content is None:
                    continue
                body = content
            entry.size = len(body)
            new.addfile(entry, io.BytesIO(body))
    return target


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("keys/master.key", b"other", "damaged"),
        ("database.dump", None, "damaged"),
        ("files/ab/ab12", b"tampered", "damaged"),
        ("manifest.json", None, "no whole backup"),
        ("manifest.json", b"{", "no whole backup"),
        ("manifest.json", b'{"format": 2}', "newer release"),
    ],
)
def test_a_damaged_one_is_refused(made: Path, tmp_path: Path, name: str, content: bytes | None, told: str) -> None:
    with pytest.raises(Unavailable, match=told):
        backup.read_manifest(changed(made, tmp_path / "c.tar", name=name, content=content))


def test_any_other_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("not a tar")
    with pytest.raises(Unavailable, match="no whole backup"):
        backup.read_manifest(tmp_path / "x")


@pytest.mark.parametrize("name", ["files/../../evil", "/etc/evil", "files/a/../../../evil"])
def test_a_prepared_archive_cannot_leave_the_folder(tmp_path: Path, name: str) -> None:
    with tarfile.open(tmp_path / "evil.tar", "w") as archive:
        backup._put(archive, name, b"evil")
    backup.restore_files(source=tmp_path / "evil.tar", data=tmp_path / "d", key_file=tmp_path / "d" / "master.key")
    assert not list(tmp_path.glob("**/evil"))


def test_a_dump_that_does_not_fit_is_told(cluster: Cluster, made: Path) -> None:
    with pytest.raises(Unavailable, match="pg_restore failed"):
        backup.restore_database(source=made, database=cluster.url(roles.OWNER))


def test_programs_of_another_major_are_refused(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    other = embedded.Binaries(Path("/nowhere"), "16.1")
    monkeypatch.setattr(embedded, "find_binaries", lambda: other)
    monkeypatch.setenv("LIANFANG_PG_BIN", "/nowhere")
    with pytest.raises(Unavailable, match="name the programs of PostgreSQL"):
        backup._program("pg_dump", cluster.url(roles.OWNER))
