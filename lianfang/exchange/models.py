"""What a member decided about its machine doors."""

from __future__ import annotations

from django.db import models

from lianfang.kernel.ids import new_id


class WriteProfile(models.Model):
    """With whom an organisation's machines share what they add to one collection.

    Each decision is a row; the last one of its collection is in force. Without one the policy's default stands: the
    coordinator alone.
    """

    append_only = True

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organization = models.ForeignKey("accounts.Organization", on_delete=models.PROTECT, related_name="+")
    group = models.ForeignKey("accounts.Organization", on_delete=models.PROTECT, related_name="+")
    collection = models.CharField(max_length=40)
    """Alias of the collection."""
    audience = models.CharField(max_length=20, choices=[("alliance", "alliance"), ("coordinator_only", "coordinator")])
    name_source = models.CharField(max_length=20, choices=[("everyone", "everyone"), ("coordinator", "coordinator")])
    warranted = models.BooleanField()
    """The member warrants that no earlier agreement forbids what its machines share (charter 2.1); without it: hold."""
    set_by = models.ForeignKey("accounts.Person", on_delete=models.PROTECT, related_name="+")
    set_at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["organization", "group", "collection", "-set_at"], name="exchange_writeprofile_last")
        ]


class Reach(models.Model):
    """What a key may have received through one door since it was last noted: durable, renewed each minute of use.

    The exact receipts of the machine doors reach the disk up to a second after they are written. After a crash of the
    database this row says what one of them may have held: anything up to `head` or added within the minute after `at`.
    """

    id = models.BigAutoField(primary_key=True)
    token = models.UUIDField()
    view = models.TextField()
    at = models.DateTimeField()
    head = models.BigIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["token", "view"], name="exchange_reach_token_view_unique")]
