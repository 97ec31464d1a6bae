"""Changes of a member's data (charter 2.4): the request, what came with it, and what was so before."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from lianfang.kernel.ids import new_id
from lianfang.members.lifecycle import CHANGE, OPEN_CHANGE
from lianfang.members.models.memberships import Membership
from lianfang.members.models.procedures import STATE_LENGTH
from lianfang.vault.fields import SealedJSON, SealedText
from lianfang.vault.models import Sealed


class ChangeRequest(Sealed):
    """One change of a member's data, from its filing to the decision; a member has one at a time.

    `values` holds every changed thing as it was and as it shall be; what people typed about people lies in it sealed.
    """

    class Origin(models.TextChoices):
        """How it came: typed by the member, or entered by the staff from a letter (charter 5.3)."""

        PAGE = "page"
        MAIL = "mail"
        PAPER = "paper"
        STAMPED = "stamped"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    number = models.CharField(max_length=16, unique=True)
    membership = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="changes")
    state = models.CharField(max_length=STATE_LENGTH, default=CHANGE.initial)
    origin = models.CharField(max_length=8, choices=Origin.choices, default=Origin.PAGE)
    received_on = models.DateField(null=True)
    """Of one that came by letter: the day on which it was received."""
    own_reference = models.CharField(max_length=40, blank=True)
    risks = models.JSONField()
    """The classes of what it changes: contact, administrators, identity, roster."""
    values = SealedJSON()
    reason = SealedText(blank=True)
    roster_hash = models.CharField(max_length=64, blank=True)
    """Fingerprint of the roster after the change, where it needs a new attestation."""
    key = models.CharField(max_length=64, unique=True)
    """One-use key of the form that was sent; the same POST again finds the same request."""
    charter = models.ForeignKey("charter.DocumentVersion", on_delete=models.PROTECT, related_name="+")
    privacy_notice = models.ForeignKey("charter.DocumentVersion", on_delete=models.PROTECT, related_name="+")
    filed_by = models.ForeignKey("accounts.Person", on_delete=models.PROTECT, related_name="+")
    submitted_at = models.DateTimeField()
    due_at = models.DateTimeField()
    reviewer = models.ForeignKey("accounts.Person", on_delete=models.PROTECT, null=True, related_name="+")
    recommendation = models.CharField(max_length=8, blank=True)
    recommendation_text = SealedText(blank=True)
    decided_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(state__in=CHANGE.check_constraint_values()), name="change_state_known"),
            models.UniqueConstraint(
                fields=["membership"], condition=Q(state__in=OPEN_CHANGE), name="change_one_open_per_membership"
            ),
            models.CheckConstraint(
                condition=Q(origin="page", received_on__isnull=True) | ~Q(origin="page") & Q(received_on__isnull=False),
                name="change_letter_has_its_day",
            ),
        ]
        indexes = [
            models.Index(fields=["due_at", "id"], name="change_queue"),
            models.Index(fields=["membership", "-submitted_at"], name="change_of_membership"),
        ]

    def __str__(self) -> str:
        return self.number


class ChangeFile(Sealed):
    """A file that came with a change: a proof, or the scan of the letter by which it came."""

    append_only = True

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    change = models.ForeignKey(ChangeRequest, on_delete=models.PROTECT, related_name="files")
    kind = models.CharField(max_length=8)
    filename = SealedText()
    media_type = models.CharField(max_length=32)
    size = models.PositiveIntegerField()
    sha256 = models.BinaryField(max_length=32)
    identity_numbers = models.PositiveIntegerField(null=True)
    file = models.ForeignKey("vault.StoredFile", on_delete=models.PROTECT, related_name="+")


class ChangeConfirmation(Sealed):
    """A mailbox that has to say yes to a change: a single-use link, of which only a digest is kept.

    Opening it changes nothing; the button on its page does.
    """

    class Of(models.TextChoices):
        """Whose mailbox it is."""

        OLD = "old"
        NEW = "new"
        RECEIVER = "receiver"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    change = models.ForeignKey(ChangeRequest, on_delete=models.PROTECT, related_name="confirmations")
    of = models.CharField(max_length=8, choices=Of.choices)
    email = SealedText()
    secret_digest = models.BinaryField(max_length=32, unique=True)
    sent_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True)
    confirmed = models.BooleanField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(answered_at__isnull=True, confirmed__isnull=True)
                | Q(answered_at__isnull=False, confirmed__isnull=False),
                name="changeconfirmation_answer_has_its_instant",
            )
        ]


class FactChange(Sealed):
    """That a fact about a member was `old` until an instant and `new` from it on; the history is read from these.

    What tells about a person lies under that person's key, so that whatever erases the person erases it here too.
    """

    append_only = True

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    membership = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="fact_changes")
    # Null where a contact left, or the administrators were replaced in a recovery.
    change = models.ForeignKey(ChangeRequest, on_delete=models.PROTECT, null=True, related_name="facts")
    field = models.CharField(max_length=48)
    old = SealedJSON(null=True)
    new = SealedJSON(null=True)
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["membership", "field", "at"], name="factchange_of_membership")]


class RosterDraft(Sealed):
    """A file of a roster between the steps of its import: its lines, which column is what, what was corrected by hand.

    Nothing of the roster changes by it. It becomes one change request, or is erased within a day.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    membership = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="+")
    person = models.ForeignKey("accounts.Person", on_delete=models.PROTECT, related_name="+")
    filename = SealedText(blank=True)
    encoding = models.CharField(max_length=16)
    lines = SealedJSON()
    columns = models.JSONField(default=dict)
    """Which column holds what: `{"name": 0, "ubn": 1, "removed": 2}`; empty until somebody said so."""
    heading = models.BooleanField(default=False)
    """Whether the first line names the columns."""
    whole = models.BooleanField(default=False)
    """Whether the file is the whole roster, so that what is missing in it is removed."""
    fixes = SealedJSON(default=dict)
    """By line: the words that were typed in place of the file's, or that the line is left out."""
    kept_at = models.DateTimeField()
    expires_at = models.DateTimeField()
