"""The hidden leaves no trace; every page its receipt; what is remembered changes no answer."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
import requests

from lianfang.exchange import keys, moment
from lianfang.exchange.models import Reach
from lianfang.intel import actions as intelligence
from lianfang.intel import intake
from lianfang.intel.labelling import LabelForm
from lianfang.intel.models import Receipt
from lianfang.intel.receipts import versions_of
from lianfang.policy.facts import Audience, Channel, NameSource, Tlp
from tests.exchange.stage import ALL, Stage, indicator

ONE = f"/taxii2/alliance/collections/{ALL}/"
OBJECTS = f"{ONE}objects/"


def share_with_yi(stage: Stage, *objects: dict[str, Any]) -> None:
    """Let 甲 share with 乙 alone."""
    assert stage.world.yi.admin.affiliation.group_id
    form = LabelForm(
        tlp=Tlp.GREEN,
        audience=Audience.groups(stage.world.yi.admin.affiliation.group_id),
        name_source=NameSource.EVERYONE,
    )
    body = json.dumps({"objects": objects}).encode()
    at = datetime.now(UTC)
    intake.submit(by=stage.world.jia.admin.subject(at), at=at, body=body, form=form, channel=Channel.PAGE)


def trace(answer: requests.Response) -> tuple[int, bytes, dict[str, str]]:
    """Everything of an answer but what is random or the clock's."""
    body = answer.content
    if answer.status_code >= 400:
        body = json.dumps(answer.json() | {"error_id": ""}).encode()
    return answer.status_code, body, {name: value for name, value in answer.headers.items() if name != "Date"}


def test_the_hidden_is_as_if_it_did_not_exist(alliance: Stage) -> None:
    shown, secret, absent = indicator(1), indicator(2), f"indicator--{uuid4()}"
    alliance.jia.add(shown)
    paths = [
        OBJECTS, f"{OBJECTS}?limit=1", f"{ONE}manifest/", f"{ONE}manifest/?match[version]=all",
        f"{OBJECTS}?match[type]=indicator", f"{OBJECTS}?added_after=2026-01-01T00:00:00Z",
    ]  # fmt: skip
    before = [trace(alliance.bing.get(path)) for path in paths]
    share_with_yi(alliance, secret)
    assert secret["id"] in alliance.yi.ids()
    assert [trace(alliance.bing.get(path)) for path in paths] == before
    for path in (
        f"{OBJECTS}{{}}/", f"{OBJECTS}{{}}/versions/", f"{OBJECTS}?match[id]={{}}", f"{ONE}manifest/?match[id]={{}}",
        f"{OBJECTS}{{}}/?match[version]=all",
    ):  # fmt: skip
        hidden, none = (trace(alliance.bing.get(path.format(number))) for number in (secret["id"], absent))
        assert hidden == none
    own = secret | {"name": "同一個識別碼，另一個會員"}
    assert alliance.bing.add(own)["successes"][0].get("message") is None, "nothing tells that somebody else has it"
    hidden, none = (trace(alliance.bing.ask("DELETE", f"{OBJECTS}{number}/")) for number in (secret["id"], absent))
    assert hidden == none


def test_a_recalled_object_leaves_at_once(alliance: Stage) -> None:
    one = indicator(1)
    alliance.jia.add(one)
    assert one["id"] in alliance.yi.ids("?limit=1000")
    at = datetime.now(UTC)
    from lianfang.intel.queries import own_versions

    by = alliance.world.jia.admin.subject(at)
    (version,) = own_versions(subject=by, stix_id=one["id"])
    intelligence.recall(by=by, at=at, version=version, reason="誤報")
    assert one["id"] not in alliance.yi.ids("?limit=1000")


def test_every_page_has_its_receipt(alliance: Stage) -> None:
    alliance.jia.add(*[indicator(number) for number in range(3)])
    machine = alliance.machine(alliance.world.yi.admin)
    two = "?limit=2&added_after=2026-01-02T00:00:00Z"
    for query in (two, two, "?limit=1000"):
        got = machine.ids(query)
        receipt = Receipt.objects.filter(token=machine.token.pk).order_by("-id")[0]
        assert [version.item.stix_id for version in versions_of(receipt).order_by("id")] == got
        assert receipt.channel == Channel.TAXII
        assert receipt.purpose == "偵測"
    assert Receipt.objects.filter(token=machine.token.pk).count() == 3
    assert Reach.objects.get(token=machine.token.pk).at <= receipt.at


def test_an_empty_page_leaves_none(alliance: Stage) -> None:
    machine = alliance.machine(alliance.world.yi.admin)
    for _ in range(3):
        assert machine.ids("?match[type]=nothing") == []
    assert not Receipt.objects.filter(token=machine.token.pk).exists()


# -- the same answers as the long way --------------------------------------------------------------------------------


def test_from_memory_and_anew_are_the_same(alliance: Stage) -> None:
    """Each question is asked three times: on what was remembered, on that again, and with everything forgotten."""
    share_with_yi(alliance, *[indicator(number) for number in range(7)])
    alliance.jia.add(*[indicator(number) for number in range(7)])
    queries = [
        "",
        "?limit=3",
        "?match[version]=all",
        "?match[type]=indicator&limit=5",
        "?added_after=2026-11-01T00:00:00Z",
    ]
    for machine in (alliance.yi, alliance.bing, alliance.jia):
        for query in queries:
            for path in (OBJECTS, f"{ONE}manifest/"):
                warm = [trace(machine.get(path + query)) for _ in range(2)]
                keys.forget()
                moment.forget()
                assert [trace(machine.get(path + query))] * 2 == warm


def test_who_is_known_is_asked_no_more(alliance: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    assert alliance.yi.objects().status_code == 200
    read: list[bytes] = []
    monkeypatch.setattr(keys, "token_of_digest", read.append)
    assert alliance.yi.objects().status_code == 200
    assert read == []
