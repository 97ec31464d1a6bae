"""What an object names by id, and what a container is about."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from lianfang.intel.stix.ids import Json, type_of

CONTAINERS = frozenset({"report", "grouping", "note", "opinion", "relationship", "sighting"})
_BINDING = frozenset({"object_refs", "source_ref", "target_ref", "sighting_of_ref", "observed_data_refs"})


def references(value: Json) -> list[tuple[str, str]]:
    """Return (property, id) of everything that the object names by id, markings and creator included."""
    found: list[tuple[str, str]] = []
    pending: list[Any] = [value]
    while pending:
        node = pending.pop()
        if type(node) is list:
            pending.extend(child for child in node if type(child) is dict or type(child) is list)
            continue
        for name, child in node.items():
            kind = type(child)
            if kind is str:
                if name.endswith("_ref") and type_of(child):
                    found.append((name, child))
            elif kind is list:
                if name.endswith("_refs"):
                    found += [(name, ref) for ref in child if type_of(ref)]
                pending.append(child)
            elif kind is dict:
                pending.append(child)
    return found


def binding(value: Json) -> list[str]:
    """Return the ids that a container binds: what it is about, not who made or marked it."""
    return bound_by(value, references(value))


def bound_by(value: Json, named: Iterable[tuple[str, str]]) -> list[str]:
    """As `binding`, of an object whose references were listed before."""
    if value.get("type") not in CONTAINERS:
        return []
    return list(dict.fromkeys(ref for name, ref in named if name in _BINDING))
