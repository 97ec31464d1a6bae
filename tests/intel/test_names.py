"""What others get of a source that stays unnamed: nothing of its name, its ids, its custom fields, in any channel."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lianfang.intel import actions, names, queries, stix
from lianfang.intel.labelling import LabelForm
from lianfang.intel.models import Item, SearchRow, Version
from lianfang.intel.names import NEUTRAL, Namer, served_id
from lianfang.intel.positions import INDEX, Versions
from lianfang.intel.queries import Filters
from lianfang.intel.tasks import write_search_rows
from lianfang.policy import sql
from lianfang.policy.facts import Audience, Channel, NameSource, Pair, Request, Subject, Tlp
from tests.intel.cast import AT, EVERYONE, analyst, ids, indicator, malware, member, relationship, submit, taxii

HIDDEN = LabelForm(tlp=Tlp.GREEN, audience=Audience.alliance())
PAIR = Pair(UUID(int=1), UUID(int=1))
KEY = b"k" * 32
NEWER = "2026-11-02T00:00:00.000Z"


def identity(**properties: Any) -> dict[str, Any]:
    return {
        "type": "identity", "spec_version": "2.1", "id": f"identity--{uuid4()}", "created": "2026-11-01T00:00:00.000Z",
        "modified": "2026-11-01T00:00:00.000Z", "name": "x", "identity_class": "organization",
    } | properties  # fmt: skip


# -- ids -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["indicator", "malware", "report", "relationship", "identity", "marking-definition",
                                  "x-acme-thing"])  # fmt: skip
def test_an_id_is_replaced_by_one_that_only_the_key_makes(kind: str) -> None:
    one = f"{kind}--{uuid4()}"
    made = served_id(KEY, one)
    assert made == served_id(KEY, one)
    assert made.startswith(f"{kind}--")
    assert UUID(made.rpartition("--")[2]).version == 4
    assert made not in (one, served_id(b"other", one), served_id(KEY, f"{kind}--{uuid4()}"))


@pytest.mark.parametrize("kind", [*sorted(stix.OBSERVABLES), "extension-definition"])
def test_observables_and_what_is_everybodys_keep_theirs(kind: str) -> None:
    one = f"{kind}--{uuid4()}"
    assert served_id(KEY, one) == one


def test_the_markings_everybody_shares_keep_theirs() -> None:
    from lianfang.intel.markings import KNOWN

    assert all(served_id(KEY, known) == known for known in KNOWN)


# -- one body --------------------------------------------------------------------------------------------------------


@pytest.fixture
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(names, "key_of", lambda pair: KEY)


def serve(
    value: dict[str, Any], *, own: list[str] | None = None, **known: list[str]
) -> tuple[dict[str, Any], list[str]]:
    namer = Namer(
        pair=PAIR, own=own if own is not None else [value["id"]], creators=known.get("creators", []),
        shown=known.get("shown", []), names=known.get("names", []),
    )  # fmt: skip
    served = namer.serve(value)
    return json.loads(served.body), list(served.findings)


@pytest.mark.usefixtures("key")
def test_what_needs_nothing_replaced_comes_in_the_same_order_with_another_id() -> None:
    one = indicator()
    body, findings = serve(one)
    assert list(body) == list(one)
    assert body == one | {"id": served_id(KEY, one["id"])}
    assert findings == []


@pytest.mark.usefixtures("key")
@pytest.mark.parametrize("place", ["description", "name"])
@pytest.mark.parametrize("written", ["see {}", "{}", "({}) and {}.", "a-{}", "X{}", "https://misp.example/{}?x"])
def test_an_own_id_in_a_text_is_replaced_or_holds_the_object_back(place: str, written: str) -> None:
    other = indicator()["id"]
    one = indicator(**{place: written.format(other, other)})
    body, findings = serve(one, own=[one["id"], other])
    uuid = other.rpartition("--")[2]
    assert uuid not in json.dumps(body) or findings == ["names-itself"]
    if written in ("see {}", "({}) and {}."):
        assert served_id(KEY, other) in body[place]
        assert findings == []


@pytest.mark.usefixtures("key")
def test_the_bare_number_of_an_own_id_holds_the_object_back_in_any_case() -> None:
    other = indicator()["id"]
    uuid = other.rpartition("--")[2]
    for text in (uuid, uuid.upper(), f"ticket {uuid}"):
        one = indicator(external_references=[{"source_name": "misp", "external_id": text}])
        assert serve(one, own=[one["id"], other])[1] == ["names-itself"]
    assert serve(indicator(description=str(uuid4())))[1] == []


@pytest.mark.usefixtures("key")
def test_an_observable_that_shares_its_number_with_an_indicator_is_no_sign() -> None:
    """As some tools write them: the number of the event's attribute stands in both."""
    one = indicator()
    url = f"url--{one['id'].rpartition('--')[2]}"
    link = relationship(one["id"], url, "based-on")
    body, findings = serve(link, own=[one["id"], url, link["id"]])
    assert (body["source_ref"], body["target_ref"]) == (served_id(KEY, one["id"]), url)
    assert findings == []


@pytest.mark.usefixtures("key")
def test_creators_become_one_neutral_identity_wherever_they_are_named() -> None:
    me = identity()["id"]
    one = indicator(created_by_ref=me, description=f"by {me}", x_by=me)
    body, _ = serve(one, creators=[me])
    assert body["created_by_ref"] == NEUTRAL
    assert body["description"] == f"by {NEUTRAL}"


@pytest.mark.usefixtures("key")
@pytest.mark.parametrize("value", [
    indicator(x_case="1"),
    indicator(external_references=[{"source_name": "y", "url": "https://y.example", "x_case": "1"}]),
    indicator(kill_chain_phases=[{"kill_chain_name": "a", "phase_name": "b", "x_case": {"c": 1}}]),
    indicator(extensions={f"extension-definition--{uuid4()}": {"extension_type": "property-extension", "case": "1"}}),
    indicator(x_case="1", granular_markings=[{"lang": "en", "selectors": ["x_case"]}]),
    indicator(x_case="1", granular_markings=[{"lang": "en", "selectors": ["name", "x_case"]}]),
    indicator(case="1"),
])  # fmt: skip
def test_custom_content_is_left_out_at_any_depth_its_very_names_too(value: dict[str, Any]) -> None:
    body, findings = serve(value)
    assert findings == ["custom-left-out"]
    assert "case" not in json.dumps(body).replace("lowercase", "")
    stix.check(body, budget=stix.Budget())


@pytest.mark.usefixtures("key")
def test_extensions_of_the_specification_and_of_tlp_stay() -> None:
    pdf = {"type": "file", "id": f"file--{uuid4()}", "name": "x", "extensions": {"pdf-ext": {"version": "1.7"}}}
    assert serve(pdf)[0] == pdf
    ref = "extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d"
    held = {"extension_type": "property-extension", "tlp_2_0": "green"}
    assert serve(indicator(extensions={ref: held}))[0]["extensions"] == {ref: held}


@pytest.mark.usefixtures("key")
@pytest.mark.parametrize("text", [
    "由甲電子提供", "ＪＩＡ 電子", "JIA   Electronics", "jia\nelectronics", "x" * 30_000 + "甲電子", "a 12345675 b",
])  # fmt: skip
def test_a_name_in_any_text_however_long_or_written_holds_the_object_back(text: str) -> None:
    called = ["甲電子", "jia 電子", "jia electronics", "12345675"]
    for value in (
        indicator(description=text),
        indicator(labels=["a", text]),
        indicator(external_references=[{"source_name": "s", "description": text}]),
        indicator(pattern="title: x", pattern_type="sigma", pattern_version=text),
    ):
        assert serve(value, names=called)[1] == ["names-itself"], value
    assert serve(indicator(description=text), names=["乙銀行"])[1] == []


@pytest.mark.usefixtures("key")
def test_a_type_that_nobody_knows_waits_for_an_analyst() -> None:
    value = {"type": "x-acme-thing", "spec_version": "2.1", "id": f"x-acme-thing--{uuid4()}", "name": "y"}
    assert serve(value)[1] == ["names-itself"]


@pytest.mark.usefixtures("key")
def test_what_readers_know_by_name_keeps_its_id_and_holds_back_what_names_it() -> None:
    shown = indicator()["id"]
    uuid = shown.rpartition("--")[2]
    for value in (
        relationship(shown, malware()["id"]),
        indicator(description=f"follows {shown}"),
        indicator(description=uuid),
        indicator(id=shown),
    ):
        body, findings = serve(value, own=[value["id"], shown], shown=[shown])
        assert findings == ["names-by-reference"], value
        assert uuid in json.dumps(body)


@pytest.mark.usefixtures("key")
def test_a_hostile_text_is_served_in_no_time() -> None:
    import time

    one = indicator(description="a-" * 200_000 + "--" + "0" * 36, labels=[f"{'a' * 300}--{uuid4()}"] * 500)
    started = time.process_time()
    serve(one)
    assert time.process_time() - started < 3


# -- whole submissions -----------------------------------------------------------------------------------------------

WORDS = st.sampled_from(["phishing", "釣魚", "x", "see ", ""])


@st.composite
def bundles(draw: Any) -> list[dict[str, Any]]:
    """Objects of one source that refer to one another in every way there is."""
    mark = f"canary{draw(st.integers(0, 10**6))}"
    me = identity(name=draw(WORDS) + "甲電子" + mark, contact_information=mark)
    things: list[dict[str, Any]] = [indicator(name=draw(WORDS) + str(n)) for n in range(draw(st.integers(1, 2)))]
    things += [malware() for _ in range(draw(st.integers(1, 2)))]
    chosen = st.sampled_from([thing["id"] for thing in things])
    one_end, other_end = draw(st.lists(chosen, min_size=2, max_size=2, unique=True))
    made = [me, *things, relationship(one_end, other_end, draw(st.sampled_from(["indicates", "related-to"])))]
    made.append({
        "type": "report", "spec_version": "2.1", "id": f"report--{uuid4()}", "created": "2026-11-01T00:00:00.000Z",
        "modified": "2026-11-01T00:00:00.000Z", "name": draw(WORDS) or "r", "published": "2026-11-01T00:00:00Z",
        "object_refs": draw(st.lists(chosen, min_size=1, max_size=3)),
    })  # fmt: skip
    for one in made[1:]:
        if draw(st.booleans()):
            one["created_by_ref"] = me["id"]
        match draw(st.integers(0, 6)):
            case 0:
                one["x_mark"] = mark
            case 1:
                one["description"] = f"see {draw(chosen)} and {me['id']}"
            case 2:
                one["external_references"] = [{"source_name": "s", "external_id": draw(chosen), "x_c": mark}]
            case 3:
                one["labels"] = [draw(WORDS) + "甲電子"]
            case 4:
                one["description"] = draw(chosen).rpartition("--")[2]
            case 5:
                one["object_marking_refs"] = ["marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb"]
    return draw(st.permutations(made))


def served_everywhere(reader: Subject) -> Iterator[str]:
    """Everything that this reader gets through any channel."""
    for channel in (Channel.TAXII, Channel.API, Channel.FEED, Channel.LIST, Channel.FILE):
        request = Request(channel=channel, purpose="research")
        for view in Versions:
            page = queries.page(
                subject=reader, at=AT, request=request, limit=1000, filters=Filters(versions=frozenset({view}))
            )
            for found in page.items:
                assert json.loads(found.body)["id"] == found.stix_id
                yield found.stix_id
                yield found.body.decode()
    page_request = Request(channel=Channel.PAGE)
    for stix_id in ids(taxii(reader, limit=1000)):
        seen = queries.get_visible(subject=reader, stix_id=stix_id, at=AT, request=page_request)
        assert seen is not None
        yield seen.stix_id
        yield seen.body.decode()
        for near in queries.neighbours(subject=reader, seen=seen, at=AT, request=page_request):
            yield near.found.stix_id
            yield near.found.body.decode()


@contextmanager
def rolled_back() -> Iterator[None]:
    INDEX.clear()
    sql.forget()
    with transaction.atomic():
        yield
        transaction.set_rollback(True)
    INDEX.clear()
    sql.forget()


@pytest.mark.django_db
@given(objects=bundles())
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_nothing_of_an_unnamed_source_is_left_in_what_is_served(objects: list[dict[str, Any]]) -> None:
    with rolled_back():
        by, reader = member("甲電子"), member("乙銀行")
        submit(by, *objects, form=HIDDEN)
        write_search_rows(Version.objects.all())
        told = "\n".join(served_everywhere(reader)) + "\n".join(SearchRow.objects.filter(
            version__served__isnull=False, version__in=[found.version_id for found in taxii(reader, limit=1000).items]
        ).values_list("folded", flat=True))  # fmt: skip
        for one in objects:
            assert one["id"].rpartition("--")[2] not in told, one
        assert "canary" not in told
        assert "甲電子" not in told
        # What came through fits together: every reference leads to what is served, or to what is held back.
        known = set(re.findall(r"[a-z-]+--[0-9a-f-]{36}", told))
        served = dict(Item.objects.values_list("stix_id", "served_id"))
        assert known <= {NEUTRAL, "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb", *served.values()}
        # The source and the analysts have what was sent, to the letter.
        assert set(ids(taxii(by, limit=1000))) == {one["id"] for one in objects}
        kept = {found.stix_id: json.loads(found.body) for found in taxii(by, limit=1000).items}
        assert kept == {one["id"]: one for one in objects}


@pytest.mark.django_db
def test_going_from_named_to_unnamed_waits_for_an_analyst_and_stays_one_thing() -> None:
    by, reader = member("甲電子"), member("乙銀行")
    one = indicator()
    submit(by, one)
    made = submit(by, one | {"modified": NEWER}, form=HIDDEN)
    assert made.results[0]["state"] == "quarantined"
    assert made.results[0]["findings"] == ["names-by-reference"]
    assert [found.version for found in taxii(reader).items] == [one["modified"]]
    newest = Version.objects.get(modified=stix.instant(NEWER))
    actions.release_from_quarantine(by=analyst(), at=AT, version=newest)
    (found,) = taxii(reader).items
    assert (found.stix_id, json.loads(found.body)["id"], found.version) == (one["id"], one["id"], NEWER)


@pytest.mark.django_db
def test_going_from_unnamed_to_named_shows_the_new_version_under_its_own_id() -> None:
    by, reader = member("甲電子"), member("乙銀行")
    one = indicator()
    submit(by, one, form=HIDDEN)
    (served,) = ids(taxii(reader))
    submit(by, one | {"modified": NEWER}, form=EVERYONE)
    (found,) = taxii(reader).items
    assert (found.stix_id, found.version) == (one["id"], NEWER)
    every = taxii(reader, filters=Filters(versions=frozenset({Versions.ALL})))
    assert [each.stix_id for each in every.items] == [served, one["id"]]
    assert all(json.loads(each.body)["id"] == each.stix_id for each in every.items)


@pytest.mark.django_db
def test_the_same_object_by_two_unnamed_sources_has_two_ids_that_tell_nothing() -> None:
    """Nobody can tell by their ids that they are the same; a reader of both gets the first copy alone."""
    one, two, reader = member("甲電子"), member("丙保險"), member("乙銀行")
    thing = indicator()
    for by in (one, two):
        submit(by, thing, form=HIDDEN)
    served = list(Item.objects.order_by("id").values_list("served_id", flat=True))
    assert len(set(served)) == 2
    assert ids(taxii(reader)) == served[:1]


@pytest.mark.django_db
@pytest.mark.parametrize("name_source", list(NameSource))
def test_whose_it_is_is_told_by_the_form_and_never_by_the_body(name_source: NameSource) -> None:
    by, reader = member("甲電子"), member("乙銀行")
    submit(by, indicator(), form=replace(HIDDEN, name_source=name_source))
    (found,) = taxii(reader).items
    assert found.names_source is (name_source is NameSource.EVERYONE)
    assert taxii(by).items[0].names_source
    assert taxii(analyst()).items[0].names_source
