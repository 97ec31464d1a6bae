"""Whom a member names for which purpose; whether their data are still right, and what is left to the staff."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from lianfang.kernel.ids import new_id
from lianfang.members.lifecycle import CONTACT_CHECK
from lianfang.members.models.memberships import Membership
from lianfang.members.models.procedures import STATE_LENGTH
from lianfang.members.purposes import PURPOSES
from lianfang.vault.fields import SealedText
from lianfang.vault.models import Sealed


class Contact(Sealed):
    """Whom a member names for one purpose, in [started_at, ended_at); whoever it is need not have an account.

    What was written about the person is kept as the member gave it, sealed under that person's own key: whatever
    erases the person erases it here too. Nothing of it is overwritten; another row follows.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    membership = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="contacts")
    purpose = models.CharField(max_length=16, choices=[(one, one) for one in PURPOSES])
    person = models.ForeignKey("accounts.Person", on_delete=models.PROTECT, related_name="contact_for")
    name = SealedText()
    title = SealedText(blank=True)
    email = SealedText()
    phone = SealedText(blank=True)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    # Null of those that the application named.
    change = models.ForeignKey("members.ChangeRequest", on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(purpose__in=list(PURPOSES)), name="contact_purpose_known"),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True) | Q(ended_at__gte=F("started_at")), name="contact_ends_after_start"
            ),
            models.UniqueConstraint(
                fields=["membership", "purpose", "person"], condition=Q(ended_at__isnull=True),
                name="contact_once_for_a_purpose",
            ),
        ]  # fmt: skip
        indexes = [models.Index(fields=["membership", "purpose", "started_at"], name="contact_of_membership")]

    def __str__(self) -> str:
        return f"{self.purpose} {self.pk}"


class ContactCheck(Sealed):
    """One question to one person, for everybody he is a contact of, by a link that takes one answer."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    person = models.ForeignKey("accounts.Person", on_delete=models.PROTECT, related_name="contact_checks")
    state = models.CharField(max_length=STATE_LENGTH, default=CONTACT_CHECK.initial)
    secret = SealedText()
    """In the link that is mailed, kept so that the reminder carries the same one."""
    secret_digest = models.BinaryField(max_length=32, unique=True)
    asked_at = models.DateTimeField()
    answer_until = models.DateTimeField()
    delivery = models.ForeignKey("outbox.Delivery", on_delete=models.PROTECT, null=True, related_name="+")
    reminder = models.ForeignKey("outbox.Delivery", on_delete=models.PROTECT, null=True, related_name="+")
    reminded_at = models.DateTimeField(null=True)
    answered_at = models.DateTimeField(null=True)
    """When it was answered, fell silent or came back."""
    settled_by = models.ForeignKey("accounts.Person", on_delete=models.PROTECT, null=True, related_name="+")
    settled_at = models.DateTimeField(null=True)
    how = SealedText(blank=True)
    """What the staff did about it."""

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=CONTACT_CHECK.check_constraint_values()), name="contactcheck_state_known"
            ),
            models.UniqueConstraint(fields=["person"], condition=Q(state="asked"), name="contactcheck_one_open"),
            models.CheckConstraint(
                condition=Q(state="asked") | Q(answered_at__isnull=False), name="contactcheck_answered_has_time"
            ),
        ]
        indexes = [
            models.Index(fields=["person", "-asked_at"], name="contactcheck_of_person"),
            models.Index(fields=["state", "asked_at"], name="contactcheck_by_state"),
        ]

    def __str__(self) -> str:
        return str(self.pk)
