"""What is read about official lists: editions, their rows, what a roster gives against them, the cases they opened."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Now

from lianfang.accounts import registry
from lianfang.kernel.text import Bilingual
from lianfang.members import eligibility, roster
from lianfang.members.checking import applicant_row, roster_rows
from lianfang.members.eligibility import Answer
from lianfang.members.lifecycle import IN_FORCE, OPEN_APPLICATION
from lianfang.members.models import (
    Application,
    Constituent,
    ListCase,
    ListEdition,
    ListRow,
    Membership,
    OwnershipStatement,
    ScreeningFinding,
    ScreeningRun,
)
from lianfang.members.official import BOARDS, Listed
from lianfang.members.screening import Entry, Outcome, Register


def editions() -> QuerySet[ListEdition]:
    """Return every edition that was imported or waits to be, the newest first."""
    rows = ListEdition.objects.exclude(state="discarded").select_related("read_by__vault_key", "decided_by__vault_key")
    return rows.order_by("kind", "-list_date", "-read_at")


def edition(edition_id: UUID) -> ListEdition | None:
    """Return one edition."""
    rows = ListEdition.objects.select_related("read_by__vault_key", "decided_by__vault_key", "previous", "file")
    return rows.filter(pk=edition_id).first()


def newest(kind: str, at: datetime) -> ListEdition | None:
    """Return the newest edition of a kind that was imported by that instant."""
    rows = ListEdition.objects.filter(kind=kind, state="imported", decided_at__lte=at)
    return rows.order_by("-list_date", "-decided_at").first()


def listed(edition_: ListEdition | None) -> list[Listed]:
    """Return the rows of an edition as it was read."""
    rows = ListRow.objects.filter(edition=edition_).order_by("line") if edition_ else ListRow.objects.none()
    return [_listed(row) for row in rows.iterator(chunk_size=5000)]


def _listed(row: ListRow) -> Listed:
    return Listed(row.line, row.name, row.ubn, row.code, row.state)


# Mainland capital


@lru_cache(maxsize=2)
def _register(edition_id: UUID) -> Register:
    """Rows of an edition never change, so what was made ready stays right."""
    rows = ListRow.objects.filter(edition=edition_id).values_list("ubn", "name")
    return Register(Entry(number, name) for number, name in rows)


@dataclass(frozen=True, slots=True)
class Screened:
    """What rows of a roster gave against the newest edition, by the digest of their words."""

    edition: ListEdition
    outcomes: Mapping[str, Outcome]


def screen_rows(rows: Iterable[roster.Row], *, at: datetime) -> Screened | None:
    """Compare rows with the newest mainland list; None while none was imported. Writes nothing."""
    found = newest("mainland", at)
    if found is None:
        return None
    register, allowed = _register(found.pk), int(registry.value("screening_unrelated_hits", at)) / 100
    outcomes = {row.key: register.screen(name=row.name, number=row.ubn, allowed=allowed) for row in rows}
    return Screened(found, outcomes)


def same_entities(finding: ScreeningFinding | ListCase, outcome: Outcome) -> bool:
    """Return whether a hit names nobody on the list beyond those whom an earlier one named."""
    known = {(match[0], match[1]) for match in finding.matches}
    return bool(outcome.matches) and all((match.ubn, match.name) in known for match in outcome.matches)


def due_applications(edition_: ListEdition) -> QuerySet[Application]:
    """Return open applications whose roster as it is now was not compared with this edition yet."""
    done = ScreeningRun.objects.filter(
        application=OuterRef("pk"), edition=edition_, roster_hash=OuterRef("roster_hash")
    )
    return _open_applications().filter(~Exists(done)).order_by("submitted_at", "id")


def _open_applications() -> QuerySet[Application]:
    return Application.objects.filter(state__in=OPEN_APPLICATION)


def due_memberships(edition_: ListEdition, at: datetime) -> QuerySet[Membership]:
    """Return memberships in force to be compared: not yet with this edition, long ago, or with rows added since."""
    again = at - timedelta(days=int(registry.value("rescreen_days", at)))
    done = ScreeningRun.objects.filter(membership=OuterRef("pk"), edition=edition_, at__gt=again)
    pending = Constituent.objects.filter(group=OuterRef("organization"), removed_at__isnull=True, screening="pending")
    rows = Membership.objects.filter(state__in=IN_FORCE).filter(~Exists(done) | Exists(pending))
    return rows.order_by("began_at", "id")


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the comparison with an edition is."""

    done: int
    whole: int


def progress(edition_: ListEdition, at: datetime) -> Progress:
    """Return how many of the open applications and memberships in force were compared with this edition."""
    whole = _open_applications().count() + Membership.objects.filter(state__in=IN_FORCE).count()
    waiting = due_applications(edition_).count() + due_memberships(edition_, at).count()
    return Progress(whole - waiting, whole)


def rows_of(membership: Membership) -> list[tuple[roster.Row, Constituent | None]]:
    """Return what is compared of a member: its own organisation, then its constituents."""
    held = Constituent.objects.filter(group=membership.organization_id)
    # A row whose end is decided and has not come is compared like any other.
    held = held.filter(Q(removed_at__isnull=True) | Q(removed_at__gt=Now()))
    own = membership.organization
    listed_: list[tuple[roster.Row, Constituent | None]] = [(roster.Row(own.name_zh, own.ubn or ""), None)]
    for one in held.select_related("organization").order_by("id"):
        listed_.append((roster.Row(one.name, one.organization.ubn or ""), one))
    return listed_


# Eligibility


def eligibility_of(application: Application, at: datetime) -> Answer:
    """Compare what an applicant says of itself with the newest editions of the lists (charter 1.1)."""
    organization = application.answers.get("organization", {})
    own = applicant_row(application.answers)
    claim = eligibility.Claim(
        kind=application.kind,
        name=own.name,
        ubn=own.ubn,
        code=str(organization.get("stock_code", "")).strip(),
        without_number=bool(organization.get("ubn_absent_reason")),
        constituents=len(roster_rows(application.answers)),
    )
    kinds = BOARDS if application.kind in ("twse", "tpex") else ("association",)
    found = {kind: one for kind in kinds if (one := _found(kind, claim, at)) is not None}
    return eligibility.answer(claim, found, admitted(at))


def admitted(at: datetime) -> eligibility.Admitted:
    """Return what the operator decided about who may be a member."""
    return eligibility.Admitted(
        kinds=registry.value("eligible_kinds", at),
        associations=registry.value("eligible_associations", at),
        company_alone=bool(registry.value("company_alone", at)),
    )


def _found(kind: str, claim: eligibility.Claim, at: datetime) -> eligibility.Found | None:
    edition_ = newest(kind, at)
    if edition_ is None:
        return None
    asked = Q(pk__isnull=True)
    if claim.code and kind in BOARDS:
        asked |= Q(code=claim.code)
    if claim.ubn:
        asked |= Q(ubn=claim.ubn)
    rows = [_listed(row) for row in ListRow.objects.filter(asked, edition=edition_)]
    by_code = next((row for row in rows if claim.code and row.code == claim.code), None)
    by_number = next((row for row in rows if claim.ubn and row.ubn == claim.ubn), None)
    return eligibility.Found(edition_.list_date, by_code, by_number)


def unlisted(kind: str, at: datetime) -> tuple[ListEdition | None, list[Membership]]:
    """Return the newest edition of a board, and the memberships in force of that kind that it no longer has."""
    edition_ = newest(kind, at)
    if edition_ is None:
        return None, []
    there = ListRow.objects.filter(edition=edition_)
    number = OuterRef("organization__ubn")
    # A code is given to another company in time, so where both have a number it must be the same one.
    by_code = there.filter(code=OuterRef("organization__stock_code"), code__gt="").filter(Q(ubn="") | Q(ubn=number))
    rows = Membership.objects.filter(state__in=IN_FORCE, organization__kind=kind)
    missing = rows.filter(~Exists(by_code), ~Exists(there.filter(ubn=number)))
    return edition_, list(missing.select_related("organization").order_by("began_at", "id"))


def due_listings(kind: str, at: datetime) -> tuple[ListEdition | None, list[Membership]]:
    """Return those that a board no longer has and about whom no case is open or confirmed."""
    edition_, missing = unlisted(kind, at)
    known = ListCase.objects.filter(kind="listing", state__in=["open", "confirmed"]).values_list(
        "membership", flat=True
    )
    told = set(known) if missing else set()
    return edition_, [one for one in missing if one.pk not in told]


def on_other_board(membership: Membership, at: datetime) -> ListEdition | None:
    """Return the edition of the other board that has this company, if one does."""
    other = "tpex" if membership.organization.kind == "twse" else "twse"
    edition_ = newest(other, at)
    own = membership.organization
    if edition_ is None or not own.ubn:
        return None
    return edition_ if ListRow.objects.filter(edition=edition_, ubn=own.ubn).exists() else None


# Holdings


def ownerships(application: Application) -> dict[str, OwnershipStatement]:
    """Return the latest statement of holdings of each row, by the digest of its words."""
    rows = application.ownerships.select_related("by__vault_key", "vault_key").order_by("at")
    return {row.row_key: row for row in rows}


_HELD = Bilingual(
    zh="申報的持股顯示「{name}」為陸資（逐層逾30%或具控制能力），不能核准（規章1.3）。",
    en="By the declared holdings {name} is mainland capital (over 30 % layer by layer, or control); no approval (1.3).",
)
_CIRCULAR = Bilingual(
    zh="「{name}」的持股有循環，還沒有書面判斷（規章1.3）。",
    en="The holdings of {name} run in a circle and nobody has judged them in writing (Charter 1.3).",
)


def against_holdings(application: Application, rows: Mapping[str, str]) -> Bilingual | None:
    """Return what declared holdings say against an approval; `rows` are the names of the roster by digest."""
    for key, statement in ownerships(application).items():
        if key in rows and "yes" in (statement.verdict, statement.judged):
            return _HELD.format(name=rows[key])
        if key in rows and statement.verdict == "circular" and not statement.judged:
            return _CIRCULAR.format(name=rows[key])
    return None


# Cases


def cases(*, open_only: bool) -> QuerySet[ListCase]:
    """Return cases that editions opened, the newest first."""
    rows = ListCase.objects.select_related("organization", "membership__organization", "edition", "vault_key")
    rows = rows.filter(state="open") if open_only else rows
    return rows.order_by("-opened_at", "-id")


def case(number: str) -> ListCase | None:
    """Return one such case by its number."""
    rows = cases(open_only=False).select_related("closed_by__vault_key")
    return rows.filter(number=number).first() if len(number) <= 16 and number.isascii() else None


def still_so(case_: ListCase, at: datetime) -> bool:
    """Return whether the newest edition and the roster as it is now still give what opened this case."""
    if case_.kind == "listing":
        _, missing = unlisted(case_.membership.organization.kind, at)
        return any(one.pk == case_.membership_id for one in missing)
    rows = [row for row, one in rows_of(case_.membership) if _organization(one, case_) == case_.organization_id]
    screened = screen_rows(rows, at=at)
    return screened is not None and any(outcome.matches for outcome in screened.outcomes.values())


def _organization(constituent: Constituent | None, case_: ListCase) -> UUID:
    return constituent.organization_id if constituent else case_.membership.organization_id
