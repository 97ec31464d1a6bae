"""Rules of every object: what it is, what its properties are called, its times, creator, language and extensions."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from lianfang.intel.stix import values
from lianfang.intel.stix.ids import TYPE, Json, instant, names_type, type_of
from lianfang.intel.stix.rule import Rule
from lianfang.intel.stix.schemas import OBSERVABLES, properties, schema_for

TIMES = frozenset({
    "account_created", "account_expires", "account_first_login", "account_last_login", "analysis_ended",
    "analysis_started", "atime", "created", "created_time", "credential_last_changed", "ctime", "date", "end",
    "first_observed", "first_seen", "last_observed", "last_seen", "modified", "modified_time", "mtime",
    "object_modified", "private_key_usage_period_not_after", "private_key_usage_period_not_before", "published",
    "start", "start_time", "stop_time", "submitted", "time_date_stamp", "valid_from", "valid_until",
    "validity_not_after", "validity_not_before",
})  # fmt: skip
"""What the standard calls a time, wherever it does."""
_TIMES_INSIDE = frozenset({"file", "x509-certificate"})
# (earlier, later, whether equal instants are allowed)
_ORDERED = (
    ("first_seen", "last_seen", True),
    ("first_observed", "last_observed", True),
    ("valid_from", "valid_until", False),
    ("start_time", "stop_time", False),
    ("start", "end", True),
    ("analysis_started", "analysis_ended", True),
)
_NAME = re.compile(r"[a-z][a-z0-9_]{2,249}|id")
_RESERVED = frozenset({"severity", "username", "phone_numbers", "action"})
_EXTENSION = re.compile(
    r"extension-definition--[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}|[a-z][a-z0-9-]{0,244}-ext",
    re.IGNORECASE | re.ASCII,
)
_KINDS_OF_EXTENSION = frozenset({
    "new-sdo", "new-sco", "new-sro", "property-extension", "toplevel-property-extension",
})  # fmt: skip


def _bad_type(value: Json) -> str | None:
    kind = value.get("type")
    return None if isinstance(kind, str) and TYPE.fullmatch(kind) and kind not in ("bundle", "action") else "type"


def _bad_id(value: Json) -> str | None:
    return None if names_type(value.get("id"), value["type"]) else "id"


def is_observable(value: Json) -> bool:
    """Return whether this is a cyber-observable, one that the standard does not know included."""
    return value["type"] in OBSERVABLES or schema_for(value) == "cyber-observable-core"


def _older(value: Json) -> str | None:
    """STIX 2.0 wrote the version on the bundle, and observables stood inside others."""
    version = value.get("spec_version")
    if version == "2.0" or (version is None and "spec_version" not in value and not is_observable(value)):
        return "spec_version"
    return None


def _bad_spec_version(value: Json) -> str | None:
    return None if value.get("spec_version", "2.1") == "2.1" else "spec_version"


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
    known = properties(value["type"])  # names that the specification gives the type need no look
    for name in value:
        if name not in known and not _NAME.fullmatch(name):
            return name or "?"
    return None


def _reserved(value: Json) -> str | None:
    return None if _RESERVED.isdisjoint(value) else next(name for name in value if name in _RESERVED)


def _bad_name_inside(value: Json) -> str | None:
    for key, extension in _items(value.get("extensions")):
        for name in extension if isinstance(extension, dict) else ():
            if not _NAME.fullmatch(name):
                return f"extensions.{key}.{name or '?'}"
    return None


def _bad_extension(value: Json) -> str | None:
    for key, extension in _items(value.get("extensions")):
        if not _EXTENSION.fullmatch(key):
            return f"extensions.{key}"
        if key.startswith("extension-definition--") and isinstance(extension, dict):
            kind = extension.get("extension_type")
            if not isinstance(kind, str) or kind not in _KINDS_OF_EXTENSION:
                return f"extensions.{key}.extension_type"
    return None


def _items(node: Any) -> list[tuple[str, Any]]:
    return list(node.items()) if isinstance(node, dict) else []


@lru_cache(maxsize=256)
def _dated(kind: str) -> tuple[str, ...]:
    """Only what the standard names: a custom property or extension may call anything `end` or `date`."""
    known = properties(kind)
    return tuple(sorted(TIMES & known)) if known else ("created", "modified")


def _unreal_date(value: Json) -> str | None:
    kind = value["type"]
    for name in _dated(kind):
        if name in value and instant(value[name]) is None:
            return name
    return _unreal_date_inside(value) if kind in _TIMES_INSIDE else None


def _unreal_date_inside(value: Json) -> str | None:
    pending: list[tuple[str, Any]] = [("x509_v3_extensions", value.get("x509_v3_extensions"))]
    pending += [(f"extensions.{key}", each) for key, each in _items(value.get("extensions")) if key.endswith("-ext")]
    while pending:
        path, node = pending.pop()
        for name, child in _items(node):
            if name in TIMES and isinstance(child, str) and instant(child) is None:
                return f"{path}.{name}"
            pending.append((f"{path}.{name}", child))
    return None


def _modified_first(value: Json) -> str | None:
    return "modified" if _disorder(value, "created", "modified", equal=True) else None


def _ended_first(value: Json) -> str | None:
    for early, late, equal in _ORDERED:
        if late in value and _disorder(value, early, late, equal=equal):
            return late
    return None


def _disorder(value: Json, early: str, late: str, *, equal: bool) -> bool:
    first, last = instant(value.get(early)), instant(value[late])
    return first is not None and last is not None and (last < first or (last == first and not equal))


def _bad_creator(value: Json) -> str | None:
    return None if type_of(value["created_by_ref"]) == "identity" else "created_by_ref"


def _bad_marking(value: Json) -> str | None:
    for place, ref in enumerate(value["object_marking_refs"]):
        if type_of(ref) != "marking-definition":
            return f"object_marking_refs.[{place}]"
    return None


def _bad_confidence(value: Json) -> str | None:
    confidence = value["confidence"]
    return None if type(confidence) is int and 0 <= confidence <= 100 else "confidence"


def _bad_language(value: Json) -> str | None:
    if "lang" in value and not values.is_language(value["lang"]):
        return "lang"
    for place, granular in enumerate(value.get("granular_markings", ())):
        if "lang" in granular and not values.is_language(granular["lang"]):
            return f"granular_markings.[{place}].lang"
    return None


def _defanged_thing(value: Json) -> str | None:
    return None if is_observable(value) else "defanged"


# Before the schema: linear checks of what its expressions would look at, and of what it does not forbid.
FIRST = (
    Rule("type", "3.2", _bad_type, "type不是有效的STIX型別名稱。", "`type` is not the name of a STIX type."),
    Rule(
        "id",
        "2.9",
        _bad_id,
        "id必須是「型別--UUID」，且型別相同。",
        "`id` must be `type--UUID` with the same type, in lower case.",
    ),
    Rule(
        "2-0",
        "3.2",
        _older,
        "這是STIX 2.0（沒有spec_version 2.1），只收STIX 2.1。請在來源系統改以STIX 2.1匯出；"
        "手上若是STIX 1.x原稿，可用stix2-elevator轉成2.1。",
        "This is STIX 2.0 (no `spec_version` 2.1), and only STIX 2.1 is taken. Export it as STIX 2.1 from where it"
        " comes from; an original in STIX 1.x can be made into 2.1 with stix2-elevator.",
    ),
    Rule(
        "spec-version",
        "3.2",
        _bad_spec_version,
        "只收STIX 2.1，spec_version必須是\"2.1\"。",
        "Only STIX 2.1 is taken: `spec_version` must be \"2.1\".",
    ),
    Rule(
        "empty",
        "2.3, 2.12",
        _empty,
        "不得有null、空陣列或空物件。",
        "There must be no null, no empty list and no empty dictionary.",
    ),
    Rule(
        "name",
        "3.1",
        _bad_name,
        "屬性名稱只可用小寫英文、數字與底線，以英文開頭，3至250字。",
        "Property names take a-z, 0-9 and _, begin with a letter and have 3 to 250 characters.",
    ),
    Rule(
        "reserved",
        "3.8",
        _reserved,
        "這個屬性名稱保留給標準的後續版本，不得使用。",
        "This property name is reserved for later versions of the standard and must not be used.",
    ),
)  # fmt: skip

BEFORE = (
    Rule(
        "name",
        "3.1",
        _bad_name_inside,
        "擴充裡的屬性名稱只可用小寫英文、數字與底線，以英文開頭，3至250字。",
        "Property names in an extension take a-z, 0-9 and _, begin with a letter and have 3 to 250 characters.",
        on=("extensions",),
    ),
    Rule(
        "extension",
        "7.3",
        _bad_extension,
        "擴充的鍵必須是extension-definition的id或以-ext結尾，前者要有標準所列的extension_type。",
        "The key of an extension must be the id of an extension definition, with one of the standard's `extension_type`"
        " in it, or a name that ends in -ext.",
        on=("extensions",),
    ),
)
"""Before the schema too, where their property is there."""

RULES = (
    Rule("date", "2.16", _unreal_date, "日期不存在或格式不符。", "Not a real date in the form of the specification."),
    Rule(
        "order",
        "3.2",
        _modified_first,
        "modified早於created。",
        "`modified` lies before `created`.",
        on=("modified",),
    ),
    Rule(
        "order",
        "",
        _ended_first,
        "結束時間早於開始時間。",
        "The later of two times lies before the earlier.",
        on=tuple(late for _, late, _ in _ORDERED),
    ),
    Rule(
        "target",
        "3.2",
        _bad_creator,
        "created_by_ref必須指到身分（identity）。",
        "`created_by_ref` must point to an identity.",
        on=("created_by_ref",),
    ),
    Rule(
        "target",
        "3.2",
        _bad_marking,
        "object_marking_refs只能指到標示定義（marking-definition）。",
        "`object_marking_refs` must point to marking definitions.",
        on=("object_marking_refs",),
    ),
    Rule(
        "confidence",
        "3.2",
        _bad_confidence,
        "confidence必須是0至100的整數。",
        "`confidence` must be an integer from 0 to 100.",
        on=("confidence",),
    ),
    Rule(
        "language",
        "3.2",
        _bad_language,
        "語言代碼必須符合RFC 5646，例如zh-TW、en。",
        "A language is told by a tag of RFC 5646, such as zh-TW or en.",
        on=("lang", "granular_markings"),
    ),
    Rule(
        "defanged",
        "3.2",
        _defanged_thing,
        "defanged只能用在觀測物件。",
        "`defanged` is for observables only.",
        on=("defanged",),
    ),
)
"""After the schema, in the order in which they are asked."""
