"""How an application is asked: versions of the procedure, and the numbers of cases."""

from __future__ import annotations

from django.db import models

from lianfang.kernel.ids import new_id

STATE_LENGTH = 24
"""Of every column that holds a state."""


class Procedure(models.Model):
    """One version of the procedure of application (charter annex 1): steps, fields, proofs, periods, as data.

    A case keeps the version under which it was begun, so a new version never changes a question already answered.
    """

    append_only = True

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    version = models.PositiveIntegerField(unique=True)
    spec = models.JSONField()
    sha256 = models.BinaryField(max_length=32)
    effective_at = models.DateTimeField()
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"procedure {self.version}"


class CaseCounter(models.Model):
    """The last number given in a year, per kind of case; one row is locked while a number is taken."""

    prefix = models.CharField(max_length=4)
    year = models.PositiveIntegerField()
    last = models.PositiveIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["prefix", "year"], name="casecounter_once")]
