"""A whole case as data: facts, timeline, decisions, letters, mails, files, limits and ledger entries, as of an instant.

For the staff everything; for the member what its own pages show it: what it filed and was sent, without names of staff,
internal notes, findings, or a letter whose arrival is not proven. What is dated later than the instant is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from lianfang.accounts.models import Affiliation
from lianfang.audit.queries import proofs
from lianfang.kernel.clock import show, show_date
from lianfang.kernel.deadlines import Deadline, steps
from lianfang.kernel.text import Bilingual
from lianfang.mailroom.models import MailFile, Placement
from lianfang.members import (
    case_kinds,
    changes,
    queries,
    queries_lists,
    recovery_queries,
    shown,
    shown_changes,
    shown_recoveries,
    words,
    words_lists,
)
from lianfang.members.actions.reading_out import STAFF
from lianfang.members.calendars import calendar_at, named
from lianfang.members.case_kinds import Case
from lianfang.members.lifecycle import LIST_CASE
from lianfang.members.models import (
    Appeal,
    Application,
    ChangeRequest,
    Decision,
    LegalHold,
    ListCase,
    Membership,
    Recovery,
    Revocation,
    Statement,
    Termination,
)
from lianfang.outbox.models import Delivery
from lianfang.outbox.reply import case_address
from lianfang.vault.models import StoredFile


def _w(zh: str, en: str) -> Bilingual:
    return Bilingual(zh=zh, en=en)


STEPS = {
    "event": _w("事件發生日", "Day of the event"),
    "first": _w("起算日（次日）", "First day counted (the next)"),
    "counted": _w("期間屆滿日", "Day on which the days are over"),
    "rest": _w("休息日，順延", "Day of rest, put off"),
    "last": _w("最後一日", "Last day"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One fact with its label."""

    label: Bilingual
    value: str


@dataclass(frozen=True, slots=True)
class Section:
    """Facts under one heading."""

    title: Bilingual
    lines: list[Line]


@dataclass(frozen=True, slots=True)
class Kept:
    """A file that belongs to the case, under the path that it has in the archive."""

    path: str
    name: str
    file: StoredFile
    sha256: str


@dataclass(frozen=True, slots=True)
class Limit:
    """A time limit with its counting; without steps where only its end was kept."""

    what: Bilingual
    rule: str
    event: datetime
    days: int
    edition: str
    last_day: str
    steps: list[tuple[str, str]]


@dataclass(slots=True)
class CaseFile:
    """Everything of one case that one reader may have, as of one instant."""

    number: str
    kind: Bilingual
    organization: str
    state: Bilingual | None
    audience: str
    at: datetime
    sections: list[Section] = field(default_factory=list)
    timeline: list[dict[str, Any]] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)
    files: list[Kept] = field(default_factory=list)
    limits: list[Limit] = field(default_factory=list)
    holds: list[LegalHold] = field(default_factory=list)
    received: list[tuple[Placement, list[Kept]]] = field(default_factory=list)
    sent: list[Delivery] = field(default_factory=list)
    ledger: dict[str, Any] = field(default_factory=dict)


def find(number: str) -> Case | None:
    """Return a case of any kind by its number."""
    ask: Any = {
        "A": queries.submitted, "C": changes.change, "K": recovery_queries.recovery, "L": queries_lists.case,
        "P": queries.appeal, "R": queries.revocation, "T": queries.termination,
    }.get(number[:1])  # fmt: skip
    found: Case | None = ask(number) if ask and case_kinds.is_number(number) else None
    return found


def find_own(number: str, *, organization: UUID) -> Case | None:
    """Return a case of this organisation by its number. Somebody else's costs what one costs that does not exist."""
    return find(number) if case_kinds.is_own(number, organization=organization) else None


def organization_of(case: Case) -> Any:
    """Return the organisation that a case is about; None for an applicant that was never admitted."""
    if isinstance(case, Application):
        return case.organization_id
    return _membership(case).organization_id


def _membership(case: ChangeRequest | ListCase | Recovery | Revocation | Appeal | Termination) -> Membership:
    return (case.revocation if isinstance(case, Appeal) else case).membership


def build(case: Case, *, audience: str, at: datetime) -> CaseFile:
    """Gather a case as of an instant for the staff or for its member. Reads only."""
    number, staff = case.number or "", audience == STAFF
    events = queries.events(number)
    # A state is not kept by its instants: it is known if nothing happened in the case since.
    state = _state(case) if all(one.at <= at for one in events) else None
    found = CaseFile(number, case_kinds.KINDS[number[0]].words, _name(case), state, audience, at)
    found.decisions = [one for one in _decisions(case) if one.decided_at <= at]
    found.sections = [one for one in _sections(case, staff, at) if one.lines]
    events = [one for one in events if one.at <= at]
    notes = [one for one in queries.notes(number, to_applicant=None if staff else True) if one.at <= at]
    found.timeline = sorted(shown.timeline(events, notes, names=staff), key=lambda one: (one["at"], one["title"].zh))
    found.files = list(_numbered(_files(case, at)))
    found.limits = list(_limits(case, at))
    found.sent = _sent(case, staff, at)
    if staff:
        holds = LegalHold.objects.select_related("vault_key", "placed_by__vault_key", "lifted_by__vault_key")
        found.holds = list(holds.filter(case=number, placed_at__lte=at).order_by("placed_at"))
        found.received = list(_received(number, at))
    found.ledger = _ledger(case, found, staff, at)
    return found


def _name(case: Case) -> str:
    if isinstance(case, Application):
        return case.name_zh
    return _membership(case).organization.name_zh


def _state(case: Case) -> Bilingual:
    return case_kinds.KINDS[(case.number or "")[0]].machine.states[case.state]


def _decisions(case: Case) -> list[Decision]:
    if isinstance(case, Application):
        return queries.decisions(application=case)
    if isinstance(case, ChangeRequest):
        return queries.decisions(change=case)
    if isinstance(case, Termination):
        return queries.decisions(termination=case)
    if isinstance(case, Appeal):
        return queries.decisions(appeal=case)
    if isinstance(case, Recovery | ListCase):
        return []
    return [one for one in queries.decisions(revocation=case) if one.appeal_id is None]


# Facts


def _line(zh: str, en: str, value: object) -> Line:
    said = show(value) if isinstance(value, datetime) else str(value if value is not None else "")
    return Line(_w(zh, en), said)


def _sections(case: Case, staff: bool, at: datetime) -> Iterator[Section]:
    if isinstance(case, Application):
        yield from _of_application(case, staff, at)
    elif isinstance(case, ChangeRequest):
        yield from _of_change(case, staff)
    elif isinstance(case, Revocation):
        yield from _of_revocation(case, staff, at)
    elif isinstance(case, Recovery):
        yield from _of_recovery(case, staff, at)
    elif isinstance(case, ListCase):
        yield from _of_list_case(case, at)
    elif isinstance(case, Appeal):
        lines = [_line("提出", "Filed", case.filed_at), _line("逾期", "Late", "是 yes" if case.late else "否 no"),
                 _line("對象", "Against", case.revocation.number), _line("理由", "Reasons", case.text)]  # fmt: skip
        yield Section(_w("申訴", "Appeal"), lines)
        if staff and case.recommended_at and case.recommended_at <= at:
            yield Section(_w("再次審查", "Re-review"), [_line("所見", "Findings", case.findings or "")])
    else:
        lines = [_line("提出", "Filed", case.filed_at), _line("理由", "Reason", case.reason)]
        lines.append(Line(_w("所得情資", "Intelligence received"), _both(words.HANDLING[case.handling])))
        yield Section(_w("會員的申請", "Request of the member"), lines)
        if staff and case.recommended_at and case.recommended_at <= at:
            yield Section(_w("審查", "Review"), [_line("所見", "Findings", case.findings)])


def _of_application(case: Application, staff: bool, at: datetime) -> Iterator[Section]:
    head = [
        _line("送出", "Sent", case.submitted_at),
        _line("統一編號", "UBN", case.ubn),
        _line("信箱", "E-mail", case.email),
    ]
    yield Section(_w("申請", "Application"), head)
    spec = queries.spec_of(case)
    for one in shown.sections(spec, case):
        yield Section(one.step.title, [Line(line.label, _said(line.value)) for line in one.lines])
    rows = [Line(_w(str(place), str(place)), f"{row.name} {row.ubn}")
            for place, row in enumerate(queries.all_rows(case)[1:], start=1)]  # fmt: skip
    yield Section(_w("名冊", "Roster"), rows)
    given = queries.attestation(case)
    if given is not None and given.at <= at:
        lines = [_line("切結人", "By", f"{given.name} {given.title}"), _line("時間", "At", given.at)]
        yield Section(_w("切結", "Attestation"), [*lines, _line("內容", "Words", given.text)])
    asked = [Line(_w(f"第{one.round}次", f"Round {one.round}"), f"{one.message} → {one.answer or ''}")
             for one in queries.corrections(case)]  # fmt: skip
    yield Section(_w("補正", "Corrections"), asked)
    if staff:
        found, lines = queries.findings(case), []
        for row in queries.all_rows(case):
            by = found.get(row.key)
            if by is not None and by.at <= at:
                said = f"{_both(words.SCREENING[by.result])} {by.source} {by.list_date or ''} {by.note}"
                lines.append(Line(_w(row.name, row.name), said.strip()))
        yield Section(_w("檢核", "Screening"), lines)


def _of_change(case: ChangeRequest, staff: bool) -> Iterator[Section]:
    lines = [_line("提出", "Filed", case.submitted_at), _line("事由", "Occasion", case.reason),
             _line("來文日", "Received on", case.received_on or "")]  # fmt: skip
    if staff:
        lines.append(_line("提出人", "Filed by", case.filed_by.name))
    yield Section(_w("異動申請", "Change request"), lines)
    spec = changes.spec_in_force(case.submitted_at)
    yield Section(_w("異動內容", "Changed data"), [
        Line(one.label, f"{_said(one.old)} → {_said(one.new)}") for one in shown_changes.lines(spec, case.values)
    ])  # fmt: skip
    rows = shown_changes.row_lines(case.values, most=100_000)
    yield Section(
        _w("名冊異動", "Roster"), [Line(one.what, f"{one.old} → {one.new} {one.ubn}".strip()) for one in rows]
    )
    if staff and case.recommendation:
        yield Section(_w("審查", "Review"), [_line("建議", "Recommendation", case.recommendation),
                                             _line("理由", "Reasons", case.recommendation_text)])  # fmt: skip


def _of_revocation(case: Revocation, staff: bool, at: datetime) -> Iterator[Section]:
    if staff:
        yield Section(_w("事實", "Facts"), [Line(_w("理由", "Ground"), _both(words.GROUNDS[case.ground])),
                                            _line("事實", "Facts", case.facts)])  # fmt: skip
    if case.notice_at and case.notice_at <= at:
        yield Section(_w("擬取消通知", "Notice of intent"), [_line("通知", "Given", case.notice_at),
                                                            _line("內容", "Words", case.notice_text)])  # fmt: skip
    for one in _statements(case, at):
        yield Section(_w("會員陳述", "Statement of the member"), [
            _line("提出", "Filed", one.filed_at), _line("逾期", "Late", "是 yes" if one.late else "否 no"),
            _line("內容", "Words", one.text),
        ])  # fmt: skip
    arrivals = [_line("送達", "Arrival", f"{show(one.arrived_at)} {one.how} {one.reference}")
                for one in case.arrivals.filter(at__lte=at).order_by("at", "pk")]  # fmt: skip
    yield Section(_w("送達", "Arrival of the letter"), arrivals)


def _of_recovery(case: Recovery, staff: bool, at: datetime) -> Iterator[Section]:
    yield Section(_w("請求", "Request"), [
        _line("提出", "Filed", case.filed_at), _line("來文日", "Received on", case.received_on or ""),
        _line("理由", "Reason", case.reason),
    ])  # fmt: skip
    asked = [_line(one["name"], one["name"], f"{one['title']} {one['email']} {one['phone']}") for one in case.people]
    yield Section(_w("新管理員", "New administrators"), asked)
    if staff and case.recommended_at and case.recommended_at <= at:
        advice = Line(_w("建議", "Recommendation"), _both(shown_recoveries.RECOMMENDED[case.recommendation]))
        yield Section(_w("審查", "Review"), [advice, _line("所見", "Findings", case.findings)])
    if case.decided_at and case.decided_at <= at:
        lines = [_line("時間", "At", case.decided_at), _line("內容", "Words", case.decision_text)]
        if case.waits_until:
            lines.append(_line("可提出異議至", "Objections until", case.waits_until))
        yield Section(_w("決定", "Decision"), lines)
    told = [one for one in recovery_queries.notices(case) if one.sent_at <= at]
    if staff:
        yield Section(_w("通知的聯絡人", "Contacts that were told"), [
            _line(one.person.name, one.person.name, f"{one.email} {show(one.sent_at)}") for one in told
        ])  # fmt: skip
    objected = [one.objected_at for one in told if one.objected_at and one.objected_at <= at]
    if objected:
        said = [_line("時間", "At", min(objected))]
        yield Section(_w("異議", "Objection"), [*said, _line("內容", "Words", case.objection)] if staff else said)


def _of_list_case(case: ListCase, at: datetime) -> Iterator[Section]:
    edition = case.edition
    yield Section(_w("名單給的結果", "What the list gave"), [
        _line("名單", "List", f"{edition.source} {edition.list_date} {edition.file_name}"),
        _line("名冊列", "Row of the roster", f"{case.row_name} {case.row_ubn}"),
        Line(_w("結果", "Result"), _both(words_lists.RESULTS[case.result])),
        *(_line("名單列", "Row of the list", f"{name} {number} {score}") for number, name, score, _ in case.matches),
    ])  # fmt: skip
    if case.closed_at and case.closed_at <= at:
        yield Section(_w("判斷", "Judgement"), [
            _line("時間", "At", case.closed_at), Line(_w("判斷", "Judgement"), _both(LIST_CASE.states[case.state])),
            _line("說明", "Note", case.note),
        ])  # fmt: skip


def _statements(case: Revocation, at: datetime) -> list[Statement]:
    rows = Statement.objects.select_related("vault_key").filter(revocation=case, filed_at__lte=at)
    return list(rows.prefetch_related("files__file__vault_key", "files__vault_key").order_by("filed_at", "pk"))


def _both(said: Bilingual) -> str:
    return f"{said.zh} {said.in_language('en')}"


def _said(value: object) -> str:
    return _both(value) if isinstance(value, Bilingual) else str(value if value is not None else "")


# Files, limits, mails, ledger


def _files(case: Case, at: datetime) -> Iterable[Any]:
    if isinstance(case, Application):
        rows: Any = case.attachments.filter(uploaded_at__lte=at)
    elif isinstance(case, Revocation):
        return [file for one in _statements(case, at) for file in sorted(one.files.all(), key=lambda f: str(f.pk))]
    elif isinstance(case, ChangeRequest | Appeal | Recovery):
        rows = case.files
    else:
        return []
    return list(rows.select_related("file__vault_key", "vault_key").order_by("file__stored_at", "pk"))


def _numbered(rows: Iterable[Any], under: str = "files") -> Iterator[Kept]:
    for place, one in enumerate(rows, start=1):
        ending = {"application/pdf": "pdf", "image/png": "png", "image/jpeg": "jpg"}.get(one.media_type, "bin")
        # The name that people gave it stands in the index; a path in the archive holds nothing of anybody's choice.
        yield Kept(f"{under}/{place:03d}.{ending}", one.filename, one.file, bytes(one.sha256).hex())


def _limits(case: Case, at: datetime) -> Iterator[Limit]:
    if isinstance(case, Revocation):
        if case.notice is not None and case.notice_at and case.notice_at <= at:
            yield _limit(_w("會員陳述", "Statement of the member"), case.notice)
        if case.deadline is not None and case.decided_at and case.decided_at <= at:
            yield _limit(_w("申訴", "Appeal"), case.deadline)
        return
    if isinstance(case, ListCase):
        return
    began: datetime | None = case.submitted_at if isinstance(case, Application | ChangeRequest) else case.filed_at
    if began is None or case.due_at is None:
        return
    what, due = _w("審查", "Review"), case.due_at
    calendar = calendar_at(began)
    for days in range(1, 366):
        counted = Deadline.count(event=began, rule="D8", days=days, calendar=calendar)
        if counted.ends_at - timedelta(seconds=1) >= due:
            if counted.ends_at - timedelta(seconds=1) == due:
                yield _limit(what, counted)
            else:
                yield Limit(what, "D8", began, 0, "", show_date(due), [])
            return


def _limit(what: Bilingual, deadline: Deadline) -> Limit:
    calendar = named(deadline.edition)
    counted = steps(deadline.event, deadline.days, calendar) if calendar else []
    return Limit(
        what, deadline.rule, deadline.event, deadline.days, deadline.edition, deadline.last_day.isoformat(),
        [(one.code, one.day.isoformat()) for one in counted],
    )  # fmt: skip


def _sent(case: Case, staff: bool, at: datetime) -> list[Delivery]:
    address = case_address(case.number or "")
    if not address:
        return []
    rows = Delivery.objects.select_related("vault_key").filter(reply_to=address, created_at__lte=at)
    if not staff:
        # What was mailed to its own people; of others not even that it was.
        people = Affiliation.objects.filter(organization=organization_of(case)).values("person")
        rows = rows.filter(person_id__in=people)
    return list(rows.order_by("created_at", "pk"))


def _received(number: str, at: datetime) -> Iterator[tuple[Placement, list[Kept]]]:
    rows = Placement.objects.select_related("mail__vault_key", "mail__raw__vault_key", "by__vault_key")
    for place, one in enumerate(rows.filter(case=number, at__lte=at).order_by("at", "pk"), start=1):
        files: Sequence[MailFile] = list(
            one.mail.files.select_related("file__vault_key", "vault_key").order_by("place")
        )
        kept = list(_numbered(files, f"mails/in/{place:03d}"))
        if one.mail.raw is not None:
            kept.append(
                Kept(f"mails/in/{place:03d}/original.eml", "original.eml", one.mail.raw, bytes(one.mail.sha256).hex())
            )
        yield one, kept


def _ledger(case: Case, found: CaseFile, staff: bool, at: datetime) -> dict[str, Any]:
    about = [(case._meta.label_lower, str(case.pk)), ("members.case", found.number)]
    about += [("members.legalhold", str(one.pk)) for one in found.holds]
    about += [("mailroom.mail", str(one.mail_id)) for one, _ in found.received]
    about += [("outbox.delivery", str(one.pk)) for one in found.sent]
    given = proofs(about=about, at=at)
    if not staff:
        people = {str(one) for one in _people(case)}
        given["entries"] = [
            one for one in given["entries"]
            if "decision" in one["entry"]["detail"] or any(person in one["entry"]["actor"] for person in people)
        ]  # fmt: skip
    return given


def _people(case: Case) -> list[Any]:
    rows = Affiliation.objects.filter(organization=organization_of(case))
    return list(rows.values_list("person_id", flat=True).distinct())
