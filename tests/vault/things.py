"""Things to seal, for the tests of the vault."""

from __future__ import annotations

from datetime import UTC, datetime

from lianfang.audit.actions import action, record
from lianfang.audit.tags import Tag
from lianfang.policy.facts import Subject
from lianfang.vault.files import store
from lianfang.vault.models import StoredFile, SubjectKey

AT = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
BY = Subject.system("test")


@action(Tag.VAULT_KEY_SHRED)
def made_key() -> SubjectKey:
    """A new subject key."""
    made = SubjectKey.make()
    record(by=BY, at=AT, about=made)
    return made


@action(Tag.VAULT_KEY_SHRED)
def kept(name: str, *, key: SubjectKey | None = None, content: bytes = b"x") -> StoredFile:
    """A stored file of that name."""
    made = store(key=key or SubjectKey.make(), content=content, at=AT, name=name)
    record(by=BY, at=AT, about=made)
    return made
