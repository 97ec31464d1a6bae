"""Destroying a data subject's key, and rotating the master key."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.db.models import QuerySet

from lianfang.audit.actions import action, record
from lianfang.audit.tags import Tag
from lianfang.policy.facts import Subject
from lianfang.vault import keys, sealing
from lianfang.vault.models import SubjectKey

_BATCH = 500


@action(Tag.VAULT_KEY_SHRED)
def shred(key: SubjectKey, *, by: Subject, at: datetime) -> None:
    """Destroy a data subject's key: everything sealed under it is erased, in backups too once the key's row is.

    Shredding twice does nothing new and is recorded again.
    """
    key = SubjectKey.objects.select_for_update().get(pk=key.pk)
    again = key.wrapped is None
    if not again:
        key.wrapped, key.shredded_at = None, at
        key.save(update_fields=["wrapped", "shredded_at"])
    record(by=by, at=at, about=key, detail={"again": again})


def rotate_master(*, by: Subject, at: datetime) -> int:
    """Make a new master key, wrap every subject key anew under it, drop the old ones; return how many were wrapped.

    Interrupted at any point, it leaves a system that reads everything, and running it again finishes the work. Nothing
    sealed is touched. Keep a copy of the new key file: backups made from now on need it.
    """
    path = Path(settings.KEY_FILE)
    current = keys.keyring().current if len(keys.keyring().keys) > 1 else keys.add(path)
    count = sum(_rewrap(batch, by=by, at=at) for batch in _batches(current))
    keys.drop_old(path)
    return count


def _outdated(current: str) -> QuerySet[SubjectKey]:
    return SubjectKey.objects.exclude(master_id=current).filter(wrapped__isnull=False)


def _batches(current: str) -> Iterator[str]:
    while _outdated(current).exists():
        yield current


@action(Tag.VAULT_MASTER_ROTATE)
def _rewrap(current: str, *, by: Subject, at: datetime) -> int:
    rows = list(_outdated(current).select_for_update().order_by("pk")[:_BATCH])
    for row in rows:
        row.master_id, row.wrapped = sealing.wrap(subject_key_id=row.id, key=row.open())
    SubjectKey.objects.bulk_update(rows, ["master_id", "wrapped"])
    record(by=by, at=at, about=("vault.master", current), detail={"wrapped": len(rows)})
    return len(rows)
