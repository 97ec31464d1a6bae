"""A stricter label by its page: only what nobody gains by can be chosen, it is shown first, and then set at once."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from django.core.exceptions import ValidationError

from lianfang.intel import actions
from lianfang.intel.forms import TightenForm
from lianfang.intel.models import Version
from lianfang.intel.preview import losing
from lianfang.kernel.refusal import Refusal
from lianfang.outbox.models import Delivery
from lianfang.policy import store
from lianfang.policy.compare import is_wider
from lianfang.policy.facts import Audience, Tlp
from tests.intel.cast import AT, EVERYONE, LabelForm, indicator, later, member, submit, taxii
from tests.intel.test_pages import LANGUAGES, get, share
from tests.world import Actor, World, build

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    return build()


def label() -> Tlp:
    return store.labels([Version.objects.get().label_id]).popitem()[1].tlp


@pytest.mark.parametrize("tlp", [Tlp.CLEAR, Tlp.GREEN, Tlp.AMBER, Tlp.AMBER_STRICT])
@pytest.mark.parametrize("audience", [Audience.alliance(), Audience.coordinator_only()])
def test_the_form_offers_only_what_nobody_gains_by(tlp: Tlp, audience: Audience) -> None:
    submit(member("甲電子"), indicator(), form=LabelForm(tlp=tlp, audience=audience))
    old = store.labels([Version.objects.get().label_id]).popitem()[1]
    form = TightenForm(label=old)
    offered = [value for value, _ in form.fields["tlp"].choices]  # type: ignore[attr-defined]
    assert offered == [one.name for one in sorted(Tlp, reverse=True) if one >= tlp]
    for word in offered:
        for whom, _ in form.fields["audience"].choices:  # type: ignore[attr-defined]
            filled = TightenForm({"tlp": word, "audience": whom}, label=old)
            assert filled.is_valid()
            chosen, narrowed = filled.chosen()
            assert not is_wider(old=old, new=actions.tightened(old, tlp=chosen, audience=narrowed))
    assert not TightenForm({"tlp": "WHITE", "audience": "alliance"}, label=old).is_valid()
    with pytest.raises(ValidationError):
        form.fields["audience"].clean("alliance")


def test_the_same_label_is_no_change() -> None:
    by = member("甲電子")
    submit(by, indicator())
    with pytest.raises(Refusal, match="Neither label nor audience"):
        actions.tighten(by=by, at=later(), version=Version.objects.get(), tlp=Tlp.GREEN)


def test_who_loses_is_said_by_the_same_decision() -> None:
    by, reader = member("甲電子"), member("丁公會")
    submit(by, indicator())
    old = store.labels([Version.objects.get().label_id]).popitem()[1]
    named = {row.who.en for row in losing(old=old, new=actions.tightened(old, tlp=Tlp.RED), at=AT)}
    kept = {row.who.en for row in losing(old=old, new=actions.tightened(old, tlp=Tlp.AMBER), at=AT)}
    assert kept < named
    assert losing(old=old, new=old, at=AT) == ()
    held = replace(old, tlp=Tlp.AMBER, not_before=later())
    lost = losing(old=held, new=actions.tightened(held, tlp=Tlp.AMBER_STRICT), at=AT)
    assert [row.answer for row in lost] == ["cannot"], "constituents, to whom nobody could relay it any more"
    assert taxii(reader).items
    actions.tighten(
        by=by, at=later(), version=Version.objects.get(), tlp=Tlp.GREEN, audience=Audience.coordinator_only()
    )
    assert not taxii(reader, at=later()).items


@pytest.mark.parametrize("language", LANGUAGES)
def test_from_the_button_to_the_stricter_label(world: World, language: str) -> None:
    one = indicator()
    share(world.jia.admin, one)
    source, reader = (world.client(actor, language=language) for actor in (world.jia.admin, world.yi.admin))
    item = f"/member/intel/{one['id']}"
    assert f"{item}/label" in get(source, item)
    assert f"{item}/label" not in get(reader, item)
    assert get(reader, item)
    page = get(source, f"{item}/label")
    assert "TLP:AMBER+STRICT" in page
    assert 'value="CLEAR"' not in page
    assert "checked" not in page

    choice = {"tlp": "AMBER_STRICT", "audience": "coordinator_only"}
    shown = source.post(f"{item}/label", choice).content.decode()
    assert 'name="confirm"' in shown
    assert label() is Tlp.GREEN, "showing sets nothing"
    answer = source.post(f"{item}/label", choice | {"confirm": "1"})
    assert (answer.status_code, answer["Location"]) == (302, item)
    assert label() is Tlp.AMBER_STRICT
    assert get(reader, item, 404)
    assert "TLP:AMBER+STRICT" in get(source, item)


def test_an_incomplete_choice_is_told_at_its_field(world: World) -> None:
    one = indicator()
    share(world.jia.admin, one)
    client = world.client(world.jia.admin)
    for data, field in (({}, "tlp"), ({"tlp": "AMBER"}, "audience"), ({"tlp": "CLEAR", "audience": "keep"}, "tlp")):
        answer = client.post(f"/member/intel/{one['id']}/label", data | {"confirm": "1"})
        assert answer.status_code == 422
        assert re.search(rf'href="#id_{field}', answer.content.decode()), data
    same = client.post(f"/member/intel/{one['id']}/label", {"tlp": "GREEN", "audience": "keep", "confirm": "1"})
    assert same.status_code == 422
    assert label() is Tlp.GREEN


def test_under_red_it_leaves_everybody_but_its_submitter(world: World) -> None:
    one = indicator()
    share(world.jia.admin, one)
    client = world.client(world.jia.admin)
    answer = client.post(f"/member/intel/{one['id']}/label", {"tlp": "RED", "audience": "keep", "confirm": "1"})
    assert answer["Location"] == "/member/intel"
    assert label() is Tlp.RED
    assert "TLP:RED" in get(client, f"/member/intel/{one['id']}")
    assert get(world.client(world.yi.admin), f"/member/intel/{one['id']}", 404)
    assert get(client, f"/member/intel/{one['id']}/label", 404), "there is nothing stricter"


def test_for_others_the_page_is_not_there(world: World) -> None:
    one = indicator()
    share(world.jia.admin, one)
    others: tuple[Actor, ...] = (world.yi.admin, world.jia.member)
    for actor in others:
        client = world.client(actor)
        absent = get(client, "/member/intel/indicator--00000000-0000-4000-8000-000000000000/label", 404)
        hidden = get(client, f"/member/intel/{one['id']}/label", 404)
        assert _plain(hidden) == _plain(absent)
        assert client.post(f"/member/intel/{one['id']}/label", {"tlp": "RED", "audience": "keep"}).status_code == 404
    assert label() is Tlp.GREEN


def _plain(page: str) -> str:
    return re.sub(r'name="csrfmiddlewaretoken" value="[^"]+"', "", page)


def test_an_analyst_tightens_and_the_source_is_told_once_without_content(world: World) -> None:
    one = indicator(name="祕密的名字")
    share(world.jia.admin, one)
    before = set(Delivery.objects.values_list("pk", flat=True))
    client = world.client(world.analyst)
    answer = client.post(f"/staff/intel/{one['id']}/label", {"tlp": "AMBER", "audience": "keep", "confirm": "1"})
    assert answer["Location"] == f"/staff/intel/{one['id']}"
    mails = Delivery.objects.exclude(pk__in=before)
    told = sorted(mail.to for mail in mails)
    assert told == sorted(actor.person.email for actor in (world.jia.admin, world.jia.deputy, world.jia.contact)), (
        "administrators and security contacts of the source, each once"
    )
    for mail in mails:
        assert "祕密的名字" not in mail.subject + mail.body_text + mail.body_html
        assert f"/member/intel/{one['id']}" in mail.body_text
    assert {mail.kind for mail in mails} == {"tightened"}


def test_the_source_does_not_write_to_itself() -> None:
    by = member("甲電子")
    submit(by, indicator(), form=EVERYONE)
    actions.tighten(by=by, at=later(), version=Version.objects.get(), tlp=Tlp.AMBER)
    assert not Delivery.objects.exists()
