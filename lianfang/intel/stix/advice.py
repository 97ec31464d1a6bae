"""What the standard recommends (SHOULD): told afterwards to who wrote the object, never a reason to refuse it.

Only objects that passed `check` are looked at, so that what the standard gives their type has its shape. Each check
is linear in the object. What is told names a place, never a value: a result is read by colleagues who may not read the
object.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from lianfang.intel import markings
from lianfang.intel.stix import values
from lianfang.intel.stix.common import is_observable
from lianfang.intel.stix.deterministic import deterministic_id
from lianfang.intel.stix.ids import Json, type_of, uuid_version
from lianfang.intel.stix.marks import WELL_KNOWN
from lianfang.intel.stix.rule import section_of
from lianfang.intel.stix.schemas import DOMAIN, HASHES, OBSERVABLES, properties
from lianfang.intel.stix.vocabularies import COUNTRIES, SUGGESTED, VOCABULARIES
from lianfang.kernel.text import Bilingual

MOST = 50
"""How much is told of one object."""

_HASHES_OF = ("hashes", "file_header_hashes")
_COMMON_VERBS = frozenset({"derived-from", "duplicate-of", "related-to"})
_PREDEFINED = frozenset({
    "archive-ext", "ntfs-ext", "pdf-ext", "raster-image-ext", "windows-pebinary-ext", "http-request-ext", "icmp-ext",
    "socket-ext", "tcp-ext", "windows-process-ext", "windows-service-ext", "unix-account-ext",
})  # fmt: skip
_KILL_CHAINS = frozenset({"attack-pattern", "indicator", "infrastructure", "malware", "tool"})
"""The types that have phases; elsewhere a property of that name may have any shape."""
_NEW = frozenset({"new-sdo", "new-sco", "new-sro"})


@dataclass(frozen=True, slots=True)
class Advice:
    """One recommendation that an object does not follow."""

    rule: str
    clause: str
    field: str
    reason: Bilingual


@dataclass(frozen=True, slots=True)
class Should:
    """One SHOULD of the standard: `find` yields the properties that do not follow it."""

    id: str
    section: str
    """Empty: that of the object's type."""
    find: Callable[[Json], Iterator[str]]
    zh: str
    en: str
    types: frozenset[str] = frozenset()
    """Types it is about; empty = all."""

    def of(self, value: Json) -> Iterator[Advice]:
        """Yield what it says about an object."""
        section = self.section or section_of(value["type"])
        for where in self.find(value):
            yield Advice(f"should-{self.id}", f"STIX 2.1 §{section}", where[:250], Bilingual(zh=self.zh, en=self.en))


def advice(value: Json) -> list[Advice]:
    """Return what the standard recommends and this object, which passed `check`, does not do."""
    kind = value["type"]
    told = (one for rule in SHOULDS if not rule.types or kind in rule.types for one in rule.of(value))
    return list(islice(told, MOST))


def _terms(value: Json) -> Iterator[tuple[str, str, frozenset[str]]]:
    for (kind, name), vocabulary in VOCABULARIES.items():
        if kind == value["type"] and name in value:
            said = value[name]
            for place, term in enumerate(said) if isinstance(said, list) else ((None, said),):
                if isinstance(term, str):
                    yield (name if place is None else f"{name}.[{place}]"), term, vocabulary


def _outside_vocabulary(value: Json) -> Iterator[str]:
    return (where for where, term, vocabulary in _terms(value) if term not in vocabulary)


def _badly_written_term(value: Json) -> Iterator[str]:
    return (where for where, term, vocabulary in _terms(value) if term not in vocabulary and not _is_term(term))


def _is_term(term: str) -> bool:
    return term == term.lower() and "_" not in term and " " not in term


def _unusual_triple(value: Json) -> Iterator[str]:
    source, verb, target = type_of(value["source_ref"]), value["relationship_type"], type_of(value["target_ref"])
    known = DOMAIN | OBSERVABLES
    if verb in _COMMON_VERBS:
        if verb != "related-to" and source != target:
            yield "target_ref"
    elif source in known and target in known and target not in SUGGESTED.get((source, verb), ()):
        yield "relationship_type"


def _bare_indicator(value: Json) -> Iterator[str]:
    return (name for name in ("name", "description", "indicator_types") if name not in value)


def _badly_named_phase(value: Json) -> Iterator[str]:
    for place, phase in enumerate(value.get("kill_chain_phases", ())):
        for name in ("kill_chain_name", "phase_name"):
            if not _is_term(phase[name]):
                yield f"kill_chain_phases.[{place}].{name}"


def _walk(node: Any, where: str = "") -> Iterator[tuple[str, str, Any]]:
    """Yield (path, name, value) of every property at any depth; nesting is limited where bytes are read."""
    if isinstance(node, dict):
        for name, child in node.items():
            path = f"{where}.{name}" if where else name
            yield path, name, child
            yield from _walk(child, path)
    elif isinstance(node, list):
        for place, child in enumerate(node):
            yield from _walk(child, f"{where}.[{place}]")


def _unknown_hash(value: Json) -> Iterator[str]:
    for path, name, child in _walk(value):
        if name in _HASHES_OF and isinstance(child, dict):
            yield from (f"{path}.{one}" for one in child if one not in HASHES and not one.startswith("x_"))


def _large_hex(value: Json) -> Iterator[str]:
    for path, name, child in _walk(value):
        if name.endswith("_hex") and isinstance(child, str) and child != child.lower():
            yield path


def _reference_without_hash(value: Json) -> Iterator[str]:
    # What the standard does not give an observable may have any shape there.
    for place, reference in enumerate(() if is_observable(value) else value.get("external_references", ())):
        if "url" in reference and "hashes" not in reference:
            yield f"external_references.[{place}].url"


def _bare_extension(value: Json) -> Iterator[str]:
    if "description" not in value:
        yield "description"
    if "toplevel-property-extension" in value["extension_types"] and "extension_properties" not in value:
        yield "extension_properties"


def _kinds(value: Json) -> set[str]:
    return {str(each.get("extension_type", "")) for each in value.get("extensions", {}).values()}


def _custom_names(value: Json) -> Iterator[str]:
    """Names that a later version of the standard may give another meaning: without extension and without prefix."""
    known, extended = properties(value["type"]), _kinds(value)
    if not known:
        if not extended & _NEW and not value["type"].startswith("x-"):
            yield "type"
    elif "toplevel-property-extension" not in extended:
        yield from (name for name in value if name not in known and not name.startswith("x_"))
    for key in value.get("extensions", ()):
        if key.endswith("-ext") and key not in _PREDEFINED and not key.startswith("x-"):
            yield f"extensions.{key}"


def _customised(value: Json) -> Iterator[str]:
    """Customs of the old way (§11), which extension definitions have replaced."""
    known, extended = properties(value["type"]), _kinds(value)
    if not known:
        if not extended & _NEW and value["type"].startswith("x-"):
            yield "type"
    elif "toplevel-property-extension" not in extended:
        yield from (name for name in value if name not in known and name.startswith("x_"))


def _unusual_uuid(value: Json) -> Iterator[str]:
    if value["type"] == "process":
        return
    wanted = "5" if is_observable(value) else "4"
    if uuid_version(value["id"]) != wanted and not (wanted == "5" and _nothing_to_make_from(value)):
        yield "id"


def _nothing_to_make_from(value: Json) -> bool:
    return value["type"] in OBSERVABLES and deterministic_id(value) is None


def _false_id(value: Json) -> Iterator[str]:
    if uuid_version(value["id"]) == "5":
        made = deterministic_id(value)
        if made is not None and made != value["id"]:
            yield "id"


def _deprecated(value: Json) -> Iterator[str]:
    if "objects" in value:
        yield "objects"


def _unknown_country(value: Json) -> Iterator[str]:
    if "country" in value and value["country"].upper() not in COUNTRIES:
        yield "country"


def _no_ports(value: Json) -> Iterator[str]:
    return (name for name in ("src_port", "dst_port") if name not in value)


def _priority(value: Json) -> Iterator[str]:
    extension = value.get("extensions", {}).get("windows-process-ext", {})
    if not extension.get("priority", "_CLASS").endswith("_CLASS"):
        yield "extensions.windows-process-ext.priority"


def _product(value: Json) -> Iterator[str]:
    if not _is_term(value["product"]):
        yield "product"


def _single_header(value: Json) -> Iterator[str]:
    headers = value.get("additional_header_fields", {})
    return (f"additional_header_fields.{name}" for name, said in headers.items() if isinstance(said, str))


def _own_marking(value: Json) -> Iterator[str]:
    if "extensions" not in value and value.get("definition_type") != "statement" and value["id"] not in markings.KNOWN:
        yield "definition_type"


def _home_made_tlp(value: Json) -> Iterator[str]:
    for place, marking in enumerate(value.get("object_marking_refs", ())):
        if marking in markings.OPENCTI:
            yield f"object_marking_refs.[{place}]"


def _other_words(value: Json) -> Iterator[str]:
    known = WELL_KNOWN.get(value["id"])
    if known is not None and value != known:
        yield from islice((name for name in (*known, *value) if value.get(name) != known.get(name)), 1)


def _odd_media_type(value: Json) -> Iterator[str]:
    if "mime_type" in value and not values.is_media_type(value["mime_type"]):
        yield "mime_type"


def _says_nothing(value: Json) -> Iterator[str]:
    return (name for name, said in value.items() if said == "" and name not in ("value", "pattern"))


SHOULDS = (
    Should("vocabulary", "2.14", _outside_vocabulary, "不在標準建議的詞彙內，其他系統可能看不懂。",
           "Not in the vocabulary that the standard suggests; other systems may not understand it."),
    Should("term", "2.14", _badly_written_term, "自訂的詞彙宜全部小寫，以連字號分隔。",
           "A term of one's own should be in lower case with hyphens between words."),
    Should("relationship", "3.7", _unusual_triple, "這兩種物件之間，標準沒有建議這種關聯。",
           "The standard suggests no such relationship between these two types.", frozenset({"relationship"})),
    Should("indicator", "4.7", _bare_indicator, "指標宜有名稱、說明與類別，收到的人才知道在找什麼。",
           "An indicator should have a name, a description and its types, so that readers know what it finds.",
           frozenset({"indicator"})),
    Should("kill-chain", "2.11", _badly_named_phase, "殺傷鏈與階段的名稱宜全部小寫，以連字號分隔。",
           "Names of kill chains and phases should be in lower case with hyphens between words.", _KILL_CHAINS),
    Should("hash", "2.7", _unknown_hash,
           "雜湊演算法宜用標準的名稱：MD5、SHA-1、SHA-256、SHA-512、SHA3-256、SHA3-512、SSDEEP、TLSH。",
           "Hash algorithms should be called as the standard does: MD5, SHA-1, SHA-256, SHA-512, SHA3-256, SHA3-512,"
           " SSDEEP, TLSH."),
    Should("hex", "2.8", _large_hex, "十六進位數字應為小寫。", "Hexadecimal digits are to be in lower case."),
    Should("reference-hash", "2.5", _reference_without_hash, "有網址的外部參考宜附上雜湊值，才知道內容是否變過。",
           "An external reference with a URL should carry hashes, which tell whether the page has changed."),
    Should("extension", "7.3.1", _bare_extension, "擴充定義宜有說明；新增頂層屬性者宜列出屬性名稱。",
           "An extension definition should have a description, and name the top-level properties that it adds.",
           frozenset({"extension-definition"})),
    Should("prefix", "11.1", _custom_names, "自訂的名稱沒有擴充定義，也沒有x_或x-開頭，標準的後續版本可能另作他用。",
           "A name of one's own without an extension definition should begin with x_ or x-: a later version of the"
           " standard may use it."),
    Should("custom", "11", _customised, "自訂的型別與屬性宜改用擴充定義（extension-definition）。",
           "Types and properties of one's own should be made with an extension definition."),
    Should("uuid", "2.9", _unusual_uuid, "觀測物件的id宜為依內容計算的UUID第5版，其他物件宜為第4版。",
           "Observables should have a UUID of version 5 that follows from their content, all others one of version 4."),
    Should("made-id", "2.9", _false_id, "id是UUID第5版，但與依內容計算的不同；同樣的東西在別處會有另一個id。",
           "The id is a UUID of version 5, but not the one that follows from the content; elsewhere the same thing will"
           " have another id."),
    Should("container", "2.13", _deprecated, "objects已不建議使用，宜改用object_refs。",
           "`objects` is deprecated; use `object_refs`.", frozenset({"observed-data"})),
    Should("country", "4.10", _unknown_country, "國家宜用ISO 3166-1的兩碼代號，例如TW。",
           "A country should be told by its two letters of ISO 3166-1, such as TW.", frozenset({"location"})),
    Should("ports", "6.12", _no_ports, "網路流量宜有來源埠與目的埠。",
           "Network traffic should tell its source port and its destination port.", frozenset({"network-traffic"})),
    Should("priority", "6.13.2", _priority, "優先權宜以_CLASS結尾。", "A priority should end in _CLASS.",
           frozenset({"process"})),
    Should("product", "4.12", _product, "產品名稱宜全部小寫，以連字號分隔。",
           "The name of a product should be in lower case with hyphens between words.",
           frozenset({"malware-analysis"})),
    Should("header", "6.6.1", _single_header, "郵件標頭的值應一律寫成陣列。",
           "The value of a mail header is to be a list, even where the header stands once.",
           frozenset({"email-message"})),
    Should("media-type", "6.7", _odd_media_type, "mime_type宜寫成「類型/子類型」。",
           "`mime_type` should be written type/subtype.", frozenset({"file"})),
    Should("marking", "7.2.1", _own_marking, "新的標示宜用擴充定義，不用自訂的definition_type。",
           "A new kind of marking should be made with an extension, not with a `definition_type` of one's own.",
           frozenset({"marking-definition"})),
    Should("tlp", "7.2.1.4", _home_made_tlp, "TLP:AMBER+STRICT宜引用OASIS的標示定義，這個id只有部分系統認得。",
           "TLP:AMBER+STRICT should be marked with the definition of OASIS; only some systems know this id."),
    Should("tlp-definition", "7.2.1.4", _other_words, "TLP的標示定義應與標準（或OASIS的TLP 2.0擴充）所列的完全相同。",
           "A definition of TLP should be that of the standard, or of OASIS's extension for TLP 2.0, word for word.",
           frozenset({"marking-definition"})),
    Should("empty-text", "2.15", _says_nothing, "屬性是空字串；沒有內容就不要寫。",
           "An empty text; a property that says nothing should be left out."),
)  # fmt: skip
"""In the order in which they are told."""
