"""What a person who has signed in meets around the content: plane, organisation, preferences."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from lianfang.audit.models import Entry
from tests.world import World, build


@pytest.fixture
def world(db: None) -> World:
    """Everybody."""
    return build()


def test_signing_in_leads_to_ones_plane(world: World) -> None:
    assert world.client(world.jia.admin).get("/home")["Location"] == "/member"
    assert world.client(world.reviewer).get("/home")["Location"] == "/staff/inbox"
    assert world.client(world.former.admin).get("/home")["Location"] == "/exit"
    assert Client().get("/home")["Location"] == "/"


def test_the_bar_says_whom_one_represents(world: World) -> None:
    page = world.client(world.jia.admin).get("/me").text
    assert "您代表" in page
    assert world.jia.organization.name_zh in page


def test_staff_see_their_duties(world: World) -> None:
    page = world.client(world.reviewer).get("/me").text
    assert "審查人" in page
    assert 'class="side"' in page


def test_a_public_page_leads_back_to_work(world: World) -> None:
    page = world.client(world.jia.admin).get("/about").text
    assert "回到工作" in page
    assert "會員登入" not in page


def test_preferences_are_kept_with_the_account_and_recorded(world: World) -> None:
    client = world.client(world.jia.admin)
    answer = client.post("/me", {"theme": "dark", "language": "en"})
    assert answer.status_code == 302
    world.jia.admin.account.refresh_from_db()
    assert (world.jia.admin.account.theme, world.jia.admin.account.language) == ("dark", "en")
    page = client.get("/me").text
    assert 'data-bs-theme="dark"' in page
    assert "My account" in page
    last = Entry.objects.filter(tag="web:preferences:keep").latest("pk")
    assert last.detail == {"theme": "dark", "language": "en"}


def test_another_device_takes_the_preferences_once(world: World) -> None:
    world.client(world.jia.admin).post("/me", {"theme": "dark", "language": "en"})
    other = world.client(world.jia.admin)
    other.cookies.pop("language")
    answer = other.get("/home")
    assert answer.cookies["theme"].value == "dark"
    other.get("/about?theme=light")
    assert "theme" not in other.get("/home").cookies


@pytest.mark.parametrize("sent", [{}, {"theme": "pink", "language": "en"}, {"theme": "dark", "language": "xx"}])
def test_unknown_preferences_are_refused_and_nothing_is_kept(world: World, sent: dict[str, str]) -> None:
    client = world.client(world.jia.admin)
    answer = client.post("/me", sent)
    assert answer.status_code == 422
    assert "errsum" in answer.text
    world.jia.admin.account.refresh_from_db()
    assert world.jia.admin.account.theme == "system"


def test_a_hidden_item_and_a_wrong_id_answer_alike(world: World) -> None:
    client = world.client(world.bing.admin)
    wrong = client.get("/member/intel/indicator--00000000-0000-4000-8000-000000000000")
    none = client.get("/member/intel/indicator--00000000-0000-4000-8000-000000000001")
    assert wrong.status_code == none.status_code == 404
    assert wrong.content == none.content
    assert 'class="org"' in wrong.text


def test_a_member_gets_the_public_404_of_the_staff_plane(world: World) -> None:
    client = world.client(world.jia.admin)
    assert client.get("/staff/inbox").status_code == 404
    assert client.get("/staff/inbox").content == client.get("/staff/nowhere").content
    assert 'class="side"' not in client.get("/staff/inbox").text


def test_numbers_beside_the_navigation_are_those_of_the_queue(world: World) -> None:
    page = world.client(world.reviewer).get("/staff/inbox").text
    assert re.search(r'href="/staff/applications"[^>]*>.*?<span class="n">1</span>', page)
    assert re.search(r'href="/staff/inbox"[^>]*>.*?<span class="n">0</span>', page)
    assert re.search(r'href="/staff/revocations"[^>]*>.*?<span class="n">0</span>', page)
    assert "/staff/quarantine" not in page
    assert re.search(r'href="/staff/quarantine"[^>]*>.*?<span class="n">0</span>', _home(world))


def _home(world: World) -> str:
    return world.client(world.analyst).get("/me").text


@pytest.mark.django_db
def test_every_page_of_who_is_signed_in_leads_to_signing_out(world: World) -> None:
    for actor, pages in (
        (world.jia.admin, ("/member", "/member/connections", "/member/intel")),
        (world.reviewer, ("/staff/inbox", "/staff/applications")),
        (world.former.admin, ("/exit",)),
    ):
        client = world.client(actor)
        for path in pages:
            assert 'href="/me"' in client.get(path).text, path
        assert 'action="/account/logout/"' in client.get("/me").text
