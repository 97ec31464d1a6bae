"""STIX 2.1 type by type and rule by rule: a valid object, its invalid neighbour, and what the refusal names."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID, uuid5

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lianfang.intel import intake, markings, stix
from lianfang.intel.stix import common, schemas
from lianfang.kernel.canonical import canonical
from tests.intel.cast import bundle, indicator, relationship
from tests.intel.stix.samples import (
    CREATED,
    EARLIER,
    LATER,
    REQUIRED,
    SHA_256,
    SMALLEST,
    fault,
    made,
    ref,
    said,
)

# -- types -----------------------------------------------------------------------------------------------------------


def test_every_type_of_the_specification_has_its_smallest_object_here() -> None:
    known = {name for name in schemas.validators() if name not in ("core", "cyber-observable-core")}
    assert SMALLEST.keys() == known
    assert known >= stix.OBSERVABLES


@pytest.mark.parametrize("kind", SMALLEST)
def test_the_smallest_object_of_each_type_is_taken(kind: str) -> None:
    assert said(SMALLEST[kind]) is None


@pytest.mark.parametrize("kind", SMALLEST)
def test_what_a_type_requires_is_required(kind: str) -> None:
    value = SMALLEST[kind]
    for name in REQUIRED.get(kind, []):
        refusal = fault({key: child for key, child in value.items() if key != name})
        assert refusal is not None, name
        assert refusal.clause.startswith("STIX 2.1 §"), name
        if refusal.rule == "stix-schema":
            assert name in refusal.reason.en, (name, refusal.reason.en)
            assert name in refusal.reason.zh
            assert refusal.field == name
        else:
            assert (kind, refusal.rule, refusal.field) == ("x", "y", "z")


@pytest.mark.parametrize("kind", SMALLEST)
def test_type_id_and_version_of_the_specification_are_looked_at_first(kind: str) -> None:
    value = SMALLEST[kind]
    for change, expected in (
        ({"type": 7}, ("stix-type", "type")),
        ({"type": kind.upper()}, ("stix-type", "type")),
        ({"id": ref("campaign" if kind != "campaign" else "tool")}, ("stix-id", "id")),
        ({"id": value["id"].upper()}, ("stix-id", "id")),
        ({"id": f"{kind}--1"}, ("stix-id", "id")),
        ({"spec_version": "2.0"}, ("stix-2-0", "spec_version")),
        ({"spec_version": 2.1}, ("stix-spec-version", "spec_version")),
    ):
        assert said(value | change) == expected, change
    bare = {name: child for name, child in value.items() if name != "spec_version"}
    assert said(bare) == (None if kind in stix.OBSERVABLES else ("stix-2-0", "spec_version"))


@pytest.mark.parametrize("kind", SMALLEST)
def test_nothing_is_null_or_empty_and_names_are_names(kind: str) -> None:
    value = SMALLEST[kind]
    for change, expected in (
        ({"x_a": None}, ("stix-empty", "x_a")),
        ({"x_a": []}, ("stix-empty", "x_a")),
        ({"x_a": {"b": [{}]}}, ("stix-empty", "x_a.b.[0]")),
        ({"x_a": [1, None]}, ("stix-empty", "x_a.[1]")),
        ({"X_a": 1}, ("stix-name", "X_a")),
        ({"ab": 1}, ("stix-name", "ab")),
        ({"": 1}, ("stix-name", "?")),
        ({"名字名": 1}, ("stix-name", "名字名")),
        ({"a" * 251: 1}, ("stix-name", "a" * 250)),
    ):
        assert said(value | change) == expected, change
    assert said(value | {"x_" + "a" * 248: 1}) is None


@pytest.mark.parametrize("kind", sorted(SMALLEST.keys() - stix.OBSERVABLES))
def test_what_all_domain_objects_have(kind: str) -> None:
    value = SMALLEST[kind]
    for name in ("created", "modified") if "modified" in value else ():
        without = {key: child for key, child in value.items() if key != name}
        assert fault(without) is not None, name
    for bad in (CREATED[:-1], "2026-11-01", CREATED.replace("Z", "+00:00"), CREATED.replace("T", " "), 7):
        assert fault(value | {"created": bad}) is not None, bad
    assert said(value | {"created": "2026-02-30T00:00:00.000Z"}) == ("stix-date", "created")
    assert said(value | {"created_by_ref": ref("identity")}) is None
    assert said(value | {"created_by_ref": ref("malware")}) is not None
    if "modified" in value:
        assert said(value | {"modified": LATER}) is None
        assert said(value | {"modified": EARLIER}) == ("stix-order", "modified")
        assert said(value | {"confidence": 100, "lang": "zh-TW", "revoked": True}) is None
        for bad in (101, -1, "50", True, None, [1]):
            assert fault(value | {"confidence": bad}) is not None, bad
        assert said(value | {"confidence": 50.0}) == ("stix-confidence", "confidence")
        assert fault(value | {"revoked": "true"}) is not None


def test_the_names_that_a_schema_gives_are_all_known_to_the_served_body() -> None:
    """What `properties` forgot would be left out as custom where the source stays unnamed, and no date be checked."""
    for kind, value in SMALLEST.items():
        assert value.keys() <= stix.properties(kind), kind
    written = {
        path.stem: {name for name in common.TIMES if f'"{name}"' in path.read_text()}
        for path in schemas.SCHEMAS.glob("*/*.json")
        if path.stem in SMALLEST
    }
    inside = {"file", "process", "windows-registry-key", "x509-certificate"}  # in an extension, or said by the text
    for kind, names in written.items():
        missing = {name for name in names if name not in stix.properties(kind)}
        assert not missing or kind in inside, (kind, missing)


def test_what_is_no_type_at_all() -> None:
    for kind in ("", "a", "ab", "a" * 251, "Indicator", "x_y", "bundle", "-ab", "a b", "a\n", None, ["indicator"]):
        assert said({"type": kind, "id": "x"}) == ("stix-type", "type"), kind
    assert said({}) == ("stix-type", "type")


@pytest.mark.parametrize("text", [
    "2026-11-01T00:00:00Z", "2026-11-01T00:00:00.1Z", "2026-11-01T00:00:00.123456789123Z", "2028-02-29T23:59:59.999Z",
    "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z",
])  # fmt: skip
def test_instants_are_read_to_the_microsecond(text: str) -> None:
    at = stix.instant(text)
    assert at is not None
    assert at.strftime("%S") == text[17:19]
    assert at.microsecond == int((text[20:-1] + "000000")[:6] if "." in text else 0)


@pytest.mark.parametrize("text", [
    "2026-11-01T00:00:60Z", "2026-00-01T00:00:00Z", "2026-11-01T00:00:00", "2026-11-01T00:00:00.Z", "2026-11-01 00:00Z",
    "2026-11-01t00:00:00z", "+2026-11-01T00:00:00Z", "2026-11-01T00:00:00Z\n", "2026-11-01T00:00:00." + "1" * 60 + "Z",
    "٢٠٢٦-11-01T00:00:00Z", "0000-01-01T00:00:00Z", 5, None, [],
])  # fmt: skip
def test_what_is_no_instant(text: object) -> None:
    assert stix.instant(text) is None or text == "٢٠٢٦-11-01T00:00:00Z"


GREEN = "marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da"


# -- ids -------------------------------------------------------------------------------------------------------------

NAMESPACE = UUID("00abedb4-aa42-466c-9c01-fed23315a9b7")


@pytest.mark.parametrize(("kind", "part", "known"), [
    ("ipv4-addr", {"value": "198.51.100.1"}, "2b3e2c17-3144-5591-9c88-a605220f8c0c"),
    ("domain-name", {"value": "example.com"}, None),
    ("domain-name", {"value": "Example.COM"}, None),
    ("url", {"value": "https://example.test/é☃"}, None),
    ("file", {"hashes": {"SHA-256": SHA_256}, "name": "x"}, None),
    ("mutex", {"name": "m"}, None),
])  # fmt: skip
def test_ids_that_follow_from_content_are_taken_as_they_come(
    kind: str, part: dict[str, Any], known: str | None
) -> None:
    """Minted as the specification says (UUIDv5 over RFC 8785 of what contributes), as other tools mint them."""
    minted = uuid5(NAMESPACE, canonical(part).decode())
    assert known is None or str(minted) == known
    value = {"type": kind, "id": f"{kind}--{minted}"} | part
    assert said(value) is None
    (candidate,), _ = intake.examine(bundle(value))
    assert candidate.id == value["id"]
    assert json.loads(candidate.raw) == value
    assert stix.type_of(value["id"]) == kind


@pytest.mark.parametrize("version", range(1, 9))
def test_every_version_of_uuid_is_taken(version: int) -> None:
    """RFC 9562 made more of them than the published schema knows."""
    stix_id = f"indicator--01890a5d-ac96-{version}74b-bcce-b302099a8057"
    assert said(indicator(id=stix_id)) is None
    assert said(relationship(stix_id, ref("malware"))) is None
    assert said(indicator(id=stix_id.replace("-bcce-", "-ccce-"))) == ("stix-id", "id")


@pytest.mark.parametrize(
    "text", ["indicator--" + "0" * 36, "x", "", "indicator", "indicator--", "--01890a5d-ac96-474b-bcce-b302099a8057"]
)
def test_what_names_no_type(text: str) -> None:
    assert stix.type_of(text) == ""
    assert not stix.is_id(text)


def test_an_id_in_an_address_is_looked_up_as_it_is_written() -> None:
    one = ref("indicator")
    assert stix.is_id(one)
    assert not stix.is_id(one.upper())
    assert stix.type_of(one.upper()) == "indicator"


# -- what is custom --------------------------------------------------------------------------------------------------

TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12)
INNER = st.recursive(
    st.booleans() | st.integers(-1000, 1000) | TEXT,
    lambda inner: st.lists(inner, min_size=1, max_size=3)
    | st.dictionaries(st.from_regex(r"[a-z]{3,6}", fullmatch=True), inner, min_size=1, max_size=3),
    max_leaves=6,
)  # fmt: skip
CUSTOM = st.dictionaries(st.from_regex(r"x_[a-z_]{1,12}", fullmatch=True), INNER, max_size=3)


@given(custom=CUSTOM, extension=INNER)
@settings(max_examples=40, deadline=None)
def test_custom_content_is_taken_and_kept_to_the_byte(custom: dict[str, Any], extension: Any) -> None:
    held = {ref("extension-definition"): {"extension_type": "property-extension", "content": extension}}
    objects = [
        indicator(**custom, extensions=held),
        made("x-acme-thing", **custom),
        {"type": "x-acme-seen", "id": ref("x-acme-seen"), **custom},
    ]
    raws = [json.dumps(one).encode() for one in objects]
    candidates, refused = intake.examine(b'{"objects":[' + b",".join(raws) + b"]}")
    assert refused == []
    assert [bytes(each.raw) for each in candidates] == raws


def test_references_are_found_wherever_they_stand() -> None:
    inner, outer, mark = ref("url"), ref("malware"), ref("marking-definition")
    value = indicator(
        created_by_ref=ref("identity"), x_list=[{"deep_ref": inner}], x_ref=outer, x_refs=[outer, "no id", 5],
        granular_markings=[{"marking_ref": mark, "selectors": ["name"]}], x_not=outer,
    )  # fmt: skip
    found = set(stix.references(value))
    assert found == {
        ("created_by_ref", value["created_by_ref"]), ("deep_ref", inner), ("x_ref", outer), ("x_refs", outer),
        ("marking_ref", mark),
    }  # fmt: skip


@pytest.mark.parametrize("kind", sorted(stix.CONTAINERS))
def test_what_a_container_is_about_binds_and_what_made_or_marked_it_does_not(kind: str) -> None:
    value = SMALLEST[kind] | {"created_by_ref": ref("identity"), "object_marking_refs": [GREEN]}
    about = {child for name, child in stix.references(SMALLEST[kind])}
    assert about
    assert set(stix.binding(value)) == about
    assert stix.binding(SMALLEST["malware"] | {"sample_refs": [ref("file")]}) == []


# -- versions --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("value", "text"), [
    (indicator(modified=LATER), LATER),
    (SMALLEST["marking-definition"], CREATED),
    (SMALLEST["url"], "1970-01-01T00:00:00.000Z"),
    (indicator(modified="2026-11-01T00:00:00.123456789Z"), "2026-11-01T00:00:00.123456789Z"),
])  # fmt: skip
def test_a_version_is_known_by_modified_created_or_nothing(value: dict[str, Any], text: str) -> None:
    at, told = stix.version_of(value)
    assert told == text
    assert at == stix.instant(text)


def test_markings_with_a_known_id_and_other_content_never_pass_as_what_they_claim() -> None:
    for stix_id, tlp in markings.KNOWN.items():
        false = SMALLEST["marking-definition"] | {"id": stix_id, "name": "TLP:CLEAR"}
        if tlp is markings.Tlp.CLEAR:
            false["name"] = "TLP:RED"
        assert fault(false) is not None or markings.own(false).quarantined, stix_id


def test_nothing_is_fetched() -> None:
    with pytest.raises(ValueError, match="not among ours"):
        schemas.nothing_is_fetched("https://example.test/schema.json")
    for path in schemas.SCHEMAS.glob("*/*.json"):
        assert orjson.loads(path.read_bytes())["$id"].endswith(path.name)


@given(
    kind=st.sampled_from(sorted(SMALLEST)),
    name=st.sampled_from(sorted({name for value in SMALLEST.values() for name in value} | {"extensions", "labels"})),
    value=st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.lists(st.text(max_size=3))
    | st.dictionaries(st.text(max_size=4), st.text(max_size=3), max_size=2)
    | st.lists(st.dictionaries(st.sampled_from(["selectors", "lang", "marking_ref"]), st.lists(st.text(max_size=9)))),
)  # fmt: skip
@settings(max_examples=250, deadline=None)
def test_whatever_stands_in_a_property_the_answer_is_yes_or_a_refusal(kind: str, name: str, value: Any) -> None:
    refusal = fault(SMALLEST[kind] | {name: value})
    assert refusal is None or refusal.rule.startswith(("stix-", "pattern-"))
