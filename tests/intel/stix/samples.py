"""A smallest valid object of each type of the standard, and what each type requires."""

from __future__ import annotations

import copy
from typing import Any
from uuid import uuid4

from lianfang.intel import stix
from lianfang.kernel.refusal import Refusal
from tests.intel.cast import relationship

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
    """The refusal of an object, None when it is taken."""
    try:
        stix.check(copy.deepcopy(value), budget=stix.Budget())
    except Refusal as refusal:
        return refusal
    return None


def said(value: dict[str, Any]) -> tuple[str, str] | None:
    """(rule, property) of the refusal, None when it is taken."""
    refusal = fault(value)
    return None if refusal is None else (refusal.rule, refusal.field)
