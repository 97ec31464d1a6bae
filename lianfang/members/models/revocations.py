"""Whether a membership is revoked, and the appeal against it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import models
from django.db.models import Q

from lianfang.kernel.deadlines import Deadline
from lianfang.kernel.ids import new_id
from lianfang.members.lifecycle import APPEAL, REVOCATION
from lianfang.members.models.memberships import Membership
from lianfang.members.models.procedures import STATE_LENGTH
from lianfang.vault.fields import SealedText
from lianfang.vault.models import Sealed


class Revocation(Sealed):
    """A case whether a membership is revoked: ground, facts, who reviewed, who decided (charter 1.4, 2.3, 5.3)."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    number = models.CharField(max_length=16, unique=True)
    membership = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="revocations")
    state = models.CharField(max_length=STATE_LENGTH, default=REVOCATION.initial)
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
    state = models.CharField(max_length=STATE_LENGTH, default=APPEAL.initial)
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
