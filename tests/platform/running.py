"""Starts the product as an operator does, in processes of its own, and looks at it from outside."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from tests.database import ROOT

# What the tests' own settings put into this process must not reach a product under test.
OURS = ("DATABASE_URL", "DATABASE_OWNER_URL", "DJANGO_SETTINGS_MODULE", "EMAIL_URL")


def environment(**more: str) -> dict[str, str]:
    """The environment of a person who has set nothing."""
    kept = {name: value for name, value in os.environ.items() if name not in OURS and not name.startswith("LIANFANG_")}
    return kept | {"PATH": "/usr/local/bin:/usr/bin:/bin", "PYTHONPATH": str(ROOT)} | more


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def command(*words: str, **more: str) -> subprocess.CompletedProcess[str]:
    """`lianfang WORDS` to its end."""
    return subprocess.run(
        [sys.executable, "-m", "lianfang", *words],
        cwd=ROOT,
        env=environment(**more),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


class Run:
    """One `./run`; `said` is all that it has printed."""

    def __init__(self, data: Path, *words: str, port: int | None = None, **more: str) -> None:
        self.data, self.port = data, port or free_port()
        self.output = data.with_name(f"{data.name}.{self.port}.out")
        with self.output.open("ab") as output:
            # The stamp of ./run's installation is not the concern here, so its last line is called.
            self.process = subprocess.Popen(
                [sys.executable, "-m", "lianfang.supervise", "--port", str(self.port), "--data", str(data), *words],
                cwd=ROOT,
                env=environment(**more),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    @property
    def said(self) -> str:
        return self.output.read_text(errors="replace")

    def ready(self, seconds: float = 180) -> Run:
        """Wait until it has printed its address."""
        end = time.monotonic() + seconds
        while "Ctrl-C stops everything" not in self.said:
            assert self.process.poll() is None, self.said
            assert time.monotonic() < end, self.said
            time.sleep(0.1)
        return self

    def refused(self) -> str:
        """Wait for the end, which must be exit code 1 with one sentence and no traceback; return it."""
        assert self.process.wait(60) == 1, self.said
        assert "Traceback" not in self.said
        lines = [line for line in self.said.splitlines() if not line.startswith("[")]
        assert len(lines) == 1, self.said
        return lines[0]

    def get(self, path: str) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=20) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def eventually(self, path: str, status: int = 200, seconds: float = 45) -> str:
        end = time.monotonic() + seconds
        while True:
            try:
                found, text = self.get(path)
            except OSError as error:
                found, text = 0, str(error)
            if found == status:
                return text
            assert time.monotonic() < end, f"{path}: {found} {text}\n{self.said}"
            time.sleep(0.2)

    def children(self) -> dict[str, int]:
        """What -> process id of each child of the supervisor that is alive."""
        found = {}
        for pid, arguments in _children(self.process.pid):
            kind = next(
                (k for k in ("gunicorn", "procrastinate", "lianfang.mailbox", "postgres") if k in arguments), ""
            )
            if kind:
                found[kind] = pid
        return found

    def stop(self, number: int = signal.SIGTERM, seconds: float = 60) -> int:
        """Send the signal and return the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(seconds)


def _children(parent: int) -> list[tuple[int, str]]:
    found = []
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            status = (folder / "stat").read_text().rpartition(")")[2].split()
            arguments = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if int(status[1]) == parent and status[0] != "Z":
            found.append((int(folder.name), arguments))
    return found


def gone(pids: list[int], seconds: float = 30) -> bool:
    """Whether all these processes end within the time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if not any(_alive(pid) for pid in pids):
            return True
        time.sleep(0.1)
    return False


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
