"""Legal hold: nothing of a case is purged while it lasts (charter 4.3)."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from lianfang.kernel.ids import new_id
from lianfang.vault.fields import SealedText
from lianfang.vault.models import Sealed


class LegalHold(Sealed):
    """That a case is held, from an instant until somebody else lifts it."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    case = models.CharField(max_length=36)
    """The number of the case; of a draft, which has none, its id."""
    reason = SealedText()
    placed_by = models.ForeignKey("accounts.Person", on_delete=models.PROTECT, related_name="+")
    placed_at = models.DateTimeField()
    lifted_by = models.ForeignKey("accounts.Person", on_delete=models.PROTECT, null=True, related_name="+")
    lifted_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["case"], condition=Q(lifted_at__isnull=True), name="hold_one_a_case"),
            models.CheckConstraint(
                condition=Q(lifted_at__isnull=True) | ~Q(lifted_by=models.F("placed_by")), name="hold_lifted_by_another"
            ),
        ]
