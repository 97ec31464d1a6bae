"""What is known of a member's part in the alliance: facts with evidence, what it says against them, how they stood."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from lianfang.kernel.ids import new_id
from lianfang.members.lifecycle.participation import KINDS, OUTCOMES
from lianfang.members.models.memberships import Membership
from lianfang.members.models.revocations import Revocation
from lianfang.vault.fields import SealedJSON, SealedText
from lianfang.vault.models import Sealed

STAFF, IMPORT = "staff", "import"
"""Sources that are no app: entered by hand, or from a file."""


class ParticipationImport(Sealed):
    """A table of facts between its reading and its import; what nobody imports is erased within a day."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    filename = SealedText(blank=True)
    sha256 = models.BinaryField(max_length=32)
    encoding = models.CharField(max_length=16)
    rows = SealedJSON()
    faults = SealedJSON()
    read_by = models.ForeignKey("accounts.Person", on_delete=models.PROTECT, related_name="+")
    read_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    imported_at = models.DateTimeField(null=True)


class ParticipationFact(Sealed):
    """That a member took part in something on a day, or did not although it was asked to (charter 1.2).

    Nothing is edited: a later entry corrects (`corrects`), and the last of a chain counts.
    """

    append_only = True

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    membership = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="participation")
    kind = models.CharField(max_length=16)
    outcome = models.CharField(max_length=16)
    occurred_on = models.DateField()
    text = SealedText()
    text_en = SealedText(blank=True)
    """Of what an app supplied; people write in one language."""
    evidence = SealedText(blank=True)
    """What proves it: the number of a letter, a list of attendance, a case."""
    filename = SealedText(blank=True)
    file = models.ForeignKey("vault.StoredFile", on_delete=models.PROTECT, null=True, related_name="+")
    file_sha256 = models.BinaryField(max_length=32, null=True)
    source = models.CharField(max_length=16)
    """`staff`, `import`, or the app that supplied it."""
    key = models.CharField(max_length=80, blank=True)
    """What tells it from every other of its source, so that nothing is taken in twice."""
    batch = models.ForeignKey(ParticipationImport, on_delete=models.PROTECT, null=True, related_name="facts")
    corrects = models.OneToOneField("self", on_delete=models.PROTECT, null=True, related_name="corrected_by")
    why = SealedText(blank=True)
    """Why the earlier entry was wrong."""
    by = models.ForeignKey("accounts.Person", on_delete=models.PROTECT, null=True, related_name="+")
    """None: an app supplied it."""
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=KINDS), name="participation_kind_known"),
            models.CheckConstraint(condition=Q(outcome__in=OUTCOMES), name="participation_outcome_known"),
            models.CheckConstraint(
                condition=~Q(outcome="withdrawn") | Q(corrects__isnull=False), name="participation_withdraws_something"
            ),
            models.UniqueConstraint(fields=["source", "key"], condition=~Q(key=""), name="participation_once"),
        ]
        indexes = [
            models.Index(fields=["membership", "-occurred_on"], name="participation_of_member"),
            models.Index(fields=["occurred_on"], name="participation_by_day"),
        ]


class ParticipationObjection(Sealed):
    """What a member says against a fact of its record, and what the staff answered."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    fact = models.ForeignKey(ParticipationFact, on_delete=models.PROTECT, related_name="objections")
    text = SealedText()
    by = models.ForeignKey("accounts.Person", on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    answer = SealedText(blank=True)
    answered_by = models.ForeignKey("accounts.Person", on_delete=models.PROTECT, null=True, related_name="+")
    answered_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["fact"], condition=Q(answered_at__isnull=True), name="participation_one_objection_open"
            ),
            models.CheckConstraint(
                condition=Q(answered_at__isnull=True, answered_by__isnull=True)
                | Q(answered_at__isnull=False, answered_by__isnull=False),
                name="participation_answered_by_somebody",
            ),
        ]


class ParticipationSnapshot(Sealed):
    """The record of a member as it stood when a review of its membership was opened (charter 1.4)."""

    append_only = True

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    revocation = models.OneToOneField(Revocation, on_delete=models.PROTECT, related_name="participation")
    rows = SealedJSON()
    """Every fact that counted, with its objections."""
    terms = models.JSONField()
    """The period and the thresholds as they were set, and the counts."""
    sha256 = models.BinaryField(max_length=32)
    at = models.DateTimeField()
