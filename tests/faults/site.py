"""The web process as a child that can be killed: forked from the test, one request after the other on one socket."""

from __future__ import annotations

import multiprocessing
import os
import signal
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

import requests
from django.db import connections

CSRF = "c" * 32


class _Silent(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: the client's own log is what counts."""


@dataclass
class Site:
    """A listening socket that outlives the processes which answer on it."""

    listener: socket.socket = field(default_factory=socket.socket)
    child: BaseProcess | None = None
    kills: int = 0

    def __post_init__(self) -> None:
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(16)

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://localhost:{self.listener.getsockname()[1]}"

    def start(self, **environment: str) -> None:
        """Answer from a fresh process, with these variables."""
        connections.close_all()
        self.child = multiprocessing.get_context("fork").Process(target=self._serve, args=(environment,), daemon=True)
        self.child.start()

    def _serve(self, environment: Mapping[str, str]) -> None:
        from config.wsgi import application

        os.environ.update(environment)
        server = WSGIServer(("127.0.0.1", 0), _Silent, bind_and_activate=False)
        server.socket = self.listener
        server.server_name, server.server_port = "localhost", self.listener.getsockname()[1]
        server.setup_environ()
        server.set_app(application)
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


def browser(session: str) -> requests.Session:
    """A browser with this session, which sends the token against forgery with each form."""
    made = requests.Session()
    made.cookies.set("session", session)
    made.cookies.set("csrftoken", CSRF)
    made.headers["X-CSRFToken"] = CSRF
    return made


def send(ask: Any) -> requests.Response | None:
    """Ask once; None where the answer broke off."""
    try:
        answer: requests.Response = ask()
    except requests.exceptions.ConnectionError:
        return None
    return answer
