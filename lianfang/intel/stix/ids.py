"""Identifiers, timestamps and versions of STIX objects, read without a schema."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

Json = dict[str, Any]

TIMELESS = datetime(1970, 1, 1, tzinfo=UTC)
"""What stands for `modified` where an object has neither that nor `created` (observables)."""

TYPE = re.compile(r"(?=.{3,250}\Z)[a-z][a-z0-9]*(?:-[a-z0-9]+)*-?", re.DOTALL)
_ID = re.compile(r"([a-z][a-z0-9-]{2,249})--[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_LONGEST_ID = 300
_INSTANT = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d+))?Z")


def instant(text: object) -> datetime | None:
    """Return the instant of a STIX timestamp, cut to microseconds; None unless it is a real date in that form."""
    return _instant(text) if isinstance(text, str) and len(text) < 64 else None


@lru_cache(maxsize=4096)
def _instant(text: str) -> datetime | None:
    found = _INSTANT.fullmatch(text)
    if found is None:
        return None
    try:
        whole = datetime.fromisoformat(found[1] + "+00:00")
    except ValueError:
        return None
    return whole.replace(microsecond=int((found[2] or "0")[:6].ljust(6, "0")))


def type_of(stix_id: object) -> str:
    """Return the type that an id names, e.g. `indicator`; empty when it is no STIX id."""
    return _type_of(stix_id) if isinstance(stix_id, str) and len(stix_id) < _LONGEST_ID else ""


@lru_cache(maxsize=8192)
def _type_of(stix_id: str) -> str:
    found = _ID.fullmatch(stix_id.lower())
    return found[1] if found else ""


def is_id(text: str) -> bool:
    """Return whether this is written as a STIX id is kept; whatever else stands in an address is nobody's."""
    return _ID.fullmatch(text) is not None


def names_type(stix_id: object, kind: str) -> bool:
    """Return whether this is an id, written as it is kept, of this very type."""
    found = _ID.fullmatch(stix_id) if isinstance(stix_id, str) else None
    return found is not None and found[1] == kind


def uuid_version(stix_id: str) -> str:
    """Return the digit that tells how the UUID of an id was made: `4` by chance, `5` from a name."""
    return stix_id[-22]


def version_of(value: Json) -> tuple[datetime, str]:
    """Return (instant, text) by which this version is known: `modified`, else `created`, else TIMELESS."""
    for name in ("modified", "created"):
        at = instant(value.get(name))
        if at is not None:
            return at, value[name]
    return TIMELESS, "1970-01-01T00:00:00.000Z"
