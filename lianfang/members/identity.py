"""Finding identity numbers in what is typed or uploaded, so that nobody hands us one by mistake."""

from __future__ import annotations

import itertools
import re
import unicodedata
import zlib
from collections.abc import Iterator

# National identity numbers and resident certificates: a letter, then 1, 2, 8 or 9 (old certificates: a second letter
# A-D), then digits, the last one a check digit.
_PATTERN = re.compile(r"(?<![A-Za-z0-9])([A-Za-z])([12A-Da-d89])(\d{8})(?![A-Za-z0-9])")
_LETTERS = {letter: value for value, letter in enumerate("ABCDEFGHJKLMNPQRSTUVXYWZIO", start=10)}
_WEIGHTS = (1, 9, 8, 7, 6, 5, 4, 3, 2, 1, 1)
# A stream of a PDF unpacked further than this is not looked at: it is either an image or made to harm us.
_MOST_UNPACKED = 4 * 1024 * 1024
_MOST_STREAMS = 2000
# Of all streams together: a file made of many that each unpack to the most would keep a process busy for minutes.
_MOST_IN_ALL = 32 * 1024 * 1024
_MOST_SHOWN = 200_000
_STREAM = re.compile(rb"stream\r?\n")
_STREAM_END = b"endstream"
_MOST_OBJECTS = 20_000
_MOST_PAGES = 2000
_OBJECT = re.compile(rb"(?<!\d)(\d{1,7})\s+\d{1,5}\s+obj\b")
_OBJECT_END = b"endobj"
_FIRST = re.compile(rb"/First\s+(\d{1,7})")
_CATALOGUE = re.compile(rb"/Type\s*/Catalog\b")
_TREE = re.compile(rb"/Pages\s+(\d{1,7})\s+\d{1,5}\s+R")
_KIDS = re.compile(rb"/Kids\s*\[([^\]]*)\]")
_CONTENTS = re.compile(rb"/Contents\s*(\[[^\]]*\]|\d{1,7}\s+\d{1,5}\s+R)")
_REFERENCE = re.compile(rb"(\d{1,7})\s+\d{1,5}\s+R")
# The closing mark may be missing: looking for it from each opening one would take the square of the file's length.
_SHOWN = re.compile(rb"\(((?:[^()\\]|\\.)*)\)?|<([0-9A-Fa-f\s]+)>?")
_OPERATOR = re.compile(rb"[A-Za-z'\"]")


def identity_numbers(text: str) -> list[str]:
    """Return the identity or resident numbers (right check digit) that stand in a text, in full width, too."""
    plain = text if text.isascii() else unicodedata.normalize("NFKC", text)
    return [found.group() for found in _PATTERN.finditer(plain) if _checks(found)]


def holds_identity_number(text: str) -> bool:
    """Return whether a text holds at least one."""
    return bool(identity_numbers(text))


def in_pdf(content: bytes) -> int:
    """Return how many identity numbers stand in the text of a PDF.

    Reads plain and Flate-packed text in simple encodings. Scanned pages and fonts with their own encoding cannot be
    read this way, so zero is no proof that there is none, and the page says so.
    """
    found: set[str] = set()
    reader = _Reader()
    for _, stream in itertools.islice(_between(content, _STREAM, _STREAM_END), _MOST_STREAMS):
        found.update(identity_numbers(reader.text(reader.unpacked(stream))))
    found.update(identity_numbers(content.decode("latin-1")))
    return len(found)


def pages_of(content: bytes) -> list[int]:
    """Return the pages (from 1) of a PDF on whose own text `in_pdf` finds a number, where the file tells its pages."""
    reader = _Reader()
    objects = _objects(content, reader)
    found = []
    for number, page in enumerate(_pages(objects), start=1):
        wanted = _CONTENTS.search(page)
        parts = [objects.get(int(ref), b"") for ref in _REFERENCE.findall(wanted.group(1))] if wanted else []
        # A page's streams are one text, cut anywhere.
        if identity_numbers(reader.text(b"\n".join(reader.unpacked(_stream_of(part)) for part in parts))):
            found.append(number)
    return found


def _between(content: bytes, opening: re.Pattern[bytes], closing: bytes) -> Iterator[tuple[re.Match[bytes], bytes]]:
    """Return what stands between each opening and the next closing mark, in one pass over the file."""
    place = 0
    while (begins := opening.search(content, place)) is not None:
        ends = content.find(closing, begins.end())
        if ends < 0:
            return
        yield begins, content[begins.end() : ends]
        place = ends + len(closing)


def _stream_of(body: bytes) -> bytes:
    """Return the packed content of an object's stream, or nothing."""
    return next((stream for _, stream in _between(body + _STREAM_END, _STREAM, _STREAM_END)), b"")


def _objects(content: bytes, reader: _Reader) -> dict[int, bytes]:
    """The numbered objects, also those that are packed several in one stream; of two with one number the later."""
    objects: dict[int, bytes] = {}
    for head, body in itertools.islice(_between(content, _OBJECT, _OBJECT_END), _MOST_OBJECTS):
        objects[int(head.group(1))] = body
    for body in list(objects.values()):
        first = _FIRST.search(body[:400])
        if first is None or b"/ObjStm" not in body[:400]:
            continue
        packed, start = reader.unpacked(_stream_of(body)), int(first.group(1))
        heads = [int(one) for one in packed[:start].split()[:_MOST_OBJECTS] if one.isdigit()]
        places = list(zip(heads[::2], heads[1::2], strict=False))
        behind = 0
        for index, (number, place) in enumerate(places):
            end = places[index + 1][1] if index + 1 < len(places) else len(packed)
            # Places stand in their order; others would let a small stream stand for gigabytes.
            if behind <= place <= end:
                objects.setdefault(number, packed[start + place : start + end])
                behind = end
    return objects


def _pages(objects: dict[int, bytes]) -> list[bytes]:
    """The pages in their order: from the catalogue down the tree of /Kids, each node once."""
    catalogue = next((body for body in objects.values() if _CATALOGUE.search(body)), b"")
    root = _TREE.search(catalogue)
    waiting, seen, pages = [int(root.group(1))] if root else [], set[int](), list[bytes]()
    while waiting and len(pages) < _MOST_PAGES:
        number = waiting.pop()
        if number in seen:
            continue
        seen.add(number)
        body = objects.get(number, b"")
        if kids := _KIDS.search(body):
            waiting += [int(ref) for ref in _REFERENCE.findall(kids.group(1))][::-1]
        elif body:
            pages.append(body)
    return pages


class _Reader:
    """Unpacks streams and reads what they show, of one file no more than a process has time for."""

    def __init__(self) -> None:
        self._left, self._pieces = _MOST_IN_ALL, _MOST_SHOWN

    def unpacked(self, stream: bytes) -> bytes:
        """Return a stream's content, packed or not; nothing once the file has had its share."""
        most = min(self._left, _MOST_UNPACKED)
        if most <= 0:
            return b""
        try:
            content = zlib.decompressobj().decompress(stream, most)
        except zlib.error:
            content = stream[:most]
        self._left -= len(content)
        return content

    def text(self, stream: bytes) -> str:
        """Return what a stream shows: piece by piece, line by line, and all of it together."""
        parts, lines, end = list[str](), list[str](), 0
        for found in itertools.islice(_SHOWN.finditer(stream), self._pieces):
            plain, packed = found.groups()
            pairs = b"".join((packed or b"").split())
            raw = plain or bytes.fromhex(pairs[: len(pairs) // 2 * 2].decode())
            part = raw.decode("utf-16-be" if b"\x00" in raw else "latin-1", errors="ignore")
            # Letters of one number are often placed one by one; where an operator stands between, a line may begin.
            lines.append(" " + part if _OPERATOR.search(stream, end, found.start()) else part)
            parts.append(part)
            end = found.end()
        self._pieces -= len(parts)
        return " ".join([*parts, "".join(lines), "".join(parts)])


def _checks(found: re.Match[str]) -> bool:
    letter, second, digits = found.group(1).upper(), found.group(2).upper(), found.group(3)
    value = _LETTERS[letter]
    middle = str(_LETTERS[second] % 10) if second.isalpha() else second
    places = [value // 10, value % 10, int(middle), *map(int, digits)]
    return sum(place * weight for place, weight in zip(places, _WEIGHTS, strict=True)) % 10 == 0
