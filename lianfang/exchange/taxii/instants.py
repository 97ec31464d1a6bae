"""Instants on the wire: read with whatever precision clients send, written with exactly six digits and Z."""

from __future__ import annotations

import re
from datetime import UTC, datetime

_FORM = re.compile(r"(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?(?:Z|[+ ]00:00)", re.ASCII)


def read(text: str) -> datetime | None:
    """Return the instant, or None for anything that is not one. Digits beyond microseconds are cut, never rounded up.

    A `+` that arrived as a space is understood. A leap second is read as the last microsecond before it.
    """
    found = _FORM.fullmatch(text)
    if found is None:
        return None
    year, month, day, hour, minute, second = (int(part) for part in found.groups()[:6])
    micro = int((found.group(7) or "0").ljust(6, "0")[:6])
    if second == 60:
        second, micro = 59, 999_999
    try:
        return datetime(year, month, day, hour, minute, second, micro, tzinfo=UTC)
    except ValueError:
        return None


def write(at: datetime) -> str:
    """Return the instant in UTC with six digits."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond:06d}Z"


EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
"""Date of an empty page that was asked for without `added_after`: before anything was ever added."""
