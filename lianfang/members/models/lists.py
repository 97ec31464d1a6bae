"""Editions of official lists, what each screening rested on, and the cases that a new edition opens."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from lianfang.kernel.ids import new_id
from lianfang.members.lifecycle.lists import LIST_CASE, LIST_EDITION
from lianfang.members.models.applications import Application
from lianfang.members.models.memberships import Membership
from lianfang.members.models.procedures import STATE_LENGTH
from lianfang.vault.fields import SealedText
from lianfang.vault.models import Sealed

LIST_KINDS = ("mainland", "twse", "tpex", "emerging", "association")


class ListEdition(models.Model):
    """One official list as of a day: read from a file by one of the staff, then imported whole or not at all.

    The file is kept; `difference` and `faults` are what reading it gave, against `previous`, the newest edition then.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    kind = models.CharField(max_length=16)
    list_date = models.DateField()
    source = models.CharField(max_length=100)
    file_name = models.CharField(max_length=120)
    sha256 = models.BinaryField(max_length=32)
    size = models.PositiveIntegerField()
    encoding = models.CharField(max_length=16)
    file = models.ForeignKey("vault.StoredFile", on_delete=models.PROTECT, related_name="+")
    row_count = models.PositiveIntegerField()
    fault_count = models.PositiveIntegerField()
    faults = models.JSONField(default=list)
    """The first of them, as [line, text, reason in Chinese, reason in English]."""
    difference = models.JSONField(default=dict)
    previous = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="+")
    state = models.CharField(max_length=STATE_LENGTH, default=LIST_EDITION.initial)
    read_by = models.ForeignKey("accounts.Person", on_delete=models.PROTECT, related_name="+")
    read_at = models.DateTimeField()
    decided_by = models.ForeignKey("accounts.Person", on_delete=models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=LIST_EDITION.check_constraint_values()), name="listedition_state_known"
            ),
            models.CheckConstraint(condition=Q(kind__in=LIST_KINDS), name="listedition_kind_known"),
            models.CheckConstraint(
                condition=~Q(state="imported") | Q(fault_count=0), name="listedition_imported_without_fault"
            ),
        ]
        indexes = [
            models.Index(
                fields=["kind", "-list_date", "-decided_at"],
                name="listedition_newest",
                condition=Q(state="imported"),
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.list_date}"


class ListRow(models.Model):
    """One organisation on an imported edition."""

    append_only = True

    id = models.BigAutoField(primary_key=True)
    edition = models.ForeignKey(ListEdition, on_delete=models.PROTECT, related_name="rows")
    line = models.PositiveIntegerField()
    ubn = models.CharField(max_length=8, blank=True)
    name = models.CharField(max_length=200)
    code = models.CharField(max_length=10, blank=True)
    state = models.CharField(max_length=60, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["edition", "code"], name="listrow_code"),
            models.Index(fields=["edition", "ubn"], name="listrow_ubn"),
        ]


class ScreeningRun(models.Model):
    """That exactly this roster was compared with exactly this edition, and what it gave."""

    append_only = True

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    application = models.ForeignKey(Application, on_delete=models.PROTECT, null=True, related_name="screenings")
    membership = models.ForeignKey(Membership, on_delete=models.PROTECT, null=True, related_name="screenings")
    edition = models.ForeignKey(ListEdition, on_delete=models.PROTECT, related_name="screenings")
    roster_hash = models.CharField(max_length=64)
    counts = models.JSONField()
    """How many rows gave what; and `cases`, how many were opened."""
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(application__isnull=True) ^ Q(membership__isnull=True), name="screeningrun_of_one"
            )
        ]
        indexes = [
            models.Index(fields=["application", "edition"], name="screeningrun_application"),
            models.Index(fields=["membership", "edition", "-at"], name="screeningrun_membership"),
        ]


class ListCase(Sealed):
    """What an edition gave against a member in force, for a person to look at; it changes no membership by itself."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    number = models.CharField(max_length=16, unique=True)
    kind = models.CharField(max_length=16)
    """`mainland`: a hit on the roster. `listing`: no longer on the list on which eligibility rests."""
    state = models.CharField(max_length=STATE_LENGTH, default=LIST_CASE.initial)
    membership = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="list_cases")
    organization = models.ForeignKey("accounts.Organization", on_delete=models.PROTECT, related_name="+")
    edition = models.ForeignKey(ListEdition, on_delete=models.PROTECT, related_name="cases")
    result = models.CharField(max_length=16)
    row_name = models.CharField(max_length=200)
    row_ubn = models.CharField(max_length=8, blank=True)
    matches = models.JSONField(default=list)
    opened_at = models.DateTimeField()
    outcome = models.CharField(max_length=24, blank=True)
    note = SealedText(blank=True)
    closed_by = models.ForeignKey("accounts.Person", on_delete=models.PROTECT, null=True, related_name="+")
    closed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=LIST_CASE.check_constraint_values()), name="listcase_state_known"
            ),
            models.CheckConstraint(condition=Q(kind__in=["mainland", "listing"]), name="listcase_kind_known"),
            models.CheckConstraint(
                condition=Q(result__in=["name_hit", "id_hit", "gone", "moved"]), name="listcase_result_known"
            ),
            models.UniqueConstraint(
                fields=["membership", "organization", "kind"], condition=Q(state="open"), name="listcase_one_open"
            ),
        ]

    def __str__(self) -> str:
        return self.number
