"""Who applies: what was typed, attested, attached, corrected and checked."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from lianfang.kernel.ids import new_id
from lianfang.members.lifecycle import APPLICATION
from lianfang.members.models.procedures import STATE_LENGTH, Procedure
from lianfang.vault.fields import SealedJSON, SealedText
from lianfang.vault.models import Sealed


class Application(Sealed):
    """An application for membership, from the first saved page to the decision (charter 1.3)."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    number = models.CharField(max_length=16, unique=True, null=True)
    state = models.CharField(max_length=STATE_LENGTH, default=APPLICATION.initial)
    procedure = models.ForeignKey(Procedure, on_delete=models.PROTECT)
    language = models.CharField(max_length=10, default="zh-hant")
    email = SealedText()
    email_proved_at = models.DateTimeField(null=True)
    secret = SealedText()
    """In the links that we mail; whoever opens one proves that he reads this mailbox."""
    secret_digest = models.BinaryField(max_length=32, unique=True)
    answers = SealedJSON()
    """What was typed, per step; kept as it is while it is wrong."""
    steps_done = models.JSONField(default=list)
    started_at = models.DateTimeField()
    saved_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    kind = models.CharField(max_length=16, blank=True)
    name_zh = models.CharField(max_length=200, blank=True)
    name_en = models.CharField(max_length=200, blank=True)
    ubn = models.CharField(max_length=8, null=True)
    roster_hash = models.CharField(max_length=64, blank=True)
    roster_changed_at = models.DateTimeField(null=True)
    submission_key = models.CharField(max_length=64, null=True, unique=True)
    """One-use key of the form that was sent; the same POST again finds the same receipt."""
    submitted_at = models.DateTimeField(null=True)
    submitted_form = SealedJSON(null=True)
    """The form as it was sent, never changed afterwards."""
    submitted_sha256 = models.BinaryField(max_length=32, null=True)
    charter = models.ForeignKey("charter.DocumentVersion", on_delete=models.PROTECT, null=True, related_name="+")
    privacy_notice = models.ForeignKey("charter.DocumentVersion", on_delete=models.PROTECT, null=True, related_name="+")
    objects_to_electronic_form = models.BooleanField(default=False)
    resumed_at = models.DateTimeField(null=True)
    due_at = models.DateTimeField(null=True)
    reviewer = models.ForeignKey("accounts.Person", on_delete=models.PROTECT, null=True, related_name="+")
    recommendation = models.CharField(max_length=8, blank=True)
    recommendation_reasons = models.JSONField(default=list)
    recommendation_text = SealedText(blank=True)
    recommended_at = models.DateTimeField(null=True)
    decided_at = models.DateTimeField(null=True)
    organization = models.ForeignKey("accounts.Organization", on_delete=models.PROTECT, null=True, related_name="+")
    erased_at = models.DateTimeField(null=True)
    """Of a draft that expired: when what it held was erased."""
    erased_files = models.PositiveSmallIntegerField(default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=APPLICATION.check_constraint_values()), name="application_state_known"
            ),
            models.CheckConstraint(
                condition=Q(state__in=["draft", "expired"]) | Q(number__isnull=False, submitted_at__isnull=False),
                name="application_submitted_has_number",
            ),
            models.CheckConstraint(
                condition=~Q(state="expired") | Q(erased_at__isnull=False), name="application_expired_is_erased"
            ),
        ]
        indexes = [
            models.Index(fields=["due_at", "id"], name="application_queue", condition=Q(number__isnull=False)),
            models.Index(fields=["ubn"], name="application_ubn"),
        ]

    def __str__(self) -> str:
        return self.number or f"draft {self.id}"


class Attestation(Sealed):
    """The attestation on mainland capital: who gave it, on what ground, for exactly which roster and charter (1.3)."""

    append_only = True

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    application = models.ForeignKey(Application, on_delete=models.PROTECT, related_name="attestations")
    change = models.ForeignKey(
        "members.ChangeRequest", on_delete=models.PROTECT, null=True, related_name="attestations"
    )
    """Of one that came with a change: the application is then the one by which the member was admitted."""
    name = SealedText()
    title = SealedText()
    ground = models.CharField(max_length=24)
    charter = models.ForeignKey("charter.DocumentVersion", on_delete=models.PROTECT, related_name="+")
    roster_hash = models.CharField(max_length=64)
    text = models.TextField()
    """The words that were confirmed, in the language in which they were read."""
    at = models.DateTimeField()


class Attachment(Sealed):
    """A file that came with an application. Taken away by the applicant it stays on record with `removed_at`."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    application = models.ForeignKey(Application, on_delete=models.PROTECT, related_name="attachments")
    proof = models.CharField(max_length=32)
    filename = SealedText()
    media_type = models.CharField(max_length=32)
    size = models.PositiveIntegerField()
    sha256 = models.BinaryField(max_length=32)
    file = models.ForeignKey("vault.StoredFile", on_delete=models.PROTECT, related_name="+")
    identity_numbers = models.PositiveIntegerField(null=True)
    """How many identity numbers were found in its text; null where its text cannot be read (images)."""
    identity_pages = models.JSONField(default=list)
    """On which pages of a PDF they stand, where that can be told."""
    uploaded_at = models.DateTimeField()
    removed_at = models.DateTimeField(null=True)

    @property
    def is_picture(self) -> bool:
        """Whether it can be masked here."""
        return self.media_type.startswith("image/")


class CorrectionItem(Sealed):
    """One thing that the applicant is asked to complete or change, bound to the field where it is answered."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    application = models.ForeignKey(Application, on_delete=models.PROTECT, related_name="corrections")
    round = models.PositiveSmallIntegerField()
    place = models.PositiveSmallIntegerField()
    step = models.CharField(max_length=24)
    field = models.CharField(max_length=48)
    message = SealedText()
    old_value = SealedJSON(null=True)
    requested_by = models.ForeignKey("accounts.Person", on_delete=models.PROTECT, related_name="+")
    requested_at = models.DateTimeField()
    due_at = models.DateTimeField()
    answer = SealedText(blank=True)
    answered_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["round", "place"]


class ScreeningFinding(Sealed):
    """What one row of a roster gave against the official list; bound to exactly the words that were screened.

    `row_key` is the digest of those words: a row that is changed later has no finding any more (charter 1.3).
    """

    append_only = True

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    application = models.ForeignKey(Application, on_delete=models.PROTECT, related_name="findings")
    row_key = models.CharField(max_length=64)
    result = models.CharField(max_length=16)
    other_entity = models.BooleanField(default=False)
    """Of a name hit: a person decided, with the note as reason, that it is somebody else."""
    source = models.CharField(max_length=120)
    list_date = models.DateField()
    note = SealedText(blank=True)
    edition = models.ForeignKey("members.ListEdition", on_delete=models.PROTECT, null=True, related_name="+")
    """Of a comparison with an imported edition; a list that was looked up elsewhere is told by `source` alone."""
    matches = models.JSONField(default=list)
    """Which rows of the list the name or number is like, as [number, name, score of 100, what matched]."""
    by = models.ForeignKey("accounts.Person", on_delete=models.PROTECT, null=True, related_name="+")
    """None: the system compared."""
    at = models.DateTimeField()

    class Meta:
        constraints = [
            # A judgement that a hit is somebody else names who wrote it, also where later editions carry it on.
            models.CheckConstraint(
                condition=Q(other_entity=False) | Q(by__isnull=False), name="finding_judged_by_a_person"
            ),
            models.CheckConstraint(
                condition=Q(result__in=["clear", "name_hit", "id_hit", "unverifiable"]), name="finding_result_known"
            ),
            # The latest counts, so two of one instant would leave it open which.
            models.UniqueConstraint(fields=["application", "row_key", "at"], name="finding_latest"),
        ]


class AuthorityCheck(Sealed):
    """How the authority of the person who signed was checked, by whom and when."""

    append_only = True

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    application = models.ForeignKey(Application, on_delete=models.PROTECT, related_name="authority_checks")
    change = models.ForeignKey(
        "members.ChangeRequest", on_delete=models.PROTECT, null=True, related_name="authority_checks"
    )
    """Of a check for a change: the application is then the one by which the member was admitted."""
    method = models.CharField(max_length=24)
    note = SealedText(blank=True)
    by = models.ForeignKey("accounts.Person", on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
