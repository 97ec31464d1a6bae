"""Where an object does not fit its schema: the same words whether it is short or long, in little time and memory."""

from __future__ import annotations

import time
from typing import Any

import pytest

from lianfang.intel import decode, intake
from lianfang.intel.patterns import COMPLAINTS
from lianfang.intel.stix import unfit
from tests.intel.cast import bundle, indicator
from tests.intel.stix.samples import CREATED, SMALLEST, made, ref, seen

LONG = 20_000
REFS = [ref("indicator")] * LONG
SOURCE = {"source_name": "x", "url": "https://x.example/"}
OBSERVED = {name: child for name, child in SMALLEST["observed-data"].items() if name != "object_refs"}


def told(*objects: dict[str, Any]) -> list[tuple[str, str]]:
    """(rule, field) of each object that is refused, which has to be said in both languages and quickly."""
    began = time.process_time()
    _, refused = intake.examine(bundle(*objects))
    assert time.process_time() - began < 2
    for row in refused:
        assert row["reason"]["zh"]
        assert row["reason"]["en"]
        assert row["clause"].startswith("STIX 2.1 §")
    return [(row["rule"], row["field"]) for row in refused]


CASES: dict[str, tuple[dict[str, Any], str]] = {
    "the first of many is wrong": (indicator(labels=[1, *["x"] * LONG]), "labels.[0]"),
    "all of many are wrong": (indicator(labels=[1] * LONG), "labels.[0]"),
    "the last of many is wrong": (indicator(labels=["x"] * LONG + [1]), f"labels.[{LONG}]"),
    "one in the midst is wrong": (
        made("report", name="x", published=CREATED, object_refs=[*REFS[:9_999], "x", *REFS[:9_999]]),
        "object_refs.[9999]",
    ),
    "two are wrong": (indicator(labels=["x"] * 7_000 + [1] + ["x"] * 7_000 + [1]), "labels.[7000]"),
    "a property of one far back": (
        indicator(external_references=[*[SOURCE] * 5_000, SOURCE | {"url": 1}]),
        "external_references.[5000].url",
    ),
    "what is required, after many names of one's own": (
        {f"x_{number}": number for number in range(LONG)} | indicator(labels=[1]),
        "labels.[0]",
    ),
    "what is missing beside many names of one's own": (
        {f"x_{number}": number for number in range(LONG)} | made("report", name="x", published=CREATED),
        "object_refs",
    ),
    "a list of one's own is none of the schema's business": (
        indicator(x_many=[1] * LONG, confidence="high"),
        "confidence",
    ),
    "alternatives of which each is wrong many times": (
        seen("email-message", is_multipart=False, additional_header_fields={"received": [1] * LONG}),
        "additional_header_fields.received",
    ),
    "a dictionary whose fault stands far back": (
        seen("file", name="x", extensions={f"x{number}-ext": {"a_b": 1} for number in range(3_000)} | {"z-ext": 1}),
        "extensions",
    ),
    "an object inside observed data": (
        OBSERVED | {"objects": {"0": {"type": "file", "name": "x", "contains_refs": [1] * LONG}}},
        "objects.0.contains_refs.[0]",
    ),
    "an object inside observed data, far back": (
        OBSERVED | {"objects": {"0": {"type": "file", "name": "x", "contains_refs": ["1"] * LONG + [1]}}},
        f"objects.0.contains_refs.[{LONG}]",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_long_object_is_told_its_fault_as_a_short_one_is(name: str) -> None:
    value, field = CASES[name]
    assert told(value) == [("stix-schema", field)]


def test_an_object_too_large_to_be_copied_is_refused_without_its_place() -> None:
    names = ["name", "type", "value", "size", "key", "path", "url", "body", "data", "hashes", "start", "end", "pid"]
    tree: Any = 1
    for _ in range(3):
        tree = dict.fromkeys(names, tree)
    assert told(indicator(x_a=tree, labels=[1])) == [("stix-schema", "")]


def test_each_object_of_a_submission_is_told_where_it_is_wrong() -> None:
    wrong = [indicator(confidence="high") for _ in range(200)]
    assert told(*wrong) == [("stix-schema", "confidence")] * 200
    assert COMPLAINTS > decode.MAX_OBJECTS


def test_a_submission_of_endless_faults_is_told_the_first_of_them() -> None:
    """What it cannot afford is refused all the same, and the good ones are taken."""
    bad = [indicator(labels=[1] * 1_500) for _ in range(20)]
    candidates, refused = intake.examine(bundle(*bad, indicator()))
    assert [each.place for each in candidates] == [20]
    fields = [row["field"] for row in refused]
    assert len(fields) == 20
    assert 5 < fields.count("labels.[0]") < 12
    assert fields == sorted(fields, reverse=True)
    assert "longer said where" in refused[-1]["reason"]["en"]
    assert {row["rule"] for row in refused} == {"stix-schema"}


def test_the_copy_that_is_complained_about_is_short() -> None:
    budget = intake.Budget()
    for value, _ in CASES.values():
        copy = unfit._brief(value, budget)
        assert copy is not None
        assert str(copy).count(",") < 2_000
        assert set(copy) >= {"type", "id"} & set(value)
