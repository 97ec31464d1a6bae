"""What every case has: decisions, declarations of conflict, notes, a timeline."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from lianfang.kernel.ids import new_id
from lianfang.members.models.applications import Application
from lianfang.members.models.changes import ChangeRequest
from lianfang.members.models.memberships import Membership
from lianfang.members.models.revocations import Appeal, Revocation
from lianfang.members.models.terminations import Termination
from lianfang.vault.fields import SealedText
from lianfang.vault.models import Sealed


class Decision(Sealed):
    """A signed decision of the alliance: clause, reasons, who reviewed, who decided, when, and the letter as sent."""

    append_only = True

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    number = models.CharField(max_length=24, unique=True)
    kind = models.CharField(max_length=16)
    application = models.ForeignKey(Application, on_delete=models.PROTECT, null=True, related_name="decisions")
    revocation = models.ForeignKey(Revocation, on_delete=models.PROTECT, null=True, related_name="decisions")
    appeal = models.ForeignKey(Appeal, on_delete=models.PROTECT, null=True, related_name="decisions")
    termination = models.ForeignKey(Termination, on_delete=models.PROTECT, null=True, related_name="decisions")
    change = models.ForeignKey(ChangeRequest, on_delete=models.PROTECT, null=True, related_name="decisions")
    membership = models.ForeignKey(Membership, on_delete=models.PROTECT, null=True, related_name="decisions")
    clause = models.CharField(max_length=16)
    reasons = models.JSONField()
    reason_text = SealedText(blank=True)
    basis = SealedText(blank=True, null=True)  # type: ignore[misc]  # rows from before hold none
    """What the decision rests on beside the clauses: law, custom, good faith (charter art. 6)."""
    reviewed_by = models.ForeignKey("accounts.Person", on_delete=models.PROTECT, related_name="+")
    decided_by = models.ForeignKey("accounts.Person", on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField()
    effective_at = models.DateTimeField()
    letter_zh = SealedText()
    letter_en = SealedText()
    text_sha256 = models.BinaryField(max_length=32)

    class Meta:
        constraints = [
            # A change of the light class is reviewed and applied by one person (charter 2.4).
            models.CheckConstraint(
                condition=~Q(reviewed_by=models.F("decided_by")) | Q(kind__in=["apply_alone", "reject_alone"]),
                name="decision_four_eyes",
            )
        ]


class FirstApproval(Sealed):
    """What the first of two approvers signed, where the procedure asks for two; the decision itself is the second's.

    It speaks of one recommendation: after a case went back to review, two approve anew.
    """

    append_only = True

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    application = models.ForeignKey(Application, on_delete=models.PROTECT, related_name="first_approvals")
    recommended_at = models.DateTimeField()
    by = models.ForeignKey("accounts.Person", on_delete=models.PROTECT, related_name="+")
    reasons = models.JSONField()
    text = SealedText(blank=True)
    basis = SealedText(blank=True, null=True)  # type: ignore[misc]  # rows from before hold none
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["application", "recommended_at"], name="firstapproval_once"),
        ]


class ConflictDeclaration(Sealed):
    """What somebody of the staff declared about a conflict of interest in one case; the latest counts."""

    append_only = True

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    case = models.CharField(max_length=16)
    person = models.ForeignKey("accounts.Person", on_delete=models.PROTECT, related_name="+")
    conflict = models.BooleanField()
    reason = SealedText(blank=True)
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["case", "person", "at"], name="conflict_latest")]


class CaseNote(Sealed):
    """A note in a case: internal, or a message that the applicant sees on the case page."""

    append_only = True

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    case = models.CharField(max_length=16)
    to_applicant = models.BooleanField()
    text = SealedText()
    by = models.ForeignKey("accounts.Person", on_delete=models.PROTECT, null=True, related_name="+")
    """None: the applicant wrote it."""
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["case", "at"], name="casenote_of_case")]


class CaseEvent(models.Model):
    """A step of a case for its timeline; the proof of it is the ledger entry, this row is for reading."""

    append_only = True

    case = models.CharField(max_length=16)
    event = models.CharField(max_length=32)
    by = models.ForeignKey("accounts.Person", on_delete=models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField()
    detail = models.JSONField(default=dict)

    class Meta:
        indexes = [models.Index(fields=["case", "id"], name="caseevent_of_case")]
