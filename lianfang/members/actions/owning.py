"""Declared holdings behind an organisation on a roster, as the reviewer enters them (charter 1.3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from lianfang.accounts.doors import require
from lianfang.audit.actions import JSON, action, record
from lianfang.audit.tags import Tag
from lianfang.kernel.refusal import Refusal
from lianfang.kernel.text import Bilingual
from lianfang.members import changes, holdings, queries
from lianfang.members.actions.applying import log_event
from lianfang.members.actions.filing_changes import locked_change
from lianfang.members.actions.reviewing import locked_application, require_state
from lianfang.members.actors import person_of
from lianfang.members.models import Application, ChangeRequest, OwnershipStatement
from lianfang.members.roster import Row
from lianfang.policy.facts import Right, Subject

_LONGEST = 4000
_NO_ROW = Bilingual(
    zh="名冊上沒有這一列，可能已被更新。", en="There is no such row on the roster; it may have changed."
)
_NOT_NAMED = Bilingual(
    zh="持股裡沒有「{name}」，請把它寫成被持有的公司。",
    en="Name {name} among the companies that are owned.",
)
_JUDGE = Bilingual(
    zh="持股有循環，規則算不出來。請判斷並寫下理由（規章1.3）。",
    en="The holdings run in a circle, which the rule cannot decide. Judge, and write the reasons (Charter 1.3).",
)
_NOT_OPEN = Bilingual(zh="這件異動不在審查中。", en="This change is not under review.")
_DECIDED = Bilingual(zh="規則已有答案，不必另作判斷。", en="The rule decides this; no judgement is asked for.")


@action(Tag.MEMBERS_OWNERSHIP_STATE)
def state_ownership(
    *,
    application: Application,
    row_key: str,
    rows: Sequence[Mapping[str, Any]],
    judged: str = "",
    note: str = "",
    by: Subject,
    at: datetime,
) -> OwnershipStatement:
    """Keep the holdings behind one row and what follows from them; the latest counts.

    `judged` (`yes` or `no`) with a note is a person's answer where holdings run in a circle, and only there. Raises
    Refusal naming the field; `owner-3` is the owner in the fourth row.
    """
    locked = locked_application(application)
    require(subject=by, right=Right.REVIEW, target=queries.case_of(locked), at=at)
    require_state(locked, "under_review")
    made, detail = _stated(locked, queries.all_rows(locked), row_key, rows, judged, note, by, at)
    record(by=by, at=at, about=locked, detail=detail, text=note)
    _event(locked.number or "", made, by, at)
    return made


@action(Tag.MEMBERS_OWNERSHIP_STATE)
def state_change_ownership(
    *,
    case: ChangeRequest,
    row_key: str,
    rows: Sequence[Mapping[str, Any]],
    judged: str = "",
    note: str = "",
    by: Subject,
    at: datetime,
) -> OwnershipStatement:
    """The same behind a row whose words a change makes new: a constituent that comes after the admission."""
    locked = locked_change(case)
    require(subject=by, right=Right.REVIEW, target=queries.case_of(locked), at=at)
    if locked.state != "under_review":
        raise Refusal(_NOT_OPEN, rule="change-state")
    new = changes.rows_to_screen(locked, at)
    made, detail = _stated(locked.membership.application, new, row_key, rows, judged, note, by, at)
    record(by=by, at=at, about=locked, detail=detail, text=note)
    _event(locked.number, made, by, at)
    return made


def _stated(
    application: Application, listed: Sequence[Row], row_key: str, rows: Sequence[Mapping[str, Any]], judged: str,
    note: str, by: Subject, at: datetime,
) -> tuple[OwnershipStatement, dict[str, JSON]]:  # fmt: skip
    row = next((one for one in listed if one.key == row_key), None)
    if row is None:
        raise Refusal(_NO_ROW, rule="ownership-row")
    declared = holdings.read(rows)
    verdict = holdings.judge(declared).get(row.name)
    if verdict is None or not any(one.owned == row.name for one in declared.holdings):
        raise Refusal(_NOT_NAMED.format(name=row.name), rule="ownership-named", field="owned-0")
    if verdict.answer == "circular" and (judged not in ("yes", "no") or not note.strip()):
        raise Refusal(_JUDGE, rule="ownership-circle", clause="1.3", field="judged")
    if verdict.answer != "circular" and judged:
        raise Refusal(_DECIDED, rule="ownership-circle", field="judged")
    made = OwnershipStatement.objects.create(
        vault_key=application.vault_key,
        application=application,
        row_key=row_key,
        holdings=holdings.kept(declared),
        verdict=verdict.answer,
        judged=judged,
        note=note.strip()[:_LONGEST],
        by_id=person_of(by),
        at=at,
    )
    detail: dict[str, JSON] = {
        "row": row_key,
        "holdings": len(declared.holdings),
        "verdict": verdict.answer,
        "judged": judged,
    }
    return made, detail


def _event(number: str, made: OwnershipStatement, by: Subject, at: datetime) -> None:
    log_event(case=number, event="ownership", by=by.person, at=at, detail={"verdict": made.verdict})
