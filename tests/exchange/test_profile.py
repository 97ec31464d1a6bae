"""The write profile: who decides it, what it says, and under what label a machine shares from then on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from lianfang.audit.models import Entry
from lianfang.exchange.models import WriteProfile
from lianfang.exchange.queries import form_of, profile_of, write_form
from lianfang.intel.labelling import LabelForm
from lianfang.policy.facts import Audience, NameSource, Tlp, Upstream, UpstreamKind
from tests.world import World, build

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
    page = admin.get(reverse("write_profile")).content.decode()
    assert page.count('type="radio"') == 6
    assert "checked" not in page
    assert "Nothing is decided yet" in page
    assert 'href="/member/connections"' in page


def test_the_default_is_the_policys(world: World, db: None) -> None:
    assert write_form(world.jia.admin.subject()) == LabelForm()
    label = LabelForm().label(subject=world.jia.admin.subject(), at=world.clock.at)
    assert (label.audience, label.tlp) == (Audience.coordinator_only(), Tlp.AMBER_STRICT)


def test_a_decision_is_shown_with_its_date_and_audited(admin: Client, world: World) -> None:
    before = Entry.objects.filter(tag="exchange:profile:set").count()
    assert admin.post(reverse("write_profile"), GOOD).status_code == 302
    page = admin.get(reverse("write_profile")).content.decode()
    made = WriteProfile.objects.get()
    assert "All members" in page
    assert made.set_by.name in page
    assert f"{made.set_at:%Y-}" in page
    assert "Nothing is decided yet" not in page
    assert "checked" not in page
    assert Entry.objects.filter(tag="exchange:profile:set").count() == before + 1


def test_the_last_decision_counts_and_only_ones_own(admin: Client, world: World) -> None:
    admin.post(reverse("write_profile"), GOOD)
    admin.post(reverse("write_profile"), {"audience": "alliance", "name_source": "everyone", "warranty": "hold"})
    form = write_form(world.jia.admin.subject())
    assert form.audience == Audience.alliance()
    assert form.name_source is NameSource.EVERYONE
    assert form.upstream.kind is UpstreamKind.HOLD
    assert profile_of(world.yi.admin.subject().pair) is None
    assert form_of(WriteProfile.objects.order_by("set_at")[0]).upstream == Upstream()


@pytest.mark.parametrize("missing", GOOD)
def test_everything_is_asked_for(admin: Client, missing: str) -> None:
    answer = admin.post(reverse("write_profile"), {name: value for name, value in GOOD.items() if name != missing})
    assert answer.status_code == 422
    assert not WriteProfile.objects.exists()
    assert answer.content.decode().count("checked") == 2, "what was chosen stays chosen"


@pytest.mark.parametrize("value", ["persons", "", "everybody\x00"])
def test_an_audience_that_is_not_offered(admin: Client, value: str) -> None:
    assert admin.post(reverse("write_profile"), GOOD | {"audience": value}).status_code == 422


def test_others_do_not_decide(world: World, db: None) -> None:
    for actor, shut in ((world.jia.member, 403), (world.jia.contact, 403), (world.analyst, 404), (None, 302)):
        client = world.client(actor)
        assert client.get(reverse("write_profile")).status_code == shut
        assert client.post(reverse("write_profile"), GOOD).status_code in (shut, 302, 404)
    assert not WriteProfile.objects.exists()


def test_the_connections_page_leads_there(admin: Client) -> None:
    assert reverse("write_profile") in admin.get(reverse("connections")).content.decode()


@pytest.mark.parametrize("language", ["zh-hant", "en"])
def test_in_both_languages(world: World, db: None, language: str) -> None:
    page = world.client(world.jia.admin, language=language).get(reverse("write_profile")).content.decode()
    assert ("我們的系統分享的內容" in page) is (language == "zh-hant")
