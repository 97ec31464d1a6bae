"""The page that checks STIX before it is sent: for members and staff, in both languages, and nothing is kept."""

from __future__ import annotations

import html
import json
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client, override_settings

from lianfang.audit.models import Entry
from lianfang.intel.models import Draft, Submission, Version
from lianfang.intel.views import check
from tests.intel.cast import bundle, indicator, malware
from tests.intel.stix.samples import seen
from tests.intel.test_pages import CANARY, LANGUAGES, share
from tests.world import World, build

pytestmark = pytest.mark.django_db
PAGE = "/member/check"


@pytest.fixture
def world() -> World:
    return build()


def post(client: Client, status: int = 200, page: str = PAGE, **data: Any) -> str:
    answer = client.post(page, data)
    assert answer.status_code == status
    return html.unescape(answer.content.decode())


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_object_is_told_with_property_rule_section_and_recommendations(world: World, language: str) -> None:
    client = world.client(world.jia.admin, language=language)
    assert client.get(PAGE).status_code == 200
    bad, poor, good = indicator(valid_until="2020-01-01T00:00:00Z"), indicator(x_a=1), indicator(description="x")
    hostile = malware(name=CANARY, **{"x_<b>": 1})
    raw = client.post(PAGE, {"text": bundle(bad, poor, good, hostile).decode()}).content.decode()
    assert "<script>alert" not in raw
    page = html.unescape(raw)
    for told in ("valid_until", "stix-order", "STIX 2.1 §4.7", "should-custom", "x_a", "stix-name", "STIX 2.1 §3.1"):
        assert told in page, told
    assert ("結束時間早於開始時間" in page) == (language == "zh-hant")
    # What needs a change stands first, what is fine last.
    places = [page.index(one["id"]) for one in (bad, hostile, poor, good)]
    assert places == sorted(places)


def test_pasted_uploaded_enveloped_or_one_object_is_the_same(world: World) -> None:
    client, one = world.client(world.yi.admin), indicator(modified="2020-01-01T00:00:00.000Z")
    raw = json.dumps(one).encode()
    for body in (raw, bundle(one), b'{"objects":[' + raw + b"]}", b" \n" + raw):
        for data in ({"text": body.decode()}, {"file": SimpleUploadedFile("x.json", body)}):
            assert "stix-order" in post(client, **data)


def test_nothing_is_kept_and_nothing_written(world: World) -> None:
    client = world.client(world.jia.admin)
    client.get(PAGE)
    counts = [model.objects.count() for model in (Draft, Submission, Version, Entry)]
    post(client, text=bundle(indicator(), seen("url", value="x")).decode())
    post(client, 422, text="{")
    assert [model.objects.count() for model in (Draft, Submission, Version, Entry)] == counts


def test_what_cannot_be_read_is_told_and_the_text_stays(world: World) -> None:
    client = world.client(world.jia.admin)
    assert "請貼上STIX" in post(client, 422)
    for text, told in (
        ("   ", "請貼上STIX"),
        ("{", "json-malformed"),
        ('{"objects":[],"objects":[]}', "json-duplicate-member"),
        ("[]", "json-not-object"),
        ('{"a":1}', "json-no-objects"),
    ):
        page = post(client, 422, text=text)
        assert told in page
        assert text.strip() in page


def test_text_and_file_at_once_and_a_file_too_large(world: World) -> None:
    client = world.client(world.jia.admin)
    assert "擇一" in post(client, 422, text="{}", file=SimpleUploadedFile("x.json", b"{}"))
    with override_settings(MAX_BODY=100):
        for page in (PAGE, "/member/submit"):
            assert "超過" in post(client, 422, page, file=SimpleUploadedFile("x.json", bundle(indicator())))


def test_an_empty_file_and_a_long_one(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    client = world.client(world.jia.admin)
    assert "裡面沒有物件" in post(client, text='{"objects":[]}')
    monkeypatch.setattr(check, "_MOST", 2)
    page = post(client, text=bundle(*[indicator() for _ in range(5)], indicator(Bad=1)).decode())
    assert "另有4個物件沒有列出" in page
    assert "stix-name" in page


def test_who_may_check(world: World) -> None:
    for actor in (world.jia.deputy, world.jia.admin):
        assert world.client(actor).get(PAGE).status_code == 200
    for actor in (world.analyst, world.approver):
        assert world.client(actor).get("/staff/check").status_code == 200
        assert "stix-order" in post(world.client(actor), page="/staff/check", text=json.dumps(
            indicator(modified="2020-01-01T00:00:00.000Z")))  # fmt: skip
        assert world.client(actor).get(PAGE).status_code == 404
    assert world.client(world.jia.admin).get("/staff/check").status_code == 404
    assert world.client(None).get(PAGE).status_code == 302
    assert "/member/check" in world.client(world.jia.admin).get("/member/submit").content.decode()
    assert "/staff/check" in world.client(world.analyst).get("/staff/intel").content.decode()


def test_recommendations_stand_on_the_result_of_a_submission(world: World) -> None:
    """Made when it is looked at: the rows of the result hold none."""
    poor, good = indicator(x_a=1), indicator(description="x")
    made = share(world.jia.admin, poor, good)
    assert all("advice" not in result for result in made.results)
    page = html.unescape(world.client(world.jia.admin).get(f"/member/submissions/{made.pk}").content.decode())
    assert page.count('<details class="twin"') == 1
    assert "should-custom" in page
    assert "x_a" in page
    world_again = share(world.jia.admin, poor)
    again = world.client(world.jia.admin).get(f"/member/submissions/{world_again.pk}").content.decode()
    assert "should-custom" not in again, "a duplicate brought nothing"
