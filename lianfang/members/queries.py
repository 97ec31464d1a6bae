"""What is read about applications, memberships and their cases."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Count, F, Q, QuerySet
from django.db.models.functions import Now

from lianfang.accounts import registry
from lianfang.accounts.models import Affiliation, Organization, Person, Token
from lianfang.accounts.queries import keyed_digest
from lianfang.charter.providers import Recipient
from lianfang.kernel.clock import taipei
from lianfang.kernel.text import Bilingual
from lianfang.members import case_kinds, queries_lists, roster
from lianfang.members.checking import applicant_row, missing, roster_rows
from lianfang.members.lifecycle import IN_FORCE, OPEN_CHANGE, OPEN_TERMINATION, Readiness
from lianfang.members.models import (
    Appeal,
    Application,
    Attachment,
    Attestation,
    CaseEvent,
    CaseNote,
    ChangeRequest,
    ConflictDeclaration,
    Constituent,
    Contact,
    CorrectionItem,
    Decision,
    FirstApproval,
    LegalHold,
    ListCase,
    Membership,
    MembershipInterval,
    Procedure,
    ProcedureDraft,
    Recovery,
    RelayRule,
    Revocation,
    ScreeningFinding,
    Statement,
    Termination,
)
from lianfang.members.procedure import Spec
from lianfang.members.purposes import NOTICE
from lianfang.members.standing import Spell, gaps_of, standing_of
from lianfang.policy.facts import Case, Gap, Role, Standing

# What a number of a case looks like; anything else is nobody's, whatever bytes it holds.

# Standing


def spells(organization_id: UUID) -> list[Spell]:
    """Return every time in which a membership of this organisation was in force, oldest first."""
    rows = MembershipInterval.objects.filter(membership__organization=organization_id).order_by("began_at")
    return [
        Spell(str(row.membership_id), row.membership.state, row.began_at, row.ended_at)
        for row in rows.select_related("membership")
    ]


def standing(organization_id: UUID, at: datetime) -> Standing:
    """Return the standing of a group member at that instant; the coordinator's own organisation counts as active."""
    if Organization.objects.filter(pk=organization_id, kind=Organization.Kind.COORDINATOR).exists():
        return Standing.ACTIVE
    return standing_of(spells(organization_id), at)


def gaps(organization_id: UUID, at: datetime | None = None) -> frozenset[Gap]:
    """Return the times in which no membership of this organisation was in force (policy F-gap).

    Whether the time between two memberships counts is a setting; without `at` its default speaks.
    """
    name = "gap_between_memberships"
    between = registry.setting(name).default if at is None else registry.value(name, at)
    return gaps_of(spells(organization_id), between_memberships=bool(between))


def members_in_force(*, at: datetime) -> QuerySet[Organization]:
    """Return the group members whose membership is in force at that instant."""
    held = MembershipInterval.objects.filter(began_at__lte=at).filter(Q(ended_at__isnull=True) | Q(ended_at__gt=at))
    return Organization.objects.filter(pk__in=held.values("membership__organization"))


def administrators(*, organization_id: UUID, at: datetime) -> list[Person]:
    """Return the administrators of a group member's own organisation, with or without an account yet."""
    found = Affiliation.objects.filter(
        organization=organization_id, group=organization_id, role=Role.MEMBER_ADMIN
    ).exclude(left_at__lte=at)
    return [row.person for row in found.select_related("person__vault_key").order_by("id")]


def notified(*, organization_id: UUID, at: datetime) -> list[Person]:
    """Return to whom letters and notices of procedures go: the administrators, and the notice address; each once."""
    found = {person.pk: person for person in administrators(organization_id=organization_id, at=at)}
    # Of a membership that has ended it stays the address for what is still to be said about it.
    last = Membership.objects.filter(organization=organization_id).order_by("-began_at").values("pk")[:1]
    rows = Contact.objects.filter(membership__in=last, purpose=NOTICE, started_at__lte=at)
    for row in rows.exclude(ended_at__lte=at).select_related("person__vault_key").order_by("started_at", "id"):
        found.setdefault(row.person_id, row.person)
    return list(found.values())


def recipients(at: datetime) -> list[Recipient]:
    """Return every member in force, under review or terminating, with whom its notices reach (charter 4.1)."""
    rows = Membership.objects.filter(state__in=IN_FORCE, began_at__lte=at).select_related("organization")
    held = {row.pk: row.organization for row in rows.order_by("organization__name_zh", "pk")}
    people: dict[UUID, dict[UUID, Person]] = {one.pk: {} for one in held.values()}
    admins = Affiliation.objects.filter(organization__in=people, role=Role.MEMBER_ADMIN, group=F("organization"))
    for row in admins.exclude(left_at__lte=at).select_related("person__vault_key").order_by("id"):
        people[row.organization_id].setdefault(row.person_id, row.person)
    named = Contact.objects.filter(membership__in=held, purpose=NOTICE, started_at__lte=at).exclude(ended_at__lte=at)
    for contact in named.select_related("person__vault_key").order_by("started_at", "id"):
        people[held[contact.membership_id].pk].setdefault(contact.person_id, contact.person)
    return [
        Recipient(one.pk, Bilingual(zh=one.name_zh, en=one.name_en or one.name_zh), tuple(people[one.pk].values()))
        for one in held.values()
    ]


def roster_of(group_id: UUID) -> QuerySet[Constituent]:
    """Return a group member's constituents, also those whose end is decided and has not come."""
    return (
        Constituent.objects.filter(group=group_id)
        .filter(Q(removed_at__isnull=True) | Q(removed_at__gt=Now()))
        .select_related("organization")
        .order_by("organization__name_zh", "id")
    )


def relay_rules(group_id: UUID) -> list[RelayRule]:
    """Return the group's rules for relaying to its constituents that hold now."""
    return list(RelayRule.objects.filter(group=group_id, ended_at__isnull=True).order_by("tlp"))


# Procedure and drafts


def procedure_in_force(at: datetime) -> Procedure:
    """Return the edition under which an application is begun at that instant. Raises Procedure.DoesNotExist."""
    return Procedure.objects.filter(effective_at__lte=at).order_by("-version")[:1].get()


def spec_of(application: Application) -> Spec:
    """Return the specification under which an application was begun."""
    return Spec(application.procedure.spec)


def application_by_id(application_id: str) -> Application | None:
    """Return a draft or case by its id, for a browser that holds it in its session."""
    try:
        key = UUID(application_id)
    except ValueError:
        return None
    return _applications().filter(pk=key).first()


def application_by_secret(secret: str) -> Application | None:
    """Return the draft or case of a mailed link."""
    return _applications().filter(secret_digest=keyed_digest(secret)).first()


def _applications() -> QuerySet[Application]:
    return Application.objects.select_related(
        "procedure", "vault_key", "charter", "privacy_notice", "reviewer__vault_key"
    )


def files(application: Application) -> list[Attachment]:
    """Return the attachments that were not taken away, oldest first."""
    found = application.attachments.filter(removed_at__isnull=True).select_related("file__vault_key", "vault_key")
    return list(found.order_by("uploaded_at", "id"))


def picture(application: Application, attachment_id: UUID) -> Attachment | None:
    """Return an attachment that was not taken away, if it is a picture."""
    found = application.attachments.filter(pk=attachment_id, removed_at__isnull=True, media_type__startswith="image/")
    return found.select_related("file__vault_key", "vault_key").first()


def file_counts(application: Application) -> dict[str, int]:
    """Return how many attachments there are of each kind of proof."""
    rows = application.attachments.filter(removed_at__isnull=True).values_list("proof").annotate(n=Count("id"))
    return dict(rows.order_by())


def missing_of(application: Application, *, but: frozenset[str] = frozenset()) -> list[Any]:
    """Return what stands against sending the form."""
    return missing(spec_of(application), application.answers, file_counts(application), but=but)


# Review


def submitted(number: str) -> Application | None:
    """Return a submitted application by its number."""
    return _applications().filter(number=number).first() if case_kinds.is_number(number) else None


def findings(application: Application) -> dict[str, ScreeningFinding]:
    """Return the latest finding of each roster row, by the digest of its words."""
    rows = application.findings.select_related("by__vault_key", "vault_key").order_by("at")
    return {row.row_key: row for row in rows}


def all_rows(application: Application) -> list[roster.Row]:
    """Return the roster that is screened: the applicant first, then its constituents."""
    return [applicant_row(application.answers), *roster_rows(application.answers)]


def readiness(application: Application, at: datetime, *, whole: bool = True) -> Readiness:
    """Find what stands for or against an approval at this instant (charter 1.1, 1.3).

    A list of cases leaves out (`whole`) what no column of it shows: the comparison with boards, the holdings.
    """
    rows, found = all_rows(application), findings(application)
    present = [found[row.key] for row in rows if row.key in found]
    oldest = taipei(at).date() - timedelta(days=int(registry.value("screening_list_max_age_days", at)))
    hits = [finding for finding in present if finding.result == "name_hit"]
    return Readiness(
        rows=len(rows),
        screened=len(present),
        id_hits=sum(finding.result == "id_hit" for finding in present),
        unjudged_name_hits=sum(not (hit.other_entity and hit.note.strip()) for hit in hits),
        unverifiable=sum(finding.result == "unverifiable" for finding in present),
        list_too_old=sum(finding.list_date < oldest for finding in present),
        authority_checked=application.authority_checks.filter(change__isnull=True).exists(),
        live_membership=_has_live_membership(application),
        eligibility=_against(application, at) if whole else None,
        ownership=queries_lists.against_holdings(application, {row.key: row.name for row in rows}) if whole else None,
    )


def _against(application: Application, at: datetime) -> Bilingual | None:
    answer = queries_lists.eligibility_of(application, at)
    return answer.words if answer.blocks else None


def _has_live_membership(application: Application) -> bool:
    if not application.ubn:
        return False
    return Membership.objects.filter(ubn=application.ubn, state__in=IN_FORCE).exists()


def conflict_of(case: str, person_id: UUID | None) -> bool | None:
    """Return what this person declared last in this case: True a conflict, False none, None nothing."""
    rows = ConflictDeclaration.objects.filter(case=case, person=person_id).order_by("-at")
    return rows.values_list("conflict", flat=True).first()


def conflicted(case: str) -> frozenset[UUID]:
    """Return everybody whose last declaration in this case is a conflict."""
    latest: dict[UUID, bool] = {}
    for person, conflict in (
        ConflictDeclaration.objects.filter(case=case).order_by("at").values_list("person", "conflict")
    ):
        latest[person] = conflict
    return frozenset(person for person, conflict in latest.items() if conflict)


def case_of(subject: case_kinds.Case) -> Case:
    """Return the facts about a case that the policy decides on."""
    if isinstance(subject, Appeal):
        return _appeal_case(subject)
    if isinstance(subject, ListCase):
        of = subject.membership.organization_id
        return Case(id=subject.number, kind="list", organization=of, state=subject.state)
    number = subject.number or str(subject.pk)
    assigned = frozenset({subject.reviewer_id} if subject.reviewer_id else ())
    organization = subject.organization_id if isinstance(subject, Application) else subject.membership.organization_id
    first = first_approval(subject) if isinstance(subject, Application) else None
    return Case(
        id=number,
        kind=_KINDS[type(subject)],
        organization=organization,
        state=subject.state,
        assigned=assigned,
        reviewed_by=reviewers(subject),
        decided_by=frozenset({first.by_id} if first else ()),
        conflicted=conflicted(number),
    )


_KINDS: dict[type, str] = {
    Application: "application",
    Revocation: "revocation",
    Termination: "termination",
    ChangeRequest: "change",
    Recovery: "recovery",
}
# The steps by which somebody takes part in the review of a case.
_REVIEWING = (
    "taken_up", "screened", "authority_checked", "correction_requested", "recommended_approve", "recommended_reject",
    "opened", "notified", "proposed", "termination_recommended", "change_recommended_approve",
    "change_recommended_reject", "ownership", "recovery_recommended",
)  # fmt: skip


def reviewers(case: Application | Revocation | Termination | ChangeRequest | Recovery) -> frozenset[UUID]:
    """Return everybody who took part in the review of a case, also who handed it on: none of them decides it."""
    steps = CaseEvent.objects.filter(case=case.number or "", event__in=_REVIEWING, by__isnull=False)
    found = set(steps.values_list("by", flat=True).distinct())
    return frozenset(found | ({case.reviewer_id} if case.reviewer_id else set()))


def reviewer_beside(
    case: Application | Revocation | Termination | ChangeRequest | Recovery, person_id: UUID | None
) -> UUID | None:
    """Return the reviewer whom four eyes compare with this person: himself, if he took part in the review."""
    return person_id if person_id in reviewers(case) else case.reviewer_id


def _appeal_case(appeal: Appeal) -> Case:
    decisions = Decision.objects.filter(revocation=appeal.revocation, kind="revoke")
    decided = frozenset(decisions.values_list("decided_by", flat=True))
    again = CaseEvent.objects.filter(case=appeal.number, event="appeal_recommended", by__isnull=False)
    return Case(
        id=appeal.number,
        kind="appeal",
        organization=appeal.revocation.membership.organization_id,
        state=appeal.state,
        reviewed_by=reviewers(appeal.revocation) | set(again.values_list("by", flat=True)),
        decided_by=decided,
        conflicted=conflicted(appeal.number),
    )


def corrections(application: Application) -> list[CorrectionItem]:
    """Return every item that was asked for, by round."""
    return list(application.corrections.select_related("vault_key", "requested_by__vault_key"))


def open_corrections(application: Application) -> list[CorrectionItem]:
    """Return the items that wait for the applicant."""
    if application.state != "correction_requested":
        return []
    return [item for item in corrections(application) if item.answered_at is None]


def notes(case: str, *, to_applicant: bool | None = None) -> list[CaseNote]:
    """Return the notes of a case, oldest first: internal ones, messages, or (None) both."""
    rows = CaseNote.objects.filter(case=case).select_related("by__vault_key", "vault_key").order_by("at")
    return list(rows if to_applicant is None else rows.filter(to_applicant=to_applicant))


def events(case: str) -> list[CaseEvent]:
    """Return the steps of a case, oldest first."""
    return list(CaseEvent.objects.filter(case=case).select_related("by__vault_key").order_by("id"))


def twins(application: Application) -> list[Application]:
    """Return other applications of the same business number, newest first."""
    if not application.ubn:
        return []
    rows = Application.objects.filter(ubn=application.ubn, number__isnull=False).exclude(pk=application.pk)
    return list(rows.order_by("-submitted_at")[:5])


def earlier_memberships(application: Application) -> list[Membership]:
    """Return the memberships of this business number that ended before: an applicant that comes back is the same."""
    if not application.ubn:
        return []
    rows = Membership.objects.filter(organization__ubn=application.ubn, ended_at__isnull=False)
    return list(rows.exclude(application=application).order_by("-ended_at")[:5])


def reach(organization_id: UUID, at: datetime) -> dict[str, int]:
    """Return how many people, live tokens and constituents depend on a membership."""
    people = Affiliation.objects.live(at).filter(group=organization_id)
    tokens = Token.objects.filter(affiliation__group=organization_id, revoked_at__isnull=True, expires_at__gt=at)
    return {
        "people": people.values("person").distinct().count(),
        "tokens": tokens.count(),
        "constituents": roster_of(organization_id).count(),
    }


def attested_hash(application: Application) -> str:
    """Return the fingerprint of the roster that the last attestation covers, or nothing."""
    given = application.attestations.filter(change__isnull=True).order_by("-at")
    return given.values_list("roster_hash", flat=True).first() or ""


def attestation(application: Application) -> Attestation | None:
    """Return the attestation given last."""
    given = application.attestations.filter(change__isnull=True).select_related("vault_key", "charter")
    return given.order_by("-at").first()


# The queue

PAGE = 50
_WAITING = ("submitted", "under_review", "recommended")
_OPEN = (*_WAITING, "correction_requested")


@dataclass(frozen=True, slots=True)
class View:
    """A saved view of the queue."""

    name: str
    rows: QuerySet[Application]


def inbox_changes(*, view: str, person_id: UUID | None, at: datetime) -> QuerySet[ChangeRequest]:
    """Return the open change requests that belong to a saved view of the queue, those due first."""
    rows = ChangeRequest.objects.filter(state__in=OPEN_CHANGE)
    today = taipei(at).replace(hour=23, minute=59, second=59, microsecond=999999)
    narrowed = {
        "mine": Q(reviewer=person_id),
        "unassigned": Q(reviewer__isnull=True),
        "today": Q(due_at__gte=at, due_at__lte=today),
        "late": Q(due_at__lt=at),
        "decision": ~Q(recommendation=""),
        "open": Q(),
    }.get(view)
    rows = rows.none() if narrowed is None else rows.filter(narrowed)
    return rows.select_related("membership__organization", "reviewer__vault_key").order_by("due_at", "number")


def inbox_views(*, person_id: UUID | None, at: datetime) -> list[View]:
    """Return the saved views of the queue for a member of staff, each decided by the rows' own facts."""
    open_ = Application.objects.filter(state__in=_OPEN)
    today = taipei(at).replace(hour=23, minute=59, second=59, microsecond=999999)
    waiting = open_.filter(state__in=_WAITING)
    return [
        View("mine", open_.filter(reviewer=person_id)),
        View("unassigned", open_.filter(reviewer__isnull=True)),
        View("today", waiting.filter(due_at__gte=at, due_at__lte=today)),
        View("late", waiting.filter(due_at__lt=at)),
        View("correction", open_.filter(state="correction_requested")),
        View("decision", open_.filter(state="recommended")),
        View("open", open_),
        View("closed", Application.objects.filter(state__in=["approved", "rejected", "withdrawn"])),
    ]


def ageing(*, at: datetime) -> list[int]:
    """Return how many open cases came in within 7, 14 and 30 days, and how many wait for longer."""
    open_ = Application.objects.filter(state__in=_OPEN)
    bounds = [at - timedelta(days=days) for days in (7, 14, 30)]
    younger = [open_.filter(submitted_at__gte=bound).count() for bound in bounds]
    return [younger[0], younger[1] - younger[0], younger[2] - younger[1], open_.count() - younger[2]]


def filtered(rows: QuerySet[Application], *, words: str = "", kind: str = "", state: str = "") -> QuerySet[Application]:
    """Narrow the queue by number, name or business number, kind of organisation, and state."""
    if words:
        rows = rows.filter(Q(number__icontains=words) | Q(name_zh__icontains=words) | Q(ubn=words))
    if kind:
        rows = rows.filter(kind=kind)
    return rows.filter(state=state) if state else rows


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the queue, with the keys of its neighbours."""

    rows: list[Application]
    newer: str
    older: str


def queue_page(rows: QuerySet[Application], *, after: str = "", before: str = "") -> Page:
    """Return up to 50 rows by due date; `after` and `before` are keys that an earlier page gave."""
    ordered = rows.select_related("reviewer__vault_key", "vault_key").order_by("due_at", "id")
    key = _key(after or before)
    if key is None:
        found = list(ordered[: PAGE + 1])
        return _page(found[:PAGE], newer=False, older=len(found) > PAGE)
    due, place = key
    if before:
        back = rows.select_related("reviewer__vault_key", "vault_key").order_by("-due_at", "-id")
        found = list(back.filter(Q(due_at__lt=due) | Q(due_at=due, id__lt=place))[: PAGE + 1])
        return _page(found[:PAGE][::-1], newer=len(found) > PAGE, older=True)
    found = list(ordered.filter(Q(due_at__gt=due) | Q(due_at=due, id__gt=place))[: PAGE + 1])
    return _page(found[:PAGE], newer=True, older=len(found) > PAGE)


def _page(rows: list[Application], *, newer: bool, older: bool) -> Page:
    def key(row: Application) -> str:
        return f"{row.due_at.isoformat()}_{row.pk}" if row.due_at else ""

    return Page(rows, key(rows[0]) if rows and newer else "", key(rows[-1]) if rows and older else "")


def _key(written: str) -> tuple[datetime, UUID] | None:
    due, _, place = written.partition("_")
    try:
        at = datetime.fromisoformat(due)
        return (at, UUID(place)) if at.utcoffset() is not None else None
    except ValueError:
        return None


def capped(rows: QuerySet[Any], most: int = 10_000) -> tuple[int, bool]:
    """Return a count that never costs more than `most` rows, and whether there are more."""
    counted = rows.order_by().values("pk")[: most + 1].count()
    return min(counted, most), counted > most


# Members, revocations, appeals


def directory(*, words: str = "", state: str = "") -> QuerySet[Membership]:
    """Return memberships for the staff's directory, the latest of each organisation, by name."""
    latest = Membership.objects.order_by("organization", "-began_at").distinct("organization").values("pk")
    rows = Membership.objects.filter(pk__in=latest).select_related("organization")
    if words:
        rows = rows.filter(
            Q(organization__name_zh__icontains=words) | Q(organization__name_en__icontains=words) | Q(ubn=words)
        )
    if state:
        rows = rows.filter(state=state)
    return rows.order_by("organization__name_zh", "id")


def membership(membership_id: UUID) -> Membership | None:
    """Return a membership with its organisation."""
    return Membership.objects.select_related("organization", "application").filter(pk=membership_id).first()


def revocation(number: str) -> Revocation | None:
    """Return a revocation case by its number."""
    return _revocations().filter(number=number).first() if case_kinds.is_number(number) else None


def case_exists(case: str) -> bool:
    """Return whether there is a case of this number, or a draft of this id."""
    return case_kinds.exists(case) or (not case_kinds.is_number(case) and application_by_id(case) is not None)


def memberships_of_person(person_id: UUID, at: datetime) -> list[Membership]:
    """Return the memberships in force of the organisations that a person acts for at that instant."""
    of = Affiliation.objects.live(at).filter(person=person_id).values("group")
    rows = Membership.objects.filter(organization__in=of, state__in=IN_FORCE).select_related("organization")
    return list(rows.order_by("began_at", "pk")[:5])


def held(case: str) -> bool:
    """Return whether a case is under legal hold."""
    return LegalHold.objects.filter(case=case, lifted_at__isnull=True).exists()


def holds() -> list[LegalHold]:
    """Return the holds, those in force first."""
    rows = LegalHold.objects.select_related("vault_key", "placed_by__vault_key", "lifted_by__vault_key")
    return list(rows.order_by("-lifted_at", "-placed_at")[:200])


def hearing(case: Revocation, ground: str, at: datetime) -> str:
    """Return whether a member was heard about this ground: `done`, `needed` (no notice of it), or `running`.

    Under 5.3 the notice is the chance to correct first, whatever the setting says.
    """
    if not (bool(registry.value("revocation_hearing", at)) or ground.startswith("5.3")):
        return "done"
    limit = case.notice
    if limit is None or case.notice_ground != ground:
        return "needed"
    if limit.is_late(at) or case.statements.filter(filed_at__gte=limit.event).exists():
        return "done"
    return "running"


def open_revocation(membership_id: UUID) -> Revocation | None:
    """Return the review of this membership that is not decided."""
    return _revocations().filter(membership=membership_id, state__in=["under_review", "proposed"]).first()


def statements(case: Revocation) -> list[Statement]:
    """Return what the member said, oldest first, with its files."""
    rows = case.statements.select_related("vault_key", "filed_by__vault_key").prefetch_related("files__vault_key")
    return list(rows.order_by("filed_at", "id"))


def last_revocation(organization_id: UUID) -> Revocation | None:
    """Return the case by which this organisation's membership was revoked last."""
    return (
        _revocations().filter(membership__organization=organization_id, state="revoked").order_by("-decided_at").first()
    )


BY_DUE = ("due_at", "id")


def revocations(*, open_only: bool) -> QuerySet[Revocation]:
    """Return revocation cases, those due first; open are also those with an appeal that nobody decided yet."""
    rows = _revocations()
    rows = rows.filter(_open_revocations()) if open_only else rows
    return rows.order_by(*BY_DUE)


def open_revocations() -> int:
    """Return how many revocations and appeals wait."""
    return Revocation.objects.filter(_open_revocations()).count()


def _open_revocations() -> Q:
    appealed = Appeal.objects.filter(decided_at__isnull=True).values("revocation")
    return Q(state__in=["under_review", "proposed"]) | Q(pk__in=appealed)


def termination(number: str) -> Termination | None:
    """Return a request for termination by its number."""
    return _terminations().filter(number=number).first() if case_kinds.is_number(number) else None


def open_termination(membership_id: UUID) -> Termination | None:
    """Return the request of this membership that nobody decided yet."""
    return _terminations().filter(membership=membership_id, state__in=OPEN_TERMINATION).first()


def terminations(*, open_only: bool) -> QuerySet[Termination]:
    """Return requests for termination, those due first."""
    rows = _terminations()
    return (rows.filter(state__in=OPEN_TERMINATION) if open_only else rows).order_by(*BY_DUE)


def terminations_of(organization_id: UUID) -> list[Termination]:
    """Return the requests of one organisation, the latest first."""
    return list(_terminations().filter(membership__organization=organization_id).order_by("-filed_at")[:50])


def open_terminations() -> int:
    """Return how many requests for termination wait."""
    return Termination.objects.filter(state__in=OPEN_TERMINATION).count()


def _terminations() -> QuerySet[Termination]:
    return Termination.objects.select_related(
        "membership__organization", "reviewer__vault_key", "filed_by__vault_key", "vault_key"
    )


def _revocations() -> QuerySet[Revocation]:
    return Revocation.objects.select_related("membership__organization", "reviewer__vault_key", "vault_key")


def appeals(rows: Iterable[Revocation]) -> Mapping[UUID, list[Appeal]]:
    """Return the appeals against these revocations, oldest first."""
    found: dict[UUID, list[Appeal]] = {}
    listed = Appeal.objects.filter(revocation__in=list(rows)).select_related(
        "vault_key", "filed_by__vault_key", "revocation__membership__organization"
    )
    for appeal in listed.order_by("filed_at", "number").prefetch_related("files__vault_key"):
        found.setdefault(appeal.revocation_id, []).append(appeal)
    return found


def appeal(number: str) -> Appeal | None:
    """Return an appeal by its number."""
    if not case_kinds.is_number(number):
        return None
    return (
        Appeal.objects.select_related(
            "revocation__membership__organization", "vault_key", "filed_by__vault_key", "reviewer__vault_key"
        )
        .filter(number=number)
        .first()
    )


def decision(number: str) -> Decision | None:
    """Return a decision by its number."""
    return next(iter(decisions(number=number)), None) if case_kinds.is_number(number) else None


def decisions(**about: Any) -> list[Decision]:
    """Return the decisions about an application, revocation, appeal or membership, oldest first."""
    rows = Decision.objects.filter(**about).select_related(
        "vault_key", "reviewed_by__vault_key", "decided_by__vault_key"
    )
    return list(rows.order_by("decided_at", "number"))


# Editions of the procedure


def procedures() -> list[Procedure]:
    """Return every edition, newest first."""
    return list(Procedure.objects.order_by("-version"))


def procedure(version: int) -> Procedure | None:
    """Return an edition by its number."""
    return Procedure.objects.filter(version=version).first()


def open_procedure_draft() -> ProcedureDraft | None:
    """Return the draft of the next edition that is written or waits for approval."""
    rows = ProcedureDraft.objects.select_related(
        "base", "proposed_by__vault_key", "first_approver__vault_key", "second_approver__vault_key"
    )
    return rows.filter(state__in=["draft", "proposed"]).first()


def draft_of_procedure(edition: Procedure) -> ProcedureDraft | None:
    """Return who wrote and approved an edition; None for the one that came with the software."""
    rows = ProcedureDraft.objects.select_related(
        "proposed_by__vault_key", "first_approver__vault_key", "second_approver__vault_key"
    )
    return rows.filter(published=edition).first()


def cases_by_procedure() -> Mapping[UUID, tuple[int, int]]:
    """Return how many drafts and how many open cases there are under each edition, by its id."""
    rows = Application.objects.filter(state__in=["draft", *_OPEN]).order_by().values_list("procedure", "state")
    found: dict[UUID, tuple[int, int]] = {}
    for procedure_id, state, number in rows.annotate(n=Count("id")):
        drafts, cases = found.get(procedure_id, (0, 0))
        found[procedure_id] = (drafts + number, cases) if state == "draft" else (drafts, cases + number)
    return found


def case_of_procedure(draft: ProcedureDraft, *, fresh: bool = False) -> Case:
    """Return the facts about a draft that the policy decides on; `fresh` for what one approver may do by himself."""
    first = {draft.first_approver_id} if draft.first_approver_id and not fresh else set()
    return Case(
        id=str(draft.pk),
        kind="procedure",
        state=draft.state,
        authored_by=frozenset(UUID(one) for one in draft.authors),
        decided_by=frozenset(first),
    )


def first_approval(application: Application) -> FirstApproval | None:
    """Return what the first of two approvers signed of the recommendation as it stands."""
    if application.recommended_at is None or application.state not in ("recommended", "approved"):
        return None
    rows = application.first_approvals.select_related("by__vault_key", "vault_key")
    return rows.filter(recommended_at=application.recommended_at).first()


def wants_first_approval(application: Application) -> bool:
    """Whether the next approval is the first of two."""
    return spec_of(application).approvers > 1 and first_approval(application) is None
