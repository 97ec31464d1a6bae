"""What a member lets other members see of it; without a choice that is in force: nothing."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from lianfang.kernel.ids import new_id
from lianfang.members.models.memberships import Membership


class DirectoryChoice(models.Model):
    """That a member stands in the directory, in [started_at, ended_at): its name, and what else it chose."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    membership = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="directory_choices")
    sector = models.BooleanField(default=False)
    security = models.BooleanField(default=False)
    """Whether its 24-hour security contact is shown."""
    chosen_by = models.ForeignKey("accounts.Person", on_delete=models.PROTECT, related_name="+")
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["membership"], condition=Q(ended_at__isnull=True), name="directory_one_choice_in_force"
            ),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True) | Q(ended_at__gte=F("started_at")),
                name="directory_ends_after_start",
            ),
        ]

    def __str__(self) -> str:
        return str(self.pk)
