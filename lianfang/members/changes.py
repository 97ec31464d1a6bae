"""What is read about changes of a member's data, and what was so at an instant (charter 2.4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from lianfang.accounts import registry
from lianfang.accounts.models import Affiliation
from lianfang.accounts.queries import keyed_digest
from lianfang.kernel.clock import taipei
from lianfang.kernel.refusal import Refusal
from lianfang.members import case_kinds, changing, importing, queries, queries_lists, roster
from lianfang.members.changing import Listed, Turn
from lianfang.members.lifecycle import IN_FORCE, OPEN_CHANGE, ChangeReadiness
from lianfang.members.models import (
    Attestation,
    ChangeConfirmation,
    ChangeFile,
    ChangeRequest,
    Constituent,
    FactChange,
    Membership,
    RosterDraft,
    ScreeningFinding,
)
from lianfang.members.procedure import Spec
from lianfang.policy.facts import Role

PAGE = 50


def _requests() -> QuerySet[ChangeRequest]:
    return ChangeRequest.objects.select_related(
        "membership__organization", "membership__application__vault_key", "membership__application__procedure",
        "reviewer__vault_key", "filed_by__vault_key", "vault_key", "charter", "privacy_notice",
    )  # fmt: skip


def change(number: str) -> ChangeRequest | None:
    """Return a request by its number."""
    return _requests().filter(number=number).first() if case_kinds.is_number(number) else None


def open_change(membership_id: UUID) -> ChangeRequest | None:
    """Return the request of this membership that nobody decided yet."""
    return _requests().filter(membership=membership_id, state__in=OPEN_CHANGE).first()


def of_organization(organization_id: UUID) -> list[ChangeRequest]:
    """Return the requests of a member, the latest first."""
    rows = _requests().filter(membership__organization=organization_id)
    return list(rows.order_by("-submitted_at", "-number")[:PAGE])


def listing(*, open_only: bool, words: str = "") -> QuerySet[ChangeRequest]:
    """Return requests for the staff: open ones by due date, else the latest first."""
    rows = _requests()
    if words:
        rows = rows.filter(
            Q(number__icontains=words)
            | Q(membership__organization__name_zh__icontains=words)
            | Q(membership__ubn=words)
        )
    if open_only:
        return rows.filter(state__in=OPEN_CHANGE).order_by("due_at", "id")
    return rows.order_by("-submitted_at", "id")


def open_count() -> int:
    """Return how many requests wait."""
    return ChangeRequest.objects.filter(state__in=OPEN_CHANGE).count()


def membership_of(organization_id: UUID) -> Membership | None:
    """Return the membership of an organisation that is in force."""
    rows = Membership.objects.select_related("organization", "application__vault_key", "application__procedure").filter(
        organization=organization_id, state__in=IN_FORCE
    )
    return rows.first()


def files(case: ChangeRequest) -> list[ChangeFile]:
    """Return what came with a request."""
    return list(case.files.select_related("file__vault_key", "vault_key").order_by("id"))


def confirmations(case: ChangeRequest) -> list[ChangeConfirmation]:
    """Return the mailboxes that a request asks."""
    return list(case.confirmations.select_related("vault_key").order_by("sent_at", "id"))


def confirmation(secret: str) -> ChangeConfirmation | None:
    """Return what a mailed link asks for."""
    rows = ChangeConfirmation.objects.select_related("vault_key", "change__membership__organization")
    return rows.filter(secret_digest=keyed_digest(secret)).first()


def attestation_of(case: ChangeRequest) -> Attestation | None:
    """Return the attestation that came with a request."""
    return case.attestations.select_related("vault_key", "charter").order_by("-at").first()


def spec_in_force(at: datetime) -> Spec:
    """Return the specification by which a change is asked and judged."""
    return Spec(queries.procedure_in_force(at).spec)


# Facts, now and then


def _turns(membership: Membership) -> dict[str, list[Turn]]:
    found: dict[str, list[Turn]] = {}
    rows = FactChange.objects.filter(membership=membership).select_related("vault_key").order_by("at", "id")
    for row in rows:
        found.setdefault(row.field, []).append(Turn(row.at, row.old, row.new))
    return found


def facts_at(membership: Membership, at: datetime) -> dict[str, str]:
    """Return the facts about a member's organisation as they were at an instant."""
    application = membership.application
    approved = {**application.answers.get("organization", {}), "kind": application.kind, "merged_with": ""}
    turns = _turns(membership)
    fields = {*approved, *(field for field in turns if not field.startswith(changing.ABOUT_PEOPLE))}
    return {
        field: str(changing.value_at(turns.get(field, []), approved.get(field) or "", at) or "")
        for field in sorted(fields)
    }


def turns_of(membership: Membership) -> list[FactChange]:
    """Return every change of a fact, the latest first."""
    rows = membership.fact_changes.select_related("vault_key", "change")
    return list(rows.order_by("-at", "field", "id"))


def applicant_at(membership: Membership, at: datetime) -> roster.Row:
    """Return the member itself as a row of its roster."""
    facts = facts_at(membership, at)
    return roster.Row(facts.get("name_zh", "").strip(), facts.get("ubn", "").strip())


def roster_at(group_id: UUID, at: datetime) -> QuerySet[Constituent]:
    """Return the rows of a roster that were in force at an instant: [added_at, removed_at)."""
    held = Constituent.objects.filter(group=group_id, added_at__lte=at)
    held = held.filter(Q(removed_at__isnull=True) | Q(removed_at__gt=at))
    return held.select_related("organization").order_by("organization__name_zh", "id")


def searched_roster(group_id: UUID, at: datetime, *, words: str = "", screening: str = "") -> QuerySet[Constituent]:
    """Narrow a roster by name or business number, and by the state of its screening."""
    rows = roster_at(group_id, at)
    if words:
        rows = rows.filter(
            Q(listed_name__icontains=words) | Q(organization__name_zh__icontains=words) | Q(organization__ubn=words)
        )
    return rows.filter(screening=screening) if screening else rows


@dataclass(frozen=True, slots=True)
class RosterPage:
    """A page of a roster, with the ids by which its neighbours are asked for."""

    rows: list[Constituent]
    newer: str
    older: str


def roster_page(rows: QuerySet[Constituent], *, after: str = "", before: str = "", most: int = 100) -> RosterPage:
    """Return a page of a roster in its order; `after` and `before` are ids of rows that an earlier page held."""
    key = after or before
    edge = rows.filter(pk=int(key)).first() if key.isascii() and key.isdigit() and len(key) < 19 else None
    if edge is None:
        found = list(rows[: most + 1])
        return RosterPage(found[:most], "", str(found[most - 1].pk) if len(found) > most else "")
    name, place = edge.organization.name_zh, edge.pk
    if before:
        back = rows.filter(Q(organization__name_zh__lt=name) | Q(organization__name_zh=name, pk__lt=place))
        found = list(back.order_by("-organization__name_zh", "-pk")[: most + 1])
        kept = found[:most][::-1]
        return RosterPage(
            kept, str(kept[0].pk) if len(found) > most else "", str(kept[-1].pk) if kept else str(edge.pk)
        )
    forth = rows.filter(Q(organization__name_zh__gt=name) | Q(organization__name_zh=name, pk__gt=place))
    found = list(forth[: most + 1])
    kept = found[:most]
    return RosterPage(kept, str(kept[0].pk) if kept else "", str(kept[-1].pk) if len(found) > most else "")


def roster_draft(draft_id: UUID, *, membership_id: UUID, person_id: UUID | None, at: datetime) -> RosterDraft | None:
    """Return a file on its way in, for the person who brought it, while its time lasts."""
    rows = RosterDraft.objects.select_related("vault_key", "membership")
    return rows.filter(pk=draft_id, membership=membership_id, person=person_id, expires_at__gt=at).first()


def compared(draft: RosterDraft, at: datetime) -> importing.Diff:
    """Return a file compared with the roster in force."""
    membership = draft.membership
    most = int(spec_in_force(at).field("roster", "rows").raw.get("max_rows", 5000))
    return importing.compare(
        draft.lines,
        columns=draft.columns,
        heading=draft.heading,
        whole=draft.whole,
        fixes=draft.fixes,
        held=listed(membership.organization_id, at),
        applicant=applicant_at(membership, at),
        at=at,
        most=most,
    )


def listed(group_id: UUID, at: datetime) -> list[Listed]:
    """Return the roster in force as rows with their ids."""
    return [Listed(str(one.pk), roster.Row(one.name, one.organization.ubn or "")) for one in roster_at(group_id, at)]


def people_at(organization_id: UUID, at: datetime) -> list[Affiliation]:
    """Return the administrators and security contacts of a member's own organisation at an instant."""
    rows = Affiliation.objects.live(at).filter(organization=organization_id, group=organization_id)
    wanted = rows.filter(role__in=[Role.MEMBER_ADMIN, Role.SECURITY_CONTACT])
    return list(wanted.select_related("person__vault_key", "organization").order_by("role", "started_at", "id"))


# What stands for or against


@dataclass(frozen=True, slots=True)
class After:
    """The member as it will be: its own row, its roster, and the fingerprint of both."""

    applicant: roster.Row
    rows: list[roster.Row]

    @property
    def fingerprint(self) -> str:
        """What a new attestation has to cover."""
        return roster.fingerprint(self.applicant, self.rows)


def after(membership: Membership, values: Mapping[str, Any], at: datetime) -> After:
    """Return the member as it will be once these values are applied. Raises Refusal when its roster has moved on."""
    own = applicant_at(membership, at)
    facts = values.get("organization", {})
    applicant = roster.Row(
        facts["name_zh"][1] if "name_zh" in facts else own.name, facts["ubn"][1] if "ubn" in facts else own.ubn
    )
    rows = changing.roster_after(listed(membership.organization_id, at), values.get("roster", {}))
    return After(applicant, rows)


def rows_to_screen(case: ChangeRequest, at: datetime) -> list[roster.Row]:
    """Return the rows whose words a request makes new: the member itself if renamed, then constituents."""
    facts = case.values.get("organization", {})
    own: list[roster.Row] = []
    if {"name_zh", "ubn"} & facts.keys():
        now = applicant_at(case.membership, at)
        own = [
            roster.Row(
                facts["name_zh"][1] if "name_zh" in facts else now.name, facts["ubn"][1] if "ubn" in facts else now.ubn
            )
        ]
    return [*own, *changing.new_rows(case.values.get("roster", {}))]


def findings(membership: Membership, rows: Sequence[roster.Row]) -> dict[str, ScreeningFinding]:
    """Return the latest finding of each of these rows, by the digest of its words."""
    wanted = [row.key for row in rows]
    found = membership.application.findings.filter(row_key__in=wanted).select_related("by__vault_key", "vault_key")
    return {one.row_key: one for one in found.order_by("at")}


def readiness(case: ChangeRequest, at: datetime) -> ChangeReadiness:
    """Count what stands for or against applying a request at this instant."""
    again = changing.checks_again(case.risks)
    rows = rows_to_screen(case, at) if again else []
    found = findings(case.membership, rows)
    present = [found[row.key] for row in rows if row.key in found]
    oldest = taipei(at).date() - timedelta(days=int(registry.value("screening_list_max_age_days", at)))
    hits = [one for one in present if one.result == "name_hit"]
    asked = confirmations(case)
    return ChangeReadiness(
        rows=len(rows),
        screened=len(present),
        id_hits=sum(one.result == "id_hit" for one in present),
        unjudged_name_hits=sum(not (hit.other_entity and hit.note.strip()) for hit in hits),
        unverifiable=sum(one.result == "unverifiable" for one in present),
        list_too_old=sum(one.list_date < oldest for one in present),
        authority_checked=case.authority_checks.exists(),
        live_membership=_number_taken(case),
        checked_again=again,
        unconfirmed=sum(one.confirmed is not True for one in asked),
        refused=sum(one.confirmed is False for one in asked),
        in_force=case.membership.state in IN_FORCE,
        ownership=queries_lists.against_holdings(case.membership.application, {row.key: row.name for row in rows})
        if rows
        else None,
    )


def unscreened(at: datetime) -> list[ChangeRequest]:
    """Return the open requests with rows whose words nobody and nothing has compared with a list yet."""
    found = []
    for case in _requests().filter(state__in=OPEN_CHANGE).order_by("submitted_at", "id"):
        rows = rows_to_screen(case, at) if changing.checks_again(case.risks) else []
        if rows and len(findings(case.membership, rows)) < len({row.key for row in rows}):
            found.append(case)
    return found


def _number_taken(case: ChangeRequest) -> bool:
    number = case.values.get("organization", {}).get("ubn", ["", ""])[1]
    if not number:
        return False
    others = Membership.objects.filter(ubn=number, state__in=IN_FORCE).exclude(pk=case.membership_id)
    return others.exists()


def fingerprint_after(case: ChangeRequest, at: datetime) -> str:
    """Return the fingerprint of the roster as this request would leave it, or nothing if it cannot be applied."""
    if not changing.checks_again(case.risks):
        return ""
    try:
        return after(case.membership, case.values, at).fingerprint
    except Refusal:
        return "-"


def attested_hash(case: ChangeRequest) -> str:
    """Return the fingerprint that the request's own attestation covers, or nothing."""
    return case.attestations.order_by("-at").values_list("roster_hash", flat=True).first() or ""


def attestation_stands(membership: Membership, at: datetime) -> bool:
    """Return whether the attestation given last covers the roster as it is (charter 1.3)."""
    given = membership.application.attestations.filter(Q(change__isnull=True) | Q(change__state="applied"))
    last = given.order_by("-at").values_list("roster_hash", flat=True).first() or ""
    rows = [one.row for one in listed(membership.organization_id, at)]
    return bool(last) and last == roster.fingerprint(applicant_at(membership, at), rows)
