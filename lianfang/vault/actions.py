"""Destroying a data subject's key, and rotating the master key."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from django.conf import settings

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
    total = 0
    while count := _rewrap(current, path=path, by=by, at=at):
        total += count
    return total


@action(Tag.VAULT_MASTER_ROTATE)
def _rewrap(current: str, *, path: Path, by: Subject, at: datetime) -> int:
    """Wrap one batch anew; when none is left, drop the old master keys. Return how many were wrapped."""
    SubjectKey.hold_master(alone=True)
    outdated = SubjectKey.objects.exclude(master_id=current).filter(wrapped__isnull=False)
    rows = list(outdated.select_for_update().order_by("pk")[:_BATCH])
    for row in rows:
        row.master_id, row.wrapped = sealing.wrap(subject_key_id=row.id, key=row.open())
    SubjectKey.objects.bulk_update(rows, ["master_id", "wrapped"])
    if not rows:
        keys.drop_old(path)
    record(by=by, at=at, about=("vault.master", current), detail={"wrapped": len(rows)})
    return len(rows)
