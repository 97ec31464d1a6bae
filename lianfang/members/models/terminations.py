"""A member's request to end its membership (charter 2.5)."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from lianfang.kernel.ids import new_id
from lianfang.members.lifecycle import OPEN_TERMINATION, TERMINATION
from lianfang.members.models.memberships import Membership
from lianfang.members.models.procedures import STATE_LENGTH
from lianfang.vault.fields import SealedText
from lianfang.vault.models import Sealed

HANDLINGS = ("destroy", "return")


class Termination(Sealed):
    """A request that a membership ends: why, what becomes of what was received, who reviewed it, how it ended."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    number = models.CharField(max_length=16, unique=True)
    membership = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="terminations")
    state = models.CharField(max_length=STATE_LENGTH, default=TERMINATION.initial)
    reason = SealedText()
    handling = models.CharField(max_length=8)
    """Whether the member destroys what it received, or returns it."""
    filed_by = models.ForeignKey("accounts.Person", on_delete=models.PROTECT, related_name="+")
    filed_at = models.DateTimeField()
    due_at = models.DateTimeField()
    reviewer = models.ForeignKey("accounts.Person", on_delete=models.PROTECT, null=True, related_name="+")
    recommendation = models.CharField(max_length=8, blank=True)
    findings = SealedText(blank=True)
    recommended_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=TERMINATION.check_constraint_values()), name="termination_state_known"
            ),
            models.CheckConstraint(condition=Q(handling__in=HANDLINGS), name="termination_handling_known"),
            models.CheckConstraint(
                condition=Q(state__in=OPEN_TERMINATION, closed_at__isnull=True)
                | (~Q(state__in=OPEN_TERMINATION) & Q(closed_at__isnull=False)),
                name="termination_closed_has_instant",
            ),
            models.UniqueConstraint(
                fields=["membership"], condition=Q(state__in=OPEN_TERMINATION), name="termination_one_open"
            ),
        ]

    def __str__(self) -> str:
        return self.number
