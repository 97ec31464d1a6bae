"""Each collection: what it shows to whom, under what label it takes in, and that all its endpoints say the same."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from lianfang.exchange.actions import set_profile
from lianfang.exchange.taxii.collections import COLLECTIONS, WRITABLE
from lianfang.intel import actions as intelligence
from lianfang.intel import intake
from lianfang.intel.definitions import DEFINITIONS, STATEMENT_ID
from lianfang.intel.labelling import LabelForm
from lianfang.intel.markings import KNOWN
from lianfang.intel.models import Recall, Receipt, Version
from lianfang.intel.queries import label_of
from lianfang.intel.receipts import versions_of
from lianfang.policy.facts import Audience, AudienceKind, Channel, NameSource, Right, Tlp
from tests.exchange.stage import ALL, BY_TLP, GROUP, INBOX, MINE, Machine, Stage, indicator, share_with_all
from tests.world import READING, Actor

ROOT = "/taxii2/alliance/collections/"
RECALLING = READING | {Right.RECALL}
GREEN = "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb"
AMBER = "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421"
READABLE = [one.id for one in COLLECTIONS if one.part is not None]


def unmarked(number: int = 0) -> dict[str, Any]:
    return {name: value for name, value in indicator(number).items() if name != "object_marking_refs"}


def version(stix_id: str) -> Version:
    return Version.objects.get(item__stix_id=stix_id)


def share(stage: Stage, by: Actor, *objects: dict[str, Any], name: NameSource, audience: Audience) -> None:
    """Share by the page, unlike what the profile of the machines says."""
    at = datetime.now(UTC)
    form = LabelForm(tlp=Tlp.GREEN, audience=audience, name_source=name)
    body = json.dumps({"objects": objects}).encode()
    intake.submit(by=by.subject(at), at=at, body=body, form=form, channel=Channel.PAGE)


# -- what they are called --------------------------------------------------------------------------------------------


def test_ids_are_random_and_names_are_unique() -> None:
    assert all(UUID(one.id).version == 4 for one in COLLECTIONS)
    for names in ([one.id for one in COLLECTIONS], [one.title for one in COLLECTIONS]):
        assert len(set(names)) == len(COLLECTIONS)
    assert [one.alias for one in COLLECTIONS] == [
        "all", "mine", "group", "inbox", "clear", "green", "amber", "amber-strict",
    ]  # fmt: skip


def test_they_are_listed_with_what_this_key_may_do_and_what_for(alliance: Stage) -> None:
    listed = {one["alias"]: one for one in alliance.yi.get(ROOT).json()["collections"]}
    assert {name: (one["can_read"], one["can_write"]) for name, one in listed.items()} == {
        "all": (True, True), "mine": (True, False), "group": (True, False), "inbox": (False, True),
        "clear": (True, True), "green": (True, True), "amber": (True, True), "amber-strict": (True, True),
    }  # fmt: skip
    assert all("never for profit" in one["description"] for one in listed.values())
    assert "never for profit" in alliance.yi.get("/taxii2/alliance/").json()["description"]
    for alias, one in listed.items():
        assert alliance.yi.get(f"{ROOT}{alias}/").json() == alliance.yi.get(f"{ROOT}{one['id']}/").json() == one
    fetches = alliance.machine(alliance.world.yi.admin, rights=READING - {Right.SUBMIT})
    assert not any(one["can_write"] for one in fetches.get(ROOT).json()["collections"])


# -- taking in -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("alias", BY_TLP)
def test_the_collections_label_is_what_is_added_there(alliance: Stage, alias: str) -> None:
    tlp = Tlp[alias.upper().replace("-", "_")]
    plain, green, amber = (
        unmarked(), unmarked() | {"object_marking_refs": [GREEN]}, unmarked() | {"object_marking_refs": [AMBER]},
    )  # fmt: skip
    status = alliance.jia.add(plain, green, amber, collection=BY_TLP[alias])
    assert status["success_count"] == 3
    got = {one["id"]: label_of(version(one["id"])).tlp for one in (plain, green, amber)}
    assert got == {
        plain["id"]: tlp, green["id"]: max(tlp, Tlp.GREEN), amber["id"]: max(tlp, Tlp.AMBER),
    }, "a stricter label of its own wins, a wider one does not"  # fmt: skip
    for other, number in BY_TLP.items():
        mine = {stix_id for stix_id, found in got.items() if found is Tlp[other.upper().replace("-", "_")]}
        for reader in (alliance.yi, alliance.jia):
            assert set(reader.ids_of(number)) & set(got) == mine, other


def test_each_collection_has_a_profile_of_its_own(alliance: Stage) -> None:
    world = alliance.world
    admin = world.bing.admin
    chosen = {"green": (AudienceKind.ALLIANCE, NameSource.EVERYONE, True), "amber": (
        AudienceKind.ALLIANCE, NameSource.COORDINATOR, False)}  # fmt: skip
    for alias, (audience, name, warranted) in chosen.items():
        set_profile(
            by=admin.subject(), at=world.clock.tick(), collection=alias, audience=audience, name_source=name,
            warranted=warranted,
        )  # fmt: skip
    machine = alliance.machine(admin)
    sent = {one.alias: unmarked() for one in WRITABLE}
    for one in WRITABLE:
        machine.add(sent[one.alias], collection=one.id)
    got = {alias: label_of(version(one["id"])) for alias, one in sent.items()}
    assert got["green"].audience == Audience.alliance()
    assert got["green"].name_source is NameSource.EVERYONE
    assert got["amber"].upstream.kind.value == "hold"
    assert {alias for alias, label in got.items() if label.audience == Audience.coordinator_only()} == {
        "all", "inbox", "clear", "amber-strict",
    }, "what nobody decided goes to the coordinator alone"  # fmt: skip
    assert got["all"].tlp is got["inbox"].tlp is Tlp.AMBER_STRICT
    seen = set(alliance.yi.ids("?limit=1000"))
    assert {alias for alias, one in sent.items() if one["id"] in seen} == {"green"}


# -- one's own -------------------------------------------------------------------------------------------------------


def test_mine_and_my_groups(alliance: Stage) -> None:
    """丁 and its constituent 戊: by name and without, addressed to everybody and to the coordinator alone."""
    world = alliance.world
    everyone, nobody = Audience.alliance(), Audience.coordinator_only()
    named, unnamed, kept, own, foreign = (indicator(number) for number in range(5))
    share(alliance, world.wu, named, name=NameSource.EVERYONE, audience=everyone)
    share(alliance, world.wu, unnamed, name=NameSource.COORDINATOR, audience=everyone)
    share(alliance, world.wu, kept, name=NameSource.EVERYONE, audience=nobody)
    share(alliance, world.ding.contact, own, name=NameSource.COORDINATOR, audience=everyone)
    share(alliance, world.jia.admin, foreign, name=NameSource.EVERYONE, audience=everyone)
    by = world.ding.admin
    machines = {
        "admin": alliance.machine(by),
        "contact": alliance.machine(world.ding.contact, by=by),
        "constituent": alliance.machine(world.wu, by=by),
        "other": alliance.yi,
    }
    # What is read under another id is met by its place among the five.
    names = {"named": named, "unnamed": unnamed, "kept": kept, "own": own, "foreign": foreign}
    known = {one["pattern"]: name for name, one in names.items()}

    def sees(reader: str, collection: str) -> set[str]:
        query = "?limit=1000&match[type]=indicator"
        found = machines[reader].objects(query, collection=collection).json().get("objects", [])
        return {known[one["pattern"]] for one in found if one["pattern"] in known and one["name"] in _NAMES}

    every = set(names)
    assert {reader: sees(reader, ALL) for reader in machines} == {
        "admin": every, "contact": every - {"kept"}, "constituent": every, "other": every - {"kept"},
    }  # fmt: skip
    assert {reader: sees(reader, MINE) for reader in machines} == {
        "admin": {"own"}, "contact": {"own"}, "constituent": {"named", "unnamed", "kept"}, "other": set(),
    }  # fmt: skip
    assert {reader: sees(reader, GROUP) for reader in machines} == {
        "admin": {"named", "unnamed", "kept", "own"},
        "contact": {"named", "own"},
        "constituent": {"named", "unnamed", "kept"},
        "other": set(),
    }, "whose source is not named to a colleague, that the group's collection does not tell him"


_NAMES = {f"壞網域{number}" for number in range(5)}


def test_ones_own_copy_is_in_mine_though_anothers_comes_first(alliance: Stage) -> None:
    one = indicator(7)
    alliance.jia.add(one)
    share_with_all(alliance.world, alliance.world.bing.admin)
    alliance.bing.add(one | {"description": "我們的"})
    for collection, described in ((ALL, None), (MINE, "我們的")):
        (found,) = alliance.bing.objects(f"?match[id]={one['id']}", collection=collection).json()["objects"]
        assert found.get("description") == described


# -- all endpoints alike ---------------------------------------------------------------------------------------------


def test_every_endpoint_of_a_collection_tells_of_the_same(alliance: Stage) -> None:
    objects = {alias: unmarked() for alias in BY_TLP}
    for alias, one in objects.items():
        alliance.jia.add(one, collection=BY_TLP[alias])
    capped = alliance.machine(alliance.world.yi.admin, max_tlp="GREEN")
    constituent = alliance.machine(alliance.world.wu, by=alliance.world.ding.admin)
    for reader in (alliance.jia, alliance.yi, capped, constituent):
        everything = {stix_id for page in walk(reader, ALL, 1000) for stix_id in page.ids}
        for number in READABLE:
            walked: list[str] = []
            for page in walk(reader, number, 20):
                held = reader.direct(f"{ROOT}{number}/manifest/?limit=20&added_after={page.just_before}")[2]["objects"]
                assert [one["id"] for one in held] == page.ids
                assert held[0]["date_added"] == page.headers["X-TAXII-Date-Added-First"]
                assert held[-1]["date_added"] == page.headers["X-TAXII-Date-Added-Last"]
                walked += page.ids
            assert len(walked) == len(set(walked))
            assert set(walked) <= everything, "a collection shows nothing that the whole does not"
            for one in objects.values():
                path = f"{ROOT}{number}/objects/{one['id']}/"
                there = 200 if one["id"] in walked else 404
                assert reader.direct(path)[0] == there
                assert reader.direct(f"{path}versions/")[0] == there
                assert bool(reader.direct(f"{ROOT}{number}/objects/?match[id]={one['id']}")[2]) == (there == 200)
    assert not set(capped.ids_of(BY_TLP["amber"])), "a key's highest label holds in every collection"
    assert set(capped.ids_of(BY_TLP["green"])) >= {objects["green"]["id"]}


@dataclass(frozen=True)
class Page:
    """One page of objects as it came."""

    ids: list[str]
    headers: dict[str, str]

    @property
    def just_before(self) -> str:
        """The instant before its first entry."""
        first = datetime.fromisoformat(self.headers["X-TAXII-Date-Added-First"])
        return (first - first.resolution).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def walk(reader: Machine, collection: str, limit: int) -> Iterator[Page]:
    """Follow `next` from the beginning to the end of a collection."""
    place = ""
    while True:
        status, headers, page = reader.direct(f"{ROOT}{collection}/objects/?limit={limit}{place}")
        assert status == 200
        yield Page([one["id"] for one in page["objects"]], headers)
        if not page["more"]:
            return
        place = f"&next={page['next']}"


def test_a_receipt_names_the_collection_and_what_it_gave(alliance: Stage) -> None:
    one = unmarked()
    alliance.jia.add(one, collection=BY_TLP["green"])
    machine = alliance.machine(alliance.world.yi.admin)
    got = machine.ids_of(BY_TLP["green"])
    (receipt,) = Receipt.objects.filter(token=machine.token.pk)
    assert receipt.view == BY_TLP["green"]
    delivered = [found.item for found in versions_of(receipt)]
    assert len(delivered) == len(got)
    assert {stix_id for item in delivered for stix_id in (item.stix_id, item.served_id)} >= set(got)
    cursor = machine.objects("?limit=1", collection=BY_TLP["green"]).json()["next"]
    assert machine.objects(f"?limit=1&next={cursor}", collection=BY_TLP["clear"]).status_code == 400


# -- what comes and goes ---------------------------------------------------------------------------------------------


def dates(machine: Machine, collection: str, stix_id: str) -> list[str]:
    found = machine.get(f"{ROOT}{collection}/manifest/?match[id]={stix_id}").json().get("objects", [])
    return [one["date_added"] for one in found]


def test_a_stricter_label_leaves_one_collection_and_comes_new_into_the_other(alliance: Stage) -> None:
    one, after = unmarked(), unmarked()
    alliance.jia.add(one, collection=BY_TLP["green"])
    alliance.jia.add(after, collection=BY_TLP["amber"])
    before = dates(alliance.yi, ALL, one["id"])
    passed = dates(alliance.yi, BY_TLP["amber"], after["id"])[0]
    by, at = alliance.world.jia.admin.subject(datetime.now(UTC)), datetime.now(UTC)
    intelligence.tighten(by=by, at=at, version=version(one["id"]), tlp=Tlp.AMBER)
    assert dates(alliance.yi, BY_TLP["green"], one["id"]) == []
    assert dates(alliance.yi, BY_TLP["amber"], one["id"])[0] > passed, "whoever had passed its old place gets it"
    assert alliance.yi.ids_of(BY_TLP["amber"], f"?added_after={passed}") == [one["id"]]
    assert dates(alliance.yi, ALL, one["id"]) == before, "where nothing came new, nothing moves"
    intelligence.tighten(by=by, at=at, version=version(one["id"]), tlp=Tlp.AMBER_STRICT)
    assert dates(alliance.yi, BY_TLP["amber"], one["id"]) == []
    assert len(dates(alliance.yi, BY_TLP["amber-strict"], one["id"])) == 1
    intelligence.tighten(by=by, at=at, version=version(one["id"]), tlp=Tlp.RED)
    assert not any(dates(alliance.jia, number, one["id"]) for number in READABLE)


def test_what_leaves_quarantine_under_another_label_stands_there_alone(alliance: Stage) -> None:
    """An unknown marking waits as RED; its submitter says GREEN."""
    strange = "marking-definition--9dd01b5f-1c2d-4b3e-8a4f-5b6c7d8e9f01"
    one = unmarked() | {"labels": ["tlp:purple"], "object_marking_refs": [strange]}
    alliance.jia.add(one)
    amber = unmarked() | {"labels": ["tlp:amber"], "name": "甲示範電子股份有限公司"}
    world = alliance.world
    share(alliance, world.jia.admin, amber, name=NameSource.COORDINATOR, audience=Audience.alliance())
    held = version(one["id"])
    at = datetime.now(UTC)
    intelligence.release_from_quarantine(
        by=world.jia.admin.subject(at), at=at, version=held, tlp=Tlp.GREEN, audience=Audience.alliance()
    )
    for reader in (alliance.jia, alliance.yi):
        there = [alias for alias, number in BY_TLP.items() if dates(reader, number, one["id"])]
        assert there == ["green"]


# -- recall ----------------------------------------------------------------------------------------------------------


def test_delete_reaches_what_the_collection_shows_of_ones_own(alliance: Stage) -> None:
    admin = alliance.world.jia.admin
    machine = alliance.machine(admin, rights=RECALLING)
    one, theirs = unmarked(), unmarked()
    machine.add(one, collection=BY_TLP["green"])
    share_with_all(alliance.world, alliance.world.bing.admin)
    alliance.bing.add(theirs, collection=BY_TLP["green"])

    def delete(who: Machine, collection: str, stix_id: str) -> tuple[int, dict[str, Any]]:
        answer = who.ask("DELETE", f"{ROOT}{collection}/objects/{stix_id}/")
        return answer.status_code, answer.json() | {"error_id": ""}

    absent = delete(machine, BY_TLP["green"], unmarked()["id"])
    assert absent[0] == 404
    assert delete(machine, BY_TLP["amber"], one["id"]) == absent, "it is not in that collection"
    assert delete(machine, BY_TLP["green"], theirs["id"]) == absent, "seen, but of another source"
    assert delete(machine, ALL, STATEMENT_ID) == absent
    capped = alliance.machine(admin, rights=RECALLING, max_tlp="CLEAR")
    assert delete(capped, ALL, one["id"]) == absent, "beyond what the key may have"
    for collection in (MINE, GROUP, INBOX):
        for stix_id in (one["id"], unmarked()["id"]):
            assert delete(machine, collection, stix_id)[0] == 403, "readable or writable alone"
    assert not Recall.objects.filter(version__item__stix_id=one["id"]).exists()
    assert delete(machine, BY_TLP["green"], one["id"])[0] == 200
    assert delete(machine, BY_TLP["green"], one["id"]) == absent
    assert delete(machine, ALL, one["id"]) == absent
    assert Recall.objects.filter(version__item__stix_id=one["id"]).count() == 1, "asked again, nothing more is done"
    assert not dates(alliance.yi, ALL, one["id"])


def test_the_stop_holds_no_recall_back(alliance: Stage) -> None:
    machine = alliance.machine(alliance.world.jia.admin, rights=RECALLING)
    one = unmarked()
    machine.add(one, collection=BY_TLP["amber"])
    at = datetime.now(UTC)
    stop = intelligence.start_stop(by=alliance.world.analyst.subject(at), at=at, reason="演練以外的停止")
    path = f"{ROOT}{ALL}/objects/{one['id']}/"
    assert machine.get(path).status_code == 404
    assert machine.ask("DELETE", path).status_code == 200
    intelligence.ask_to_end_stop(by=alliance.world.analyst.subject(at), at=at, stop=stop)
    intelligence.end_stop(by=alliance.world.approver.subject(at), at=datetime.now(UTC), stop=stop)
    assert machine.get(path).status_code == 404


# -- keys for some of them -------------------------------------------------------------------------------------------


def test_a_key_for_some_collections_and_networks_does_all_it_was_made_for(alliance: Stage) -> None:
    for views in (("green", "inbox"), (BY_TLP["green"], INBOX)):
        machine = alliance.machine(
            alliance.world.jia.admin, rights=RECALLING, views=views, networks=("127.0.0.0/8", "::1/128")
        )
        assert {one["alias"] for one in machine.get(ROOT).json()["collections"]} == {"green", "inbox"}
        one, other = unmarked(), unmarked()
        assert machine.add(one, collection="green")["success_count"] == 1
        assert machine.add(other, collection=INBOX)["success_count"] == 1
        assert one["id"] in machine.ids_of("green")
        assert machine.objects().status_code == 404
        assert machine.ask("DELETE", f"{ROOT}all/objects/{one['id']}/").status_code == 404
        assert machine.ask("DELETE", f"{ROOT}green/objects/{one['id']}/").status_code == 200


# -- what they begin with --------------------------------------------------------------------------------------------


def test_every_collection_begins_with_what_its_objects_refer_to(alliance: Stage) -> None:
    one = indicator(3)
    alliance.jia.add(one)
    for number in READABLE:
        page = alliance.yi.objects("?limit=1000", collection=number)
        objects = page.json()["objects"]
        assert objects[: len(DEFINITIONS)] == [definition.value for definition in DEFINITIONS]
        assert page.headers["X-TAXII-Date-Added-First"] == "2026-01-01T00:00:00.001000Z"
        referred = {ref for held in objects for ref in held.get("object_marking_refs", [])}
        assert referred & KNOWN.keys() <= {held["id"] for held in objects}, "no label is referred to that is not there"
    statement = DEFINITIONS[0]
    assert statement.id == STATEMENT_ID
    assert "研究分析" in statement.value["definition"]["statement"]
    path = f"{ROOT}all/objects/{STATEMENT_ID}/"
    assert alliance.yi.get(path).json()["objects"] == [statement.value]
    assert alliance.yi.get(f"{path}versions/").json()["versions"] == [statement.version]
    for query, there in (
        ("match[version]=last", True), ("match[version]=2026-01-01T00:00:00Z", True),
        ("match[version]=2026-01-02T00:00:00Z", False), ("match[spec_version]=2.0", False),
        ("added_after=2026-01-01T00:00:00Z", True), ("added_after=2026-01-01T00:00:00.001Z", False),
    ):  # fmt: skip
        assert bool(alliance.yi.get(f"{path}?{query}").json()) is there, query


def test_a_pager_passes_them_like_any_object(alliance: Stage) -> None:
    alliance.jia.add(indicator(1), indicator(2))
    (whole,) = walk(alliance.yi, BY_TLP["green"], 1000)
    for limit in (1, 3, 8, 9):
        assert [stix_id for page in walk(alliance.yi, BY_TLP["green"], limit) for stix_id in page.ids] == whole.ids
        by_date: list[str] = []
        path = f"{ROOT}green/objects/?limit={limit}"
        query = ""
        while (answer := alliance.yi.direct(path + query))[2]:
            by_date += [one["id"] for one in answer[2]["objects"]]
            query = f"&added_after={answer[1]['X-TAXII-Date-Added-Last']}"
        assert by_date == whole.ids


def test_a_members_copy_of_them_is_given_to_no_machine_twice(alliance: Stage) -> None:
    """Bundles mostly bring the definitions along; everybody has them already."""
    green = next(one for one in DEFINITIONS if one.id == GREEN)
    one = indicator(1)
    status = alliance.jia.add(green.value, one, DEFINITIONS[0].value)
    assert status["success_count"] == 3
    for reader in (alliance.jia, alliance.yi):
        for number in (ALL, MINE, BY_TLP["green"], BY_TLP["amber-strict"]):
            got = [found["id"] for found in reader.objects("?limit=1000", collection=number).json()["objects"]]
            assert got.count(GREEN) == got.count(STATEMENT_ID) == 1
    assert one["id"] in alliance.yi.ids("?limit=1000")
    marked = indicator(2, object_marking_refs=[GREEN, STATEMENT_ID])
    alliance.jia.add(marked)
    assert marked["id"] in alliance.yi.ids_of(BY_TLP["green"]), "who repeats our statement is not held up by it"
