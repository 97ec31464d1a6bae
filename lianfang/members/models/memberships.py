"""Who is a member, since when, and which organisations stand on its roster."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from lianfang.kernel.ids import new_id
from lianfang.members.lifecycle import IN_FORCE, MEMBERSHIP
from lianfang.members.models.applications import Application
from lianfang.members.models.procedures import STATE_LENGTH


class Membership(models.Model):
    """The membership of one organisation; restoration goes on with the same row, a new admission makes a new one."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organization = models.ForeignKey("accounts.Organization", on_delete=models.PROTECT, related_name="memberships")
    application = models.OneToOneField(Application, on_delete=models.PROTECT, related_name="membership")
    ubn = models.CharField(max_length=8, null=True)
    state = models.CharField(max_length=STATE_LENGTH, default=MEMBERSHIP.initial)
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=MEMBERSHIP.check_constraint_values()), name="membership_state_known"
            ),
            models.CheckConstraint(
                condition=Q(state__in=IN_FORCE, ended_at__isnull=True)
                | (~Q(state__in=IN_FORCE) & Q(ended_at__isnull=False)),
                name="membership_ended_has_instant",
            ),
            models.UniqueConstraint(
                fields=["ubn"], condition=Q(state__in=IN_FORCE), name="membership_one_live_per_ubn"
            ),
            models.UniqueConstraint(
                fields=["organization"], condition=Q(state__in=IN_FORCE), name="membership_one_live_per_organization"
            ),
        ]
        indexes = [models.Index(fields=["organization", "-began_at"], name="membership_latest")]

    def __str__(self) -> str:
        return f"membership {self.id}"


class MembershipInterval(models.Model):
    """A time [began_at, ended_at) in which a membership was in force; what lies between two of them is a gap."""

    membership = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="intervals")
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["membership"], condition=Q(ended_at__isnull=True), name="interval_one_open"
            ),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True) | Q(ended_at__gt=models.F("began_at")), name="interval_forward"
            ),
        ]


class Constituent(models.Model):
    """An organisation on a group member's roster in [added_at, removed_at), with its screening (charter 1.3).

    A row whose words change ends, and another begins at that instant, not screened yet: the rows are the history.
    """

    group = models.ForeignKey("accounts.Organization", on_delete=models.PROTECT, related_name="constituents")
    organization = models.ForeignKey("accounts.Organization", on_delete=models.PROTECT, related_name="groups")
    listed_name = models.CharField(max_length=200, blank=True)
    """The name by which this group lists it; another group may list the same organisation by another."""
    screening = models.CharField(max_length=16)
    screened_at = models.DateTimeField(null=True)
    list_source = models.CharField(max_length=120, blank=True)
    list_date = models.DateField(null=True)
    added_at = models.DateTimeField()
    removed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["group", "organization"], condition=Q(removed_at__isnull=True), name="constituent_once"
            ),
            models.CheckConstraint(
                condition=Q(screening__in=["pending", "clear", "name_hit", "other_entity", "id_hit", "unverifiable"]),
                name="constituent_screening_known",
            ),
        ]

    @property
    def name(self) -> str:
        """The name by which the group lists it."""
        return self.listed_name or self.organization.name_zh


class RelayRule(models.Model):
    """A member_admin's rule that the group relays a class to its constituents (policy P-constituent)."""

    group = models.ForeignKey("accounts.Organization", on_delete=models.PROTECT, related_name="relay_rules")
    tlp = models.PositiveSmallIntegerField()
    decided_by = models.ForeignKey("accounts.Person", on_delete=models.PROTECT, related_name="+")
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["group", "tlp"], condition=Q(ended_at__isnull=True), name="relayrule_one_open"
            ),
        ]
