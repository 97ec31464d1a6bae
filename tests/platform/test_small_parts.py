"""Mailbox, catalogues, health, the steps of `./test` and of the installation."""

from __future__ import annotations

import json
import os
import shutil
import smtplib
import socket
import subprocess
import sys
import tempfile
import time
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import polib
import pytest
from django.test import Client

from lianfang import catalogues, health, supervise
from lianfang.datafolder import DataFolder
from tests import ci
from tests.database import ROOT
from tests.platform.running import environment


def test_mailbox_keeps_each_mail_as_a_file(tmp_path: Path) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        words = ["-m", "lianfang.mailbox", "--fd", str(listener.fileno()), "--folder", str(tmp_path / "box")]
        process = subprocess.Popen([sys.executable, *words], cwd=ROOT, env=environment(), pass_fds=[listener.fileno()])
        try:
            mail = EmailMessage()
            mail["Subject"], mail["From"], mail["To"] = "聯盟邀請", "notice@lianfang.example", "a@example.com"
            mail.set_content("您好")
            with smtplib.SMTP("127.0.0.1", listener.getsockname()[1], timeout=20) as server:
                server.send_message(mail, to_addrs=["a@example.com", "b@example.com"])
            (kept,) = (tmp_path / "box").glob("*.eml")
            read = message_from_bytes(kept.read_bytes(), policy=policy.default)
            assert read["Subject"] == "聯盟邀請"
            assert read["X-RcptTo"] == "a@example.com, b@example.com"
            assert read.get_content().strip() == "您好"
            assert kept.stat().st_mode & 0o077 == 0
        finally:
            process.terminate()
            assert process.wait(20) == 0


@pytest.mark.fast
def test_catalogues_are_compiled_when_newer(tmp_path: Path) -> None:
    folder = tmp_path / "app/locale/zh_Hant/LC_MESSAGES"
    folder.mkdir(parents=True)
    catalogue = polib.POFile()
    catalogue.append(polib.POEntry(msgid="Sign in", msgstr="登入"))
    catalogue.save(str(folder / "django.po"))
    assert catalogues.compile_all(tmp_path) == 1
    assert polib.mofile(str(folder / "django.mo"))[0].msgstr == "登入"
    assert catalogues.compile_all(tmp_path) == 0
    later = time.time() + 5
    os.utime(folder / "django.po", (later, later))
    assert catalogues.compile_all(tmp_path) == 1


@pytest.mark.django_db
def test_healthz_and_readyz_need_no_session(client: Client) -> None:
    assert client.get("/healthz").content == b"ok\n"
    found = client.get("/readyz")
    assert found.status_code == 503  # no worker runs in a test
    checks = found.json()["checks"]
    assert checks["database"]["ok"]
    assert checks["migrations"]["ok"]
    assert not checks["worker"]["ok"]
    assert checks["outbox"] == {"ok": True, "said": "within 600 s"}
    assert "set-cookie" not in {name.lower() for name in found.headers}


@pytest.mark.django_db
def test_a_late_worker_is_told_in_seconds() -> None:
    late = health._age("worker", "SELECT 61.5", 60, empty=False)
    assert (late.ok, late.said) == (False, "61 s (limit 60 s)")


@pytest.mark.django_db
def test_readyz_without_the_database(monkeypatch: pytest.MonkeyPatch) -> None:
    from django.db import OperationalError, connection

    def away() -> None:
        raise OperationalError("gone: password=secret")

    monkeypatch.setattr(connection, "cursor", away)
    monkeypatch.setattr(connection, "close", lambda: None)
    (found,) = health.checks()
    assert not found.ok
    assert "secret" not in found.said


@pytest.mark.fast
class TestSteps:
    def test_a_step_that_takes_too_long_fails(self) -> None:
        count = ci.Count()
        ci.run(ci.Step("sleep", [sys.executable, "-c", "import time; time.sleep(60)"], 1), count)
        assert (count.passed, count.failed) == (0, 1)

    @pytest.mark.parametrize(("code", "counted"), [(0, (1, 0)), (3, (0, 1))])
    def test_a_command_counts_once(self, code: int, counted: tuple[int, int]) -> None:
        count = ci.Count()
        ci.run(ci.Step("exit", [sys.executable, "-c", f"raise SystemExit({code})"], 20), count)
        assert (count.passed, count.failed) == counted

    def test_lanes_run_beside_each_other_and_print_each_step_whole(self, capsys: pytest.CaptureFixture[str]) -> None:
        """Each lane waits for what the other does, so one after the other would never end."""
        meeting = "import pathlib, sys, time; mine, other = sys.argv[1:]; pathlib.Path(mine).touch()\n"
        meeting += "while not pathlib.Path(other).exists(): time.sleep(0.05)\nprint('one'); print('two')"

        def lane(mine: Path, other: Path) -> list[ci.Step]:
            return [ci.Step(mine.name, [sys.executable, "-c", meeting, str(mine), str(other)], 30)]

        with tempfile.TemporaryDirectory() as folder:
            left, right = Path(folder) / "left", Path(folder) / "right"
            count = ci.Count()
            ci.run_lanes([lane(left, right), lane(right, left)], count)
        assert (count.passed, count.failed) == (2, 0)
        said = capsys.readouterr().out
        assert "== left\none\ntwo\n== left: passed" in said
        assert "== right\none\ntwo\n== right: passed" in said
        assert not count.running

    def test_reports_are_added_up(self, tmp_path: Path) -> None:
        report = tmp_path / "r.xml"
        report.write_text('<testsuites><testsuite tests="9" failures="2" errors="1" skipped="1"/></testsuites>')
        assert ci._read(report) == (5, 3)
        report.write_text("<testsuites>")
        assert ci._read(report) == (0, 0)

    def test_unknown_words(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert ci.main(["everything"]) == 2
        assert "Usage" in capsys.readouterr().err


def _installation(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "requirements", tmp_path / "requirements")
    return tmp_path / "requirements" / "install"


def _python_without(module: str, folder: Path) -> Path:
    """A Python that has everything but one module, as Debian's without python3-venv."""
    program = folder / "python-without"
    program.write_text(f'#!/bin/sh\ncase "$*" in *{module}*) exit 1;; esac\nexec {sys.executable} "$@"\n')
    program.chmod(0o755)
    return program


def test_missing_venv_module_is_named_for_an_ordinary_user(tmp_path: Path) -> None:
    script = _installation(tmp_path)
    fake = tmp_path / "bin"
    fake.mkdir()
    # A user without the right to install, and a system without that package.
    (fake / "id").write_text("#!/bin/sh\necho 1000\n")
    (fake / "id").chmod(0o755)
    done = subprocess.run(
        ["sh", script, "runtime"],
        env=environment(PATH=f"{fake}:/usr/bin:/bin", LIANFANG_PYTHON=str(_python_without("ensurepip", fake))),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert "python3-venv" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_old_python_is_refused(tmp_path: Path) -> None:
    script = _installation(tmp_path)
    fake = tmp_path / "bin"
    fake.mkdir()
    for name in ("python3", "python3.11", "python3.12", "python3.13"):
        (fake / name).write_text("#!/bin/sh\nexit 1\n")
        (fake / name).chmod(0o755)
    done = subprocess.run(
        ["sh", script, "runtime"],
        env=environment(PATH=f"{fake}:/usr/bin:/bin"),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert "Python 3.11 or newer" in done.stderr


def test_on_another_port_people_and_machines_are_sent_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = DataFolder(tmp_path, demo=True)
    before = "http://localhost:8000"
    machine = {
        "member": "a",
        "kind": "taxii",
        "url": f"{before}/taxii2/",
        "user": "u",
        "secret": "s",
        "scopes": ["read"],
    }
    accounts = [{"role": "auditor", "email": "a@centre.example"}]
    folder.write("demo.json", json.dumps({"url": before, "accounts": accounts, "machines": [machine]}))
    supervise._print_accounts(folder, "http://localhost:9000")
    told = json.loads((tmp_path / "demo.json").read_text())
    assert told["url"] == "http://localhost:9000"
    assert told["machines"] == [machine | {"url": "http://localhost:9000/taxii2/"}]
    assert told["accounts"] == accounts
    assert "a@centre.example" in capsys.readouterr().out
