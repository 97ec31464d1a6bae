"""What holds everything up: a child that keeps dying ends the whole in one sentence, and nothing is left behind."""

from __future__ import annotations

import json
import os
import socket
import sys
import time
from argparse import Namespace
from pathlib import Path
from typing import Any

import pytest

from lianfang import supervise
from lianfang.datafolder import DataFolder
from lianfang.embedded import Unavailable
from lianfang.supervise import Child, Supervisor

pytestmark = pytest.mark.fast


@pytest.fixture
def supervisor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Supervisor:
    """One that has not begun."""
    monkeypatch.delenv("DATABASE_URL", raising=False)
    options = Namespace(no_demo=True, port=0, bind="127.0.0.1", reset=False, data=tmp_path / "data")
    return Supervisor(options)


def child(tmp_path: Path, code: str, *, name: str = "worker", seconds: float = 5, **more: Any) -> Child:
    """A process that runs this code."""
    environment = {"PATH": os.environ["PATH"], "PYTHONUNBUFFERED": "1"}
    return Child(name, ["-c", code], seconds, environment, tmp_path / f"{name}.log", **more)


def wait_for(condition: Any, seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


# Children


def test_a_child_that_keeps_dying_ends_the_whole_with_its_last_words(supervisor: Supervisor, tmp_path: Path) -> None:
    words = "print('first'); print('LIANFANG_KEY_FILE is missing'); print(); raise SystemExit(1)"
    dying = child(tmp_path, words)
    dying.start()
    for _ in range(supervise.DEATHS_ALLOWED):
        wait_for(dying.ended)
        supervisor._restart(dying)
    wait_for(dying.ended)
    with pytest.raises(Unavailable) as ended:
        supervisor._restart(dying)
    said = str(ended.value)
    assert said == f"worker keeps ending: LIANFANG_KEY_FILE is missing (all of it: {dying.log})"
    assert "\n" not in said
    assert dying.log.read_text().count("first") == supervise.DEATHS_ALLOWED + 1


def test_a_child_that_dies_now_and_then_is_started_again_without_end(supervisor: Supervisor, tmp_path: Path) -> None:
    now_and_then = child(tmp_path, "pass")
    now_and_then.start()
    for _ in range(3):
        wait_for(now_and_then.ended)
        long_ago = time.monotonic() - supervise.DEATHS_WITHIN - 1
        now_and_then.deaths = [long_ago] * 50
        supervisor._restart(now_and_then)
        assert len(now_and_then.deaths) == 1
    now_and_then.stop()


def test_the_watch_starts_again_what_died_and_ends_when_it_is_asked_to(
    supervisor: Supervisor, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import threading

    one = child(tmp_path, "import time; time.sleep(60)", name="web")
    one.start()
    supervisor.children = [one]
    assert one.process is not None
    first = one.process.pid
    codes: list[int] = []
    watching = threading.Thread(target=lambda: codes.append(supervisor._watch()))
    one.process.kill()
    watching.start()
    wait_for(lambda: one.process is not None and one.process.pid != first and not one.ended())
    supervisor.asked_to_stop.set()
    watching.join(20)
    assert codes == [0]
    supervisor._stop()
    said = capsys.readouterr().out
    assert "web ended; starting it again" in said
    assert "Stopping" in said
    assert one.process is None


def test_stopping_takes_the_last_started_first_and_leaves_nobody(supervisor: Supervisor, tmp_path: Path) -> None:
    order = tmp_path / "order"
    code = (
        "import signal, sys, time\n"
        "def end(*_):\n    open(sys.argv[1], 'a').write(sys.argv[2] + ' '); sys.exit(0)\n"
        "signal.signal(signal.SIGTERM, end)\nprint('up')\ntime.sleep(60)\n"
    )
    for name in ("mailbox", "worker", "web"):
        one = child(tmp_path, code, name=name)
        one.command += [str(order), name]
        one.start()
        supervisor.children.append(one)
    for one in supervisor.children:
        wait_for(lambda one=one: "up" in one.log.read_text())
    pids = [one.process.pid for one in supervisor.children if one.process is not None]
    supervisor._stop()
    assert order.read_text().split() == ["web", "worker", "mailbox"]
    assert not any(alive(pid) for pid in pids)


def test_a_child_that_does_not_listen_is_killed(tmp_path: Path) -> None:
    code = "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nprint('up')\ntime.sleep(60)"
    deaf = child(tmp_path, code, seconds=0.3)
    deaf.start()
    wait_for(lambda: "up" in deaf.log.read_text())
    assert deaf.process is not None
    pid = deaf.process.pid
    began = time.monotonic()
    deaf.stop()
    assert time.monotonic() - began < 5
    assert not alive(pid)
    deaf.stop()  # once more harms nothing


def test_a_child_gets_no_keyboard_and_only_the_sockets_it_is_given(tmp_path: Path) -> None:
    code = "import os, sys\nprint(repr(sys.stdin.read()))\nprint(sorted(os.listdir('/proc/self/fd')))"
    with socket.socket() as given, socket.socket() as other:
        one = child(tmp_path, code, keep=(given.fileno(),))
        one.start()
        wait_for(one.ended)
        lines = one.log.read_text().splitlines()
        assert lines[0] == "''"
        assert f"'{given.fileno()}'" in lines[1]
        assert f"'{other.fileno()}'" not in lines[1]


@pytest.mark.parametrize(
    ("content", "last"),
    [
        (b"", "It said nothing."),
        (b"\n \n", "It said nothing."),
        (b"one\ntwo\n\n", "two"),
        (b"\xff\xfe bad\n", "\ufffd\ufffd bad"),
    ],
)
def test_last_words(tmp_path: Path, content: bytes, last: str) -> None:
    log = tmp_path / "x.log"
    log.write_bytes(content)
    assert supervise._last_words(log) == last


# Preparing


def test_a_step_that_fails_is_named_with_its_last_words_and_the_others_are_ended(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    folder = DataFolder.opened(tmp_path / "data", demo=False)
    slow = tmp_path / "pid"
    steps = {
        "Database brought to this release": ["-c", "print('DATABASE_URL must be set.'); raise SystemExit(1)"],
        "Static files collected": [
            "-c", f"import os, time; open({str(slow)!r}, 'w').write(str(os.getpid())); time.sleep(60)",
        ],
    }  # fmt: skip
    with pytest.raises(Unavailable) as failed:
        supervisor._all(steps, dict(os.environ), folder)
    assert str(failed.value).startswith("This step failed: Database brought to this release. DATABASE_URL must be set.")
    assert str(folder.logs / "prepare-0.log") in str(failed.value)
    if slow.exists() and slow.read_text():
        assert not alive(int(slow.read_text()))


def test_steps_run_side_by_side_and_are_told_when_done(
    supervisor: Supervisor, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = DataFolder.opened(tmp_path / "data", demo=False)
    meeting = [str(tmp_path / name) for name in ("a", "b")]
    code = "import sys, os, time\nopen(sys.argv[1], 'w').close()\nend = time.time() + 20\n" \
           "while not os.path.exists(sys.argv[2]):\n    assert time.time() < end\n    time.sleep(0.02)\n"  # fmt: skip
    steps = {"First": ["-c", code, *meeting], "Second": ["-c", code, *reversed(meeting)]}
    supervisor._all(steps, dict(os.environ), folder)
    said = capsys.readouterr().out
    assert "First" in said
    assert "Second" in said


def test_a_web_server_that_dies_before_it_answers_says_why(supervisor: Supervisor, tmp_path: Path) -> None:
    dead = child(tmp_path, "print('ModuleNotFoundError: No module named django'); raise SystemExit(3)", name="web")
    dead.start()
    with pytest.raises(Unavailable) as failed:
        supervisor._await_web(dead)
    assert str(failed.value).startswith("The web server did not start: ModuleNotFoundError: No module named django")


def test_what_a_start_does_again_changes_with_the_release(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "requirements").mkdir()
    (tmp_path / "requirements" / "runtime.lock").write_text("django==5.2\n")
    (tmp_path / "a.py").write_text("x = 1\n")
    monkeypatch.setattr(supervise, "ROOT", tmp_path)
    first = supervise._digest("*.py")
    assert supervise._digest("*.py") == first
    assert supervise._digest("*.css") != first
    (tmp_path / "a.py").write_text("x = 22\n")
    second = supervise._digest("*.py")
    assert second != first
    (tmp_path / "requirements" / "runtime.lock").write_text("django==5.3\n")
    assert supervise._digest("*.py") not in (first, second)


# What it refuses


@pytest.mark.parametrize(
    ("facts", "word"),
    [
        ({"demo": True, "external": True}, "DATABASE_URL"), ({"demo": True, "bind": "0.0.0.0"}, "this machine alone"),
        ({"demo": True, "bind": "203.0.113.1"}, "203.0.113.1"), ({"external": True, "reset": True}, "--reset"),
    ],
)  # fmt: skip
def test_contradictions_are_refused_before_anything_is_touched(facts: dict[str, Any], word: str) -> None:
    whole = {"demo": False, "bind": "127.0.0.1", "external": False, "reset": False, **facts}
    with pytest.raises(Unavailable, match=word) as refused:
        supervise._refuse_contradictions(**whole)
    assert len(str(refused.value).splitlines()) == 1


@pytest.mark.parametrize("bind", ["127.0.0.1", "localhost", "::1"])
def test_the_demo_answers_here(bind: str) -> None:
    supervise._refuse_contradictions(demo=True, bind=bind, external=False, reset=True)


def test_a_port_that_is_taken_or_none_is_told() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        told = f"Port {port} on 127.0.0.1 cannot be used"
        with pytest.raises(Unavailable, match=told), supervise._listening("127.0.0.1", port):
            pass
    for port in (-1, 65536, 10**9):
        with pytest.raises(Unavailable, match="choose another with --port"), supervise._listening("127.0.0.1", port):
            pass


def test_main_tells_a_refusal_in_one_line_and_ends_with_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import signal

    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    monkeypatch.setenv("DATABASE_URL", "postgresql://x/y")
    mask = os.umask(0o077)
    try:
        assert supervise.main(["--data", str(tmp_path / "d")]) == 1
    finally:
        os.umask(mask)
        for number, handler in before.items():
            signal.signal(number, handler)
    said = capsys.readouterr()
    assert len(said.err.splitlines()) == 1
    assert not (tmp_path / "d").exists(), "nothing was made"


# What it passes on and prints


def test_only_the_step_that_migrates_knows_the_owner() -> None:
    environment = {"DATABASE_URL": "a", "DATABASE_OWNER_URL": "b"}
    assert supervise._without_owner(environment) == {"DATABASE_URL": "a"}
    assert environment["DATABASE_OWNER_URL"] == "b"


def test_the_demo_overrides_what_the_shell_has_set_and_the_earnest_keeps_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIANFANG_BASE_URL", "https://lianfang.example.org")
    monkeypatch.delenv("DATABASE_URL", raising=False)
    folder = DataFolder.opened(tmp_path / "data", demo=True)
    for no_demo, base in ((False, "http://localhost:8123"), (True, "https://lianfang.example.org")):
        options = Namespace(no_demo=no_demo, port=8123, bind="127.0.0.1", reset=False, data=tmp_path / "data")
        made = Supervisor(options)._environment(folder)
        assert made["LIANFANG_BASE_URL"] == base
        assert made["LIANFANG_DEMO"] == ("no" if no_demo else "yes")
        assert made["LIANFANG_DATA"] == str(folder.path)


def test_with_a_database_of_ones_own_a_secret_key_is_made_unless_it_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://x/y")
    for name in ("LIANFANG_SECRET_KEY", "LIANFANG_SECRET_KEY_FILE"):
        monkeypatch.delenv(name, raising=False)
    folder = DataFolder.opened(tmp_path / "data", demo=False)
    options = Namespace(no_demo=True, port=1, bind="127.0.0.1", reset=False, data=tmp_path / "data")
    made = Supervisor(options)._environment(folder)["LIANFANG_SECRET_KEY"]
    assert made == folder.secret("secret.key")
    monkeypatch.setenv("LIANFANG_SECRET_KEY_FILE", "/somewhere")
    assert "LIANFANG_SECRET_KEY" not in Supervisor(options)._environment(folder)
    monkeypatch.setenv("LIANFANG_SECRET_KEY", "mine")
    assert Supervisor(options)._environment(folder)["LIANFANG_SECRET_KEY"] == "mine"


@pytest.mark.parametrize(("text", "width"), [("", 0), ("abc", 3), ("聯防", 4), ("甲a乙", 5), ("ａ", 2), ("é", 1)])
def test_a_chinese_character_takes_two_columns(text: str, width: int) -> None:
    assert supervise._width(text) == width


def test_accounts_of_the_demo_are_printed_in_columns_and_follow_the_port(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = DataFolder.opened(tmp_path / "data", demo=True)
    accounts = [{"who": "管理員", "email": "a@x.example"}, {"who": "x", "email": "longer@x.example"}]
    folder.write("demo.json", json.dumps({"url": "http://localhost:1", "accounts": accounts}))
    supervise._print_accounts(folder, "http://localhost:2")
    lines = [line for line in capsys.readouterr().out.splitlines() if line]
    starts = {supervise._width(line[: line.index("@")].rsplit(" ", 1)[0]) for line in lines[1:]}
    assert lines[0].split() == ["who", "email"]
    assert len(starts) == 1
    assert json.loads((folder.path / "demo.json").read_text())["url"] == "http://localhost:2"
    assert (folder.path / "demo.json").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"accounts": []}', '{"accounts": [1]}'])
def test_a_broken_list_of_accounts_stops_nothing(
    tmp_path: Path, content: str, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = DataFolder.opened(tmp_path / "data", demo=True)
    (folder.path / "demo.json").write_text(content)
    supervise._print_accounts(folder, "http://localhost:2")
    assert capsys.readouterr().out == ""


def test_nobody_answers_on_a_port_where_nothing_listens() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    assert not supervise._answers("127.0.0.1", port)
    assert sys.executable
