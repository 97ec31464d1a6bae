"""One change to a valid object: it is taken by the same rules, or refused with a property that can be found in it."""

from __future__ import annotations

import copy
import json
import random
from pathlib import Path
from typing import Any

import pytest
import stix2validator
from hypothesis import given, settings
from hypothesis import strategies as st

from lianfang.intel import checker, decode, intake
from lianfang.intel.patterns import Budget, plain
from lianfang.intel.patterns import check as check_pattern
from lianfang.intel.stix import schemas
from lianfang.intel.stix.advice import advice
from lianfang.kernel.refusal import Refusal
from tests.goals import goal
from tests.intel.cast import bundle, indicator
from tests.intel.stix.samples import CREATED, LATER, MD5, SECOND, SMALLEST, fault, ref, seen

GREEN = "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb"
EXTENSION = ref("extension-definition")
RICH = [
    *SMALLEST.values(),
    indicator(
        created_by_ref=ref("identity"), modified=LATER, revoked=False, labels=["a", "b"], confidence=50, lang="zh-TW",
        description="x", valid_until="2027-01-01T00:00:00Z", object_marking_refs=[GREEN],
        external_references=[{"source_name": "x", "url": "https://x.example/", "hashes": {"MD5": MD5}}],
        granular_markings=[{"lang": "en", "selectors": ["labels.[1]", "external_references.[0].url"]}],
        kill_chain_phases=[{"kill_chain_name": "a", "phase_name": "b"}],
        extensions={EXTENSION: {"extension_type": "property-extension", "rank_of_it": [1, {"deep": 2.5}]}},
    ),
    seen("file", name="x", name_enc="Big5", hashes={"MD5": MD5}, contains_refs=[ref("url")], extensions={
        "windows-pebinary-ext": {"pe_type": "dll", "time_date_stamp": SECOND, "sections": [{"name": "a", "size": 1}]},
        "archive-ext": {"contains_refs": [ref("file")]}}),
    {name: child for name, child in SMALLEST["observed-data"].items() if name != "object_refs"} | {
        "objects": {"0": {"type": "ipv4-addr", "value": "198.51.100.3"},
                    "1": {"type": "network-traffic", "src_ref": "0", "protocols": ["tcp"], "start": CREATED}}},
]  # fmt: skip

JUNKS: list[Any] = [
    None, True, False, 0, -1, 2**53 - 1, 1.5, "", "x", "X", " ", "ä", [], {}, ["x"], [None], [[]], {"a": 1}, {"Bad": 1},
    {"x_ok": {}}, "2026-02-30T00:00:00.000Z", CREATED, SECOND, ref("malware"), ref("identity"), ref("bundle"), GREEN,
    "0", "indicator--x", ["labels.[7]"], [{"selectors": ["name"]}], {"extension_type": "x"},
    50.0, "stix", "[file:name = 'x']", 10**15, "a" * 300, ["a"] * 3,
    {"0": {"type": "url", "value": "x"}}, {"zh_TW": {"name": "x"}}, {"MD5": "x"},
]  # fmt: skip
NAMED = [
    "", "id", "type", "name", "value", "Name", "x_ok", "9x", "severity", "defanged", "extensions", "lang", "created",
    "modified", "revoked", "granular_markings", "object_marking_refs", "external_references", "hashes", "labels",
    "a" * 251, "created_by_ref", "objects", "object_refs", "confidence", "kill_chain_phases", "spec_version",
    "pattern", "名字名",
]  # fmt: skip
JUNK, NAMES = st.sampled_from(JUNKS), st.sampled_from(NAMED)


def places(node: Any, here: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """The path of everything in it."""
    pairs = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    found = [here] if here else []
    for step, child in pairs:
        found += places(child, (*here, step))
    return found


def exists(value: Any, field: str) -> bool:
    """Whether a path leads somewhere, or to the last step of one that is missing there."""
    steps = field.split(".")
    node = value
    for number, step in enumerate(steps):
        last = number == len(steps) - 1
        if isinstance(node, list) and step.startswith("["):
            place = int(step[1:-1])
            if place >= len(node):
                return False
            node = node[place]
        elif isinstance(node, dict) and step in node:
            node = node[step]
        else:
            return last and isinstance(node, dict)
    return True


@given(
    which=st.integers(0, len(RICH) - 1), where=st.integers(0, 10**6), junk=JUNK, name=NAMES,
    how=st.sampled_from(["drop", "set", "rename", "add"]),
)  # fmt: skip
@settings(max_examples=1200, deadline=None)
def test_one_change_is_taken_or_refused_by_a_property_that_is_there(
    which: int, where: int, how: str, junk: Any, name: str
) -> None:
    one_change(which, where, how, junk, name)


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_a_hundred_thousand_changes() -> None:
    seed, refused = 20261124, 0
    chance = random.Random(seed)
    with goal("single changes to a valid object, taken or refused by a property that is there", seed=seed) as counted:
        for _ in range(100_000):
            which, where = chance.randrange(len(RICH)), chance.randrange(10**6)
            how = chance.choice(["drop", "set", "rename", "add"])
            refused += one_change(which, where, how, chance.choice(JUNKS), chance.choice(NAMED))
            counted.count, counted.also = counted.count + 1, f"{refused} refused"


def one_change(which: int, where: int, how: str, junk: Any, name: str) -> bool:
    """Change one thing; return whether that was refused."""
    value = copy.deepcopy(RICH[which])
    path = places(value)
    *above, last = path[where % len(path)]
    node: Any = value
    for step in above:
        node = node[step]
    match how:
        case "drop":
            del node[last]
        case "set":
            node[last] = copy.deepcopy(junk)
        case "rename" if isinstance(node, dict):
            node[name] = node.pop(last)
        case _ if isinstance(node, dict):
            node[name] = copy.deepcopy(junk)
        case _:
            node.append(copy.deepcopy(junk))
    raw = json.dumps(value, ensure_ascii=False).encode()
    refusal = fault(value)
    candidates, results = intake.examine(b'{"objects":[' + raw + b"]}")
    if refusal is None:
        (each,) = candidates
        assert bytes(each.raw) == raw, "what is taken is kept as it came"
        assert fault(json.loads(raw)) is None
        assert all(exists(value, one.field) for one in advice(value))
    else:
        assert candidates == []
        assert refusal.rule.startswith(("stix-", "pattern-"))
        assert refusal.clause.startswith("STIX 2.1 §")
        assert refusal.field == "" or exists(value, refusal.field) or len(refusal.field) == 250, refusal.field
        (result,) = results
        assert (result["rule"], result["field"]) == (refusal.rule, refusal.field)
        # What holds a list of objects is a file of them, whatever else it says.
        bare = "type" in value and not isinstance(value.get("objects"), list)
        assert checker.check(raw if bare else b'{"objects":[' + raw + b"]}").ok is False
    return refusal is not None


def test_what_the_mutations_start_from_is_valid() -> None:
    assert [fault(value) for value in RICH] == [None] * len(RICH)
    assert {value["type"] for value in RICH} == set(schemas.validators()) - set(schemas.CORES)


# -- the examples of the reference validator ---------------------------------------------------------------------------

EXAMPLES = Path(stix2validator.__file__).parent / "schemas-2.1" / "examples"
REFUSED = {("infrastructure.json", "relationship--81f12913-1372-4c96-85ec-E9034ac98aba"): "stix-id"}
"""Its UUID has a capital letter, which RFC 4122 writes in lower case."""


@pytest.mark.parametrize("path", sorted(EXAMPLES.rglob("*.json")), ids=lambda path: path.name)
def test_the_published_examples_pass(path: Path) -> None:
    report = checker.check(path.read_bytes())
    assert report.objects
    found = {(path.name, each.id): each.refusal.rule for each in report.objects if each.refusal}
    assert found == {key: rule for key, rule in REFUSED.items() if key[0] == path.name}


@pytest.mark.parametrize("path", sorted((EXAMPLES.parent.parent / "schemas-2.0").rglob("examples/**/*.json")),
                         ids=lambda path: path.name)  # fmt: skip
def test_examples_of_the_version_before_are_refused_object_by_object(path: Path) -> None:
    report = checker.check(path.read_bytes())
    assert {each.refusal.rule for each in report.objects if each.refusal} == {"stix-2-0"}
    assert report.count(checker.REFUSED) == len(report.objects)


# -- patterns: the fast way and the grammar ----------------------------------------------------------------------------

PIECES = st.sampled_from([
    "file", "ipv4-addr", "x-acme", "ab", "File", ":", ".", "name", "value", "id", "hashes", "'SHA-256'", "MD5", "[",
    "]",
    "'", " = ", "=", " != ", " LIKE ", "'x'", "'it\\'s'", f"'{MD5}'", "5", " AND ", " OR ", "NOT", "*", "[0]", "(", ")",
    "\n", " FOLLOWEDBY ", " WITHIN 5 SECONDS", " REPEATS 2 TIMES", "/* x */", "t'2026-01-01T00:00:00Z'", "true", "名",
])  # fmt: skip


@given(pieces=st.lists(PIECES, min_size=1, max_size=9))
@settings(max_examples=150, deadline=None)
def test_what_the_fast_way_takes_the_whole_way_takes(pieces: list[str]) -> None:
    for pattern in ("".join(pieces), "[file:" + "".join(pieces) + "]", "[" + "".join(pieces) + " = 'x']"):
        found = plain(pattern)
        if found is None:
            continue
        # The same with a comment in it is no plain one, and goes through parser and names.
        slower = pattern[:-1] + " /* */]"
        assert plain(slower) is None
        check_pattern(slower, budget=Budget())


def test_limits_of_a_body_are_limits_of_the_checker_too() -> None:
    many = b'{"objects":[' + b",".join([b"{}"] * (decode.MAX_OBJECTS + 1)) + b"]}"
    with pytest.raises(Refusal) as refused:
        checker.check(many)
    assert refused.value.rule == "json-too-many"
    long = indicator(x_long="x" * decode.MAX_OBJECT_BYTES)
    (one,) = checker.check(bundle(long)).objects
    assert one.refusal is not None
    assert one.refusal.rule == "json-too-long"
