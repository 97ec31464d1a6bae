"""The applicant's pages: what was typed stays, errors name their field, nothing typed can break or run."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from lianfang.members import actions, queries
from lianfang.members.models import Application
from tests import world
from tests.members.cases import PUBLIC, asked, browser, draft, mails, sent, taken_up

# Each by itself where it is judged differently: what would run or mislead, what is long, what no column can hold.
HOSTILE = [
    "<script>alert('x')</script>\"><img src=x onerror=alert(1)>{{ 7*7 }}\u202etxt.exe😀𠮷\ufffe'; DROP TABLE x;--",
    "字" * 100_000,
    "a\x00b\x07c",
]
LANGUAGES = ["zh-hant", "en"]


def resumed(application: Application, language: str = "zh-hant") -> Client:
    """A browser that opened the mailed link and pressed the button."""
    client = browser(language)
    assert client.post(f"/apply/resume/{application.secret}").status_code == 302
    return client


def page_of(answer: Any) -> str:
    return str(answer.content.decode())


def hidden(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found, name
    return found[1]


def form_of(client: Client) -> dict[str, str]:
    """What the last page sends with its button."""
    page = page_of(client.get("/apply/step/review"))
    fields = {name: hidden(page, name) for name in ("key", "charter", "privacy")}
    return {**fields, "accept_charter": "on", "accept_privacy": "on", "electronic": "agree"}


# The first page


@pytest.mark.parametrize("language", LANGUAGES)
def test_errors_of_the_first_page_name_the_field_and_keep_what_was_typed(made: world.World, language: str) -> None:
    client = browser(language)
    answer = client.post("/apply", {"kind": "emerging", "email": "no address"})
    page = page_of(answer)
    assert answer.status_code == 422
    assert 'value="no address"' in page
    assert 'href="#id_email"' in page, "the summary leads to the field"
    assert 'id="id_email_error"' in page or "aria-invalid" in page
    assert client.get("/apply/step/organization")["Location"] == "/apply"


def test_a_browser_with_a_draft_is_led_to_where_it_stands(made: world.World) -> None:
    client = browser()
    answer = client.post("/apply", {"kind": "tpex", "email": "apply@where.example"})
    assert answer["Location"] == "/apply/step/organization"
    assert client.get("/apply")["Location"] == "/apply/step/organization"
    assert client.get("/apply/step/roster").status_code == 200, "pages can be looked at in any order"
    assert client.get("/apply/step/nothing").status_code == 404
    again = client.post("/apply", {"kind": "twse", "email": "apply@where.example"})
    assert again.status_code == 302
    assert Application.objects.filter(number=None).count() >= 2, "somebody may apply for two organisations"


@pytest.mark.parametrize("method", ["put", "delete", "patch"])
def test_other_methods_are_refused(made: world.World, method: str) -> None:
    application = sent(made)
    client = resumed_case(application)
    for address in (
        "/apply",
        "/apply/step/people",
        f"/apply/resume/{application.secret}",
        f"/apply/case/{application.secret}",
    ):
        assert getattr(client, method)(address).status_code == 405, address
    assert client.get("/apply/link").status_code == 405
    assert client.post(f"/apply/receipt/{application.number}").status_code == 405


def resumed_case(application: Application) -> Client:
    """A browser that opened the link of a case."""
    client = browser()
    client.get(f"/apply/case/{application.secret}")
    return client


# Pages of a draft


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_shows_what_was_kept(made: world.World, language: str) -> None:
    application = draft(made, constituents=(("戊五資訊", world.business_number(501)),))
    client = resumed(application, language)
    shown = {
        "eligibility": "apply@a21.example", "organization": "示範市測試路1號", "roster": "戊五資訊",
        "people": "02-0000-0000#12", "attestation": application.roster_hash[:12], "attachments": "證明.pdf",
        "review": "林樣本",
    }  # fmt: skip
    for step, text in shown.items():
        answer = client.get(f"/apply/step/{step}")
        page = page_of(answer)
        assert answer.status_code == 200
        assert text in page, step
        assert "no-store" in answer["Cache-Control"]
        assert ("Save and continue" in page or "Send the application" in page) is (language == "en")


def test_a_wrong_page_is_kept_shown_and_marked_at_its_fields(made: world.World) -> None:
    application = draft(made)
    client = resumed(application)
    given = {**application.answers["organization"], "ubn": "12345678", "stock_code": "二三三〇", "address": ""}
    answer = client.post("/apply/step/organization", {**given, "next": "1"})
    page = page_of(answer)
    assert answer.status_code == 422
    for name in ("ubn", "stock_code", "address"):
        assert f'href="#id_{name}"' in page
    assert 'value="12345678"' in page
    assert 'value="二三三〇"' in page
    assert world.reread(application).answers["organization"]["ubn"] == "12345678"
    assert page_of(client.get("/apply/step/organization")).count("二三三〇") >= 1


def test_saved_for_later_goes_nowhere_and_complains_about_nothing(made: world.World) -> None:
    application = draft(made)
    client = resumed(application)
    answer = client.post("/apply/step/people", {"admin1_name": "半", "later": "1"})
    assert (answer.status_code, answer["Location"]) == (302, "/apply/step/people")
    assert world.reread(application).answers["people"]["admin1_name"] == "半"


def test_rows_of_a_roster_are_faulted_one_by_one_and_none_is_taken_over(made: world.World) -> None:
    application = draft(made, constituents=(("戊五資訊", ""),))
    client = resumed(application)
    rows = f"好公司\t{world.business_number(51)}\n壞公司\t12345678\n<b>粗</b>\tx"
    answer = client.post("/apply/step/roster", {"rows": rows, "next": "1"})
    page = page_of(answer)
    assert answer.status_code == 422
    assert "&lt;b&gt;粗&lt;/b&gt;" in page
    assert "<b>粗</b>" not in page
    kept = world.reread(application).answers["roster"]
    assert kept["rows"] == [{"name": "戊五資訊", "ubn": ""}]
    assert kept["typed"] == rows
    assert client.post("/apply/step/roster", {"rows": "好公司\r\n", "next": "1"})["Location"] == "/apply/step/people"
    assert world.reread(application).answers["roster"] == {"typed": "", "rows": [{"name": "好公司", "ubn": ""}]}


def test_a_mistyped_address_is_corrected_on_the_first_page(made: world.World) -> None:
    client = browser()
    client.post("/apply", {"kind": "twse", "email": "aply@typo.example"})
    (first,) = mails("aply@typo.example")
    answer = client.post("/apply/step/eligibility", {"kind": "twse", "email": "apply@typo.example", "next": "1"})
    assert answer["Location"] == "/apply/step/organization"
    (mail,) = mails("apply@typo.example")
    old, new = (re.search(r"/apply/resume/(\S+)", one.body_text) for one in (first, mail))
    assert old
    assert new
    stranger = browser()
    assert stranger.get(f"/apply/resume/{old[1]}").status_code == 404
    assert stranger.get(f"/apply/resume/{new[1]}").status_code == 200


def test_nobody_is_mailed_often_by_going_back_to_the_first_page(made: world.World) -> None:
    client = browser()
    client.post("/apply", {"kind": "twse", "email": "apply@back.example"})
    for turn in range(8):
        for address in (f"other{turn}@back.example", "victim@back.example"):
            answer = client.post("/apply/step/eligibility", {"kind": "twse", "email": address, "next": "1"})
    assert answer.status_code == 422
    assert "victim@back.example" in page_of(answer), "what was typed is still there"
    assert len(mails("victim@back.example")) == 6


def test_looking_at_a_mailed_link_proves_nothing(made: world.World) -> None:
    """Scanners of mail open every link; only a person presses the button."""
    client = browser()
    client.post("/apply", {"kind": "twse", "email": "apply@look.example"})
    application = queries.application_by_id(client.session["application"])
    assert application is not None
    scanner = browser()
    for method in ("get", "head"):
        assert getattr(scanner, method)(f"/apply/resume/{application.secret}").status_code == 200
    assert world.reread(application).email_proved_at is None
    assert scanner.get("/apply/step/people")["Location"] == "/apply", "and opens no draft"
    assert scanner.post(f"/apply/resume/{application.secret}").status_code == 302
    assert world.reread(application).email_proved_at is not None
    assert scanner.get("/apply/step/people").status_code == 200


def test_an_expired_draft_says_so_at_its_link_and_is_gone_from_the_browser(made: world.World) -> None:
    application = draft(made)
    client = resumed(application)
    Application.objects.filter(pk=application.pk).update(expires_at=made.clock.at)
    answer = client.get(f"/apply/resume/{application.secret}")
    assert answer.status_code == 410
    assert application.name_zh not in page_of(answer)
    client.post(f"/apply/resume/{application.secret}")
    assert client.get("/apply/step/people")["Location"] == "/apply"
    assert client.post("/apply/step/people", {"admin1_name": "x"})["Location"] == "/apply"
    assert client.post("/apply/link")["Location"] == "/apply"


def test_the_link_is_mailed_again_on_request(made: world.World) -> None:
    application = draft(made, 45)
    client = resumed(application)
    assert client.post("/apply/link").status_code == 302
    assert len(mails("apply@a45.example", "email_proof")) == 2


# Files


def test_files_are_taken_refused_and_removed_on_their_page(made: world.World) -> None:
    application = draft(made)
    client = resumed(application)
    good = SimpleUploadedFile("第二份.pdf", world.PDF + b"2%%EOF\n", content_type="application/x-msdownload")
    assert client.post("/apply/step/attachments", {"registration": good, "upload": "1"}).status_code == 302
    bad = SimpleUploadedFile("登記.pdf", b"MZ\x90", content_type="application/pdf")
    answer = client.post("/apply/step/attachments", {"registration": bad, "next": "1"})
    assert answer.status_code == 422
    assert "不是PDF" in page_of(answer)
    assert queries.file_counts(application) == {"registration": 2}
    for file in queries.files(application):
        assert client.post("/apply/step/attachments", {"remove": str(file.pk)}).status_code == 302
    answer = client.post("/apply/step/attachments", {"next": "1"})
    assert answer.status_code == 422
    assert "請上傳檔案" in page_of(answer)
    for junk in ("x", "", "0" * 36, "\x00"):
        assert client.post("/apply/step/attachments", {"remove": junk}).status_code in (302, 422)


@pytest.mark.parametrize(
    "name", ["<script>.pdf", "a\r\nb.pdf", "\u202efdp.exe", "x" * 400 + ".pdf", "../../x.pdf", "\"'.pdf"]
)
def test_names_of_files_are_shown_as_text(made: world.World, name: str) -> None:
    application = draft(made)
    client = resumed(application)
    file = SimpleUploadedFile("x.pdf", world.PDF + b"3%%EOF\n")
    file._name = name  # the constructor would clean it, a browser does not
    assert client.post("/apply/step/attachments", {"registration": file, "upload": "1"}).status_code == 302
    page = page_of(client.get("/apply/step/attachments"))
    assert "<script>.pdf" not in page
    assert "\u202e" not in page


# Sending


def test_the_last_page_lists_what_is_missing_and_sends_nothing(made: world.World) -> None:
    application = draft(made)
    client = resumed(application)
    client.post("/apply/step/people", {"admin1_name": "林樣本"})
    page = page_of(client.get("/apply/step/review"))
    assert 'href="/apply/step/people"' in page
    answer = client.post("/apply/step/review", form_of(client))
    assert answer.status_code == 422
    assert world.reread(application).state == "draft"
    for name in ("accept_charter", "accept_privacy", "electronic"):
        answer = client.post("/apply/step/review", {k: v for k, v in form_of(client).items() if k != name})
        assert answer.status_code == 422
        assert f"id_{name}" in page_of(answer)


@pytest.mark.parametrize("key", ["", "k", "k" * 64, "\x00" * 64, "字" * 64, "<script>" * 8])
def test_a_key_that_is_not_the_pages_own_sends_nothing(made: world.World, key: str) -> None:
    application = draft(made)
    client = resumed(application)
    answer = client.post("/apply/step/review", {**form_of(client), "key": key})
    assert answer.status_code == 422
    assert world.reread(application).state == "draft"


def test_the_key_of_another_draft_sends_nothing(made: world.World) -> None:
    one, two = draft(made, 46), draft(made, 47)
    first, second = resumed(one), resumed(two)
    form = form_of(first)
    assert first.post("/apply/step/review", form).status_code == 302
    assert second.post("/apply/step/review", {**form_of(second), "key": form["key"]}).status_code == 422
    assert world.reread(two).state == "draft"


@pytest.mark.parametrize("junk", [{"charter": "x"}, {"charter": ""}, {"privacy": "0" * 32}, {"charter": "\x00"}])
def test_documents_that_are_not_in_force_are_not_accepted(made: world.World, junk: dict[str, str]) -> None:
    client = resumed(draft(made))
    answer = client.post("/apply/step/review", {**form_of(client), **junk})
    assert answer.status_code == 422


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_receipt_is_whole_and_only_for_who_sent_it(made: world.World, language: str) -> None:
    client = resumed(draft(made, 48, constituents=(("戊六資訊", ""),)), language)
    answer = client.post("/apply/step/review", form_of(client))
    number = answer["Location"].rsplit("/", 1)[-1]
    application = queries.submitted(number)
    assert application is not None
    page = page_of(client.get(answer["Location"]))
    for part in (
        number,
        bytes(application.submitted_sha256).hex(),
        application.name_zh,
        f"/apply/case/{application.secret}",
    ):
        assert part in page
    other = browser()
    assert other.get(answer["Location"]).status_code == 404
    resumed_case(application)
    assert client.get("/apply/receipt/A-2026-9999").status_code == 404
    assert client.get("/apply/step/people")["Location"] == "/apply", "the draft is sent"
    assert client.get(f"/apply/resume/{application.secret}")["Location"] == f"/apply/case/{application.secret}"


# Hostile input in every field


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_no_text_in_any_field_breaks_a_page_or_runs_on_it(made: world.World, text: str) -> None:
    application = draft(made)
    client = resumed(application)
    spec = queries.spec_of(application)
    for step in spec.steps:
        if step.id in ("attachments", "review", "eligibility"):
            continue
        given = {field.name: text for field in step.fields}
        answer = client.post(f"/apply/step/{step.id}", {**given, "next": "1"})
        assert answer.status_code in (302, 422), step.id
        for shown in (page_of(answer), page_of(client.get(f"/apply/step/{step.id}"))):
            assert "<script>alert(" not in shown
            assert "<img src=x" not in shown
    answer = client.get("/apply/step/review")
    assert answer.status_code == 200
    assert "<script>alert(" not in page_of(answer)
    assert client.post("/apply", {"kind": text[:9000], "email": text[:9000]}).status_code == 422


def test_bytes_that_are_no_utf8_are_no_error(made: world.World) -> None:
    client = resumed(draft(made))
    body = b"name_zh=%ED%A0%80%FF%FE&address=%C0%AF&next=1"
    answer = client.post("/apply/step/organization", body, content_type="application/x-www-form-urlencoded")
    assert answer.status_code == 422
    assert client.get("/apply/resume/%ED%A0%80%00").status_code == 404
    assert client.get("/apply/case/%00").status_code == 404
    assert client.get("/apply/receipt/%F0%9F%98%80").status_code == 404


def test_a_roster_of_five_thousand_rows_is_taken_over_by_its_page(made: world.World) -> None:
    application = draft(made)
    client = resumed(application)
    rows = "\n".join(f"示範第{place}公司\t" for place in range(5000))
    assert client.post("/apply/step/roster", {"rows": rows, "next": "1"}).status_code == 302
    assert len(world.reread(application).answers["roster"]["rows"]) == 5000
    page = page_of(client.get("/apply/step/review"))
    assert page.count("示範第") <= 250, "a page shows the first of them"
    answer = client.post("/apply/step/roster", {"rows": rows + "\n一\n", "next": "1"})
    assert answer.status_code == 422
    assert "5000" in page_of(answer)


# The case


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_applicants_page_shows_state_letters_and_messages_meant_for_it(made: world.World, language: str) -> None:
    case = taken_up(made)
    by = made.reviewer.subject()
    actions.add_note(case=case, text="內部看法不外傳", by=by, at=made.clock.tick())
    actions.add_note(case=case, text="請於上班時間來電", to_applicant=True, by=by, at=made.clock.tick())
    client = browser(language)
    page = page_of(client.get(f"/apply/case/{case.secret}"))
    assert case.number in page
    assert ("審查中" in page) is (language == "zh-hant")
    assert ("Under review" in page) is (language == "en")
    assert "請於上班時間來電" in page
    assert "內部看法" not in page
    assert made.reviewer.person.name not in page, "who reviews is not told"


def test_a_message_a_withdrawal_and_an_empty_message(made: world.World) -> None:
    case = taken_up(made)
    client = browser()
    address = f"/apply/case/{case.secret}"
    answer = client.post(address, {"text": "<script>alert(1)</script> 請問進度"})
    assert answer["Location"] == address
    page = page_of(client.get(address))
    assert "&lt;script&gt;alert(1)" in page
    assert "<script>alert(1)" not in page
    answer = client.post(address, {"text": " "})
    assert answer.status_code == 422
    assert client.post(address, {"text": "a\x00b"}).status_code == 422
    assert client.post(address, {"withdraw": "1"}).status_code == 302
    assert world.reread(case).state == "withdrawn"
    again = client.post(address, {"withdraw": "1"})
    assert again.status_code == 403, "told in words that it is over"
    assert "已撤回" in page_of(again)


@pytest.mark.parametrize("language", LANGUAGES)
def test_corrections_are_answered_on_the_same_fields_and_what_is_wrong_is_kept(
    made: world.World, language: str
) -> None:
    case = taken_up(made)
    asked(made, case, "organization.ubn", "people.contact_phone", "attachments.other_file")
    client = browser(language)
    address = f"/apply/case/{case.secret}/corrections"
    page = page_of(client.get(address))
    for name in ("ubn", "contact_phone", "other_file", "confirmed"):
        assert f'name="{name}"' in page
    assert 'name="name_zh"' not in page, "what was not asked for is not on the page"
    answer = client.post(address, {"ubn": "12345678", "contact_phone": "<script>"})
    shown = page_of(answer)
    assert answer.status_code == 422
    assert 'value="12345678"' in shown
    assert "&lt;script&gt;" in shown
    assert '<script>"' not in shown
    assert world.reread(case).state == "correction_requested"
    number = world.business_number(88)
    file = SimpleUploadedFile("補充.pdf", world.PDF + b"4%%EOF\n")
    form = {"ubn": number, "contact_phone": "02-1111-1111", "confirmed": "on", "other_file": file}
    assert client.post(address, form).status_code == 302
    kept = world.reread(case)
    assert (kept.state, kept.ubn) == ("under_review", number)
    assert client.get(address)["Location"] == f"/apply/case/{case.secret}", "nothing is asked any more"


def test_hostile_answers_to_corrections_are_no_error(made: world.World) -> None:
    case = taken_up(made)
    (item,) = asked(made, case, "organization.address")
    client = browser()
    address = f"/apply/case/{case.secret}/corrections"
    for junk in ("\x07", "字" * 100_000, "A123456789"):
        answer = client.post(address, {"address": junk, f"answer-{item.pk}": junk})
        assert answer.status_code == 422
    answer = client.post(address, {"address": "示範市測試路1號", f"answer-{item.pk}": "a\x00<script>b"})
    assert answer.status_code == 302
    page = page_of(made.client(made.reviewer).get(f"/staff/cases/{case.number}"))
    assert "<script>b" not in page


def test_links_of_drafts_and_of_cases_are_told_apart_and_strangers_get_the_absent(made: world.World) -> None:
    application, case = draft(made, 49), sent(made, 50)
    client = browser()
    absent = client.get(f"/apply/case/{'x' * 43}")
    assert client.get(f"/apply/case/{application.secret}").status_code == absent.status_code == 404
    assert client.get(f"/apply/case/{application.secret}/corrections").status_code == 404
    assert client.get(f"/apply/resume/{case.secret}")["Location"] == f"/apply/case/{case.secret}"
    assert PUBLIC.person is None
