"""The staff's pages: who gets in, what a case shows, what a form keeps, how a decision is signed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from lianfang.members import actions, queries
from lianfang.members.models import Application, Decision
from lianfang.members.uploads import read as read_upload
from lianfang.policy.facts import Duty
from tests import world
from tests.members.cases import (
    FACTS,
    Ledger,
    appealed,
    asked,
    declare,
    give,
    mails,
    opened,
    proposed,
    recommended,
    revoked,
    sent,
    taken_up,
)

SCRIPT = "<script>alert('x')</script>"
# Each by itself where the reason of a refusal differs: what would run, what is long, what no column can hold.
HOSTILE = [f"{SCRIPT}\u202eabc\u2066😀\ufffe'; --", "字" * 100_000, "a\x00b"]


def page_of(answer: Any) -> str:
    return str(answer.content.decode())


def at(case: Any, step: str = "") -> str:
    kind = "cases" if isinstance(case, Application) else "revocations"
    return f"/staff/{kind}/{case.number}" + (f"/{step}" if step else "")


# Who gets in


def test_for_everybody_outside_a_case_is_as_absent_as_one_that_never_was(made: world.World) -> None:
    """Byte for byte: whoever may not know of a case learns nothing from the answer."""
    case, appeal = made.applicant, appealed(made, made.revocation, made.former.admin)
    held = str(made.jia.membership.pk)
    pairs = [
        (at(case), at(case).replace(case.number, "A-2026-9999")),
        (at(case, "screening"), at(case, "screening").replace(case.number, "A-2026-9999")),
        (at(made.revocation), "/staff/revocations/R-2026-9999"),
        (f"/staff/appeals/{appeal.number}", "/staff/appeals/P-2026-9999"),
        (f"/staff/members/{held}", "/staff/members/00000000-0000-4000-8000-000000000000"),
        ("/staff/letters/D-2026-0001", "/staff/letters/D-2026-9999"),
    ]
    for actor in (made.jia.admin, made.wu):
        client = made.client(actor)
        for there, absent in pairs:
            one, other = client.get(there), client.get(absent)
            assert one.status_code == other.status_code == 404, there
            same = page_of(one).replace(there, "").replace(case.number, "")
            assert same == page_of(other).replace(absent, "").replace("A-2026-9999", ""), there
            assert client.post(there).status_code == client.post(absent).status_code


def test_staff_without_the_duty_is_told_which_and_who_holds_it(made: world.World) -> None:
    case = taken_up(made)
    for actor, step, colleague in (
        (made.auditor, "recommend/approve", made.reviewer),
        (made.reviewer, "decide/approve", made.approver),
        (made.operator, "return", made.approver),
    ):
        for language in ("zh-hant", "en"):
            answer = made.client(actor, language=language).get(at(case, step))
            assert answer.status_code == 403
            assert colleague.person.name in page_of(answer)
    assert made.client(made.auditor).post(at(case, "take-up")).status_code == 403


@pytest.mark.parametrize("method", ["put", "delete", "patch"])
def test_other_methods_are_refused(made: world.World, method: str) -> None:
    case = taken_up(made)
    client = made.client(made.reviewer)
    for step in ("", "conflict", "authority", "screening", "correct", "recommend/approve"):
        assert getattr(client, method)(at(case, step)).status_code == 405, step
    for step in ("note", "take-up"):
        assert client.get(at(case, step)).status_code == 405
    assert client.post(at(case)).status_code == 405


@pytest.mark.parametrize(
    "number", ["A-2026-9999", "a-2026-0001", "A-2026-1", "%00", "..%2F..", "A-2026-0001%0A", "字", "R-2026-0001"]
)
def test_numbers_that_are_none_are_absent(made: world.World, number: str) -> None:
    client = made.client(made.reviewer)
    assert client.get(f"/staff/cases/{number}").status_code == 404
    assert client.get(f"/staff/appeals/{number}").status_code == 404
    if not number.startswith("R-"):
        assert client.get(f"/staff/revocations/{number}").status_code == 404
    assert client.get(at(made.applicant, "recommend/keep")).status_code == 404
    assert made.client(made.approver).get(at(made.applicant, "decide/keep")).status_code == 404


# The queue


def test_the_tabs_of_the_queue_hold_what_they_say(made: world.World) -> None:
    mine, waiting = taken_up(made, 81), recommended(made, 82)
    asked_ = taken_up(made, 83)
    asked(made, asked_, "organization.address")
    rejected = recommended(made, 84)
    declare(made, rejected, made.approver)
    actions.reject(application=rejected, reasons=["not_willing"], by=made.approver.subject(), at=made.clock.tick())
    views = {
        view.name: {one.number for one in view.rows}
        for view in queries.inbox_views(person_id=made.reviewer.person.pk, at=made.clock.at)
    }
    assert views["mine"] == {mine.number, waiting.number, asked_.number}
    assert views["unassigned"] == {made.applicant.number}
    assert views["correction"] == {asked_.number}
    assert views["decision"] == {waiting.number}
    assert views["open"] == {made.applicant.number, mine.number, waiting.number, asked_.number}
    assert rejected.number in views["closed"]
    assert views["late"] == views["today"] == set()
    client = made.client(made.reviewer)
    for name in ("mine", "open", "closed"):
        numbers = views[name]
        page = page_of(client.get(f"/staff/inbox?view={name}"))
        for number in numbers:
            assert str(number) in page, name


def test_today_and_late_turn_at_the_due_second(made: world.World) -> None:
    case = taken_up(made)
    assert case.due_at

    def there(when: Any) -> tuple[bool, bool]:
        views = {view.name: view.rows for view in queries.inbox_views(person_id=None, at=when)}
        return tuple(views[name].filter(pk=case.pk).exists() for name in ("today", "late"))  # type: ignore[return-value]

    assert there(case.due_at - timedelta(days=1)) == (False, False)
    assert there(case.due_at - timedelta(hours=23)) == (True, False)
    assert there(case.due_at) == (True, False)
    assert there(case.due_at + timedelta(microseconds=1)) == (False, True)


@pytest.mark.parametrize(
    "query",
    [
        "view=nothing", "q=%00", "q=" + "x" * 5000, "q=%27%3B--", "kind=nothing", "state=draft", "after=x", "before=_",
        "after=9999-12-31T23:59:59-14:00_00000000-0000-4000-8000-000000000000",
        "after=0001-01-01T00:00:00%2B14:00_00000000-0000-4000-8000-000000000000",
        "after=2026-11-02T00:00:00_00000000-0000-4000-8000-000000000000", "after=%F0%9F%98%80&before=%FF",
        "q=%3Cscript%3E",
    ],
)  # fmt: skip
def test_no_address_of_the_queue_is_an_error(made: world.World, query: str) -> None:
    answer = made.client(made.reviewer).get(f"/staff/inbox?{query}")
    assert answer.status_code == 200
    assert "<script>&" not in page_of(answer)
    assert 'value="<script>' not in page_of(answer)


def test_the_queue_is_searched_by_number_name_and_business_number(made: world.World) -> None:
    case = sent(made, 85, name="丑獨特名稱股份有限公司")
    client = made.client(made.auditor)
    for words in (case.number, "獨特", case.ubn):
        assert case.number in page_of(client.get("/staff/applications", {"q": words}))
    assert case.number not in page_of(client.get("/staff/applications", {"q": "沒有這家"}))
    assert case.number not in page_of(client.get("/staff/applications", {"kind": "association"}))
    assert case.number not in page_of(client.get("/staff/applications", {"state": "recommended"}))


def test_pages_of_the_queue_lead_on_and_back(made: world.World) -> None:
    numbers = [sent(made, place).number for place in range(100, 107)]
    size, queries.PAGE = queries.PAGE, 3
    try:
        rows = Application.objects.filter(number__in=numbers)
        first = queries.queue_page(rows)
        second = queries.queue_page(rows, after=first.older)
        third = queries.queue_page(rows, after=second.older)
        back = queries.queue_page(rows, before=third.newer)
    finally:
        queries.PAGE = size
    assert [len(one.rows) for one in (first, second, third)] == [3, 3, 1]
    assert (first.newer, third.older) == ("", "")
    assert [row.number for row in back.rows] == [row.number for row in second.rows]
    assert {row.number for one in (first, second, third) for row in one.rows} == set(numbers)


# A case and its forms


@pytest.mark.parametrize("language", ["zh-hant", "en"])
def test_a_case_shows_everything_at_once_and_runs_nothing_of_it(made: world.World, language: str) -> None:
    application = taken_up(made, 86, name=f"寅{SCRIPT[:20]}公司", constituents=((f"戊{SCRIPT}", ""),))
    by = made.reviewer.subject()
    actions.add_note(case=application, text=SCRIPT, by=by, at=made.clock.tick())
    world.screen(made.clock, application, made.reviewer, {f"戊{SCRIPT}": "name_hit"})
    page = page_of(made.client(made.auditor, language=language).get(at(application)))
    assert SCRIPT not in page
    assert "&lt;script&gt;alert(" in page
    for part in (
        application.number,
        "林樣本",
        "證明.pdf",
        world.LIST,
        made.reviewer.person.name,
        application.roster_hash[:16],
    ):
        assert part in page
    assert ("Name match" in page) is (language == "en")


def test_buttons_are_those_of_the_readers_duty_and_the_cases_state(made: world.World) -> None:
    case = recommended(made, 87)
    declare(made, case, made.approver)
    approver, reviewer = (page_of(made.client(one).get(at(case))) for one in (made.approver, made.reviewer))
    assert at(case, "decide/approve") in approver
    assert at(case, "decide/reject") in approver
    assert at(case, "decide/approve") not in reviewer
    assert at(case, "recommend/approve") not in approver + reviewer
    auditor = page_of(made.client(made.auditor).get(at(case)))
    assert "/decide/" not in auditor


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_no_text_in_any_form_of_the_staff_is_an_error(made: world.World, text: str) -> None:
    case, revocation = taken_up(made), opened(made)
    appeal = appealed(made, made.revocation, made.former.admin)
    row = queries.all_rows(case)[0].key[:16]
    forms: list[tuple[world.Actor, str, dict[str, str]]] = [
        (made.reviewer, at(case, "note"), {"text": text, "note": "1"}),
        (made.reviewer, at(case, "conflict"), {"conflict": "yes", "reason": text}),
        (made.reviewer, at(case, "authority"), {"method": text, "note": text}),
        (
            made.reviewer,
            at(case, "screening"),
            {"source": text, "list_date": text, f"{row}-result": text, f"{row}-note": text},
        ),
        (
            made.reviewer,
            at(case, "correct"),
            {"field1": text, "message1": text, "field6": "people.x.y", "message6": text},
        ),
        (made.reviewer, at(case, "recommend/reject"), {"reasons": text, "text": text}),
        (
            made.approver,
            at(case, "decide/approve"),
            {"reasons": text, "text": text, "sign": text, "second_factor_code": text},
        ),
        (made.approver, at(case, "return"), {"text": text}),
        (made.reviewer, at(revocation, "conflict"), {"conflict": text, "reason": text}),
        (made.reviewer, at(revocation, "propose"), {"ground": text, "facts": text}),
        (made.reviewer, f"/staff/members/{made.yi.membership.pk}/revoke", {"ground": text, "facts": text}),
        (made.approver, at(revocation, "decide/revoke"), {"text": text, "sign": "1", "second_factor_code": text}),
        (made.approver2, f"/staff/appeals/{appeal.number}", {"text": text, "grant": "1", "second_factor_code": text}),
    ]
    clients = {actor.person.pk: made.client(actor) for actor, _, _ in forms}
    for actor, address, form in forms:
        answer = clients[actor.person.pk].post(address, form)
        assert answer.status_code in (302, 403, 422), (address, answer.status_code)
        assert SCRIPT not in page_of(answer)
        if address.endswith("authority") and SCRIPT in text:
            assert "&lt;script&gt;" in page_of(answer), "what was typed is kept"
    assert SCRIPT not in page_of(clients[made.reviewer.person.pk].get(at(case)))


def test_a_declaration_needs_an_answer_and_its_reason(made: world.World) -> None:
    client = made.client(made.reviewer)
    for form, field in (
        ({}, "conflict"),
        ({"conflict": ""}, "conflict"),
        ({"conflict": "yes", "reason": " "}, "reason"),
    ):
        answer = client.post(at(made.applicant, "conflict"), {"x": "1", **form})
        assert answer.status_code == 422
        assert f"id_{field}" in page_of(answer)
    assert queries.conflict_of(made.applicant.number or "", made.reviewer.person.pk) is None
    assert client.post(at(made.applicant, "conflict"), {"conflict": "yes", "reason": "前雇主"}).status_code == 302
    answer = client.post(at(made.applicant, "take-up"))
    assert answer.status_code == 403
    assert "利益衝突" in page_of(answer), "a refusal that no form shows is told in words"


def test_screening_on_its_page_keeps_what_was_chosen_when_something_is_wrong(made: world.World) -> None:
    case = taken_up(made, 88, constituents=(("戊七資訊", ""), ("己七資訊", "")))
    keys = [row.key[:16] for row in queries.all_rows(case)]
    client = made.client(made.reviewer)
    base = {"source": world.LIST, "list_date": "2026-11-01"}
    wrong: list[tuple[dict[str, str], str]] = [
        (base, "至少選一列"),
        ({**base, "list_date": "115/11/01", "rest_clear": "on"}, "2026-11-01"),
        ({**base, "source": "", "rest_clear": "on"}, "id_source"),
        ({**base, "list_date": "2126-11-01", "rest_clear": "on"}, "id_list_date"),
        ({**base, f"{keys[1]}-result": "name_hit", f"{keys[1]}-judged": "on"}, "規章1.3"),
    ]
    for form, word in wrong:
        answer = client.post(at(case, "screening"), form)
        page = page_of(answer)
        assert answer.status_code == 422
        assert word in page
        assert form["source"] in page
    assert queries.findings(case) == {}
    assert "selected" in page.split(f'name="{keys[1]}-result"', 1)[1].split("</select>", 1)[0]
    good = {
        **base,
        "rest_clear": "on",
        f"{keys[1]}-result": "name_hit",
        f"{keys[1]}-judged": "on",
        f"{keys[1]}-note": "他人",
    }
    assert client.post(at(case, "screening"), good).status_code == 302
    results = [queries.findings(case)[row.key].result for row in queries.all_rows(case)]
    assert results == ["clear", "name_hit", "clear"]
    again = client.post(at(case, "screening"), {**base, "rest_clear": "on"})
    assert again.status_code == 422, "no row is without a finding, so nothing was chosen"


def test_corrections_on_their_page_are_asked_whole_or_not_at_all(made: world.World) -> None:
    case = taken_up(made)
    client = made.client(made.reviewer)
    page = page_of(client.get(at(case, "correct")))
    assert 'value="organization.address"' in page
    assert 'value="eligibility.kind"' not in page
    given = {"field1": "organization.address", "message1": "請補樓層", "field2": "people.admin1_phone", "message2": " "}
    answer = client.post(at(case, "correct"), given)
    assert answer.status_code == 422
    assert "請補樓層" in page_of(answer)
    assert queries.corrections(case) == []
    assert client.post(at(case, "correct"), {**given, "message2": "缺分機"}).status_code == 302
    assert [item.field for item in queries.corrections(case)] == ["address", "admin1_phone"]
    assert client.post(at(case, "correct"), given).status_code == 422, "one round after the other"


def test_a_recommendation_that_is_blocked_says_why_and_keeps_the_words(made: world.World) -> None:
    case = taken_up(made)
    client = made.client(made.reviewer)
    answer = client.post(at(case, "recommend/approve"), {"reasons": "eligible", "text": "符合資格。"})
    assert answer.status_code == 422
    assert "陸資檢核" in page_of(answer)
    assert "符合資格。" in page_of(answer)
    assert client.post(at(case, "recommend/approve"), {"text": "x"}).status_code == 422
    other = client.post(at(case, "recommend/reject"), {"reasons": "other"})
    assert other.status_code == 422
    assert "請說明" in page_of(other)


def test_a_file_is_downloaded_as_itself_and_never_shown_in_place(made: world.World) -> None:
    case = taken_up(made)
    upload = read_upload(name='登 記;"證明".pdf', content=world.PDF, field="registration")
    (file,) = queries.files(case)
    with Ledger() as ledger:
        answer = made.client(made.auditor).get(at(case, f"files/{file.pk}"))
    assert b"".join(answer) == world.PDF
    assert answer["Content-Type"] == "application/pdf"
    assert answer["Content-Disposition"].startswith("attachment")
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert ledger.tags() == ["members:attachment:read"]
    assert upload.name == '登 記;"證明".pdf'
    assert made.client(made.auditor).get(at(made.applicant, f"files/{file.pk}")).status_code == 404


# Signing


def test_a_decision_is_signed_by_a_code_that_works_once(made: world.World) -> None:
    case, other = recommended(made, 89), recommended(made, 90)
    client = made.client(made.approver)
    for one in (case, other):
        declare(made, one, made.approver)
    address = at(case, "decide/approve")
    assert "核准貴組織加入" in page_of(client.get(address)), "the letter as it will be sent"
    form = {"reasons": "eligible", "text": "歡迎。", "sign": "1"}
    code = made.approver.code()
    for wrong in ("", "000000", "字", "\x00", made.approver2.code()):
        answer = client.post(address, {**form, "second_factor_code": wrong})
        assert answer.status_code == 422, wrong
        assert "歡迎。" in page_of(answer)
    assert world.reread(case).state == "recommended"
    assert client.post(address, {**form, "second_factor_code": code})["Location"] == at(case)
    replayed = client.post(at(other, "decide/approve"), {**form, "second_factor_code": code})
    assert replayed.status_code == 422
    assert world.reread(other).state == "recommended"
    assert Decision.objects.filter(application=other).count() == 0


def test_a_preview_signs_nothing_and_a_reason_without_its_word_is_said(made: world.World) -> None:
    case = recommended(made, 91)
    declare(made, case, made.approver)
    client = made.client(made.approver)
    address = at(case, "decide/reject")
    shown = client.post(address, {"reasons": "not_willing", "text": "未派員。", "preview": "1"})
    assert "未派員。" in page_of(shown)
    assert "未能核准" in page_of(shown)
    answer = client.post(address, {"reasons": "other", "text": "", "preview": "1"})
    assert answer.status_code == 422
    assert "請說明" in page_of(answer)
    assert "checked" in page_of(answer)
    assert client.post(address, {"text": "x", "preview": "1"}).status_code == 422
    assert world.reread(case).state == "recommended"


def test_who_reviewed_sees_why_he_cannot_decide(made: world.World) -> None:
    case = recommended(made, 92)
    give(made, made.reviewer, Duty.APPROVER)
    client = made.client(made.reviewer)
    page = page_of(client.get(at(case, "decide/approve")))
    assert "四眼" in page
    assert 'name="sign"' not in page
    answer = client.post(
        at(case, "decide/approve"), {"reasons": "eligible", "sign": "1", "second_factor_code": made.reviewer.code()}
    )
    assert answer.status_code == 422
    assert world.reread(case).state == "recommended"


def test_a_case_is_sent_back_with_a_note_that_must_say_something(made: world.World) -> None:
    case = recommended(made, 93)
    declare(made, case, made.approver)
    client = made.client(made.approver)
    assert client.post(at(case, "return"), {"text": " "}).status_code == 422
    assert client.post(at(case, "return"), {"text": "請再查證。"}).status_code == 302
    assert "請再查證。" in page_of(made.client(made.reviewer).get(at(case)))
    answer = client.post(at(case, "return"), {"text": "再一次"})
    assert answer.status_code == 422
    assert "再一次" in page_of(answer)


@pytest.mark.parametrize("language", ["zh-hant", "en"])
def test_a_letter_can_be_read_and_printed_as_it_was_sent(made: world.World, language: str) -> None:
    told = Decision.objects.filter(kind="approve").order_by("number").first()
    assert told is not None
    answer = made.client(made.auditor, language=language).get(f"/staff/letters/{told.number}")
    assert answer.status_code == 200
    assert told.number in page_of(answer)
    assert "核准貴組織加入聯盟" in page_of(answer) or "is admitted as a group member" in page_of(answer)
    assert made.client(made.jia.admin).get(f"/staff/letters/{told.number}").status_code == 404


# Members and revocations


@pytest.mark.parametrize("language", ["zh-hant", "en"])
def test_the_directory_and_a_membership(made: world.World, language: str) -> None:
    client = made.client(made.auditor, language=language)
    page = page_of(client.get("/staff/members"))
    for member in made.members.values():
        assert member.organization.name_zh in page
    assert made.yi.organization.name_zh not in page_of(client.get("/staff/members", {"q": "甲示範"}))
    assert made.former.organization.name_zh in page_of(client.get("/staff/members", {"state": "revoked"}))
    for junk in ({"q": "\x00"}, {"state": "x"}, {"q": SCRIPT}):
        assert client.get("/staff/members", junk).status_code == 200
    shown = page_of(client.get(f"/staff/members/{made.ding.membership.pk}"))
    for part in ("戊示範資訊有限公司", "己示範網路有限公司", "林樣本"):
        assert part in shown
    assert f"/staff/members/{made.ding.membership.pk}/revoke" not in shown, "an auditor opens no review"
    reviewer = page_of(made.client(made.reviewer).get(f"/staff/members/{made.ding.membership.pk}"))
    assert f"/staff/members/{made.ding.membership.pk}/revoke" in reviewer


def test_what_a_revocation_takes_away_is_told_before_it_is_done(made: world.World) -> None:
    assert queries.reach(made.ding.organization.pk, made.clock.at) == {"people": 6, "tokens": 0, "constituents": 2}
    assert queries.reach(made.jia.organization.pk, made.clock.at) == {"people": 4, "tokens": 1, "constituents": 0}
    assert queries.reach(made.former.organization.pk, made.clock.at)["tokens"] == 0
    case = proposed(made)
    page = page_of(made.client(made.approver).get(at(case, "decide/revoke")))
    assert "停止存取的人員" in page
    assert FACTS in page


def test_a_revocation_on_its_pages_keeps_words_and_wants_a_signature(made: world.World) -> None:
    client, approver = made.client(made.reviewer), made.client(made.approver)
    start = f"/staff/members/{made.jia.membership.pk}/revoke"
    answer = client.post(start, {"facts": "只有事實"})
    assert answer.status_code == 422
    assert "只有事實" in page_of(answer)
    address = client.post(start, {"ground": "2.3", "facts": FACTS})["Location"]
    assert client.post(start, {"ground": "2.3", "facts": FACTS}).status_code == 422, "one open review at a time"
    number = address.rsplit("/", 1)[-1]
    assert client.post(f"{address}/propose", {"ground": "2.3", "facts": FACTS}).status_code == 422, "undeclared"
    client.post(f"{address}/conflict", {"conflict": "no"})
    unheard = client.post(f"{address}/propose", {"ground": "5.3", "facts": "改寫的事實"})
    assert unheard.status_code == 422, "nobody is revoked unheard"
    case = queries.revocation(number)
    assert case is not None
    world.hear(made.clock, case, made.reviewer, made.jia.admin, "5.3")
    assert client.post(f"{address}/propose", {"ground": "5.3", "facts": "改寫的事實"}).status_code == 302
    approver.post(f"{address}/conflict", {"conflict": "no"})
    unsigned = approver.post(f"{address}/decide/revoke", {"text": "補充理由", "sign": "1"})
    assert unsigned.status_code == 422
    assert "補充理由" in page_of(unsigned)
    assert approver.post(f"{address}/return").status_code == 302
    assert approver.post(f"{address}/return").status_code == 403
    case = queries.revocation(number)
    assert case is not None
    assert (case.state, case.ground) == ("under_review", "5.3")
    closed = approver.post(
        f"{address}/decide/close", {"text": "", "sign": "1", "second_factor_code": made.approver.code()}
    )
    assert closed.status_code == 422
    assert made.client(made.approver).get(f"{address}/decide/suspend").status_code == 404


def test_an_appeal_is_decided_by_pressing_one_of_two_buttons(made: world.World) -> None:
    case = revoked(made)
    appeal = appealed(made, case, made.jia.admin, text=f"{SCRIPT}理由")
    address = f"/staff/appeals/{appeal.number}"
    client = made.client(made.approver2)
    page = page_of(client.get(address))
    assert SCRIPT not in page
    assert 'name="grant"' not in page, "first a declaration"
    client.post(f"/staff/revocations/{appeal.number}/conflict", {"conflict": "no"})
    assert 'name="grant"' in page_of(client.get(address))
    code = made.approver2.code()
    answer = client.post(address, {"text": "按了輸入鍵", "second_factor_code": code})
    assert answer.status_code == 422
    assert "按了輸入鍵" in page_of(answer)
    assert queries.appeal(appeal.number).state == "filed"  # type: ignore[union-attr]
    granting = {"text": "說明合理。", "grant": "1", "second_factor_code": code}
    assert client.post(address, granting).status_code == 422, "a restoration names why"
    again = {**granting, "because": "special", "second_factor_code": made.approver2.code()}
    assert client.post(address, again).status_code == 302
    assert queries.appeal(appeal.number).state == "granted"  # type: ignore[union-attr]
    for actor in (made.approver, made.reviewer, made.auditor):
        shown = page_of(made.client(actor).get(address))
        assert 'name="grant"' not in shown
    late = client.post(address, {"text": "x", "deny": "1", "second_factor_code": made.approver2.code()})
    assert late.status_code == 422


def test_lists_of_revocations_open_and_all(made: world.World) -> None:
    case = opened(made)
    client = made.client(made.auditor)
    page = page_of(client.get("/staff/revocations"))
    assert case.number in page
    assert made.revocation.number not in page
    everything = page_of(client.get("/staff/revocations?view=all"))
    assert case.number in everything
    assert made.revocation.number in everything
    assert mails("nobody@nowhere.example") == []
