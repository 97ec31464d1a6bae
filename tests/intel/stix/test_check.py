"""The schemas without a network, and the MUST rules one by one."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from lianfang.intel import stix
from lianfang.intel.patterns import Budget
from lianfang.kernel.refusal import Refusal
from tests.intel.cast import indicator, malware, relationship

TLP_GREEN = "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb"


def check(value: dict[str, Any]) -> str:
    """Return the id of the rule that refuses, or nothing."""
    try:
        stix.check(value, budget=Budget())
    except Refusal as refusal:
        return refusal.rule
    return ""


def observable(kind: str, **properties: Any) -> dict[str, Any]:
    return {"type": kind, "spec_version": "2.1", "id": f"{kind}--{uuid4()}"} | properties


GOOD: dict[str, dict[str, Any]] = {
    "indicator": indicator(),
    "uuid version 7": indicator(id="indicator--01890a5d-ac96-774b-bcce-b302099a8057"),
    "uuid version 5": observable(
        "ipv4-addr", id="ipv4-addr--28bb3599-77cd-5a82-a950-b5bc3caf07c4", value="198.51.100.3"
    ),
    "ipv6 with ipv4": observable("ipv6-addr", value="::ffff:198.51.100.1"),
    "ipv6 network": observable("ipv6-addr", value="2001:db8::/32"),
    "language marking": indicator(granular_markings=[{"lang": "zh-TW", "selectors": ["name"]}]),
    "underscore domain": observable("domain-name", value="_dmarc.example.com"),
    "custom object": {
        "type": "x-acme-thing",
        "spec_version": "2.1",
        "id": f"x-acme-thing--{uuid4()}",
        "created": "2026-01-01T00:00:00.000Z",
        "modified": "2026-01-01T00:00:00.000Z",
    },
    "custom observable": observable("x-acme-value", value="x"),
    "observable without spec_version": {"type": "url", "id": f"url--{uuid4()}", "value": "https://example.com/"},
    "sigma": indicator(pattern="title: x", pattern_type="sigma"),
    "confidence": indicator(confidence=0),
    "many digits": indicator(modified="2026-11-01T00:00:00.123456789Z"),
}

BAD: dict[str, tuple[str, dict[str, Any]]] = {
    "no type": ("stix-type", {"id": "x"}),
    "a slow type": ("stix-type", {"type": "a" * 24 + "!", "id": "x"}),
    "a bundle": ("stix-type", {"type": "bundle", "id": f"bundle--{uuid4()}"}),
    "id of another type": ("stix-id", indicator(id=f"malware--{uuid4()}")),
    "no id": ("stix-id", indicator(id=None)),
    "stix 2.0": ("stix-2-0", indicator(spec_version=None)),
    "null": ("stix-empty", malware(description=None)),
    "empty list": ("stix-empty", indicator(labels=[])),
    "empty deep inside": ("stix-empty", indicator(external_references=[{"source_name": "x", "hashes": {}}])),
    "capital property": ("stix-name", indicator(Name2="x")),
    "february 30": ("stix-date", indicator(valid_until="2026-02-30T00:00:00Z")),
    "leap second": ("stix-date", indicator(valid_until="2026-06-30T23:59:60Z")),
    "created without fraction": ("stix-schema", indicator(created="2026-11-01T00:00:00Z")),
    "modified before created": ("stix-order", indicator(modified="2026-10-01T00:00:00.000Z")),
    "valid until before from": ("stix-order", indicator(valid_until="2026-11-01T00:00:00Z")),
    "creator no identity": ("stix-target", indicator(created_by_ref=f"malware--{uuid4()}")),
    "marking no marking": ("stix-target", indicator(object_marking_refs=[f"malware--{uuid4()}"])),
    "relationship to relationship": ("stix-schema", relationship(f"relationship--{uuid4()}", f"malware--{uuid4()}")),
    "confidence true": ("stix-schema", indicator(confidence=True)),
    "confidence with fraction": ("stix-confidence", indicator(confidence=50.0)),
    "granular beyond the object": (
        "stix-selector",
        indicator(granular_markings=[{"marking_ref": TLP_GREEN, "selectors": ["labels.[3]"]}]),
    ),
    "granular with both": (
        "stix-granular",
        indicator(granular_markings=[{"marking_ref": TLP_GREEN, "lang": "en", "selectors": ["name"]}]),
    ),
    "no ipv6": ("stix-address", observable("ipv6-addr", value="198.51.100.1::x")),
    "no ipv4": ("stix-schema", observable("ipv4-addr", value="198.51.100.300")),
    "wrong tlp content": (
        "stix-tlp",
        {
            "type": "marking-definition",
            "spec_version": "2.1",
            "created": "2017-01-20T00:00:00.000Z",
            "id": "marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed",
            "name": "TLP:RED",
            "definition_type": "tlp",
            "definition": {"tlp": "white"},
        },
    ),
    "pattern": ("pattern-grammar", indicator(pattern="[nonsense")),
    "no pattern": ("stix-schema", indicator(pattern=None)),
}


@pytest.mark.parametrize("name", GOOD)
def test_taken(name: str) -> None:
    assert check(GOOD[name]) == ""


@pytest.mark.parametrize("name", BAD)
def test_refused(name: str) -> None:
    rule, value = BAD[name]
    assert check(value) == rule


def test_versions_are_compared_as_instants() -> None:
    assert (
        stix.version_of(indicator(modified="2026-11-01T00:00:00.120Z"))[0]
        == stix.version_of(indicator(modified="2026-11-01T00:00:00.12Z"))[0]
    )
    assert stix.version_of(observable("url", value="x"))[0] == stix.TIMELESS


def test_containers_bind_what_they_are_about() -> None:
    one = relationship(f"indicator--{uuid4()}", f"malware--{uuid4()}", created_by_ref=f"identity--{uuid4()}")
    assert set(stix.binding(one)) == {one["source_ref"], one["target_ref"]}
    assert stix.binding(indicator(created_by_ref=f"identity--{uuid4()}")) == []
