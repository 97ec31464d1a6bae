"""`./run` from outside: it starts, says what it does, refuses in one sentence, and leaves nothing behind."""

from __future__ import annotations

import json
import os
import shutil
import signal
import stat
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lianfang import embedded
from tests.platform.running import Run, command, gone

pytestmark = pytest.mark.timeout(400)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder for data, whose databases (for root they lie elsewhere) are removed at the end."""
    folder = tmp_path_factory.mktemp("run").resolve()
    yield folder
    for data in folder.iterdir():
        if data.is_dir() and embedded.is_root():
            shutil.rmtree(embedded.store_for(data), ignore_errors=True)


@pytest.fixture(scope="module")
def running(place: Path) -> Iterator[Run]:
    """An installation without demo, just started for the first time."""
    run = Run(place / "data", "--no-demo").ready()
    yield run
    run.stop()


def test_says_each_step_and_what_to_do_next(running: Run) -> None:
    for step in ("PostgreSQL", "Database brought to this release", "Worker", "Web server", "Ready"):
        assert step in running.said
    assert f"http://localhost:{running.port}" in running.said
    assert "bootstrap EMAIL EMAIL" in running.said


def test_answers(running: Run) -> None:
    assert running.eventually("/healthz") == "ok\n"
    ready = json.loads(running.eventually("/readyz"))
    assert set(ready["checks"]) == {"database", "migrations", "worker", "sequencer", "outbox"}
    assert running.get("/")[0] == 200


def test_secrets_are_private(running: Run) -> None:
    for name in ("master.key", "secret.key", "environment"):
        assert stat.S_IMODE((running.data / name).stat().st_mode) == 0o600
    assert stat.S_IMODE(running.data.stat().st_mode) == 0o700


def test_web_and_worker_do_not_know_the_owner(running: Run) -> None:
    for name, pid in running.children().items():
        if name != "postgres":
            assert b"DATABASE_OWNER_URL" not in Path(f"/proc/{pid}/environ").read_bytes(), name


@pytest.mark.skipif(not embedded.is_root(), reason="an ordinary user's server runs as himself")
def test_the_server_never_runs_as_root(running: Run) -> None:
    pid = running.children()["postgres"]
    assert Path(f"/proc/{pid}").stat().st_uid != 0


def test_taken_port(running: Run, place: Path) -> None:
    said = Run(place / "other", "--no-demo", port=running.port).refused()
    assert str(running.port) in said
    assert "--port" in said


def test_a_second_run_on_the_same_folder(running: Run) -> None:
    assert "already running" in Run(running.data, "--no-demo").refused()


def test_commands_reach_the_running_installation(running: Run) -> None:
    running.eventually("/readyz")
    first = command("--data", str(running.data), "bootstrap", "a@example.com", "b@example.com")
    assert first.returncode == 0, first.stderr
    assert first.stdout.count("/invite/") == 2
    second = command("--data", str(running.data), "bootstrap", "c@example.com", "d@example.com")
    assert second.returncode == 1
    assert "Traceback" not in second.stderr
    verified = command("--data", str(running.data), "audit", "verify")
    assert verified.returncode == 0, verified.stdout + verified.stderr


def test_backup_and_restore_of_a_whole_installation(running: Run, place: Path) -> None:
    """Running or stopped makes no difference; what comes back verifies against a checkpoint from before."""
    data, back = running.data, place / "back"
    command("--data", str(data), "bootstrap", "a@example.com", "b@example.com")  # where the test before it did not run
    checkpoint = command("--data", str(data), "audit", "checkpoint")
    assert checkpoint.returncode == 0, checkpoint.stderr
    (place / "checkpoint").write_text(checkpoint.stdout)
    made = command("--data", str(data), "backup", str(place / "running.tar"))
    assert made.returncode == 0, made.stderr

    restored = command("--data", str(back), "restore", str(place / "running.tar"))
    assert restored.returncode == 0, restored.stdout + restored.stderr
    assert "all as signed" in restored.stdout
    again = command("--data", str(back), "restore", str(place / "running.tar"))
    assert again.returncode == 1
    assert "empty folder only" in again.stderr
    refused = command("--data", str(back), "bootstrap", "c@example.com", "d@example.com")
    assert refused.returncode == 1  # the first two came back
    assert command("--data", str(back), "backup", str(place / "stopped.tar")).returncode == 0

    # The drill: the copy of the copy, against the checkpoint of the first; the shell's own installation is left alone.
    drilled = command(
        "drill", str(place / "stopped.tar"), "--checkpoint", str(place / "checkpoint"), "--into", str(place),
        DATABASE_URL="postgresql://lf_app@nowhere.example/lianfang",
    )  # fmt: skip
    assert drilled.returncode == 0, drilled.stdout + drilled.stderr
    for said in ("ok   ledger: ", "ok   personal data: ", "ok   files: ", "ok   policy: ", "ok   former members: "):
        assert said in drilled.stdout
    assert not list(place.glob("lianfang-drill-*"))
    scratch = next(word for word in drilled.stdout.split() if "lianfang-drill-" in word)
    assert not embedded.store_for(Path(scratch)).exists()


def test_killed_children_are_started_again(running: Run) -> None:
    before = running.children()
    for kind in ("postgres", "gunicorn", "procrastinate"):
        os.kill(before[kind], signal.SIGKILL)
    assert gone([before[kind] for kind in ("postgres", "gunicorn", "procrastinate")])
    end = time.monotonic() + 30
    while set(running.children()) != set(before) and time.monotonic() < end:
        time.sleep(0.2)
    running.eventually("/readyz")
    assert running.get("/")[0] == 200
    assert not set(running.children().values()) & {before["postgres"], before["gunicorn"], before["procrastinate"]}


def test_life_of_a_folder(running: Run) -> None:
    """Stopped, started again in seconds, killed, mixed up, moved, broken: nothing is lost and each refusal is plain."""
    data = running.data
    command("--data", str(data), "bootstrap", "a@example.com", "b@example.com")
    children = list(running.children().values())
    assert running.stop() == 0
    assert gone(children)

    again = Run(data, "--no-demo").ready()
    refused = command("--data", str(data), "bootstrap", "c@example.com", "d@example.com")
    assert refused.returncode == 1  # the first two are still there

    children = list(again.children().values())
    again.process.kill()
    again.process.wait(10)
    assert gone(children)

    assert "--no-demo" in Run(data).refused()
    _moved(data)
    _without_key(data)
    _broken(data)


def _moved(data: Path) -> None:
    elsewhere = data.with_name("elsewhere")
    data.rename(elsewhere)
    if embedded.is_root():
        assert "was moved" in Run(elsewhere, "--no-demo").refused()
    elsewhere.rename(data)


def _without_key(data: Path) -> None:
    key = data / "master.key"
    key.rename(data / "kept")
    assert "master.key is missing" in Run(data, "--no-demo").refused()
    (data / "kept").rename(key)


def _broken(data: Path) -> None:
    version = embedded.store_for(data) / "pg" / "PG_VERSION"
    right = version.read_text()
    version.write_text("17\n")
    assert "PostgreSQL 17" in Run(data, "--no-demo").refused()
    version.write_text("garbage")
    assert "no PostgreSQL cluster or a broken one" in Run(data, "--no-demo").refused()
    version.write_text(right)
    (data / "folder.json").write_text("{")
    assert "folder.json cannot be read" in Run(data, "--no-demo").refused()


@pytest.mark.parametrize(
    ("words", "more", "told"),
    [
        ((), {"DATABASE_URL": "postgresql://a@localhost/b"}, "DATABASE_URL is set"),
        (("--bind", "0.0.0.0"), {}, "on this machine alone"),
        (("--no-demo", "--reset"), {"DATABASE_URL": "postgresql://a@localhost/b"}, "--reset"),
        ((), {"LIANFANG_PG_BIN": "/nonexistent"}, "LIANFANG_PG_BIN"),
    ],
)
def test_contradictions_are_refused(place: Path, words: tuple[str, ...], more: dict[str, str], told: str) -> None:
    assert told in Run(place / "never", *words, **more).refused()


def test_a_file_is_no_folder(place: Path) -> None:
    (place / "file").write_text("")
    assert "cannot be used" in Run(place / "file", "--no-demo").refused()


def test_stopped_while_it_prepares(place: Path) -> None:
    run = Run(place / "interrupted", "--no-demo")
    end = time.monotonic() + 30
    while "PostgreSQL" not in run.said and time.monotonic() < end:
        time.sleep(0.05)
    children = list(run.children().values())
    assert run.stop(signal.SIGINT) == 0
    assert "Traceback" not in run.said
    assert gone(children)


def test_commands_without_an_installation(place: Path) -> None:
    done = command("--data", str(place / "nothing"), "audit", "verify")
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "start it once with ./run" in done.stderr


def test_a_database_of_the_operator(place: Path, base: Path) -> None:
    """`--no-demo` with addresses: nothing embedded is started, and only the migrating step gets the owner's."""
    from tests.database import FAST

    cluster = embedded.Cluster(base / "c", binaries=embedded.find_binaries(), options=FAST)
    cluster.start()
    try:
        cluster.provision()
        outside = {"DATABASE_URL": cluster.url("lf_app"), "DATABASE_OWNER_URL": cluster.url("lf_owner")}
        run = Run(place / "outside", "--no-demo", **outside).ready()
        try:
            assert set(run.children()) == {"gunicorn", "procrastinate"}
            assert "Database brought to this release" in run.said
            run.eventually("/readyz")
            found = command("check", "--deploy", LIANFANG_DATA=str(run.data), LIANFANG_SECRET_KEY="k" * 60, **outside)
            assert "ok   audit guard" in found.stdout
            assert "NOT  fsync" in found.stdout  # the test's own server
            assert found.returncode == 1
        finally:
            assert run.stop() == 0
        assert not embedded.store_for(place / "outside").exists()
    finally:
        cluster.stop()
