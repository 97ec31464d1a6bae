"""What the standard recommends: told with its place, and never a reason to refuse."""

from __future__ import annotations

import copy
import json
import time
from typing import Any

import pytest
from stix2validator.v21 import enums

from lianfang.intel import checker, intake, stix
from lianfang.intel.stix import advice as shoulds
from lianfang.intel.stix import schemas
from lianfang.intel.stix.advice import SHOULDS, advice
from lianfang.intel.stix.deterministic import deterministic_id
from lianfang.intel.stix.marks import WELL_KNOWN
from lianfang.intel.stix.vocabularies import SUGGESTED, VOCABULARIES
from tests.intel.cast import bundle, indicator, malware, relationship
from tests.intel.stix.samples import CREATED, MD5, SMALLEST, made, ref, said, seen

FULL = indicator(description="x")
URL = seen("url", value="https://x.example/")
URL["id"] = deterministic_id(URL)
GREEN_2 = "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb"
EXTENSION = ref("extension-definition")
TOP = {EXTENSION: {"extension_type": "toplevel-property-extension"}}

# rule, section, properties; what follows it; what changes that
PAIRS: list[tuple[str, str, list[str], dict[str, Any], dict[str, Any]]] = [
    ("vocabulary", "2.14", ["indicator_types.[1]"], FULL, {"indicator_types": ["benign", "nasty"]}),
    ("vocabulary", "2.14", ["region"], made("location", region="eastern-asia"), {"region": "taiwan"}),
    ("term", "2.14", ["malware_types.[0]"], malware(malware_types=["worm"]), {"malware_types": ["Nasty_Thing"]}),
    ("relationship", "3.7", ["relationship_type"], relationship(ref("malware"), ref("tool"), "uses"),
     {"relationship_type": "mitigates"}),
    ("relationship", "3.7", ["target_ref"], relationship(ref("malware"), ref("malware"), "derived-from"),
     {"target_ref": ref("tool")}),
    ("indicator", "4.7", ["name", "description", "indicator_types"], FULL,
     {"name": ..., "description": ..., "indicator_types": ...}),
    ("kill-chain", "2.11", ["kill_chain_phases.[0].phase_name"],
     FULL | {"kill_chain_phases": [{"kill_chain_name": "a-b", "phase_name": "c"}]},
     {"kill_chain_phases": [{"kill_chain_name": "a-b", "phase_name": "C D"}]}),
    ("hash", "2.7", ["hashes.md5", "extensions.ntfs-ext.alternate_data_streams.[0].hashes.SHA256"],
     seen("file", hashes={"MD5": MD5, "x_own": "1"}),
     {"hashes": {"md5": "x"}, "extensions": {"ntfs-ext": {"alternate_data_streams": [
         {"name": "x", "hashes": {"SHA256": "x"}}]}}}),
    ("hex", "2.8", ["magic_number_hex"], seen("file", name="x", magic_number_hex="504b"), {"magic_number_hex": "504B"}),
    ("reference-hash", "2.5", ["external_references.[0].url"],
     FULL | {"external_references": [{"source_name": "x", "url": "https://x.example/", "hashes": {"MD5": MD5}}]},
     {"external_references": [{"source_name": "x", "url": "https://x.example/"}]}),
    ("extension", "7.3.1", ["description", "extension_properties"],
     SMALLEST["extension-definition"] | {"description": "x"},
     {"description": ..., "extension_types": ["toplevel-property-extension"]}),
    ("prefix", "11.1", ["rank_of_it"], FULL | {"rank_of_it": 1, "extensions": TOP}, {"extensions": ...}),
    ("prefix", "11.1", ["type"], made("x-acme-thing"), {"type": "acme-thing", "id": ref("acme-thing")}),
    ("prefix", "11.1", ["extensions.acme-ext"], FULL | {"extensions": {"x-acme-ext": {"a_b": 1}}},
     {"extensions": {"acme-ext": {"a_b": 1}}}),
    ("custom", "11", ["x_rank"], FULL, {"x_rank": 1}),
    ("uuid", "2.9", ["id"], FULL, {"id": "indicator--01890a5d-ac96-774b-bcce-b302099a8057"}),
    ("uuid", "2.9", ["id"], URL, {"id": ref("url")}),
    ("made-id", "2.9", ["id"], URL, {"value": "https://y.example/"}),
    ("container", "2.13", ["objects"], SMALLEST["observed-data"],
     {"object_refs": ..., "objects": {"0": {"type": "url", "value": "https://x.example/"}}}),
    ("country", "4.10", ["country"], made("location", country="tw"), {"country": "Taiwan"}),
    ("ports", "6.12", ["dst_port"], SMALLEST["network-traffic"] | {"src_port": 1, "dst_port": 2}, {"dst_port": ...}),
    ("priority", "6.13.2", ["extensions.windows-process-ext.priority"],
     seen("process", extensions={"windows-process-ext": {"priority": "HIGH_PRIORITY_CLASS"}}),
     {"extensions": {"windows-process-ext": {"priority": "high"}}}),
    ("product", "4.12", ["product"], SMALLEST["malware-analysis"], {"product": "Anti Virus"}),
    ("header", "6.6.1", ["additional_header_fields.X-A"],
     seen("email-message", is_multipart=False, additional_header_fields={"X-A": ["b"]}),
     {"additional_header_fields": {"X-A": "b"}}),
    ("media-type", "6.7", ["mime_type"], seen("file", name="x", mime_type="text/plain"), {"mime_type": "text"}),
    ("marking", "7.2.1", ["definition_type"], SMALLEST["marking-definition"],
     {"definition_type": "iep", "definition": {"x_a": 1}}),
    ("tlp", "7.2.1.4", ["object_marking_refs.[0]"], FULL | {"object_marking_refs": [GREEN_2]},
     {"object_marking_refs": ["marking-definition--826578e1-40ad-459f-bc73-ede076f81f37"]}),
    ("tlp-definition", "7.2.1.4", ["created"], WELL_KNOWN[GREEN_2], {"created": CREATED}),
    ("empty-text", "2.15", ["description"], FULL, {"description": ""}),
]  # fmt: skip


def told(value: dict[str, Any], rule: str) -> list[str]:
    return [one.field for one in advice(value) if one.rule == f"should-{rule}"]


@pytest.mark.parametrize("place", range(len(PAIRS)), ids=[f"{pair[0]}-{pair[2][0]}" for pair in PAIRS])
def test_what_follows_a_recommendation_and_its_neighbour_that_does_not(place: int) -> None:
    rule, section, where, good, change = PAIRS[place]
    worse = {name: child for name, child in (good | change).items() if child is not ...}
    assert said(good) is None
    assert said(worse) is None, "a recommendation refuses nothing"
    assert told(good, rule) == []
    assert told(worse, rule) == where
    (one,) = [one for one in advice(worse) if one.rule == f"should-{rule}"][:1]
    assert one.clause == f"STIX 2.1 §{section}"
    assert one.reason.zh
    assert one.reason.en


def test_every_recommendation_has_such_a_pair() -> None:
    assert {rule.id for rule in SHOULDS} == {pair[0] for pair in PAIRS}
    types = schemas.DOMAIN | schemas.META | schemas.RELATIONSHIPS | stix.OBSERVABLES
    assert all(rule.types <= types for rule in SHOULDS)


def test_an_object_that_follows_everything_is_told_nothing() -> None:
    for value in (FULL, URL, SMALLEST["identity"], relationship(ref("indicator"), ref("malware"))):
        assert advice(value) == []


def test_vocabularies_and_suggested_relationships_are_those_of_the_reference_validator() -> None:
    """It knows fewer terms where the standard was corrected, and one target that is no type."""
    for name in dir(enums):
        if name.endswith("_USES") and name not in ("KILL_CHAIN_PHASE_USES", "HASH_ALGO_USES"):
            terms = set(getattr(enums, name.replace("_USES", "_OV")))
            for kind, properties in getattr(enums, name).items():
                for one in properties:
                    assert VOCABULARIES[kind, one] - terms <= {"rust", "legal"}, (kind, one)
                    assert terms <= VOCABULARIES[kind, one]
    for source, verbs in enums.RELATIONSHIPS.items():
        for verb, targets in verbs.items():
            if source != "vulnerability":
                assert SUGGESTED[source, verb] == {targets} if isinstance(targets, str) else set(targets), (
                    source,
                    verb,
                )


def test_nothing_is_said_of_relationships_between_what_the_standard_does_not_know() -> None:
    assert told(relationship(ref("x-acme"), ref("malware"), "bites"), "relationship") == []
    assert told(relationship(ref("malware"), ref("x-acme"), "bites"), "relationship") == []
    assert told(relationship(ref("malware"), ref("tool"), "related-to"), "relationship") == []


def test_a_place_is_told_and_never_a_value() -> None:
    """A result is read by colleagues who may not read the object."""
    secret = "canary"
    value = indicator(
        name=secret, indicator_types=[secret], x_a=secret, labels=[secret],
        external_references=[{"source_name": secret, "url": f"https://{secret}.example/"}],
        kill_chain_phases=[{"kill_chain_name": secret.upper(), "phase_name": secret.upper()}],
    )  # fmt: skip
    assert advice(value)
    assert all(secret not in repr(one).lower() for one in advice(value))


@pytest.mark.parametrize("hostile", [
    indicator(indicator_types=["X_ " * 300] * 1000), indicator(**{f"x_{number}": 1 for number in range(5000)}),
    seen("file", hashes={f"h{number}": "x" for number in range(5000)}),
    indicator(x_a=[[[["x"] * 100] * 20] * 10]), indicator(name="", description="A_" * 100_000),
])  # fmt: skip
def test_advice_is_quick_and_short_whatever_comes(hostile: dict[str, Any]) -> None:
    started = time.process_time()
    assert len(advice(hostile)) <= shoulds.MOST
    assert time.process_time() - started < 0.2


def test_what_is_advised_is_taken_and_stored_as_it_came() -> None:
    worse = [pair[3] | {name: child for name, child in pair[4].items() if child is not ...} for pair in PAIRS]
    before = copy.deepcopy(worse)
    candidates, _ = intake.examine(bundle(*worse))
    for each in candidates:
        advice(each.value)
    assert worse == before
    assert {json.dumps(each.value, sort_keys=True) for each in candidates} <= {
        json.dumps(one, sort_keys=True) for one in before
    }


def test_a_file_is_told_what_concerns_no_single_object() -> None:
    one = FULL
    report = checker.check(json.dumps({"type": "bundle", "spec_version": "2.1", "objects": [one, one]}).encode())
    assert [each.field for each in report.advice] == ["id", "spec_version"]
    assert [[told.rule for told in each.advice] for each in report.objects] == [[], ["should-once"]]
    uuid = one["id"].rpartition("--")[2]
    shared = checker.check(bundle(one, malware(id=f"malware--{uuid}")))
    assert [told.rule for told in shared.objects[1].advice] == ["should-unique"]
