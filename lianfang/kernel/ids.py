"""Identifiers, secrets and digests."""

from __future__ import annotations

import hashlib
import re
import secrets
from uuid import UUID, uuid4

_PREFIX = re.compile(r"[A-Z]{1,4}\Z")
_SECRET_BYTES = 32
_SHORT_HEX_DIGITS = 12


def new_id() -> UUID:
    """Return a random (version 4) UUID; it tells nothing of when or where it was made."""
    return uuid4()


def case_number(prefix: str, year: int, n: int) -> str:
    """Return a number that people can say aloud, such as `A-2026-0187`.

    `prefix` is one to four capital letters, `year` the Gregorian year of the case, `n` its place in that year from 1.
    Four digits are the least, not the most. Raises ValueError for anything else.
    """
    if not _PREFIX.match(prefix):
        raise ValueError(f"prefix {prefix!r}: one to four capital letters")
    if not 1912 <= year <= 9999:
        raise ValueError(f"year {year}: four digits, Gregorian")
    if n < 1:
        raise ValueError(f"number {n}: counting starts at 1")
    return f"{prefix}-{year}-{n:04d}"


def new_secret() -> str:
    """Return 256 random bits as 43 characters of the URL-safe base64 alphabet.

    It holds no `:` and so can be the password half of HTTP Basic (RFC 7617) and a Bearer token (RFC 6750) alike.
    """
    return secrets.token_urlsafe(_SECRET_BYTES)


def digest(content: str | bytes) -> bytes:
    """Return the 32 bytes of SHA-256 over the content; text is taken as UTF-8.

    Raises UnicodeEncodeError (a ValueError) for text with a lone surrogate, which has no UTF-8 form.
    """
    return hashlib.sha256(content.encode() if isinstance(content, str) else content).digest()


def short(full: bytes) -> str:
    """Return the first 12 hexadecimal digits of a digest, for people to compare; never for a machine to trust."""
    return full.hex()[:_SHORT_HEX_DIGITS]
