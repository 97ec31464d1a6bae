"""Editions of the office calendar by which limits are counted (charter 1.4; Civil Code 122)."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from lianfang.kernel.ids import new_id


class CalendarEdition(models.Model):
    """One imported edition: it replaces the one before whole, and is never changed; limits keep its name."""

    append_only = True

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    edition = models.CharField(max_length=40, unique=True)
    source = models.CharField(max_length=200)
    rest_days = models.JSONField()
    workdays = models.JSONField()
    file_sha256 = models.BinaryField(max_length=32)
    imported_by = models.ForeignKey("accounts.Person", on_delete=models.PROTECT, related_name="+")
    imported_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["-imported_at"], name="calendar_latest")]

    def __str__(self) -> str:
        return self.edition


class FeedLink(models.Model):
    """A secret link by which somebody of the staff has the running limits in a calendar; it can be ended."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    person = models.ForeignKey("accounts.Person", on_delete=models.PROTECT, related_name="+")
    secret_digest = models.BinaryField(max_length=32, unique=True)
    made_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["person"], condition=Q(ended_at__isnull=True), name="feedlink_one_a_person")
        ]
