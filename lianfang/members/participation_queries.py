"""What is read about participation: a member's record, what counts of it, who is to be looked at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from lianfang.accounts import registry
from lianfang.kernel.clock import taipei
from lianfang.kernel.text import Bilingual
from lianfang.members.lifecycle import IN_FORCE
from lianfang.members.lifecycle import participation as rules
from lianfang.members.lifecycle.participation import Counts, Month, Terms
from lianfang.members.models import (
    Membership,
    ParticipationFact,
    ParticipationImport,
    ParticipationObjection,
    ParticipationSnapshot,
    Revocation,
)


def terms(at: datetime) -> Terms:
    """Return the period and the thresholds that the operator set."""
    return Terms(
        months=int(registry.value("participation_months", at)),
        least=int(registry.value("participation_least", at)),
        absences=int(registry.value("participation_absences", at)),
    )


def period(at: datetime, of: Terms) -> tuple[date, date]:
    """Return first and last day of the period that ends today."""
    today = taipei(at).date()
    return rules.since(today, of.months), today


def facts(membership: Membership | UUID) -> list[ParticipationFact]:
    """Return every entry of a record, corrected ones too, the newest first."""
    rows = ParticipationFact.objects.filter(membership=membership)
    rows = rows.select_related("vault_key", "by__vault_key", "corrected_by", "corrects")
    return list(
        rows.prefetch_related("objections__vault_key", "objections__answered_by__vault_key").order_by(
            "-occurred_on", "-at", "pk"
        )
    )


def fact(fact_id: UUID) -> ParticipationFact | None:
    """Return one entry."""
    rows = ParticipationFact.objects.select_related(
        "vault_key", "membership__organization", "by__vault_key", "file__vault_key"
    )
    return rows.filter(pk=fact_id).first()


def fact_of(fact_id: UUID, membership_id: UUID) -> ParticipationFact | None:
    """Return one entry of a member's own record."""
    rows = ParticipationFact.objects.select_related("vault_key", "membership__organization", "corrected_by")
    return rows.prefetch_related("objections").filter(pk=fact_id, membership=membership_id).first()


def objection(objection_id: UUID) -> ParticipationObjection | None:
    """Return one objection with the fact that it is about."""
    rows = ParticipationObjection.objects.select_related(
        "vault_key", "by__vault_key", "fact__vault_key", "fact__membership__organization"
    )
    return rows.filter(pk=objection_id).first()


def standing(rows: QuerySet[ParticipationFact]) -> QuerySet[ParticipationFact]:
    """Narrow to what counts: the last entry of each chain, unless it was withdrawn."""
    return rows.filter(corrected_by__isnull=True).exclude(outcome="withdrawn")


def _open() -> Exists:
    return Exists(ParticipationObjection.objects.filter(fact=OuterRef("pk"), answered_at__isnull=True))


def counts(at: datetime, of: Terms, memberships: Sequence[UUID] | None = None) -> dict[UUID, Counts]:
    """Return what counts of each member's record within the period; who has no record is not there."""
    first, last = period(at, of)
    rows = standing(ParticipationFact.objects.filter(occurred_on__gte=first, occurred_on__lte=last))
    rows = rows if memberships is None else rows.filter(membership__in=memberships)
    found: dict[UUID, dict[str, Any]] = {}
    asked = rows.annotate(objected=_open()).values("membership", "kind", "outcome", "objected").annotate(n=Count("pk"))
    for row in asked.order_by():
        one = found.setdefault(row["membership"], {"took_part": 0, "absent": 0, "objected": 0, "by_kind": {}})
        doubtful = row["objected"] and row["outcome"] == "absent"
        one["objected" if doubtful else row["outcome"]] += row["n"]
        took, not_ = one["by_kind"].get(row["kind"], (0, 0))
        add = (row["n"], 0) if row["outcome"] == "took_part" else (0, row["n"])
        one["by_kind"][row["kind"]] = (took + add[0], not_ + add[1])
    return {membership: Counts(**one) for membership, one in found.items()}


@dataclass(frozen=True, slots=True)
class Record:
    """How the record of one member stands."""

    membership: Membership
    counts: Counts
    terms: Terms
    state: str
    reasons: list[Bilingual]

    @property
    def words(self) -> Bilingual:
        """The state in words."""
        return rules.STATE_WORDS[self.state]

    @property
    def tone(self) -> str:
        """Its colour."""
        return rules.STATE_TONES[self.state]


def record_of(membership: Membership, at: datetime) -> Record:
    """Return how one member's record stands."""
    of = terms(at)
    return _record(membership, counts(at, of, [membership.pk]).get(membership.pk, Counts()), of)


def _record(membership: Membership, found: Counts, of: Terms) -> Record:
    return Record(membership, found, of, rules.state_of(found, of), rules.reasons(found, of))


_ORDER = {"look": 0, "fine": 1, "none": 2}


def records(at: datetime, of: Terms, *, words: str = "") -> list[Record]:
    """Return the records of all members in force, those to be looked at first."""
    found = counts(at, of)
    rows = Membership.objects.filter(state__in=IN_FORCE).select_related("organization")
    if words:
        rows = rows.filter(Q(organization__name_zh__icontains=words) | Q(organization__ubn=words))
    all_ = [_record(one, found.get(one.pk, Counts()), of) for one in rows.order_by("organization__name_zh", "pk")]
    return sorted(all_, key=lambda one: _ORDER[one.state])


def months(rows: Sequence[ParticipationFact], first: date, last: date) -> list[Month]:
    """Return the chart of a record: each month of the period with what counts of it."""
    counted = [
        (one.occurred_on, one.outcome) for one in rows if not is_corrected(one) and first <= one.occurred_on <= last
    ]
    return rules.by_month(counted, first, last)


def is_corrected(one: ParticipationFact) -> bool:
    """Return whether a later entry took its place."""
    return hasattr(one, "corrected_by")


def is_standing(one: ParticipationFact) -> bool:
    """Return whether an entry counts: `standing` asks the database the same of many."""
    return not is_corrected(one) and one.outcome != "withdrawn"


def open_objections() -> list[ParticipationObjection]:
    """Return the objections that wait for an answer, oldest first."""
    rows = ParticipationObjection.objects.filter(answered_at__isnull=True)
    rows = rows.select_related("vault_key", "by__vault_key", "fact__vault_key", "fact__membership__organization")
    return list(rows.order_by("at", "pk")[:200])


def may_object(one: ParticipationFact) -> bool:
    """Return whether a fact can be objected to: it counts, and no objection to it is open."""
    return is_standing(one) and not any(each.answered_at is None for each in one.objections.all())


def snapshot_of(case: Revocation) -> ParticipationSnapshot | None:
    """Return the record that was attached to a review when it was opened."""
    return ParticipationSnapshot.objects.filter(revocation=case).select_related("vault_key").first()


def shown_snapshot(case: Revocation) -> Mapping[str, Any] | None:
    """Return the attached record with its words, for the pages of staff and member."""
    kept = snapshot_of(case)
    if kept is None:
        return None
    rows = [
        {**row, "kind": rules.KIND_WORDS[row["kind"]], "outcome": rules.OUTCOME_WORDS[row["outcome"]]}
        for row in kept.rows
    ]
    return {"rows": rows, "terms": kept.terms, "at": kept.at}


def members_by_number() -> dict[str, tuple[str, str]]:
    """Return the members in force by business number: membership and name."""
    rows = Membership.objects.filter(state__in=IN_FORCE).exclude(organization__ubn=None)
    found = rows.values_list("organization__ubn", "pk", "organization__name_zh")
    return {number: (str(pk), name) for number, pk, name in found if number}


def in_force_of_groups() -> dict[UUID, Membership]:
    """Return the memberships in force by group."""
    rows = Membership.objects.filter(state__in=IN_FORCE).select_related("application__vault_key")
    return {one.organization_id: one for one in rows}


def import_(import_id: UUID, at: datetime) -> ParticipationImport | None:
    """Return a table that was read; an expired one that nobody imported is gone."""
    rows = ParticipationImport.objects.select_related("vault_key", "read_by__vault_key")
    return rows.filter(Q(imported_at__isnull=False) | Q(expires_at__gt=at), pk=import_id).first()


def known_keys(source: str, keys: Sequence[str]) -> set[str]:
    """Return which of these facts are recorded already."""
    return set(ParticipationFact.objects.filter(source=source, key__in=keys).values_list("key", flat=True))
