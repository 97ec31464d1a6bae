"""Rules of domain, relationship and meta objects."""

from __future__ import annotations

import re

from lianfang.intel.stix import values
from lianfang.intel.stix.ids import Json, type_of
from lianfang.intel.stix.rule import Rule
from lianfang.intel.stix.schemas import META, OBSERVABLES, RELATIONSHIPS

_NO_END = RELATIONSHIPS | META - {"extension-definition"} | {"bundle"}
_NOT_SIGHTED = RELATIONSHIPS | META | OBSERVABLES | {"bundle"}
_NAME = re.compile(r"[a-z][a-z0-9_]{2,249}|id")
_CVE = re.compile(r"CVE-[0-9]{4}-[0-9]{4,}")
_CAPEC = re.compile(r"CAPEC-[0-9]+")
_CATALOGUES = {"vulnerability": ("cve", _CVE), "attack-pattern": ("capec", _CAPEC)}


def _bad_end(value: Json) -> str | None:
    return next((name for name in ("source_ref", "target_ref") if type_of(value[name]) in _NO_END), None)


def _seen_thing(value: Json) -> str | None:
    return "sighting_of_ref" if type_of(value["sighting_of_ref"]) in _NOT_SIGHTED else None


def _to_itself(value: Json) -> str | None:
    return "target_ref" if value["source_ref"] == value["target_ref"] else None


def _nothing_observed(value: Json) -> str | None:
    seen = any(type_of(ref) not in RELATIONSHIPS for ref in value["object_refs"])
    return None if seen else "object_refs"


def _bad_catalogue(value: Json) -> str | None:
    source, form = _CATALOGUES[value["type"]]
    for place, reference in enumerate(value["external_references"]):
        said = reference.get("external_id", "")
        if form.fullmatch(said):
            if reference["source_name"] != source:
                return f"external_references.[{place}].source_name"
        elif reference["source_name"] == source:
            return f"external_references.[{place}].external_id"
    return None


def _bad_translation(value: Json) -> str | None:
    for tag, texts in value["contents"].items():
        if not values.is_language(tag) or not isinstance(texts, dict):
            return f"contents.{tag}"
        for name in texts:
            if not _NAME.fullmatch(name):
                return f"contents.{tag}.{name or '?'}"
    return None


def _nobody_extends(value: Json) -> str | None:
    return None if "created_by_ref" in value else "created_by_ref"


RULES = (
    Rule(
        "ends",
        "5.1",
        _bad_end,
        "關聯兩端必須是領域物件或觀測物件。",
        "The ends of a relationship must be domain objects or observables.",
        types=frozenset({"relationship"}),
    ),
    Rule(
        "ends",
        "5.2",
        _seen_thing,
        "目擊的必須是領域物件；看到的觀測物件請放在observed_data_refs所指的觀測資料裡。",
        "What was sighted must be a domain object; observables belong into the observed data of `observed_data_refs`.",
        types=frozenset({"sighting"}),
    ),
    Rule(
        "ends",
        "5.1",
        _to_itself,
        "關聯的兩端是同一個物件。",
        "Both ends of the relationship are one and the same object.",
        types=frozenset({"relationship"}),
    ),
    Rule(
        "observed",
        "4.14",
        _nothing_observed,
        "object_refs至少要有一個觀測物件。",
        "`object_refs` must hold at least one observable.",
        on=("object_refs",),
        types=frozenset({"observed-data"}),
    ),
    Rule(
        "external",
        "",
        _bad_catalogue,
        "弱點的CVE編號寫成source_name「cve」與external_id「CVE-年-編號」；攻擊手法的CAPEC編號寫成「capec」與「CAPEC-編號」。",
        "A CVE id of a vulnerability goes with `source_name` cve and is written CVE-year-number; a CAPEC id of an"
        " attack pattern goes with capec and is written CAPEC-number.",
        on=("external_references",),
        types=frozenset(_CATALOGUES),
    ),
    Rule(
        "translation",
        "7.1",
        _bad_translation,
        "contents的鍵必須是語言代碼（RFC 5646），其下的鍵是屬性名稱。",
        "The keys of `contents` are language tags (RFC 5646), the keys below them names of properties.",
        types=frozenset({"language-content"}),
    ),
    Rule(
        "creator",
        "7.3.1",
        _nobody_extends,
        "擴充定義必須有created_by_ref。",
        "An extension definition needs `created_by_ref`.",
        types=frozenset({"extension-definition"}),
    ),
)
