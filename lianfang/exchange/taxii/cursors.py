"""`next`: where the last page ended, encrypted, authenticated and always of the same length.

It survives restarts and is the same on every worker, since clients keep it between runs. It is bound to the reader's
pair, the collection and the filters; with anything else it is refused.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping
from functools import cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from django.conf import settings


@cache
def _cipher() -> AESSIV:
    key = hashlib.blake2b(settings.SECRET_KEY.encode(), person=b"taxii next", digest_size=64).digest()
    return AESSIV(key)


def write(*, position: int, reader: str, asked: Mapping[str, str]) -> str:
    """Return the cursor after `position`, for this reader and these filters."""
    sealed = _cipher().encrypt(position.to_bytes(8, "big"), [_bound(reader, asked)])
    return base64.urlsafe_b64encode(sealed).decode()


def read(text: str, *, reader: str, asked: Mapping[str, str]) -> int | None:
    """Return the position, or None for a cursor that was altered or belongs to another reader or other filters."""
    try:
        sealed = base64.b64decode(text.encode("ascii"), altchars=b"-_", validate=True)
        return int.from_bytes(_cipher().decrypt(sealed, [_bound(reader, asked)]), "big")
    except (InvalidTag, ValueError, binascii.Error, UnicodeEncodeError):
        return None


def _bound(reader: str, asked: Mapping[str, str]) -> bytes:
    parts = [reader, *(f"{name}={value}" for name, value in sorted(asked.items()))]
    return b"\x00".join(part.encode() for part in parts)
