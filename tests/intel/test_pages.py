"""Every page, in both languages, with hostile content; and what is hidden looks like what is not there."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from lianfang.intel import drafts, intake, queries
from lianfang.intel.labelling import LabelForm
from lianfang.intel.models import Draft, Recall, Receipt, Stop, Submission, Version
from lianfang.intel.tasks import write_search_rows
from lianfang.intel.urls import urlpatterns
from lianfang.kernel.clock import utcnow
from lianfang.policy.facts import Audience, Channel, NameSource, Request, Tlp
from tests.intel.cast import bundle, indicator, malware, relationship
from tests.world import Actor, World, build

pytestmark = pytest.mark.django_db

CANARY = "<script>alert('canary')</script>\"'{{ 7|add:7 }}"
LANGUAGES = ("zh-hant", "en")


@pytest.fixture
def world() -> World:
    return build()


def share(actor: Actor, *objects: dict[str, Any], **form: Any) -> Submission:
    plain: dict[str, Any] = {"tlp": Tlp.GREEN, "audience": Audience.alliance(), "name_source": NameSource.EVERYONE}
    at = utcnow()
    made = intake.submit(
        by=actor.subject(at), at=at, body=bundle(*objects), form=LabelForm(**plain | form), channel=Channel.PAGE
    )
    write_search_rows(Version.objects.all())
    return made


def get(client: Client, url: str, status: int = 200) -> str:
    answer = client.get(url)
    assert answer.status_code == status, (url, answer.status_code, answer.get("Location"))
    return answer.content.decode()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_in_both_languages_shows_hostile_content_as_text(world: World, language: str) -> None:
    one = indicator(name=CANARY, description=CANARY, labels=[CANARY])
    other, waiting = malware(name=CANARY), indicator(name=CANARY, labels=["tlp:purple"])
    made = share(world.jia.admin, one, other, relationship(one["id"], other["id"]), waiting, indicator(Bad=CANARY))
    at = utcnow()
    kept = drafts.keep(by=world.jia.admin.subject(at), at=at, name=CANARY, body=bundle(one))
    reader, source, staff = (
        world.client(actor, language=language) for actor in (world.yi.admin, world.jia.admin, world.analyst)
    )
    item, own = f"/member/intel/{one['id']}", f"/member/intel/{waiting['id']}"
    pages = [
        (reader, "/member/intel"),
        (reader, "/member/intel?q=canary&tlp=GREEN"),
        (reader, item),
        (reader, f"{item}/why"),
        (reader, f"{item}/download"),
        (source, "/member/submit"),
        (source, f"/member/submit/{kept.pk}"),
        (source, f"/member/submissions/{made.pk}"),
        (source, f"{item}/recall"),
        (source, own),
        (source, f"{own}/release"),
        (source, f"{item}/why"),
        (staff, "/staff/intel"),
        (staff, "/staff/quarantine"),
        (staff, "/staff/stop"),
        (staff, item.replace("member", "staff")),
        (staff, item.replace("member", "staff") + "/why"),
    ]
    for client, url in pages:
        page = get(client, url)
        assert "<script>alert" not in page, url
        assert 'lang="zh-Hant-TW"' in page if language == "zh-hant" else '<html lang="en"' in page
    assert "&lt;script&gt;" in get(reader, item)
    assert "{{ 7|add:7 }}" in get(reader, item)


def test_every_address_here_has_its_door() -> None:
    for pattern in urlpatterns:
        assert hasattr(pattern.callback, "lianfang_door"), pattern


# -- what is hidden --------------------------------------------------------------------------------------------------


def test_hidden_and_absent_are_the_same_bytes(world: World) -> None:
    hidden = indicator()
    share(world.jia.admin, hidden, audience=Audience.coordinator_only())
    client = world.client(world.yi.admin)
    absent = f"indicator--{uuid4()}"
    for suffix in ("", "/why", "/download", "/recall", "/release"):
        pair = [client.get(f"/member/intel/{stix_id}{suffix}") for stix_id in (hidden["id"], absent)]
        assert [answer.status_code for answer in pair] == [404, 404]
        assert pair[0].content.replace(hidden["id"].encode(), b"") == pair[1].content.replace(absent.encode(), b"")
    posted = [client.post(f"/member/intel/{stix_id}/relay") for stix_id in (hidden["id"], absent)]
    assert [answer.status_code for answer in posted] == [404, 404]
    for odd in ("%00", "x" * 5000, "..%2f", "indicator--%F0%9F%92%A3", "'; DROP TABLE"):
        assert client.get(f"/member/intel/{odd}").status_code == 404, odd


def test_hidden_items_leave_list_search_and_neighbours_untouched(world: World) -> None:
    shown, hidden = indicator(name="共同的字"), malware(name="共同的字")
    share(world.jia.admin, shown)
    client = world.client(world.yi.admin)
    urls = ("/member/intel", "/member/intel?q=共同的字", f"/member/intel/{shown['id']}")
    before = [_without_token(get(client, url)) for url in urls]
    share(world.bing.admin, hidden, relationship(shown["id"], hidden["id"]), audience=Audience.coordinator_only())
    assert [_without_token(get(client, url)) for url in urls] == before


def _without_token(page: str) -> str:
    return re.sub(r'name="csrfmiddlewaretoken" value="[^"]+"', "", page)


@pytest.mark.parametrize("who", ["former", "applicant", "stranger", "operator", "ji"])
def test_outsiders_get_nothing(world: World, who: str) -> None:
    one = indicator()
    share(world.jia.admin, one)
    actor = {"former": world.former.admin, "operator": world.operator, "ji": world.ji}.get(who)
    client = world.client(actor)
    for url in ("/member/intel", f"/member/intel/{one['id']}", "/staff/intel", "/staff/quarantine", "/member/submit"):
        answer = client.get(url)
        assert answer.status_code in (302, 403, 404), (url, answer.status_code)
        assert one["name"] not in answer.content.decode()


def test_each_plane_keeps_to_itself(world: World) -> None:
    one = indicator()
    share(world.jia.admin, one)
    get(world.client(world.analyst), f"/member/intel/{one['id']}", 404)
    get(world.client(world.analyst), "/member/submit", 404)
    get(world.client(world.yi.admin), f"/staff/intel/{one['id']}", 404)
    get(world.client(world.yi.admin), "/staff/quarantine", 404)


def test_every_page_read_leaves_a_receipt(world: World) -> None:
    one = indicator()
    share(world.jia.admin, one)
    client = world.client(world.yi.admin)
    for url, channel in (
        ("/member/intel", "list"),
        (f"/member/intel/{one['id']}", "page"),
        ("/member/intel?q=壞網域", "list"),
    ):
        get(client, url)
        last = Receipt.objects.order_by("-pk").first()
        assert last is not None
        assert (last.channel, last.organization) == (channel, world.yi.organization.pk)


# -- submitting ------------------------------------------------------------------------------------------------------

CHOSEN = {"tlp": "GREEN", "audience": "alliance", "upstream": "none", "name_source": "everyone"}


def upload(client: Client, body: bytes) -> Draft:
    answer = client.post("/member/submit", {"file": SimpleUploadedFile("報告.json", body)})
    assert answer.status_code == 302
    return Draft.objects.get(pk=answer["Location"].rsplit("/", 1)[-1])


def test_three_steps_and_the_key_works_once(world: World) -> None:
    client = world.client(world.jia.admin)
    one = indicator()
    draft = upload(client, bundle(one, indicator(Bad="x")))
    page = get(client, f"/member/submit/{draft.pk}")
    assert "checked" not in page
    answer = client.post(f"/member/submit/{draft.pk}", CHOSEN)
    assert answer.status_code == 302
    result = get(client, answer["Location"])
    assert one["name"] in result
    again = client.post(f"/member/submit/{draft.pk}", CHOSEN)
    assert again["Location"] == answer["Location"]
    assert Submission.objects.count() == 1
    assert not Draft.objects.exists()
    assert one["name"] in get(world.client(world.yi.admin), "/member/intel")
    get(world.client(world.yi.admin), answer["Location"], 404)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"audience": ""}, "audience"),
        ({"upstream": ""}, "upstream"),
        ({"name_source": ""}, "name_source"),
        ({"audience": "persons"}, "audience"),
        ({"tlp": "RED"}, "audience"),
        ({"tlp": "PURPLE"}, "tlp"),
        ({"embargo_date": "115/11/24"}, "embargo_date"),
        ({"embargo_time": "09:00"}, "embargo_date"),
        ({"embargo_date": "2029-01-01"}, ""),
        ({"upstream": "permitted"}, "upstream_members"),
    ],
)
def test_a_wrong_form_keeps_what_was_typed(world: World, change: dict[str, str], field: str) -> None:
    client = world.client(world.jia.admin)
    draft = upload(client, bundle(indicator()))
    answer = client.post(f"/member/submit/{draft.pk}", CHOSEN | {"persons": "someone@example.test"} | change)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "someone@example.test" in page
    assert "errsum" in page
    if field:
        assert f"id_{field}" in page
    assert not Submission.objects.exists()


@pytest.mark.parametrize("body", [b"", b"%PDF-1.4", b"[]", b'{"objects":' + b"[" * 9999, b"\xff\xfe"])
def test_a_wrong_file_is_refused_in_words(world: World, body: bytes) -> None:
    answer = world.client(world.jia.admin).post("/member/submit", {"file": SimpleUploadedFile("x.json", body)})
    assert answer.status_code == 422
    assert not Draft.objects.exists()


def test_somebody_elses_draft_is_not_there(world: World) -> None:
    draft = upload(world.client(world.jia.admin), bundle(indicator()))
    get(world.client(world.jia.deputy), f"/member/submit/{draft.pk}", 404)
    get(world.client(world.yi.admin), f"/member/submit/{draft.pk}", 404)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("chosen", "said"),
    [
        ({"tlp": "AMBER", "audience": "alliance"}, ("TLP:AMBER", "少數會員", "few members")),
        ({"audience": "coordinator_only"}, ("TLP:AMBER+STRICT", "只有協調中心的分析員", "coordinator")),
        ({"tlp": "RED", "audience": "persons"}, ("TLP:RED", "只有提交的本人", "submitted it")),
        ({}, ("", "選好對象", "Choose an audience")),
        ({"tlp": "GREEN", "audience": "persons", "persons": "a@example.test"}, ("", "選好對象", "Choose an audience")),
    ],
)
def test_the_live_sentence(world: World, language: str, chosen: dict[str, str], said: tuple[str, str, str]) -> None:
    client = world.client(world.jia.admin, language=language)
    page = client.post("/member/submit/preview", chosen | {"good": "46"}).content.decode()
    assert said[0] in page
    assert said[1 if language == "zh-hant" else 2] in page
    assert "46" in page
    assert "<html" not in page


def test_the_explanation_comes_without_script_too(world: World) -> None:
    client = world.client(world.jia.admin)
    draft = upload(client, bundle(indicator()))
    answer = client.post(f"/member/submit/{draft.pk}", {"tlp": "AMBER", "audience": "alliance", "explain": "1"})
    assert answer.status_code == 200
    assert "少數會員" in answer.content.decode()
    assert not Submission.objects.exists()


def test_named_persons_by_address_whoever_they_are(world: World) -> None:
    client = world.client(world.jia.admin)
    named = world.yi.member
    one = indicator()
    draft = upload(client, bundle(one))
    addresses = f"{named.person.email}\nnobody@example.test"
    answer = client.post(
        f"/member/submit/{draft.pk}", CHOSEN | {"tlp": "RED", "audience": "persons", "persons": addresses}
    )
    assert answer.status_code == 302
    assert one["name"] in get(world.client(named), f"/member/intel/{one['id']}")
    get(world.client(world.yi.admin), f"/member/intel/{one['id']}", 404)
    assert one["name"] not in get(world.client(named), "/member/intel")


# -- using -----------------------------------------------------------------------------------------------------------


def test_a_file_asks_for_its_purpose_once_and_carries_its_terms(world: World) -> None:
    one = indicator(name="下載")
    share(world.jia.admin, one, tlp=Tlp.AMBER)
    client = world.client(world.yi.admin)
    url = f"/member/intel/{one['id']}/download"
    get(client, url)
    assert client.post(url, {"purpose": "profit"}).status_code == 422
    assert client.post(url, {"purpose": "research"}).status_code == 302
    answer = client.get(url)
    made = json.loads(answer.content)
    assert answer["Content-Type"].startswith("application/stix+json")
    assert json.dumps(one).encode() in answer.content
    terms = made["x_lianfang_terms"]
    assert (terms["label"], terms["purpose"]) == ("TLP:AMBER", "research")
    assert terms["recipient"] == world.yi.organization.name_zh
    assert terms["iep"]["unmodified_resale"] == "must-not"
    receipt = Receipt.objects.get(channel="file")
    assert str(receipt.mark) == terms["mark"]
    assert receipt.purpose == "research"


def test_red_stays_on_the_page(world: World) -> None:
    one = indicator()
    share(world.jia.admin, one, tlp=Tlp.RED, audience=Audience.persons())
    client = world.client(world.jia.admin)
    get(client, f"/member/intel/{one['id']}")
    client.post(f"/member/intel/{one['id']}/download", {"purpose": "research"})
    assert "F-red-channel" in get(client, f"/member/intel/{one['id']}/download", 403)


def test_relay_from_the_page(world: World) -> None:
    one = indicator()
    share(world.jia.admin, one, tlp=Tlp.AMBER)
    base = f"/member/intel/{one['id']}"
    get(world.client(world.wu), base, 404)
    client = world.client(world.ding.admin)
    assert client.post(f"{base}/relay").status_code == 302
    get(world.client(world.wu), base)
    assert client.post(f"{base}/relay").status_code == 302
    get(world.client(world.wu), base, 404)
    assert world.client(world.ding.member).post(f"{base}/relay").status_code == 403


def test_a_recall_is_signed_and_leaves_a_notice(world: World) -> None:
    one = indicator(name="要召回的")
    share(world.jia.admin, one)
    base = f"/member/intel/{one['id']}"
    reader, source = world.client(world.yi.admin), world.client(world.jia.admin)
    get(reader, base)
    get(reader, f"{base}/recall", 404)
    assert source.post(f"{base}/recall", {"reason": "誤報"}).status_code == 422
    code = world.jia.admin.code()
    assert source.post(f"{base}/recall", {"reason": "誤報", "second_factor_code": code}).status_code == 302
    assert Recall.objects.get().reason == "誤報"
    notice = get(reader, base)
    assert "要召回的" not in notice
    assert "已召回" in notice
    get(world.client(world.bing.admin), base, 404)
    assert "要召回的" in get(source, base)
    assert "要召回的" not in get(reader, "/member/intel")


def test_out_of_quarantine_by_the_submitter(world: World) -> None:
    one = indicator(labels=["tlp:purple"])
    share(world.jia.admin, one)
    base = f"/member/intel/{one['id']}"
    assert "TLP:RED" in get(world.client(world.analyst), "/staff/quarantine")
    assert one["name"] not in get(world.client(world.analyst), "/staff/quarantine")
    client = world.client(world.jia.admin)
    assert client.post(f"{base}/release", {"tlp": "AMBER", "audience": "alliance"}).status_code == 302
    get(world.client(world.yi.admin), base)
    get(client, f"{base}/release", 404)


def test_out_of_quarantine_by_an_analyst(world: World) -> None:
    one = indicator(name=world.jia.organization.name_zh)
    share(world.jia.admin, one, name_source=NameSource.COORDINATOR)
    client = world.client(world.analyst)
    assert one["name"] in get(client, "/staff/quarantine")
    assert client.post(f"/staff/intel/{one['id']}/release").status_code == 302
    at = utcnow()
    page = queries.page(subject=world.yi.admin.subject(at), at=at, request=Request(channel=Channel.TAXII))
    assert len(page.items) == 1


def test_an_embargo_that_ended_is_in_the_list_at_once(world: World) -> None:
    one = indicator()
    now = utcnow()
    form = LabelForm(tlp=Tlp.GREEN, audience=Audience.alliance(), not_before=now - timedelta(minutes=1))
    at = now - timedelta(hours=1)
    intake.submit(by=world.jia.admin.subject(now), at=at, body=bundle(one), form=form, channel=Channel.PAGE)
    assert one["name"] in get(world.client(world.yi.admin), "/member/intel")


def test_the_stop_from_the_page(world: World) -> None:
    one = indicator()
    share(world.jia.admin, one)
    first, second = world.client(world.analyst), world.client(world.approver)
    reader = world.client(world.yi.admin)
    get(world.client(world.yi.admin), "/staff/stop", 404)
    assert first.post("/staff/stop", {"act": "start", "reason": "疑似外洩"}).status_code == 422
    signed = {"act": "start", "reason": "疑似外洩", "second_factor_code": world.analyst.code()}
    assert first.post("/staff/stop", signed).status_code == 302
    assert one["name"] not in get(reader, "/member/intel")
    get(reader, f"/member/intel/{one['id']}", 404)
    assert one["name"] in get(world.client(world.jia.admin), f"/member/intel/{one['id']}")
    for client in (reader, first):
        assert "揭露已停止" in get(client, "/staff/stop" if client is first else "/member/intel")
    assert "揭露已停止" not in get(world.client(None), "/")
    assert first.post("/staff/stop", {"act": "confirm", "second_factor_code": world.analyst.code()}).status_code == 422
    for client, actor, act in (
        (second, world.approver, "confirm"),
        (first, world.analyst, "ask"),
        (second, world.approver, "end"),
    ):
        get(client, "/staff/stop")
        assert client.post("/staff/stop", {"act": act, "second_factor_code": actor.code()}).status_code == 302, act
    assert Stop.objects.get().ended_at is not None
    assert one["name"] in get(reader, "/member/intel")
    assert "揭露已停止" not in get(reader, "/member/intel")
    assert "疑似外洩" in get(first, "/staff/stop")
