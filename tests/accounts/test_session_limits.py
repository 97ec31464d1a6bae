"""How long a session lasts, and when it changes its name."""

from __future__ import annotations

import time

import pytest
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from lianfang.audit.models import Entry
from lianfang.policy.facts import Role
from tests.world import PASSWORD, World, build

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(db: None) -> World:
    cache.clear()
    return build()


def aged(client: Client, **seconds: int) -> Client:
    """The same browser, whose session says that so much time has passed."""
    session = client.session
    for name, past in seconds.items():
        session[name] = int(time.time()) - past
    session.save()
    return client


def is_in(client: Client) -> bool:
    return client.get("/member").status_code == 200


def test_a_session_ends_an_hour_after_it_was_last_used(world: World) -> None:
    client = world.client(world.jia.admin)
    assert is_in(client)
    assert is_in(aged(client, seen=3598))
    assert int(time.time()) - client.session["seen"] < 5, "use begins the hour anew"
    key = client.cookies[settings.SESSION_COOKIE_NAME].value
    answer = aged(client, seen=3600).get("/member/connections")
    assert answer.status_code == 302
    assert answer["Location"] == "/account/login/?next=%2Fmember%2Fconnections"
    assert not Session.objects.filter(session_key=key).exists()
    old = Client()
    old.cookies[settings.SESSION_COOKIE_NAME] = key
    assert not is_in(old)


def test_a_session_ends_twelve_hours_after_signing_in_however_it_is_used(world: World) -> None:
    client = world.client(world.jia.admin)
    assert is_in(aged(client, began=12 * 3600 - 2, seen=10))
    assert not is_in(aged(client, began=12 * 3600, seen=10))


def test_nothing_is_done_for_a_session_that_is_over(world: World) -> None:
    client = aged(world.client(world.jia.admin), seen=4000)
    assert client.post("/me", {"theme": "dark", "language": "en"}).status_code == 302
    world.jia.admin.account.refresh_from_db()
    assert world.jia.admin.account.theme == "system"


def test_the_time_of_use_is_written_once_a_minute(world: World) -> None:
    client = world.client(world.jia.admin)
    client.get("/member")
    first = client.session["seen"]
    assert first == client.session["seen"]
    client.get("/member")
    assert client.session["seen"] == first
    aged(client, seen=61).get("/member")
    assert client.session["seen"] >= first


def stale(client: Client) -> None:
    """So long since signing in that what changes the way in asks again."""
    session = client.session
    for record in session["account_authentication_methods"]:
        record["at"] -= 1000
    session.save()


def test_confirming_again_gives_the_session_another_name(world: World) -> None:
    client = world.client(world.jia.admin)
    client.get("/me")
    stale(client)
    before = client.cookies[settings.SESSION_COOKIE_NAME].value
    answer = client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    assert answer.status_code == 302, answer.content.decode()[-2000:]
    after = client.cookies[settings.SESSION_COOKIE_NAME].value
    assert after != before
    assert is_in(client)
    stolen = Client()
    stolen.cookies[settings.SESSION_COOKIE_NAME] = before
    assert not is_in(stolen)
    mine = UserSession.objects.filter(user=world.jia.admin.account)
    assert [one.session_key for one in mine] == [after], "it can still be listed and ended"


def test_ending_other_devices_asks_again_after_a_while(world: World) -> None:
    mine, other = (world.client(world.jia.admin) for _ in range(2))
    other.get("/me")
    mine.get("/me")
    stale(mine)
    assert mine.get(reverse("usersessions_list")).status_code == 200
    answer = mine.post(reverse("usersessions_list"))
    assert answer.status_code == 302
    assert "reauthenticate" in answer["Location"]
    assert is_in(other)
    mine.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    mine.post(reverse("usersessions_list"))
    assert not is_in(other)
    assert is_in(mine)


def test_an_administrator_signs_a_colleague_out_everywhere(world: World) -> None:
    yi = world.yi
    admin, devices = world.client(yi.admin), [world.client(yi.member) for _ in range(2)]
    for device in devices:
        assert is_in(device)
    page = admin.get(reverse("change_role", args=[yi.member.affiliation.pk])).content.decode()
    address = reverse("sign_out_person", args=[yi.member.affiliation.pk])
    assert f'action="{address}"' in page
    assert admin.get(address).status_code == 405
    assert world.client(world.jia.admin).post(address).status_code == 404
    assert all(is_in(device) for device in devices)
    before = Entry.objects.filter(tag="accounts:session:end").count()
    assert admin.post(address)["Location"] == reverse("people")
    assert not any(is_in(device) for device in devices)
    assert is_in(admin)
    assert Entry.objects.filter(tag="accounts:session:end").count() == before + 1
    assert yi.member.subject().role is Role.MEMBER, "the role stays"
    assert world.client(yi.member).get("/member").status_code == 200, "and so does the way in"
