"""What is kept of intelligence: objects by source, their versions, the exchange log, and who received what.

Stored identity is (source, STIX id, modified). Only `LogEntry` gives order: a position in commit order and a date.
"""

from __future__ import annotations

import uuid

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import Q

from lianfang.kernel.ids import new_id


class Item(models.Model):
    """One STIX object as one source brought it. Two sources with the same STIX id have two items."""

    id = models.BigAutoField(primary_key=True)
    source_organization = models.ForeignKey(
        "accounts.Organization", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    source_group = models.ForeignKey("accounts.Organization", on_delete=models.PROTECT, related_name="+")
    stix_id = models.TextField()
    served_id = models.TextField()
    """The id under which readers who may not know the source meet it; equal to `stix_id` where the name is shown."""
    type = models.TextField()
    created = models.DateTimeField(null=True)
    """`created` of the first version, which no later version may change; None for objects that have none."""
    created_by_ref = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["source_organization", "source_group", "stix_id"], name="intel_item_source_id_unique"
            )
        ]
        indexes = [
            models.Index(fields=["stix_id"], name="intel_item_stix_id"),
            models.Index(
                fields=["served_id"], name="intel_item_served_id", condition=~Q(served_id=models.F("stix_id"))
            ),
        ]


class Submission(models.Model):
    """One handing-in of one body of objects: who, through which door, under which form, and what became of each."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    person = models.ForeignKey("accounts.Person", on_delete=models.PROTECT, related_name="+")
    organization = models.ForeignKey("accounts.Organization", on_delete=models.PROTECT, related_name="+")
    group = models.ForeignKey("accounts.Organization", on_delete=models.PROTECT, related_name="+")
    token = models.UUIDField(null=True)
    channel = models.TextField()
    key = models.UUIDField(unique=True, default=new_id)
    """One-use key of the form: the same key twice is the same submission."""
    digest = models.BinaryField()
    received_at = models.DateTimeField()
    form = models.JSONField()
    results = models.JSONField()
    """One row an object: id, version, outcome, reason; of the submitter's own items only."""

    class Meta:
        indexes = [models.Index(fields=["organization", "group", "digest"], name="intel_submission_digest")]


class Draft(models.Model):
    """A file between the first and the last step of the form; its id is the one-use key. Gone after a day."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    person = models.ForeignKey("accounts.Person", on_delete=models.CASCADE, related_name="+")
    organization = models.ForeignKey("accounts.Organization", on_delete=models.CASCADE, related_name="+")
    group = models.ForeignKey("accounts.Organization", on_delete=models.CASCADE, related_name="+")
    name = models.TextField()
    body = models.BinaryField()
    created_at = models.DateTimeField()


class Version(models.Model):
    """One version of an item: the producer's bytes, and the label that it stands under."""

    id = models.BigAutoField(primary_key=True)
    item = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="versions", db_index=False)
    modified = models.DateTimeField()
    """STIX `modified`, else `created`, else the epoch of objects that carry neither."""
    version = models.TextField()
    """The same as the producer wrote it."""
    digest = models.BinaryField()
    """SHA-256 of the canonical JSON (RFC 8785)."""
    original = models.BinaryField()
    served = models.BinaryField(null=True)
    """The body for readers who may not know the source; None where it is the original."""
    revoked = models.BooleanField(default=False)
    label = models.ForeignKey("policy.Label", on_delete=models.PROTECT, related_name="+")
    findings = models.JSONField(default=list)
    """Codes of what intake noticed (`lianfang.intel.words.FINDINGS`); those that quarantine come first."""
    submitted_by = models.ForeignKey("accounts.Person", on_delete=models.PROTECT, related_name="+", db_index=False)
    submission = models.ForeignKey(Submission, on_delete=models.PROTECT, related_name="versions")
    accepted_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["item", "modified"], name="intel_version_item_modified_unique")]
        indexes = [models.Index(fields=["modified"], name="intel_version_modified")]


class Binding(models.Model):
    """A container version requires this other version of the same source, held when the container was accepted."""

    id = models.BigAutoField(primary_key=True)
    container = models.ForeignKey(Version, on_delete=models.PROTECT, related_name="bindings")
    bound = models.ForeignKey(Version, on_delete=models.PROTECT, related_name="bound_by")


class Reference(models.Model):
    """Version names another object by id; kept for the list of relations, written with the search rows."""

    id = models.BigAutoField(primary_key=True)
    version = models.ForeignKey(Version, on_delete=models.PROTECT, related_name="references")
    property = models.TextField()
    target = models.TextField()
    """STIX id that is named; it need not be held."""

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["version", "property", "target"], name="intel_reference_once"),
        ]
        indexes = [models.Index(fields=["target"], name="intel_reference_target")]


class LogEntry(models.Model):
    """One line of the exchange log: this version, to those whom this label allows, from this position on.

    Never rewritten for a wider circle: who gains later gets a further line. Positions are given in commit order under
    a lock; `date_added` is unique and rises with them.
    """

    position = models.BigIntegerField(primary_key=True)
    version = models.ForeignKey(Version, on_delete=models.PROTECT, related_name="entries")
    label = models.ForeignKey("policy.Label", on_delete=models.PROTECT, related_name="+")
    date_added = models.DateTimeField(unique=True)
    type = models.TextField()
    again = models.BooleanField(default=False)
    """An entry for the same STIX id stood in the log before, of whatever source."""
    moved = models.BooleanField(default=False, db_default=False)
    """Its version came under another TLP since: in collections by TLP a further line stands for it, at a place that
    nobody has passed."""
    returned = models.BooleanField(default=False, db_default=False)
    """It brings a version back to those who lose a newer one: for them it is the last again, at this place."""

    class Meta:
        indexes = [models.Index(fields=["version"], name="intel_logentry_again", condition=Q(again=True))]


class Relabelling(models.Model):
    """An entry of the log came under another label: from this list every process learns which positions moved.

    Written under the lock of the log, so that ids are in commit order.
    """

    id = models.BigAutoField(primary_key=True)
    position = models.BigIntegerField()
    old = models.ForeignKey("policy.Label", on_delete=models.PROTECT, related_name="+", db_index=False)
    new = models.ForeignKey("policy.Label", on_delete=models.PROTECT, related_name="+", db_index=False)


class Embargo(models.Model):
    """Versions of a submission become readable at `not_before`; a job then appends their open entries."""

    submission = models.OneToOneField(Submission, primary_key=True, on_delete=models.PROTECT, related_name="embargo")
    not_before = models.DateTimeField(db_index=True)
    opened_at = models.DateTimeField(null=True)


class SearchRow(models.Model):
    """Folded words of a version, for the search box."""

    version = models.OneToOneField(Version, primary_key=True, on_delete=models.PROTECT, related_name="search")
    folded = models.TextField()
    """What is searched, in the folded form: hits are checked against it again."""
    tsv = SearchVectorField()

    class Meta:
        indexes = [GinIndex(fields=["tsv"], name="intel_searchrow_tsv")]


class Receipt(models.Model):
    """What one answer disclosed, to whom, through which door, when: written before the answer leaves."""

    append_only = True

    id = models.BigAutoField(primary_key=True)
    person = models.UUIDField(null=True)
    organization = models.UUIDField(null=True)
    group = models.UUIDField(null=True)
    token = models.UUIDField(null=True)
    channel = models.TextField()
    view = models.TextField(blank=True)
    purpose = models.TextField(blank=True)
    lo = models.BigIntegerField()
    hi = models.BigIntegerField()
    positions = models.BinaryField()
    """The exact positions, as a serialized roaring bitmap: they name versions whatever is relabelled later."""
    mark = models.UUIDField(default=uuid.uuid4)
    """The per-recipient mark that a downloaded file carries."""
    at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["organization", "group", "hi"], name="intel_receipt_whose"),
            models.Index(fields=["hi", "lo"], name="intel_receipt_range"),
        ]


class Recall(models.Model):
    """The source, or an analyst, withdrew a version from every channel and asks recipients to destroy it."""

    append_only = True

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    version = models.OneToOneField(Version, on_delete=models.PROTECT, related_name="recall")
    reason = models.TextField()
    recalled_by = models.ForeignKey("accounts.Person", on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()


class Telling(models.Model):
    """Everybody concerned by an act has been written to: by a recall, by a stop that began or ended."""

    append_only = True

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    act = models.CharField(max_length=80, unique=True)
    at = models.DateTimeField()


class Relay(models.Model):
    """A group's administrator passed this very version on to the group's constituents."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    version = models.ForeignKey(Version, on_delete=models.PROTECT, related_name="relays")
    group = models.ForeignKey("accounts.Organization", on_delete=models.PROTECT, related_name="+")
    decided_by = models.ForeignKey("accounts.Person", on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["version", "group"], condition=Q(withdrawn_at=None), name="intel_relay_live_unique"
            )
        ]


class Stop(models.Model):
    """The stop of disclosure: one starts it at once, a second confirms, two end it."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    reason = models.TextField()
    drill = models.BooleanField(default=False)
    started_by = models.ForeignKey("accounts.Person", on_delete=models.PROTECT, related_name="+")
    started_at = models.DateTimeField()
    confirmed_by = models.ForeignKey("accounts.Person", null=True, on_delete=models.PROTECT, related_name="+")
    confirmed_at = models.DateTimeField(null=True)
    alarmed_at = models.DateTimeField(null=True)
    end_asked_by = models.ForeignKey("accounts.Person", null=True, on_delete=models.PROTECT, related_name="+")
    end_asked_at = models.DateTimeField(null=True)
    ended_by = models.ForeignKey("accounts.Person", null=True, on_delete=models.PROTECT, related_name="+")
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                models.Value(1), condition=Q(ended_at=None, drill=False), name="intel_stop_one_at_a_time"
            ),
            models.CheckConstraint(
                condition=Q(confirmed_by=None) | ~Q(confirmed_by=models.F("started_by")), name="intel_stop_two_confirm"
            ),
            models.CheckConstraint(
                condition=Q(ended_by=None) | ~Q(ended_by=models.F("end_asked_by")), name="intel_stop_two_end"
            ),
        ]
