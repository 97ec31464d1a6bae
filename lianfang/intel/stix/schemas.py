"""The schemas of OASIS: a closed registry, nothing fetched, and what they say wrongly undone in memory.

The files lie in `lianfang/intel/schemas` as they are published. The standard is normative and the schemas are not
(STIX 2.1 §1.2.12): `_mend` lists where they refuse what it allows, or say it so that nobody could be told why; a rule
looks instead, or nothing has to.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import jsonschema_rs
import orjson

SCHEMAS = Path(__file__).parent.parent / "schemas"
_FOLDERS = ("sdos", "sros", "observables")
_COMMON = ("marking-definition", "language-content", "extension-definition")
CORES = ("core", "cyber-observable-core")

OBSERVABLES = frozenset(path.stem for path in (SCHEMAS / "observables").glob("*.json"))
"""The types of cyber-observable objects, whose ids follow from their content."""
RELATIONSHIPS = frozenset({"relationship", "sighting"})
META = frozenset(_COMMON)
DOMAIN = frozenset(path.stem for path in (SCHEMAS / "sdos").glob("*.json"))

HASHES = ("MD5", "SHA-1", "SHA-256", "SHA-512", "SHA3-256", "SHA3-512", "SSDEEP", "TLSH")
"""The vocabulary of hash algorithms (§10.7), in the standard's order of preference for the first four."""


@lru_cache(maxsize=1)
def documents() -> dict[Path, Any]:
    """Return the schemas as they are used here."""
    return {path: _mend(path.stem, orjson.loads(path.read_bytes())) for path in sorted(SCHEMAS.glob("*/*.json"))}


@lru_cache(maxsize=256)
def properties(kind: str) -> frozenset[str]:
    """Return the properties that the specification gives a type; empty for a type that it does not know."""
    if kind not in validators() or kind in CORES:
        return frozenset()
    by_name = {path.stem: document for path, document in documents().items()}
    names: set[str] = set()
    for part in (by_name[kind], *by_name[kind].get("allOf", ()), *by_name[kind].get("oneOf", ())):
        names |= part.get("properties", {}).keys()
        inherited = str(part.get("$ref", "")).rpartition("/")[2].removesuffix(".json")
        if inherited in CORES:
            names |= by_name[inherited]["properties"].keys()
    # Said one level deeper in the schema of markings, and nowhere for these two.
    return frozenset(names | {"id", "type", "definition", "definition_type"})


@lru_cache(maxsize=1)
def validators() -> dict[str, jsonschema_rs.Draft202012Validator]:
    """Return the compiled schema of each type; compiled once, read by all threads."""
    found = documents()
    registry = jsonschema_rs.Registry(
        [(document["$id"], document) for document in found.values()], retriever=nothing_is_fetched
    )
    made = {}
    for path, document in found.items():
        if path.parent.name in _FOLDERS or path.stem in _COMMON or path.stem in CORES:
            made[path.stem] = jsonschema_rs.Draft202012Validator(document, registry=registry, offline=True)
    return made


def schema_for(value: dict[str, Any]) -> str:
    """Return the name of the schema that an object has to fit.

    A type that the standard does not know fits what all domain objects have, or what all observables have: as its
    extension says, else by whether it has a time of creation.
    """
    kind: str = value["type"]
    if kind in validators() and kind not in CORES:
        return kind
    extensions = value.get("extensions")
    for extension in extensions.values() if isinstance(extensions, dict) else ():
        match extension.get("extension_type") if isinstance(extension, dict) else "":
            case "new-sco":
                return "cyber-observable-core"
            case "new-sdo" | "new-sro":
                return "core"
    return "core" if "created" in value else "cyber-observable-core"


def nothing_is_fetched(uri: str) -> Any:
    """Refuse to follow a reference out of the registry."""
    raise ValueError(f"schema {uri} is not among ours")


# -- what the published schemas say wrongly ----------------------------------------------------------------------------

_REPLACED = (
    # RFC 9562 knows eight versions of UUID.
    (b"-[1-5][0-9a-fA-F]{3}-[89abAB]", b"-[1-8][0-9a-fA-F]{3}-[89abAB]"),
    # Alternatives that are anchored at one end only take whatever begins or ends so.
    (b"^([a-z][a-z0-9_]{2,249})|id$", b"^([a-z][a-z0-9_]{2,249}|id)$"),
    (b"^(statement)|(tlp)$", b"^(statement|tlp)$"),
    (
        b"^lpDesktop|lpTitle|dwFillAttribute|dwFlags|wShowWindow|hStdInput|hStdOutput|hStdError$",
        b"^(lpDesktop|lpTitle|dwFillAttribute|dwFlags|wShowWindow|hStdInput|hStdOutput|hStdError)$",
    ),
    (b"^lpReserved|lpReserved2$", b"^(lpReserved|lpReserved2)$"),
    (
        b"^cb|dwX|dwY|dwXSize|dwYSize|dwXCountChars|dwYCountChars$",
        b"^(cb|dwX|dwY|dwXSize|dwYSize|dwXCountChars|dwYCountChars)$",
    ),
    # TLSH is written with its version in front now, SSDEEP is longer than 128 characters where both halves are full.
    (b"^[a-zA-Z0-9]{70}$", b"^(T1)?[a-fA-F0-9]{70}$"),
    (b"^[a-zA-Z0-9/+:.]{1,128}$", b"^[a-zA-Z0-9/+:.]{1,160}$"),
)


def _mend(name: str, document: Any) -> Any:
    text = orjson.dumps(document)
    for wrong, right in _REPLACED:
        text = text.replace(orjson.dumps(wrong.decode())[1:-1], orjson.dumps(right.decode())[1:-1])
    mended = orjson.loads(text)
    if name in _MENDS:
        _MENDS[name](mended)
    return mended


def _core(document: Any) -> None:
    """Rules `type` and `reserved` look first: they can say what is wrong."""
    del document["properties"]["type"]["pattern"], document["properties"]["type"]["not"], document["not"]


def _external_reference(document: Any) -> None:
    """Any source may name a CVE; only what a vulnerability says of itself has a form (rule `external`)."""
    text = {"type": "string"}
    del document["oneOf"]
    document["properties"] |= {"source_name": text, "description": text, "external_id": text}
    document["properties"]["hashes"]["allOf"][1] = {"propertyNames": {"enum": list(HASHES)}}
    document["required"] = ["source_name"]
    document["anyOf"] = [{"required": [one]} for one in ("external_id", "description", "url")]


def _granular_marking(document: Any) -> None:
    """A language may be marked (rule `granular`), and keys of dictionaries may be selected: `hashes.SHA-256`."""
    document["required"] = ["selectors"]
    document["properties"]["selectors"]["items"]["pattern"] = (
        r"^([a-z0-9_-]{3,249}(\.(\[\d+\]|[a-zA-Z0-9_-]{1,250}))*|id)$"
    )


def _observed_data(document: Any) -> None:
    """Objects in a container need no id of their own, and may be those of STIX 2.0: rule `container` looks at each."""
    own = document["allOf"][1]["properties"]
    own["objects"] = {
        "type": "object",
        "minProperties": 1,
        "additionalProperties": {"type": "object", "required": ["type"], "properties": {"type": {"type": "string"}}},
    }
    own["object_refs"]["items"] = {"$ref": "../common/identifier.json"}


def _email_message(document: Any) -> None:
    """A header that stands once is a list of one."""
    headers = document["definitions"]["email-additional-header-fields"]
    del headers["not"]
    headers["patternProperties"] = {
        "^[a-zA-Z0-9_-]{0,250}$": {
            "anyOf": [{"type": "array", "items": {"type": "string"}, "minItems": 1}, {"type": "string"}]
        }
    }


def _artifact(document: Any) -> None:
    """Rule `mime` looks: there are more kinds than ten, and something has to follow the last of them."""
    del document["allOf"][1]["properties"]["mime_type"]["pattern"]


def _process(document: Any) -> None:
    document["anyOf"].append({"required": ["created_time"]})


def _registry_key(document: Any) -> None:
    """Rule `hive` looks: `not ^HKLM|HKCC|…` refused every key with HKU anywhere in it."""
    document["anyOf"].append({"required": ["modified_time"]})
    del document["allOf"][1]["properties"]["key"]["not"]


def _software(document: Any) -> None:
    """Rules `cpe` and `language` look: the one expression has no end, the other knows no `zh-Hant`."""
    own = document["allOf"][1]["properties"]
    del own["cpe"]["pattern"], own["languages"]["items"]["pattern"]


def _without_pattern(name: str) -> Callable[[Any], None]:
    def mend(document: Any) -> None:
        del document["allOf"][1]["properties"][name]["pattern"]

    return mend


_MENDS: dict[str, Callable[[Any], None]] = {
    "core": _core,
    "cyber-observable-core": _core,
    "external-reference": _external_reference,
    "granular-marking": _granular_marking,
    "observed-data": _observed_data,
    "email-message": _email_message,
    "artifact": _artifact,
    "process": _process,
    "windows-registry-key": _registry_key,
    "software": _software,
    "directory": _without_pattern("path_enc"),  # rule `encoding`: four registered names have brackets
    "file": _without_pattern("name_enc"),
    "ipv6-addr": _without_pattern("value"),  # rule `address`: the expression lost its backslashes
}
