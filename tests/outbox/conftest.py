"""A real mail server on a free port, which can be told to refuse."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session


@dataclass
class MailServer:
    """Keeps what it takes; `answers` are given first to the step they name, then it says yes."""

    taken: list[EmailMessage] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    refuse_rcpt: list[str] = field(default_factory=list)
    refuse_data: list[str] = field(default_factory=list)
    hang_up: int = 0

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.refuse_rcpt:
            return self.refuse_rcpt.pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self.refuse_data:
            return self.refuse_data.pop(0)
        if self.hang_up:
            self.hang_up -= 1
            server.transport.abort()
            return "250 never heard"
        assert isinstance(envelope.content, bytes)
        self.taken.append(message_from_bytes(envelope.content, policy=policy.default))
        self.recipients += envelope.rcpt_tos
        return "250 OK"


@pytest.fixture
def mail_server(settings: Any) -> Iterator[MailServer]:
    """The server, with the settings pointing at it."""
    kept = MailServer()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    controller = Controller(kept, hostname="127.0.0.1", port=port)
    controller.start()
    settings.MAIL_HOST, settings.MAIL_PORT = "127.0.0.1", port
    yield kept
    controller.stop()


@dataclass
class Folder:
    """A mail server in a process of its own, that keeps each mail as a file."""

    port: int
    path: Path

    def mails(self) -> list[EmailMessage]:
        """What it took so far."""
        return [message_from_bytes(p.read_bytes(), policy=policy.default) for p in sorted(self.path.glob("[0-9]*.eml"))]


@pytest.fixture
def folder_server(tmp_path: Path) -> Iterator[Folder]:
    """The mail server of the demo, so that it outlives a killed sender."""
    listener = socket.create_server(("127.0.0.1", 0))
    os.set_inheritable(listener.fileno(), True)
    command = [sys.executable, "-m", "lianfang.mailbox", "--fd", str(listener.fileno()), "--folder", str(tmp_path)]
    process = subprocess.Popen(command, pass_fds=[listener.fileno()])
    try:
        time.sleep(0.1)
        yield Folder(listener.getsockname()[1], tmp_path)
    finally:
        process.terminate()
        process.wait(10)
        listener.close()
