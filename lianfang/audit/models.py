"""The ledger and what is derived from it. Nothing here is ever updated or deleted: triggers and grants refuse it."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _


class AppendOnly(models.Model):
    """A table whose rows can only be added; `lianfang.audit.guard` installs what holds it."""

    append_only: ClassVar[bool] = True

    class Meta:
        abstract = True


class Entry(AppendOnly):
    """One deed. Holds ids, field names and salted digests, never a personal value or content.

    `tx` and `at` (start of the transaction) are stamped by the database, whatever the writer says; `happened_at` is the
    instant by which the action decided. `text_digest` is SHA-256 over `text_salt` and the text, which the row that
    the entry is about keeps.
    """

    id = models.BigAutoField(primary_key=True)
    tx = models.BigIntegerField(editable=False, default=0)
    at = models.DateTimeField(_("recorded"), editable=False)
    happened_at = models.DateTimeField(_("decided"))
    tag = models.CharField(max_length=80)
    actor = models.CharField(max_length=120)
    acting_for = models.CharField(max_length=80, blank=True)
    about_type = models.CharField(max_length=80)
    about_id = models.CharField(max_length=200)
    detail = models.JSONField(default=dict)
    text_salt = models.BinaryField(null=True)
    text_digest = models.BinaryField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["tx", "at"], name="audit_entry_tx"),
            models.Index(fields=["about_type", "about_id", "id"], name="audit_entry_about"),
            models.Index(fields=["actor", "id"], name="audit_entry_actor"),
            models.Index(fields=["tag", "id"], name="audit_entry_tag"),
            models.Index(fields=["at"], name="audit_entry_at"),
        ]

    def __str__(self) -> str:
        return f"{self.id} {self.tag}"


class Leaf(AppendOnly):
    """The place of an entry in the tree: leaf `seq` (from 0) has this hash (RFC 9162, 0x00 prefix)."""

    seq = models.BigIntegerField(primary_key=True)
    entry = models.OneToOneField(Entry, on_delete=models.PROTECT, related_name="leaf")
    hash = models.BinaryField()

    def __str__(self) -> str:
        return f"{self.seq}"


class Node(AppendOnly):
    """The root of a complete subtree: level >= 1, over leaves index * 2^level up to (index + 1) * 2^level."""

    id = models.BigAutoField(primary_key=True)
    level = models.SmallIntegerField()
    index = models.BigIntegerField()
    hash = models.BinaryField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["level", "index"], name="audit_node_place"),
            models.CheckConstraint(condition=models.Q(level__gte=1), name="audit_node_level"),
        ]

    def __str__(self) -> str:
        return f"{self.level}/{self.index}"


class Checkpoint(AppendOnly):
    """The signed head of the tree at one instant; `note` is the signed text itself (see `checkpoints`)."""

    size = models.BigIntegerField(primary_key=True)
    root = models.BinaryField()
    at = models.DateTimeField()
    key_id = models.CharField(max_length=8)
    signature = models.BinaryField()
    note = models.TextField()

    def __str__(self) -> str:
        return f"{self.size}"


class BatchedReceipt(AppendOnly):
    """The place of one receipt in its batch: leaf `index` of the tree whose root stands in `entry`'s detail."""

    id = models.BigAutoField(primary_key=True)
    source = models.CharField(max_length=40)
    receipt = models.CharField(max_length=40)
    entry = models.ForeignKey(Entry, on_delete=models.PROTECT, related_name="receipts")
    index = models.IntegerField()
    hash = models.BinaryField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["source", "receipt"], name="audit_batchedreceipt_once"),
            models.UniqueConstraint(fields=["entry", "index"], name="audit_batchedreceipt_place"),
        ]

    def __str__(self) -> str:
        return f"{self.source}:{self.receipt}"


class Verification(models.Model):
    """One run over the whole ledger, with its result; a fault stays on show until somebody acknowledges it."""

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField()
    by = models.CharField(max_length=120)
    size = models.BigIntegerField()
    root = models.BinaryField()
    seconds = models.FloatField()
    ok = models.BooleanField()
    problems = models.JSONField(default=list)
    acknowledged_at = models.DateTimeField(null=True)
    acknowledged_by = models.CharField(max_length=120, blank=True)
    acknowledged_reason = models.TextField(_("reason"), max_length=2000, blank=True)

    class Meta:
        indexes = [
            # Every page of staff asks whether there is one.
            models.Index(
                fields=["-id"], name="audit_verification_open", condition=models.Q(ok=False, acknowledged_at=None)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {'ok' if self.ok else 'fault'}"
