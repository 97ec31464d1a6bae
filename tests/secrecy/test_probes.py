"""Channels that want a look of their own, beside the two worlds: each test names the channel by its number."""

from __future__ import annotations

import json
import re
import socket
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from django.test import Client

from lianfang.intel import intake
from lianfang.intel.models import LogEntry, Recall, Reference, SearchRow, Version
from lianfang.intel.tasks import write_search_rows
from lianfang.policy.facts import Audience, Tlp
from tests.exchange.stage import ALL
from tests.secrecy import acts, cost, doors
from tests.secrecy.furnished import Furnished, furnish
from tests.secrecy.play import Answer, Ask

if TYPE_CHECKING:
    from tests.secrecy.twins import Twins

ONE = f"/taxii2/alliance/collections/{ALL}/"


@pytest.fixture(scope="module")
def world(twin_worlds: Twins) -> Furnished:
    """A member and its machine in a world with every kind of secret."""
    return furnish(twin_worlds, "probed")


def ask(world: Furnished, who: str, method: str, path: str, form: Any = None, body: Any = None) -> Answer:
    """Send one request at the next instant."""
    sent = json.dumps(body).encode() if body is not None else None
    return world.hand.ask(0, world.later(), Ask(who, method, path, form, sent)).plain


def get(world: Furnished, path: str) -> Answer:
    return ask(world, "browser", "GET", path)


def machine(world: Furnished, path: str, method: str = "GET", body: Any = None) -> Answer:
    return ask(world, "machine", method, ONE + path, body=body)


def told(answer: Answer) -> list[tuple[str, str]]:
    """Of a status resource: what was said of each object."""
    value = json.loads(answer.body)
    return [(name, row.get("message", "")) for name in ("successes", "failures") for row in value.get(name, [])]


def headers(answer: Answer) -> dict[str, str]:
    return dict(answer.headers)


# 8, 9


def test_a_changed_label_is_seen_by_nobody_who_sees_neither_side(world: Furnished) -> None:
    """NI-08: neither the object's page nor why it is hidden, nor any list, tells that a label was changed."""
    item = next(one for one in world.hand.back.hidden if one.state == "published")
    before = [get(world, path) for path in ("/member/intel?all=1", f"/member/intel/{item.stix_id}/why")]
    at = world.later()
    world.hand.twins.given.step(at=at, who="tighten")
    version = Version.objects.get(pk=item.version)
    label = acts.labels_of([version.pk])[0]
    acts.intelligence.tighten(
        by=item.by.subject(at), at=at, version=version, tlp=max(label.tlp, Tlp.AMBER_STRICT),
        audience=Audience.coordinator_only(),
    )  # fmt: skip
    after = [get(world, path) for path in ("/member/intel?all=1", f"/member/intel/{item.stix_id}/why")]
    assert [one.status for one in before] == [200, 404]
    assert [one.body for one in before] == [one.body for one in after]


def test_nothing_is_open_between_its_coming_and_its_label(world: Furnished, monkeypatch: pytest.MonkeyPatch) -> None:
    """NI-09: a submission for others never stands under a label of everybody, not even until its commit."""
    seen: list[Answer] = []
    old = intake.log.append

    def looking(lines: Any) -> Any:
        made = old(lines)
        # Before commit, as another reader on another connection would find it: nothing moved for him yet.
        seen.append(
            Answer(0, (), str(LogEntry.objects.filter(label__facts__audience__kind="alliance").count()).encode())
        )
        return made

    monkeypatch.setattr(intake.log, "append", looking)
    before = get(world, "/member/intel?all=1").body
    at = world.later()
    world.hand.twins.given.step(at=at, who="share")
    thing = world.hand.back.indicator()
    world.hand.back.share(world.hand.world.jia.admin, at, thing, audience=Audience.coordinator_only())
    labels = {
        one.audience.kind
        for one in acts.labels_of(Version.objects.filter(item__stix_id=thing["id"]).values_list("pk", flat=True))
    }
    assert seen
    assert labels == {Audience.coordinator_only().kind}, "never a label of everybody, not for an instant"
    assert get(world, "/member/intel?all=1").body == before


# 12, 36


def test_a_file_holds_what_its_page_shows(world: Furnished) -> None:
    """NI-12, NI-36: a file of an object about which others say hidden things holds that object and its markings."""
    visible = world.ids["spoken_of"]
    ask(world, "browser", "POST", f"/member/intel/{visible}/download", (("purpose", "research"),))
    answer = get(world, f"/member/intel/{visible}/download")
    assert answer.status == 200
    hidden = [one for one in world.hand.back.known.hidden if one.encode() in answer.body]
    assert hidden == []
    ids = [one["id"] for one in json.loads(answer.body)["objects"]]
    assert visible in ids
    assert {one.partition("--")[0] for one in ids if one != visible} <= {"marking-definition", "identity"}
    for word in world.hand.back.words:
        assert word.encode() not in answer.body
    for stix_id in (world.ids["hidden"], doors.ABSENT_STIX):
        assert (
            ask(world, "browser", "POST", f"/member/intel/{stix_id}/download", (("purpose", "research"),)).status == 404
        )


# 13


def test_nothing_closed_is_kept_by_a_cache(world: Furnished) -> None:
    """NI-13: no answer of a closed plane may be kept, and none carries what a cache asks by."""
    looked = 0
    for pattern in doors.patterns():
        if (
            not pattern.path.startswith(("/member", "/exit", "/me", "/account", "/taxii2"))
            or pattern.name in doors.QUIET
        ):
            continue
        who = "machine" if pattern.door == "machine" else "browser"
        for path in doors.addresses(pattern, world.hand.back.known)[:1]:
            found = headers(ask(world, who, "GET", path))
            assert not {"ETag", "Last-Modified", "Age"} & found.keys(), path
            assert "no-store" in found["Cache-Control"] or who == "machine", path
            assert "public" not in found["Cache-Control"], path
            looked += 1
    assert looked > 40


# 14, 15


def test_what_one_brings_is_judged_by_ones_own_alone(world: Furnished) -> None:
    """NI-14, NI-15: of an id that others hold, or a reference to it, is said what is said of the unknown."""
    answers = []
    for stix_id in (world.ids["held"], f"indicator--{uuid4()}", world.ids["embargoed"]):
        own = world.hand.back.indicator(id=stix_id, name="自有")
        relation = {
            "type": "relationship", "spec_version": "2.1", "id": f"relationship--{uuid4()}", "created": acts.STAMP,
            "modified": acts.STAMP, "relationship_type": "related-to", "source_ref": own["id"],
            "target_ref": world.ids["hidden"],
        }  # fmt: skip
        answers.append(told(machine(world, "objects/", "POST", {"objects": [own, relation]})))
    assert answers[0] == answers[1] == answers[2]
    references = []
    for target in (world.ids["red"], f"indicator--{uuid4()}"):
        relation["id"], relation["target_ref"] = f"relationship--{uuid4()}", target
        references.append(told(machine(world, "objects/", "POST", {"objects": [relation]})))
    assert references[0] == references[1]


# 16


def test_no_address_of_a_member_counts(world: Furnished) -> None:
    """NI-16: no address by which a member or a stranger finds something is a number that counts."""
    counted = {
        pattern.name for pattern in doors.patterns()
        if {"pk", "verification"} & set(pattern.parameters) or "{number}" in pattern.path or "{article}" in pattern.path
    }  # fmt: skip
    of_members = {name for name in counted if not _path(name).startswith("/staff")}
    # The charter's articles and versions are public; one's own passkeys and cases are found by nobody else.
    assert of_members == {
        "charter_article", "charter_version", "charter_compare", "privacy_version", "privacy_compare",
        "mfa_edit_webauthn", "mfa_remove_webauthn", "apply_receipt",
        "exit_appeal_receipt", "change", "change_message", "change_withdraw", "own_case_read_out",
    }  # fmt: skip
    for path in ("/member", "/member/intel?all=1", "/member/organisation/people", "/member/connections"):
        links = re.findall(r'href="(/member[^"?]*)', get(world, path).body.decode())
        assert [link for link in links if re.search(r"/\d+(/|$)", link)] == []


def _path(name: str) -> str:
    return next(pattern.path for pattern in doors.patterns() if pattern.name == name)


# 18


def test_what_was_recalled_can_be_brought_by_others(world: Furnished) -> None:
    """NI-18: an id that somebody recalled is no tombstone for those who never saw it."""
    recalled = Recall.objects.select_related("version__item").first()
    assert recalled is not None
    stix_id = recalled.version.item.stix_id
    own = world.hand.back.indicator(id=stix_id, name="自有")
    fresh = world.hand.back.indicator(name="自有")
    first, second = (machine(world, "objects/", "POST", {"objects": [one]}) for one in (own, fresh))
    assert told(first) == told(second)
    assert get(world, f"/member/intel/{stix_id}").status == get(world, f"/member/intel/{fresh['id']}").status == 200


# 19


def test_of_many_only_the_visible_count(world: Furnished) -> None:
    """NI-19: asked for five ids, three of them hidden, a machine gets two, and is not told of five."""
    back = world.hand.back
    visible, hidden = back.known.visible[:2], back.known.hidden[:3]
    answer = machine(world, f"objects/?match[id]={','.join([*visible, *hidden])}")
    alone = machine(world, f"objects/?match[id]={','.join([*visible, doors.ABSENT_STIX, doors.ABSENT_STIX])}")
    assert {one["id"] for one in json.loads(answer.body)["objects"]} == set(visible)
    assert answer == alone


# 20


def test_the_size_of_an_audience_stands_still_for_a_month(world: Furnished) -> None:
    """NI-20: a member admitted, a member revoked: who submits is shown the same figure until the month ends."""
    form = (("tlp", "GREEN"), ("audience", "alliance"), ("upstream", "none"), ("name_source", "everyone"))
    path = "/member/submit/preview"
    first = ask(world, "browser", "POST", path, form)
    at = world.later()
    world.hand.twins.given.step(at=at, who="admit")
    cast, clock = world.hand.world, acts.slow(world.hand.world, at)
    made = acts.cast.admit(clock, cast.reviewer, cast.approver, name="密示範航運股份有限公司", place=78)
    second = ask(world, "browser", "POST", path, form)
    at = world.later()
    world.hand.twins.given.step(at=at, who="revoke")
    acts.cast.revoke(acts.slow(cast, at), made, cast.reviewer, cast.approver)
    third = ask(world, "browser", "POST", path, form)
    assert first.status == 200
    assert first.body == second.body == third.body


# 22


def test_an_embargo_says_nothing_before_its_instant(world: Furnished) -> None:
    """NI-22: to the microsecond absent, then there; nobody's visit of a list moves the place or date that all get."""
    back, at = world.hand.back, world.later()
    world.hand.twins.given.step(at=at, who="embargo")
    until = at + timedelta(seconds=100)
    thing = back.indicator(name="延後")
    back.share(back.world.jia.admin, at, thing, not_before=until)
    path = f"/member/intel/{thing['id']}"
    hand, before = world.hand, until - timedelta(microseconds=2)
    asks = [Ask("browser", "GET", path), Ask("machine", "GET", f"{ONE}objects/{thing['id']}/")]
    for one in asks:
        hidden = hand.ask(0, before, one).plain
        absent = hand.ask(0, before, Ask(one.who, "GET", one.path.replace(thing["id"], doors.ABSENT_STIX))).plain
        assert cost.without(hidden, thing["id"]).status == 404
        assert _unnumbered(hidden) == _unnumbered(absent)
    assert hand.ask(0, until, asks[0]).status == 200
    reader = back.browser(back.world.yi.admin, until)
    head = LogEntry.objects.count()
    assert thing["name"] in reader.get("/member/intel").content.decode(), "the list has it at its instant"
    assert LogEntry.objects.count() == head, "but looking opens nothing for the others"
    world.at = until


def _unnumbered(answer: Answer) -> tuple[int, bytes]:
    """Without the number of the error, which is of each answer."""
    return answer.status, re.sub(rb'"error_id":"[^"]*"', b"", answer.body)


# 23


def test_who_asks_for_a_link_waits_for_nothing_that_tells(world: Furnished) -> None:
    """NI-23: a wrong password is answered alike for an address with an account and one without.

    The library looks the one up by other statements than the other. Nothing else may differ: against a look-up stand
    a password hash, made for both, and five tries in a quarter of an hour, which are too few to measure it by.
    """
    found = []
    for address in ("contact@m2.example", "nobody@m2.example"):
        asking = Ask("stranger", "POST", "/account/login/", (("login", address), ("password", "wrong")))
        cost.weighed(world.hand, world.later(), asking)
        answer, statements = cost.weighed(world.hand, world.later(), asking)
        found.append((cost.without(answer, address).status, len(cost.without(answer, address).body), statements))
    (first, second), (one, other) = [row[:2] for row in found], [row[2] for row in found]
    assert first == second
    differing = {text for text in (*one, *other) if one.count(text) != other.count(text)}
    assert abs(len(one) - len(other)) <= 1
    assert all(text.startswith("SELECT") and 'FROM "account' in text for text in differing), differing


# 24


def test_only_known_filters_are_heard(world: Furnished) -> None:
    """NI-24: no name of a column, of the label or of the source sorts or narrows a list."""
    plain = get(world, "/member/intel?all=1").body
    for odd in (
        "order=label__tlp", "sort=-version__submitted_by", "source=x", "label__facts__startswith=%7B", "tlp__gte=0",
        "ordering=position", "state=quarantined", "owner=1", "submitted_by__email__startswith=a",
    ):  # fmt: skip
        body = get(world, f"/member/intel?all=1&{odd}").body
        assert len(re.sub(rb'href="\?[^"]*"', b"", body)) == len(re.sub(rb'href="\?[^"]*"', b"", plain)), odd
    for odd in ("match[label]=1", "match[created_by_ref]=x", "order=-date_added", "match[tlp]=red"):
        refused, empty = machine(world, f"objects/?{odd}"), machine(world, "objects/")
        assert refused.status == 400 or refused == empty, odd


# 26


def test_no_error_speaks_of_the_inside(world: Furnished) -> None:
    """NI-26: whatever is put into an address, no answer is a 500 and none speaks of statements, tables or classes."""
    inside = re.compile(
        rb"DETAIL|psycopg|Traceback|IntegrityError|duplicate key|constraint|violates|SELECT |intel_\w+\("
    )
    odd = ["%00", "'%3B--", "x" * 300, "indicator--" + "0" * 36, "%F0%9F%92%A3", "..%2f..%2fetc", "-1", "9" * 30]
    for pattern in doors.patterns():
        if not pattern.parameters or not pattern.path.startswith(("/member", "/taxii2", "/exit", "/apply", "/invite")):
            continue
        who = "machine" if pattern.door == "machine" else "browser"
        first = {name: doors.first(name, world.hand.back.known) for name in pattern.parameters}
        for value in odd[:: 2 if who == "browser" else 1]:
            path = pattern.path.format(**(first | {pattern.parameters[-1]: value}))
            answer = ask(world, who, "GET", path)
            assert answer.status < 500, path
            assert not inside.search(answer.body), path


# 28


def test_quotas_are_each_ones_own(world: Furnished) -> None:
    """NI-28: an address that others have locked from elsewhere leaves everybody else's way in as it was."""

    def tried(address: str, network: str) -> tuple[int, int]:
        world.hand.twins.given.step(at=world.later(), who=address)
        client = Client(HTTP_HOST="localhost", REMOTE_ADDR=network)
        answer = client.post("/account/login/", {"login": address, "password": "wrong"})
        body = answer.content.replace(address.encode(), b"ADDRESS")
        return answer.status_code, len(re.sub(rb'csrfmiddlewaretoken" value="[^"]*"', b"", body))

    before = tried("someone@m2.example", "198.51.100.1")
    locked = [tried("deputy@m3.example", "203.0.113.77") for _ in range(7)]
    assert locked[0] != locked[-1], "the seventh is told to wait"
    assert tried("another@m2.example", "198.51.100.1")[0] == before[0]
    assert tried("someone@m2.example", "198.51.100.2") == before


# 29


@pytest.mark.parametrize(
    ("site", "mode", "dest", "let_in"),
    [
        ("cross-site", "no-cors", "image", False), ("cross-site", "navigate", "iframe", False),
        ("cross-site", "cors", "empty", False), ("same-site", "no-cors", "script", False),
        ("cross-site", "navigate", "object", False), ("cross-site", "navigate", "document", True),
        ("same-origin", "cors", "empty", True), ("none", "navigate", "document", True),
    ],
)  # fmt: skip
def test_another_sites_page_learns_nothing(world: Furnished, site: str, mode: str, dest: str, let_in: bool) -> None:
    """NI-29: what another site's page fetches is refused, whatever lies there; a link that is followed is not."""
    sent = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": mode, "Sec-Fetch-Dest": dest}
    world.hand.twins.given.step(at=world.later(), who="site")
    found = [
        world.hand.browser.get(path, headers=sent)
        for path in (
            f"/member/intel/{world.ids['visible']}",
            f"/member/intel/{world.ids['hidden']}",
            "/member",
            "/about",
        )
    ]
    if let_in:
        assert [one.status_code for one in found] == [200, 404, 200, 200]
        return
    assert {(one.status_code, one.content) for one in found} == {(403, b"")}
    assert all(one.headers["Cross-Origin-Resource-Policy"] == "same-origin" for one in found)
    assert world.hand.browser.post("/me", {"theme": "dark"}, headers=sent).status_code == 403


def test_cookies_stay_with_this_site(world: Furnished) -> None:
    """NI-29: no cookie goes along with what another site's page asks for."""
    world.hand.twins.given.step(at=world.later(), who="cookies")
    client = Client(HTTP_HOST="localhost")
    client.get("/account/login/")
    client.get("/about?lang=en&theme=dark")
    assert client.cookies
    assert {morsel["samesite"] for morsel in client.cookies.values()} <= {"Lax", "Strict"}


# 30


def test_nothing_is_fetched_for_what_is_shared(world: Furnished, monkeypatch: pytest.MonkeyPatch) -> None:
    """NI-30: bringing, indexing, showing and searching addresses of others makes no connection and asks no name."""
    reached: list[Any] = []
    old = socket.socket.connect

    def connect(self: socket.socket, address: Any) -> Any:
        if self.family != socket.AF_UNIX:
            reached.append(address)
        return old(self, address)

    monkeypatch.setattr(socket.socket, "connect", connect)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *asked, **more: reached.append(asked) or [])
    url = "http://198.51.100.9/bait"
    thing = world.hand.back.indicator(
        pattern=f"[url:value = '{url}']",
        external_references=[
            {"source_name": "bait", "url": url},
            {"source_name": "host", "url": "http://bait.invalid/"},
        ],
    )
    assert machine(world, "objects/", "POST", {"objects": [thing]}).status == 202
    write_search_rows(Version.objects.all())
    path = f"/member/intel/{thing['id']}"
    for one in (path, f"{path}/why", "/member/intel?q=bait", "/member"):
        assert get(world, one).status == 200
    ask(world, "browser", "POST", f"{path}/download", (("purpose", "research"),))
    assert get(world, f"{path}/download").status == 200
    assert reached == []


# 35


def test_an_index_made_anew_is_the_same(world: Furnished) -> None:
    """NI-35: the rows of the search, written anew from the bodies, find nothing that was not found before, nor less."""
    questions = [f"/member/intel?q={word}" for word in (*world.hand.back.words[:8], "h", "壞", world.ids["hidden"])]
    before = [get(world, path).body for path in questions]
    SearchRow.objects.all().delete()
    Reference.objects.all().delete()
    write_search_rows(Version.objects.all())
    assert [get(world, path).body for path in questions] == before


def test_what_lies_with_the_centre_alone_is_in_no_body_of_the_member(world: Furnished) -> None:
    """NI-12, NI-33: by page, list, search, file and machine: no word of anything hidden in all that this member got."""
    for path in ("/member", "/member/intel?all=1", "/member/intel?q=壞"):
        get(world, path)
    for path in ("objects/?limit=1000", "manifest/?limit=1000"):
        machine(world, path)
    hidden = [one for one in world.hand.back.hidden if one.state != "copy"]
    bodies = b"".join(answer.body for _, asked, answer in world.hand.played.answers if "q=%" not in asked.path)
    names = [json.loads(bytes(one))["name"] for one in _originals([one.version for one in hidden])]
    assert len(names) > 7
    assert [name for name in names if name.encode() in bodies] == []


def _originals(versions: list[int]) -> list[Any]:
    rows = Version.objects.filter(pk__in=versions, item__type="indicator")
    return list(rows.values_list("original", flat=True))
