"""How an application is asked: versions of the procedure, and the numbers of cases."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from lianfang.kernel.ids import new_id
from lianfang.members.lifecycle import PROCEDURE

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


class ProcedureDraft(models.Model):
    """The next edition while it is written and approved; there is one at a time (charter 4.1).

    Whoever wrote a word of it is an author, and no author approves it. An edition that was published keeps its draft:
    who wrote, who approved, why.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    base = models.ForeignKey(Procedure, on_delete=models.PROTECT, related_name="+")
    """The edition that it was copied from."""
    spec = models.JSONField()
    state = models.CharField(max_length=STATE_LENGTH, default=PROCEDURE.initial)
    revision = models.PositiveIntegerField(default=1)
    """Goes up with every change: whoever saves on an older one is told instead of overwriting."""
    authors = models.JSONField(default=list)
    reason = models.CharField(max_length=1000, blank=True)
    """What changes and why, as the author tells the approvers."""
    began_at = models.DateTimeField()
    saved_at = models.DateTimeField()
    proposed_by = models.ForeignKey("accounts.Person", on_delete=models.PROTECT, null=True, related_name="+")
    proposed_at = models.DateTimeField(null=True)
    effective_at = models.DateTimeField(null=True)
    """From when on applications are begun under it; never before the second approval."""
    first_approver = models.ForeignKey("accounts.Person", on_delete=models.PROTECT, null=True, related_name="+")
    first_approved_at = models.DateTimeField(null=True)
    second_approver = models.ForeignKey("accounts.Person", on_delete=models.PROTECT, null=True, related_name="+")
    closed_at = models.DateTimeField(null=True)
    published = models.OneToOneField(Procedure, on_delete=models.PROTECT, null=True, related_name="draft")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=PROCEDURE.check_constraint_values()), name="proceduredraft_state_known"
            ),
            models.UniqueConstraint(
                models.Value(1), condition=Q(state__in=["draft", "proposed"]), name="proceduredraft_one_open"
            ),
            models.CheckConstraint(
                condition=~Q(state="published")
                | Q(published__isnull=False, first_approver__isnull=False, second_approver__isnull=False),
                name="proceduredraft_published_whole",
            ),
            models.CheckConstraint(
                condition=Q(second_approver__isnull=True) | ~Q(first_approver=models.F("second_approver")),
                name="proceduredraft_two_approvers",
            ),
        ]

    def __str__(self) -> str:
        return f"draft of a procedure, revision {self.revision}"


class CaseCounter(models.Model):
    """The last number given in a year, per kind of case; one row is locked while a number is taken."""

    prefix = models.CharField(max_length=4)
    year = models.PositiveIntegerField()
    last = models.PositiveIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["prefix", "year"], name="casecounter_once")]
