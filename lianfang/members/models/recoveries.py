"""New administrators for a member whose own are gone: the request, its evidence, and whom it was told (charter 2.4)."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from lianfang.kernel.ids import new_id
from lianfang.members.lifecycle import OPEN_RECOVERY, RECOVERY
from lianfang.members.models.changes import ChangeRequest
from lianfang.members.models.memberships import Membership
from lianfang.members.models.procedures import STATE_LENGTH
from lianfang.vault.fields import SealedJSON, SealedText
from lianfang.vault.models import Sealed


class Recovery(Sealed):
    """A request for new administrators, by a remaining contact or by letter; a member has one at a time."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    number = models.CharField(max_length=16, unique=True)
    membership = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="recoveries")
    state = models.CharField(max_length=STATE_LENGTH, default=RECOVERY.initial)
    origin = models.CharField(max_length=8, choices=ChangeRequest.Origin.choices)
    received_on = models.DateField(null=True)
    reason = SealedText()
    people = SealedJSON()
    """The new administrators, at least two: name, title, address, telephone."""
    ends = models.JSONField(default=list)
    """Affiliations of former administrators that end; decided with the approval."""
    filed_by = models.ForeignKey("accounts.Person", on_delete=models.PROTECT, related_name="+")
    filed_at = models.DateTimeField()
    due_at = models.DateTimeField()
    reviewer = models.ForeignKey("accounts.Person", on_delete=models.PROTECT, null=True, related_name="+")
    recommendation = models.CharField(max_length=8, blank=True)
    findings = SealedText(blank=True)
    recommended_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey("accounts.Person", on_delete=models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)
    decision_text = SealedText(blank=True)
    waits_until = models.DateTimeField(null=True)
    """Until this instant whoever was told may object; from it on the new administrators are invited."""
    objection = SealedText(blank=True)
    closed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=RECOVERY.check_constraint_values()), name="recovery_state_known"
            ),
            models.UniqueConstraint(
                fields=["membership"], condition=Q(state__in=OPEN_RECOVERY), name="recovery_one_open"
            ),
            models.CheckConstraint(
                condition=~Q(state="waiting") | Q(waits_until__isnull=False), name="recovery_waits_until_an_instant"
            ),
            models.CheckConstraint(
                condition=Q(origin="page", received_on__isnull=True) | ~Q(origin="page") & Q(received_on__isnull=False),
                name="recovery_letter_has_its_day",
            ),
            models.CheckConstraint(
                condition=~Q(decided_by=models.F("reviewer")), name="recovery_decided_by_somebody_else"
            ),
        ]

    def __str__(self) -> str:
        return self.number


class RecoveryFile(Sealed):
    """A proof of authority, or the scan of the letter by which a request came."""

    append_only = True

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    recovery = models.ForeignKey(Recovery, on_delete=models.PROTECT, related_name="files")
    filename = SealedText()
    media_type = models.CharField(max_length=32)
    size = models.PositiveIntegerField()
    sha256 = models.BinaryField(max_length=32)
    identity_numbers = models.PositiveIntegerField(null=True)
    file = models.ForeignKey("vault.StoredFile", on_delete=models.PROTECT, related_name="+")


class RecoveryNotice(Sealed):
    """That a former contact was told of an approval, with a link by which to object; of it only a digest is kept."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    recovery = models.ForeignKey(Recovery, on_delete=models.PROTECT, related_name="notices")
    person = models.ForeignKey("accounts.Person", on_delete=models.PROTECT, related_name="+")
    email = SealedText()
    secret_digest = models.BinaryField(max_length=32, unique=True)
    sent_at = models.DateTimeField()
    delivery = models.ForeignKey("outbox.Delivery", on_delete=models.PROTECT, related_name="+")
    objected_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["recovery", "sent_at"], name="recoverynotice_of_recovery")]
