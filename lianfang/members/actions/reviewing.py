"""What the reviewer does with an application, up to the recommendation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from lianfang.accounts.doors import require
from lianfang.audit.actions import action, record
from lianfang.audit.tags import Tag
from lianfang.kernel.clock import taipei
from lianfang.kernel.deadlines import Deadline
from lianfang.kernel.refusal import Refusal
from lianfang.kernel.text import Bilingual
from lianfang.members import queries
from lianfang.members.actions.applying import LAST_SECOND, case_link, log_event, organization_words
from lianfang.members.actors import person_of
from lianfang.members.calendars import calendar_at
from lianfang.members.lifecycle import APPLICATION
from lianfang.members.models import (
    Appeal,
    Application,
    Attachment,
    AuthorityCheck,
    CaseNote,
    ChangeRequest,
    ConflictDeclaration,
    CorrectionItem,
    ListCase,
    Recovery,
    Revocation,
    ScreeningFinding,
    Termination,
)
from lianfang.notices.actions import send
from lianfang.policy.facts import Right, Subject

RESULTS = ("clear", "name_hit", "id_hit", "unverifiable")
_LONGEST = 4000

_NO_ITEM = Bilingual(zh="請至少寫一項補正。", en="Name at least one thing to correct.")
_NO_FIELD = Bilingual(zh="請選申請表上的欄位。", en="Choose a field of the form.")
_NO_MESSAGE = Bilingual(zh="請寫下要補正什麼。", en="Say what is to be corrected.")
_RESULT = Bilingual(zh="請選檢核結果。", en="Choose a result.")
_SOURCE = Bilingual(
    zh="請寫名單來源，例如「經濟部投資審議司陸資來臺投資事業名錄」。", en="Name the list that was used."
)
_LIST_DATE = Bilingual(zh="請寫名單日期，不能晚於今天。", en="Give the date of the list, not later than today.")
_REASON = Bilingual(
    zh="判斷為他人時，請寫下理由（規章1.3）。",
    en="Write the reason why it is somebody else (Charter 1.3).",
)
_NO_ROW = Bilingual(
    zh="名冊上沒有這一列，可能已被更新。", en="There is no such row on the roster; it may have changed."
)
_METHOD = Bilingual(zh="請選查證方式。", en="Choose how it was checked.")
_CODED = Bilingual(zh="請選理由。", en="Choose a reason.")
_EXPLAIN = Bilingual(zh="選「其他」時請說明。", en="Explain when you choose “other”.")
_WRITE = Bilingual(zh="請寫下內容。", en="Write something.")
_WHY_CONFLICT = Bilingual(zh="請寫下是什麼利害關係。", en="Say what the conflict is.")


@dataclass(frozen=True, slots=True)
class Finding:
    """What one roster row gave: `row_key` is `roster.Row.key` of the words that were screened."""

    row_key: str
    result: str
    source: str
    list_date: date
    note: str = ""
    other_entity: bool = False


def locked_application(application: Application) -> Application:
    """Lock a case for an action of the staff and return it as it is now."""
    rows = Application.objects.select_for_update(of=("self",)).select_related("procedure", "vault_key")
    return rows.get(pk=application.pk)


@action(Tag.MEMBERS_CONFLICT_DECLARE)
def declare_conflict(
    *,
    case: Application | Revocation | Termination | Appeal | ChangeRequest | ListCase | Recovery,
    conflict: bool,
    reason: str = "",
    by: Subject,
    at: datetime,
) -> None:
    """Keep what somebody of the staff declares about a conflict of interest in a case; it may be declared anew."""
    require(subject=by, right=Right.ENTER_STAFF_PLANE, at=at)
    if conflict and not reason.strip():
        raise Refusal(_WHY_CONFLICT, rule="conflict-reason", field="reason")
    number = case.number or ""
    ConflictDeclaration.objects.create(
        case=number, person_id=person_of(by), conflict=conflict, reason=reason.strip(), at=at
    )
    record(by=by, at=at, about=case, detail={"conflict": conflict})
    log_event(case=number, event="conflict" if conflict else "conflict_none", by=by.person, at=at, detail={})


@action(Tag.MEMBERS_APPLICATION_TAKE_UP)
def take_up(*, application: Application, by: Subject, at: datetime) -> None:
    """Become the reviewer of a case that nobody has taken up."""
    locked = locked_application(application)
    require(subject=by, right=Right.TAKE_UP, target=queries.case_of(locked), at=at)
    APPLICATION.move(locked, "take_up", conflict=_conflict(locked, by))
    locked.reviewer_id = person_of(by)
    locked.save(update_fields=["state", "reviewer"])
    record(by=by, at=at, about=locked)
    log_event(case=locked.number or "", event="taken_up", by=by.person, at=at, detail={})


@action(Tag.MEMBERS_FINDING_RECORD)
def record_findings(*, application: Application, findings: Sequence[Finding], by: Subject, at: datetime) -> None:
    """Keep what screening gave for rows of the roster; the latest finding of a row counts (charter 1.3).

    Raises Refusal naming the field for a row that is not on the roster, and for a match judged to be somebody else
    without a written reason.
    """
    locked = locked_application(application)
    require(subject=by, right=Right.REVIEW, target=queries.case_of(locked), at=at)
    require_state(locked, "under_review")
    rows = {row.key for row in queries.all_rows(locked)}
    for finding in findings:
        check_finding(finding, rows, at)
    # Of one row told twice the later counts.
    findings = list({finding.row_key: finding for finding in findings}.values())
    known = queries.findings(locked)
    ScreeningFinding.objects.bulk_create(
        [_row(locked, finding, known.get(finding.row_key), by, at) for finding in findings]
    )
    counts = {result: sum(one.result == result for one in findings) for result in RESULTS}
    record(by=by, at=at, about=locked, detail={"rows": len(findings), **counts, "roster": locked.roster_hash})
    log_event(case=locked.number or "", event="screened", by=by.person, at=at, detail={"rows": len(findings), **counts})


def check_finding(finding: Finding, rows: set[str], at: datetime) -> None:
    """Raise Refusal, naming the field, for a finding that cannot be kept."""
    if finding.row_key not in rows:
        raise Refusal(_NO_ROW, rule="finding-row")
    if finding.result not in RESULTS:
        raise Refusal(_RESULT, rule="finding-result", field="result")
    if not finding.source.strip() or len(finding.source) > 120:
        raise Refusal(_SOURCE, rule="finding-source", field="source")
    if finding.list_date > taipei(at).date():
        raise Refusal(_LIST_DATE, rule="finding-date", field="list_date")
    if finding.other_entity and not finding.note.strip():
        raise Refusal(_REASON, rule="finding-reason", clause="1.3", field="note")


def _row(
    application: Application, finding: Finding, known: ScreeningFinding | None, by: Subject, at: datetime
) -> ScreeningFinding:
    # A judgement of what the system found is about the very rows of the list that it found.
    judged = known if known is not None and (known.result, known.list_date) == _named(finding) else None
    return ScreeningFinding(
        vault_key=application.vault_key,
        application=application,
        row_key=finding.row_key,
        result=finding.result,
        other_entity=finding.other_entity and finding.result == "name_hit",
        source=finding.source.strip(),
        list_date=finding.list_date,
        note=finding.note.strip()[:_LONGEST],
        edition_id=judged.edition_id if judged else None,
        matches=judged.matches if judged else [],
        by_id=person_of(by),
        at=at,
    )


def _named(finding: Finding) -> tuple[str, date]:
    return finding.result, finding.list_date


@action(Tag.MEMBERS_AUTHORITY_CHECK)
def check_authority(*, application: Application, method: str, note: str = "", by: Subject, at: datetime) -> None:
    """Keep how the authority of the person who attested was checked."""
    locked = locked_application(application)
    require(subject=by, right=Right.REVIEW, target=queries.case_of(locked), at=at)
    require_state(locked, "under_review")
    known = {option["value"] for option in queries.spec_of(locked).authority_methods}
    if method not in known:
        raise Refusal(_METHOD, rule="authority-method", field="method")
    AuthorityCheck.objects.create(
        vault_key=locked.vault_key,
        application=locked,
        method=method,
        note=note.strip()[:_LONGEST],
        by_id=person_of(by),
        at=at,
    )
    record(by=by, at=at, about=locked, detail={"method": method})
    log_event(case=locked.number or "", event="authority_checked", by=by.person, at=at, detail={"method": method})


@action(Tag.MEMBERS_APPLICATION_CORRECT)
def request_correction(
    *, application: Application, items: Sequence[Mapping[str, str]], by: Subject, at: datetime
) -> list[CorrectionItem]:
    """Ask for corrections; each item is `{"step", "field", "message"}`. The applicant answers on the same form (N2)."""
    locked = locked_application(application)
    require(subject=by, right=Right.REVIEW, target=queries.case_of(locked), at=at)
    APPLICATION.move(locked, "request_correction", conflict=_conflict(locked, by))
    spec = queries.spec_of(locked)
    limit = Deadline.count(event=at, rule="D8", days=spec.correction_days, calendar=calendar_at(at))
    made = [_item(locked, place, item, limit, by, at) for place, item in enumerate(items, start=1)]
    if not made:
        raise Refusal(_NO_ITEM, rule="correction-item", field="message")
    locked.due_at = limit.ends_at - LAST_SECOND
    locked.save(update_fields=["state", "due_at"])
    fields = [f"{item.step}.{item.field}" for item in made]
    record(by=by, at=at, about=locked, detail={"fields": fields, "due": locked.due_at.isoformat()})
    log_event(case=locked.number or "", event="correction_requested", by=by.person, at=at, detail={"items": len(made)})
    _mail_corrections(locked, made, by, at)
    return made


def _item(
    application: Application, place: int, item: Mapping[str, str], limit: Deadline, by: Subject, at: datetime
) -> CorrectionItem:
    step, field, message = item["step"], item["field"], item["message"].strip()
    try:
        queries.spec_of(application).field(step, field)
    except KeyError:
        raise Refusal(_NO_FIELD, rule="correction-field", field="field") from None
    if not message:
        raise Refusal(_NO_MESSAGE, rule="correction-message", field="message")
    return CorrectionItem.objects.create(
        vault_key=application.vault_key,
        application=application,
        round=application.corrections.values("round").distinct().count() + (1 if place == 1 else 0),
        place=place,
        step=step,
        field=field,
        message=message[:_LONGEST],
        old_value=application.answers.get(step, {}).get(field),
        requested_by_id=person_of(by),
        requested_at=at,
        due_at=limit.ends_at - LAST_SECOND,
    )


def _mail_corrections(application: Application, items: Sequence[CorrectionItem], by: Subject, at: datetime) -> None:
    spec = queries.spec_of(application)
    lines = [
        Bilingual(zh="{field}：{message}", en="{field}: {message}").format(
            field=spec.step(item.step).named(spec.field(item.step, item.field)), message=item.message
        )
        for item in items
    ]
    send(
        notice="N2",
        to_address=application.email,
        context={
            "number": application.number,
            **organization_words(application),
            "items": lines,
            "link": case_link(application),
        },
        by=by,
        at=at,
    )


@action(Tag.MEMBERS_CASE_NOTE)
def add_note(
    *,
    case: Application | Revocation | Termination | ChangeRequest,
    text: str,
    to_applicant: bool = False,
    by: Subject,
    at: datetime,
) -> None:
    """Add an internal note, or (a deliberate other act) a message that the applicant sees on its page."""
    require(subject=by, right=Right.ENTER_STAFF_PLANE, target=queries.case_of(case), at=at)
    if not text.strip():
        raise Refusal(_WRITE, rule="note-text", field="text")
    CaseNote.objects.create(
        vault_key=case.vault_key,
        case=case.number or "",
        to_applicant=to_applicant,
        text=text.strip()[:_LONGEST],
        by_id=person_of(by),
        at=at,
    )
    record(by=by, at=at, about=case, detail={"to_applicant": to_applicant}, text=text)


@action(Tag.MEMBERS_APPLICATION_RECOMMEND)
def recommend(
    *, application: Application, what: str, reasons: Sequence[str], text: str = "", by: Subject, at: datetime
) -> None:
    """Recommend `approve` or `reject` with coded reasons; the decision is another person's (four eyes)."""
    locked = locked_application(application)
    require(subject=by, right=Right.REVIEW, target=queries.case_of(locked), at=at)
    coded(locked, what, reasons, text)
    context = {"conflict": _conflict(locked, by), "readiness": queries.readiness(locked, at)}
    if what == "approve":
        attested = {"attested": queries.attested_hash(locked), "roster": locked.roster_hash}
        APPLICATION.move(locked, "recommend_approval", **context, **attested)
    else:
        APPLICATION.move(locked, "recommend_rejection", **context)
    # Whoever recommends is the reviewer from now on, and so cannot decide.
    locked.reviewer_id = person_of(by)
    locked.recommendation, locked.recommendation_reasons = what, list(reasons)
    locked.recommendation_text, locked.recommended_at = text.strip()[:_LONGEST], at
    locked.save()
    record(by=by, at=at, about=locked, detail={"recommendation": what, "reasons": list(reasons)}, text=text)
    log_event(
        case=locked.number or "", event=f"recommended_{what}", by=by.person, at=at, detail={"reasons": list(reasons)}
    )


def coded(application: Application, what: str, reasons: Sequence[str], text: str) -> list[Mapping[str, str]]:
    """Return the coded reasons of the procedure. Raises Refusal when none is given, or "other" without a word."""
    spec = queries.spec_of(application)
    if what not in ("approve", "reject"):
        raise Refusal(_CODED, rule="reason-coded", field="reasons")
    found = [spec.reason(what, value) for value in reasons]
    if not found or None in found:
        raise Refusal(_CODED, rule="reason-coded", field="reasons")
    if "other" in reasons and not text.strip():
        raise Refusal(_EXPLAIN, rule="reason-text", field="text")
    return [reason for reason in found if reason is not None]


@action(Tag.MEMBERS_APPLICATION_RETURN)
def return_to_review(*, application: Application, text: str = "", by: Subject, at: datetime) -> None:
    """Send a recommended case back to its reviewer."""
    locked = locked_application(application)
    require(subject=by, right=Right.APPROVE, target=queries.case_of(locked), at=at)
    APPLICATION.move(
        locked,
        "return_to_review",
        reviewer=queries.reviewer_beside(locked, by.person),
        decider=by.person,
        conflict=_conflict(locked, by),
    )
    locked.recommendation = ""
    locked.save(update_fields=["state", "recommendation"])
    record(by=by, at=at, about=locked, text=text)
    log_event(case=locked.number or "", event="returned", by=by.person, at=at, detail={})
    if text.strip():
        add_note(case=locked, text=text, by=by, at=at)


@action(Tag.MEMBERS_ATTACHMENT_READ)
def read_attachment(*, application: Application, attachment_id: UUID, by: Subject, at: datetime) -> Attachment | None:
    """Return an attachment for somebody of the staff who may see the case, and keep that it was opened."""
    require(subject=by, right=Right.ENTER_STAFF_PLANE, target=queries.case_of(application), at=at)
    attachment = application.attachments.select_related("file__vault_key", "vault_key").filter(pk=attachment_id).first()
    record(by=by, at=at, about=application, detail={"attachment": str(attachment_id), "found": attachment is not None})
    return attachment


def _conflict(case: Application, by: Subject) -> bool | None:
    return queries.conflict_of(case.number or "", by.person)


def require_state(application: Application, state: str) -> None:
    """Raise Refusal unless the case is in that state."""
    if application.state != state:
        words = Bilingual(zh="目前狀態為「{state}」，不能做這件事。", en="Not possible while the state is “{state}”.")
        raise Refusal(words.format(state=APPLICATION.states[application.state]), rule="application-state")
