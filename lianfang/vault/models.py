"""Keys of data subjects, rows that are sealed under them, and encrypted files."""

from __future__ import annotations

import io
import os
from typing import Any, BinaryIO
from uuid import UUID

from django.conf import settings
from django.core import checks
from django.db import connection, models

from lianfang.kernel.ids import new_id
from lianfang.vault import sealing
from lianfang.vault.fields import SealedField, SealedText


class Shredded(Exception):
    """The key of this data subject was destroyed: nothing can be sealed under it any more."""


# Any constant that no other advisory lock of this database uses.
_MASTER_LOCK = 0x6C66_0001


class SubjectKey(models.Model):
    """The key of one data subject, wrapped under the master key. Destroying it erases all that it sealed."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    master_id = models.CharField(max_length=8)
    wrapped = models.BinaryField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    shredded_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return str(self.id)

    @classmethod
    def make(cls) -> SubjectKey:
        """Make and store a new random key. Call it inside a transaction."""
        cls.hold_master(alone=False)
        made = cls(id=new_id())
        made.master_id, made.wrapped = sealing.wrap(subject_key_id=made.id, key=os.urandom(sealing.KEY_BYTES))
        made.save(force_insert=True)
        return made

    @staticmethod
    def hold_master(*, alone: bool) -> None:
        """Until the transaction ends: many make keys under the current master key, or one alone replaces it.

        Without this a key wrapped just before a rotation and stored just after would be left behind by it.
        """
        function = "pg_advisory_xact_lock" if alone else "pg_advisory_xact_lock_shared"
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {function}(%s)", [_MASTER_LOCK])

    def open(self) -> bytes:
        """Return the key itself. Raises Shredded once it was destroyed."""
        if self.wrapped is None:
            raise sealing.Shredded(f"subject key {self.id} was destroyed")
        return sealing.unwrap(subject_key_id=self.id, master_id=self.master_id, wrapped=bytes(self.wrapped))


class Sealed(models.Model):
    """A row with sealed fields, all under one data subject's key.

    A row saved without `vault_key` gets a new key. Give rows of one person the same key, so that destroying it erases
    them all. The primary key must be known before the row is stored (a UUID), since values are bound to it.
    """

    vault_key = models.ForeignKey(SubjectKey, on_delete=models.PROTECT, related_name="+", editable=False)

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Store the row, with a key of its own unless it has one."""
        if self.vault_key_id is None:
            self.vault_key = SubjectKey.make()
        super().save(*args, **kwargs)

    @classmethod
    def check(cls, **kwargs: Any) -> list[checks.CheckMessage]:
        """Refuse a model whose primary key the database would give."""
        found = list(super().check(**kwargs))
        if not isinstance(cls._meta.pk, models.UUIDField):
            found.append(checks.Error(f"{cls.__name__} has sealed fields and no UUID primary key", id="vault.E001"))
        return found

    @classmethod
    def sealed_fields(cls) -> list[SealedField[Any]]:
        """Return the fields of this model that are sealed."""
        return [field for field in cls._meta.concrete_fields if isinstance(field, SealedField)]


class StoredFile(Sealed):
    """An encrypted file below `DATA_DIR/files`; its name is sealed too, and its size is that of the content."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = SealedText(default="")
    media_type = models.CharField(max_length=120, blank=True)
    size = models.BigIntegerField()
    stored_at = models.DateTimeField()

    def __str__(self) -> str:
        return str(self.id)

    @property
    def path(self) -> str:
        """Where the sealed bytes lie."""
        return str(settings.DATA_DIR / "files" / str(self.id)[:2] / str(self.id))

    def open(self) -> BinaryIO:
        """Return the content. Raises Shredded, NotOurs, or FileNotFoundError."""
        with open(self.path, "rb") as file:
            sealed = file.read()
        return io.BytesIO(sealing.unseal(key=self.vault_key.open(), sealed=sealed, where=content_place(self.id)))


def content_place(file_id: UUID) -> bytes:
    """Return what the content of a stored file is bound to."""
    return sealing.place(table=StoredFile._meta.db_table, column="content", pk=file_id)
