"""Finding identity numbers in what is typed or uploaded, so that nobody hands us one by mistake."""

from __future__ import annotations

import re
import zlib

# National identity numbers and resident certificates: a letter, then 1, 2, 8 or 9 (old certificates: a second letter
# A-D), then digits, the last one a check digit.
_PATTERN = re.compile(r"(?<![A-Za-z0-9])([A-Za-z])([12A-Da-d89])(\d{8})(?![A-Za-z0-9])")
_LETTERS = {letter: value for value, letter in enumerate("ABCDEFGHJKLMNPQRSTUVXYWZIO", start=10)}
_WEIGHTS = (1, 9, 8, 7, 6, 5, 4, 3, 2, 1, 1)
# A stream of a PDF unpacked further than this is not looked at: it is either an image or made to harm us.
_MOST_UNPACKED = 4 * 1024 * 1024
_MOST_STREAMS = 2000
_STREAM = re.compile(rb"stream\r?\n(.*?)endstream", re.DOTALL)
_SHOWN = re.compile(rb"\(((?:[^()\\]|\\.)*)\)|<([0-9A-Fa-f\s]+)>")


def identity_numbers(text: str) -> list[str]:
    """Return the national identity or resident numbers (right check digit) that stand in a text."""
    return [found.group() for found in _PATTERN.finditer(text) if _checks(found)]


def holds_identity_number(text: str) -> bool:
    """Return whether a text holds at least one."""
    return bool(identity_numbers(text))


def in_pdf(content: bytes) -> int:
    """Return how many identity numbers stand in the text of a PDF.

    Reads plain and Flate-packed text in simple encodings. Scanned pages and fonts with their own encoding cannot be
    read this way, so zero is no proof that there is none, and the page says so.
    """
    found: set[str] = set()
    for count, match in enumerate(_STREAM.finditer(content)):
        if count >= _MOST_STREAMS:
            break
        found.update(identity_numbers(_shown_text(_unpacked(match.group(1)))))
    found.update(identity_numbers(content.decode("latin-1")))
    return len(found)


def _unpacked(stream: bytes) -> bytes:
    try:
        return zlib.decompressobj().decompress(stream, _MOST_UNPACKED)
    except zlib.error:
        return stream[:_MOST_UNPACKED]


def _shown_text(stream: bytes) -> str:
    parts = []
    for plain, packed in _SHOWN.findall(stream):
        pairs = b"".join(packed.split())
        raw = plain or bytes.fromhex(pairs[: len(pairs) // 2 * 2].decode())
        parts.append(raw.decode("utf-16-be" if b"\x00" in raw else "latin-1", errors="ignore"))
    # Letters of one number are often placed one by one.
    return " ".join(parts) + " " + "".join(parts)


def _checks(found: re.Match[str]) -> bool:
    letter, second, digits = found.group(1).upper(), found.group(2).upper(), found.group(3)
    value = _LETTERS[letter]
    middle = str(_LETTERS[second] % 10) if second.isalpha() else second
    places = [value // 10, value % 10, int(middle), *map(int, digits)]
    return sum(place * weight for place, weight in zip(places, _WEIGHTS, strict=True)) % 10 == 0
