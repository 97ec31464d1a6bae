"""Labels as rows, and the epoch that keeps every worker in step.

Neither is a decision by itself: both are written inside the audited transaction of whoever changes an item, a
standing, a consent, a token or a group.
"""

from __future__ import annotations

from django.db import models


class Label(models.Model):
    """One distinct label. Protected rows point here; thousands of labels stand for millions of items."""

    digest = models.BinaryField(max_length=32, unique=True)
    """SHA-256 of the canonical JSON of the facts."""
    facts = models.JSONField()
    """Every fact that decides, as `codec.to_json` writes it."""
    tlp = models.SmallIntegerField()
    not_before = models.DateTimeField(null=True, db_index=True)
    """End of the embargo; at that instant the open entry is appended."""
    until = models.DateTimeField(null=True, db_index=True)
    """Instant from which an earlier agreement puts the item on hold."""

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(tlp__range=(0, 4)), name="policy_label_tlp_known"),
        ]

    def __str__(self) -> str:
        return f"label {self.pk}"


class Epoch(models.Model):
    """The single row that every request reads: what workers hold is good for exactly this epoch.

    `head` is the highest position of the exchange log; a new label without older items moves it alone. `policy` moves
    with every change of an existing item's label, of a standing, consent, token or group.
    """

    id = models.SmallIntegerField(primary_key=True, default=1)
    head = models.BigIntegerField(default=0)
    policy = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(id=1), name="policy_epoch_is_one_row"),
        ]

    def __str__(self) -> str:
        return f"epoch {self.head}/{self.policy}"
