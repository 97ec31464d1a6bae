"""Calendars have editions, notified limits never shrink, staff see what runs; a case under legal hold stays whole."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lianfang.kernel.clock import taipei
from lianfang.kernel.deadlines import TAIWAN_OFFICE, Calendar
from lianfang.kernel.refusal import Refusal
from lianfang.members import actions, calendar_file, queries, running
from lianfang.members.calendars import calendar_at, named
from lianfang.members.models import CalendarEdition, FeedLink, LegalHold
from tests import world
from tests.members import cases
from tests.members import change_cases as changes_of
from tests.members.test_changes import NEW
from tests.members.test_hearing import notice
from tests.members.test_terminating import asked, refused

pytestmark = pytest.mark.django_db


def year(number: int, *, rest: Any = (), work: Any = (), head: str = "西元日期,星期,是否放假,備註") -> bytes:
    """A calendar as the personnel administration publishes it: every day of a year."""
    lines, day = [head], date(number, 1, 1)
    while day.year == number:
        off = (day.weekday() >= 5 or day in rest) and day not in work
        lines.append(f"{day:%Y%m%d},{'一二三四五六日'[day.weekday()]},{2 if off else 0},")
        day += timedelta(days=1)
    return "\r\n".join(lines).encode("utf-8-sig")


@given(rest=st.frozensets(st.dates(date(2026, 1, 1), date(2026, 12, 31)), max_size=30), big5=st.booleans())
@settings(deadline=None, max_examples=25)
def test_a_file_is_read_as_it_was_written(rest: frozenset[date], big5: bool) -> None:
    work = frozenset({date(2026, 3, 7)})
    content = year(2026, rest=rest - work, work=work)
    found = calendar_file.read(content.decode("utf-8-sig").encode("big5") if big5 else content)
    assert found.rest_days == {day for day in rest if day.weekday() < 5}
    assert (found.workdays, found.years) == (work, (2026,))


@pytest.mark.parametrize(
    ("spoil", "word"),
    [
        (lambda text: text.replace("20260105", "1150105"), "Line 6"),
        (lambda text: text.replace("20260105", "20260104"), "stands twice"),
        (lambda text: text.replace("20260105,一,0", "20260105,一,7"), "Line 6"),
        (lambda text: "\r\n".join(text.split("\r\n")[:200]), "whole years"),
        (lambda text: text.replace("是否放假", "備考"), "columns"),
        (lambda text: text.split("\r\n")[0], "no day"),
    ],
)
def test_a_wrong_file_is_refused_with_its_line(spoil: Any, word: str) -> None:
    with pytest.raises(Refusal) as caught:
        calendar_file.read(spoil(year(2026).decode("utf-8-sig")).encode())
    assert word in caught.value.reason.en
    assert caught.value.field == "file"


def keep(made: world.World, content: bytes, edition: str = "tw-2026b", by: world.Actor | None = None) -> Any:
    return actions.import_calendar(
        content=content, edition=edition, source="院授人培字第1號", by=(by or made.reviewer).subject(),
        at=made.clock.tick(),
    )  # fmt: skip


def test_a_new_edition_lengthens_what_runs_and_shortens_nothing(made: world.World) -> None:
    """Domain invariant 12: each limit is found again from its kept inputs, before and after."""
    hearing = cases.opened(made)
    limit = notice(made, hearing)
    window = cases.revoked(made, made.yi)
    before = window.deadline
    assert before is not None
    holidays = {day for day in TAIWAN_OFFICE.rest_days if day.year == 2026}
    difference = actions.compare_calendar(
        content=year(2026, rest=holidays | {before.last_day}), edition="b", at=made.clock.at
    )
    assert difference.added == (before.last_day,)
    assert {name for name, _, _ in difference.longer} == {window.number, made.revocation.number}
    refused(lambda: keep(made, year(2026), by=made.approver))
    keep(made, year(2026, rest=holidays | {before.last_day}))
    after = cases.again(window).deadline
    assert after is not None
    assert (after.last_day, after.edition) == (before.last_day + timedelta(days=1), "tw-2026b")
    assert cases.again(hearing).notice == limit
    # An edition without any holiday would end limits sooner: nothing that was notified moves.
    keep(made, year(2026), "tw-2026c")
    assert cases.again(window).deadline == after
    assert calendar_at(made.clock.at).edition == "tw-2026c"
    assert calendar_at(made.clock.at).rest_days == {day for day in TAIWAN_OFFICE.rest_days if day.year != 2026}
    for one in (after, limit):
        calendar = named(one.edition)
        assert isinstance(calendar, Calendar)
        assert type(one).count(event=one.event, rule=one.rule, days=one.days, calendar=calendar) == one
    assert refused(lambda: keep(made, year(2026), "tw-2026c")).field == "edition"
    assert CalendarEdition.objects.count() == 2


def test_the_page_shows_every_limit_with_its_steps(made: world.World) -> None:
    termination = asked(made, made.bing)
    hearing = cases.opened(made)
    notice(made, hearing)
    window = cases.revoked(made, made.yi)
    cases.appealed(made, window, made.yi.admin)
    kinds = {(one.number, one.what) for one in running.running(made.clock.at)}
    assert {
        (termination.number, "termination"), (hearing.number, "hearing"), (hearing.number, "revocation"),
        (made.revocation.number, "appeal_window"), (made.applicant.number, "application"),
    } <= kinds  # fmt: skip
    assert (window.number, "appeal_window") not in kinds, "it was used"
    assert [what for number, what in kinds if number.startswith("P-")] == ["appeal"]
    change = changes_of.file(made, made.ding, people=[(made.ding.admin, NEW)], by=made.ding.deputy)
    at = made.clock.tick()
    fact = actions.enter_fact(
        membership=made.ding.membership, kind="drill", outcome="absent", text="演練", evidence="簽到表",
        occurred_on=taipei(at).date(), by=made.reviewer.subject(at), at=at,
    )  # fmt: skip
    actions.object_to_fact(fact=fact, text="有參加。", by=made.ding.admin.subject(at), at=made.clock.tick())
    later = {(one.number, one.what): one for one in running.running(made.clock.at)}
    confirming = later[change.number, "confirmation"]
    assert confirming.last_day == taipei(at + timedelta(days=14)).date(), "the first of its two mailboxes"
    assert later[made.ding.membership.application.number or "", "objection"].steps(), "counted like any other limit"
    page = made.client(made.analyst).get("/staff/deadlines").content.decode()
    rows = re.findall(r'<td class="inl mono" data-l="[^"]*">(D\d)</td><td class="full"[^>]*>(.*?)</td>', page)
    by_hand = {rule for rule, words in rows if "請自行計算" in words}
    assert by_hand == {"D2", "D3", "D4", "D5", "D6", "D7"}, "what no procedure counts says so, and nothing else does"
    assert "事件當日，不算入" in page
    assert "至少" in page
    assert "appeal_days" in page
    assert made.client(made.yi.admin).get("/staff/deadlines").status_code != 200


def test_the_feed_holds_numbers_and_dates_alone_and_its_link_can_be_ended(made: world.World) -> None:
    notice(made, cases.opened(made))
    staff = made.client(made.reviewer)
    assert staff.post("/staff/deadlines/feed", {"make": "1"}).status_code == 302
    page = staff.get("/staff/deadlines").content.decode()
    link = next(part for part in page.split() if "/calendar/" in part and ".ics" in part)
    path = "/calendar/" + link.split("/calendar/")[1].split(".ics")[0] + ".ics"
    stranger = cases.browser()
    answer = stranger.get(path)
    text = answer.content.decode()
    assert answer.headers["Content-Type"].startswith("text/calendar")
    assert text.startswith("BEGIN:VCALENDAR\r\n")
    assert text.endswith("END:VCALENDAR\r\n")
    assert made.revocation.number in text
    for secret in ("示範", "m1.example", "演練", "Example"):
        assert secret not in text
    assert stranger.get(path.replace("/calendar/", "/calendar/x")).status_code == 404
    # Another link ends the one before; so does the end of the owner's duties.
    again = actions.make_feed(by=made.reviewer.subject(), at=made.clock.tick())
    assert stranger.get(path).status_code == 404
    assert stranger.get(f"/calendar/{again}/limits.ics").status_code == 200
    actions.end_feed(by=made.reviewer.subject(), at=made.clock.tick())
    assert stranger.get(f"/calendar/{again}/limits.ics").status_code == 404
    assert FeedLink.objects.filter(ended_at__isnull=True).count() == 0
    refused(lambda: actions.make_feed(by=made.yi.admin.subject(), at=made.clock.tick()))


def test_the_page_of_import_shows_before_it_keeps(made: world.World) -> None:
    staff = made.client(made.reviewer)
    text = year(2026, rest={date(2026, 12, 7)}).decode("utf-8-sig")
    given = {"edition": "tw-2026d", "source": "公告", "text": text}
    page = staff.post("/staff/deadlines/calendar", {**given, "preview": "1"})
    assert page.status_code == 200
    assert "改為放假" in page.content.decode()
    assert not CalendarEdition.objects.exists()
    assert staff.post("/staff/deadlines/calendar", {**given, "text": "x", "keep": "1"}).status_code == 422
    assert staff.post("/staff/deadlines/calendar", {**given, "keep": "1"}).status_code == 302
    assert CalendarEdition.objects.get().edition == "tw-2026d"


# Legal hold


def test_a_held_draft_outlives_its_time_until_the_hold_is_lifted_by_another(made: world.World) -> None:
    draft, other = cases.draft(made, 51), cases.draft(made, 52)
    hold = actions.place_hold(case=str(draft.pk), reason="訴訟中", by=made.legal.subject(), at=made.clock.tick())
    late = draft.expires_at + timedelta(days=2)
    assert actions.erase_expired_drafts(by=world.SYSTEM, at=late) == 1
    assert world.reread(draft).state == "draft"
    assert world.reread(draft).answers
    assert world.reread(other).state == "expired"
    one = refused(lambda: actions.erase_draft(application_id=draft.pk, by=world.SYSTEM, at=late))
    assert one.clause == "4.3"
    assert (
        "另一人"
        in refused(lambda: actions.lift_hold(hold=hold, by=made.legal.subject(), at=made.clock.tick())).reason.zh
    )
    actions.lift_hold(hold=hold, by=made.approver.subject(), at=made.clock.tick())
    assert actions.erase_expired_drafts(by=world.SYSTEM, at=late) == 1
    assert world.reread(draft).state == "expired"


def test_any_case_can_be_held_once_and_the_page_says_who(made: world.World) -> None:
    number = made.revocation.number
    staff = made.client(made.legal)
    assert staff.post("/staff/holds", {"case": "R-2020-9999", "reason": "x"}).status_code == 422
    assert staff.post("/staff/holds", {"case": number, "reason": " "}).status_code == 422
    assert staff.post("/staff/holds", {"case": number, "reason": "訴訟中"}).status_code == 302
    assert staff.post("/staff/holds", {"case": number, "reason": "又一次"}).status_code == 422
    assert queries.held(number)
    hold = LegalHold.objects.get()
    assert "訴訟中" in made.client(made.approver).get("/staff/holds").content.decode()
    assert made.client(made.approver).post(f"/staff/holds/{hold.pk}/lift").status_code == 302
    assert not queries.held(number)
    refused(lambda: actions.place_hold(case=number, reason="x", by=made.yi.admin.subject(), at=made.clock.tick()))


def test_a_decision_keeps_what_else_it_rests_on(made: world.World) -> None:
    case = cases.proposed(made)
    decision = actions.revoke(case=case, basis="誠信原則（規章6）", by=made.approver.subject(), at=made.clock.tick())
    assert cases.decision(pk=decision.pk).basis == "誠信原則（規章6）"
    assert "另依據（規章6）：誠信原則（規章6）" in decision.letter_zh
    assert "It rests further on (Charter 6): 誠信原則" in decision.letter_en
