"""Files that hold a secret: readable by their owner alone, and never half written."""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path


def write_new(path: Path, text: str) -> bool:
    """Write the file unless it exists, mode 0600; return whether this call wrote it. A crash leaves none or all."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = _durable(path, text)
    try:
        os.link(fresh, path)
    except FileExistsError:
        return False
    finally:
        fresh.unlink()
    return True


def replace(path: Path, text: str) -> None:
    """Put a new content in the place of the old at once, mode 0600."""
    _durable(path, text).replace(path)


def readable_by_others(path: Path) -> bool:
    """Return whether group or others may do anything with the file. Raises FileNotFoundError."""
    return bool(path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO))


def _durable(path: Path, text: str) -> Path:
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    handle = os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    return fresh
