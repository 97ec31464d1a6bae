"""What of an entry is hashed: everything, as canonical JSON."""

from __future__ import annotations

from datetime import UTC

from lianfang.audit.models import Entry
from lianfang.kernel.canonical import canonical
from lianfang.kernel.merkle import leaf_hash


def content(entry: Entry) -> dict[str, object]:
    """Return an entry as the JSON object whose canonical bytes are leaf data; big numbers travel as text."""
    return {
        "about_id": entry.about_id,
        "about_type": entry.about_type,
        "acting_for": entry.acting_for,
        "actor": entry.actor,
        "at": entry.at.astimezone(UTC).isoformat(timespec="microseconds"),
        "detail": entry.detail,
        "happened_at": entry.happened_at.astimezone(UTC).isoformat(timespec="microseconds"),
        "id": str(entry.id),
        "tag": entry.tag,
        "text_digest": _hex(entry.text_digest),
        "text_salt": _hex(entry.text_salt),
        "tx": str(entry.tx),
    }


def hash_of(entry: Entry) -> bytes:
    """Return the leaf hash of an entry.

    Raises ValueError for a detail that no writer of ours can have stored, such as a fraction changed into it later.
    """
    return leaf_hash(canonical(content(entry)))


def _hex(value: bytes | memoryview | None) -> str | None:
    return None if value is None else bytes(value).hex()
