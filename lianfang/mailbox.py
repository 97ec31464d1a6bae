"""The demo's mail server: takes every mail over real SMTP and keeps it as a file; nothing ever leaves the machine."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import signal
import socket
import sys
import time
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session

__all__ = ["Keeper", "main"]


class Keeper:
    """Writes each mail to `FOLDER/<time in ns>.eml`, with who sent it to whom on the first lines."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: ARG002
        content = envelope.content if isinstance(envelope.content, bytes) else (envelope.content or "").encode()
        head = f"X-MailFrom: {envelope.mail_from}\r\nX-RcptTo: {', '.join(envelope.rcpt_tos)}\r\n"
        name = f"{time.time_ns():020d}.eml"
        # A reader of the folder must never see half a mail.
        fresh = self.folder / f".{name}"
        fresh.write_bytes(head.encode("utf-8", "surrogateescape") + content)
        fresh.rename(self.folder / name)
        return "250 Message accepted for delivery"


async def _serve(listener: socket.socket, folder: Path) -> None:
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    server = await loop.create_server(
        lambda: SMTP(Keeper(folder), hostname="localhost", enable_SMTPUTF8=True, loop=loop), sock=listener
    )
    async with server:
        await ended.wait()


def main() -> int:
    """Serve the inherited listening socket `--fd` until SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m lianfang.mailbox")
    parser.add_argument("--fd", type=int, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    chosen = parser.parse_args()
    os.umask(0o077)
    chosen.folder.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(socket.socket(fileno=chosen.fd), chosen.folder))
    return 0


if __name__ == "__main__":
    sys.exit(main())
