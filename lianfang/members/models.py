"""Who applies, who is a member, and every decision about it.

Organisations are public facts and stand in clear; what people typed about people (names, titles, addresses of mail,
free text) is sealed under the key of its application, revocation or appeal.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import models
from django.db.models import Q

from lianfang.kernel.deadlines import Deadline
from lianfang.kernel.ids import new_id
from lianfang.members.lifecycle import APPEAL, APPLICATION, IN_FORCE, MEMBERSHIP, REVOCATION
from lianfang.vault.fields import SealedJSON, SealedText
from lianfang.vault.models import Sealed

_STATE = 24


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


class Application(Sealed):
    """An application for membership, from the first saved page to the decision (charter 1.3)."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    number = models.CharField(max_length=16, unique=True, null=True)
    state = models.CharField(max_length=_STATE, default=APPLICATION.initial)
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
    by = models.ForeignKey("accounts.Person", on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        constraints = [
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
    method = models.CharField(max_length=24)
    note = SealedText(blank=True)
    by = models.ForeignKey("accounts.Person", on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()


class Membership(models.Model):
    """The membership of one organisation; restoration goes on with the same row, a new admission makes a new one."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organization = models.ForeignKey("accounts.Organization", on_delete=models.PROTECT, related_name="memberships")
    application = models.OneToOneField(Application, on_delete=models.PROTECT, related_name="membership")
    ubn = models.CharField(max_length=8, null=True)
    state = models.CharField(max_length=_STATE, default=MEMBERSHIP.initial)
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=MEMBERSHIP.check_constraint_values()), name="membership_state_known"
            ),
            models.CheckConstraint(
                condition=Q(state__in=IN_FORCE, ended_at__isnull=True)
                | (~Q(state__in=IN_FORCE) & Q(ended_at__isnull=False)),
                name="membership_ended_has_instant",
            ),
            models.UniqueConstraint(
                fields=["ubn"], condition=Q(state__in=IN_FORCE), name="membership_one_live_per_ubn"
            ),
            models.UniqueConstraint(
                fields=["organization"], condition=Q(state__in=IN_FORCE), name="membership_one_live_per_organization"
            ),
        ]
        indexes = [models.Index(fields=["organization", "-began_at"], name="membership_latest")]

    def __str__(self) -> str:
        return f"membership {self.id}"


class MembershipInterval(models.Model):
    """A time [began_at, ended_at) in which a membership was in force; what lies between two of them is a gap."""

    membership = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="intervals")
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["membership"], condition=Q(ended_at__isnull=True), name="interval_one_open"
            ),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True) | Q(ended_at__gt=models.F("began_at")), name="interval_forward"
            ),
        ]


class Constituent(models.Model):
    """An organisation on a group member's roster, with the state of its screening (charter 1.3)."""

    group = models.ForeignKey("accounts.Organization", on_delete=models.PROTECT, related_name="constituents")
    organization = models.ForeignKey("accounts.Organization", on_delete=models.PROTECT, related_name="groups")
    screening = models.CharField(max_length=16)
    screened_at = models.DateTimeField(null=True)
    list_source = models.CharField(max_length=120, blank=True)
    list_date = models.DateField(null=True)
    added_at = models.DateTimeField()
    removed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["group", "organization"], condition=Q(removed_at__isnull=True), name="constituent_once"
            ),
            models.CheckConstraint(
                condition=Q(screening__in=["pending", "clear", "name_hit", "other_entity", "id_hit", "unverifiable"]),
                name="constituent_screening_known",
            ),
        ]


class RelayRule(models.Model):
    """A member_admin's rule that the group relays a class to its constituents (policy P-constituent)."""

    group = models.ForeignKey("accounts.Organization", on_delete=models.PROTECT, related_name="relay_rules")
    tlp = models.PositiveSmallIntegerField()
    decided_by = models.ForeignKey("accounts.Person", on_delete=models.PROTECT, related_name="+")
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["group", "tlp"], condition=Q(ended_at__isnull=True), name="relayrule_one_open"
            ),
        ]


class Revocation(Sealed):
    """A case whether a membership is revoked: ground, facts, who reviewed, who decided (charter 1.4, 2.3, 5.3)."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    number = models.CharField(max_length=16, unique=True)
    membership = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="revocations")
    state = models.CharField(max_length=_STATE, default=REVOCATION.initial)
    ground = models.CharField(max_length=8)
    facts = SealedText()
    opened_at = models.DateTimeField()
    reviewer = models.ForeignKey("accounts.Person", on_delete=models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField(null=True)
    due_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True)
    appeal_rule = models.CharField(max_length=8, blank=True)
    appeal_days = models.PositiveSmallIntegerField(null=True)
    appeal_edition = models.CharField(max_length=40, blank=True)
    appeal_last_day = models.DateField(null=True)
    appeal_ends_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=REVOCATION.check_constraint_values()), name="revocation_state_known"
            ),
            models.UniqueConstraint(
                fields=["membership"],
                condition=Q(state__in=["under_review", "proposed"]),
                name="revocation_one_open_per_membership",
            ),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def deadline(self) -> Deadline | None:
        """The limit for an appeal as it was notified, or None while nothing is revoked."""
        if self.decided_at is None or self.appeal_last_day is None or self.appeal_ends_at is None:
            return None
        return Deadline(
            event=self.decided_at,
            rule=self.appeal_rule,
            days=self.appeal_days or 0,
            edition=self.appeal_edition,
            last_day=self.appeal_last_day,
            ends_at=self.appeal_ends_at,
        )


class Appeal(Sealed):
    """An appeal against a revocation, taken in at once and stamped; a late one is marked, no machine refuses it."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    number = models.CharField(max_length=16, unique=True)
    revocation = models.ForeignKey(Revocation, on_delete=models.PROTECT, related_name="appeals")
    state = models.CharField(max_length=_STATE, default=APPEAL.initial)
    key = models.CharField(max_length=64, unique=True)
    text = SealedText()
    text_sha256 = models.BinaryField(max_length=32)
    filed_by = models.ForeignKey("accounts.Person", on_delete=models.PROTECT, related_name="+")
    filed_at = models.DateTimeField()
    late = models.BooleanField()
    decided_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(state__in=APPEAL.check_constraint_values()), name="appeal_state_known")
        ]

    def __str__(self) -> str:
        return self.number


class AppealFile(Sealed):
    """A file that came with an appeal."""

    append_only = True

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    appeal = models.ForeignKey(Appeal, on_delete=models.PROTECT, related_name="files")
    filename = SealedText()
    media_type = models.CharField(max_length=32)
    size = models.PositiveIntegerField()
    sha256 = models.BinaryField(max_length=32)
    file = models.ForeignKey("vault.StoredFile", on_delete=models.PROTECT, related_name="+")


class Decision(Sealed):
    """A signed decision of the alliance: clause, reasons, who reviewed, who decided, when, and the letter as sent."""

    append_only = True

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    number = models.CharField(max_length=24, unique=True)
    kind = models.CharField(max_length=16)
    application = models.ForeignKey(Application, on_delete=models.PROTECT, null=True, related_name="decisions")
    revocation = models.ForeignKey(Revocation, on_delete=models.PROTECT, null=True, related_name="decisions")
    appeal = models.ForeignKey(Appeal, on_delete=models.PROTECT, null=True, related_name="decisions")
    membership = models.ForeignKey(Membership, on_delete=models.PROTECT, null=True, related_name="decisions")
    clause = models.CharField(max_length=16)
    reasons = models.JSONField()
    reason_text = SealedText(blank=True)
    reviewed_by = models.ForeignKey("accounts.Person", on_delete=models.PROTECT, related_name="+")
    decided_by = models.ForeignKey("accounts.Person", on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField()
    effective_at = models.DateTimeField()
    letter_zh = SealedText()
    letter_en = SealedText()
    text_sha256 = models.BinaryField(max_length=32)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(reviewed_by=models.F("decided_by")), name="decision_four_eyes")
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


def deadline_fields(deadline: Deadline) -> dict[str, Any]:
    """Return a counted appeal limit as the columns of `Revocation`."""
    ends: datetime = deadline.ends_at
    return {
        "appeal_rule": deadline.rule,
        "appeal_days": deadline.days,
        "appeal_edition": deadline.edition,
        "appeal_last_day": deadline.last_day,
        "appeal_ends_at": ends,
    }
