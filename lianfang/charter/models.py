"""Documents that bind people: their versions, who accepted them, and the duty of confidentiality that never ends."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from lianfang.accounts.models import Affiliation, Organization, Person
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

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["document", "number"], name="charter_version_number"),
            models.UniqueConstraint(fields=["document", "effective_at"], name="charter_one_effective_instant"),
            models.CheckConstraint(condition=Q(effective_at__gte=F("approved_at")), name="charter_not_before_approval"),
        ]

    def __str__(self) -> str:
        return f"{self.document_id} {self.number}"


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
