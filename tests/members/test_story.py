"""From the first page to the exit, as a browser does it: forms posted, links taken from the mails."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from lianfang.accounts.models import Affiliation
from lianfang.members import queries
from lianfang.members.models import Application, Membership
from lianfang.outbox.models import Delivery
from tests import world

pytestmark = pytest.mark.django_db
PEOPLE = "story.example"
_LINK = re.compile(r"http://localhost:8000(/\S+)")


def mails(address: str, kind: str = "") -> list[Delivery]:
    """What was queued for an address, oldest first; addresses lie sealed, so all are looked at."""
    found = [one for one in Delivery.objects.order_by("created_at", "pk") if one.to == address]
    return [one for one in found if not kind or one.kind == kind]


def link(mail: Delivery, part: str) -> str:
    """The first link of a mail whose path holds `part`."""
    return next(path for path in _LINK.findall(mail.body_text) if part in path)


def fill(browser: Client, pages: dict[str, dict[str, Any]], step: str) -> Any:
    """Post one page as a browser would: a tick that is not set is not sent."""
    given = {name: "on" if value is True else value for name, value in pages[step].items() if value is not False}
    return browser.post(f"/apply/step/{step}", {**given, "next": "1"})


def hidden(answer: Any, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', answer.content.decode())
    assert found, name
    return found[1]


def apply(browser: Client) -> str:
    """Fill in and send an application; return its number."""
    pages = world.answers(name="壬示範光電股份有限公司", place=31, people=PEOPLE)
    answer = browser.post("/apply", {"kind": "twse", "email": f"apply@{PEOPLE}"})
    assert answer.status_code == 302
    assert fill(browser, pages, "organization")["Location"] == "/apply/step/roster"
    rows = f"名稱\t統一編號\n戊示範資訊有限公司\t{world.business_number(51)}\n沒有統編的協會\t\n"
    assert browser.post("/apply/step/roster", {"rows": rows, "next": "1"}).status_code == 302
    assert fill(browser, pages, "people").status_code == 302
    assert fill(browser, pages, "attestation")["Location"] == "/apply/step/attachments"
    from django.core.files.uploadedfile import SimpleUploadedFile

    file = SimpleUploadedFile("proof.pdf", world.PDF, content_type="text/plain")
    answer = browser.post("/apply/step/attachments", {"registration": file, "next": "1"})
    assert answer["Location"] == "/apply/step/review"
    page = browser.get("/apply/step/review")
    form = {name: hidden(page, name) for name in ("key", "charter", "privacy")}
    form |= {"accept_charter": "on", "accept_privacy": "on", "electronic": "agree"}
    unproved = browser.post("/apply/step/review", form)
    assert unproved.status_code == 422
    assert Application.objects.filter(number__isnull=False, name_zh__startswith="壬").count() == 0
    resume = link(mails(f"apply@{PEOPLE}", "email_proof")[-1], "/apply/resume/")
    assert browser.get(resume).status_code == 200
    assert browser.post(resume)["Location"] == "/apply/step/review"
    first = browser.post("/apply/step/review", form)
    assert first.status_code == 302
    again = browser.post("/apply/step/review", form)
    assert again["Location"] in (first["Location"], "/apply")
    assert browser.get(first["Location"]).status_code == 200
    return str(first["Location"].rsplit("/", 1)[-1])


def test_from_the_first_page_to_the_exit() -> None:
    made = world.build()
    browser = Client(HTTP_HOST="localhost")
    number = apply(browser)
    reviewer, approver = made.client(made.reviewer), made.client(made.approver)
    at = f"/staff/cases/{number}"

    assert reviewer.post(f"{at}/conflict", {"conflict": "no"}).status_code == 302
    assert reviewer.post(f"{at}/take-up").status_code == 302
    correction = {"field1": "organization.address", "message1": "請補上樓層。"}
    assert reviewer.post(f"{at}/correct", correction).status_code == 302
    case = link(mails(f"apply@{PEOPLE}", "N2")[-1], "/apply/case/")
    assert "請補上樓層" in browser.get(case).content.decode()
    assert browser.get(f"{case}/corrections").status_code == 200
    answered = browser.post(f"{case}/corrections", {"address": "示範市測試路1號9樓"})
    assert answered.status_code == 302
    page = reviewer.get(at).content.decode()
    assert "示範市測試路1號9樓" in page
    assert "原" in page or "Before" in page

    screening = {"source": world.LIST, "list_date": "2026-11-01", "rest_clear": "on"}
    assert reviewer.post(f"{at}/screening", screening).status_code == 302
    assert reviewer.post(f"{at}/authority", {"method": "registry"}).status_code == 302
    assert reviewer.post(f"{at}/recommend/approve", {"reasons": "eligible"}).status_code == 302

    assert approver.post(f"{at}/conflict", {"conflict": "no"}).status_code == 302
    unsigned = approver.post(f"{at}/decide/approve", {"reasons": "eligible", "sign": "1"})
    assert unsigned.status_code == 422
    signed = {"reasons": "eligible", "sign": "1", "second_factor_code": made.approver.code()}
    assert approver.post(f"{at}/decide/approve", signed)["Location"] == at

    membership = Membership.objects.get(application__number=number)
    assert membership.state == "active"
    people = Affiliation.objects.filter(organization=membership.organization)
    assert sorted(people.values_list("role", flat=True)) == ["member_admin", "member_admin", "security_contact"]
    invitation = mails(f"admin1@{PEOPLE}")
    assert [one.kind for one in invitation] == ["invitation"]
    assert "個人資料" in invitation[0].body_text, "the first mail to somebody entered by another holds the notice"
    assert mails(f"apply@{PEOPLE}", "N3")
    assert membership.organization.constituents.count() == 2

    revoke_and_appeal(made, membership, reviewer, approver)


def revoke_and_appeal(made: world.World, membership: Membership, reviewer: Client, approver: Client) -> None:
    admin = world.join_again(made.clock, membership.organization, f"admin1@{PEOPLE}")
    desk = made.client(admin)
    assert desk.get("/member").status_code == 200
    facts = {"ground": "1.4b", "facts": "自2026年6月起未回覆三次演練通知。"}
    opened = reviewer.post(f"/staff/members/{membership.pk}/revoke", facts)
    at = opened["Location"]
    assert reviewer.post(f"{at}/conflict", {"conflict": "no"}).status_code == 302
    assert reviewer.post(f"{at}/propose", facts).status_code == 422, "nobody is revoked unheard"
    assert reviewer.post(f"{at}/notice", {"ground": "1.4b", "text": "請說明沒有回覆的原因。"}).status_code == 302
    heard = {"text": "沒有意見。", "key": desk.get("/member/organisation/hearing").context["key"]}
    assert desk.post("/member/organisation/hearing", heard).status_code == 302
    assert reviewer.post(f"{at}/propose", facts).status_code == 302
    assert desk.get("/member").status_code == 200, "a review changes nothing"
    assert approver.post(f"{at}/conflict", {"conflict": "no"}).status_code == 302
    signed = {"text": "", "sign": "1", "second_factor_code": made.approver.code()}
    assert approver.post(f"{at}/decide/revoke", signed)["Location"] == at

    assert desk.get("/member").status_code == 302, "the session has ended"
    desk = made.client(admin)
    assert desk.get("/member")["Location"] == "/exit"
    assert "1.4" in desk.get("/exit").content.decode()
    assert mails(f"admin1@{PEOPLE}", "N9")
    form = desk.get("/exit/appeal")
    filed = desk.post("/exit/appeal", {"text": "我們當時正在搬遷。", "key": hidden(form, "key")})
    again = desk.post("/exit/appeal", {"text": "我們當時正在搬遷。", "key": hidden(form, "key")})
    assert filed.status_code == 302
    assert filed["Location"] == again["Location"]
    assert desk.get(filed["Location"]).status_code == 200
    assert mails(f"admin1@{PEOPLE}", "N10")

    number = filed["Location"].rsplit("/", 1)[-1]
    second = made.client(made.approver2)
    assert second.post(f"/staff/revocations/{number}/conflict", {"conflict": "no"}).status_code == 302
    decision = {"text": "說明合理。", "grant": "1", "because": "special", "second_factor_code": made.approver2.code()}
    assert approver.post(f"/staff/appeals/{number}", decision).status_code == 422, "who revoked does not decide"
    assert (
        second.post(f"/staff/appeals/{number}", {**decision, "second_factor_code": made.approver2.code()}).status_code
        == 302
    )
    membership.refresh_from_db()
    assert membership.state == "active"
    assert len(queries.gaps(membership.organization_id)) == 1
    assert desk.get("/member").status_code == 200
