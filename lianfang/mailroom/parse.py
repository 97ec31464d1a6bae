"""Reading a mail that anybody can send: nothing in it is trusted, nothing is followed, and nothing makes this raise.

What cannot be read is said in `faults`; the bytes as they came are kept beside whatever is made of them. Only the
standard library's old policy is used: its newer one parses headers in quadratic time.
"""

from __future__ import annotations

import email
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email import policy
from email.errors import MessageError
from email.header import decode_header
from email.message import Message
from email.utils import getaddresses, parsedate_to_datetime
from html.parser import HTMLParser
from pathlib import PurePosixPath

from lianfang.kernel.ids import digest

MOST_BYTES = 64 * 1024 * 1024
"""A larger mail is not fetched: its head comes into the triage, the whole stays on the mail server."""
_MOST_PARSED = 32 * 1024 * 1024
_MOST_HEAD = 256 * 1024
_MOST_BOUNDARIES = 60
_MOST_PARTS = 200
_MOST_DEPTH = 12
MOST_FILES = 20
MOST_FILE_BYTES = 10 * 1024 * 1024
_MOST_TEXT = 100_000
_MOST_HEADER = 4000
_MOST_ADDRESSES = 50

# What misleads the eye or a program: controls, marks of direction, invisible ones, lone surrogates.
_CONTROL = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]"
)
_BLANK = re.compile(r"[\t\r\n ]+")
_BOUNDARY = re.compile(rb"(?i)boundary\s*=")
_HEADER_LINE = re.compile(rb"(?m)^[!-9;-~]+:")
_UNSAFE_NAME = re.compile(r'[/\\:*?"<>|]')
# Encodings that mails from Taiwan use without saying so, in the order in which they can be told apart.
_GUESSES = ("utf-8", "cp950", "gb18030")

_MAGIC: tuple[tuple[bytes, str, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "image/png", ".png"),
    (b"\xff\xd8\xff", "image/jpeg", ".jpg"),
    (b"\x78\x9f\x3e\x22", "application/ms-tnef", ".dat"),
    (b"PK\x03\x04", "application/zip", ".zip"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage", ".ole"),
)
# A zip file by another name: kept under the name that people know it by.
_ZIPPED = (".docx", ".xlsx", ".pptx", ".odt", ".ods", ".zip")
_OLE = (".doc", ".xls", ".ppt", ".msg")
OTHER = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class File:
    """One attachment: bytes under a name without tricks, and what they are inside, whatever the mail calls them."""

    name: str
    content: bytes
    media_type: str
    declared: str


@dataclass(frozen=True, slots=True)
class Bounce:
    """What a report of non-delivery says (RFC 3464): about which of our mails, to whom, and whether for good."""

    message_id: str
    recipient: str
    status: str
    final: bool


@dataclass(frozen=True, slots=True)
class Parsed:
    """A mail as far as it could be read. `kind`: mail, auto (answered by a program), bounce, or raw (not readable)."""

    kind: str
    fingerprint: bytes
    message_id: str = ""
    sender: str = ""
    sender_name: str = ""
    subject: str = ""
    to: tuple[str, ...] = ()
    sent_at: datetime | None = None
    text: str = ""
    files: tuple[File, ...] = ()
    bounces: tuple[Bounce, ...] = ()
    faults: tuple[str, ...] = ()


def parse(raw: bytes, *, envelope_to: tuple[str, ...] = ()) -> Parsed:
    """Read a mail. Never raises: what is too large, too deep or broken comes back as `raw` with its reason."""
    fault = _too_much(raw)
    if fault:
        return _unread(raw, fault, envelope_to)
    try:
        return _read(raw, envelope_to)
    except (MessageError, ValueError, LookupError, TypeError, AttributeError, KeyError, IndexError, RecursionError,
            AssertionError, OverflowError, MemoryError, UnicodeError):  # fmt: skip
        return _unread(raw, "unreadable", envelope_to)


def head_only(head: bytes, *, envelope_to: tuple[str, ...] = ()) -> Parsed:
    """Read what is known of a mail that is too large to be fetched."""
    try:
        found = _read(head[:_MOST_HEAD].split(b"\r\n\r\n", 1)[0] + b"\r\n\r\n", envelope_to)
    except Exception:  # whatever its head holds, the mail is told of
        return _unread(head, "too_large", envelope_to)
    return Parsed(
        "raw", found.fingerprint, found.message_id, found.sender, found.sender_name, found.subject, found.to,
        found.sent_at, faults=(*found.faults, "too_large"),
    )  # fmt: skip


def _too_much(raw: bytes) -> str:
    """Return why a mail is not even given to the parser, whose time and depth its sender chooses."""
    if len(raw) > _MOST_PARSED:
        return "too_large"
    head = re.split(rb"\r?\n\r?\n", raw[: _MOST_HEAD + 4], maxsplit=1)[0]
    if len(head) > _MOST_HEAD or len(_HEADER_LINE.findall(head)) > 1000:
        return "long_head"
    if len(_BOUNDARY.findall(raw)) > _MOST_BOUNDARIES:
        return "too_deep"
    return ""


def _unread(raw: bytes, fault: str, envelope_to: tuple[str, ...]) -> Parsed:
    return Parsed("raw", digest(b"raw\x00" + raw), to=_ours(envelope_to), faults=(fault,))


def _ours(addresses: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one.lower() for one in addresses))[:_MOST_ADDRESSES]


def _read(raw: bytes, envelope_to: tuple[str, ...]) -> Parsed:
    message = email.message_from_bytes(raw, policy=policy.compat32)
    faults: list[str] = []
    heads = _heads(message)
    sender_name, sender = _address(heads, "from")
    to = [one.lower() for name in ("to", "cc", "delivered-to", "x-original-to", "envelope-to")
          for one in _addresses(heads, name)]  # fmt: skip
    parts = list(_leaves(message, faults))
    text, used = _text(parts, faults)
    files = _files([part for part in parts if part[0] not in used], faults)
    bounces = tuple(_bounces(message))
    message_id = _first(heads, "message-id").strip("<> ")[:250]
    sent_at = _date(_first(heads, "date"))
    if sent_at is None and _first(heads, "date"):
        faults.append("bad_date")
    return Parsed(
        kind="bounce" if bounces or _is_report(message) else "auto" if _is_automatic(heads) else "mail",
        fingerprint=_fingerprint(heads, raw),
        message_id=message_id,
        sender=sender[:254],
        sender_name=sender_name[:200],
        subject=_first(heads, "subject")[:500],
        to=_ours((*envelope_to, *to)),
        sent_at=sent_at,
        text=text,
        files=files,
        bounces=bounces,
        faults=tuple(dict.fromkeys(faults)),
    )


# Headers


def _heads(message: Message) -> dict[str, list[str]]:
    """Return every header as one clean line of text, by its name in small letters."""
    found: dict[str, list[str]] = {}
    for name, value in message.raw_items():
        given = found.setdefault(str(name).lower()[:100], [])
        if len(given) < 20:
            given.append(_line(str(value)))
    return found


def _line(value: str) -> str:
    """Decode encoded words, guess an encoding that nobody named, and leave one line without controls."""
    value = value[:_MOST_HEADER]
    octets = value.encode("ascii", "surrogateescape") if value.isascii() or _escaped(value) else value.encode()
    if not octets.isascii():
        return clean_line(guess(octets))
    try:
        pieces = decode_header(octets.decode("ascii"))
    except (MessageError, ValueError):
        return clean_line(octets.decode("ascii"))
    text = ""
    for piece, charset in pieces:
        text += piece if isinstance(piece, str) else decoded(piece, charset or "ascii")
    return clean_line(text)


def _escaped(value: str) -> bool:
    return any("\udc80" <= char <= "\udcff" for char in value) and all(
        char.isascii() or "\udc80" <= char <= "\udcff" for char in value
    )


def clean_line(value: str) -> str:
    """Return a text in one line, without what misleads the eye."""
    return _CONTROL.sub("", _BLANK.sub(" ", value)).strip()


def decoded(octets: bytes, charset: str) -> str:
    """Decode by the named encoding, or by a guess where the name or the bytes are wrong."""
    name = charset.strip().lower()
    # What calls itself Big5 holds the characters of its successor more often than not.
    name = {"big5": "cp950", "gb2312": "gb18030", "us-ascii": "ascii"}.get(name, name)
    try:
        return octets.decode(name)
    except (LookupError, ValueError):
        return guess(octets)


def guess(octets: bytes) -> str:
    """Decode bytes of which nobody says what they are."""
    for name in _GUESSES:
        try:
            return octets.decode(name)
        except UnicodeDecodeError:
            continue
    return octets.decode("latin-1")


def _first(heads: dict[str, list[str]], name: str) -> str:
    return (heads.get(name) or [""])[0]


def _addresses(heads: dict[str, list[str]], name: str) -> list[str]:
    return [address for _, address in getaddresses(heads.get(name, []))[:_MOST_ADDRESSES] if "@" in address]


def _address(heads: dict[str, list[str]], name: str) -> tuple[str, str]:
    found = getaddresses(heads.get(name, [])[:1])
    shown, address = found[0] if found else ("", "")
    return clean_line(shown), clean_line(address).lower()


def _date(value: str) -> datetime | None:
    try:
        at = parsedate_to_datetime(value)
        at = (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return at if 1980 <= at.year <= 2200 else None


def _fingerprint(heads: dict[str, list[str]], raw: bytes) -> bytes:
    """Return the same digest for every copy of one mail: what each server adds on the way is left out."""
    said = [_first(heads, name) for name in ("message-id", "from", "to", "cc", "subject", "date", "content-type")]
    body = re.split(rb"\r?\n\r?\n", raw, maxsplit=1)
    if len(body) < 2 or not any(said):
        return digest(b"mail\x00" + raw)
    rest = body[1].replace(b"\r\n", b"\n").rstrip(b"\n")
    return digest(b"mail\x00" + "\x00".join(said).encode("utf-8", "replace") + b"\x00" + rest)


def _is_automatic(heads: dict[str, list[str]]) -> bool:
    """Whether a program answered (RFC 3834 §5; the others are what programs from before it write)."""
    submitted = _first(heads, "auto-submitted").partition(";")[0].strip().lower()
    if submitted and submitted != "no":
        return True
    if _first(heads, "precedence").lower() in ("auto_reply", "bulk", "junk", "list"):
        return True
    return any(name in heads for name in ("x-autoreply", "x-autorespond", "x-auto-response-suppress", "list-id"))


# Parts


def _leaves(message: Message, faults: list[str]) -> Iterator[tuple[int, Message]]:
    """Return the parts that hold something, numbered, without going down into mails that are attached."""
    number, waiting = 0, [(message, 0)]
    while waiting:
        part, depth = waiting.pop(0)
        number += 1
        if number > _MOST_PARTS or depth > _MOST_DEPTH:
            faults.append("parts_left")
            return
        if part.defects:
            faults.append("broken_mime")
        payload = part.get_payload()
        if part.get_content_maintype() == "multipart" and isinstance(payload, list):
            waiting[:0] = [(one, depth + 1) for one in payload if isinstance(one, Message)]
        else:
            yield number, part


def _text(parts: list[tuple[int, Message]], faults: list[str]) -> tuple[str, set[int]]:
    """Return what the mail says in plain text, and the numbers of the parts that say it."""
    plain = [one for one in parts if _says(one[1], "text/plain")]
    html = [one for one in parts if _says(one[1], "text/html")]
    used = {number for number, _ in (*plain[:1], *html[:1])}
    if plain:
        text = _said(plain[0][1], faults)
    elif html:
        text = _plain(_said(html[0][1], faults))
        faults.append("html_only")
    else:
        return "", used
    if len(text) > _MOST_TEXT:
        faults.append("text_cut")
    lines = text.replace("\r\n", "\n").replace("\r", "\n")[:_MOST_TEXT]
    return _CONTROL.sub("", lines).strip(), used


def _says(part: Message, kind: str) -> bool:
    return (
        part.get_content_type() == kind
        and str(part.get_content_disposition() or "") != "attachment"
        and not _named(part)
    )


def _said(part: Message, faults: list[str]) -> str:
    content = _content(part)
    charset = str(part.get_content_charset() or "utf-8")
    text = decoded(content, charset)
    try:
        content.decode({"big5": "cp950", "gb2312": "gb18030"}.get(charset, charset))
    except (LookupError, ValueError):
        faults.append("bad_charset")
    return text


def _content(part: Message) -> bytes:
    if part.get_content_maintype() == "message":
        payload = part.get_payload()
        inner = payload[0] if isinstance(payload, list) and payload else payload
        return inner.as_bytes() if isinstance(inner, Message) else str(inner or "").encode("utf-8", "surrogateescape")
    content = part.get_payload(decode=True)
    if isinstance(content, bytes):
        return content
    return str(part.get_payload() or "").encode("utf-8", "surrogateescape")


class _Stripper(HTMLParser):
    """Keeps the text of a page and nothing that could be followed, run or shown."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.kept: list[str] = []
        self.hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        if tag in ("script", "style", "head", "title"):
            self.hidden += 1
        elif tag in ("br", "p", "div", "tr", "li", "h1", "h2", "h3", "table", "blockquote"):
            self.kept.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in ("script", "style", "head", "title"):
            self.hidden = max(0, self.hidden - 1)

    def handle_data(self, data: str) -> None:
        if not self.hidden:
            self.kept.append(data)


def _plain(html: str) -> str:
    stripper = _Stripper()
    stripper.feed(html[: 4 * _MOST_TEXT])
    lines = [_BLANK.sub(" ", line).strip() for line in "".join(stripper.kept).split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines))


def _named(part: Message) -> str:
    try:
        return str(part.get_filename() or "")
    except (ValueError, TypeError, LookupError, MessageError):
        return ""


def _files(parts: list[tuple[int, Message]], faults: list[str]) -> tuple[File, ...]:
    found: list[File] = []
    for _, part in parts:
        content, given = _content(part), _named(part)
        if not content and not given:
            continue
        if len(found) >= MOST_FILES or len(content) > MOST_FILE_BYTES:
            faults.append("files_left")
            continue
        declared = part.get_content_type()[:100]
        if not given and declared.startswith("message/"):
            given = "message.eml"
        media_type, ending = kind_of(content)
        found.append(File(file_name(given, media_type, ending), content, media_type, declared))
    return tuple(found)


def kind_of(content: bytes) -> tuple[str, str]:
    """Return what the bytes are inside, and the ending of its name; of what is not known: bytes."""
    if b"%PDF-" in content[:1024]:
        return "application/pdf", ".pdf"
    for magic, media_type, ending in _MAGIC:
        if content.startswith(magic):
            return media_type, ending
    return OTHER, ".bin"


def file_name(given: str, media_type: str, ending: str) -> str:
    """Return a name that ends as what the file is, so that no computer runs what a mail only called a picture."""
    name = _line(given) if given else ""
    name = _UNSAFE_NAME.sub("", PurePosixPath(name.replace("\\", "/")).name).strip(". ")[-100:] or "file"
    lower = name.lower()
    known = {"application/zip": _ZIPPED, "application/x-ole-storage": _OLE, "image/jpeg": (".jpg", ".jpeg")}
    if lower.endswith(known.get(media_type, (ending,))):
        return name
    return name + ending


# Reports of non-delivery


def _is_report(message: Message) -> bool:
    return message.get_content_type() == "multipart/report"


def _bounces(message: Message) -> Iterator[Bounce]:
    """Return what a report says about each recipient, with the Message-ID of the mail that came back."""
    if not _is_report(message):
        return
    parts = message.get_payload()
    parts = [one for one in parts if isinstance(one, Message)][:10] if isinstance(parts, list) else []
    message_id = next((found for part in parts if (found := _returned_id(part))), "")
    for part in parts:
        payload = part.get_payload()
        if part.get_content_type() != "message/delivery-status" or not isinstance(payload, list):
            continue
        for block in (one for one in payload[:50] if isinstance(one, Message)):
            heads = _heads(block)
            recipient = (_first(heads, "original-recipient") or _first(heads, "final-recipient")).rpartition(";")[2]
            action, status = _first(heads, "action").lower(), _first(heads, "status").split(" ")[0][:12]
            if recipient and action:
                yield Bounce(
                    message_id, recipient.strip().lower()[:254], status, action == "failed" and status[:1] == "5"
                )


def _returned_id(part: Message) -> str:
    kind = part.get_content_type()
    if kind == "message/rfc822":
        payload = part.get_payload()
        inner = payload[0] if isinstance(payload, list) and payload else None
        return _first(_heads(inner), "message-id").strip("<> ") if isinstance(inner, Message) else ""
    if kind == "text/rfc822-headers":
        return _first(_heads(email.message_from_bytes(_content(part), policy=policy.compat32)), "message-id").strip(
            "<> "
        )
    return ""
