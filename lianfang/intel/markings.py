"""Which label an object gets from its own markings and from the form (policy.md, "Markings").

Three dialects of TLP ids circulate: TLP 1 (in the STIX 2.1 specification), TLP 2.0 (FIRST, as OASIS extension), and
OpenCTI's own AMBER+STRICT. All three mean one thing here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lianfang.kernel.refusal import Refusal
from lianfang.kernel.text import Bilingual
from lianfang.policy.facts import Audience, AudienceKind, Pap, Tlp

DEFAULT = Tlp.AMBER_STRICT
"""What an object is that nobody labelled; never CLEAR (charter 3.1)."""

TLP_1 = {
    "marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9": Tlp.CLEAR,
    "marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da": Tlp.GREEN,
    "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82": Tlp.AMBER,
    "marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed": Tlp.RED,
}
TLP_2 = {
    "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487": Tlp.CLEAR,
    "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb": Tlp.GREEN,
    "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421": Tlp.AMBER,
    "marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003": Tlp.AMBER_STRICT,
    "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1": Tlp.RED,
}
OPENCTI = {"marking-definition--826578e1-40ad-459f-bc73-ede076f81f37": Tlp.AMBER_STRICT}
KNOWN = TLP_1 | TLP_2 | OPENCTI
TLP_2_EXTENSION = "extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d"

_WORDS = {"clear": Tlp.CLEAR, "white": Tlp.CLEAR, "green": Tlp.GREEN, "amber": Tlp.AMBER, "red": Tlp.RED}
_WORDS |= {"amber+strict": Tlp.AMBER_STRICT, "amber-strict": Tlp.AMBER_STRICT, "amber_strict": Tlp.AMBER_STRICT}
_PAP_WORDS = {"clear": Pap.CLEAR, "white": Pap.CLEAR, "green": Pap.GREEN, "amber": Pap.AMBER, "red": Pap.RED}
_NAMED_RED = Bilingual(zh="指名的人只能搭配TLP:RED。", en="Named persons go with TLP:RED alone.")
_TAG = re.compile(r"\s*(tlp|pap)\s*[:=]\s*\"?([^\"]*?)\"?\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Marked:
    """What an object says of itself: the strictest TLP (None: nothing), and codes of what was noticed.

    Codes: `tlp-unknown` and `tlp-mismatch` quarantine, `tlp-several` informs.
    """

    tlp: Tlp | None = None
    pap: Pap | None = None
    findings: tuple[str, ...] = ()

    @property
    def quarantined(self) -> bool:
        """Whether the submitter has to set the label first."""
        return any(code in QUARANTINES for code in self.findings)


QUARANTINES = frozenset({"tlp-unknown", "tlp-mismatch"})


def word(text: object) -> Tlp | None:
    """Return the TLP that a word names in any case and any dialect (`WHITE` reads as CLEAR), or None."""
    return _WORDS.get(text.strip().lower().removeprefix("tlp:").strip()) if isinstance(text, str) else None


def definition(marking: Mapping[str, Any]) -> tuple[Tlp | None, bool]:
    """Read a marking-definition object: (its TLP or None when it is no TLP, whether id and content agree).

    Content is `definition.tlp` (TLP 1), the OASIS extension (TLP 2.0), or OpenCTI's `x_opencti_definition`. A known id
    with other content, and a TLP content under an unknown id, do not agree: then the TLP is RED.
    """
    known = KNOWN.get(str(marking.get("id")))
    said = _said(marking)
    if known is None and said is None:
        return None, True
    if known is not None and said == {known}:
        return known, True
    return Tlp.RED, False


def _said(marking: Mapping[str, Any]) -> set[Tlp | None] | None:
    """Return every TLP that the content names; None where it speaks of something else."""
    said: set[Tlp | None] = set()
    extension = _mapping(_mapping(marking.get("extensions")).get(TLP_2_EXTENSION))
    if "tlp_2_0" in extension:
        said.add(word(extension["tlp_2_0"]))
    inner = _mapping(marking.get("definition"))
    if marking.get("definition_type") in ("tlp", "TLP") or "tlp" in inner:
        said.add(word(inner.get("tlp")))
    if str(marking.get("x_opencti_definition_type", "")).lower() == "tlp":
        said.add(word(marking.get("x_opencti_definition")))
    name = marking.get("name")
    if isinstance(name, str) and name.strip().lower().startswith("tlp:"):
        said.add(word(name))
    return said or None


def marked(value: Mapping[str, Any], definitions: Mapping[str, tuple[Tlp | None, bool]]) -> Marked:
    """Return what the markings of one object come to.

    `definitions` are the marking-definition objects that came with it or are held from the same source, by id, as
    `definition` reads them. A granular marking counts for the whole object. Statement, IEP and other markings that are
    no TLP are let pass; an id that neither is known nor comes with a definition could be anything, hence RED.
    """
    tlps: set[Tlp] = set()
    paps: set[Pap] = set()
    findings: list[str] = []
    for ref in _refs(value):
        known = KNOWN.get(ref)
        if ref in definitions:
            tlp, agrees = definitions[ref]
            if not agrees:
                findings.append("tlp-mismatch" if known is not None else "tlp-unknown")
        else:
            tlp = known if known is not None else Tlp.RED
            if known is None:
                findings.append("tlp-unknown")
        if tlp is not None:
            tlps.add(tlp)
    _tags(value.get("labels"), tlps, paps, findings)
    if len(tlps) > 1 and not findings:
        findings.append("tlp-several")
    return Marked(max(tlps, default=None), max(paps, default=None), tuple(dict.fromkeys(findings)))


def own(value: Mapping[str, Any]) -> Marked:
    """Return what a TLP marking-definition comes to as an object of its own: a false one is quarantined."""
    _, agrees = definition(value)
    if agrees:
        return Marked()
    return Marked(Tlp.RED, None, ("tlp-mismatch" if str(value.get("id")) in KNOWN else "tlp-unknown",))


def _refs(value: Mapping[str, Any]) -> list[str]:
    refs = [ref for ref in value.get("object_marking_refs") or () if isinstance(ref, str)]
    for granular in value.get("granular_markings") or ():
        if isinstance(granular, Mapping) and isinstance(granular.get("marking_ref"), str):
            refs.append(granular["marking_ref"])
    return refs


def _tags(labels: object, tlps: set[Tlp], paps: set[Pap], findings: list[str]) -> None:
    for label in labels if isinstance(labels, list) else ():
        found = _TAG.fullmatch(label) if isinstance(label, str) else None
        if found is None:
            continue
        if found[1].lower() == "pap":
            pap = _PAP_WORDS.get(found[2].strip().lower())
            if pap is not None:
                paps.add(pap)
            continue
        tlp = word(found[2])
        if tlp is None:
            findings.append("tlp-unknown")
        tlps.add(Tlp.RED if tlp is None else tlp)


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


@dataclass(frozen=True, slots=True)
class Resolved:
    """What object, form and predecessor come to together."""

    tlp: Tlp
    audience: Audience
    pap: Pap | None
    quarantined: bool
    findings: tuple[str, ...]


def resolve(
    *,
    marked: Marked,
    form_tlp: Tlp | None,
    audience: Audience | None,
    predecessor: tuple[Tlp, Audience] | None,
    by_token: bool,
) -> Resolved:
    """Bring together what the object says, what the form (or a write collection's profile) says, and what was before.

    The strictest of form and object. An unmarked new version takes the stricter of default and predecessor. RED by
    token, or with any audience but named persons, becomes RED for the named persons (none = the submitter alone), and
    the result says so. Without an audience from form or profile it is the predecessor's, else the coordinator's alone.
    Raises Refusal for named persons with a label other than RED.
    """
    findings = list(marked.findings)
    spoken = [tlp for tlp in (marked.tlp, form_tlp) if tlp is not None]
    if marked.tlp is not None and form_tlp is not None and marked.tlp != form_tlp:
        findings.append("tlp-stricter")
    tlp = max(spoken, default=DEFAULT if predecessor is None else max(DEFAULT, predecessor[0]))
    given = audience is not None
    if audience is None:
        audience = predecessor[1] if predecessor is not None else Audience.coordinator_only()
    named = audience.kind is AudienceKind.PERSONS
    if tlp is Tlp.RED and (by_token or not named):
        audience = audience if named else Audience.persons()
        findings.append("red-named-only")
    elif tlp is not Tlp.RED and named:
        if given:
            raise Refusal(_NAMED_RED, rule="label-named-red", clause="TLP", field="object_marking_refs")
        audience = Audience.coordinator_only()
    return Resolved(tlp, audience, marked.pap, marked.quarantined, tuple(dict.fromkeys(findings)))
