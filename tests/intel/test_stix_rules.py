"""STIX 2.1 type by type and rule by rule: a valid object, its invalid neighbour, and what the refusal names."""

from __future__ import annotations

import copy
import json
from typing import Any
from uuid import UUID, uuid4, uuid5

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lianfang.intel import intake, markings, stix
from lianfang.intel.patterns import Budget
from lianfang.kernel.canonical import canonical
from lianfang.kernel.refusal import Refusal
from tests.intel.cast import bundle, indicator, malware, relationship

CREATED = "2026-11-01T00:00:00.000Z"
LATER = "2026-11-02T00:00:00.000Z"
SECOND = "2026-11-01T00:00:00Z"
EARLIER = "2026-10-01T00:00:00.000Z"


def ref(kind: str) -> str:
    return f"{kind}--{uuid4()}"


def made(kind: str, **properties: Any) -> dict[str, Any]:
    """A domain or relationship object with what all of them have."""
    return {
        "type": kind, "spec_version": "2.1", "id": ref(kind), "created": CREATED, "modified": CREATED
    } | properties  # fmt: skip


def seen(kind: str, **properties: Any) -> dict[str, Any]:
    """An observable."""
    return {"type": kind, "spec_version": "2.1", "id": ref(kind)} | properties


MD5, SHA_256 = "a" * 32, "b" * 64
SMALLEST: dict[str, dict[str, Any]] = {
    "attack-pattern": made("attack-pattern", name="x"),
    "campaign": made("campaign", name="x"),
    "course-of-action": made("course-of-action", name="x"),
    "grouping": made("grouping", context="suspicious-activity", object_refs=[ref("indicator")]),
    "identity": made("identity", name="x"),
    "incident": made("incident", name="x"),
    "indicator": made("indicator", pattern="[url:value = 'x']", pattern_type="stix", valid_from="2026-11-01T00:00:00Z"),
    "infrastructure": made("infrastructure", name="x"),
    "intrusion-set": made("intrusion-set", name="x"),
    "location": made("location", country="TW"),
    "malware": made("malware", is_family=False),
    "malware-analysis": made("malware-analysis", product="x", result="benign"),
    "note": made("note", content="x", object_refs=[ref("indicator")]),
    "observed-data": made(
        "observed-data", first_observed=CREATED, last_observed=CREATED, number_observed=1, object_refs=[ref("url")]
    ),
    "opinion": made("opinion", opinion="agree", object_refs=[ref("indicator")]),
    "report": made("report", name="x", published=CREATED, object_refs=[ref("indicator")]),
    "threat-actor": made("threat-actor", name="x"),
    "tool": made("tool", name="x"),
    "vulnerability": made("vulnerability", name="CVE-2026-0001"),
    "relationship": relationship(ref("indicator"), ref("malware")),
    "sighting": made("sighting", sighting_of_ref=ref("indicator")),
    "artifact": seen("artifact", payload_bin="aGVsbG8="),
    "autonomous-system": seen("autonomous-system", number=65536),
    "directory": seen("directory", path="C:\\x"),
    "domain-name": seen("domain-name", value="x.example"),
    "email-addr": seen("email-addr", value="a@example.test"),
    "email-message": seen("email-message", is_multipart=False, body="x"),
    "file": seen("file", hashes={"MD5": MD5}),
    "ipv4-addr": seen("ipv4-addr", value="198.51.100.3"),
    "ipv6-addr": seen("ipv6-addr", value="2001:db8::1"),
    "mac-addr": seen("mac-addr", value="d2:fb:49:24:37:18"),
    "mutex": seen("mutex", name="x"),
    "network-traffic": seen("network-traffic", protocols=["tcp"], src_ref=ref("ipv4-addr")),
    "process": seen("process", pid=7),
    "software": seen("software", name="x"),
    "url": seen("url", value="https://example.test/x"),
    "user-account": seen("user-account", user_id="x"),
    "windows-registry-key": seen("windows-registry-key", key="HKEY_LOCAL_MACHINE\\x"),
    "x509-certificate": seen("x509-certificate", serial_number="1"),
    "extension-definition": made(
        "extension-definition", name="x", schema="https://example.test/s.json", version="1.0.0",
        extension_types=["property-extension"], created_by_ref=ref("identity"),
    ),
    "language-content": made("language-content", object_ref=ref("indicator"), contents={"de": {"name": "x"}}),
    "marking-definition": {
        "type": "marking-definition", "spec_version": "2.1", "id": ref("marking-definition"), "created": CREATED,
        "definition_type": "statement", "definition": {"statement": "x"},
    },
}  # fmt: skip
REQUIRED = {
    "attack-pattern": ["name"], "campaign": ["name"], "course-of-action": ["name"],
    "grouping": ["context", "object_refs"], "identity": ["name"], "incident": ["name"],
    "indicator": ["pattern", "pattern_type", "valid_from"], "infrastructure": ["name"], "intrusion-set": ["name"],
    "malware": ["is_family"], "malware-analysis": ["product"], "note": ["content", "object_refs"],
    "observed-data": ["first_observed", "last_observed", "number_observed"], "opinion": ["opinion", "object_refs"],
    "report": ["name", "published", "object_refs"], "threat-actor": ["name"], "tool": ["name"],
    "vulnerability": ["name"], "relationship": ["relationship_type", "source_ref", "target_ref"],
    "sighting": ["sighting_of_ref"], "autonomous-system": ["number"], "directory": ["path"],
    "domain-name": ["value"], "email-addr": ["value"], "ipv4-addr": ["value"], "ipv6-addr": ["value"],
    "mac-addr": ["value"], "mutex": ["name"], "network-traffic": ["protocols"], "software": ["name"],
    "url": ["value"],
    "extension-definition": ["name", "schema", "version", "extension_types"],
    "language-content": ["object_ref", "contents"],
}  # fmt: skip


def fault(value: dict[str, Any]) -> Refusal | None:
    try:
        stix.check(copy.deepcopy(value), budget=Budget())
    except Refusal as refusal:
        return refusal
    return None


def said(value: dict[str, Any]) -> tuple[str, str] | None:
    """(rule, property) of the refusal, None when it is taken."""
    refusal = fault(value)
    return None if refusal is None else (refusal.rule, refusal.field)


# -- types -----------------------------------------------------------------------------------------------------------


def test_every_type_of_the_specification_has_its_smallest_object_here() -> None:
    known = {name for name in stix._validators() if name not in ("core", "cyber-observable-core")}
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
        assert (refusal.rule, refusal.clause) == ("stix-schema", "STIX 2.1"), name
        assert name in refusal.reason.en or kind in ("observed-data", "network-traffic"), (name, refusal.reason.en)


@pytest.mark.parametrize("kind", SMALLEST)
def test_type_id_and_version_of_the_specification_are_looked_at_first(kind: str) -> None:
    value = SMALLEST[kind]
    for change, expected in (
        ({"type": 7}, ("stix-type", "type")),
        ({"type": kind.upper()}, ("stix-type", "type")),
        ({"id": ref("campaign" if kind != "campaign" else "tool")}, ("stix-id", "id")),
        ({"id": value["id"].upper()}, ("stix-id", "id")),
        ({"id": f"{kind}--1"}, ("stix-id", "id")),
        ({"spec_version": "2.0"}, ("stix-spec-version", "spec_version")),
        ({"spec_version": 2.1}, ("stix-spec-version", "spec_version")),
    ):
        assert said(value | change) == expected, change
    bare = {name: child for name, child in value.items() if name != "spec_version"}
    assert said(bare) == (None if kind in stix.OBSERVABLES else ("stix-spec-version", "spec_version"))


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
        path.stem: {name for name in stix._TIMES if f'"{name}"' in path.read_text()}
        for path in stix._SCHEMAS.glob("*/*.json")
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


# -- the rules -------------------------------------------------------------------------------------------------------

GREEN = "marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da"
MARK = ref("marking-definition")

# rule, section, property; a valid object; what makes it invalid
PAIRS: list[tuple[str, str, str, dict[str, Any], dict[str, Any]]] = [
    ("date", "2.16", "valid_until", indicator(valid_until="2028-02-29T00:00:00Z"),
     {"valid_until": "2027-02-29T00:00:00Z"}),
    ("date", "2.16", "first_seen", malware(first_seen="2026-12-31T23:59:59Z"), {"first_seen": "2026-09-31T00:00:00Z"}),
    ("date", "2.16", "published", SMALLEST["report"], {"published": "2026-11-31T00:00:00.000Z"}),
    ("date", "2.16", "last_observed", SMALLEST["observed-data"], {"last_observed": "2026-04-31T00:00:00Z"}),
    ("date", "2.16", "ctime", seen("file", name="x", ctime=CREATED), {"ctime": "2026-06-31T00:00:00Z"}),
    ("date", "2.16", "extensions.windows-pebinary-ext.time_date_stamp",
     seen("file", name="x", extensions={"windows-pebinary-ext": {"pe_type": "dll", "time_date_stamp": SECOND}}),
     {"extensions": {"windows-pebinary-ext": {"pe_type": "dll", "time_date_stamp": "2026-02-30T00:00:00Z"}}}),
    ("order", "3.2", "modified", indicator(modified=LATER), {"modified": EARLIER}),
    ("order", "3.2", "valid_until", indicator(valid_until="2026-11-01T00:00:00.000001Z"),
     {"valid_until": "2026-11-01T00:00:00Z"}),
    ("order", "3.2", "last_seen", malware(first_seen=CREATED, last_seen=CREATED), {"last_seen": EARLIER}),
    ("order", "3.2", "last_observed", SMALLEST["observed-data"], {"last_observed": EARLIER}),
    ("order", "3.2", "stop_time", SMALLEST["relationship"] | {"start_time": CREATED, "stop_time": LATER},
     {"stop_time": CREATED}),
    ("order", "3.2", "end", SMALLEST["network-traffic"] | {"start": CREATED, "end": CREATED}, {"end": EARLIER}),
    ("order", "3.2", "analysis_ended",
     SMALLEST["malware-analysis"] | {"analysis_started": CREATED, "analysis_ended": CREATED},
     {"analysis_ended": EARLIER}),
    ("target", "3.2", "created_by_ref", indicator(created_by_ref=ref("identity")), {"created_by_ref": ref("tool")}),
    ("target", "3.2", "object_marking_refs", indicator(object_marking_refs=[GREEN]),
     {"object_marking_refs": [GREEN, ref("malware")]}),
    ("schema", "", "where_sighted_refs.0", SMALLEST["sighting"] | {"where_sighted_refs": [ref("identity"),
     ref("location")]}, {"where_sighted_refs": [ref("tool")]}),
    ("schema", "", "observed_data_refs.0", SMALLEST["sighting"] | {"observed_data_refs": [ref("observed-data")]},
     {"observed_data_refs": [ref("url")]}),
    ("confidence", "3.2", "confidence", indicator(confidence=100), {"confidence": 1.0}),
    ("self-marking", "7.2.1", "object_marking_refs",
     SMALLEST["marking-definition"] | {"id": MARK, "object_marking_refs": [GREEN]}, {"object_marking_refs": [MARK]}),
    ("self-marking", "7.2.1", "granular_markings",
     SMALLEST["marking-definition"] | {"id": MARK, "granular_markings": [{"marking_ref": GREEN,
      "selectors": ["definition"]}]},
     {"granular_markings": [{"marking_ref": MARK, "selectors": ["definition"]}]}),
    ("granular", "7.2.3", "granular_markings.[0]",
     indicator(granular_markings=[{"marking_ref": GREEN, "selectors": ["name"]}]),
     {"granular_markings": [{"selectors": ["name"]}]}),
    ("granular", "7.2.3", "granular_markings.[1].selectors",
     indicator(labels=["a", "b"], granular_markings=[{"lang": "en", "selectors": ["name"]},
      {"marking_ref": GREEN, "selectors": ["labels.[1]", "indicator_types"]}]),
     {"granular_markings": [{"lang": "en", "selectors": ["name"]},
      {"marking_ref": GREEN, "selectors": ["labels.[2]"]}]}),
    ("granular", "7.2.3", "granular_markings.[0].selectors",
     indicator(external_references=[{"source_name": "x", "description": "y"}], granular_markings=[
      {"marking_ref": GREEN, "selectors": ["external_references.[0].source_name"]}]),
     {"granular_markings": [{"marking_ref": GREEN, "selectors": ["external_references.source_name"]}]}),
    ("address", "6.7", "value", seen("ipv6-addr", value="::ffff:192.0.2.128"), {"value": "::ffff:192.0.2.256"}),
    ("address", "6.7", "value", seen("ipv6-addr", value="fe80::1%eth0"), {"value": "fe80::g"}),
    ("address", "6.7", "value", seen("ipv6-addr", value="2001:db8::/128"), {"value": "2001:db8::/129"}),
    ("schema", "", "extensions",
     indicator(extensions={ref("extension-definition"): {"extension_type": "property-extension", "rank": 5}}),
     {"extensions": {"my-thing": {"extension_type": "property-extension", "rank": 5}}}),
]  # fmt: skip


@pytest.mark.parametrize("place", range(len(PAIRS)), ids=[f"{pair[0]}-{pair[2]}" for pair in PAIRS])
def test_a_valid_object_and_its_invalid_neighbour(place: int) -> None:
    rule, section, where, valid, change = PAIRS[place]
    assert said(valid) is None
    refusal = fault(valid | change)
    assert refusal is not None
    clause = f"STIX 2.1 §{section}" if section else "STIX 2.1"
    assert (refusal.rule, refusal.field, refusal.clause) == (f"stix-{rule}", where, clause)
    assert refusal.reason.zh
    assert refusal.reason.en


def test_the_result_of_a_refused_object_names_object_property_rule_and_section() -> None:
    _, _, where, valid, change = PAIRS[0]
    _, (result,) = intake.examine(bundle(valid | change))
    assert result["id"] == valid["id"]
    assert (result["field"], result["rule"], result["clause"]) == (where, "stix-date", "STIX 2.1 §2.16")
    assert result["reason"].keys() == {"zh", "en"}


@pytest.mark.parametrize("kind", ["relationship", "bundle", "sighting", "marking-definition", "language-content"])
def test_the_ends_of_a_relationship_are_things(kind: str) -> None:
    """Where the schema lets one pass, the rule does not."""
    for value, name in (
        (relationship(ref(kind), ref("malware")), "source_ref"),
        (relationship(ref("indicator"), ref(kind)), "target_ref"),
        (SMALLEST["sighting"] | {"sighting_of_ref": ref(kind)}, "sighting_of_ref"),
    ):
        found = said(value)
        assert found is not None
        assert found[0] in ("stix-schema", "stix-ends"), found
        assert name in found[1] or found[0] == "stix-schema"


@pytest.mark.parametrize("kind", sorted(SMALLEST.keys() - {"relationship", "sighting", "marking-definition",
                                                           "language-content", "extension-definition"}))  # fmt: skip
def test_every_thing_may_be_an_end(kind: str) -> None:
    assert said(relationship(ref(kind), ref("identity"), "related-to")) is None


def test_a_date_is_looked_at_where_the_specification_names_it_and_nowhere_else() -> None:
    """A custom property or extension may call anything `end` or `date`: its definition says what that is."""
    extension = {ref("extension-definition"): {"extension_type": "property-extension", "date": "soon", "end": "x"}}
    for value in (
        indicator(x_journey={"start": "Taipei", "end": "Berlin"}),
        indicator(extensions=extension),
        {"type": "x-acme-trip", "id": ref("x-acme-trip"), "start": "Taipei", "date": "soon"},
        made("x-acme-trip", end="Berlin"),
    ):
        assert said(value) is None, value
    assert said(made("x-acme-trip", modified="2026-11-31T00:00:00.000Z")) == ("stix-date", "modified")


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
        stix._nothing_is_fetched("https://example.test/schema.json")
    for path in stix._SCHEMAS.glob("*/*.json"):
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
