"""What a schema complains about, in words that name property and section."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jsonschema_rs import ValidationError

from lianfang.intel.stix.ids import Json
from lianfang.intel.stix.rule import section_of
from lianfang.kernel.refusal import Refusal
from lianfang.kernel.text import Bilingual

_LOOKED_AT = 20
_VAGUE = frozenset({"anyOf", "oneOf", "not"})
_COMMON = {
    "type": "3.2", "spec_version": "3.2", "id": "2.9", "created_by_ref": "3.2", "created": "3.2", "modified": "3.2",
    "revoked": "3.2", "labels": "3.2", "confidence": "3.2", "lang": "3.2", "external_references": "2.5",
    "object_marking_refs": "7.2.2", "granular_markings": "7.2.3", "defanged": "3.2", "extensions": "7.3",
    "kill_chain_phases": "2.11", "hashes": "2.7",
}  # fmt: skip
_NAMES = {
    "string": ("字串", "a string"),
    "integer": ("整數", "an integer"),
    "number": ("數值", "a number"),
    "boolean": ("true或false", "true or false"),
    "array": ("陣列", "a list"),
    "object": ("物件", "an object"),
    "null": ("null", "null"),
}
_TOGETHER: dict[str, tuple[str, str]] = {
    "location": (
        "至少要有region、country，或成對的latitude與longitude；precision須與經緯度並存。",
        "Give `region`, `country`, or `latitude` together with `longitude`; `precision` goes with those two only.",
    ),
    "malware": (
        "is_family必須是true或false；家族（true）要有name。",
        "`is_family` must be true or false; a family needs a `name`.",
    ),
    "malware-analysis": (
        "至少要有result或analysis_sco_refs。",
        "Give `result` or `analysis_sco_refs`.",
    ),
    "observed-data": (
        "objects與object_refs必須擇一。",
        "Give either `objects` or `object_refs`, not both.",
    ),
    "artifact": (
        "payload_bin與url擇一；有url就要有hashes；有decryption_key就要有encryption_algorithm。",
        "Give either `payload_bin` or `url` with `hashes`; `decryption_key` goes with `encryption_algorithm` only.",
    ),
    "email-message": (
        "is_multipart為false時用body，為true時用body_multipart。",
        "`is_multipart` false goes with `body`, true with `body_multipart`.",
    ),
    "file": ("至少要有hashes或name。", "Give `hashes` or `name`."),
    "network-traffic": (
        "至少要有src_ref或dst_ref；is_active為true時不得有end。",
        "Give `src_ref` or `dst_ref`; with `is_active` true there is no `end`.",
    ),
    "process": ("至少要有一個本型別的屬性。", "Give at least one property of this type."),
    "user-account": ("至少要有一個本型別的屬性。", "Give at least one property of this type."),
    "windows-registry-key": ("至少要有一個本型別的屬性。", "Give at least one property of this type."),
    "x509-certificate": ("至少要有一個本型別的屬性。", "Give at least one property of this type."),
    "marking-definition": (
        "沒有extensions時，必須有definition_type與definition，且兩者相符。",
        "Without `extensions` it needs `definition_type` and `definition`, and the two must fit together.",
    ),
    "extension-definition": (
        "extension_properties只能與toplevel-property-extension並用。",
        "`extension_properties` goes with `toplevel-property-extension` only.",
    ),
}
"""What has to stand together in a type, where the schema says it by alternatives."""


def refusal_of(value: Json, complaints: Sequence[ValidationError], *, longer: str = "", skipped: int = 0) -> Refusal:
    """Return the refusal that names the first plain fault; of alternatives only where nothing plainer is said.

    `longer` is a list that the schema was shown without its first `skipped` elements.
    """
    found = complaints[:_LOOKED_AT]
    fault = next((one for one in found if one.kind.name not in _VAGUE), found[0])
    path = list(fault.instance_path)
    if skipped and len(path) > 1 and path[0] == longer and isinstance(path[1], int):
        path[1] += skipped
    zh, en, inside = _words(value["type"], path, fault)
    field = _path_text(value, [*path, inside] if inside else path)
    return Refusal(
        Bilingual(zh=zh, en=en),
        rule="stix-schema",
        clause=f"STIX 2.1 §{_section(value['type'], [*path, inside], fault)}",
        field=field[:250],
    )


def section(kind: str, name: str) -> str:
    """Return the section about a property of a type."""
    return _COMMON.get(name, section_of(kind))


def _path_text(value: Any, path: list[str | int]) -> str:
    """Return a path as selectors of granular markings write it: `external_references.[0].url`.

    The path itself does not tell a place in a list from a key of digits; the value does.
    """
    written: list[str] = []
    node = value
    for step in path:
        if isinstance(node, list) and isinstance(step, int):
            written.append(f"[{step}]")
            node = node[step] if step < len(node) else None
        else:
            written.append(str(step))
            node = node.get(str(step)) if isinstance(node, dict) else None
    return ".".join(written)


def _section(kind: str, path: list[Any], fault: ValidationError) -> str:
    if fault.kind.name == "pattern" and "[0-9]{4}-(0[1-9]|1[012])" in str(getattr(fault.kind, "pattern", "")):
        return "2.16"
    return section(kind, str(path[0]) if path else "")


def _words(kind: str, path: list[Any], fault: ValidationError) -> tuple[str, str, str]:
    """(Chinese, English, name of the property below the path that is at fault)."""
    said: Any = fault.kind
    match said.name:
        case "required":
            return f"缺少必要屬性「{said.property}」。", f"The property `{said.property}` is required.", said.property
        case "additionalProperties":
            name = str(said.unexpected[0])[:100]
            return f"這裡不能有「{name}」。", f"There must be no `{name}` here.", name
        case "type":
            zh, en = zip(*(_NAMES.get(one, (one, one)) for one in said.types), strict=True)
            return f"必須是{'或'.join(zh)}。", f"Must be {' or '.join(en)}.", ""
        case "enum":
            options = [str(one) for one in said.options][:30]
            return f"必須是下列之一：{'、'.join(options)}。", f"Must be one of: {', '.join(options)}.", ""
        case "minimum" | "exclusiveMinimum":
            return f"不得小於{said.limit}。", f"Must not be less than {said.limit}.", ""
        case "maximum" | "exclusiveMaximum":
            return f"不得大於{said.limit}。", f"Must not be more than {said.limit}.", ""
        case "pattern":
            return _form(said)
        case "propertyNames":
            return (
                f"鍵名不符：{said.error.message[:200]}",
                f"The name of a key is wrong: {said.error.message[:200]}",
                "",
            )
        case name if name in _VAGUE and not path and kind in _TOGETHER:
            return *_TOGETHER[kind], ""
    if path and path[0] == "external_references" and said.name in _VAGUE:
        return (
            "外部參考要有source_name，以及description、url、external_id至少一項。",
            "An external reference needs `source_name` and one of `description`, `url`, `external_id`.",
            "",
        )
    return "不符合STIX 2.1綱要。", f"Does not fit the STIX 2.1 schema: {fault.message[:300]}", ""


def _form(said: Any) -> tuple[str, str, str]:
    pattern = str(said.pattern)
    if "[0-9]{4}-(0[1-9]|1[012])" in pattern:
        return (
            "時間格式須為「年-月-日T時:分:秒Z」，例如2026-11-24T01:00:00.000Z。",
            "Times are written YYYY-MM-DDTHH:MM:SSZ, such as 2026-11-24T01:00:00.000Z.",
            "",
        )
    if pattern.startswith("T\\d{2}") and pattern.endswith("{3,}Z$"):
        return (
            "created與modified至少要寫到毫秒，例如2026-11-24T01:00:00.000Z。",
            "`created` and `modified` are written to the millisecond at least, such as 2026-11-24T01:00:00.000Z.",
            "",
        )
    return "格式不符合標準。", f"Does not have the form of the standard: {pattern[:200]}", ""
