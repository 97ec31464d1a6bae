"""Whatever is asked of the ledger's pages is answered, and nothing personal stands in an entry."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from lianfang.audit.models import Entry, Leaf, Verification
from lianfang.audit.sequencer import Horizon, checkpoint, number
from lianfang.kernel.clock import utcnow
from tests.audit.deeds import deed
from tests.world import build

pytestmark = pytest.mark.django_db


@pytest.fixture
def auditor() -> Any:
    world = build()
    number(wait=True, horizon=Horizon())
    checkpoint(at=utcnow())
    return world.client(world.auditor)


def test_the_pages_take_whatever_is_asked_and_uploaded(auditor: Any) -> None:
    made = deed(7)
    for query, status in {
        "since=0001-01-01": 200,
        "until=0001-01-01": 200,
        "since=9999-12-31": 200,
        "until=9999-12-31": 200,
        "since=2026-02-30": 422,
        "until=x": 422,
        "actor=%00": 422,
        "about=%00": 422,
        "tag=%00": 422,
        "about=/": 200,
        "about=a/": 200,
        "about=/7": 200,
        "about=test.thing/7/8": 200,
        "before=0": 200,
        "after=0": 200,
        "before=": 200,
        "before=1&after=1": 200,
        "before=²": 422,
        "after=1.5": 422,
        "nothing=1": 200,
        "actor=system:test": 200,
        "actor=%F0%9F%92%A3": 200,
        "about=%3Cscript%3E": 200,
        "old=x": 422,
        "tag=vault:key:shred": 200,
    }.items():
        answer = auditor.get(f"/staff/audit?{query}")
        assert answer.status_code == status, query
        assert "<script>" not in answer.content.decode().replace("<script ", ""), query
    everything = {row.entry.pk for row in auditor.get("/staff/audit?until=9999-12-31").context["page"].rows}
    assert made.pk in everything
    for content in (
        b'{"note":' + b"[" * 4000, b'{"note":{"a":1}}', b'{"note":null}', b"{" * 4000, b"a\n" + b"9" * 4090,
        b"\n" * 4000,
        b"a\n5\n" + b"A" * 43 + b"=\n", b"a\n-5\n" + b"A" * 43 + b"=\n", b"\xff", b"\0" * 100,
    ):  # fmt: skip
        answer = auditor.post("/staff/audit/verification", {"checkpoint": SimpleUploadedFile("c", content)})
        assert answer.status_code == 422, content[:20]
        assert answer.context["verify_form"].errors["checkpoint"], content[:20]
    assert not Verification.objects.exists()
    empty = auditor.post("/staff/audit/verification", {"checkpoint": SimpleUploadedFile("c", b"")})
    assert empty.status_code == 422


def test_no_page_of_the_ledger_shows_a_personal_value(auditor: Any) -> None:
    """Names come from who is who; entries hold ids alone, and mail addresses stand nowhere."""
    world_people = {"林樣本", "陳示範", "王測試", "張假設"}
    details = json.dumps(list(Entry.objects.values("actor", "acting_for", "about_type", "about_id", "detail")))
    details = json.dumps(json.loads(details), ensure_ascii=False)
    assert "@" not in details
    for name in world_people:
        assert name not in details
    for pk in Entry.objects.order_by("pk").values_list("pk", flat=True)[:12]:
        page = auditor.get(f"/staff/audit/entry/{pk}").content.decode()
        assert "@m1.example" not in page
        assert "@centre.example" not in page
        proof = auditor.get(f"/staff/audit/entry/{pk}/proof").content.decode()
        assert not any(name in proof for name in world_people)


def test_pages_in_both_directions_meet_every_entry_once_under_a_filter(auditor: Any) -> None:
    mine = [deed(number_).pk for number_ in range(105)]
    walked: list[int] = []
    address = "?tag=vault%3Akey%3Ashred&actor=system%3Atest"
    firsts: list[str] = []
    while address:
        context = auditor.get("/staff/audit" + address).context
        walked += [row.entry.pk for row in context["page"].rows]
        firsts.append(address)
        address = context["older"]
    assert walked == mine[::-1]
    back: list[list[int]] = []
    address = auditor.get("/staff/audit" + firsts[-1]).context["newer"]
    while address:
        context = auditor.get("/staff/audit" + address).context
        back.append([row.entry.pk for row in context["page"].rows])
        address = context["newer"]
    assert [pk for page in back[::-1] for pk in page] == walked[: sum(map(len, back))]
    assert Leaf.objects.filter(entry__in=mine).count() == 0
