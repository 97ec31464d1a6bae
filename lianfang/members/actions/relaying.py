"""A group's rules for relaying a class of intelligence to its constituents (policy P-constituent)."""

from __future__ import annotations

from datetime import datetime

from lianfang.accounts.doors import require
from lianfang.accounts.models import Organization
from lianfang.audit.actions import action, record
from lianfang.audit.tags import Tag
from lianfang.kernel.refusal import Refusal
from lianfang.kernel.text import Bilingual
from lianfang.members.actors import person_of
from lianfang.members.models import RelayRule
from lianfang.policy.facts import Case, Right, Subject, Tlp
from lianfang.policy.store import bump_policy

_NEVER = Bilingual(
    zh="AMBER+STRICT與RED不能轉送給內部成員。", en="AMBER+STRICT and RED are never relayed to constituents."
)


@action(Tag.MEMBERS_RELAY_START)
def start_relay(*, group: Organization, tlp: Tlp, by: Subject, at: datetime) -> RelayRule:
    """Relay a class to the group's constituents from now on; a rule that stands already is returned."""
    _require(group, by, at)
    if tlp > Tlp.AMBER:
        raise Refusal(_NEVER, rule="U-relay", clause="TLP", field="tlp")
    rules = RelayRule.objects.select_for_update().filter(group=group, tlp=int(tlp), ended_at__isnull=True)
    rule = rules.first() or RelayRule.objects.create(
        group=group, tlp=int(tlp), decided_by_id=person_of(by), started_at=at
    )
    record(by=by, at=at, about=group, detail={"tlp": tlp.label})
    bump_policy()
    return rule


@action(Tag.MEMBERS_RELAY_END)
def end_relay(*, group: Organization, tlp: Tlp, by: Subject, at: datetime) -> None:
    """Relay that class no longer; no rule to end is no error."""
    _require(group, by, at)
    RelayRule.objects.filter(group=group, tlp=int(tlp), ended_at__isnull=True).update(ended_at=at)
    record(by=by, at=at, about=group, detail={"tlp": tlp.label})
    bump_policy()


def _require(group: Organization, by: Subject, at: datetime) -> None:
    """In person, by an administrator of the group itself: the same who manages its people."""
    require(subject=by, right=Right.MANAGE_PEOPLE, target=Case(kind="group", organization=group.pk), at=at)
