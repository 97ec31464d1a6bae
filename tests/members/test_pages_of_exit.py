"""The exit area of a revoked member, the roster, and the switch: what is left, and that nothing else is."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from lianfang.members import actions, queries
from lianfang.members.models import Appeal, RelayRule
from tests import world
from tests.members.cases import appealed, declare, mails, recommended, revoked

SCRIPT = "<script>alert('x')</script>"


def page_of(answer: Any) -> str:
    return str(answer.content.decode())


def key_of(page: str) -> str:
    found = re.search(r'name="key" value="([^"]*)"', page)
    assert found
    return found[1]


@pytest.mark.parametrize("language", ["zh-hant", "en"])
def test_the_exit_page_tells_decision_clock_and_duties_to_each_as_far_as_it_concerns_him(
    made: world.World, language: str
) -> None:
    admin = page_of(made.client(made.former.admin, language=language).get("/exit"))
    member = page_of(made.client(made.former.member, language=language).get("/exit"))
    assert "/exit/appeal" in admin
    assert "/exit/letter" in admin
    assert 'href="/exit/appeal"' not in member
    assert "/exit/letter" not in member
    for page in (admin, member):
        assert "3.3" in page
        assert "23:59" in page
    assert ("Your organisation" in admin) is (language == "en")


def test_without_a_second_factor_the_way_to_it_is_shown(made: world.World) -> None:
    page = page_of(made.client(made.former.admin, mfa=False).get("/exit"))
    assert "reauthenticate" in page
    answer = made.client(made.former.admin, mfa=False).post("/exit/appeal", {"text": "理由", "key": "k" * 43})
    assert answer.status_code == 422
    assert "理由" in page_of(answer)
    assert Appeal.objects.count() == 0


@pytest.mark.parametrize("address", ["/exit/appeal", "/exit/letter", "/exit/appeals/P-2026-0001"])
def test_for_everybody_else_there_is_no_exit(made: world.World, address: str) -> None:
    for actor in (made.jia.admin, made.wu, made.reviewer):
        assert made.client(actor).get(address).status_code == 404
    assert made.client(None).get(address).status_code == 302
    assert made.client(made.jia.admin).get("/exit").status_code == 302


def test_every_page_of_the_members_leads_to_the_exit_and_no_form_works(made: world.World) -> None:
    client = made.client(made.former.admin)
    for address in ("/member", "/member/organisation/roster"):
        assert client.get(address)["Location"] == "/exit"
    before = RelayRule.objects.count()
    assert client.post("/member/organisation/roster/relay", {"start": "1"}).status_code in (302, 404)
    assert RelayRule.objects.count() == before


def test_an_appeal_with_files_gives_a_receipt_for_the_organisations_people(made: world.World) -> None:
    client = made.client(made.former.admin)
    form = page_of(client.get("/exit/appeal"))
    files = [SimpleUploadedFile(f"說明{n}.pdf", world.PDF + b"%d%%%%EOF\n" % n) for n in (1, 2)]
    given = {"text": f"我們當時正在搬遷。{SCRIPT}", "key": key_of(form)}
    filed = client.post("/exit/appeal", {**given, "files": files})
    assert filed.status_code == 302
    assert client.post("/exit/appeal", given)["Location"] == filed["Location"]
    for actor in (made.former.admin, made.former.deputy):
        page = page_of(made.client(actor).get(filed["Location"]))
        assert "說明1.pdf" in page
        assert SCRIPT not in page
    assert made.client(made.yi.admin).get(filed["Location"]).status_code == 404
    assert made.client(made.former.admin).get("/exit/appeals/P-2026-9999").status_code == 404
    assert filed["Location"].rsplit("/", 1)[-1] in page_of(client.get("/exit"))
    assert len(mails("admin1@m5.example", "N10")) == 1


def test_a_file_that_is_refused_keeps_text_and_key(made: world.World) -> None:
    client = made.client(made.former.admin)
    key = key_of(page_of(client.get("/exit/appeal")))
    bad = SimpleUploadedFile("x.pdf", b"MZ")
    answer = client.post("/exit/appeal", {"text": "很長的理由", "key": key, "files": [bad]})
    page = page_of(answer)
    assert answer.status_code == 422
    assert "很長的理由" in page
    assert key_of(page) == key
    assert "不是PDF" in page
    assert Appeal.objects.count() == 0


@pytest.mark.parametrize("key", ["", "\x00", "a\x00b", "字" * 100, "x" * 500, "<script>", "'; --"])
def test_a_key_that_is_none_of_ours_is_replaced_and_the_appeal_is_taken_in(made: world.World, key: str) -> None:
    client = made.client(made.former.admin)
    answer = client.post("/exit/appeal", {"text": "理由", "key": key})
    assert answer.status_code == 302
    shown = page_of(client.post("/exit/appeal", {"text": "", "key": key}))
    assert re.fullmatch(r"[A-Za-z0-9_-]{1,64}", key_of(shown))


def test_the_key_of_somebody_elses_appeal_is_refused_in_words(made: world.World) -> None:
    appealed(made, revoked(made), made.jia.admin, key="k" * 43)
    answer = made.client(made.former.admin).post("/exit/appeal", {"text": "我的理由", "key": "k" * 43})
    assert answer.status_code == 422
    assert "我的理由" in page_of(answer)
    assert queries.appeals([made.revocation]) == {}


@pytest.mark.parametrize("text", ["", " ", "\x00", "字" * 100_000, "a\x00b"])
def test_texts_that_cannot_be_an_appeal(made: world.World, text: str) -> None:
    answer = made.client(made.former.admin).post("/exit/appeal", {"text": text, "key": "k" * 43})
    assert answer.status_code == 422
    assert Appeal.objects.count() == 0


@pytest.mark.parametrize("text", ["\u202eabc", "😀\ufffe", SCRIPT, "\x07"])
def test_texts_that_are_odd_are_an_appeal_all_the_same(made: world.World, text: str) -> None:
    answer = made.client(made.former.admin).post("/exit/appeal", {"text": text, "key": "k" * 43})
    assert answer.status_code == 302
    number = answer["Location"].rsplit("/", 1)[-1]
    page = page_of(made.client(made.approver2).get(f"/staff/appeals/{number}"))
    assert SCRIPT not in page


def test_after_a_granted_appeal_the_exit_is_gone_and_the_plane_is_back(made: world.World) -> None:
    appeal = appealed(made, made.revocation, made.former.admin)
    declare(made, appeal, made.approver2)
    client = made.client(made.former.admin)
    assert client.get("/exit/letter").status_code == 200
    actions.decide_appeal(
        appeal=appeal,
        grant=True,
        because="explanation",
        text="合理。",
        by=made.approver2.subject(),
        at=made.clock.tick(),
    )
    assert client.get("/exit").status_code == 302
    assert client.get("/exit/letter").status_code == 404
    assert client.get("/exit/appeal").status_code == 404
    assert client.get("/member").status_code == 200
    assert client.get(f"/exit/appeals/{appeal.number}").status_code == 200, "the receipt stays its own"


@pytest.mark.parametrize("language", ["zh-hant", "en"])
def test_the_letter_of_revocation_is_whole(made: world.World, language: str) -> None:
    page = page_of(made.client(made.former.admin, language=language).post("/exit/letter"))
    for part in ("D-2026-", "12月2日", made.former.organization.name_zh, "三次演練"):
        assert part in page


def test_methods_that_pages_do_not_know(made: world.World) -> None:
    client = made.client(made.former.admin)
    assert client.post("/exit").status_code == 405
    assert client.put("/exit/letter").status_code == 405
    assert client.put("/exit/appeal").status_code == 405
    member = made.client(made.ding.admin)
    assert member.post("/member/organisation/roster").status_code == 405
    assert member.get("/member/organisation/roster/relay").status_code == 405
    assert member.put("/member/switch").status_code == 405


# Roster and switch


def test_who_may_not_relay_is_told_the_role_and_the_colleagues(made: world.World) -> None:
    answer = made.client(made.ding.contact).post("/member/organisation/roster/relay", {"start": "1"})
    assert answer.status_code == 403
    assert made.ding.admin.person.name in page_of(answer)
    assert 'name="start"' not in page_of(made.client(made.ding.contact).get("/member/organisation/roster"))
    assert 'name="start"' in page_of(made.client(made.ding.admin).get("/member/organisation/roster"))


def test_a_roster_of_hostile_names_is_text(made: world.World) -> None:
    case = recommended(made, 95, people="m95.example", constituents=((SCRIPT, ""), ("=1+1", "")))
    declare(made, case, made.approver)
    membership = world.decide(made.clock, case, made.approver)
    admin = world.join_again(made.clock, membership.organization, "admin1@m95.example")
    page = page_of(made.client(admin).get("/member/organisation/roster"))
    assert SCRIPT not in page
    assert "&lt;script&gt;" in page
    assert "=1+1" in page


@pytest.mark.parametrize("wanted", ["", "x", "\x00", "0" * 32, "字"])
def test_a_switch_to_what_is_not_ones_own_changes_nothing(made: world.World, wanted: str) -> None:
    client = made.client(made.jia.member)
    answer = client.post("/member/switch", {"affiliation": wanted})
    assert answer.status_code == 200
    assert "affiliation" not in client.session
    assert client.get("/member").status_code == 200
