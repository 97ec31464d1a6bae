"""A member whose administrators are gone gets new ones: asked, proved, decided by two, told to all, then invited."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, transaction

from lianfang.accounts import actions as accounts
from lianfang.accounts.models import Affiliation, Invitation, Token
from lianfang.accounts.queries import person_by_email
from lianfang.kernel.clock import utcnow
from lianfang.members import actions, contact_queries, recovery_queries
from lianfang.members.models import Recovery, RecoveryFile
from lianfang.members.uploads import read as read_upload
from lianfang.outbox.models import Delivery
from lianfang.policy.facts import Role, Subject
from tests import world
from tests.members import cases
from tests.members.change_cases import refused

MICRO = timedelta(microseconds=1)
JOB = Subject.system("members.finish_recoveries")
NEW = (
    {"name": "康示復", "title": "資訊長", "email": "new1@m1.example", "phone": "02-5550-0201"},
    {"name": "莊示援", "title": "資安經理", "email": "New2@m1.example", "phone": "02-5550-0202"},
)


def again(case: Recovery) -> Recovery:
    found = recovery_queries.recovery(case.number)
    assert found is not None
    return found


def scan() -> Any:
    return read_upload(name="letter.pdf", content=world.PDF, field="scan")


def asked(made: world.World, by: world.Actor | None = None, **more: Any) -> Recovery:
    """A request, by the security contact unless said otherwise."""
    at = made.clock.tick()
    given = {"reason": "兩位管理員都離職了。", "people": NEW, "files": [scan()], **more}
    return again(
        actions.ask_recovery(membership=made.jia.membership, **given, by=(by or made.jia.contact).subject(at), at=at)
    )


def recommended(made: world.World, case: Recovery, what: str = "grant") -> Recovery:
    cases.declare(made, case, made.reviewer)
    actions.recommend_recovery(
        case=case, what=what, findings="以登記電話回撥代表人確認。", by=made.reviewer.subject(), at=made.clock.tick()
    )
    return again(case)


def approved(made: world.World, case: Recovery | None = None) -> Recovery:
    case = recommended(made, case or asked(made))
    cases.declare(made, case, made.approver)
    ends = [row.pk for row in recovery_queries.administrators(case, made.clock.at)]
    actions.approve_recovery(case=case, ends=ends, by=made.approver.subject(), at=made.clock.tick())
    return again(case)


def link(address: str) -> str:
    mail = cases.mails(address, "recovery")[-1]
    found = re.search(r"/recovery/\S+", mail.body_text)
    assert found is not None
    return found[0]


def test_from_the_request_to_new_administrators(made: world.World) -> None:
    jia = made.jia
    with cases.Ledger() as ledger:
        case = asked(made)
    assert (case.state, case.number, case.origin) == ("requested", "K-2026-0001", "page")
    assert ledger.tags().count("members:recovery:file") == 1
    assert not Invitation.objects.filter(affiliation__person__email_index__isnull=False, accepted_at=None).filter(
        affiliation__organization=jia.organization
    )
    case = approved(made, case)
    assert case.waits_until == case.decided_at + timedelta(days=7)
    told = {mail.to for mail in cases.mails(kind="recovery")}
    assert told == {"admin1@m1.example", "admin2@m1.example", "contact@m1.example"}, "every old contact, each once"
    assert person_by_email("new1@m1.example") is None, "before the time is over nobody is even entered"
    token = Token.objects.filter(affiliation=jia.admin.affiliation).first()

    wait = case.waits_until
    assert wait is not None
    assert actions.finish_recoveries(by=JOB, at=wait - MICRO) == 0
    assert refused(lambda: actions.finish_recovery(case=case, by=JOB, at=wait - MICRO))
    assert jia.admin.subject(wait - MICRO).role is Role.MEMBER_ADMIN
    assert actions.finish_recoveries(by=JOB, at=wait) == 1
    assert actions.finish_recoveries(by=JOB, at=wait + MICRO) == 0, "the job may run twice"
    assert again(case).state == "done"
    for actor in (jia.admin, jia.deputy):
        row = Affiliation.objects.get(pk=actor.affiliation.pk)
        assert row.left_at == wait
    if token is not None:
        token.refresh_from_db()
        assert token.revoked_at == wait
    now = recovery_queries.administrators(case, wait)
    assert sorted(row.person.email for row in now) == ["new1@m1.example", "new2@m1.example"]
    assert all(row.started_at is None for row in now), "they agree first, like everybody else"
    assert len(cases.mails("new1@m1.example", "invitation")) == 1
    assert len(cases.mails("admin1@m1.example", "recovery_result")) == 1
    notice = [row for row in contact_queries.named(membership_id=jia.membership.pk, at=wait) if row.purpose == "notice"]
    assert [row.email for row in notice] in (["new1@m1.example"], ["new2@m1.example"]), "notices still arrive"
    assert [row.email for row in contact_queries.named(membership_id=jia.membership.pk, at=wait - MICRO)][-1] == (
        "admin1@m1.example"
    )
    assert made.jia.contact.subject(wait).role is Role.SECURITY_CONTACT, "others are as they were"


def test_an_objection_stops_it_until_its_last_microsecond(made: world.World) -> None:
    case = approved(made)
    wait = case.waits_until
    assert wait is not None
    notice = recovery_queries.notices(case)[0]
    someone = Subject.public()
    act = lambda at: actions.object_recovery(notice=notice, text="我還在。", by=someone, at=at)  # noqa: E731
    assert refused(lambda: act(wait))
    assert refused(lambda: act(wait + MICRO))
    assert (
        refused(lambda: actions.object_recovery(notice=notice, text=" ", by=someone, at=wait - MICRO)).field == "text"
    )
    act(wait - MICRO)
    case = again(case)
    assert (case.state, case.objection, case.waits_until) == ("objected", "我還在。", None)
    assert actions.finish_recoveries(by=JOB, at=wait + timedelta(days=9)) == 0
    assert made.jia.admin.subject(wait + MICRO).role is Role.MEMBER_ADMIN
    # Weighed anew, approved anew: the former link counts no more, and the time begins anew.
    made.clock.at = wait
    case = approved(made, case)
    assert case.waits_until is not None
    assert refused(lambda: act(case.waits_until - MICRO)).rule == "recovery-old-link"
    assert actions.finish_recoveries(by=JOB, at=case.waits_until) == 1


def test_two_different_people_and_a_proof(made: world.World) -> None:
    case = asked(made)
    assert refused(lambda: approved_by(made, case, made.approver))
    case = recommended(made, case)
    cases.declare(made, case, made.reviewer)
    assert refused(lambda: approved_by(made, case, made.reviewer))
    assert refused(lambda: approved_by(made, case, made.approver)), "without a declaration of conflicts nobody decides"
    with pytest.raises(IntegrityError), transaction.atomic():
        Recovery.objects.filter(pk=case.pk).update(decided_by=made.reviewer.person)
    cases.declare(made, case, made.approver)
    foreign = made.yi.admin.affiliation.pk
    assert refused(lambda: approved_by(made, case, made.approver, [foreign])).rule == "recovery-ends"
    approved_by(made, case, made.approver, [made.jia.admin.affiliation.pk])
    wait = again(case).waits_until
    assert wait is not None
    actions.finish_recoveries(by=JOB, at=wait)
    # Who is not named in the decision stays.
    assert Affiliation.objects.get(pk=made.jia.admin.affiliation.pk).left_at == wait
    assert Affiliation.objects.get(pk=made.jia.deputy.affiliation.pk).left_at is None


def approved_by(made: world.World, case: Recovery, actor: world.Actor, ends: list[UUID] | None = None) -> None:
    actions.approve_recovery(case=case, ends=ends or [], by=actor.subject(), at=made.clock.tick())


def test_who_may_ask_and_what_is_asked_for(made: world.World) -> None:
    jia = made.jia
    assert refused(lambda: asked(made, jia.admin)).rule == "recovery-administrator"
    assert refused(lambda: asked(made, made.yi.contact)).rule == "recovery-own"
    assert refused(lambda: asked(made, made.reviewer))
    assert refused(lambda: asked(made, files=[])).field == "scan"
    assert refused(lambda: asked(made, reason=" ")).field == "reason"
    assert refused(lambda: asked(made, people=[NEW[0], NEW[0]])).rule == "recovery-two"
    assert refused(lambda: asked(made, people=NEW[:1])).rule == "recovery-two"
    assert refused(lambda: asked(made, people=[NEW[0], {**NEW[1], "email": "x"}])).field == "admin2_email"
    assert refused(lambda: asked(made, made.reviewer, origin="paper")).field == "received_on"
    late = made.clock.at.date() + timedelta(days=2)
    assert refused(lambda: asked(made, made.reviewer, origin="paper", received_on=late)).field == "received_on"
    assert refused(lambda: asked(made, made.analyst, origin="paper", received_on=late)).rule == "G-review"
    case = asked(made, made.reviewer, origin="stamped", received_on=date(2026, 10, 1))
    assert refused(lambda: asked(made)).rule == "recovery-one-open"
    raw = str(Recovery.objects.filter(pk=case.pk).values("people", "reason").get())
    assert "new1@m1" not in raw
    cases.declare(made, case, made.reviewer)
    case = recommended(made, case, "refuse")
    cases.declare(made, case, made.approver)
    assert refused(lambda: approved_by(made, case, made.approver))
    refuse = lambda text: actions.refuse_recovery(  # noqa: E731
        case=case, text=text, by=made.approver.subject(), at=made.clock.tick()
    )
    assert refused(lambda: refuse(" ")).field == "text"
    refuse("證明文件不足。")
    assert again(case).state == "refused"
    assert asked(made).number == "K-2026-0002"


def test_a_membership_that_ended_meanwhile_gets_nobody(made: world.World) -> None:
    case = approved(made)
    cases.revoked(made, made.jia)
    assert case.waits_until is not None
    assert again(case).state == "lapsed"
    actions.finish_recoveries(by=JOB, at=case.waits_until)
    assert again(case).state == "lapsed"
    assert person_by_email("new1@m1.example") is None


def test_by_the_pages(made: world.World) -> None:
    jia = made.jia
    contact = made.client(jia.contact)
    path = "/member/organisation/recovery"
    assert made.client(jia.admin).get(path).status_code == 404
    assert made.client(made.wu).get(path).status_code == 404
    given = {"reason": "兩位管理員都離職了。"}
    for place, one in enumerate(NEW, start=1):
        given |= {f"admin{place}_{name}": value for name, value in one.items()}
    file = SimpleUploadedFile("公函.pdf", world.PDF, "application/pdf")
    assert contact.post(path, given).status_code == 422
    assert contact.post(path, {**given, "scan": file}).status_code == 302
    case = Recovery.objects.select_related("vault_key").get()
    assert case.number in contact.get(path).content.decode()
    page = f"/staff/recoveries/{case.number}"
    reviewer, approver = made.client(made.reviewer), made.client(made.approver)
    assert "康示復" in reviewer.get(page).content.decode()
    assert "康示復" not in made.client(made.analyst).get(page).content.decode()
    assert case.number in reviewer.get("/staff/recoveries").content.decode()
    scanned = RecoveryFile.objects.get()
    assert reviewer.get(f"{page}/files/{scanned.pk}").status_code == 200
    for client in (reviewer, approver):
        assert client.post(f"{page}/conflict", {"conflict": "no", "reason": ""}).status_code == 302
    sent = reviewer.post(f"{page}/recommend", {"what": "grant", "findings": "回撥登記電話確認。"})
    assert sent.status_code == 302, sent.content.decode()
    decide = f"{page}/decide/approve"
    assert "康示復" in approver.get(decide).content.decode()
    ends = [str(jia.admin.affiliation.pk), str(jia.deputy.affiliation.pk)]
    assert approver.post(decide, {"ends": ends, "text": ""}).status_code == 422, "without a signature nothing"
    signed = approver.post(decide, {"ends": ends, "text": "", "second_factor_code": made.approver.code()})
    assert signed.status_code == 302, signed.content.decode()
    objection = link("admin1@m1.example")
    browser = cases.browser()
    with cases.Ledger() as ledger:
        for _scanner in range(3):
            assert browser.get(objection).status_code == 200
    assert ledger.tags() == [], "a look changes nothing"
    shown = browser.get(objection).content.decode()
    assert "康示復" not in shown
    assert "new1@m1.example" not in shown
    assert browser.post(objection, {"text": ""}).status_code == 422
    assert browser.post(objection, {"text": "我還在職。"}).status_code == 200
    assert Recovery.objects.get().state == "objected"
    assert browser.get(objection).status_code == 410
    assert browser.get("/recovery/nonsense").status_code == 404
    assert "我還在職。" in reviewer.get(page).content.decode()
    entry = f"/staff/members/{made.yi.membership.pk}/recovery"
    file = SimpleUploadedFile("公函.pdf", world.PDF, "application/pdf")
    letter = {**given, "origin": "paper", "received_on": "2026-10-01", "scan": file}
    assert reviewer.post(entry, {**letter, "received_on": ""}).status_code == 422
    file.seek(0)
    assert reviewer.post(entry, letter).status_code == 302
    assert Recovery.objects.get(membership=made.yi.membership).origin == "paper"


def test_a_held_or_departed_administrator_is_no_obstacle(made: world.World) -> None:
    jia = made.jia
    accounts.leave(affiliation=jia.deputy.affiliation, by=jia.admin.subject(), at=made.clock.tick())
    accounts.place_hold(
        thing=jia.admin.account, reason="帳號遭竊", review_on=(utcnow() + timedelta(days=9)).date(),
        by=made.operator.subject(), at=utcnow(),
    )  # fmt: skip
    case = approved(made)
    Delivery.objects.filter(kind="recovery").update(state="failed")
    assert case.waits_until is not None
    assert actions.finish_recoveries(by=JOB, at=case.waits_until) == 1
    assert len(recovery_queries.administrators(case, case.waits_until)) == 2
