"""How objects are called and laid out, and how words are folded: a page can be made of whatever a producer wrote."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from hypothesis import given, settings
from hypothesis import strategies as st

from lianfang.intel import drafts, shown, tasks, words
from lianfang.intel.fold import folded, terms, tsquery, words_of
from lianfang.intel.models import Draft, Reference, SearchRow, Version
from lianfang.intel.queries import Found, Neighbour
from lianfang.intel.stix import schemas
from lianfang.kernel import clock
from lianfang.kernel.refusal import Refusal
from tests.intel.cast import AT, bundle, indicator, malware, member, relationship, submit, token

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
VALUE = st.recursive(
    st.booleans() | st.integers(-(10**12), 10**12) | st.floats(allow_nan=False, allow_infinity=False) | TEXT
    | st.sampled_from(["2026-11-01T00:00:00Z", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


# -- names and facts -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("value", "title"), [
    ({"name": "甲"}, "甲"), ({"name": "  ", "value": "b.example"}, "b.example"), ({"value": "x", "name": "n"}, "n"),
    ({"path": "C:\\x"}, "C:\\x"), ({"abstract": "a", "content": "c"}, "a"), ({"content": "c"}, "c"),
    ({"number": 65536}, "65536"), ({"hashes": {"MD5": "ab"}}, "ab"), ({"pattern": "[a:b = 'c']"}, "[a:b = 'c']"),
    ({"relationship_type": "uses"}, "uses"), ({"opinion": "agree"}, "agree"), ({}, "12345678"),
    ({"name": "x" * 500}, "x" * 200), ({"name": ["x"]}, "12345678"), ({"hashes": {}}, "12345678"),
])  # fmt: skip
def test_an_object_is_called_by_the_best_that_it_has(value: dict[str, Any], title: str) -> None:
    assert shown.title({"id": "x-thing--12345678-1234-4234-8234-123456789abc"} | value) == title


@given(value=st.dictionaries(st.sampled_from([*words.PROPERTIES, "name", "x_a", "hashes"]), VALUE, max_size=8))
@settings(max_examples=50, deadline=None)
def test_facts_and_title_can_be_made_of_anything(value: dict[str, Any]) -> None:
    one = value | {"id": f"indicator--{uuid4()}"}
    assert isinstance(shown.title(one), str)
    for fact in shown.facts(one):
        assert fact.text
        assert len(fact.text) <= 4000
        assert fact.term.zh
    assert words_of(one) == folded(words_of(one))


def test_facts_stand_in_a_fixed_order_and_leave_out_what_the_page_says_elsewhere() -> None:
    one = indicator(
        description="d", labels=["a", "b"], confidence=0, revoked=True, x_own="z",
        created_by_ref=f"identity--{uuid4()}",
        kill_chain_phases=[{"kill_chain_name": "k", "phase_name": "p"}], external_references=[{"source_name": "s"}],
    )  # fmt: skip
    facts = shown.facts(one)
    told = {fact.term.en: fact.text for fact in facts}
    assert told["Labels"] == "a\nb"
    assert told["Confidence"] == "0"
    assert told["Kill chain phases"] == "p (k)"
    assert told["External references"] == "source_name: s"
    assert told["Valid from"] == "2026-11-01 08:00"
    assert told["x_own"] == "z"
    assert told["Revoked"] == "✓"
    for hidden in ("id", "type", "name", "created_by_ref", "Name", "Identity"):
        assert hidden not in told
    known = [fact.term.en for fact in facts if fact.term.en != fact.term.zh]
    assert known == sorted(known, key=lambda term: [words.PROPERTIES[name].en for name in words.PROPERTIES].index(term))
    assert [fact.exact for fact in facts if fact.term.en == "Pattern"] == [True]


def test_every_type_property_and_verb_of_the_specification_has_words() -> None:
    for kind in schemas.validators():
        if kind not in ("core", "cyber-observable-core"):
            assert words.type_words(kind).zh != kind, kind
    for verb, (out, back) in words.VERBS.items():
        assert words.verb_words(verb, outgoing=True) == out
        assert words.verb_words(verb, outgoing=False) == back
    assert words.verb_words("where_sighted_refs", outgoing=True).en == "where sighted"
    assert words.type_words("x-own").zh == "x-own"
    from lianfang.intel.intake import QUARANTINES

    assert words.FINDINGS.keys() >= QUARANTINES


# -- the drawing -----------------------------------------------------------------------------------------------------


def neighbour(outgoing: bool, name: str = "n") -> Neighbour:
    value = malware(name=name)
    found = Found(1, AT, value["id"], "malware", "v", AT, json.dumps(value).encode(), 1, 1, True)
    return Neighbour("uses", outgoing, found)


def test_nothing_around_is_no_drawing() -> None:
    assert shown.drawing([]) is None
    assert shown.relations([]) == []


@given(sides=st.lists(st.booleans(), min_size=1, max_size=30))
@settings(max_examples=60, deadline=None)
def test_boxes_never_lie_on_one_another_or_outside(sides: list[bool]) -> None:
    drawing = shown.drawing([neighbour(side) for side in sides])
    assert drawing is not None
    assert len(drawing.nodes) == len(drawing.edges) == min(len(sides), 12)
    places = [(node.x, node.y) for node in drawing.nodes]
    assert len(set(places)) == len(places)
    for node in drawing.nodes:
        assert 0 <= node.x <= 760 - 210
        assert 0 <= node.y <= drawing.height - 46
    for column in {x for x, _ in places}:
        rows = sorted(y for x, y in places if x == column)
        assert all(below - above >= 46 for above, below in pairwise(rows))
    # What names it stands on the left, what it names on the right.
    drawn = sides[:12]
    assert sum(1 for x, _ in places if x < 380) == sum(1 for side in drawn if not side)


@pytest.mark.parametrize(
    ("name", "short"), [("x" * 22, "x" * 22), ("x" * 23, "x" * 21 + "…"), ("字" * 40, "字" * 21 + "…")]
)
def test_long_names_are_cut_in_the_drawing_and_whole_in_the_table(name: str, short: str) -> None:
    drawing = shown.drawing([neighbour(True, name)])
    assert drawing is not None
    assert drawing.nodes[0].title == short
    assert shown.relations([neighbour(True, name)])[0].title == name


# -- words for the search box ----------------------------------------------------------------------------------------


@given(text=st.text(max_size=80))
@settings(max_examples=200, deadline=None)
def test_folding_is_done_once_and_terms_are_taken_from_what_is_folded(text: str) -> None:
    assert folded(folded(text)) == folded(text) or "xp" in folded(text) or "[" in text or "(" in text
    for term in terms(folded(text)):
        assert term
        assert len(term) <= 200
        assert "\0" not in term


@pytest.mark.django_db
@given(text=st.text(max_size=60) | st.sampled_from(["'", "\\", "a' | 'b", "':*", "!!", "<->", "a:b:c", "(", "物 'x\\"]))
@settings(max_examples=120, deadline=None)
def test_whatever_is_typed_is_a_question_that_the_database_takes(text: str) -> None:
    question, needles = tsquery(text)
    assert bool(question) == bool(needles)
    if question:
        with connection.cursor() as cursor:
            cursor.execute("SELECT %s::tsquery::text", [question])
            assert cursor.fetchone()[0]


@given(
    text=st.text(st.sampled_from("ab物流釣魚-.1 "), min_size=1, max_size=12), around=st.sampled_from(["", "x ", "字"])
)
@settings(max_examples=100, deadline=None)
def test_what_is_stored_is_found_by_what_it_is_called(text: str, around: str) -> None:
    """Every word of a text asks for terms that the text has, or that a term of it begins with."""
    stored = terms(folded(around + text))
    question, needles = tsquery(text)
    held = folded(around + text)
    assert all(needle in held for needle in needles)
    if around != "字":
        for part in filter(None, question.split(" & ")):
            term = part.strip("'").removesuffix(":*").strip("'")
            if part.endswith(":*"):
                assert any(each.startswith(term) for each in stored), (text, part, stored)
            else:
                assert term in stored, (text, part, stored)


def test_only_so_much_of_an_object_and_of_a_question_is_looked_at() -> None:
    assert len(words_of({"name": "x" * 50_000})) == 20_000
    question, needles = tsquery(" ".join(f"w{number}" for number in range(100)))
    assert len(needles) == 12
    assert question.count("&") == 11
    assert tsquery("x" * 5000)[0] == f"'{'x' * 200}':*"


# -- calendar --------------------------------------------------------------------------------------------------------


def test_the_last_hours_of_the_calendar_stay_where_they_are_in_taipei() -> None:
    end = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
    assert clock.show(end) == "9999-12-31 23:59"
    assert clock.show_date(end) == "9999-12-31"
    assert clock.show(end - timedelta(hours=8)) == "9999-12-31 23:59"
    assert clock.taipei(datetime(2026, 11, 1, 16, 0, tzinfo=UTC)).day == 2
    with pytest.raises(ValueError, match="naive"):
        clock.taipei(datetime(2026, 1, 1))  # noqa: DTZ001


# -- drafts and jobs -------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_draft_is_its_persons_for_the_pair_it_acts_for_and_goes_within_a_day(monkeypatch: pytest.MonkeyPatch) -> None:
    by, other = member("甲電子"), member("乙銀行")
    kept = drafts.keep(by=by, at=AT, name="報\0告.json" + "x" * 300, body=bundle(indicator()))
    assert len(kept.name) == 200
    assert "\0" not in kept.name
    assert drafts.of(subject=by, draft=kept.pk) == kept
    for who in (other, token(other)):
        assert drafts.of(subject=who, draft=kept.pk) is None
    with pytest.raises(Refusal):
        drafts.keep(by=by, at=AT, name="x", body=b"%PDF")
    for hours, left in ((23.99, 1), (24.01, 0)):
        monkeypatch.setattr(tasks, "utcnow", lambda hours=hours: AT + timedelta(hours=hours))
        tasks.sweep(0)
        assert Draft.objects.count() == left


@pytest.mark.django_db
def test_search_rows_and_references_are_written_once_whoever_is_first() -> None:
    by = member("甲電子")
    one, other = indicator(), malware()
    made = submit(by, one, other, relationship(one["id"], other["id"]))
    tasks.index(str(made.pk))
    rows = (SearchRow.objects.count(), Reference.objects.count())
    assert rows == (3, 2)
    tasks.index(str(made.pk))
    tasks.sweep(0)
    assert (SearchRow.objects.count(), Reference.objects.count()) == rows
    submit(by, indicator())
    # The hint was lost: the sweep finds it.
    tasks.sweep(0)
    assert SearchRow.objects.count() == Version.objects.count() == 4
    tasks.open_embargoes()
