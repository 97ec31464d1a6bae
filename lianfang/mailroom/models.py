"""Mails that came in: sealed as they came and as they could be read, where they were laid, and how the mailbox is."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from lianfang.kernel.ids import new_id
from lianfang.mailroom.lifecycle import MAIL
from lianfang.vault.fields import SealedJSON, SealedText
from lianfang.vault.models import Sealed


class Mail(Sealed):
    """One mail, taken once however often it comes. Everything that its sender chose is sealed under its own key."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    kind = models.CharField(max_length=8)
    """`mail`, `auto`, `bounce`, `loop` (one of our own that came back), `raw` (could not be read)."""
    state = models.CharField(max_length=10, default=MAIL.initial)
    route = models.CharField(max_length=24, blank=True)
    fingerprint = models.BinaryField(max_length=32, unique=True)
    """Of Message-ID and content, without what mail servers add on the way."""
    received_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    """By its own word."""
    sender = SealedText(blank=True)
    sender_name = SealedText(blank=True)
    subject = SealedText(blank=True)
    message_id = SealedText(blank=True)
    to = SealedJSON(default=list)
    text = SealedText(blank=True)
    faults = models.JSONField(default=list)
    known_person = models.ForeignKey("accounts.Person", on_delete=models.PROTECT, null=True, related_name="+")
    """Whose address it names as its sender, which proves nothing."""
    raw = models.ForeignKey("vault.StoredFile", on_delete=models.PROTECT, null=True, related_name="+")
    """The mail as it came; None when it was too large to be fetched."""
    size = models.BigIntegerField()
    sha256 = models.BinaryField(max_length=32)
    bounced = models.ForeignKey("outbox.Delivery", on_delete=models.PROTECT, null=True, related_name="+")
    """Of a report of non-delivery: the mail of ours that came back."""
    bounced_person = models.ForeignKey("accounts.Person", on_delete=models.PROTECT, null=True, related_name="+")
    handled_by = models.ForeignKey("accounts.Person", on_delete=models.PROTECT, null=True, related_name="+")
    handled_at = models.DateTimeField(null=True)
    why = SealedText(blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(state__in=MAIL.check_constraint_values()), name="mail_state_known"),
        ]
        indexes = [
            models.Index(fields=["state", "-received_at"], name="mail_by_state"),
            models.Index(fields=["bounced_person"], name="mail_bounced", condition=Q(state="triage")),
        ]

    def __str__(self) -> str:
        return str(self.pk)


class MailFile(Sealed):
    """An attachment, kept and never opened: its name without tricks, its kind by what it is inside."""

    append_only = True

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    mail = models.ForeignKey(Mail, on_delete=models.PROTECT, related_name="files")
    place = models.PositiveSmallIntegerField()
    filename = SealedText()
    media_type = models.CharField(max_length=120)
    size = models.BigIntegerField()
    sha256 = models.BinaryField(max_length=32)
    file = models.ForeignKey("vault.StoredFile", on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["mail", "place"], name="mailfile_place")]

    def __str__(self) -> str:
        return str(self.pk)


class Placement(models.Model):
    """That a mail belongs to a case, by its address (`by` is None) or by somebody's word; and who has read it there."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    mail = models.ForeignKey(Mail, on_delete=models.PROTECT, related_name="placements")
    case = models.CharField(max_length=16)
    by = models.ForeignKey("accounts.Person", on_delete=models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField()
    read_by = models.ForeignKey("accounts.Person", on_delete=models.PROTECT, null=True, related_name="+")
    read_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["mail", "case"], name="placement_once")]
        indexes = [
            models.Index(fields=["case", "at"], name="placement_of_case"),
            models.Index(fields=["at"], name="placement_unread", condition=Q(read_at__isnull=True)),
        ]

    def __str__(self) -> str:
        return f"{self.mail_id} {self.case}"


class MailboxState(models.Model):
    """How fetching goes, one row: for the monitor, and for waiting longer after each failure."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    asked_at = models.DateTimeField(null=True)
    succeeded_at = models.DateTimeField(null=True)
    failures = models.PositiveIntegerField(default=0)
    not_before = models.DateTimeField(null=True)
    said = models.CharField(max_length=200, blank=True)
    stuck = models.PositiveIntegerField(default=0)
    """Mails of the last round that could not be taken and lie in the mailbox still."""

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="mailbox_one_row")]

    def __str__(self) -> str:
        return "mailbox"
