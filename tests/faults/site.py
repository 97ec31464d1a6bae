"""Web and worker as children that can be killed: forked from the test, the web on a socket that outlives it."""

from __future__ import annotations

import ctypes
import json
import multiprocessing
import os
import signal
import socket
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

import requests
from django.core.management import call_command
from django.db import connections

from lianfang import supervise

CSRF = "c" * 32
_PR_SET_PDEATHSIG = 1  # linux/prctl.h
ARMS = ("LIANFANG_FAILPOINT", "LIANFANG_FAILPOINT_DIR", "LIANFANG_FAILPOINT_SIGNAL")


class _Silent(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: the client's own log is what counts."""


@dataclass
class Site:
    """A listening socket that outlives the processes which answer on it."""

    listener: socket.socket = field(default_factory=socket.socket)
    child: BaseProcess | None = None
    kills: int = 0
    arms: Path | None = None
    """Where the running process looks, before each request, for the place at which it is to be killed or held."""

    def __post_init__(self) -> None:
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(16)

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://localhost:{self.listener.getsockname()[1]}"

    def start(self, **environment: str) -> None:
        """Answer from a fresh process, with these variables."""
        self.child = fork(lambda: self._serve(environment))

    def arm(self, **environment: str) -> None:
        """Give the running process other variables, from its next request on."""
        assert self.arms is not None
        fresh = self.arms.with_suffix(".new")
        fresh.write_text(json.dumps(environment))
        fresh.replace(self.arms)

    def _serve(self, environment: Mapping[str, str]) -> None:
        from config.wsgi import application

        def armed(about: dict[str, Any], start_response: Any) -> Iterable[bytes]:
            if self.arms is not None and self.arms.exists():
                for name in ARMS:
                    os.environ.pop(name, None)
                os.environ.update(json.loads(self.arms.read_text()))
            answer: Iterable[bytes] = application(about, start_response)
            return answer

        os.environ.update(environment)
        server = WSGIServer(("127.0.0.1", 0), _Silent, bind_and_activate=False)
        server.socket = self.listener
        server.server_name, server.server_port = "localhost", self.listener.getsockname()[1]
        server.setup_environ()
        server.set_app(armed)
        while True:
            server.handle_request()

    def died(self) -> bool:
        """Whether the child was killed by a failpoint; waits a moment for it."""
        assert self.child is not None
        self.child.join(20)
        killed = self.child.exitcode == -signal.SIGKILL
        self.kills += killed
        return killed

    def stop(self) -> None:
        """End the child."""
        if self.child is not None and self.child.is_alive():
            self.child.kill()
            self.child.join(20)


def worker(**environment: str) -> BaseProcess:
    """The product's worker, with the words by which `./run` starts it: every job, every schedule."""

    def work() -> None:
        os.environ.update(environment)
        os.setsid()  # a stop of its own signals reaches nobody else
        call_command(*supervise._WORKER[1:])

    return fork(work)


def fork(body: Callable[[], None]) -> BaseProcess:
    """Run `body` in a child that has no connection of ours."""

    def run() -> None:
        # Whatever ends the test ends it as well, a kill too.
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        body()

    connections.close_all()
    child = multiprocessing.get_context("fork").Process(target=run, daemon=True)
    child.start()
    return child


def reached(child: BaseProcess, place: str, *, seconds: float = 60) -> int | None:
    """Wait until the child is killed (SIGKILL) or held (SIGSTOP) there; return the signal, None where it just ended."""
    assert child.pid is not None
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        # Only a look: who ended is left for the one who joins it.
        found = os.waitid(os.P_PID, child.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT | os.WNOHANG)
        if found is not None:
            return found.si_status if found.si_code in (os.CLD_KILLED, os.CLD_STOPPED) else None
        time.sleep(0.002)
    raise TimeoutError(f"neither killed nor held at {place} within {seconds} s")


def browser(session: str) -> requests.Session:
    """A browser with this session, which sends the token against forgery with each form."""
    made = requests.Session()
    made.cookies.set("session", session)
    made.cookies.set("csrftoken", CSRF)
    made.headers["X-CSRFToken"] = CSRF
    return made


def send(ask: Callable[[], requests.Response]) -> requests.Response | None:
    """Ask once; None where the answer broke off."""
    try:
        answer: requests.Response = ask()
    except requests.exceptions.ConnectionError:
        return None
    return answer
