"""The web server that `./run` starts, as a process of its own, on the database of this test run."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests

from lianfang import supervise
from lianfang.supervise import ROOT


@dataclass
class Served:
    """A running web server."""

    url: str
    port: int
    process: subprocess.Popen[bytes]
    log: Path

    def workers(self) -> list[int]:
        """Process ids of its workers."""
        listed = subprocess.run(
            ["ps", "-o", "pid=", "--ppid", str(self.process.pid)], capture_output=True, text=True, check=False
        )
        return [int(word) for word in listed.stdout.split()]

    def peak(self) -> float:
        """MiB that the largest of them ever held."""
        found = [0.0]
        for pid in self.workers():
            for line in Path(f"/proc/{pid}/status").read_text().splitlines():
                if line.startswith("VmHWM:"):
                    found.append(int(line.split()[1]) / 1024)
        return max(found)

    def busy(self) -> float:
        """Seconds of processor time that they took so far."""
        ticks = 0
        for pid in self.workers():
            # After the name, which stands in brackets, user and system time are the 12th and 13th.
            spent = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            ticks += int(spent[11]) + int(spent[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def said(self) -> str:
        """Its log."""
        return self.log.read_text(errors="replace")


@contextmanager
def served(folder: Path, *, pages: bool = False, **more: str) -> Iterator[Served]:
    """Start it as `./run` does; with `pages` its style sheets are there too, which a machine does not need."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        environment = (
            supervise.ALLOCATOR
            | os.environ
            | {
                "DJANGO_SETTINGS_MODULE": "config.settings",
                "PYTHONPATH": str(ROOT),
                "PYTHONUNBUFFERED": "1",
                "LIANFANG_BASE_URL": f"http://localhost:{port}",
            }
        )
        environment |= more
        if pages and not (Path(environment["LIANFANG_DATA"]) / "static" / "staticfiles.json").exists():
            subprocess.run(
                [sys.executable, "manage.py", "collectstatic", "--noinput", "-v0"],
                cwd=ROOT,
                env=environment,
                check=True,
                timeout=120,
            )
        log = folder / f"web-{port}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, *supervise._GUNICORN, "--bind", f"fd://{listener.fileno()}"],
                cwd=ROOT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                pass_fds=(listener.fileno(),),
                start_new_session=True,
            )
        found = Served(f"http://localhost:{port}", port, process, log)
        try:
            _await(found)
            yield found
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait(20)


def _await(found: Served) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        assert found.process.poll() is None, found.said()
        try:
            if requests.get(f"{found.url}/healthz", timeout=2).status_code == 200:
                return
        except requests.exceptions.RequestException:
            pass  # its socket listens before it is ready
        time.sleep(0.05)
    raise TimeoutError(found.said())
