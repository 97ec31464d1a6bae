"""The demo's mails as the embedded mail server kept them: files that a mail program could open."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

from django.conf import settings

_ID = re.compile(r"[0-9]{1,30}\Z")
MOST = 200
"""How many mails the list shows."""


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail as it arrived. `at` is when the mail server took it."""

    id: str
    to: str
    subject: str
    text: str
    html: str
    reply_to: str
    at: datetime


def newest() -> list[Mail]:
    """Return the mails, newest first, at most 200."""
    files = sorted(_folder().glob("[0-9]*.eml"), key=lambda path: path.name, reverse=True)
    return [mail for path in files[:MOST] if (mail := _read(path)) is not None]


def find(mail_id: str) -> Mail | None:
    """Return one mail; None for an id that never was, or is no id."""
    return _read(_folder() / f"{mail_id}.eml") if _ID.match(mail_id) else None


def _folder() -> Path:
    return Path(settings.DATA_DIR) / "mailbox"


def _read(path: Path) -> Mail | None:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    message = message_from_bytes(content, policy=policy.default)
    return Mail(
        id=path.stem,
        to=str(message["To"] or ""),
        subject=str(message["Subject"] or ""),
        text=_part(message, "plain"),
        html=_part(message, "html"),
        reply_to=str(message["Reply-To"] or ""),
        at=datetime.fromtimestamp(int(path.stem) / 1e9, UTC),
    )


def _part(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    # Over the wire lines end in CRLF (RFC 2046 §4.1.1); here they are lines of text.
    return str(part.get_content()).replace("\r\n", "\n") if part is not None else ""
