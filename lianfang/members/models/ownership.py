"""Declared holdings behind an organisation on a roster, and what follows from them (charter 1.3)."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from lianfang.kernel.ids import new_id
from lianfang.members.models.applications import Application
from lianfang.vault.fields import SealedJSON, SealedText
from lianfang.vault.models import Sealed


class OwnershipStatement(Sealed):
    """Holdings as declared, entered by the reviewer; the latest of a row counts. Owners may be people: sealed.

    `verdict` is what the rule of more than 30 %, layer by layer, gave: `no`, `yes`, or `circular`, which a person
    judges in writing (`judged`).
    """

    append_only = True

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    application = models.ForeignKey(Application, on_delete=models.PROTECT, related_name="ownerships")
    row_key = models.CharField(max_length=64)
    holdings = SealedJSON()
    verdict = models.CharField(max_length=16)
    judged = models.CharField(max_length=8, blank=True)
    note = SealedText(blank=True)
    by = models.ForeignKey("accounts.Person", on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(verdict__in=["no", "yes", "circular"]) & Q(judged__in=["", "no", "yes"]),
                name="ownership_verdict_known",
            ),
            models.UniqueConstraint(fields=["application", "row_key", "at"], name="ownership_latest"),
        ]
