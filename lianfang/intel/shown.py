"""How an object is shown on a page: its title, its facts as rows, its relations as a drawing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from lianfang.accounts.models import Organization
from lianfang.intel import stix, words
from lianfang.intel.queries import Found, Neighbour
from lianfang.kernel.clock import show
from lianfang.kernel.text import Bilingual
from lianfang.policy.decide import visible_sources
from lianfang.policy.facts import Label, Request, Subject

UNNAMED = Bilingual(zh="一位聯盟會員", en="an Alliance member")
_TITLES = ("name", "value", "path", "abstract", "subject", "key", "product", "user_id", "display_name", "number")
_HIDDEN = frozenset({
    "type", "id", "spec_version", "name", "object_marking_refs", "granular_markings", "extensions", "created_by_ref",
    "object_refs", "source_ref", "target_ref", "sighting_of_ref", "observed_data_refs", "definition",
    "definition_type",
})  # fmt: skip
_LONGEST = 4000
_ORDER = {name: place for place, name in enumerate(words.PROPERTIES)}


@dataclass(frozen=True, slots=True)
class Fact:
    """One row: what it is called, its text, and whether it is a value to be copied exactly."""

    term: Bilingual
    text: str
    exact: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """One object in a list."""

    stix_id: str
    type: Bilingual
    title: str
    label: Label
    date: datetime
    source: Bilingual
    state: str


def title(value: Mapping[str, Any]) -> str:
    """Return what an object is called: its name, else what it is about, else its type and the end of its id."""
    for name in _TITLES:
        if isinstance(value.get(name), str | int) and str(value[name]).strip():
            return str(value[name])[:200]
    hashes = value.get("hashes")
    if isinstance(hashes, dict) and hashes:
        return str(next(iter(hashes.values())))[:200]
    for name in ("relationship_type", "pattern", "opinion", "content"):
        if isinstance(value.get(name), str):
            return str(value[name])[:120]
    return str(value["id"]).rpartition("--")[2][:8]


def facts(value: Mapping[str, Any]) -> list[Fact]:
    """Return every property that says something, those with words first."""
    names = sorted((name for name in value if name not in _HIDDEN), key=lambda name: (_ORDER.get(name, 999), name))
    return [
        Fact(words.property_words(name), text, name in ("pattern", "value"))
        for name in names
        if (text := _text(value[name]))
    ]


def _text(node: Any) -> str:
    if isinstance(node, bool):
        return "✓" if node else ""
    if isinstance(node, str):
        at = stix.instant(node)
        return show(at) if at is not None else node[:_LONGEST]
    if isinstance(node, int | float):
        return str(node)
    if isinstance(node, list):
        return "\n".join(text for child in node[:50] if (text := _text(child)))[:_LONGEST]
    if isinstance(node, dict):
        if "phase_name" in node:
            return f"{node['phase_name']} ({node.get('kill_chain_name', '')})"
        return "，".join(f"{name}: {_text(child)}" for name, child in list(node.items())[:30])[:_LONGEST]
    return ""


def source_words(*, subject: Subject, label: Label, at: datetime, request: Request) -> Bilingual:
    """Return the sources that this subject may learn; the others are "an Alliance member"."""
    named = visible_sources(subject=subject, label=label, at=at, request=request)
    told = [source.external or "" for source in named if source.pair is None]
    pairs = [source.pair.organization for source in named if source.pair is not None]
    names = {row.pk: row for row in Organization.objects.filter(pk__in=pairs)}
    zh = [*told, *(names[pair].name_zh for pair in pairs)]
    en = [*told, *(names[pair].name_en or names[pair].name_zh for pair in pairs)]
    if len(named) < len(label.sources):
        zh.append(UNNAMED.zh)
        en.append(UNNAMED.en)
    return Bilingual(zh="、".join(zh), en=", ".join(en))


def rows(*, items: Sequence[Found], labels: Mapping[int, Label]) -> list[Row]:
    """Return the rows of a list; one look-up of names for all of them."""
    names = _names({pair.organization for label in labels.values() for pair in label.owners})
    made = []
    for found in items:
        label = labels[found.label_id]
        source = _of_owners(label, names) if found.names_source else UNNAMED
        made.append(
            Row(
                stix_id=found.stix_id,
                type=words.type_words(found.type),
                title=title(orjson.loads(found.body)),
                label=label,
                date=found.date_added,
                source=source,
                state=label.state.value,
            )
        )
    return made


def _names(organizations: set[UUID]) -> dict[UUID, Bilingual]:
    return {
        row.pk: Bilingual(zh=row.name_zh, en=row.name_en or row.name_zh)
        for row in Organization.objects.filter(pk__in=organizations)
    }


def _of_owners(label: Label, names: Mapping[UUID, Bilingual]) -> Bilingual:
    known = [names[pair.organization] for pair in label.owners if pair.organization in names]
    if not known:
        return UNNAMED
    return Bilingual(zh="、".join(name.zh for name in known), en=", ".join(name.en for name in known))


# -- the drawing -----------------------------------------------------------------------------------------------------

_DRAWN = 12
_WIDTH, _ROW = 760, 62


@dataclass(frozen=True, slots=True)
class Node:
    """A box: its place, its words, and where it leads."""

    x: int
    y: int
    text_x: int
    text_y: int
    kind: Bilingual
    title: str
    stix_id: str


@dataclass(frozen=True, slots=True)
class Edge:
    """A line from the middle to a box, with its verb."""

    x1: int
    y1: int
    x2: int
    y2: int
    text_x: int
    text_y: int
    verb: Bilingual


@dataclass(frozen=True, slots=True)
class Drawing:
    """At most twelve neighbours around one object: those that name it on the left, those it names on the right."""

    height: int
    middle_y: int
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]


@dataclass(frozen=True, slots=True)
class Relation:
    """One row of the table of relations."""

    verb: Bilingual
    type: Bilingual
    title: str
    stix_id: str


def relations(neighbours: Sequence[Neighbour]) -> list[Relation]:
    """Return the relations as rows."""
    return [
        Relation(
            words.verb_words(each.verb, outgoing=each.outgoing),
            words.type_words(each.found.type),
            title(orjson.loads(each.found.body)),
            each.found.stix_id,
        )
        for each in neighbours
    ]


def drawing(neighbours: Sequence[Neighbour]) -> Drawing | None:
    """Return the drawing, computed over what this reader sees alone; None where there is nothing to draw."""
    drawn = list(neighbours)[:_DRAWN]
    if not drawn:
        return None
    left = [each for each in drawn if not each.outgoing]
    right = [each for each in drawn if each.outgoing]
    height = max(len(left), len(right), 2) * _ROW + 20
    nodes: list[Node] = []
    edges: list[Edge] = []
    for side, column in ((left, 10), (right, _WIDTH - 220)):
        top = (height - len(side) * _ROW) // 2
        for place, each in enumerate(side):
            y = top + place * _ROW + 8
            near = column + 210 if column < _WIDTH // 2 else column
            middle = 310 if column < _WIDTH // 2 else 450
            name = title(orjson.loads(each.found.body))
            short = name if len(name) <= 22 else name[:21] + "…"
            nodes.append(
                Node(column, y, column + 105, y + 18, words.type_words(each.found.type), short, each.found.stix_id)
            )
            edges.append(
                Edge(
                    middle, height // 2, near, y + 23, (middle + near) // 2, (height // 2 + y + 23) // 2 + 4,
                    words.verb_words(each.verb, outgoing=each.outgoing),
                )
            )  # fmt: skip
    return Drawing(height, height // 2, tuple(nodes), tuple(edges))
