"""What a reader meets on the pages: search, relations, why, files, notices; and that hidden is absent."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from lianfang.audit.models import Entry
from lianfang.intel import actions, intake, queries
from lianfang.intel.labelling import LabelForm, hold
from lianfang.intel.models import Receipt, Stop, Submission, Version
from lianfang.intel.tasks import write_search_rows
from lianfang.kernel.clock import utcnow
from lianfang.policy.facts import Audience, Channel, Named, NameSource, Tlp
from tests.intel.cast import bundle, indicator, malware, relationship
from tests.world import Actor, World, build

pytestmark = pytest.mark.django_db


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


def listed(page: str) -> list[str]:
    """Ids of the rows of a list, in order."""
    return re.findall(r'class="hit" href="/(?:member|staff)/intel/([a-z0-9-]+--[0-9a-f-]{36})"', page)


# -- the list and its search box -------------------------------------------------------------------------------------


def test_the_search_box(world: World) -> None:
    parcel = indicator(name="偽冒物流簡訊", pattern="[domain-name:value = 'parcel-notice.example']")
    hashed = indicator(name="dropper", pattern=f"[file:hashes.'SHA-256' = '{'ab' * 32}']")
    strange = indicator(name='100% "off" <b>it\'s</b> a_b c\\d', description="CVE-2026-4242 ＦＵＬＬ")
    mail = indicator(name="釣魚", pattern="[email-addr:value = 'Boss@Evil.example']")
    secret = indicator(name="偽冒物流簡訊 秘密")
    share(world.jia.admin, parcel, hashed, strange, mail)
    share(world.bing.admin, secret, audience=Audience.coordinator_only())
    client = world.client(world.yi.admin)
    for asked, expected in {
        "物流": [parcel],
        "偽冒物流": [parcel],
        "流簡": [parcel],
        "訊": [parcel],
        "物 流": [parcel],
        "流物": [],
        "parcel-notice.example": [parcel],
        "parcel": [parcel],
        "parcel-no": [parcel],
        "PARCEL-Notice": [parcel],
        "parcel-notice[.]example": [parcel],
        "domain: parcel": [parcel],
        "ａｂａｂ": [hashed],
        "ab" * 32: [hashed],
        "hash:" + "AB" * 8: [hashed],
        "cve-2026-4242": [strange],
        "CVE: cve-2026": [strange],
        "full": [strange],
        '"物流"': [parcel],
        "「物流」": [parcel],
        "'dropper'": [hashed],
        "(dropper)": [hashed],
        "drop*": [hashed],
        "*.example": [mail, strange, parcel],
        "dropper,": [hashed],
        '"dropper" 物流': [],
        "物流 簡訊": [parcel],
        "boss[@]evil[.]example": [mail],
        "boss@evil.example": [mail],
        "100%": [strange],
        "it's": [strange],
        "c\\d": [strange],
        "秘密": [],
        "物流 秘密": [],
        "nothing at all": [],
        "' OR 1=1 --": [],
        "') & ! | :*": [],
        "a:*&b": [],
        "\\": [],
        "%": None,
        "  ": None,
        "\x07": None,
        "!!": [],
    }.items():
        page = get(client, f"/member/intel?q={quote(asked)}")
        if expected is not None:
            assert listed(page) == [one["id"] for one in expected], asked
        assert "秘密" not in page.replace(f'value="{asked}"', "")
        assert "<b>it" not in page, asked
    for monster in ("x" * 10_000, "物" * 5_000, "a " * 3_000, "%F0%9F%92%A3" * 50, "%FF%FE", "%00物流", "%ED%A0%80"):
        get(client, f"/member/intel?q={monster if '%' in monster else quote(monster)}")


def test_a_search_is_narrowed_by_label_and_keeps_what_was_asked(world: World) -> None:
    green, amber = indicator(name="同名"), indicator(name="同名")
    share(world.jia.admin, green)
    share(world.jia.admin, amber, tlp=Tlp.AMBER)
    client = world.client(world.yi.admin)
    assert listed(get(client, "/member/intel?q=同名")) == [amber["id"], green["id"]]
    assert listed(get(client, "/member/intel?q=同名&tlp=GREEN")) == [green["id"]]
    assert listed(get(client, "/member/intel?tlp=AMBER&tlp=GREEN")) == [amber["id"], green["id"]]
    assert listed(get(client, "/member/intel?tlp=RED")) == []
    assert listed(get(client, "/member/intel?tlp=purple&tlp=<x>")) == [amber["id"], green["id"]]
    page = get(client, '/member/intel?q="><script>&tlp=GREEN')
    assert "<script>" not in page.replace("<script ", "")
    assert 'value="&quot;&gt;&lt;script&gt;"' in page


def test_places_in_the_list_count_what_this_reader_sees_and_odd_ones_are_harmless(world: World) -> None:
    shown = []
    for _ in range(2):
        mine = [indicator(name="頁") for _ in range(30)]
        shown += [one["id"] for one in mine]
        share(world.jia.admin, *mine)
        share(world.bing.admin, *[indicator(name="頁") for _ in range(30)], audience=Audience.coordinator_only())
    client = world.client(world.yi.admin)
    for asked in ("", "q=頁&"):
        walked: list[str] = []
        address = f"/member/intel?{asked}"
        pages = 0
        while address:
            page = get(client, address)
            walked += listed(page)
            pages += 1
            more = re.search(r'rel="next" href="([^"]+)"', page)
            address = "/member/intel" + more[1].replace("&amp;", "&") if more else ""
        assert walked == shown[::-1], asked
        assert pages == 2
        assert "below=10" in get(client, f"/member/intel?{asked}")
    for odd in ("²", "٣", "-1", "x", "1e3", "99999999999999999999", "", "0", "1_0", "%00"):
        get(client, f"/member/intel?below={odd}")
        get(client, f"/member/intel?q=頁&below={odd}")
    assert listed(get(client, "/member/intel?below=0")) == []
    assert listed(get(client, "/member/intel?below=2")) == shown[1::-1]


def test_red_stands_in_no_list_and_no_search_of_anybody(world: World) -> None:
    named = Named(world.yi.member.affiliation.person_id, world.yi.organization.pk)
    red = indicator(name="紅色機密")
    share(world.jia.admin, red, tlp=Tlp.RED, audience=Audience.persons(named))
    for actor, plane in ((world.jia.admin, "member"), (world.yi.member, "member"), (world.analyst, "staff")):
        client = world.client(actor)
        for url in (f"/{plane}/intel", f"/{plane}/intel?q=紅色機密", f"/{plane}/intel?tlp=RED"):
            assert "紅色機密" not in get(client, url).replace('value="紅色機密"', ""), (actor, url)
    assert "紅色機密" in get(world.client(world.yi.member), f"/member/intel/{red['id']}")
    get(world.client(world.analyst), f"/staff/intel/{red['id']}", 404)


# -- one object ------------------------------------------------------------------------------------------------------


def test_dates_at_the_ends_of_the_calendar_are_shown(world: World) -> None:
    """Producers write 9999-12-31 for "no end"."""
    far = indicator(valid_until="9999-12-31T23:59:59Z")
    edge = indicator(modified="9999-12-31T23:59:59.999Z", valid_from="0001-01-01T00:00:00Z")
    share(world.jia.admin, far, edge)
    client = world.client(world.yi.admin)
    assert "9999-12-31 23:59" in get(client, f"/member/intel/{far['id']}")
    assert "9999-12-31 23:59" in get(client, f"/member/intel/{edge['id']}")
    for one in (far, edge):
        get(client, f"/member/intel/{one['id']}/why")
    assert len(listed(get(client, "/member/intel"))) == 2


def test_the_drawing_shows_twelve_and_the_table_all_that_is_visible(world: World) -> None:
    middle = indicator(name="中心")
    others = [malware(name=f"<i>M{n}</i>{'長' * 40}") for n in range(15)]
    hidden = malware(name="HIDDEN-ONE")
    share(world.jia.admin, middle, *others)
    share(world.jia.admin, *[relationship(middle["id"], other["id"]) for other in others])
    share(world.bing.admin, hidden, relationship(middle["id"], hidden["id"]), audience=Audience.coordinator_only())
    page = get(world.client(world.yi.admin), f"/member/intel/{middle['id']}")
    assert page.count('<rect class="nd"') == 12
    assert page.count('class="ed"') == 12
    assert len(re.findall(r'<td class="full"><a class="text-break" href="/member/intel/malware--', page)) == 15
    assert "<i>M" not in page
    assert "&lt;i&gt;M0&lt;/i&gt;" in page
    assert "HIDDEN-ONE" not in page
    assert hidden["id"] not in page
    assert "…" in page
    assert "HIDDEN-ONE" in get(world.client(world.analyst), f"/staff/intel/{middle['id']}")
    # From the other end the verb is turned round.
    around = get(world.client(world.yi.admin, language="en"), f"/member/intel/{others[0]['id']}")
    assert "is indicated by" in around
    assert page.count('<rect class="nd"') == 12


def test_the_hidden_cannot_crowd_the_visible_out_of_a_drawing(world: World) -> None:
    middle, shown = indicator(), malware(name="還看得到")
    share(world.jia.admin, middle)
    many = [relationship(middle["id"], f"tool--{uuid4()}") for _ in range(2010)]
    share(world.bing.admin, *many, audience=Audience.coordinator_only())
    share(world.jia.admin, shown, relationship(middle["id"], shown["id"]))
    assert "還看得到" in get(world.client(world.yi.admin), f"/member/intel/{middle['id']}")


def test_versions_are_those_that_this_reader_may_see(world: World) -> None:
    one = indicator(name="第一版")
    share(world.jia.admin, one)
    share(world.jia.admin, one | {"modified": "2026-11-02T00:00:00.000Z", "name": "第二版"})
    share(
        world.jia.admin, one | {"modified": "2026-11-03T00:00:00.000Z", "name": "第三版"},
        audience=Audience.coordinator_only(),
    )  # fmt: skip
    reader, source = world.client(world.yi.admin), world.client(world.jia.admin)
    page = get(reader, f"/member/intel/{one['id']}")
    assert "第二版" in page
    assert "第三版" not in page
    assert page.count('datetime="2026-11-0') == 2
    own = get(source, f"/member/intel/{one['id']}")
    assert "第三版" in own
    assert own.count('datetime="2026-11-0') == 3


def test_the_why_page_for_each_kind_of_reader(world: World) -> None:
    one = indicator()
    share(world.jia.admin, one, tlp=Tlp.AMBER)
    base = f"/member/intel/{one['id']}"
    reasons = {
        "P-own": world.client(world.jia.member),
        "P-alliance": world.client(world.yi.admin),
    }
    for rule, client in reasons.items():
        assert rule in get(client, f"{base}/why"), rule
    assert "P-analyst" in get(world.client(world.analyst), f"/staff/intel/{one['id']}/why")
    get(world.client(world.wu), f"{base}/why", 404)
    get(world.client(world.ding.admin), base)
    assert world.client(world.ding.admin).post(f"{base}/relay").status_code == 302
    assert "P-constituent" in get(world.client(world.wu), f"{base}/why")
    get(world.client(world.wu), base)
    # Who received it is for the source and the analysts; the source gets no names and few are "few".
    reader, source, staff = (
        get(world.client(actor, language="en"), url)
        for actor, url in (
            (world.yi.admin, f"{base}/why"), (world.jia.admin, f"{base}/why"),
            (world.analyst, f"/staff/intel/{one['id']}/why"),
        )
    )  # fmt: skip
    assert "Who received it" not in reader
    assert "Group members: <b>few members</b>" in source
    assert "Constituents: <b>few members</b>" in source
    ding = world.ding.organization
    for name in (ding.name_zh, ding.name_en):
        assert name not in source
    assert ding.name_en in staff
    # Whom nothing but a second factor keeps from reading is led to it.
    assert "reauthenticate" in world.client(world.yi.admin, mfa=False).get(f"{base}/why")["Location"]
    get(world.client(world.jia.admin), f"{base}/why")


# -- files -----------------------------------------------------------------------------------------------------------


def test_each_file_is_logged_with_its_purpose_and_marked_for_its_recipient(world: World) -> None:
    one = indicator(name="é ☃")
    share(world.jia.admin, one)
    raw = json.dumps(one).encode()
    url = f"/member/intel/{one['id']}/download"
    marks = set()
    for actor, purpose in (
        (world.yi.admin, "research"),
        (world.yi.member, "warning"),
        (world.bing.admin, "protection"),
    ):
        client = world.client(actor)
        assert b"x_lianfang_terms" not in client.get(url).content
        assert client.post(url, {"purpose": ""}).status_code == 422
        client.post(url, {"purpose": purpose})
        for _ in range(2):
            answer = client.get(url)
            made = json.loads(answer.content)
            assert raw in answer.content
            assert answer["Content-Disposition"] == f'attachment; filename="{one["id"]}.json"'
            terms = made["x_lianfang_terms"]
            receipt = Receipt.objects.get(mark=terms["mark"])
            assert (receipt.channel, receipt.purpose, receipt.person) == ("file", purpose, actor.person.pk)
            assert (terms["recipient"], terms["purpose"]) == (actor.organization.name_zh, purpose)
            assert [each["type"] for each in made["objects"]] == ["indicator", "marking-definition"]
            assert made["id"] == f"bundle--{terms['mark']}"
            marks.add(terms["mark"])
    assert len(marks) == 6
    # A purpose is of one session.
    assert b"x_lianfang_terms" not in world.client(world.yi.admin).get(url).content


def test_a_file_is_decided_again_at_download(world: World) -> None:
    one = indicator(name="後來看不到")
    share(world.jia.admin, one)
    client = world.client(world.yi.admin)
    url = f"/member/intel/{one['id']}/download"
    client.post(url, {"purpose": "research"})
    assert "x_lianfang_terms" in get(client, url)
    at = utcnow()
    actions.tighten(
        by=world.jia.admin.subject(at), at=at, version=Version.objects.get(), tlp=Tlp.GREEN,
        audience=Audience.coordinator_only(),
    )  # fmt: skip
    assert "後來看不到" not in get(client, url, 404)
    own = world.client(world.jia.admin)
    own.post(url, {"purpose": "research"})
    actions.recall(by=world.jia.admin.subject(at), at=at, version=Version.objects.get(), reason="x")
    page = get(own, url, 403)
    assert "F-recalled" in page
    assert "x_lianfang_terms" not in page


# -- hidden is absent ------------------------------------------------------------------------------------------------

PATHS = ("", "/why", "/download", "/recall", "/release")


def told(client: Client, stix_id: str, path: str) -> tuple[int, bytes, int]:
    """Status, body and number of SQL statements of one page."""
    with CaptureQueriesContext(
        connection,
    ) as captured:
        answer = client.get(f"/member/intel/{stix_id}{path}")
    body = re.sub(rb'name="csrfmiddlewaretoken" value="[^"]+"', b"", answer.content)
    return answer.status_code, body.replace(stix_id.encode(), b"ID"), len(captured)


@pytest.mark.parametrize("how", ["coordinator", "red", "embargo", "quarantine", "hold", "other source's id"])
def test_what_is_hidden_answers_as_what_is_not_there_and_asks_the_database_as_much(world: World, how: str) -> None:
    hidden = indicator(labels=["tlp:purple"] if how == "quarantine" else ["x"])
    form: dict[str, Any] = {
        "coordinator": {"audience": Audience.coordinator_only()},
        "red": {"tlp": Tlp.RED, "audience": Audience.persons()},
        "embargo": {"not_before": utcnow() + timedelta(days=1)},
        "hold": {"upstream": hold()},
        "other source's id": {"name_source": NameSource.COORDINATOR},
    }.get(how, {})
    share(world.jia.admin, hidden, **form)
    share(world.jia.admin, indicator())
    client = world.client(world.yi.admin)
    get(client, "/member/intel")
    absent = f"indicator--{uuid4()}"
    for path in PATHS:
        told(client, absent, path)
        assert told(client, hidden["id"], path) == told(client, absent, path), path
    for stix_id in (hidden["id"], absent):
        assert client.post(f"/member/intel/{stix_id}/relay").status_code == 404
        assert client.post(f"/member/intel/{stix_id}/recall", {"reason": "x"}).status_code == 404
        assert client.post(f"/member/intel/{stix_id}/download", {"purpose": "research"}).status_code == 404
    assert not Entry.objects.filter(tag__startswith="intel:item:").exists()


# -- recall and stop -------------------------------------------------------------------------------------------------


def test_whoever_received_a_recalled_version_finds_a_notice_and_nobody_else(world: World) -> None:
    one = indicator(name="要收回的名稱")
    share(world.jia.admin, one, tlp=Tlp.AMBER)
    base = f"/member/intel/{one['id']}"
    world.client(world.ding.admin).post(f"{base}/relay")
    by_page, by_list, inside = (world.client(actor) for actor in (world.yi.admin, world.ding.member, world.wu))
    get(by_page, base)
    get(by_list, "/member/intel")
    get(inside, base)
    at = utcnow()
    actions.recall(by=world.jia.admin.subject(at), at=at, version=Version.objects.get(), reason="誤報的理由")
    for client in (by_page, by_list, inside, world.client(world.yi.member)):
        page = get(client, base)
        assert "已召回" in page
        for word in ("要收回的名稱", "誤報的理由", world.jia.organization.name_zh):
            assert word not in page
        for path in PATHS[1:]:
            get(client, f"{base}{path}", 404)
        assert listed(get(client, "/member/intel")) == []
    assert "This item was recalled" in get(world.client(world.yi.admin, language="en"), base)
    get(world.client(world.bing.admin), base, 404)
    assert world.client(world.former.admin).get(base)["Location"] == "/exit"
    for client, path in (
        (world.client(world.jia.admin), base),
        (world.client(world.analyst), f"/staff/intel/{one['id']}"),
    ):
        page = get(client, path)
        assert "要收回的名稱" in page
        assert "/download" not in page
        assert "/recall" not in page


def test_the_stop_reaches_every_page(world: World) -> None:
    one, clear = indicator(name="停止中看不到"), indicator(name="一直看得到")
    share(world.jia.admin, one)
    share(world.jia.admin, clear, tlp=Tlp.CLEAR)
    reader, source, staff = (world.client(actor) for actor in (world.yi.admin, world.jia.admin, world.analyst))
    reader.post(f"/member/intel/{one['id']}/download", {"purpose": "research"})
    source.post(f"/member/intel/{one['id']}/download", {"purpose": "research"})
    signed = {"act": "start", "reason": "疑似外洩", "second_factor_code": world.analyst.code()}
    assert staff.post("/staff/stop", signed).status_code == 302
    for client, plane in ((reader, "member"), (staff, "staff")):
        for path in ("", "/why", "/download"):
            get(client, f"/{plane}/intel/{one['id']}{path}", 404)
        for url in (f"/{plane}/intel", f"/{plane}/intel?q=看"):
            page = get(client, url)
            assert "停止中看不到" not in page
            assert "一直看得到" in page
    assert "停止中看不到" in get(source, f"/member/intel/{one['id']}")
    assert "停止中看不到" not in get(source, "/member/intel")
    assert "F-stop" in get(source, f"/member/intel/{one['id']}/download", 403)
    assert world.client(world.ding.admin).post(f"/member/intel/{one['id']}/relay").status_code == 404
    # Intake goes on, and says so in the same words.
    assert share(world.jia.admin, indicator()).results[0]["outcome"] == "accepted"


def test_during_a_drill_the_page_still_offers_the_real_stop(world: World) -> None:
    staff = world.client(world.analyst)
    for drill, code in ((True, world.analyst.code()), (False, world.analyst.code())):
        page = get(staff, "/staff/stop")
        assert 'value="start"' in page
        answer = staff.post(
            "/staff/stop",
            {"act": "start", "reason": "x", "second_factor_code": code} | ({"drill": "on"} if drill else {}),
        )
        assert answer.status_code == 302
    assert 'value="start"' not in get(staff, "/staff/stop")
    assert list(Stop.objects.order_by("started_at").values_list("drill", flat=True)) == [True, False]
    assert queries.stop_is_on()


@pytest.mark.parametrize("post", [
    {"act": "confirm"}, {"act": "ask"}, {"act": "end"}, {"act": "nonsense"}, {}, {"act": "start"},
])  # fmt: skip
def test_a_wrong_step_of_the_stop_does_nothing(world: World, post: dict[str, str]) -> None:
    answer = world.client(world.analyst).post("/staff/stop", post)
    assert answer.status_code in (302, 422)
    assert not Stop.objects.exists()
    assert not Entry.objects.filter(tag__startswith="intel:stop").exists()
