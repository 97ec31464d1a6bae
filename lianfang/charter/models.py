"""Documents that bind people: their versions, who accepted them, and the duty of confidentiality that never ends."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from lianfang.accounts.models import Affiliation, Organization, Person
from lianfang.charter.lifecycle import AMENDMENT, OPEN_AMENDMENT, STATE_LENGTH
from lianfang.kernel.ids import new_id


class Document(models.Model):
    """One kind of document; there is one of each."""

    class Kind(models.TextChoices):
        CHARTER = "charter"
        PRIVACY = "privacy"
        PROCEDURE = "procedure"

    kind = models.CharField(max_length=16, choices=Kind.choices, primary_key=True)
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.kind


class DocumentVersion(models.Model):
    """One text, word for word as it was approved. Chinese is authoritative; `clauses` is [{id, zh, en}] in order."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    document = models.ForeignKey(Document, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    title_zh = models.CharField(max_length=200)
    title_en = models.CharField(max_length=200)
    clauses = models.JSONField()
    sha256 = models.BinaryField()
    # Null for the model text that comes with the software: nobody has approved it but the operator who loads it.
    approved_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")
    approved_at = models.DateTimeField()
    effective_at = models.DateTimeField()
    published_platform_at = models.DateTimeField()
    published_site_url = models.URLField(max_length=500, blank=True)
    published_site_at = models.DateTimeField(null=True)
    origin = models.CharField(max_length=8, default="model")
    """`model`: came with the software. `imported`: in force before this platform was. `amended`: by an amendment."""
    mailed_at = models.DateTimeField(null=True)
    """The one instant at which a message to every member was queued, the same at which it was published here."""

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~Q(origin="amended")
                | Q(
                    approved_by__isnull=False,
                    published_site_at__isnull=False,
                    mailed_at__isnull=False,
                    mailed_at=F("published_platform_at"),
                    effective_at__gte=F("published_platform_at"),
                ),
                name="charter_amended_is_published_and_mailed",
            ),
            models.UniqueConstraint(fields=["document", "number"], name="charter_version_number"),
            models.UniqueConstraint(fields=["document", "effective_at"], name="charter_one_effective_instant"),
            models.CheckConstraint(condition=Q(effective_at__gte=F("approved_at")), name="charter_not_before_approval"),
        ]

    def __str__(self) -> str:
        return f"{self.document_id} {self.number}"


class Amendment(models.Model):
    """The next version of a document while it is written, approved and published; one of each document at a time.

    Whoever wrote a word of it is an author, and no author approves it. It stays when the version has come of it: who
    wrote, who approved, what was told to the members.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    document = models.ForeignKey(Document, on_delete=models.PROTECT, related_name="amendments")
    base = models.ForeignKey(DocumentVersion, on_delete=models.PROTECT, related_name="+")
    """The version that it was copied from."""
    title_zh = models.CharField(max_length=200)
    title_en = models.CharField(max_length=200)
    clauses = models.JSONField()
    state = models.CharField(max_length=STATE_LENGTH, default=AMENDMENT.initial)
    revision = models.PositiveIntegerField(default=1)
    """Goes up with every change: whoever saves on an older one is told instead of overwriting."""
    authors = models.JSONField(default=list)
    summary_zh = models.TextField(blank=True, max_length=2000)
    summary_en = models.TextField(blank=True, max_length=2000)
    """What changes and why, as the members read it in the mail."""
    began_at = models.DateTimeField()
    saved_at = models.DateTimeField()
    proposed_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")
    proposed_at = models.DateTimeField(null=True)
    effective_at = models.DateTimeField(null=True)
    first_approver = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")
    first_approved_at = models.DateTimeField(null=True)
    second_approver = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")
    approved_at = models.DateTimeField(null=True)
    site_url = models.URLField(max_length=500, blank=True)
    site_at = models.DateTimeField(null=True)
    issued_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")
    closed_at = models.DateTimeField(null=True)
    version = models.OneToOneField(DocumentVersion, on_delete=models.PROTECT, null=True, related_name="amendment")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=AMENDMENT.check_constraint_values()), name="amendment_state_known"
            ),
            models.UniqueConstraint(
                fields=["document"], condition=Q(state__in=OPEN_AMENDMENT), name="amendment_one_open"
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["approved", "issuing", "issued"])
                | Q(first_approver__isnull=False, second_approver__isnull=False, approved_at__isnull=False),
                name="amendment_approved_by_two",
            ),
            models.CheckConstraint(
                condition=Q(second_approver__isnull=True) | ~Q(first_approver=F("second_approver")),
                name="amendment_two_approvers",
            ),
            models.CheckConstraint(
                condition=~Q(state="issued") | Q(version__isnull=False), name="amendment_issued_is_a_version"
            ),
        ]

    def __str__(self) -> str:
        return f"amendment of {self.document_id}, revision {self.revision}"


class Told(models.Model):
    """That a member was told of a version: the mail to one person of it, or the lack of anybody to write to.

    Of each member there is a row from the instant of publication. What somebody does afterwards about one that did not
    arrive, another mail or registered post, are rows of their own.
    """

    class How(models.TextChoices):
        MAIL = "mail"
        NOBODY = "nobody"
        POST = "post"

    append_only = True

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    version = models.ForeignKey(DocumentVersion, on_delete=models.PROTECT, related_name="told")
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    person = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")
    how = models.CharField(max_length=8, choices=How.choices)
    delivery = models.ForeignKey("outbox.Delivery", on_delete=models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField()
    # Of a letter by registered post: its number and the day on which it was posted.
    reference = models.CharField(max_length=60, blank=True)
    posted_on = models.DateField(null=True)
    by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["version", "organization", "person"], condition=Q(how="mail"), name="told_once_a_person"
            ),
            models.CheckConstraint(condition=~Q(how="mail") | Q(delivery__isnull=False), name="told_by_a_mail"),
            models.CheckConstraint(
                condition=~Q(how="post") | ~Q(reference="") & Q(posted_on__isnull=False, by__isnull=False),
                name="told_by_post_with_its_number",
            ),
        ]
        indexes = [models.Index(fields=["version", "organization"], name="told_of_version")]

    def __str__(self) -> str:
        return f"{self.version} {self.organization_id} {self.how}"


class Acceptance(models.Model):
    """Who accepted which version, for whom, when and where (charter 5.2)."""

    append_only = True

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    document_version = models.ForeignKey(DocumentVersion, on_delete=models.PROTECT, related_name="acceptances")
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, null=True, related_name="+")
    person = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField()
    # What was being done, such as `application A-2026-0001`; no personal data.
    context = models.CharField(max_length=100)

    class Meta:
        indexes = [models.Index(fields=["organization", "at"])]

    def __str__(self) -> str:
        return str(self.pk)


class ConfidentialityDuty(models.Model):
    """A person's duty of confidentiality for one affiliation (charter 3.1, 3.3). It has no end and is never deleted."""

    append_only = True

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="confidentiality_duties")
    affiliation = models.ForeignKey(Affiliation, on_delete=models.PROTECT, related_name="confidentiality_duties")
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    group = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    document_version = models.ForeignKey(DocumentVersion, on_delete=models.PROTECT, related_name="+")
    starts_at = models.DateTimeField()
    acknowledged_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["person", "organization", "group", "document_version"], name="charter_one_acknowledgement"
            ),
        ]

    def __str__(self) -> str:
        return str(self.pk)
