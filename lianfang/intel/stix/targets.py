"""What a reference may point at: a table of the standard's embedded relationships, and the one rule that reads it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

from lianfang.intel.stix.ids import Json, is_id, type_of
from lianfang.intel.stix.rule import Rule
from lianfang.intel.stix.schemas import DOMAIN, META, RELATIONSHIPS

Kinds = Callable[[str], bool]


def _of(*kinds: str) -> Kinds:
    return frozenset(kinds).__contains__


def _observable(kind: str) -> bool:
    """An observable, one that the standard does not know included."""
    return kind not in DOMAIN | META | RELATIONSHIPS and kind != "bundle"


def _observable_or_relationship(kind: str) -> bool:
    return kind not in DOMAIN | META and kind != "bundle"


def _anything(kind: str) -> bool:
    """A bundle is no object, and nothing points at it (§8.2)."""
    return kind != "bundle"


_ADDRESSES = _of("ipv4-addr", "ipv6-addr", "mac-addr", "domain-name")

_TABLE: tuple[tuple[str, str, Kinds], ...] = (
    ("grouping", "object_refs", _anything),
    ("note", "object_refs", _anything),
    ("opinion", "object_refs", _anything),
    ("report", "object_refs", _anything),
    ("observed-data", "object_refs", _observable_or_relationship),
    ("malware", "sample_refs", _of("artifact", "file")),
    ("malware", "operating_system_refs", _of("software")),
    ("malware-analysis", "analysis_sco_refs", _observable),
    ("malware-analysis", "host_vm_ref", _of("software")),
    ("malware-analysis", "operating_system_ref", _of("software")),
    ("malware-analysis", "installed_software_refs", _of("software")),
    ("malware-analysis", "sample_ref", _of("artifact", "file", "network-traffic")),
    ("sighting", "observed_data_refs", _of("observed-data")),
    ("sighting", "where_sighted_refs", _of("identity", "location")),
    ("directory", "contains_refs", _of("file", "directory")),
    ("domain-name", "resolves_to_refs", _of("ipv4-addr", "ipv6-addr", "domain-name")),
    ("email-addr", "belongs_to_ref", _of("user-account")),
    ("email-message", "from_ref", _of("email-addr")),
    ("email-message", "sender_ref", _of("email-addr")),
    ("email-message", "to_refs", _of("email-addr")),
    ("email-message", "cc_refs", _of("email-addr")),
    ("email-message", "bcc_refs", _of("email-addr")),
    ("email-message", "raw_email_ref", _of("artifact")),
    ("email-message", "body_multipart.*.body_raw_ref", _of("artifact", "file")),
    ("file", "parent_directory_ref", _of("directory")),
    ("file", "contains_refs", _observable),
    ("file", "content_ref", _of("artifact")),
    ("file", "extensions.archive-ext.contains_refs", _of("file", "directory")),
    ("ipv4-addr", "resolves_to_refs", _of("mac-addr")),
    ("ipv4-addr", "belongs_to_refs", _of("autonomous-system")),
    ("ipv6-addr", "resolves_to_refs", _of("mac-addr")),
    ("ipv6-addr", "belongs_to_refs", _of("autonomous-system")),
    ("network-traffic", "src_ref", _ADDRESSES),
    ("network-traffic", "dst_ref", _ADDRESSES),
    ("network-traffic", "src_payload_ref", _of("artifact")),
    ("network-traffic", "dst_payload_ref", _of("artifact")),
    ("network-traffic", "encapsulates_refs", _of("network-traffic")),
    ("network-traffic", "encapsulated_by_ref", _of("network-traffic")),
    ("network-traffic", "extensions.http-request-ext.message_body_data_ref", _of("artifact")),
    ("process", "opened_connection_refs", _of("network-traffic")),
    ("process", "creator_user_ref", _of("user-account")),
    ("process", "image_ref", _of("file")),
    ("process", "parent_ref", _of("process")),
    ("process", "child_refs", _of("process")),
    ("process", "extensions.windows-service-ext.service_dll_refs", _of("file")),
    ("windows-registry-key", "creator_user_ref", _of("user-account")),
)
"""Type, path (`*` = each of a list), and which types may stand there; from the tables of sections 4 to 6."""


@lru_cache(maxsize=256)
def _paths(kind: str) -> tuple[tuple[tuple[str, ...], Kinds], ...]:
    return tuple((tuple(path.split(".")), kinds) for owner, path, kinds in _TABLE if owner == kind)


def wrong_target(value: Json, *, named: Callable[[str], str] | None = None) -> str | None:
    """Return the first reference that points at a type which may not stand there, or at none.

    `named` tells the type behind a local name in an observable container; without it references are ids.
    """
    for path, allowed in _paths(value["type"]):
        if path[0] not in value:
            continue
        for where, ref in _at(value, path, ""):
            kind = (type_of(ref) if is_id(ref) else "") if named is None else named(ref)
            if not kind or not allowed(kind):
                return where
    return None


def _at(node: Any, path: tuple[str, ...], where: str) -> Iterator[tuple[str, str]]:
    if not path:
        for place, ref in enumerate(node) if isinstance(node, list) else ():
            if isinstance(ref, str):
                yield f"{where}.[{place}]"[1:], ref
        if isinstance(node, str):
            yield where[1:], node
    elif path[0] == "*":
        for place, child in enumerate(node) if isinstance(node, list) else ():
            yield from _at(child, path[1:], f"{where}.[{place}]")
    elif isinstance(node, dict) and path[0] in node:
        yield from _at(node[path[0]], path[1:], f"{where}.{path[0]}")


RULES = (
    Rule(
        "target",
        "",
        wrong_target,
        "參照的不是這裡可以指的物件型別。",
        "The reference is no id of a type that may stand here.",
        on=tuple(dict.fromkeys(path.partition(".")[0] for _, path, _ in _TABLE)),
        types=frozenset(owner for owner, _, _ in _TABLE),
    ),
)
