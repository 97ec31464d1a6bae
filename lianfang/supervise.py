"""`./run`: PostgreSQL, mailbox, worker and web as children of one process, which ends them all when it ends.

Order of stopping: web, worker, mailbox, then PostgreSQL. Every child also carries a parent-death signal, so that even a
killed supervisor leaves nothing behind.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

from lianfang import catalogues, embedded
from lianfang.datafolder import DataFolder
from lianfang.embedded import Cluster, Unavailable

__all__ = ["main"]

ROOT = Path(__file__).resolve().parent.parent
LOOPBACK = "127.0.0.1"
READY_SECONDS = 60
# A child that dies is started again; one that keeps dying ends the whole.
DEATHS_ALLOWED, DEATHS_WITHIN = 5, 60.0
_GUNICORN = ["-m", "gunicorn", "--no-control-socket", "--worker-class", "lianfang.doorkeeper.Worker"]
_GUNICORN += ["--workers", "2", "--threads", "4"]
_GUNICORN += ["--graceful-timeout", "10", "--timeout", "60", "config.wsgi"]
# Large bodies go back to the system when they are done with, and not to each thread's own store of memory.
ALLOCATOR = {"MALLOC_ARENA_MAX": "2", "MALLOC_MMAP_THRESHOLD_": "131072"}
_WORKER = ["manage.py", "procrastinate", "worker", "--concurrency", "2", "--shutdown-graceful-timeout", "20"]
_WORKER += ["--delete-jobs", "successful"]


class Stopped(BaseException):
    """Ctrl-C or SIGTERM while something is being prepared."""


@dataclass
class Child:
    """A process to be kept alive: what to run, and how long it may take to stop."""

    name: str
    command: list[str]
    seconds: float
    environment: dict[str, str]
    log: Path
    keep: tuple[int, ...] = ()
    orphaned: str = "TERM"  # the signal that it gets when the supervisor is killed
    process: subprocess.Popen[bytes] | None = None
    deaths: list[float] = field(default_factory=list)

    def start(self) -> None:
        """Start it, its own session leader, bound to this thread's life."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*_dying_with_us(self.orphaned), sys.executable, *self.command],
                cwd=ROOT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                pass_fds=self.keep,
            )

    def ended(self) -> bool:
        return self.process is not None and self.process.poll() is not None

    def stop(self) -> None:
        process, self.process = self.process, None
        if process is None:
            return
        for number, seconds in ((signal.SIGTERM, self.seconds), (signal.SIGKILL, 5.0)):
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(seconds)
                return


class Supervisor:
    """One run of `./run`."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.demo: bool = not options.no_demo
        self.port: int = options.port
        self.bind: str = options.bind
        self.reset: bool = options.reset
        self.folder_asked: Path = options.data
        self.external = "DATABASE_URL" in os.environ
        self.began = time.monotonic()
        self.asked_to_stop = threading.Event()
        self.preparing = True
        self.cluster: Cluster | None = None
        self.children: list[Child] = []
        self.held = contextlib.ExitStack()

    def run(self) -> int:
        """Start, watch, stop. Raises Unavailable for whatever prevents the start."""
        _refuse_contradictions(demo=self.demo, bind=self.bind, external=self.external, reset=self.reset)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._asked)
        folder = DataFolder.opened(self.folder_asked, demo=self.demo)
        taken = f"Lianfang is already running on {folder.path}."
        with _listening(self.bind, self.port) as web, embedded.locked(folder.path / "lock", wait=False, taken=taken):
            try:
                self._start(folder, web)
                self.preparing = False
                return self._watch()
            except Stopped:
                return 0
            finally:
                self._stop()

    def _asked(self, _number: int, _frame: FrameType | None) -> None:
        self.asked_to_stop.set()
        if self.preparing:
            self.preparing = False  # a second Ctrl-C must not interrupt the stopping
            raise Stopped

    def _say(self, text: str) -> None:
        print(f"[{time.monotonic() - self.began:5.1f} s] {text}", flush=True)

    def _start(self, folder: DataFolder, web: socket.socket) -> None:
        if self.reset:
            folder.reset()
            self._say(f"Removed the data of {folder.path}")
        environment = self._environment(folder)
        if not self.external:
            self._start_database(folder)
            environment = self._with_embedded(environment, folder)
        if self.demo:
            mail = self.held.enter_context(_listening(LOOPBACK, 0))
            environment["EMAIL_URL"] = f"smtp://{LOOPBACK}:{mail.getsockname()[1]}"
            self._begin(_mailbox(folder, mail, _without_owner(environment)), "Mailbox of the demo")
        self._prepare(folder, environment)
        environment = _without_owner(environment)
        log = folder.logs / "worker.log"
        # Its database would be gone at the same moment, and it would wait for it; what it was doing is taken up again.
        worker = Child("worker", _WORKER, 25, environment, log, orphaned="KILL")
        self._begin(worker, "Worker for mail and schedules")
        command = [*_GUNICORN, "--bind", f"fd://{web.fileno()}"]
        child = Child("web", command, 15, environment, folder.logs / "web.log", (web.fileno(),))
        self._begin(child, "Web server")
        self._await_web(child)
        self._greet(folder, environment)

    def _environment(self, folder: DataFolder) -> dict[str, str]:
        environment = ALLOCATOR | dict(os.environ)
        environment |= {
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "PYTHONPATH": os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH")))),
            "PYTHONUNBUFFERED": "1",
            "LIANFANG_DEMO": "yes" if self.demo else "no",
            "LIANFANG_DATA": str(folder.path),
        }
        here = f"http://localhost:{self.port}"
        environment["LIANFANG_BASE_URL"] = here if self.demo else environment.get("LIANFANG_BASE_URL", here)
        if self.external and "LIANFANG_SECRET_KEY_FILE" not in environment:
            environment.setdefault("LIANFANG_SECRET_KEY", folder.secret("secret.key"))
        return environment

    def _start_database(self, folder: DataFolder) -> None:
        binaries = embedded.find_binaries()
        folder.check()
        folder.secret("master.key")
        self.cluster = Cluster(folder.cluster, binaries=binaries)
        self.cluster.start()
        self.cluster.provision()
        folder.note()
        self._say(f"PostgreSQL {binaries.version} on {folder.cluster}")

    def _with_embedded(self, environment: dict[str, str], folder: DataFolder) -> dict[str, str]:
        assert self.cluster is not None
        own = folder.environment(self.cluster, base_url=environment["LIANFANG_BASE_URL"])
        # The demo stands alone; elsewhere an operator may keep the keys in a place of his own.
        kept = () if self.demo else ("LIANFANG_KEY_FILE", "LIANFANG_SECRET_KEY")
        own |= {name: environment[name] for name in kept if name in environment}
        folder.write("environment", json.dumps(own, indent=1) + "\n")
        return environment | own

    def _prepare(self, folder: DataFolder, environment: dict[str, str]) -> None:
        made = catalogues.compile_all()
        if made:
            self._say(f"Translations compiled ({made} files)")
        # What a start has done it need not do again: each step is named with a digest of all that it depends on.
        wanted = {"schema": _digest("lianfang/**/*.py", "config/*.py"), "static": _digest("lianfang/*/static/**/*")}
        done = folder.prepared()
        # Independent of each other, each mostly waiting for Django to load: at the same time.
        steps: dict[str, list[str]] = {}
        if "DATABASE_OWNER_URL" in environment and (self.external or done.get("schema") != wanted["schema"]):
            steps["Database brought to this release"] = ["-m", "lianfang", "migrate"]
        if done.get("static") != wanted["static"]:
            steps["Static files collected"] = ["manage.py", "collectstatic", "--noinput", "--clear", "-v0"]
        self._all(steps, environment, folder)
        folder.write("prepared", json.dumps(wanted) + "\n")
        if self.demo and not (folder.path / "demo.json").exists():
            self._all({"Demo data loaded": ["-m", "lianfang", "demo-load"]}, environment, folder)

    def _all(self, steps: dict[str, list[str]], environment: dict[str, str], folder: DataFolder) -> None:
        running: dict[str, tuple[subprocess.Popen[bytes], Path]] = {}
        try:
            for number, (words, command) in enumerate(steps.items()):
                log = folder.logs / f"prepare-{number}.log"
                with log.open("wb") as output:
                    process = subprocess.Popen(
                        [*_dying_with_us("TERM"), sys.executable, *command],
                        cwd=ROOT,
                        env=environment,
                        stdin=subprocess.DEVNULL,
                        stdout=output,
                        stderr=output,
                        start_new_session=True,
                    )
                running[words] = (process, log)
            for words, (process, log) in running.items():
                if process.wait(300):
                    raise Unavailable(f"This step failed: {words}. {_last_words(log)} (all of it: {log})")
                self._say(words)
        finally:
            for process, _ in running.values():
                if process.poll() is None:
                    process.kill()
                    process.wait(5)

    def _begin(self, child: Child, words: str) -> None:
        child.start()
        self.children.append(child)
        self._say(f"{words} started")

    def _await_web(self, child: Child) -> None:
        end = time.monotonic() + READY_SECONDS
        while time.monotonic() < end:
            if child.ended():
                break
            if _answers(self.bind, self.port):
                return
            time.sleep(0.1)
        raise Unavailable(f"The web server did not start: {_last_words(child.log)} (all of it: {child.log})")

    def _greet(self, folder: DataFolder, environment: dict[str, str]) -> None:
        address = environment["LIANFANG_BASE_URL"]
        self._say("Ready")
        print(f"\n  {address}\n", flush=True)
        if self.demo:
            _print_accounts(folder, address)
            print(f"  Mail of the demo: {address}/demo/mailbox\n", flush=True)
        elif not self.external:
            print(
                "  The first two people who may grant duties are made once, by:\n"
                f"    bin/lianfang --data {folder.path} bootstrap EMAIL EMAIL\n",
                flush=True,
            )
        print("  Ctrl-C stops everything.", flush=True)

    def _watch(self) -> int:
        while not self.asked_to_stop.wait(0.2):
            if (
                self.cluster is not None
                and self.cluster.process is not None
                and self.cluster.process.poll() is not None
            ):
                self._say("PostgreSQL ended; starting it again")
                self._restart_database(self.cluster)
            for child in self.children:
                if child.ended():
                    self._restart(child)
        self._say("Stopping")
        return 0

    def _restart(self, child: Child) -> None:
        now = time.monotonic()
        child.deaths = [when for when in child.deaths if now - when < DEATHS_WITHIN] + [now]
        if len(child.deaths) > DEATHS_ALLOWED:
            raise Unavailable(f"{child.name} keeps ending: {_last_words(child.log)} (all of it: {child.log})")
        self._say(f"{child.name} ended; starting it again")
        child.start()

    def _restart_database(self, cluster: Cluster) -> None:
        """The kernel may need a moment to take down the dead server's own children, which hold its shared memory."""
        cluster.stop()
        for attempt in range(20):
            try:
                cluster.start()
                return
            except Unavailable:
                if attempt == 19:
                    raise
                time.sleep(0.5)

    def _stop(self) -> None:
        self.preparing = False
        for child in reversed(self.children):
            child.stop()
        if self.cluster is not None:
            self.cluster.stop()
        self.held.close()


def _refuse_contradictions(*, demo: bool, bind: str, external: bool, reset: bool) -> None:
    if demo and external:
        raise Unavailable(
            "DATABASE_URL is set, and the demo never touches another database: unset it, or add --no-demo."
        )
    if demo and bind not in {LOOPBACK, "localhost", "::1"}:
        raise Unavailable(
            f"The demo answers on this machine alone and not on {bind}: leave --bind out, or add --no-demo."
        )
    if external and reset:
        raise Unavailable(
            "--reset removes an embedded database, and DATABASE_URL names another: remove that one yourself."
        )


@contextlib.contextmanager
def _listening(host: str, port: int) -> Iterator[socket.socket]:
    """Take the port before anything else is done, and keep it while web servers come and go."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
            listener.listen(128)
        except (OSError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise Unavailable(f"Port {port} on {host} cannot be used ({reason}): choose another with --port.") from None
        yield listener


def _without_owner(environment: dict[str, str]) -> dict[str, str]:
    """Only the step that migrates knows how to become the owner of the tables."""
    return {name: value for name, value in environment.items() if name != "DATABASE_OWNER_URL"}


def _mailbox(folder: DataFolder, listener: socket.socket, environment: dict[str, str]) -> Child:
    descriptor = listener.fileno()
    command = ["-m", "lianfang.mailbox", "--fd", str(descriptor), "--folder", str(folder.path / "mailbox")]
    return Child("mailbox", command, 5, environment, folder.logs / "mailbox.log", (descriptor,))


def _dying_with_us(signal_name: str) -> list[str]:
    if not sys.platform.startswith("linux") or shutil.which("setpriv") is None:
        return []
    return ["setpriv", "--pdeathsig", signal_name]


def _digest(*patterns: str) -> str:
    """Changes when one of these files of the release, or a package that it runs with, changes."""
    whole = hashlib.sha256((ROOT / "requirements" / "runtime.lock").read_bytes())
    for path in sorted({path for pattern in patterns for path in ROOT.glob(pattern)}):
        state = path.stat()
        whole.update(f"{path.relative_to(ROOT)} {state.st_size} {state.st_mtime_ns}\n".encode())
    return whole.hexdigest()


def _answers(host: str, port: int) -> bool:
    connection = http.client.HTTPConnection(LOOPBACK if host == "0.0.0.0" else host, port, timeout=2)  # noqa: S104
    try:
        connection.request("GET", "/healthz", headers={"Host": f"localhost:{port}"})
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _last_words(log: Path) -> str:
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return lines[-1] if lines else "It said nothing."


def _print_accounts(folder: DataFolder, address: str) -> None:
    """The table of `demo.json`, whose address is brought to the port of this run."""
    try:
        content = json.loads((folder.path / "demo.json").read_text(encoding="utf-8"))
        rows = [[str(value) for value in account.values()] for account in content["accounts"]]
        rows.insert(0, list(content["accounts"][0]))
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return  # a broken list is no reason not to start
    if content.get("url") != address:
        moved = _moved(content, address)
        folder.write("demo.json", json.dumps(moved, ensure_ascii=False, indent=1) + "\n")
    widths = [max(map(_width, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True)]
        print("  " + "  ".join(cells).rstrip())
    print(flush=True)


def _moved(content: dict[str, Any], address: str) -> dict[str, Any]:
    """The same accounts and machines at another address: people and machines are told where to go by this file."""
    before, machines = content["url"], content.get("machines", [])
    moved = [machine | {"url": machine["url"].replace(before, address, 1)} for machine in machines]
    return content | {"url": address, "machines": moved}


def _width(text: str) -> int:
    """Columns of a terminal: a Chinese character takes two."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0 after a stop that was asked for, 1 with one sentence when it cannot start or go on."""
    parser = argparse.ArgumentParser(prog="./run", description="Start Lianfang; Ctrl-C stops everything it started.")
    parser.add_argument("--port", type=int, default=8000, metavar="N", help="port of the web server (8000)")
    parser.add_argument("--data", type=Path, default=ROOT / "var", metavar="DIR", help="folder of all data (./var)")
    parser.add_argument("--no-demo", action="store_true", help="no demo data; with DATABASE_URL a PostgreSQL of yours")
    parser.add_argument("--reset", action="store_true", help="remove the data of --data first")
    parser.add_argument("--bind", default=LOOPBACK, metavar="ADDRESS", help="with --no-demo: address to listen on")
    os.umask(0o077)
    try:
        return Supervisor(parser.parse_args(arguments)).run()
    except Unavailable as problem:
        print(problem, file=sys.stderr, flush=True)
        return 1


if __name__ == "__main__":
    sys.exit(main())
