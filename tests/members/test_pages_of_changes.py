"""The pages of changes, by a browser without scripts: filed by a member, decided by the staff, confirmed by mail."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from lianfang.kernel.clock import utcnow
from lianfang.members import actions, changes
from lianfang.members.models import ChangeConfirmation, ChangeRequest
from tests import world
from tests.members import cases
from tests.members.change_cases import ATTESTATION, checked, file, taken_up

pytestmark = pytest.mark.django_db
FORM = "/member/organisation/change"


def inputs(page: str) -> dict[str, Any]:
    """What a form's hidden fields hold."""
    found: dict[str, list[str]] = {}
    for tag in re.findall(r'<input type="hidden"[^>]*>', page):
        name, value = re.search(r'name="([^"]*)"', tag), re.search(r'value="([^"]*)"', tag)
        if name and value:
            found.setdefault(name[1], []).append(value[1])
    return {name: values if len(values) > 1 else values[0] for name, values in found.items()}


def facts(made: world.World, member: world.Member) -> dict[str, str]:
    return changes.facts_at(member.membership, made.clock.at)


def pdf(name: str = "登記.pdf") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, world.PDF, "application/pdf")


ACCEPT = {"send": "1", "accept_charter": "on", "accept_privacy": "on"}
ATTEST = {**{name: str(value) for name, value in ATTESTATION.items()}, "confirmed": "on"}


def test_a_member_files_and_the_staff_decides(made: world.World) -> None:
    member = made.client(made.jia.admin)
    form = member.get(FORM)
    assert form.status_code == 200
    typed = {**facts(made, made.jia), "name_zh": "甲新示範股份有限公司", "reason": "股東會決議更名"}
    review = member.post(FORM, {**typed, "review": "1"})
    page = review.content.decode()
    assert review.status_code == 200
    assert f"<del>{made.jia.organization.name_zh}</del>" in page
    assert "<ins>甲新示範股份有限公司</ins>" in page
    assert page.count("<ins>") == 1, "only what differs is shown"
    assert "組織身分" in page
    assert "新的陸資確認切結" in page
    kept = inputs(page)
    assert kept["reason"] == "股東會決議更名"
    # Nothing is ticked for anybody, and what was typed is kept.
    missing = member.post(FORM, {**kept, "send": "1"})
    assert missing.status_code == 422
    assert "請勾選" in missing.content.decode()
    assert not ChangeRequest.objects.exists()
    back = member.post(FORM, {**kept, "edit": "1"}).content.decode()
    assert "甲新示範股份有限公司" in back
    sent = member.post(FORM, {**kept, **ACCEPT, **ATTEST, "files": [pdf(), pdf("另一份.pdf")]})
    case = ChangeRequest.objects.get()
    assert sent.status_code == 302
    assert sent.headers["Location"] == f"/member/organisation/changes/{case.number}"
    assert len(changes.files(case)) == 2
    again = member.post(FORM, {**kept, **ACCEPT, **ATTEST})
    assert again.headers["Location"].endswith(case.number), "the same form twice is one request"
    assert member.get(FORM).headers["Location"].endswith(case.number), "one pending already: open it"
    mine = member.get(f"/member/organisation/changes/{case.number}").content.decode()
    assert "已送出" in mine
    assert member.post(f"/member/organisation/changes/{case.number}/message", {"text": "請盡快"}).status_code == 302

    reviewer, approver = made.client(made.reviewer), made.client(made.approver)
    base = f"/staff/changes/{case.number}"
    assert case.number in reviewer.get("/staff/changes").content.decode()
    for client in (reviewer, approver):
        assert client.post(f"{base}/conflict", {"conflict": "no"}).status_code == 302
    assert reviewer.post(f"{base}/take-up").status_code == 302
    page = reviewer.get(base).content.decode()
    assert "請盡快" in page
    assert "股東會決議更名" in page
    listed = {"source": world.LIST, "list_date": "2026-11-01", "rest_clear": "on"}
    assert reviewer.post(f"{base}/screening", listed).status_code == 302
    assert reviewer.post(f"{base}/authority", {"method": "registry", "note": ""}).status_code == 302
    assert reviewer.post(f"{base}/recommend/approve", {"text": ""}).status_code == 302
    held = changes.files(case)[0]
    assert b"".join(reviewer.get(f"{base}/files/{held.pk}")) == world.PDF  # type: ignore[arg-type]
    for client in (reviewer, made.client(made.analyst)):
        shut = client.get(f"{base}/decide/apply").content.decode()
        assert "這一步不是由您" in shut
        assert "second_factor_code" not in shut
    open_ = approver.get(f"{base}/decide/apply").content.decode()
    assert "second_factor_code" in open_
    assert approver.post(f"{base}/decide/apply", {"text": "", "sign": "1"}).status_code == 422
    signed = approver.post(
        f"{base}/decide/apply", {"text": "已查證。", "sign": "1", "second_factor_code": made.approver.code()}
    )
    assert signed.status_code == 302
    letter = changes.change(case.number).decisions.get()  # type: ignore[union-attr]
    assert "已查證。" in letter.letter_zh
    assert approver.get(f"/staff/letters/{letter.number}").status_code == 200
    mine = member.get(f"/member/organisation/changes/{case.number}").content.decode()
    assert "已套用" in mine
    assert letter.number in mine
    past = member.get("/member/organisation/history", {"on": "2026-11-01"}).content.decode()
    assert made.jia.organization.name_zh in past, "as it was before"
    assert "甲新示範股份有限公司" in member.get("/member/organisation/history").content.decode()
    for bad, status in (("115/11/1", 422), ("9999-12-31", 200), ("", 200)):
        assert member.get("/member/organisation/history", {"on": bad}).status_code == status
    staffs = approver.get(f"/staff/members/{made.jia.membership.pk}/history", {"on": "2026-11-01"})
    assert staffs.status_code == 200
    assert case.number in approver.get(f"/staff/members/{made.jia.membership.pk}").content.decode()


def test_what_is_wrong_stands_at_its_field(made: world.World) -> None:
    member = made.client(made.jia.admin)
    nothing = member.post(FORM, {**facts(made, made.jia), "review": "1"})
    assert nothing.status_code == 422
    assert "沒有任何異動" in nothing.content.decode()
    wrong = member.post(FORM, {**facts(made, made.jia), "ubn": "12345678", "new_name": "某人", "review": "1"})
    page = wrong.content.decode()
    assert wrong.status_code == 422
    assert 'id="id_ubn_error"' in page
    assert "請選要更換的人員" in page
    assert made.client(made.jia.member).get(FORM).status_code == 403, "who lacks the role on his own plane is told so"
    assert made.client(made.wu).get(FORM).status_code in (403, 404)


def test_a_mailed_link_changes_nothing_by_being_opened(made: world.World) -> None:
    new = {"name": "周新任", "title": "資安長", "email": "new@m1.example", "phone": "02-0000-0000#9"}
    made.clock.at = utcnow()  # pages ask the real clock, and a link has its time
    case = file(made, made.jia, people=[(made.jia.admin, new)], by=made.jia.deputy)
    (mail,) = cases.mails("new@m1.example", "change_confirm")
    address = "/changes/confirm/" + mail.body_text.split("/changes/confirm/")[1].split()[0]
    stranger = cases.browser()
    before = ChangeConfirmation.objects.filter(answered_at__isnull=True).count()
    for _ in range(2):
        page = stranger.get(address)
        assert page.status_code == 200
        assert "周新任" in page.content.decode()
    assert stranger.head(address).status_code == 200
    assert stranger.post(address, {}).status_code == 200, "neither button is no answer"
    assert ChangeConfirmation.objects.filter(answered_at__isnull=True).count() == before
    assert stranger.post(address, {"yes": "1"}).status_code == 200
    assert stranger.get(address).status_code == 410
    assert stranger.post(address, {"no": "1"}).status_code == 410
    assert ChangeConfirmation.objects.get(change=case, of="new").confirmed is True
    nothing = stranger.get("/changes/confirm/nothing-of-this-name")
    assert nothing.status_code == 404
    assert "周新任" not in stranger.get(address).content.decode(), "a used link tells nothing"
    base = f"/staff/changes/{case.number}"
    old = ChangeConfirmation.objects.get(change=case, of="old")
    assert made.client(made.reviewer).post(f"{base}/ask/{old.pk}").status_code == 302
    assert made.client(made.reviewer).post(f"{base}/ask/{case.pk}").status_code == 404


def test_the_staff_enters_a_letter(made: world.World) -> None:
    reviewer = made.client(made.reviewer)
    address = f"/staff/members/{made.jia.membership.pk}/change"
    assert reviewer.get(address).status_code == 200
    typed = {**facts(made, made.jia), "address": "來函所載新址1號"}
    review = reviewer.post(address, {**typed, "review": "1"})
    kept = inputs(review.content.decode())
    letter = {"origin": "stamped", "received_on": "2026-11-01"}
    without = reviewer.post(address, {**kept, **ACCEPT, **letter})
    assert without.status_code == 422
    assert "掃描檔" in without.content.decode()
    roc = reviewer.post(address, {**kept, **ACCEPT, **letter, "received_on": "115/11/1", "scan": pdf()})
    assert roc.status_code == 422
    assert "民國" in roc.content.decode(), "never guessed"
    sent = reviewer.post(address, {**kept, **ACCEPT, **letter, "scan": pdf("來函.pdf")})
    case = ChangeRequest.objects.get()
    assert sent.headers["Location"] == f"/staff/changes/{case.number}"
    assert case.origin == "stamped"
    assert made.client(made.approver).get(address).status_code == 403


def test_another_members_request_does_not_exist(made: world.World) -> None:
    case = file(made, made.jia, organization={"address": "新址"})
    for actor in (made.yi.admin, made.ding.admin):
        client: Client = made.client(actor)
        assert client.get(f"/member/organisation/changes/{case.number}").status_code == 404
        assert client.post(f"/member/organisation/changes/{case.number}/withdraw").status_code == 404
    case.refresh_from_db()
    assert case.state == "submitted"
    mine = made.client(made.jia.deputy)
    assert mine.post(f"/member/organisation/changes/{case.number}/withdraw").status_code == 302
    assert case.number in mine.get("/member/organisation/changes").content.decode()


def test_notes_returns_and_rejections(made: world.World) -> None:
    case = checked(made, taken_up(made, file(made, made.jia, organization={"name_zh": "甲新示範股份有限公司"})))
    base = f"/staff/changes/{case.number}"
    reviewer, approver = made.client(made.reviewer), made.client(made.approver)
    assert reviewer.post(f"{base}/note", {"text": "內部", "note": "1"}).status_code == 302
    assert reviewer.post(f"{base}/note", {"text": "", "note": "1"}).status_code == 422
    assert reviewer.post(f"{base}/note", {"text": "給會員", "message": "1"}).status_code == 302
    mine = made.client(made.jia.admin).get(f"/member/organisation/changes/{case.number}").content.decode()
    assert "給會員" in mine
    assert "內部" not in mine
    assert reviewer.post(f"{base}/recommend/reject", {"text": ""}).status_code == 422
    assert reviewer.post(f"{base}/recommend/reject", {"text": "名稱與登記不符"}).status_code == 302
    assert approver.post(f"{base}/conflict", {"conflict": "no"}).status_code == 302
    assert approver.post(f"{base}/return", {"text": "請再查"}).status_code == 302
    assert reviewer.post(f"{base}/recommend/reject", {"text": "名稱與登記不符"}).status_code == 302
    assert approver.post(f"{base}/decide/nothing").status_code == 404
    sign = {"text": "名稱與登記不符。", "sign": "1", "second_factor_code": made.approver.code()}
    assert approver.post(f"{base}/decide/reject", sign).status_code == 302
    (mail, _) = cases.mails(kind="N6")
    assert "名稱與登記不符。" in mail.body_text
    assert actions.file_change
