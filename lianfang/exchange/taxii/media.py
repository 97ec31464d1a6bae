"""Content negotiation: which answers a client accepts, and which bodies it may send (TAXII 2.1 §1.6.8, RFC 9110 §12).

Answers always carry exactly `application/taxii+json;version=2.1`; clients compare it as text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

TAXII = "application/taxii+json;version=2.1"
STIX = "application/stix+json;version=2.1"

_PARAMETER = re.compile(r";\s*([!#$%&'*+.^_`|~0-9A-Za-z-]+)\s*=\s*(\"(?:[^\"\\]|\\.)*\"|[^;,\"\s]*)\s*")
_ITEM = re.compile(r"(?:[^,\"]|\"(?:[^\"\\]|\\.)*\")+")
_LONGEST = 4096
_BODIES = {"application/taxii+json", "application/stix+json", "application/vnd.oasis.stix+json"}


@dataclass(frozen=True, slots=True)
class MediaRange:
    """One member of an Accept header, or the one media type of a body."""

    name: str
    version: str | None
    quality: float

    @property
    def covers_taxii(self) -> int:
        """How specifically it speaks of our media type: 0 not at all, 1 `*/*`, 2 `application/*`, 3 and 4 by name."""
        if self.name == "*/*":
            return 1
        if self.name == "application/*":
            return 2
        if self.name != "application/taxii+json":
            return 0
        if self.version is None:
            return 3
        return 4 if self.version == "2.1" else 0


def ranges(header: str) -> Iterator[MediaRange]:
    """Read a header leniently; a member that is no media range is passed over."""
    for item in _ITEM.findall(header[:_LONGEST]):
        name = item.split(";", 1)[0].strip().lower()
        if "/" not in name:
            continue
        parameters = {key.lower(): value.strip('"') for key, value in _PARAMETER.findall(item)}
        yield MediaRange(name, parameters.get("version"), _quality(parameters.get("q", "1")))


def acceptable(accept: str | None) -> bool:
    """Return whether the client takes TAXII 2.1. The most specific range decides; no header means anything."""
    if accept is None or not accept.strip():
        return True
    speaking = [(media.covers_taxii, media.quality) for media in ranges(accept) if media.covers_taxii]
    if not speaking:
        return False
    most = max(level for level, _ in speaking)
    return max(quality for level, quality in speaking if level == most) > 0


def is_body(content_type: str | None) -> bool:
    """Return whether a request body of this media type is read as an envelope."""
    found = list(ranges(content_type or ""))
    return len(found) == 1 and found[0].name in _BODIES and found[0].version in (None, "2.1")


def _quality(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 1.0
