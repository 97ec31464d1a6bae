"""The unmodified taxii2-client through the whole of it."""

from __future__ import annotations

from itertools import pairwise

import pytest
import requests
from taxii2client.exceptions import AccessError
from taxii2client.v21 import Collection, as_pages

from tests.exchange.stage import ALL, BY_TLP, GROUP, INBOX, MINE, Stage, indicator


def test_discovers(alliance: Stage) -> None:
    server = alliance.yi.server()
    assert server.title
    assert [root.url for root in server.api_roots] == [f"{alliance.url}/taxii2/alliance/"]
    root = server.default
    assert root.versions == ["application/taxii+json;version=2.1"]
    assert root.max_content_length == 10 * 1024 * 1024
    found = {one.id: one for one in root.collections}
    assert found.keys() == {ALL, MINE, GROUP, INBOX, *BY_TLP.values()}
    assert (found[ALL].can_read, found[ALL].can_write) == (True, True)
    assert (found[INBOX].can_read, found[INBOX].can_write) == (False, True)
    assert len({one.title for one in root.collections}) == 8


def test_adds_and_fetches(alliance: Stage) -> None:
    sent = [indicator(number) for number in range(5)]
    status = alliance.jia.collection().add_objects({"objects": sent})
    assert (status.status, status.success_count, status.failure_count) == ("complete", 5, 0)
    assert {one["id"] for one in status.successes} == {one["id"] for one in sent}
    again = alliance.jia.root().get_status(status.id)
    assert (again.id, again.success_count) == (status.id, 5)
    got = alliance.yi.collection().get_objects(limit=1000)
    assert [one for one in got["objects"] if one["id"] in {each["id"] for each in sent}] == sent


def test_pages_hold_each_object_once_in_order(alliance: Stage) -> None:
    sent = [indicator(number) for number in range(23)]
    alliance.jia.add(*sent)
    collection = alliance.yi.collection()
    pages = list(as_pages(collection.get_objects, per_request=7))
    ids = [one["id"] for page in pages for one in page["objects"]]
    assert len(ids) == len(set(ids))
    assert [found for found in ids if found in {each["id"] for each in sent}] == [each["id"] for each in sent]
    assert all(len(page["objects"]) == 7 and page["more"] for page in pages[:-1])
    assert not pages[-1]["more"]
    records = [one for page in as_pages(collection.get_manifest, per_request=7) for one in page["objects"]]
    assert [one["id"] for one in records] == ids
    dates = [one["date_added"] for one in records]
    assert all(one < other for one, other in pairwise(dates))
    assert all(len(date) == 27 and date.endswith("Z") for date in dates)


def test_filters(alliance: Stage) -> None:
    one, other = indicator(1), indicator(2)
    malware = {
        **{name: one[name] for name in ("spec_version", "created", "modified", "object_marking_refs")},
        "type": "malware", "id": "malware--" + one["id"].split("--")[1], "name": "紙鎮", "is_family": True,
    }  # fmt: skip
    alliance.jia.add(one, other, malware)
    collection = alliance.yi.collection()

    def ids(**filters: str) -> list[str]:
        return [found["id"] for found in collection.get_objects(limit=1000, **filters).get("objects", [])]

    assert ids(id=one["id"]) == [one["id"]]
    assert ids(id=f"{other['id']},{one['id']}") == [one["id"], other["id"]]
    assert ids(id=f"{malware['id']},{one['id']}", type="malware") == [malware["id"]]
    assert ids(type="no-such-type") == []
    assert ids(spec_version="2.0") == []
    assert ids(id=one["id"], spec_version="2.0,2.1") == [one["id"]]
    records = collection.get_manifest(id=one["id"])["objects"]
    assert [record["media_type"] for record in records] == ["application/stix+json;version=2.1"]
    assert ids(added_after=records[0]["date_added"])[:2] == [other["id"], malware["id"]]
    assert collection.get_object(one["id"])["objects"] == [one]


def test_versions(alliance: Stage) -> None:
    first = indicator(1, name="第一版")
    second = first | {"name": "第二版", "modified": "2026-11-02T00:00:00.000Z"}
    third = first | {"name": "第三版", "modified": "2026-11-03T00:00:00.000Z"}
    for version in (first, second, third):
        alliance.jia.add(version)
    collection = alliance.yi.collection()

    def names(version: str | None) -> list[str]:
        filters = {"version": version} if version else {}
        return [one["name"] for one in collection.get_object(first["id"], **filters).get("objects", [])]

    assert names(None) == names("last") == ["第三版"]
    assert names("first") == ["第一版"]
    assert names("all") == ["第一版", "第二版", "第三版"]
    assert names("first,last") == ["第一版", "第三版"]
    assert names("2026-11-02T00:00:00Z") == ["第二版"]
    assert names("2026-11-02T00:00:00Z,2026-11-03T00:00:00.000000Z") == ["第二版", "第三版"]
    assert names("2026-11-09T00:00:00Z") == []
    stored = ["2026-11-01T00:00:00.000Z", "2026-11-02T00:00:00.000Z", "2026-11-03T00:00:00.000Z"]
    assert collection.object_versions(first["id"])["versions"] == stored
    records = collection.get_manifest(id=first["id"], version="all")["objects"]
    assert [record["version"] for record in records] == stored


def test_a_duplicate_is_a_success_and_other_content_a_failure(alliance: Stage) -> None:
    one = indicator(1)
    alliance.jia.add(one)
    again = alliance.jia.collection().add_objects({"objects": [one, indicator(2)]})
    assert (again.success_count, again.failure_count) == (2, 0)
    changed = alliance.jia.collection().add_objects({"objects": [one | {"name": "別的"}]})
    assert (changed.success_count, changed.failure_count) == (0, 1)
    assert changed.failures[0]["id"] == one["id"]
    theirs = alliance.bing.collection().add_objects({"objects": [one | {"name": "別的"}]})
    assert (theirs.success_count, theirs.failure_count) == (1, 0), "what others hold changes no answer"


def test_a_bundle_is_an_envelope_too(alliance: Stage) -> None:
    one = indicator(1)
    bundle = {"type": "bundle", "id": "bundle--" + one["id"].split("--")[1], "objects": [one]}
    assert alliance.jia.collection().add_objects(bundle).success_count == 1


def test_the_client_keeps_to_what_it_may(alliance: Stage) -> None:
    with pytest.raises(AccessError):
        alliance.yi.collection(INBOX).get_objects()


def test_bearer_and_its_older_word(alliance: Stage) -> None:
    for scheme in ("Bearer", "Token", "bearer"):
        header = {"Authorization": f"{scheme} {alliance.yi.secret}"}
        answer = alliance.yi.get("/taxii2/", auth=None, headers=header)
        assert answer.status_code == 200, scheme


def test_a_wrong_password_ends_the_client(alliance: Stage) -> None:
    with pytest.raises(requests.HTTPError) as refused:
        _ = Collection(f"{alliance.url}/taxii2/alliance/collections/{ALL}/", user="x", password="y").title
    assert refused.value.response.status_code == 401
