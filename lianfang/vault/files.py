"""Files that people handed in: sealed before they touch the disk."""

from __future__ import annotations

import os
import secrets
from datetime import datetime
from pathlib import Path

from django.db import transaction

from lianfang.vault import sealing
from lianfang.vault.models import StoredFile, SubjectKey, content_place


def store(*, key: SubjectKey, content: bytes, at: datetime, name: str = "", media_type: str = "") -> StoredFile:
    """Seal the content under a data subject's key, write it to disk durably, and add its row.

    Call it inside an action. A rolled-back action leaves sealed bytes that no row names and nobody can open.
    """
    file = StoredFile(vault_key=key, name=name, media_type=media_type, size=len(content), stored_at=at)
    sealed = sealing.seal(key_id=key.id, key=key.open(), content=content, where=content_place(file.id))
    _write(Path(file.path), sealed)
    file.save(force_insert=True)
    return file


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    handle = os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except OSError:
        # Of a full disk even the part of a file takes room.
        fresh.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def erase(file: StoredFile) -> None:
    """Delete the row now and the sealed bytes once that is committed; nothing may point to the row any more.

    Call it inside an action. Backups made before keep the sealed bytes until they are thrown away themselves.
    """
    path = Path(file.path)
    file.delete()
    transaction.on_commit(lambda: path.unlink(missing_ok=True))
