"""One cast for all tests of a module, and a real IMAP server."""

from __future__ import annotations

import imaplib
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from config.env import Imap
from tests.members.conftest import cast, made  # noqa: F401 - fixtures

if TYPE_CHECKING:
    pass

_SERVER = "import sys; from pymap.main import main; sys.argv[0] = 'pymap'; sys.exit(main())"


@dataclass
class Box:
    """A mailbox on the server: what lies where, by a second connection."""

    account: Imap

    def connected(self) -> imaplib.IMAP4:
        server = imaplib.IMAP4(self.account.host, self.account.port, timeout=20)
        server.login(self.account.user, self.account.password)
        return server

    def put(self, *mails: bytes, folder: str = "INBOX") -> None:
        server = self.connected()
        for raw in mails:
            assert server.append(folder, "", None, raw)[0] == "OK"
        server.logout()

    def holds(self, folder: str = "INBOX") -> list[bytes]:
        """The mails of a folder that nobody marked as deleted."""
        server = self.connected()
        if server.select(f'"{folder}"')[0] != "OK":
            return []
        (uids,) = server.uid("SEARCH", "UNDELETED")[1]
        found = [server.uid("FETCH", uid.decode(), "(BODY.PEEK[])")[1][0][1] for uid in uids.split()]
        server.logout()
        return found

    def clear(self) -> None:
        server = self.connected()
        for folder in ("INBOX", "Lianfang-taken", "Lianfang-too-large"):
            if server.select(f'"{folder}"')[0] == "OK":
                server.store("1:*", "+FLAGS", r"(\Deleted)")
                server.expunge()
        server.logout()


@pytest.fixture(scope="session")
def imap_server() -> Iterator[Imap]:
    """pymap, an IMAP4rev1 server, in a process of its own."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = ["--host", "127.0.0.1", "--port", str(port), "--no-tls", "--no-service", "admin", "dict"]
    process = subprocess.Popen(
        [sys.executable, "-c", _SERVER, *command, "--demo-user", "centre", "--demo-password", "open sesame"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        end = time.monotonic() + 30
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                assert time.monotonic() < end, "the IMAP server did not start"
                time.sleep(0.1)
        yield Imap("127.0.0.1", port, "centre", "open sesame", "none", "INBOX")
    finally:
        process.kill()
        process.wait(10)


@pytest.fixture
def box(imap_server: Imap, settings: Any) -> Box:
    """An empty mailbox, which the product asks."""
    settings.IMAP = imap_server
    found = Box(imap_server)
    found.clear()
    return found
