"""The mails about what happens to intelligence: who is written to, once each. None of them holds content.

A recall or a stop may concern thousands, so a job writes to them in batches. Each mail has a key of its own: a job that
was killed goes on where it stood, and nobody is written to twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction

from lianfang.accounts.models import Affiliation, Organization, Person
from lianfang.accounts.queries import staff
from lianfang.audit.actions import action, record
from lianfang.audit.tags import Tag
from lianfang.intel import receipts
from lianfang.intel.models import Recall, Stop, Telling, Version
from lianfang.members.queries import members_in_force
from lianfang.notices.actions import send
from lianfang.policy.facts import Role, Subject

_SYSTEM = Subject.system("intel.telling")
_BATCH = 100
_LOOKED_BACK = timedelta(days=7)
"""How far back an act is looked for that nobody was told of; a worker that is gone for longer is an incident."""


@dataclass(frozen=True, slots=True)
class Act:
    """One act that people are told of: its key, the notice and its facts, and whom it concerns."""

    key: str
    notice: str
    facts: Mapping[str, Any]
    pairs: frozenset[tuple[UUID, UUID]]


def tell(*, at: datetime) -> int:
    """Write to everybody concerned by a recent act that was not told of yet; return to how many."""
    told = 0
    for act in _untold(at):
        people = _people(act.pairs, at)
        for start in range(0, len(people), _BATCH):
            with transaction.atomic():
                for person in people[start : start + _BATCH]:
                    _mail(act.notice, act.key, person, act.facts, _SYSTEM, at)
        _told(act=act, count=len(people), at=at)
        told += len(people)
    return told


def of_tightening(*, version: Version, by: Subject, at: datetime) -> None:
    """Tell the source that an analyst put its item under a stricter label (charter 2.1: the label is the source's)."""
    item = version.item
    own = (item.source_organization_id, item.source_group_id)
    if by.pair is not None and (by.pair.organization, by.pair.group) == own:
        return
    facts = {"at": at, "link": f"{settings.BASE_URL}/member/intel/{item.stix_id}"}
    for person in _people(frozenset({own}), at):
        _mail("tightened", f"tightened/{version.pk}/{at.isoformat()}", person, facts, by, at)


def of_unconfirmed_stop(*, stop: Stop, by: Subject, at: datetime) -> None:
    """Tell the whole staff that no second person has confirmed a stop of disclosure."""
    facts = {"started_at": stop.started_at, "link": f"{settings.BASE_URL}/staff/stop"}
    for affiliation in staff(at=at):
        _mail("stop_unconfirmed", f"stop/{stop.pk}/alarm", affiliation.person, facts, by, at)


def _untold(at: datetime) -> Iterable[Act]:
    since = at - _LOOKED_BACK
    recalls = {f"recall/{one.pk}": one for one in Recall.objects.filter(at__gt=since).select_related("version__item")}
    began = {f"stop/{one.pk}/started": one for one in Stop.objects.filter(started_at__gt=since, drill=False)}
    ended = {f"stop/{one.pk}/ended": one for one in Stop.objects.filter(ended_at__gt=since, drill=False)}
    keys = [*recalls, *began, *ended]
    # Whom an act concerns is looked for only while it is untold: this is asked each minute, a week long.
    known = set(Telling.objects.filter(act__in=keys).values_list("act", flat=True))
    return [
        *(_of_recall(key, recall) for key, recall in recalls.items() if key not in known),
        *(_of_stop(key, "started", stop.started_at, at) for key, stop in began.items() if key not in known),
        *(_of_stop(key, "ended", stop.ended_at, at) for key, stop in ended.items() if key not in known),
    ]


def _of_recall(key: str, recall: Recall) -> Act:
    """Who has a receipt of the version, the source left out; the coordinator reads the recall on its own pages."""
    item = recall.version.item
    own = (item.source_organization_id, item.source_group_id)
    received = {(one.organization, one.group or one.organization) for one in receipts.received_by(recall.version)}
    centre = set(Organization.objects.filter(kind=Organization.Kind.COORDINATOR).values_list("pk", flat=True))
    pairs = {(who, group) for who, group in received if who is not None and group is not None and who not in centre}
    facts = {"recalled_at": recall.at, "link": f"{settings.BASE_URL}/member/intel/{item.served_id}"}
    return Act(key, "recall", facts, frozenset(pairs - {own}))


def _of_stop(key: str, what: str, instant: datetime | None, at: datetime) -> Act:
    members = members_in_force(at=at).values_list("pk", flat=True)
    return Act(key, f"stop_{what}", {f"{what}_at": instant}, frozenset((member, member) for member in members))


def _people(pairs: frozenset[tuple[UUID, UUID]], at: datetime) -> list[Person]:
    """Return the administrators and security contacts of these, each person once."""
    if not pairs:
        return []
    found = (
        Affiliation.objects.live(at)
        .filter(role__in=(Role.MEMBER_ADMIN, Role.SECURITY_CONTACT), organization__in={who for who, _ in pairs})
        .select_related("person__vault_key")
        .order_by("person_id")
    )
    chosen = {row.person_id: row.person for row in found if (row.organization_id, row.group_id) in pairs}
    return list(chosen.values())


def _mail(notice: str, key: str, person: Person, facts: Mapping[str, Any], by: Subject, at: datetime) -> None:
    send(notice=notice, to_person=person, context=facts, by=by, at=at, dedupe=f"{key}/{person.pk}")


@action(Tag.INTEL_TELLING_END)
def _told(*, act: Act, count: int, at: datetime) -> None:
    """Note that everybody was written to. A second job that did the same at the same time has noted it already."""
    made, _ = Telling.objects.get_or_create(act=act.key, defaults={"at": at})
    record(by=_SYSTEM, at=at, about=made, detail={"people": count})
