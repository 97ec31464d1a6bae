"""Comparing rosters with the newest edition of the mainland list, by the system (charter 1.3).

Which rosters are due follows from what is kept (`queries_lists`), so a lost job, a second one, a submission, a changed
roster and a new edition all come to the same. What the system finds never takes a membership away: of an application it
is a finding that a person judges, of a member in force a case.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from django.db import DatabaseError

from lianfang.audit.actions import JSON, action, record
from lianfang.audit.tags import Tag
from lianfang.kernel.ids import new_id
from lianfang.kernel.refusal import Refusal
from lianfang.kernel.text import Bilingual
from lianfang.members import changes, queries, queries_lists, roster
from lianfang.members.actions.applying import log_event
from lianfang.members.actions.reviewing import locked_application
from lianfang.members.lifecycle import IN_FORCE, OPEN_APPLICATION, OPEN_CHANGE
from lianfang.members.models import (
    Application,
    ChangeRequest,
    Constituent,
    ListCase,
    ListEdition,
    Membership,
    ScreeningFinding,
    ScreeningRun,
)
from lianfang.members.numbers import next_number
from lianfang.members.queries_lists import Screened
from lianfang.members.screening import Outcome
from lianfang.policy.facts import Subject
from lianfang.policy.store import bump_policy
from lianfang.vault.models import SubjectKey

log = logging.getLogger(__name__)

HITS = ("name_hit", "id_hit")
_NO_LIST = Bilingual(zh="還沒有匯入陸資名單。", en="No mainland list was imported yet.")
_CLOSED = Bilingual(zh="這件申請已結案。", en="This application is closed.")
_NOT_IN_FORCE = Bilingual(zh="這份會籍不在有效期間。", en="This membership is not in force.")


def screen_due(*, by: Subject, at: datetime) -> int:
    """Compare everything that is due at that instant, each in a transaction of its own; return how many."""
    edition = queries_lists.newest("mainland", at)
    done = 0
    if edition is not None:
        applications, memberships = queries_lists.due_applications(edition), queries_lists.due_memberships(edition, at)
        done += _each(applications, lambda one: screen_application(application=one, by=by, at=at))
        done += _each(memberships, lambda one: screen_membership(membership=one, by=by, at=at))
        done += _each(changes.unscreened(at), lambda one: screen_change(case=one, by=by, at=at))
    for kind in ("twse", "tpex"):
        board, missing = queries_lists.due_listings(kind, at)
        if board is not None:
            done += _each(missing, partial(_open_listing, board, by, at))
    return done


def _open_listing(board: ListEdition, by: Subject, at: datetime, membership: Membership) -> None:
    open_listing_case(membership=membership, board=board, by=by, at=at)


def _each(due: Iterable[Any], act: Callable[[Any], object]) -> int:
    done = 0
    for one in list(due):
        try:
            act(one)
        except Refusal:
            continue  # closed since it was found
        except DatabaseError:
            raise
        except Exception:
            # One roster that cannot be compared must not keep all others from it.
            log.exception("members: %s could not be compared; the next run tries again", one.pk)
            continue
        done += 1
    return done


# Applications


@action(Tag.MEMBERS_SCREENING_RUN)
def screen_application(*, application: Application, by: Subject, at: datetime) -> ScreeningRun:
    """Compare the roster of an open application, the applicant included, and keep a finding for every row.

    What a person found stands: a hit that a person recorded is not cleared, and a written judgement about the very same
    enterprise is carried on. Raises Refusal for a closed case, and while no list was imported.
    """
    locked = locked_application(application)
    if locked.state not in OPEN_APPLICATION:
        raise Refusal(_CLOSED, rule="screening-state")
    rows = queries.all_rows(locked)
    screened = _screened(rows, at)
    known = queries.findings(locked)
    made = [
        _finding(locked, key, outcome, known.get(key), screened.edition, at)
        for key, outcome in screened.outcomes.items()
        if _speaks(known.get(key), outcome, screened.edition)
    ]
    ScreeningFinding.objects.bulk_create(made, batch_size=1000)
    return _ran(screened, by, at, application=locked, roster_hash=locked.roster_hash)


@action(Tag.MEMBERS_SCREENING_RUN)
def screen_change(*, case: ChangeRequest, by: Subject, at: datetime) -> int:
    """Compare the rows whose words an open change makes new; return how many findings were kept.

    A person's judgement goes before, as in an application. Raises Refusal for a closed case, and without a list.
    """
    locked = ChangeRequest.objects.select_for_update(of=("self",)).select_related("vault_key").get(pk=case.pk)
    if locked.state not in OPEN_CHANGE:
        raise Refusal(_CLOSED, rule="screening-state")
    application = case.membership.application
    rows = changes.rows_to_screen(case, at)
    screened = _screened(rows, at)
    known = changes.findings(case.membership, rows)
    made = [
        _finding(application, key, outcome, known.get(key), screened.edition, at)
        for key, outcome in screened.outcomes.items()
        if _speaks(known.get(key), outcome, screened.edition)
    ]
    ScreeningFinding.objects.bulk_create(made, batch_size=1000)
    counts = Counter(one.result for one in made)
    record(by=by, at=at, about=locked, detail={"rows": len(made), "edition": str(screened.edition.pk), **counts})
    return len(made)


def _screened(rows: list[roster.Row], at: datetime) -> Screened:
    screened = queries_lists.screen_rows(rows, at=at)
    if screened is None:
        raise Refusal(_NO_LIST, rule="screening-list", clause="1.3")
    return screened


def _speaks(known: ScreeningFinding | None, outcome: Outcome, edition: ListEdition) -> bool:
    """Return whether the system has something to say that a person did not say better."""
    if known is None:
        return True
    again = known.edition_id == edition.pk and known.result == outcome.result
    if outcome.result == "id_hit" or known.by_id is None or known.other_entity:
        return not again
    if known.result in HITS:
        # A hit that a person found is not made weaker by a comparison.
        return known.result == outcome.result and not again
    # Of a row without a number a person knows more than the list.
    return outcome.result == "name_hit" or (known.result == outcome.result and not again)


def _finding(
    application: Application,
    key: str,
    outcome: Outcome,
    known: ScreeningFinding | None,
    edition: ListEdition,
    at: datetime,
) -> ScreeningFinding:
    judged = known if known is not None and known.other_entity and _is_other(known, outcome) else None
    return ScreeningFinding(
        vault_key=application.vault_key,
        application=application,
        row_key=key,
        result=outcome.result,
        other_entity=judged is not None,
        source=edition.source,
        list_date=edition.list_date,
        note=judged.note if judged else "",
        edition=edition,
        matches=[match.listed() for match in outcome.matches],
        by_id=judged.by_id if judged else None,
        at=at,
    )


def _is_other(judged: ScreeningFinding | ListCase, outcome: Outcome) -> bool:
    """Return whether a written judgement covers this hit: by name alone, and of nobody else on the list."""
    return outcome.result == "name_hit" and queries_lists.same_entities(judged, outcome)


def _ran(screened: Screened, by: Subject, at: datetime, *, cases: int = 0, **of: Any) -> ScreeningRun:
    counts = Counter(outcome.result for outcome in screened.outcomes.values())
    said = {name: counts[name] for name in ("clear", "name_hit", "id_hit", "unverifiable")}
    run = ScreeningRun.objects.create(edition=screened.edition, counts={**said, "cases": cases}, at=at, **of)
    about = run.application or run.membership
    assert about is not None
    detail: dict[str, JSON] = {**said, "edition": str(screened.edition.pk), "roster": run.roster_hash, "cases": cases}
    record(by=by, at=at, about=about, detail=detail)
    if run.application is not None:
        rows = {"rows": sum(said.values()), **said}
        log_event(case=run.application.number or "", event="screened", by=None, at=at, detail=rows)
    return run


# Members in force


@action(Tag.MEMBERS_SCREENING_RUN)
def screen_membership(*, membership: Membership, by: Subject, at: datetime) -> ScreeningRun:
    """Compare a member's own organisation and its roster; a new hit opens a case for a person.

    A constituent with an open hit has no access from this instant (policy F-constituent) and stays on the roster. The
    membership itself does not change. Raises Refusal for one that is not in force, and while no list was imported.
    """
    locked = Membership.objects.select_for_update(of=("self",)).select_related("organization").get(pk=membership.pk)
    if locked.state not in IN_FORCE:
        raise Refusal(_NOT_IN_FORCE, rule="screening-state")
    listed = queries_lists.rows_of(locked)
    screened = _screened([row for row, _ in listed], at)
    verdicts, opened, moved = _Verdicts(locked), 0, False
    for row, constituent in listed:
        outcome = screened.outcomes[row.key]
        organization = constituent.organization_id if constituent else locked.organization_id
        verdict = verdicts.of(organization, row, outcome)
        if verdict == "new":
            opened += _open(locked, organization, row, outcome, screened.edition, by, at)
        if constituent is not None:
            moved |= _place(constituent, outcome, verdict, screened.edition, at)
    own, *rows = [row for row, _ in listed]
    run = _ran(screened, by, at, cases=opened, membership=locked, roster_hash=roster.fingerprint(own, rows))
    if moved:
        bump_policy()
    return run


class _Verdicts:
    """What people judged before about the organisations of a member: in cases, and in findings of its application."""

    def __init__(self, membership: Membership) -> None:
        self._findings: Mapping[str, ScreeningFinding] = queries.findings(membership.application)
        self._cases: dict[UUID, list[ListCase]] = {}
        for case in ListCase.objects.filter(membership=membership, kind="mainland", state__in=["other", "confirmed"]):
            self._cases.setdefault(case.organization_id, []).append(case)

    def of(self, organization: UUID, row: roster.Row, outcome: Outcome) -> str:
        """Return `none` for no hit, `other` or `confirmed` where a person judged this very hit, else `new`."""
        if outcome.result not in HITS:
            return "none"
        cases = self._cases.get(organization, [])
        if any(case.state == "confirmed" and queries_lists.same_entities(case, outcome) for case in cases):
            return "confirmed"
        finding = self._findings.get(row.key)
        judged: list[ScreeningFinding | ListCase] = [case for case in cases if case.state == "other"]
        judged += [finding] if finding is not None and finding.other_entity else []
        return "other" if any(_is_other(one, outcome) for one in judged) else "new"


def _place(constituent: Constituent, outcome: Outcome, verdict: str, edition: ListEdition, at: datetime) -> bool:
    """Keep what a constituent's row gave; return whether its access may have changed.

    Only a hit takes a screening away, and only a person gives it back. A row that waits takes what the list gave.
    """
    before = constituent.screening
    if verdict in ("new", "confirmed"):
        constituent.screening = outcome.result
    elif before in HITS:
        return False
    elif before == "pending":
        constituent.screening = "other_entity" if verdict == "other" else outcome.result
    constituent.screened_at, constituent.list_source, constituent.list_date = at, edition.source, edition.list_date
    constituent.save(update_fields=["screening", "screened_at", "list_source", "list_date"])
    return constituent.screening != before


def _open(
    membership: Membership,
    organization: UUID,
    row: roster.Row,
    outcome: Outcome,
    edition: ListEdition,
    by: Subject,
    at: datetime,
) -> int:
    """Open a case unless one about this organisation is open; a stronger hit makes the open one stronger."""
    open_ = ListCase.objects.select_for_update().filter(
        membership=membership, organization=organization, kind="mainland", state="open"
    )
    matches = [match.listed() for match in outcome.matches]
    known = open_.first()
    if known is not None:
        known.result, known.matches, known.edition = outcome.result, matches, edition
        known.save(update_fields=["result", "matches", "edition"])
        return 0
    _new_case(
        membership=membership, organization=organization, by=by, at=at,
        kind="mainland", edition=edition, result=outcome.result, row_name=row.name, row_ubn=row.ubn, matches=matches,
    )  # fmt: skip
    return 1


@action(Tag.MEMBERS_LIST_CASE_OPEN)
def _new_case(*, membership: Membership, organization: UUID, by: Subject, at: datetime, **facts: Any) -> ListCase:
    case = ListCase.objects.create(
        id=new_id(),
        vault_key=SubjectKey.make(),
        number=next_number("L", at),
        membership=membership,
        organization_id=organization,
        opened_at=at,
        **facts,
    )
    record(by=by, at=at, about=case, detail={"kind": case.kind, "result": case.result, "edition": str(case.edition_id)})
    return case


@action(Tag.MEMBERS_SCREENING_RUN)
def open_listing_case(*, membership: Membership, board: ListEdition, by: Subject, at: datetime) -> ListCase | None:
    """Open a case because the list on which a member's eligibility rests no longer has it (charter 1.1).

    The membership stays as it is: the charter knows no loss by itself. A case that is open, or that a person confirmed,
    is not opened again.
    """
    locked = Membership.objects.select_for_update(of=("self",)).select_related("organization").get(pk=membership.pk)
    known = ListCase.objects.filter(membership=locked, kind="listing", state__in=["open", "confirmed"]).exists()
    record(by=by, at=at, about=locked, detail={"listing": board.kind, "edition": str(board.pk), "known": known})
    if known:
        return None  # somebody opened it meanwhile
    elsewhere = queries_lists.on_other_board(locked, at)
    own = locked.organization
    return _new_case(
        membership=locked, organization=own.pk, by=by, at=at,
        kind="listing", edition=board, result="moved" if elsewhere else "gone", row_name=own.name_zh,
        row_ubn=own.ubn or "", matches=[],
    )  # fmt: skip
