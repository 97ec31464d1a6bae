"""Every row of the wire: who is let in, what is accepted, what a wrong request is told, and nobody is told more."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import requests
from django.conf import settings

from lianfang.accounts import actions as accounts
from lianfang.exchange.taxii import views
from lianfang.policy.facts import Right
from tests.exchange.stage import ALL, GREEN, INBOX, TAXII, Machine, Stage, indicator
from tests.world import READING

NOBODY = UUID("5b1f0a3e-0000-4000-8000-000000000000")
ROOT = "/taxii2/alliance/"
ONE = f"{ROOT}collections/{ALL}/"
OBJECTS = f"{ONE}objects/"


@pytest.fixture(scope="module")
def known(alliance: Stage) -> dict[str, Any]:
    """An object that everybody in the alliance may see."""
    one = indicator(1)
    alliance.jia.add(one, indicator(2), indicator(3))
    return one


def every_path(known: dict[str, Any]) -> list[str]:
    return [
        "/taxii2/", ROOT, f"{ROOT}collections/", ONE, f"{ROOT}collections/all/", OBJECTS, f"{ONE}manifest/",
        f"{OBJECTS}{known['id']}/", f"{OBJECTS}{known['id']}/versions/",
    ]  # fmt: skip


def is_error(answer: requests.Response, status: int) -> bool:
    """Whether it is the standard's error message, with that status in both places."""
    body = answer.json()
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == TAXII
    assert body["http_status"] == str(status)
    assert body["title"]
    assert body["error_id"]
    return True


# -- who is let in ---------------------------------------------------------------------------------------------------


def test_every_answer_has_exactly_the_type(alliance: Stage, known: dict[str, Any]) -> None:
    for path in every_path(known):
        answer = alliance.yi.get(path)
        assert answer.status_code == 200, path
        assert answer.headers["Content-Type"] == TAXII
        assert int(answer.headers["Content-Length"]) == len(answer.content)
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    ("auth", "header"),
    [
        (None, None),
        (("someone", "wrong"), None),
        (("", ""), None),
        (None, "Bearer wrong"),
        (None, "Bearer"),
        (None, "Basic !!!"),
        (None, "Basic Og=="),
        (None, "Negotiate abc"),
        (None, "Bearer \xff\xfe"),
    ],
)
def test_no_key_no_entry(alliance: Stage, known: dict[str, Any], auth: Any, header: str | None) -> None:
    for path in [*every_path(known), f"{ROOT}status/{uuid4()}/", f"{ROOT}nothing/"]:
        headers: Any = {"Authorization": header.encode("latin-1")} if header else {}
        answer = alliance.yi.get(path, auth=auth, headers=headers)
        assert is_error(answer, 401)
        assert answer.headers["WWW-Authenticate"].startswith('Basic realm="Lianfang", charset="UTF-8"')
        assert "Bearer" in answer.headers["WWW-Authenticate"]


def test_another_keys_id_does_not_go_with_the_secret(alliance: Stage) -> None:
    assert is_error(alliance.yi.get("/taxii2/", auth=(alliance.jia.auth[0], alliance.yi.secret)), 401)
    for user in ("", "taxii", alliance.yi.auth[0].upper()):
        assert alliance.yi.get("/taxii2/", auth=(user, alliance.yi.secret)).status_code == 200


def test_the_key_comes_before_what_is_accepted(alliance: Stage) -> None:
    assert is_error(alliance.yi.get("/taxii2/", auth=None, headers={"Accept": "text/html"}), 401)


def test_an_ended_key(alliance: Stage) -> None:
    machine = alliance.machine(alliance.world.yi.admin)
    assert machine.get("/taxii2/").status_code == 200
    at = alliance.world.clock.tick()
    accounts.revoke_token(token=machine.token, by=alliance.world.yi.admin.subject(), at=at)
    assert is_error(machine.get("/taxii2/"), 401)


def test_an_expired_key(alliance: Stage) -> None:
    clock = alliance.world.clock
    now = clock.at
    try:
        clock.at = now - timedelta(days=2)
        machine = alliance.machine(alliance.world.yi.admin, days=1)
    finally:
        clock.at = now
    assert is_error(machine.get("/taxii2/"), 401)


def test_a_key_from_elsewhere(alliance: Stage) -> None:
    machine = alliance.machine(alliance.world.yi.admin, networks=("203.0.113.0/24",))
    assert is_error(machine.get("/taxii2/"), 401)
    near = alliance.machine(alliance.world.yi.admin, networks=("127.0.0.0/8", "::1/128"))
    assert near.get("/taxii2/").status_code == 200


# -- content ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("accept", "status"),
    [
        (TAXII, 200),
        ("application/taxii+json", 200),
        ("*/*", 200),
        ("application/json, text/plain, */*", 200),
        (None, 200),
        ("application/vnd.oasis.taxii+json; version=2.0", 406),
        ("application/taxii+json;version=9.9", 406),
        ("text/html", 406),
        (TAXII + ";q=0", 406),
    ],
)
def test_accept(alliance: Stage, known: dict[str, Any], accept: str | None, status: int) -> None:
    for path in every_path(known):
        answer = alliance.yi.get(path, headers={"Accept": accept})
        assert answer.status_code == status
        assert status == 200 or is_error(answer, status)


def post(machine: Machine, body: bytes, *, path: str = OBJECTS, **headers: str) -> requests.Response:
    sent = {"Content-Type": TAXII} | {name.replace("_", "-"): value for name, value in headers.items()}
    return machine.ask("POST", path, data=body, headers=dict(sent))


@pytest.mark.parametrize("kind", ["application/json", "text/plain", "application/taxii+json;version=2.0", ""])
def test_415(alliance: Stage, kind: str) -> None:
    assert is_error(post(alliance.jia, b"{}", Content_Type=kind), 415)


def test_a_compressed_body_is_not_opened(alliance: Stage) -> None:
    assert is_error(post(alliance.jia, b"\x1f\x8b", Content_Encoding="gzip"), 415)


@pytest.mark.parametrize("body", [b"", b"nothing", b"{", b'{"objects":[}', b"\xff\xfe", b'{"objects":[NaN]}'])
def test_400_for_what_is_no_json(alliance: Stage, body: bytes) -> None:
    assert is_error(post(alliance.jia, body), 400)


@pytest.mark.parametrize("body", [b"{}", b"[]", b'{"objects":{}}', b'{"type":"indicator"}', b"7"])
def test_422_for_what_is_no_envelope(alliance: Stage, body: bytes) -> None:
    assert is_error(post(alliance.jia, body), 422)


def test_one_check_comes_after_the_other(alliance: Stage) -> None:
    """Key, Accept, collection, right, type, size, JSON, envelope: whatever comes first is what is told (§1.6.9)."""
    reads = alliance.machine(alliance.world.jia.admin, rights=FETCHING)
    kept = alliance.machine(alliance.world.jia.admin, views=("mine",))
    strange = {"Accept": "text/html", "Content-Type": "text/plain"}
    taken: dict[str, str | None] = {"Content-Type": TAXII}
    long = b"{" * (settings.MAX_BODY + 1)
    rows: list[tuple[int, Machine, dict[str, Any]]] = [
        (401, alliance.jia, {"headers": strange, "data": long, "auth": None}),
        (406, kept, {"headers": strange, "data": long}),
        (404, kept, {"headers": strange | {"Accept": TAXII}, "data": long}),
        (403, reads, {"headers": strange | {"Accept": TAXII}, "data": long}),
        (415, alliance.jia, {"headers": strange | {"Accept": TAXII}, "data": long}),
        (413, alliance.jia, {"headers": taken, "data": long}),
        (400, alliance.jia, {"headers": taken, "data": b"{"}),
        (422, alliance.jia, {"headers": taken, "data": b"{}"}),
    ]
    for status, machine, sent in rows:
        assert is_error(machine.ask("POST", OBJECTS, **sent), status)


def test_objects_that_cannot_be_taken_are_told_one_by_one(alliance: Stage) -> None:
    one = indicator(1)
    status = alliance.jia.add(one, {"type": "indicator"}, one | {"id": "no id"})
    assert (status["total_count"], status["success_count"], status["failure_count"]) == (3, 1, 2)
    assert len(status["successes"]) == 1
    assert len(status["failures"]) == 2
    assert all(row["id"] and row["version"] and row["message"] for row in status["failures"])


# -- methods and paths -----------------------------------------------------------------------------------------------


def test_405_names_what_is_allowed(alliance: Stage, known: dict[str, Any]) -> None:
    for path in every_path(known):
        answer = alliance.yi.ask("PATCH", path)
        assert is_error(answer, 405)
        allowed = answer.headers["Allow"].split(", ")
        assert ("POST" in allowed) == (path == OBJECTS)
        assert ("DELETE" in allowed) == (path == f"{OBJECTS}{known['id']}/")
        assert {"GET", "HEAD"} <= set(allowed)
        assert is_error(alliance.yi.ask("OPTIONS", path), 405)


def test_head_is_get_without_the_body(alliance: Stage, known: dict[str, Any]) -> None:
    for path in every_path(known):
        got, head = alliance.yi.get(path), alliance.yi.ask("HEAD", path)
        assert (head.status_code, head.content) == (200, b"")
        varying = {"Date", "Server"}
        assert {k: v for k, v in head.headers.items() if k not in varying} == {
            k: v for k, v in got.headers.items() if k not in varying
        }


def test_a_path_without_its_last_slash(alliance: Stage, known: dict[str, Any]) -> None:
    for path in every_path(known):
        for method in ("GET", "HEAD"):
            answer = alliance.yi.ask(method, path[:-1] + "?limit=2&match%5Btype%5D=indicator")
            assert answer.status_code == 308
            assert answer.headers["Location"] == path + "?limit=2&match%5Btype%5D=indicator"
            assert answer.headers["Content-Type"] == TAXII
    one = indicator(1)
    assert is_error(post(alliance.jia, b"{}", path=OBJECTS[:-1]), 422)
    alliance.jia.add(one)
    assert is_error(alliance.jia.ask("DELETE", f"{OBJECTS}{one['id']}"), 403)


STRANGE = [
    "/taxii2/nothing", "/taxii2/nothing/", "/taxii2//", "/taxii2/alliance/collections", "/taxii2/%0a/", "/taxii2/%00/",
    "/taxii2/alliance/collections/x/objects/y/z/", "/taxii2/%ff/", "/taxii2/../taxii2/x", "/taxii2/?lang=en", "/taxii2",
    f"{ROOT}status/1/", f"{ROOT}status/{NOBODY}/", f"{ROOT}collections/{NOBODY}/",
    f"{ROOT}collections/nothing/objects/", f"{OBJECTS}indicator--{NOBODY}/", f"{OBJECTS}%F0%9F%92%A5/",
    f"{OBJECTS}{'a' * 3000}/versions/",
]  # fmt: skip


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "PROPFIND"])
@pytest.mark.parametrize("path", STRANGE)
def test_nothing_below_ever_answers_with_a_page(alliance: Stage, method: str, path: str) -> None:
    answer = alliance.yi.ask(method, path, headers={"Content-Type": TAXII, "Cookie": "language=en; session=x"})
    assert answer.status_code < 500
    assert answer.headers["Content-Type"] == TAXII
    if answer.status_code >= 400:
        assert is_error(answer, answer.status_code)


def test_a_host_that_is_not_served(alliance: Stage) -> None:
    assert is_error(alliance.yi.get("/taxii2/", headers={"Host": "elsewhere.example"}), 400)


def test_a_failure_of_ours_says_nothing_but_its_number(alliance: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(**_: object) -> None:
        raise RuntimeError("a secret cause")

    monkeypatch.setattr(views.queries, "turn", broken)
    answer = alliance.yi.objects()
    assert is_error(answer, 500)
    assert "secret cause" not in answer.text
    assert "Traceback" not in answer.text


# -- filters ---------------------------------------------------------------------------------------------------------

MALFORMED = [
    "added_after=yesterday", "added_after=", "added_after=2026-11-23", "limit=0", "limit=-1", "limit=ten", "limit=",
    "limit=1&limit=2", "added_after=2026-11-23T00:00:00Z&added_after=2026-11-23T00:00:00Z", "next=nonsense", "next=",
    "match[type]=a&match[type]=b", "match[version]=newest", "match[version]=all,last", "match[version]=last,last",
    "match[version]=", "limit=%00", "match[id]=%00", "match[id]=%ff",
]  # fmt: skip


@pytest.mark.parametrize("query", MALFORMED)
def test_a_malformed_filter_is_a_400(alliance: Stage, known: dict[str, Any], query: str) -> None:
    for path in (OBJECTS, f"{ONE}manifest/"):
        assert is_error(alliance.yi.get(f"{path}?{query}"), 400)
    if "match[id]" not in query and "match[type]" not in query:
        assert is_error(alliance.yi.get(f"{OBJECTS}{known['id']}/?{query}"), 400)


@pytest.mark.parametrize(
    "query",
    ["match[colour]=red", "other=1", "added_after=2026-01-01T00:00:00Z", "added_after=2026-01-01T00:00:00.123456789Z",
     "added_after=2026-01-01T00:00:00+00:00", "limit=99999999999999999999", "match%5Btype%5D=indicator%2Cmalware"],
)  # fmt: skip
def test_what_clients_send_is_understood(alliance: Stage, known: dict[str, Any], query: str) -> None:
    assert known["id"] in alliance.yi.ids(f"?{query}")


def test_next_goes_with_its_filters_and_its_reader(alliance: Stage, known: dict[str, Any]) -> None:
    first = alliance.yi.objects("?limit=1").json()
    assert first["more"]
    assert alliance.yi.objects(f"?limit=2&next={first['next']}").status_code == 200, (
        "another limit is no other question"
    )
    for query in (f"?next={first['next']}&match[type]=indicator", f"?next={first['next'][:-2]}AA"):
        assert is_error(alliance.yi.objects(query), 400)
    assert is_error(alliance.bing.objects(f"?next={first['next']}"), 400)
    assert is_error(alliance.yi.get(f"{ONE}manifest/?next={first['next']}"), 400)


def test_dates_stand_on_every_page(alliance: Stage, known: dict[str, Any]) -> None:
    records = alliance.yi.get(f"{ONE}manifest/?limit=3").json()["objects"]
    for path in (OBJECTS, f"{ONE}manifest/"):
        headers = alliance.yi.get(path + "?limit=3").headers
        assert headers["X-TAXII-Date-Added-First"] == records[0]["date_added"]
        assert headers["X-TAXII-Date-Added-Last"] == records[2]["date_added"]
    for path in (f"{OBJECTS}{known['id']}/", f"{OBJECTS}{known['id']}/versions/"):
        headers = alliance.yi.get(path).headers
        assert headers["X-TAXII-Date-Added-First"] == headers["X-TAXII-Date-Added-Last"]


def test_an_empty_page(alliance: Stage, known: dict[str, Any]) -> None:
    for path in (OBJECTS, f"{ONE}manifest/", f"{OBJECTS}{known['id']}/", f"{OBJECTS}{known['id']}/versions/"):
        answer = alliance.yi.get(f"{path}?added_after=2040-01-01T00:00:00.5Z")
        assert answer.content == b"{}"
        assert answer.headers["X-TAXII-Date-Added-First"] == "2040-01-01T00:00:00.500000Z"
        assert answer.headers["X-TAXII-Date-Added-Last"] == "2040-01-01T00:00:00.500000Z"
    answer = alliance.yi.objects("?match[type]=nothing")
    assert answer.content == b"{}"
    assert answer.headers["X-TAXII-Date-Added-Last"] == "2026-01-01T00:00:00.000000Z", "never the present"


# -- rights ----------------------------------------------------------------------------------------------------------

WRITING = frozenset({Right.SUBMIT})
FETCHING = READING - WRITING


def test_a_key_does_what_it_was_made_for(alliance: Stage, known: dict[str, Any]) -> None:
    admin = alliance.world.jia.admin
    reads, writes = alliance.machine(admin, rights=FETCHING), alliance.machine(admin, rights=WRITING)
    assert reads.get(ONE).json()["can_write"] is False
    assert writes.get(ONE).json()["can_read"] is False
    assert is_error(post(reads, b'{"objects":[]}'), 403)
    for path in (OBJECTS, f"{ONE}manifest/", f"{OBJECTS}{known['id']}/", f"{OBJECTS}{known['id']}/versions/"):
        assert is_error(writes.get(path), 403)
    assert writes.add(indicator(9))["success_count"] == 1


def test_a_right_that_is_missing_comes_before_the_body(alliance: Stage) -> None:
    reads = alliance.machine(alliance.world.jia.admin, rights=FETCHING)
    assert is_error(post(reads, b"", Content_Type="text/plain"), 403)


def test_a_status_is_told_to_its_submitter_alone(alliance: Stage) -> None:
    status = alliance.jia.add(indicator(1))
    path = f"{ROOT}status/{status['id']}/"
    assert alliance.jia.get(path).json() == status
    assert is_error(alliance.yi.get(path), 404)
    assert is_error(alliance.machine(alliance.world.jia.admin).get(path), 404)


def test_a_key_for_one_collection_knows_no_other(alliance: Stage) -> None:
    machine = alliance.machine(alliance.world.jia.admin, views=("inbox",))
    assert [one["id"] for one in machine.get(f"{ROOT}collections/").json()["collections"]] == [INBOX]
    assert is_error(machine.get(ONE), 404)
    assert is_error(machine.objects(), 404)
    nothing = alliance.machine(alliance.world.jia.admin, views=("something",))
    assert nothing.get(f"{ROOT}collections/").content == b"{}"


RECALLING = READING | {Right.RECALL}


def test_delete_by_rights_alone(alliance: Stage) -> None:
    """(read, write) -> answer; the same for what exists and what does not (TAXII 2.1 §5.7)."""
    admin = alliance.world.jia.admin
    one = indicator(1)
    alliance.jia.add(one)
    rows = {
        404: alliance.machine(admin, rights=frozenset({Right.READ_SOURCE})),
        403: alliance.machine(admin, rights=FETCHING | {Right.RECALL}),
    }
    for status, machine in rows.items():
        for number in (one["id"], f"indicator--{uuid4()}"):
            assert is_error(machine.ask("DELETE", f"{OBJECTS}{number}/"), status)
    writes = alliance.machine(admin, rights=WRITING | {Right.RECALL})
    assert is_error(writes.ask("DELETE", f"{OBJECTS}{one['id']}/"), 403)
    assert is_error(alliance.jia.ask("DELETE", f"{OBJECTS}{one['id']}/"), 403), "without the right to recall"


def test_delete_recalls_every_version(alliance: Stage) -> None:
    machine = alliance.machine(alliance.world.jia.admin, rights=RECALLING)
    first = indicator(1)
    machine.add(first)
    machine.add(first | {"modified": "2026-11-02T00:00:00.000Z"})
    path = f"{OBJECTS}{first['id']}/"
    assert alliance.yi.get(path).status_code == 200
    answer = machine.ask("DELETE", path)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, TAXII)
    for reader in (alliance.yi, alliance.jia):
        assert is_error(reader.get(path), 404)
        assert is_error(reader.get(f"{path}versions/"), 404)
    assert is_error(machine.ask("DELETE", path), 404), "nothing of it stands"


def test_delete_recalls_the_versions_that_are_named(alliance: Stage) -> None:
    machine = alliance.machine(alliance.world.jia.admin, rights=RECALLING)
    first = indicator(1)
    machine.add(first)
    for day in (2, 3):
        machine.add(first | {"modified": f"2026-11-0{day}T00:00:00.000Z"})
    path = f"{OBJECTS}{first['id']}/"
    assert machine.ask("DELETE", f"{path}?match[version]=2026-11-02T00:00:00Z").status_code == 200
    assert alliance.yi.get(f"{path}versions/").json()["versions"] == [
        "2026-11-01T00:00:00.000Z",
        "2026-11-03T00:00:00.000Z",
    ]
    assert machine.ask("DELETE", f"{path}?match[version]=last").status_code == 200
    assert alliance.yi.get(f"{path}versions/").json()["versions"] == ["2026-11-01T00:00:00.000Z"]
    assert is_error(machine.ask("DELETE", f"{path}?match[version]=newest"), 400)
    assert is_error(machine.ask("DELETE", f"{path}?match[spec_version]=2.0"), 404)


def test_nobody_recalls_what_others_brought(alliance: Stage, known: dict[str, Any]) -> None:
    theirs = alliance.machine(alliance.world.yi.admin, rights=RECALLING)
    assert is_error(theirs.ask("DELETE", f"{OBJECTS}{known['id']}/"), 404)
    assert known["id"] in alliance.yi.ids()


def test_red_never_leaves(alliance: Stage) -> None:
    one = indicator(1, object_marking_refs=["marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1"])
    assert GREEN not in one["object_marking_refs"]
    alliance.jia.add(one)
    for reader in (alliance.jia, alliance.yi):
        assert is_error(reader.get(f"{OBJECTS}{one['id']}/"), 404)
