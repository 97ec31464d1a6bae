"""STIX 2.1 objects: the OASIS schemas (closed registry, nothing fetched), then the rules that no schema can say.

The schemas lie in `schemas/` as OASIS publishes them. Where they refuse what the specification allows, `_mend` says so
and mends a copy in memory.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import jsonschema_rs
import orjson

from lianfang.intel.patterns import Budget
from lianfang.intel.patterns import check as check_pattern
from lianfang.kernel.refusal import Refusal
from lianfang.kernel.text import Bilingual

Json = dict[str, Any]

TIMELESS = datetime(1970, 1, 1, tzinfo=UTC)
"""What stands for `modified` where an object has neither that nor `created` (observables)."""

_SCHEMAS = Path(__file__).parent / "schemas"
_FOLDERS = ("sdos", "sros", "observables")
_COMMON = ("marking-definition", "language-content", "extension-definition")
_OLD_UUID = "-[1-5][0-9a-fA-F]{3}-[89abAB]"
_ANY_UUID = "-[1-8][0-9a-fA-F]{3}-[89abAB]"
_TYPE = re.compile(r"[a-z][a-z0-9-]{2,249}")
_ID = re.compile(r"([a-z][a-z0-9-]{2,249})--[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_LONGEST_ID = 300
_INSTANT = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d+))?Z")


def instant(text: object) -> datetime | None:
    """Return the instant of a STIX timestamp, cut to microseconds; None unless it is a real date in that form."""
    return _instant(text) if isinstance(text, str) and len(text) < 64 else None


@lru_cache(maxsize=4096)
def _instant(text: str) -> datetime | None:
    found = _INSTANT.fullmatch(text)
    if found is None:
        return None
    try:
        whole = datetime.fromisoformat(found[1] + "+00:00")
    except ValueError:
        return None
    return whole.replace(microsecond=int((found[2] or "0")[:6].ljust(6, "0")))


def type_of(stix_id: str) -> str:
    """Return the type that an id names, e.g. `indicator`; empty when it is no STIX id."""
    return _type_of(stix_id) if isinstance(stix_id, str) and len(stix_id) < _LONGEST_ID else ""


@lru_cache(maxsize=8192)
def _type_of(stix_id: str) -> str:
    found = _ID.fullmatch(stix_id.lower())
    return found[1] if found else ""


def is_id(text: str) -> bool:
    """Return whether this is written as a STIX id is kept; whatever else stands in an address is nobody's."""
    return _ID.fullmatch(text) is not None


@lru_cache(maxsize=1)
def _documents() -> dict[Path, Any]:
    return {path: _mend(path.stem, orjson.loads(path.read_bytes())) for path in sorted(_SCHEMAS.glob("*/*.json"))}


@lru_cache(maxsize=256)
def properties(kind: str) -> frozenset[str]:
    """Return the properties that the specification gives a type; empty for a type that it does not know."""
    by_name = {path.stem: document for path, document in _documents().items()}
    if kind not in _validators() or kind in ("core", "cyber-observable-core"):
        return frozenset()
    names: set[str] = set()
    for part in (by_name[kind], *by_name[kind].get("allOf", ()), *by_name[kind].get("oneOf", ())):
        names |= part.get("properties", {}).keys()
        inherited = str(part.get("$ref", "")).rpartition("/")[2].removesuffix(".json")
        if inherited in ("core", "cyber-observable-core"):
            names |= by_name[inherited]["properties"].keys()
    # Said one level deeper in the schema of markings, and nowhere for these two.
    return frozenset(names | {"id", "type", "definition", "definition_type"})


@lru_cache(maxsize=1)
def _validators() -> dict[str, jsonschema_rs.Draft202012Validator]:
    documents = _documents()
    registry = jsonschema_rs.Registry(
        [(document["$id"], document) for document in documents.values()], retriever=_nothing_is_fetched
    )
    made = {}
    for path, document in documents.items():
        if path.parent.name in _FOLDERS or path.stem in _COMMON or path.stem in ("core", "cyber-observable-core"):
            made[path.stem] = jsonschema_rs.Draft202012Validator(document, registry=registry, offline=True)
    return made


def _nothing_is_fetched(uri: str) -> Any:
    raise ValueError(f"schema {uri} is not among ours")


def _mend(name: str, document: Any) -> Any:
    """Undo what the published schemas refuse wrongly: newer UUIDs (RFC 9562), IPv6 (its expression lost its
    backslashes; rule `address` looks instead), and granular markings of a language."""
    text = orjson.dumps(document).replace(_OLD_UUID.encode(), _ANY_UUID.encode())
    mended = orjson.loads(text)
    if name == "ipv6-addr":
        del mended["allOf"][1]["properties"]["value"]["pattern"]
    if name == "granular-marking":
        mended["required"] = ["selectors"]
    return mended


def check(value: Json, *, budget: Budget) -> None:
    """Raise Refusal naming property, rule and section unless this is a STIX 2.1 object that we keep."""
    _apply(_FIRST, value)
    kind = value["type"]
    validators = _validators()
    # An unknown type is an observable unless it has what domain and relationship objects have.
    schema = kind if kind in validators else "core" if "created" in value else "cyber-observable-core"
    if not validators[schema].is_valid(value):
        raise _schema_refusal(next(validators[schema].iter_errors(value)))
    _apply(_rules_for(kind), value)
    if kind == "indicator" and value["pattern_type"] == "stix":
        check_pattern(value["pattern"], budget=budget)


def _apply(rules: tuple[Rule, ...], value: Json) -> None:
    for rule in rules:
        where = rule.find(value)
        if where is not None:
            raise rule.refusal(where)


@lru_cache(maxsize=256)
def _rules_for(kind: str) -> tuple[Rule, ...]:
    return tuple(rule for rule in RULES if not rule.types or kind in rule.types)


def _schema_refusal(fault: jsonschema_rs.ValidationError) -> Refusal:
    where = ".".join(str(step) for step in fault.instance_path)[:250]
    return Refusal(
        Bilingual(zh="不符合STIX 2.1綱要。", en=f"Does not fit the STIX 2.1 schema: {fault.message[:300]}"),
        rule="stix-schema",
        clause="STIX 2.1",
        field=where,
    )


def version_of(value: Json) -> tuple[datetime, str]:
    """Return (instant, text) by which this version is known: `modified`, else `created`, else TIMELESS."""
    for name in ("modified", "created"):
        at = instant(value.get(name))
        if at is not None:
            return at, value[name]
    return TIMELESS, "1970-01-01T00:00:00.000Z"


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


CONTAINERS = frozenset({"report", "grouping", "note", "opinion", "relationship", "sighting"})
_BINDING = frozenset({"object_refs", "source_ref", "target_ref", "sighting_of_ref", "observed_data_refs"})


def binding(value: Json) -> list[str]:
    """Return the ids that a container binds: what it is about, not who made or marked it."""
    return bound_by(value, references(value))


def bound_by(value: Json, named: Iterable[tuple[str, str]]) -> list[str]:
    """As `binding`, of an object whose references were listed before."""
    if value.get("type") not in CONTAINERS:
        return []
    return list(dict.fromkeys(ref for name, ref in named if name in _BINDING))


# -- the rules -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Rule:
    """One MUST of the specification: `find` returns the property at fault, or None."""

    id: str
    section: str
    find: Callable[[Json], str | None]
    zh: str
    en: str
    types: frozenset[str] = frozenset()
    """Types it is about; empty = all."""

    def refusal(self, where: str) -> Refusal:
        """Return what an object is told that breaks the rule at this property."""
        return Refusal(
            Bilingual(zh=self.zh, en=self.en),
            rule=f"stix-{self.id}",
            clause=f"STIX 2.1 §{self.section}",
            field=where[:250],
        )


OBSERVABLES = frozenset(path.stem for path in (_SCHEMAS / "observables").glob("*.json"))
"""The types of cyber-observable objects, whose ids follow from their content."""

_TIMES = frozenset(
    {
        "account_created",
        "account_expires",
        "account_first_login",
        "account_last_login",
        "analysis_ended",
        "analysis_started",
        "atime",
        "created",
        "created_time",
        "credential_last_changed",
        "ctime",
        "date",
        "end",
        "first_observed",
        "first_seen",
        "last_observed",
        "last_seen",
        "modified",
        "modified_time",
        "mtime",
        "private_key_usage_period_not_after",
        "private_key_usage_period_not_before",
        "published",
        "start",
        "start_time",
        "stop_time",
        "submitted",
        "time_date_stamp",
        "valid_from",
        "valid_until",
        "validity_not_after",
        "validity_not_before",
    }
)
# (earlier, later, whether equal instants are allowed)
_ORDERED = (
    ("created", "modified", True),
    ("first_seen", "last_seen", True),
    ("first_observed", "last_observed", True),
    ("valid_from", "valid_until", False),
    ("start_time", "stop_time", False),
    ("start", "end", True),
    ("analysis_started", "analysis_ended", True),
)
_ARROW = frozenset({"relationship", "sighting", "bundle", "marking-definition", "language-content"})
_TARGETS: tuple[tuple[str, frozenset[str]], ...] = (
    ("created_by_ref", frozenset({"identity"})),
    ("object_marking_refs", frozenset({"marking-definition"})),
    ("where_sighted_refs", frozenset({"identity", "location"})),
    ("observed_data_refs", frozenset({"observed-data"})),
)
_NAME = re.compile(r"[a-z0-9_]{3,250}|id")
_EXTENSION = re.compile(
    r"extension-definition--[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}|[a-z][a-z0-9-]{0,244}-ext"
)


def _bad_type(value: Json) -> str | None:
    kind = value.get("type")
    return None if isinstance(kind, str) and _TYPE.fullmatch(kind) and kind != "bundle" else "type"


def _bad_id(value: Json) -> str | None:
    stix_id = value.get("id")
    found = _ID.fullmatch(stix_id) if isinstance(stix_id, str) else None
    return None if found and found[1] == value["type"] else "id"


def _bad_spec_version(value: Json) -> str | None:
    if value["type"] in OBSERVABLES and "spec_version" not in value:
        return None
    if "created" not in value and value["type"] not in _validators() and "spec_version" not in value:
        return None
    return None if value.get("spec_version") == "2.1" else "spec_version"


def _empty(value: Json) -> str | None:
    """Look without keeping paths, which nearly no object needs; name the place where there is one to be named."""
    nodes: list[Any] = [value]
    for node in nodes:
        for child in node.values() if type(node) is dict else node:
            if child is None:
                return _where_empty(value)
            kind = type(child)
            if kind is dict or kind is list:
                if not child:
                    return _where_empty(value)
                nodes.append(child)
    return None


def _where_empty(value: Json) -> str | None:
    pending: list[tuple[str, Any]] = [("", value)]
    while pending:
        path, node = pending.pop()
        pairs = node.items() if isinstance(node, dict) else ((f"[{place}]", child) for place, child in enumerate(node))
        for name, child in pairs:
            if child is None or (isinstance(child, list | dict) and not child):
                return f"{path}.{name}".strip(".")
            if isinstance(child, dict | list):
                pending.append((f"{path}.{name}", child))
    return None


def _bad_name(value: Json) -> str | None:
    # Names that the specification gives the type need no look.
    strange = value.keys() - properties(value["type"])
    return next((name or "?" for name in value if name in strange and not _NAME.fullmatch(name)), None)


def _unreal_date(value: Json) -> str | None:
    """Only of what the specification names: a custom property or extension may call anything `end` or `date`."""
    known = properties(value["type"]) or ("created", "modified")
    plain = {name: child for name, child in value.items() if name in known}
    if isinstance(extensions := plain.get("extensions"), dict):
        plain["extensions"] = {key: child for key, child in extensions.items() if key.endswith("-ext")}
    pending: list[tuple[str, Json]] = [("", plain)]
    while pending:
        path, node = pending.pop()
        for name, child in node.items():
            if isinstance(child, str):
                if name in _TIMES and instant(child) is None:
                    return f"{path}.{name}".strip(".")
            elif isinstance(child, dict):
                pending.append((f"{path}.{name}", child))
    return None


def _disorder(value: Json) -> str | None:
    for earlier, later, equal in _ORDERED:
        if later in value and earlier in value:
            first, last = instant(value[earlier]), instant(value[later])
            if first is not None and last is not None and (last < first or (last == first and not equal)):
                return later
    return None


def _bad_target(value: Json) -> str | None:
    for name, allowed in _TARGETS:
        refs = value.get(name)
        for ref in refs if isinstance(refs, list) else [refs] if isinstance(refs, str) else ():
            if type_of(ref) not in allowed:
                return name
    return None


def _bad_end(value: Json) -> str | None:
    ends = ("source_ref", "target_ref") if value["type"] == "relationship" else ("sighting_of_ref",)
    for name in ends:
        if type_of(value[name]) in _ARROW:
            return name
    return None


def _bad_confidence(value: Json) -> str | None:
    confidence = value.get("confidence", 0)
    return None if type(confidence) is int and 0 <= confidence <= 100 else "confidence"


def _marks_itself(value: Json) -> str | None:
    if value["id"] in value.get("object_marking_refs", ()):
        return "object_marking_refs"
    if any(granular.get("marking_ref") == value["id"] for granular in value.get("granular_markings", ())):
        return "granular_markings"
    return None


def _bad_granular(value: Json) -> str | None:
    for place, granular in enumerate(value.get("granular_markings", ())):
        if ("lang" in granular) == ("marking_ref" in granular):
            return f"granular_markings.[{place}]"
        for selector in granular["selectors"]:
            if not resolves(value, selector):
                return f"granular_markings.[{place}].selectors"
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


def _bad_address(value: Json) -> str | None:
    import ipaddress

    address = value["value"].partition("%")[0] if "/" not in value["value"] else value["value"]
    try:
        ipaddress.IPv6Interface(address)
    except ValueError:
        return "value"
    return None


def _bad_extension(value: Json) -> str | None:
    return next((f"extensions.{key}" for key in value.get("extensions", ()) if not _EXTENSION.fullmatch(key)), None)


# Before the schema: linear checks of what its expressions would look at, and of what it does not forbid.
_FIRST = (
    Rule("type", "3.2", _bad_type, "type不是有效的STIX型別名稱。", "`type` is not the name of a STIX type."),
    Rule(
        "id",
        "2.9",
        _bad_id,
        "id必須是「型別--UUID」，且型別相同。",
        "`id` must be `type--UUID` with the same type, in lower case.",
    ),
    Rule(
        "spec-version",
        "3.2",
        _bad_spec_version,
        "只收STIX 2.1（spec_version）。",
        "Only STIX 2.1 is taken (`spec_version`).",
    ),
    Rule(
        "empty",
        "2.4",
        _empty,
        "不得有null、空陣列或空物件。",
        "There must be no null, no empty list and no empty dictionary.",
    ),
    Rule(
        "name",
        "3.1",
        _bad_name,
        "屬性名稱只可用小寫英文、數字與底線，3至250字。",
        "Property names take a-z, 0-9 and _, 3 to 250 characters.",
    ),
)

RULES = (
    Rule("date", "2.16", _unreal_date, "日期不存在或格式不符。", "Not a real date in the form of the specification."),
    Rule("order", "3.2", _disorder, "結束時間早於開始時間。", "The later of two times lies before the earlier."),
    Rule("target", "3.2", _bad_target, "參照的物件型別不對。", "The reference points to the wrong type of object."),
    Rule(
        "ends",
        "5.1",
        _bad_end,
        "關聯兩端必須是領域物件或觀測物件。",
        "The ends of a relationship must be domain objects or observables.",
        frozenset({"relationship", "sighting"}),
    ),
    Rule(
        "confidence",
        "3.2",
        _bad_confidence,
        "confidence必須是0至100的整數。",
        "`confidence` must be an integer from 0 to 100.",
    ),
    Rule(
        "self-marking",
        "7.2.1",
        _marks_itself,
        "標示定義不得標示自己。",
        "A marking definition must not mark itself.",
        frozenset({"marking-definition"}),
    ),
    Rule(
        "granular",
        "7.2.3",
        _bad_granular,
        "細部標示須恰有lang或marking_ref之一，且選擇器指到本物件的內容。",
        "A granular marking has either `lang` or `marking_ref`, and its selectors point into this object.",
    ),
    Rule("address", "6.7", _bad_address, "不是IPv6位址。", "Not an IPv6 address.", frozenset({"ipv6-addr"})),
    Rule(
        "extension",
        "3.1",
        _bad_extension,
        "擴充的鍵必須是extension-definition的id。",
        "The key of an extension must be the id of an extension definition.",
    ),
)
"""The rules after the schema, in the order in which they are tried."""
