"""Every limit that runs, whichever case it belongs to, and the table of rules by which they are counted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.urls import reverse

from lianfang.accounts import registry
from lianfang.kernel.clock import taipei
from lianfang.kernel.deadlines import Deadline, Step, steps
from lianfang.kernel.text import Bilingual
from lianfang.members import queries
from lianfang.members.calendars import calendar_at, named
from lianfang.members.lifecycle import OPEN_CHANGE
from lianfang.members.models import (
    Appeal,
    Application,
    ChangeConfirmation,
    ChangeRequest,
    ParticipationObjection,
    Revocation,
    Termination,
)
from lianfang.members.procedure import Spec

_MOST = 2000


def _w(zh: str, en: str) -> Bilingual:
    return Bilingual(zh=zh, en=en)


WHAT = {
    "application": _w("審查入會申請", "Review of an application"),
    "correction": _w("申請人補正", "Correction by the applicant"),
    "change": _w("審查異動", "Review of a change"),
    "revocation": _w("取消審查", "Review of a revocation"),
    "hearing": _w("會員陳述", "Statement of a member"),
    "appeal_window": _w("會員申訴", "Appeal by a member"),
    "appeal": _w("再次審查申訴", "Re-review of an appeal"),
    "termination": _w("審查終止申請", "Review of a termination"),
    "confirmation": _w("信箱確認異動", "Confirmation of a change by its mailbox"),
    "objection": _w("回覆對參與紀錄的異議", "Answer to an objection to the record of participation"),
}


@dataclass(frozen=True, slots=True)
class Running:
    """A limit that runs: of which case, what is awaited, its last day, and how it was counted where that was kept."""

    number: str
    organization: str
    what: str
    rule: str
    last_day: date
    url: str
    deadline: Deadline | None = None
    waits: bool = False
    """Whether it has not begun to run: the day is the earliest possible one."""

    @property
    def words(self) -> Bilingual:
        """What is awaited."""
        return WHAT[self.what]

    def days_left(self, at: datetime) -> int:
        """Return the days until the last day; negative once it is over."""
        return (self.last_day - taipei(at).date()).days

    def steps(self) -> list[Step]:
        """Return how it was counted, from what was kept; nothing when its edition is not known any more."""
        calendar = named(self.deadline.edition) if self.deadline else None
        return steps(self.deadline.event, self.deadline.days, calendar) if self.deadline and calendar else []


def running(at: datetime) -> list[Running]:
    """Return every limit that runs at that instant or is over while its case is open, those due first."""
    found = [*_filings(), *_revocations(at), *_appeals(), *_confirmations(), *_objections(at)]
    return sorted(found, key=lambda one: (one.last_day, one.number))


def _filings() -> Iterator[Running]:
    open_ = Application.objects.filter(state__in=["submitted", "under_review", "recommended", "correction_requested"])
    for one in open_.filter(due_at__isnull=False).order_by("due_at")[:_MOST]:
        what = "correction" if one.state == "correction_requested" else "application"
        assert one.due_at is not None
        yield Running(
            one.number or "", one.name_zh, what, "D8", taipei(one.due_at).date(), reverse("case", args=[one.number])
        )
    changes = ChangeRequest.objects.filter(state__in=["submitted", "under_review"])
    for change in changes.select_related("membership__organization").order_by("due_at")[:_MOST]:
        name, day = change.membership.organization.name_zh, taipei(change.due_at).date()
        yield Running(change.number, name, "change", "D8", day, reverse("change_case", args=[change.number]))
    ends = Termination.objects.filter(state__in=["requested", "recommended"])
    for end in ends.select_related("membership__organization").order_by("due_at")[:_MOST]:
        name, day = end.membership.organization.name_zh, taipei(end.due_at).date()
        yield Running(end.number, name, "termination", "D8", day, reverse("termination", args=[end.number]))


def _revocations(at: datetime) -> Iterator[Running]:
    rows = Revocation.objects.select_related("membership__organization")
    for one in rows.filter(state__in=["under_review", "proposed"]).order_by("due_at")[:_MOST]:
        name, url = one.membership.organization.name_zh, reverse("revocation", args=[one.number])
        yield Running(one.number, name, "revocation", "D8", taipei(one.due_at).date(), url)
        notice = one.notice
        if notice is not None and not notice.is_late(at):
            yield Running(one.number, name, "hearing", "D8", notice.last_day, url, notice)
    # One that never began to run stays until it is appealed or the membership stands otherwise.
    for one in rows.filter(state="revoked", membership__state="revoked", appeals__isnull=True)[:_MOST]:
        limit = one.deadline
        if limit is not None and not one.is_late(at):
            name, url = one.membership.organization.name_zh, reverse("revocation", args=[one.number])
            yield Running(one.number, name, "appeal_window", "D1", limit.last_day, url, limit, one.awaits_arrival)


def _appeals() -> Iterator[Running]:
    rows = Appeal.objects.filter(state__in=["filed", "recommended"], due_at__isnull=False)
    for one in rows.select_related("revocation__membership__organization").order_by("due_at")[:_MOST]:
        assert one.due_at is not None
        name, url = one.revocation.membership.organization.name_zh, reverse("appeal", args=[one.number])
        yield Running(one.number, name, "appeal", "D8", taipei(one.due_at).date(), url)


def _confirmations() -> Iterator[Running]:
    """One row a request: the first of its mailboxes whose link ends."""
    rows = ChangeConfirmation.objects.filter(answered_at__isnull=True, change__state__in=OPEN_CHANGE)
    seen = set()
    for one in rows.select_related("change__membership__organization").order_by("expires_at")[:_MOST]:
        if one.change_id in seen:
            continue
        seen.add(one.change_id)
        name, url = one.change.membership.organization.name_zh, reverse("change_case", args=[one.change.number])
        # A link works until an instant, so the last whole second before it names the day.
        day = taipei(one.expires_at - timedelta(seconds=1)).date()
        yield Running(one.change.number, name, "confirmation", "D8", day, url)


def _objections(at: datetime) -> Iterator[Running]:
    """The oldest of each member: an objection has no number of its own. How long is the procedure's."""
    days, calendar = Spec(queries.procedure_in_force(at).spec).review_days, calendar_at(at)
    rows = ParticipationObjection.objects.filter(answered_at__isnull=True).order_by("at")
    rows = rows.select_related("fact__membership__organization", "fact__membership__application")
    seen = set()
    for one in rows[:_MOST]:
        held = one.fact.membership
        if held.pk in seen:
            continue
        seen.add(held.pk)
        limit = Deadline.count(event=one.at, rule="D8", days=days, calendar=calendar)
        number, url = held.application.number or "", reverse("participation_record", args=[held.pk])
        yield Running(number, held.organization.name_zh, "objection", "D8", limit.last_day, url, limit)


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of the table of limits: what sets it running, how long it is, where that stands."""

    id: str
    event: Bilingual
    length: Bilingual
    source: str
    settings: tuple[str, ...] = ()
    not_counted: Bilingual | None = None
    """Why no case of it stands in the list above: its procedure does not exist here, so somebody counts by hand."""


_NO_REQUESTS = _w(
    "平台還沒有個資請求的程序，收到時請自行計算", "No procedure for data requests here yet; count by hand"
)
_NO_BREACH = _w(
    "平台還沒有個資外洩的程序，發生時請自行計算", "No procedure for breaches of personal data here yet; count by hand"
)
_NO_FILES = _w("平台不公開個資檔案清單，請自行計算", "No list of personal-data files here; count by hand")
_NO_INCIDENTS = _w(
    "平台還沒有資安事件通報的程序，請自行計算", "No procedure for incident reports here yet; count by hand"
)


def rules(at: datetime) -> list[Rule]:
    """Return the table of limits (D1 to D8), with the lengths that are settings as they are at that instant."""
    spec = Spec(queries.procedure_in_force(at).spec)
    days = _w("{n}天", "{n} days")
    names = ("appeal_days", "hearing_days", "rereview_days", "change_confirm_days")
    appeal, hearing, again, confirm = (days.format(n=registry.value(name, at)) for name in names)
    review, correct = days.format(n=spec.review_days), days.format(n=spec.correction_days)
    return [
        Rule("D1", _w("取消會籍→申訴", "Revocation → appeal"), appeal, "規章 1.4", ("appeal_days", "appeal_start")),
        Rule("D2", _w("個資查詢、閱覽、複製→決定", "Data request: inspect, copy → decision"),
             _w("15天，得延長15天", "15 days, once 15 more"), "個資法 13 I", not_counted=_NO_REQUESTS),
        Rule("D3", _w("個資更正、停止、刪除→決定", "Data request: correct, stop, erase → decision"),
             _w("30天，得延長30天", "30 days, once 30 more"), "個資法 13 II", not_counted=_NO_REQUESTS),
        Rule("D4", _w("個資外洩→通知當事人", "Personal-data breach → the persons"),
             _w("查明後；草案72小時", "After finding out; draft rule 72 hours"), "個資法 12", not_counted=_NO_BREACH),
        Rule("D5", _w("個資外洩→主管機關", "Personal-data breach → authority"), _w("草案72小時", "Draft rule 72 hours"),
             "個資法 12", not_counted=_NO_BREACH),
        Rule("D6", _w("個資檔案→公開清單", "Personal-data file → public list"), _w("1個月", "1 month"),
             "個資法細則 23", not_counted=_NO_FILES),
        Rule("D7", _w("資安事件→通報、審核、復原", "Cyber incident → report, review, recovery"),
             _w("1小時；8或2小時；72或36小時", "1 h; 8 or 2 h; 72 or 36 h"), "資通安全事件通報應變及演練辦法",
             not_counted=_NO_INCIDENTS),
        Rule("D8", _w("申請、異動、終止、取消→審查", "Application, change, termination, revocation → review"), review,
             "作業程序"),
        Rule("D8", _w("補正通知→補正", "Correction asked → correction"), correct, "作業程序"),
        Rule("D8", _w("取消意向→陳述", "Notice of intent → statement"), hearing, "規章 1.4", ("hearing_days",)),
        Rule("D8", _w("申訴→再次審查", "Appeal → re-review"), again, "規章 1.4", ("rereview_days",)),
        Rule("D8", _w("異動→信箱確認", "Change → confirmation by mailbox"), confirm, "規章 2.4",
             ("change_confirm_days",)),
        Rule("D8", _w("參與紀錄異議→回覆", "Objection to the record → answer"), review, "作業程序"),
    ]  # fmt: skip


def ics(rows: list[Running], at: datetime) -> str:
    """Return the limits as a calendar (RFC 5545): case number and date, and nothing else of any case."""
    stamp = f"{at:%Y%m%dT%H%M%SZ}"
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Lianfang//limits//EN", "CALSCALE:GREGORIAN"]
    for one in rows:
        lines += [
            "BEGIN:VEVENT",
            f"UID:{one.number}-{one.what}@lianfang",
            f"DTSTAMP:{stamp}",
            f"DTSTART;VALUE=DATE:{one.last_day:%Y%m%d}",
            f"SUMMARY:{one.number}",
            "TRANSP:TRANSPARENT",
            "END:VEVENT",
        ]
    return "\r\n".join([*lines, "END:VCALENDAR", ""])
