"""The write profiles: who decides them, what they say, and under what label a machine shares from then on."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.test import Client
from django.urls import reverse

from lianfang.audit.models import Entry
from lianfang.exchange.models import WriteProfile
from lianfang.exchange.queries import form_of, profile_of, write_form
from lianfang.exchange.taxii.collections import WRITABLE
from lianfang.intel.labelling import LabelForm
from lianfang.policy.facts import Audience, NameSource, Tlp, Upstream, UpstreamKind
from tests.world import World, build

LIST = "/member/connections/profile"
ONE = f"{LIST}/all"
GOOD = {"audience": "alliance", "name_source": "coordinator", "warranty": "free"}


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: Any) -> Iterator[World]:
    """One world; each test rolls back what it wrote."""
    from django.db import transaction

    with django_db_blocker.unblock(), transaction.atomic():
        yield build()
        transaction.set_rollback(True)


@pytest.fixture
def admin(world: World, db: None) -> Client:
    return world.client(world.jia.admin, language="en")


def test_nothing_is_chosen_beforehand(admin: Client) -> None:
    page = admin.get(ONE).content.decode()
    assert page.count('type="radio"') == 6
    assert "checked" not in page
    assert "Nothing is decided yet" in page
    assert 'href="/member/connections"' in page
    assert f'href="{LIST}"' in page


def test_the_default_is_the_policys(world: World, db: None) -> None:
    for collection in WRITABLE:
        assert write_form(world.jia.admin.subject(), collection) == LabelForm(tlp=collection.tlp)
    label = LabelForm().label(subject=world.jia.admin.subject(), at=world.clock.at)
    assert (label.audience, label.tlp) == (Audience.coordinator_only(), Tlp.AMBER_STRICT)


def test_a_decision_is_shown_with_its_date_and_audited(admin: Client, world: World) -> None:
    before = Entry.objects.filter(tag="exchange:profile:set").count()
    assert admin.post(ONE, GOOD).status_code == 302
    page = admin.get(ONE).content.decode()
    made = WriteProfile.objects.get()
    assert "All members" in page
    assert made.set_by.name in page
    assert f"{made.set_at:%Y-}" in page
    assert "Nothing is decided yet" not in page
    assert "checked" not in page
    assert Entry.objects.filter(tag="exchange:profile:set").count() == before + 1


def test_the_last_decision_counts_and_only_ones_own(admin: Client, world: World) -> None:
    admin.post(ONE, GOOD)
    admin.post(ONE, {"audience": "alliance", "name_source": "everyone", "warranty": "hold"})
    form = write_form(world.jia.admin.subject(), WRITABLE[0])
    assert form.audience == Audience.alliance()
    assert form.name_source is NameSource.EVERYONE
    assert form.upstream.kind is UpstreamKind.HOLD
    assert profile_of(world.yi.admin.subject().pair, "all") is None
    assert profile_of(world.jia.admin.subject().pair, "inbox") is None, "each collection has its own"
    assert form_of(WriteProfile.objects.order_by("set_at")[0]).upstream == Upstream()


@pytest.mark.parametrize("missing", GOOD)
def test_everything_is_asked_for(admin: Client, missing: str) -> None:
    answer = admin.post(ONE, {name: value for name, value in GOOD.items() if name != missing})
    assert answer.status_code == 422
    assert not WriteProfile.objects.exists()
    assert answer.content.decode().count("checked") == 2, "what was chosen stays chosen"


@pytest.mark.parametrize("value", ["persons", "", "everybody\x00"])
def test_an_audience_that_is_not_offered(admin: Client, value: str) -> None:
    assert admin.post(ONE, GOOD | {"audience": value}).status_code == 422


def test_others_do_not_decide(world: World, db: None) -> None:
    for actor, shut in ((world.jia.member, 403), (world.jia.contact, 403), (world.analyst, 404), (None, 302)):
        client = world.client(actor)
        assert client.get(LIST).status_code == shut
        assert client.get(ONE).status_code == shut
        assert client.post(ONE, GOOD).status_code in (shut, 302, 404)
    assert not WriteProfile.objects.exists()


def test_the_connections_page_leads_there(admin: Client) -> None:
    assert LIST in admin.get(reverse("connections")).content.decode()


def test_every_collection_that_takes_in_stands_on_the_list(admin: Client) -> None:
    page = admin.get(LIST).content.decode()
    for collection in WRITABLE:
        assert f'href="{LIST}/{collection.alias}"' in page
        assert admin.get(f"{LIST}/{collection.alias}").status_code == 200
    assert page.count("not decided") == len(WRITABLE)
    for closed in ("mine", "group", "red", "nothing"):
        assert admin.get(f"{LIST}/{closed}").status_code == 404
        assert admin.post(f"{LIST}/{closed}", GOOD).status_code == 404
    assert admin.post(f"{LIST}/green", GOOD).status_code == 302
    page = admin.get(LIST).content.decode()
    assert page.count("not decided") == len(WRITABLE) - 1
    assert "and the constituents that they relay it to" in page, "with whom a plain object is shared stands beside it"
    assert WriteProfile.objects.get().collection == "green"


@pytest.mark.parametrize("language", ["zh-hant", "en"])
def test_in_both_languages(world: World, db: None, language: str) -> None:
    for path in (LIST, ONE):
        page = world.client(world.jia.admin, language=language).get(path).content.decode()
        assert ("我們的系統分享的內容" in page) is (language == "zh-hant")


def test_what_was_decided_before_there_were_several_holds_for_the_two_that_there_were(
    admin: Client, world: World
) -> None:
    admin.post(ONE, GOOD)
    divide = import_module("lianfang.exchange.migrations.0003_profile_by_collection").divide
    divide(apps, SimpleNamespace(connection=connection))
    subject = world.jia.admin.subject()
    forms = {one.alias: write_form(subject, one) for one in WRITABLE}
    assert forms["all"] == forms["inbox"]
    assert {alias for alias, form in forms.items() if form.audience == Audience.alliance()} == {"all", "inbox"}
    assert Entry.objects.filter(tag="exchange:profile:divide").count() == 1
