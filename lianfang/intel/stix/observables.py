"""Rules of cyber-observable objects, and of those that stand inside observed data (deprecated, §2.13)."""

from __future__ import annotations

from lianfang.intel.stix import common, values
from lianfang.intel.stix.charsets import CHARSETS
from lianfang.intel.stix.deterministic import CONTRIBUTING, contributes, deterministic_id
from lianfang.intel.stix.ids import TYPE, Json, is_id, uuid_version
from lianfang.intel.stix.rule import Rule, planner
from lianfang.intel.stix.schemas import OBSERVABLES, validators
from lianfang.intel.stix.targets import wrong_target
from lianfang.intel.stix.unfit import Unfit
from lianfang.kernel.refusal import Refusal
from lianfang.kernel.text import Bilingual

_ALL_OPTIONAL = frozenset({
    "artifact", "email-message", "process", "user-account", "windows-registry-key", "x509-certificate",
})  # fmt: skip
"""Types whose contributing properties may all be absent; an id made from nothing would be one for all of them."""
_ENCODINGS = ("path_enc", "name_enc")
_STAND_IN = "00000000-0000-4000-8000-000000000000"


def _bad_ipv6(value: Json) -> str | None:
    return None if values.is_ipv6(value["value"]) else "value"


def _bad_domain(value: Json) -> str | None:
    return None if value.get("defanged") is True or values.is_domain(value["value"]) else "value"


def _bad_mailbox(value: Json) -> str | None:
    return None if value.get("defanged") is True or values.is_mailbox(value["value"]) else "value"


def _bad_url(value: Json) -> str | None:
    return None if value.get("defanged") is True or values.is_url(value["value"]) else "value"


def _bad_hive(value: Json) -> str | None:
    return "key" if values.is_short_hive(value["key"]) else None


def _bad_charset(value: Json) -> str | None:
    return next((name for name in _ENCODINGS if name in value and value[name].lower() not in CHARSETS), None)


def _encodes_nothing(value: Json) -> str | None:
    return next((name for name in _ENCODINGS if name in value and name.removesuffix("_enc") not in value), None)


def _bad_media_type(value: Json) -> str | None:
    return None if values.is_media_type(value["mime_type"]) else "mime_type"


def _bad_cpe(value: Json) -> str | None:
    return None if values.is_cpe(value["cpe"]) else "cpe"


def _bad_software_language(value: Json) -> str | None:
    for place, tag in enumerate(value["languages"]):
        if not values.is_language(tag):
            return f"languages.[{place}]"
    return None


def _made_from_nothing(value: Json) -> str | None:
    return None if contributes(value) or uuid_version(value["id"]) == "4" else "id"


def _versions_of_all(value: Json) -> str | None:
    """Everybody arrives at this id, so nobody can say which version of it counts."""
    return "id" if value["type"] in CONTRIBUTING and value["id"] == deterministic_id(value) else None


_VALUES = (
    Rule("address", "6.9", _bad_ipv6, "不是IPv6位址。", "Not an IPv6 address.", types=frozenset({"ipv6-addr"})),
    Rule(
        "domain",
        "6.4",
        _bad_domain,
        "不是網域名稱；已去毒化（defanged）的寫法請加上defanged: true。",
        "Not a domain name; one that was made harmless needs `defanged` true.",
        types=frozenset({"domain-name"}),
    ),
    Rule(
        "mailbox",
        "6.5",
        _bad_mailbox,
        "不是單純的電子郵件地址；顯示名稱請放在display_name。",
        "Not an e-mail address alone; a name to display belongs into `display_name`.",
        types=frozenset({"email-addr"}),
    ),
    Rule(
        "url",
        "6.15",
        _bad_url,
        "不是網址：須有通訊協定（例如https:），且不得有空白；已去毒化（defanged）的寫法請加上defanged: true。",
        "Not a URL: it needs a scheme such as https: and no space; one that was made harmless needs `defanged` true.",
        types=frozenset({"url"}),
    ),
    Rule(
        "hive",
        "6.17",
        _bad_hive,
        "登錄機碼的根須寫全名，例如HKEY_LOCAL_MACHINE，不得用HKLM等縮寫。",
        "The hive of a registry key is written in full, such as HKEY_LOCAL_MACHINE, not HKLM.",
        on=("key",),
        types=frozenset({"windows-registry-key"}),
    ),
    Rule(
        "encoding",
        "3.9.1",
        _bad_charset,
        "編碼必須是IANA字元集登記的名稱，例如Big5、UTF-8。",
        "An encoding is told by its name in IANA's register of character sets, such as Big5 or UTF-8.",
        on=_ENCODINGS,
        types=frozenset({"directory", "file"}),
    ),
    Rule(
        "encoded",
        "3.1",
        _encodes_nothing,
        "有編碼的屬性，就要有它所說明的屬性。",
        "An encoding must not stand without the property that it is about.",
        on=_ENCODINGS,
        types=frozenset({"directory", "file"}),
    ),
    Rule(
        "mime",
        "6.1",
        _bad_media_type,
        "mime_type須寫成「類型/子類型」。",
        "`mime_type` is written type/subtype.",
        on=("mime_type",),
        types=frozenset({"artifact"}),
    ),
    Rule(
        "cpe",
        "6.14",
        _bad_cpe,
        "cpe須為CPE 2.3格式，例如cpe:2.3:a:廠商:產品:版本:*:*:*:*:*:*:*。",
        "`cpe` is a CPE 2.3 name, such as cpe:2.3:a:vendor:product:version:*:*:*:*:*:*:*.",
        on=("cpe",),
        types=frozenset({"software"}),
    ),
    Rule(
        "language",
        "6.14",
        _bad_software_language,
        "語言代碼必須符合RFC 5646，例如zh-TW、en。",
        "A language is told by a tag of RFC 5646, such as zh-TW or en.",
        on=("languages",),
        types=frozenset({"software"}),
    ),
)
_INNER = planner((*common.BEFORE, *common.RULES, *_VALUES))


def _bad_container(value: Json) -> str | Refusal | None:
    """Each object inside is looked at as one of its own; what it refers to stands beside it under that name."""
    inside = value["objects"]

    def named(key: str) -> str:
        other = inside.get(key)
        return other["type"] if isinstance(other, dict) else ""

    for key, each in inside.items():
        refusal = _inner(each)
        if refusal is None:
            where = wrong_target(each, named=named)
            if where is not None:
                return f"objects.{key}.{where}"
        elif isinstance(refusal, Unfit):
            return Unfit(refusal.value, refusal.schema, within=f"objects.{key}")
        else:
            field = f"objects.{key}.{refusal.field}".removesuffix(".")[:250]
            return Refusal(refusal.reason, rule=refusal.rule, clause=refusal.clause, field=field)
    return None


def _inner(value: Json) -> Refusal | None:
    kind = value["type"]
    if kind not in OBSERVABLES and (not TYPE.fullmatch(kind) or kind in ("bundle", "action")):
        return _NO_TYPE
    # The key under which it stands is its id; where it has one of its own as well, it is not looked at.
    whole = value if "id" in value and is_id(str(value["id"])) else {**value, "id": f"{kind}--{_STAND_IN}"}
    name = common.FIRST[-2].refusal(whole) or common.FIRST[-1].refusal(whole)
    if name is not None:
        return name
    schema = validators()[kind if kind in OBSERVABLES else "cyber-observable-core"]
    if not schema.is_valid(whole):
        return Unfit(whole, schema)
    return _INNER(kind).refusal(whole)


_NO_TYPE = Refusal(
    Bilingual(zh="type不是有效的STIX型別名稱。", en="`type` is not the name of a STIX type."),
    rule="stix-type",
    clause="STIX 2.1 §3.2",
    field="type",
)

RULES = (
    *_VALUES,
    Rule(
        "made-id",
        "2.9",
        _made_from_nothing,
        "沒有可用來計算id的屬性時（process一律如此），id必須是UUID第4版。",
        "Without a property that an id can be made from (a process has none), the id must be a UUID of version 4.",
        types=_ALL_OPTIONAL,
    ),
    Rule(
        "versioned",
        "3.6",
        _versions_of_all,
        "有版本（created、modified）的觀測物件不得使用依內容計算的id，以免與他人的相撞。",
        "An observable with versions (`created`, `modified`) must not have the id that follows from its content, which"
        " is everybody's.",
        on=("created", "modified"),
        types=OBSERVABLES,
    ),
    Rule(
        "container",
        "2.13",
        _bad_container,
        "觀測資料裡的參照指不到同一組內可以指的物件。",
        "A reference in observed data points at no object beside it that may stand there.",
        on=("objects",),
        types=frozenset({"observed-data"}),
    ),
)
