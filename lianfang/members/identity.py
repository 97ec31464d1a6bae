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
_MOST_OBJECTS = 20_000
_MOST_PAGES = 2000
_OBJECT = re.compile(rb"(?<!\d)(\d{1,7})\s+\d{1,5}\s+obj\b(.*?)endobj", re.DOTALL)
_FIRST = re.compile(rb"/First\s+(\d{1,7})")
_CATALOGUE = re.compile(rb"/Type\s*/Catalog\b")
_TREE = re.compile(rb"/Pages\s+(\d{1,7})\s+\d{1,5}\s+R")
_KIDS = re.compile(rb"/Kids\s*\[([^\]]*)\]")
_CONTENTS = re.compile(rb"/Contents\s*(\[[^\]]*\]|\d{1,7}\s+\d{1,5}\s+R)")
_REFERENCE = re.compile(rb"(\d{1,7})\s+\d{1,5}\s+R")
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


def pages_of(content: bytes) -> list[int]:
    """Return the pages (from 1) of a PDF on whose own text `in_pdf` finds a number, where the file tells its pages."""
    objects = _objects(content)
    found = []
    for number, page in enumerate(_pages(objects), start=1):
        wanted = _CONTENTS.search(page)
        parts = [objects.get(int(ref), b"") for ref in _REFERENCE.findall(wanted.group(1))] if wanted else []
        streams = [match.group(1) for part in parts if (match := _STREAM.search(part + b"endstream"))]
        # A page's streams are one text, cut anywhere.
        if identity_numbers(_shown_text(b"\n".join(_unpacked(stream) for stream in streams))):
            found.append(number)
    return found


def _objects(content: bytes) -> dict[int, bytes]:
    """The numbered objects, also those that are packed several in one stream; of two with one number the later."""
    objects: dict[int, bytes] = {}
    for count, match in enumerate(_OBJECT.finditer(content)):
        if count >= _MOST_OBJECTS:
            break
        objects[int(match.group(1))] = match.group(2)
    for body in list(objects.values()):
        first, stream = _FIRST.search(body[:400]), _STREAM.search(body + b"endstream")
        if first is None or stream is None or b"/ObjStm" not in body[:400]:
            continue
        packed, start = _unpacked(stream.group(1)), int(first.group(1))
        heads = [int(one) for one in packed[:start].split()[:_MOST_OBJECTS] if one.isdigit()]
        places = list(zip(heads[::2], heads[1::2], strict=False))
        for index, (number, place) in enumerate(places):
            end = places[index + 1][1] if index + 1 < len(places) else len(packed)
            objects.setdefault(number, packed[start + place : start + end])
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
