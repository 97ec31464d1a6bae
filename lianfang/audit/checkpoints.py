"""A checkpoint as somebody kept it, read and checked without the database: by this system, or by whoever has a copy."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass

from lianfang.audit import signing


class BadCheckpoint(ValueError):
    """A checkpoint file cannot be read, or its signature does not hold; the text says which."""


@dataclass(frozen=True, slots=True)
class Head:
    """A checkpoint as somebody kept it: the tree had this root when it had this many leaves."""

    size: int
    root: bytes
    note: str


def read_checkpoint(text: str) -> Head:
    """Read a kept checkpoint: the signed note, or the JSON that `/audit/checkpoint` gives.

    Raises BadCheckpoint for anything else. The signature is the caller's to check (`signed_by`).
    """
    note = text
    if text.lstrip().startswith("{"):
        try:
            note = json.loads(text)["note"]
        except (ValueError, KeyError, TypeError, RecursionError):
            raise BadCheckpoint("the file is JSON without a `note`") from None
    lines = note.split("\n") if isinstance(note, str) else []
    try:
        size, root = int(lines[1]), base64.b64decode(lines[2], validate=True)
    except (IndexError, ValueError):
        raise BadCheckpoint("the file is not a checkpoint: line 2 is the size, line 3 the root in base64") from None
    if size < 1 or len(root) != 32:
        raise BadCheckpoint("the file is not a checkpoint: size or root is out of range")
    return Head(size=size, root=root, note=note)


def signed_by(head: Head, key: signing.PublicKey) -> bool:
    """Return whether a signature line of the note was made by this key over its body."""
    body, separator, lines = head.note.partition("\n\n")
    for line in lines.splitlines() if separator else []:
        signature = signing.signature_of(line, key)
        if signature is not None:
            return key.verifies(signature=signature, content=f"{body}\n".encode())
    return False
