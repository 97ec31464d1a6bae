"""Rules of markings: which TLP definitions there are, what marks what, and what a selector points at."""

from __future__ import annotations

from typing import Any

from lianfang.intel import markings
from lianfang.intel.stix.ids import Json
from lianfang.intel.stix.rule import Rule

_DEFINITIONS = frozenset({"marking-definition"})


def _tlp_1(stix_id: str, word: str) -> Json:
    return {
        "type": "marking-definition", "spec_version": "2.1", "id": stix_id, "created": "2017-01-20T00:00:00.000Z",
        "definition_type": "tlp", "name": f"TLP:{word.upper()}", "definition": {"tlp": word},
    }  # fmt: skip


def _tlp_2(stix_id: str, word: str) -> Json:
    extension = {"extension_type": "property-extension", "tlp_2_0": word}
    return {
        "type": "marking-definition", "spec_version": "2.1", "id": stix_id, "created": "2022-10-01T00:00:00.000Z",
        "name": f"TLP:{word.upper()}", "extensions": {markings.TLP_2_EXTENSION: extension},
    }  # fmt: skip


_WORDS_1 = ("white", "green", "amber", "red")
_WORDS_2 = ("clear", "green", "amber", "amber+strict", "red")
WELL_KNOWN: dict[str, Json] = {
    **{stix_id: _tlp_1(stix_id, word) for stix_id, word in zip(markings.TLP_1, _WORDS_1, strict=True)},
    **{stix_id: _tlp_2(stix_id, word) for stix_id, word in zip(markings.TLP_2, _WORDS_2, strict=True)},
}
"""The definitions of TLP 1 (§7.2.1.4) and of TLP 2.0 (extension of OASIS), by id."""


def _false_tlp(value: Json) -> str | None:
    """Other kinds of definition under a known id are not refused: intake keeps them and what they mark back."""
    if value.get("definition_type") != "tlp":
        return None
    known = WELL_KNOWN.get(value["id"])
    if known is None:
        return "definition_type"
    return next((name for name in (*known, *value) if value.get(name) != known.get(name)), None)


def _marks_itself(value: Json) -> str | None:
    if value["id"] in value.get("object_marking_refs", ()):
        return "object_marking_refs"
    for place, granular in enumerate(value.get("granular_markings", ())):
        if granular.get("marking_ref") == value["id"]:
            return f"granular_markings.[{place}].marking_ref"
    return None


def _bad_granular(value: Json) -> str | None:
    for place, granular in enumerate(value["granular_markings"]):
        if ("lang" in granular) == ("marking_ref" in granular):
            return f"granular_markings.[{place}]"
    return None


def _bad_selector(value: Json) -> str | None:
    for place, granular in enumerate(value["granular_markings"]):
        for number, selector in enumerate(granular["selectors"]):
            if not resolves(value, selector):
                return f"granular_markings.[{place}].selectors.[{number}]"
    return None


def resolves(value: Json, selector: str) -> bool:
    """Return whether the selector of a granular marking points at something in this object."""
    node: Any = value
    for step in selector.split("."):
        if step.startswith("["):
            place = step.strip("[]")
            if not isinstance(node, list) or not place.isdigit() or len(place) > 6 or int(place) >= len(node):
                return False
            node = node[int(place)]
        elif isinstance(node, dict) and step in node:
            node = node[step]
        else:
            return False
    return True


BEFORE = (
    Rule(
        "tlp",
        "7.2.1.4",
        _false_tlp,
        "TLP的標示定義只有標準所列的那幾個，內容須完全相同；請直接引用它們的id。",
        "There are only the TLP definitions of the standard, word for word; refer to their ids instead of making one.",
        types=_DEFINITIONS,
    ),
)

RULES = (
    Rule(
        "self-marking",
        "7.2.1",
        _marks_itself,
        "標示定義不得標示自己。",
        "A marking definition must not mark itself.",
        on=("object_marking_refs", "granular_markings"),
        types=_DEFINITIONS,
    ),
    Rule(
        "granular",
        "7.2.3",
        _bad_granular,
        "細部標示須恰有lang或marking_ref之一。",
        "A granular marking has either `lang` or `marking_ref`.",
        on=("granular_markings",),
    ),
    Rule(
        "selector",
        "7.2.3",
        _bad_selector,
        "選擇器指到本物件沒有的內容。",
        "A selector points at something that is not in this object.",
        on=("granular_markings",),
    ),
)
