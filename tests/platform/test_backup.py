"""A backup holds everything, is whole or no backup, and goes back into an empty place only."""

from __future__ import annotations

import io
import stat
import tarfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from lianfang import backup, cli, embedded, roles
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
    with cluster.connect(database="back") as connection:
        roles.grant(connection)  # as every database is made in which the product is to live
    url = cluster.url(roles.OWNER, "back")
    assert backup.target_is_empty(database=url)
    backup.restore_database(source=made, database=url)
    assert not backup.target_is_empty(database=url)
    with cluster.connect(roles.APP, "back") as connection:
        assert connection.execute("SELECT count(*) FROM kept").fetchone() == (1000,)
        assert connection.execute("SELECT has_table_privilege('kept', 'INSERT')").fetchone() == (True,)
        assert connection.execute("SELECT has_table_privilege('kept', 'UPDATE')").fetchone() == (False,)
    with cluster.connect(roles.OWNER, "back") as connection:
        connection.execute("CREATE TABLE later (a int)")  # what comes later is given by itself again
    with cluster.connect(roles.APP, "back") as connection:
        assert connection.execute("SELECT has_table_privilege('later', 'UPDATE')").fetchone() == (True,)
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
        ("manifest.json", b"[]", "no whole backup"),
        ("manifest.json", b"7", "no whole backup"),
        ("manifest.json", b"{}", "newer release"),
        ("manifest.json", b'{"format": 1}', "damaged"),
        ("manifest.json", b'{"format": 1, "sha256": {}}', "damaged"),
        ("keys/master.key", None, "damaged"),
        ("manifest.json", b'{"format": 2}', "newer release"),
    ],
)
def test_a_damaged_one_is_refused(made: Path, tmp_path: Path, name: str, content: bytes | None, told: str) -> None:
    with pytest.raises(Unavailable, match=told):
        backup.read_manifest(changed(made, tmp_path / "c.tar", name=name, content=content))


def test_cut_anywhere_it_is_refused_or_still_whole(made: Path, tmp_path: Path) -> None:
    whole, manifest = made.read_bytes(), backup.read_manifest(made)
    cut = tmp_path / "cut.tar"
    for size in [0, 1, 511, 512, 513, *range(1024, len(whole), max(512, len(whole) // 40)), len(whole) - 1]:
        cut.write_bytes(whole[:size])
        try:
            assert backup.read_manifest(cut) == manifest, size
        except Unavailable as refused:
            assert str(cut) in str(refused)  # noqa: PT017 - cut behind the last part it is still whole


def test_a_part_too_many_is_refused(made: Path, tmp_path: Path) -> None:
    more = tmp_path / "more.tar"
    more.write_bytes(made.read_bytes())
    with tarfile.open(more, "a") as archive:
        backup._put(archive, "files/ab/planted", b"evil")
    with pytest.raises(Unavailable, match="damaged"):
        backup.read_manifest(more)


def test_a_used_place_is_refused_before_anything_is_written(
    made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    used = tmp_path / "used"
    used.mkdir()
    (used / "master.key").write_text("somebody's")
    before = {path.name: path.read_bytes() for path in used.iterdir() if path.is_file()}
    assert cli.main(["--data", str(used), "restore", str(made)]) == 1
    said = capsys.readouterr().err
    assert "holds data already" in said
    assert len(said.splitlines()) == 1
    assert {path.name: path.read_bytes() for path in used.iterdir() if path.is_file()} == before


def test_a_used_database_is_refused_before_a_key_is_laid(
    cluster: Cluster, made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", cluster.url(roles.APP))
    monkeypatch.setenv("DATABASE_OWNER_URL", cluster.url(roles.OWNER))
    monkeypatch.setenv("LIANFANG_DATA", str(tmp_path / "empty"))
    monkeypatch.setenv("LIANFANG_KEY_FILE", str(tmp_path / "empty" / "master.key"))
    assert cli.main(["restore", str(made)]) == 1
    assert "holds tables already" in capsys.readouterr().err
    assert not (tmp_path / "empty" / "master.key").exists()


@pytest.mark.parametrize("name", ["none.tar", "folder", "text.tar"])
def test_restore_names_what_is_no_backup(tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "text.tar").write_text("no backup")
    assert cli.main(["--data", str(tmp_path / "d"), "restore", str(tmp_path / name)]) == 1
    assert name in capsys.readouterr().err
    assert not (tmp_path / "d").exists()


def test_a_key_that_is_there_is_never_written_over(made: Path, tmp_path: Path) -> None:
    data = tmp_path / "d"
    (data).mkdir()
    (data / "master.key").write_text("somebody's")
    with pytest.raises(Unavailable, match="writes over nothing"):
        backup.restore_files(source=made, data=data, key_file=data / "master.key")
    assert (data / "master.key").read_text() == "somebody's"


def test_a_backup_is_readable_by_its_owner_alone_also_while_it_is_made(
    cluster: Cluster, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []
    real = backup._pack

    def look(target: Path, **more: object) -> None:
        real(target, **more)  # type: ignore[arg-type]
        seen.extend(stat.S_IMODE(path.stat().st_mode) for path in target.parent.glob(".b2.tar*"))

    monkeypatch.setattr(backup, "_pack", look)
    made = written(cluster, data, tmp_path / "b2.tar")
    assert seen == [0o600, 0o600]
    assert [path.name for path in tmp_path.glob("*b2*")] == [made.name]


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
