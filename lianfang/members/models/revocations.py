"""Whether a membership is revoked, and the appeal against it."""

from __future__ import annotations

from datetime import datetime, timedelta
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

FROM_ARRIVAL = "later_of_effect_and_delivery"
"""The value of the setting `appeal_start` that lets the time run from a proven arrival (Q6)."""


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
    notice_ground = models.CharField(max_length=8, blank=True)
    """The ground that the member was told of (N8); another ground needs another notice."""
    notice_text = SealedText(blank=True, null=True)  # type: ignore[misc]  # rows from before hold none
    notice_at = models.DateTimeField(null=True)
    notice_rule = models.CharField(max_length=8, blank=True)
    notice_days = models.PositiveSmallIntegerField(null=True)
    notice_edition = models.CharField(max_length=40, blank=True)
    notice_last_day = models.DateField(null=True)
    notice_ends_at = models.DateTimeField(null=True)
    decided_at = models.DateTimeField(null=True)
    appeal_start = models.CharField(max_length=32, blank=True)
    """From what the time for an appeal runs, as the setting was at the decision; empty: the effect."""
    appeal_event = models.DateTimeField(null=True)
    appeal_arrived_at = models.DateTimeField(null=True)
    """When the letter is first proven to have arrived; a mail that a server accepted proves nothing."""
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
    def notice(self) -> Deadline | None:
        """The limit for a statement as it was notified, or None while there is no notice."""
        if self.notice_at is None or self.notice_last_day is None or self.notice_ends_at is None:
            return None
        return Deadline(
            event=self.notice_at,
            rule=self.notice_rule,
            days=self.notice_days or 0,
            edition=self.notice_edition,
            last_day=self.notice_last_day,
            ends_at=self.notice_ends_at,
        )

    @property
    def notice_due(self) -> datetime | None:
        """The last second in which a statement is in time."""
        return None if self.notice_ends_at is None else self.notice_ends_at - timedelta(seconds=1)

    @property
    def awaits_arrival(self) -> bool:
        """Whether the time for an appeal has not begun to run, because no arrival of the letter is proven."""
        return self.state == "revoked" and self.appeal_start == FROM_ARRIVAL and self.appeal_arrived_at is None

    def is_late(self, at: datetime) -> bool:
        """Return whether an appeal at that instant is late: never while the time has not begun to run."""
        return self.deadline is not None and not self.awaits_arrival and self.deadline.is_late(at)

    @property
    def deadline(self) -> Deadline | None:
        """The limit for an appeal as it was notified, or None while nothing is revoked."""
        if self.decided_at is None or self.appeal_last_day is None or self.appeal_ends_at is None:
            return None
        return Deadline(
            event=self.appeal_event or self.decided_at,
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
    reviewer = models.ForeignKey("accounts.Person", on_delete=models.PROTECT, null=True, related_name="+")
    recommendation = models.CharField(max_length=8, blank=True)
    findings = SealedText(blank=True, null=True)  # type: ignore[misc]  # rows from before hold none
    recommended_at = models.DateTimeField(null=True)
    due_at = models.DateTimeField(null=True)
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


class Statement(Sealed):
    """What a member says to a notice of intent, taken in at once and stamped; a late one is kept and marked."""

    append_only = True

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    revocation = models.ForeignKey(Revocation, on_delete=models.PROTECT, related_name="statements")
    key = models.CharField(max_length=64, unique=True)
    text = SealedText()
    filed_by = models.ForeignKey("accounts.Person", on_delete=models.PROTECT, related_name="+")
    filed_at = models.DateTimeField()
    late = models.BooleanField()


class StatementFile(Sealed):
    """A file that came with a statement."""

    append_only = True

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    statement = models.ForeignKey(Statement, on_delete=models.PROTECT, related_name="files")
    filename = SealedText()
    media_type = models.CharField(max_length=32)
    size = models.PositiveIntegerField()
    sha256 = models.BinaryField(max_length=32)
    file = models.ForeignKey("vault.StoredFile", on_delete=models.PROTECT, related_name="+")


class Arrival(models.Model):
    """A proof that the letter of a revocation arrived: opened on the exit page, or a day of registered post."""

    append_only = True

    revocation = models.ForeignKey(Revocation, on_delete=models.PROTECT, related_name="arrivals")
    how = models.CharField(max_length=8)
    arrived_at = models.DateTimeField()
    reference = models.CharField(max_length=40, blank=True)
    """The number of the registered post."""
    by = models.ForeignKey("accounts.Person", on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(how__in=["opened", "post"]), name="arrival_how_known")]


def deadline_fields(deadline: Deadline, *, prefix: str = "appeal") -> dict[str, Any]:
    """Return a counted limit as the columns of `Revocation`: of the appeal, or of the `notice`."""
    ends: datetime = deadline.ends_at
    event = "appeal_event" if prefix == "appeal" else "notice_at"
    return {
        event: deadline.event,
        f"{prefix}_rule": deadline.rule,
        f"{prefix}_days": deadline.days,
        f"{prefix}_edition": deadline.edition,
        f"{prefix}_last_day": deadline.last_day,
        f"{prefix}_ends_at": ends,
    }
