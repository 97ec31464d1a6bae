"""Sends what is queued, over SMTP, so that a kill at any instant loses nothing and repeats nothing.

A mail is claimed (`sending`, with a lease) and committed before a byte of it leaves, and marked `sent` after the mail
server took it. Whoever dies between the two leaves a row whose lease runs out: it becomes `unknown`, because nobody can
tell whether the server took it, and a person decides.
"""

from __future__ import annotations

import logging
import re
import smtplib
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from django.conf import settings

from lianfang.audit.failpoints import failpoint
from lianfang.outbox.actions import claim, lose, settle
from lianfang.outbox.lifecycle import QUEUED, SENDING
from lianfang.outbox.models import Delivery

log = logging.getLogger(__name__)

_TIMEOUT_SECONDS = 60
# RFC 5321 §4.5.2: a line that begins with a dot would end the mail.
_LEADING_DOT = re.compile(rb"^\.", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class _Answer:
    """What the mail server said to one mail, and what follows from it; `broken`: the connection is of no more use."""

    move: str
    said: str
    broken: bool = False


def drain(*, clock: Callable[[], datetime]) -> int:
    """Send everything that is due; return how many mails were taken by the server.

    With the mail server away nothing is claimed and nothing changes: the sweep wakes the worker again in a minute.
    `clock` gives the instant of each step, as a drain can last for minutes.
    """
    if not _anything_due(clock()):
        return 0
    sent = 0
    try:
        with _connected() as server:
            for delivery in _claims(clock):
                answer = _send(server, delivery)
                settle(delivery.pk, move=answer.move, said=answer.said, at=clock())
                sent += answer.move == "send"
                if answer.broken:
                    break
    except (OSError, smtplib.SMTPException) as error:
        log.warning("outbox: the mail server cannot be used (%s); what is queued stays queued", type(error).__name__)
    return sent


def sweep(*, at: datetime) -> tuple[int, bool]:
    """Mark mails whose lease ran out as `unknown`; return how many, and whether anything is due."""
    late = Delivery.objects.filter(state=SENDING, lease_until__lt=at).order_by("lease_until")
    lost = sum(lose(pk, at=at) for pk in late.values_list("pk", flat=True)[:500])
    return lost, _anything_due(at)


def _anything_due(at: datetime) -> bool:
    return Delivery.objects.filter(state=QUEUED, not_before__lte=at).exists()


def _claims(clock: Callable[[], datetime]) -> Iterator[Delivery]:
    """Claim one mail after another, each committed before it is yielded; withheld ones are passed over."""
    while True:
        delivery = _claim(at=clock())
        if delivery is None:
            return
        if delivery.state == SENDING:
            failpoint("outbox.after-claim")
            yield delivery


def _claim(*, at: datetime) -> Delivery | None:
    # To look is no deed: an empty queue makes no entry in the ledger.
    if not _anything_due(at):
        return None
    try:
        return claim(at=at)
    except Delivery.DoesNotExist:
        return None  # other workers hold what is due


@contextmanager
def _connected() -> Iterator[smtplib.SMTP]:
    """One connection for this drain alone; two threads on a shared one break it."""
    server = smtplib.SMTP(settings.MAIL_HOST, settings.MAIL_PORT, timeout=_TIMEOUT_SECONDS)
    try:
        server.ehlo_or_helo_if_needed()
        if settings.MAIL_STARTTLS:
            server.starttls(context=ssl.create_default_context())
        if settings.MAIL_USER:
            server.login(settings.MAIL_USER, settings.MAIL_PASSWORD)
        yield server
    finally:
        try:
            server.quit()
        except (OSError, smtplib.SMTPException):
            server.close()


def _send(server: smtplib.SMTP, delivery: Delivery) -> _Answer:
    """Give one mail to the server and tell what its answer means.

    smtplib's own `sendmail` would not say whether a connection broke before the content went (certainly not taken) or
    after (nobody knows), so the four steps stand here.
    """
    content = message(delivery).as_bytes()
    begun = False
    try:
        steps: list[Callable[[], tuple[int, bytes]]] = [
            lambda: server.mail(settings.MAIL_FROM, []),
            lambda: server.rcpt(delivery.to, []),
            lambda: server.docmd("DATA"),
        ]
        for step in steps:
            code, said = step()
            if code not in (250, 251, 354):
                return _refused(server, code, said, delivery)
        begun = True
        server.send(_LEADING_DOT.sub(b"..", content) + b".\r\n")
        code, said = server.getreply()
        failpoint("outbox.after-data")
    except (OSError, smtplib.SMTPException) as error:
        server.close()
        return _Answer("lose" if begun else "retry", type(error).__name__, broken=True)
    return _Answer("send", _clean(said, delivery)) if code == 250 else _refused(server, code, said, delivery)


def _refused(server: smtplib.SMTP, code: int, said: bytes, delivery: Delivery) -> _Answer:
    try:
        server.rset()
        broken = False
    except (OSError, smtplib.SMTPException):
        broken = True
    return _Answer("fail" if 500 <= code < 600 else "retry", f"{code} {_clean(said, delivery)}", broken=broken)


def _clean(said: bytes, delivery: Delivery) -> str:
    """The server's words, without the address that servers like to repeat."""
    return said.decode("utf-8", "replace").replace(delivery.to, "<…>")[:300]


def message(delivery: Delivery) -> EmailMessage:
    """Return the mail as it goes over the wire: the same bytes each time, whatever the attempt."""
    mail = EmailMessage(policy=SMTP)
    mail["From"] = settings.MAIL_FROM
    mail["To"] = delivery.to
    if delivery.reply_to:
        mail["Reply-To"] = delivery.reply_to
    mail["Subject"] = delivery.subject
    mail["Date"] = format_datetime(delivery.created_at)
    mail["Message-ID"] = delivery.message_id
    # RFC 3834 §5: keeps out-of-office answers from coming back.
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(delivery.body_text, cte="base64")
    if delivery.body_html:
        mail.add_alternative(delivery.body_html, subtype="html", cte="base64")
        # The standard library draws the boundary at random.
        mail.set_boundary(f"=_{delivery.pk.hex}")
    return mail
