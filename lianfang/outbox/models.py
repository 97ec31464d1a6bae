"""Mails to be sent, one row a recipient: the truth of which jobs are only the wake-up."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from lianfang.kernel.ids import new_id
from lianfang.outbox.lifecycle import DELIVERY, QUEUED
from lianfang.vault.fields import SealedText
from lianfang.vault.models import Sealed


class Delivery(Sealed):
    """One mail to one address. Address, subject and bodies are sealed under the recipient's key.

    `lease_until` is set while the mail is being sent; `attempts` counts answers of the mail server that were not "yes".
    `dedupe`, when set, makes a second mail of the same meaning impossible.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    kind = models.CharField(max_length=40)
    person_id = models.UUIDField(null=True)
    dedupe = models.CharField(max_length=200, null=True, unique=True)
    to = SealedText()
    subject = SealedText()
    body_text = SealedText()
    body_html = SealedText(default="")
    decide_at_sending = models.CharField(max_length=200, blank=True)
    reply_to = models.CharField(max_length=254, blank=True)
    """Where an answer goes: the address of the case that the mail is about."""
    state = models.CharField(max_length=10, default=QUEUED)
    created_at = models.DateTimeField()
    not_before = models.DateTimeField()
    lease_until = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    last_answer = SealedText(default="")
    sent_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["not_before", "created_at"], name="outbox_queued", condition=models.Q(state="queued")),
            models.Index(fields=["lease_until"], name="outbox_sending", condition=models.Q(state="sending")),
            models.Index(fields=["person_id"], name="outbox_person"),
            models.Index(fields=["reply_to"], name="outbox_about_case", condition=~models.Q(reply_to="")),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state__in=DELIVERY.check_constraint_values()), name="outbox_delivery_state"
            ),
            models.CheckConstraint(
                condition=models.Q(state="sending", lease_until__isnull=False)
                | (~models.Q(state="sending") & models.Q(lease_until__isnull=True)),
                name="outbox_delivery_lease",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"

    @property
    def message_id(self) -> str:
        """The Message-ID, the same however often the mail is sent, so that a mail program can fold duplicates."""
        return f"<{self.id}@{settings.MAIL_FROM.rpartition('@')[2]}>"
