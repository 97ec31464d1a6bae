"""The editor of the procedure as its people use it: pages without scripts, and looks that keep nothing."""

from __future__ import annotations

import copy
import re
from typing import Any

import pytest
from django.test import Client

from lianfang.members import procedure_edits as edits
from lianfang.members import queries
from lianfang.members.models import Application, Procedure
from lianfang.members.procedure import Spec, shipped
from lianfang.outbox.models import Delivery
from tests import world
from tests.members import cases
from tests.members.test_procedure_editor import asked_more, drafted, propose, published

ONE = shipped(1)
BASE = "/staff/procedures"
DRAFT = f"{BASE}/draft"
FIELD = {
    "kind": "radio", "label_zh": "是否有備援機房", "label_en": "Is there a second site?", "hint_zh": "",
    "hint_en": "", "needed": "always", "option0_zh": "有", "option0_en": "Yes", "option1_zh": "無", "option1_en": "No",
}  # fmt: skip


def text(response: Any) -> str:
    return str(response.content.decode())


def revision() -> int:
    draft = queries.open_procedure_draft()
    assert draft is not None
    return draft.revision


def post(client: Client, path: str, **data: Any) -> Any:
    return client.post(f"{DRAFT}{path}", {"revision": revision(), **data})


def spec() -> dict[str, Any]:
    draft = queries.open_procedure_draft()
    assert draft is not None
    found: dict[str, Any] = draft.spec
    return found


def test_from_the_first_click_to_the_form_that_an_applicant_sees(made: world.World) -> None:
    editor = made.client(made.publisher)
    assert "施行中" in text(editor.get(BASE))
    assert editor.get(DRAFT).status_code == 302, "there is none yet"
    assert editor.post(f"{BASE}/begin").headers["Location"] == DRAFT
    shown = text(editor.get(DRAFT))
    for step in Spec(ONE).steps:
        assert step.title.zh in shown
        for field in step.fields:
            assert field.label.zh[:12] in shown
    assert "不能移除" in shown

    added = post(editor, "/steps/organization/questions", **FIELD)
    assert added.status_code == 302
    field = Spec(spec()).field("organization", "x1")
    assert (field.type, field.label.en, [one["value"] for one in field.options]) == (
        "radio", "Is there a second site?", ["o1", "o2"],
    )  # fmt: skip
    renamed = post(
        editor, "/steps/organization/questions/ubn", label_zh="公司統編", label_en="Tax number", hint_zh="", hint_en=""
    )
    assert renamed.status_code == 302
    page = post(
        editor, "/steps", title_zh="資安現況", title_en="Security today", why_zh="了解\n現況", why_en="To\nknow"
    )
    assert page.status_code == 302
    assert "有1到60題" in text(editor.get(DRAFT)), "an empty page stands against it"
    assert post(editor, "/steps/p1/questions", **{**FIELD, "kind": "date"}).status_code == 302
    assert post(editor, "/change", act="step-up", step="p1").status_code == 302
    assert post(editor, "/change", act="up", step="organization", name="x1").status_code == 302
    general = {"title_zh": "程序", "title_en": "Procedure", "review_days": 20, "correction_days": 10, "approvers": 2}
    assert post(editor, "/general", **general).status_code == 302
    assert [step.id for step in Spec(spec()).steps][-3:] == ["p1", "attachments", "review"]

    assert post(editor, "/propose", reason="附件1修正").status_code == 302
    first, second = made.client(made.approver), made.client(made.approver2)
    deciding = text(first.get(f"{DRAFT}/decide"))
    for told in ("附件1修正", "公司統編", "是否有備援機房", "資安現況"):
        assert told in deciding
    assert first.post(f"{DRAFT}/decide", {"act": "approve"}).status_code == 422, "nothing is decided unsigned"
    signed = {"act": "approve", "second_factor_code": made.approver.code()}
    assert first.post(f"{DRAFT}/decide", signed).status_code == 302
    assert Procedure.objects.count() == 1
    assert "須由另一位核准人發布" in text(first.get(f"{DRAFT}/decide"))
    signed = {"act": "approve", "second_factor_code": made.approver2.code()}
    assert second.post(f"{DRAFT}/decide", signed).headers["Location"] == f"{BASE}/2"
    assert "附件1修正" in text(second.get(f"{BASE}/2"))
    assert "公司統編" in text(second.get(f"{BASE}/1?against=2"))

    browser = cases.browser()
    begun = browser.post("/apply", {"kind": "twse", "email": "new@z9.example"})
    assert begun.headers["Location"] == "/apply/step/organization"
    form = text(browser.get("/apply/step/organization"))
    assert "公司統編" in form
    assert "是否有備援機房" in form
    assert "資安現況" in form
    staff = text(made.client(made.reviewer).get(BASE))
    assert "第2版" in staff
    assert "舊版" in staff


def test_a_look_at_a_page_as_an_applicant_is_the_applicants_page_and_keeps_nothing(made: world.World) -> None:
    drafted(made, asked_more())
    editor = made.client(made.publisher)
    before = (Application.objects.count(), Delivery.objects.count(), revision())
    applicant = cases.browser()
    applicant.post("/apply", {"kind": "twse", "email": "new@z8.example"})
    for step in ("eligibility", "organization", "roster", "people", "attestation", "attachments", "review"):
        page = editor.get(f"{DRAFT}/preview/{step}")
        assert page.status_code == 200, step
        real = applicant.get("/apply" if step == "eligibility" else f"/apply/step/{step}")
        ours, theirs = (set(re.findall(r' name="([a-z0-9_]+)"', text(one))) for one in (page, real))
        unseen = {"csrfmiddlewaretoken", "later", "x1", "stock_code"}
        if step != "eligibility":  # an applicant with a draft is led on from there
            assert ours - unseen == theirs - unseen, step
    assert "stock_code" not in text(editor.get(f"{DRAFT}/preview/organization"))
    assumed = text(editor.get(f"{DRAFT}/preview/organization?as=eligibility.kind=twse&as=nonsense&as=a.b=c"))
    assert 'name="stock_code"' in assumed
    assert 'name="certificate_number"' not in assumed
    wrong = editor.post(f"{DRAFT}/preview/organization", {"ubn": "123"})
    assert wrong.status_code == 422
    assert "檢核碼" in text(wrong) or "8個數字" in text(wrong)
    kind = editor.post(f"{DRAFT}/preview/eligibility", {"kind": "twse", "email": "a@b.example"})
    assert "申請人這樣填就能進到下一步" in text(kind)
    listed = editor.post(f"{DRAFT}/preview/roster", {"rows": "乙公司\t123"})
    assert listed.status_code == 422
    Application.objects.get(state="draft", answers__isnull=False, kind="twse", name_zh="")
    assert (Application.objects.count(), Delivery.objects.count(), revision()) == (
        before[0] + 1,
        before[1] + 1,
        before[2],
    )
    for missing in ("nothing", "x1"):
        assert editor.get(f"{DRAFT}/preview/{missing}").status_code == 404
    assert editor.get(f"{BASE}/9/preview/organization").status_code == 404


def test_whoever_saves_on_an_older_state_is_told_and_keeps_his_words(made: world.World) -> None:
    drafted(made)
    one, other = made.client(made.publisher), made.client(made.publisher)
    opened = one.get(f"{DRAFT}/steps/organization/questions")
    seen = re.search(r'name="revision" value="(\d+)"', text(opened))
    assert seen is not None
    assert post(other, "/steps/organization/questions", **FIELD).status_code == 302
    late = one.post(f"{DRAFT}/steps/organization/questions", {**FIELD, "label_zh": "我的題目", "revision": seen[1]})
    assert late.status_code == 422
    assert "另一位同事剛改過" in text(late)
    assert "我的題目" in text(late)
    again = re.search(r'name="revision" value="(\d+)"', text(late))
    assert again is not None
    kept = one.post(f"{DRAFT}/steps/organization/questions", {**FIELD, "label_zh": "我的題目", "revision": again[1]})
    assert kept.status_code == 302
    assert [field.name for field in Spec(spec()).step("organization").fields][-2:] == ["x1", "x2"]


@pytest.mark.parametrize(
    ("path", "data", "said"),
    [
        ("/steps/organization/questions", {**FIELD, "label_en": " "}, "label_en"),
        ("/steps/organization/questions", {**FIELD, "option1_en": ""}, "option1_en"),
        ("/steps/organization/questions", {**FIELD, "option0_zh": "", "option0_en": "", "option1_zh": "",
                                           "option1_en": ""}, "選擇題至少要有一個選項"),
        ("/steps/organization/questions", {**FIELD, "needed": "when"}, "請選同一題的答案"),
        ("/steps/organization/questions", {**FIELD, "kind": "roster"}, "kind"),
        ("/steps/organization/questions/ubn", {"label_zh": "", "label_en": "x"}, "label_zh"),
        ("/steps/organization", {"title_zh": "一", "title_en": "One", "why_zh": "一\n二", "why_en": "one"}, "why_en"),
        ("/general", {"title_zh": "一", "title_en": "One", "review_days": 0, "correction_days": 900}, "review_days"),
        ("/propose", {"reason": ""}, "reason"),
        ("/propose", {"reason": "理由"}, "與前一版完全相同"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_at_its_place_and_nothing_changes(
    made: world.World, path: str, data: dict[str, Any], said: str
) -> None:
    drafted(made)
    before = copy.deepcopy(spec())
    for language in ("zh-hant", "en"):
        answer = post(made.client(made.publisher, language=language), path, **data)
        assert answer.status_code == 422
        assert said in text(answer) or language == "en"
    assert spec() == before


def test_buttons_refuse_in_words_what_must_stay(made: world.World) -> None:
    drafted(made)
    editor = made.client(made.publisher)
    for act, step, name, said in (
        ("remove", "organization", "ubn", "不能移除"),
        ("step-remove", "organization", "", "不能移除"),
        ("step-up", "organization", "", "第一步"),
        ("up", "people", "admin2_name", "別人那一組"),
        ("up", "organization", "gone", "可能剛被移除"),
    ):
        answer = editor.post(f"{DRAFT}/change", {"revision": 1, "act": act, "step": step, "name": name}, follow=True)
        assert said in text(answer), (act, step, name)
    assert spec() == ONE
    for bad in ({"act": "explode", "step": "organization"}, {"act": "up"}):
        data = {"revision": "x"} | bad if len(bad) == 1 else {"revision": 1, **bad}
        assert editor.post(f"{DRAFT}/change", data).status_code == 404


def test_who_may_not_write_sees_the_draft_and_no_button(made: world.World) -> None:
    drafted(made, asked_more())
    reviewer = made.client(made.reviewer)
    shown = text(reviewer.get(DRAFT))
    assert "資安人力" in shown
    for act in ("新增題目", "送交核准", "捨棄草稿"):
        assert act not in shown
    assert reviewer.post(f"{BASE}/begin").status_code in (403, 404)
    assert made.client(made.jia.admin).get(DRAFT).status_code == 404
    assert made.client(made.publisher).get(f"{DRAFT}/decide").status_code in (403, 404)


def test_an_author_who_approves_too_is_told_on_the_page(made: world.World) -> None:
    from lianfang.policy.facts import Duty

    cases.give(made, made.publisher, Duty.APPROVER)
    propose(made, drafted(made, asked_more()))
    author = made.client(made.publisher)
    shown = text(author.get(f"{DRAFT}/decide"))
    assert "您寫過這份草稿" in shown
    assert 'name="second_factor_code"' not in shown
    forced = author.post(f"{DRAFT}/decide", {"act": "approve", "second_factor_code": made.publisher.code()})
    assert forced.status_code == 422
    back = made.client(made.approver).post(f"{DRAFT}/decide", {"act": "decline"}, follow=True)
    assert "已退回撰寫人" in text(back)
    assert author.post(f"{DRAFT}/discard", follow=True).status_code == 200
    assert queries.open_procedure_draft() is None


def test_two_approvers_decide_on_the_pages_of_the_case(made: world.World) -> None:
    head = {"title": ONE["title"], "note": ONE["note"], "review_days": 30, "correction_days": 14}
    published(made, edits.general(ONE, **head, approvers=2))
    case = cases.recommended(made, 27)
    cases.declare(made, case, made.approver, made.approver2)
    path = f"/staff/cases/{case.number}/decide/approve"
    first, second = made.client(made.approver), made.client(made.approver2)
    assert "作第一位核准" in text(first.get(path))
    given = {"reasons": "eligible", "text": "", "sign": "1"}
    assert first.post(path, {**given, "second_factor_code": made.approver.code()}).status_code == 302
    assert world.reread(case).state == "recommended"
    blocked = text(first.get(path))
    assert "您已作第一位核准" in blocked
    assert made.approver.person.name in text(second.get(path))
    assert second.post(path, {**given, "second_factor_code": made.approver2.code()}).status_code == 302
    assert world.reread(case).state == "approved"
    assert "第一位核准人同意" in text(second.get(f"/staff/cases/{case.number}"))
