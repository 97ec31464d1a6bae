"""Blind index: find a row by a sealed value without being able to read the value from the index."""

from __future__ import annotations

import hmac
import unicodedata

from lianfang.vault.keys import keyring


def index(kind: str, value: str) -> bytes:
    """Return 32 bytes that are equal exactly for values that people would call the same.

    NFKC, outer blanks removed, casefold, NFKC once more (case folding can undo it). `kind` (e.g. `person.email`) keeps
    indexes of different columns apart. Whoever holds the key could guess values of low entropy: do not index those.
    """
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", value).strip().casefold())
    return hmac.digest(keyring().blind, kind.encode() + b"\x00" + folded.encode(), "sha256")
