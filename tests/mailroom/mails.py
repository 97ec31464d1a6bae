"""Mails of every sort, as bytes, for the tests of the mailroom."""

from __future__ import annotations

from email.message import EmailMessage
from email.policy import SMTP

CENTRE = "centre@lianfang.example"
PDF = b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"


def mail(
    *,
    to: str = CENTRE,
    sender: str = "somebody@outside.example",
    subject: str = "請教一件事",
    text: str = "您好，請問如何辦理？\n",
    message_id: str = "<m1@outside.example>",
    files: tuple[tuple[str, bytes], ...] = (),
    date: str = "Mon, 02 Nov 2026 09:00:00 +0800",
    **heads: str,
) -> bytes:
    """An ordinary mail; further headers by name, with `_` for `-`."""
    message = EmailMessage(policy=SMTP)
    message["From"], message["To"], message["Subject"] = sender, to, subject
    if date:
        message["Date"] = date
    if message_id:
        message["Message-ID"] = message_id
    for name, value in heads.items():
        message[name.replace("_", "-")] = value
    message.set_content(text)
    for name, content in files:
        message.add_attachment(content, maintype="application", subtype="octet-stream", filename=name)
    return message.as_bytes()


def copied(raw: bytes, via: str = "mx.outside.example") -> bytes:
    """The same mail as it comes over another way: with other traces at its head."""
    return f"Received: from {via}; Mon, 2 Nov 2026 01:02:03 +0000\r\nX-Spam-Score: 1\r\n".encode() + raw


def bounce(*, message_id: str, recipient: str, status: str = "5.1.1", action: str = "failed", own: str = "r1") -> bytes:
    """A report of non-delivery (RFC 3464) as mail servers write it."""
    return f"""\
Return-Path: <>\r
From: MAILER-DAEMON@mx.outside.example\r
To: notice@lianfang.example\r
Subject: Undelivered Mail Returned to Sender\r
Message-ID: <{own}@mx.outside.example>\r
Auto-Submitted: auto-replied\r
MIME-Version: 1.0\r
Content-Type: multipart/report; report-type=delivery-status; boundary="BB"\r
\r
--BB\r
Content-Type: text/plain\r
\r
I am sorry to have to inform you.\r
--BB\r
Content-Type: message/delivery-status\r
\r
Reporting-MTA: dns; mx.outside.example\r
\r
Final-Recipient: rfc822; {recipient}\r
Action: {action}\r
Status: {status}\r
Diagnostic-Code: smtp; 550 no such user\r
\r
--BB\r
Content-Type: message/rfc822\r
\r
From: notice@lianfang.example\r
To: {recipient}\r
Subject: x\r
Message-ID: <{message_id}>\r
\r
text\r
--BB--\r
""".encode()


def nested(depth: int) -> bytes:
    """A mail that holds a mail that holds a mail …"""
    inner = b"Content-Type: text/plain\r\n\r\ninnermost\r\n"
    for number in range(depth):
        mark = f"b{number}".encode()
        inner = (
            b"Content-Type: multipart/mixed; boundary=" + mark + b"\r\n\r\n--" + mark + b"\r\n" + inner + b"\r\n--"
            + mark + b"--\r\n"
        )  # fmt: skip
    return b"From: a@b.example\r\nTo: centre@lianfang.example\r\nMIME-Version: 1.0\r\n" + inner
