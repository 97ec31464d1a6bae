"""Fetches from the centre's mailbox over IMAP, so that a kill at any instant loses no mail and takes none twice.

A mail is committed here before it is moved away on the server: what lies in the folder is not yet taken, whatever
marks a person's mail program left on it. Whoever dies between the two fetches the same mail again and finds it known.
"""

from __future__ import annotations

import contextlib
import imaplib
import logging
import re
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import DatabaseError

from lianfang.audit.failpoints import failpoint
from lianfang.mailroom import parse
from lianfang.mailroom.actions import take, take_head, take_unread

if TYPE_CHECKING:
    from config.env import Imap

log = logging.getLogger(__name__)

TAKEN, LARGE = "Lianfang-taken", "Lianfang-too-large"
MOST_AT_ONCE = 200
_TIMEOUT_SECONDS = 60
_HEAD_BYTES = 256 * 1024
_SIZE = re.compile(rb"RFC822\.SIZE (\d+)")


class Unavailable(Exception):
    """The mailbox cannot be used now; the message is for the operator and names no mail."""


@dataclass(frozen=True, slots=True)
class Round:
    """What one round did: mails moved away, and mails that could not be taken in and lie there still."""

    taken: int
    stuck: int


def fetch(account: Imap, *, clock: Callable[[], datetime]) -> Round:
    """Take in what lies in the mailbox, at most 200 mails. Raises Unavailable; one bad mail stops nothing."""
    taken = stuck = 0
    try:
        with _connected(account) as server:
            for uid in _waiting(server):
                if _one(server, uid, clock):
                    taken += 1
                else:
                    stuck += 1
    except (OSError, imaplib.IMAP4.error, ssl.SSLError) as error:
        raise Unavailable(f"{type(error).__name__}: {str(error)[:120]}") from None
    return Round(taken, stuck)


def _one(server: Any, uid: str, clock: Callable[[], datetime]) -> bool:
    """Take one mail in and move it away; False when it could not be taken and so stays."""
    size = _size(server, uid)
    if size is None:
        return True  # somebody else took it meanwhile
    try:
        if size > parse.MOST_BYTES:
            head = _content(server, uid, f"BODY.PEEK[HEADER]<0.{_HEAD_BYTES}>")
            take_head(head=head, size=size, at=clock())
            folder = LARGE
        else:
            _taken(_content(server, uid, "BODY.PEEK[]"), clock)
            folder = TAKEN
    except DatabaseError:
        raise
    except (OSError, imaplib.IMAP4.error):
        raise
    except Exception:
        log.exception("mailroom: a mail could not be taken in; it stays in the mailbox")
        return False
    failpoint("mailroom.take.after-commit")
    _move(server, uid, folder)
    return True


def _taken(raw: bytes, clock: Callable[[], datetime]) -> None:
    try:
        take(raw=raw, at=clock())
    except (DatabaseError, OSError):
        # The data base or the disk is away: that is no fault of this mail.
        raise
    except Exception:
        log.exception("mailroom: a mail could not be read; its bytes are kept for the triage")
        take_unread(raw=raw, at=clock())


@contextmanager
def _connected(account: Imap) -> Iterator[Any]:
    server: Any
    if account.security == "tls":
        server = imaplib.IMAP4_SSL(
            account.host, account.port, ssl_context=ssl.create_default_context(), timeout=_TIMEOUT_SECONDS
        )
    else:
        server = imaplib.IMAP4(account.host, account.port, timeout=_TIMEOUT_SECONDS)
    try:
        if account.security == "starttls":
            server.starttls(ssl_context=ssl.create_default_context())
        server.login(account.user, account.password)
        _expect(server.select(_quoted(account.folder)))
        for name in (TAKEN, LARGE):
            server.create(_quoted(name))  # there already: it says no, and that is right
        yield server
    finally:
        with contextlib.suppress(OSError, imaplib.IMAP4.error):
            server.logout()


def _waiting(server: Any) -> list[str]:
    (found,) = _expect(server.uid("SEARCH", "UNDELETED"))
    return [one.decode() for one in (found or b"").split()[:MOST_AT_ONCE]]


def _size(server: Any, uid: str) -> int | None:
    answer = _expect(server.uid("FETCH", uid, "(RFC822.SIZE)"))
    found = _SIZE.search(b" ".join(one for one in answer if isinstance(one, bytes)))
    return int(found.group(1)) if found else None


def _content(server: Any, uid: str, what: str) -> bytes:
    for one in _expect(server.uid("FETCH", uid, f"({what})")):
        if isinstance(one, tuple) and len(one) > 1:
            return bytes(one[1])
    return b""


def _move(server: Any, uid: str, folder: str) -> None:
    """Move a mail away: by MOVE (RFC 6851), else by copy and delete, the copy first."""
    if "MOVE" in _capabilities(server):
        _expect(server.uid("MOVE", uid, _quoted(folder)))
        return
    _expect(server.uid("COPY", uid, _quoted(folder)))
    _expect(server.uid("STORE", uid, "+FLAGS", r"(\Deleted)"))
    if "UIDPLUS" in _capabilities(server):
        _expect(server.uid("EXPUNGE", uid))
    else:
        # Without UIDPLUS an expunge takes away what others marked too; marked so it is not fetched again either.
        return


def _capabilities(server: Any) -> frozenset[str]:
    known = getattr(server, "lianfang_capabilities", None)
    if known is None:
        (said,) = _expect(server.capability())
        known = server.lianfang_capabilities = frozenset(said.decode("ascii", "replace").upper().split())
    return frozenset(known)


def _expect(answer: tuple[str, list[Any]]) -> list[Any]:
    status, data = answer
    if status != "OK":
        raise imaplib.IMAP4.error(f"the mail server said {status}")
    return data


def _quoted(name: str) -> str:
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
