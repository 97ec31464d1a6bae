"""The ids of observables that follow from their content (STIX 2.1 §2.9, §3.4)."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid5

from lianfang.intel.stix.ids import Json
from lianfang.kernel.canonical import canonical

NAMESPACE = UUID("00abedb4-aa42-466c-9c01-fed23315a9b7")

CONTRIBUTING: dict[str, tuple[str, ...]] = {
    "artifact": ("hashes", "payload_bin"),
    "autonomous-system": ("number",),
    "directory": ("path",),
    "domain-name": ("value",),
    "email-addr": ("value",),
    "email-message": ("from_ref", "subject", "body"),
    "file": ("hashes", "name", "extensions", "parent_directory_ref"),
    "ipv4-addr": ("value",),
    "ipv6-addr": ("value",),
    "mac-addr": ("value",),
    "mutex": ("name",),
    "network-traffic": (
        "start", "end", "src_ref", "dst_ref", "src_port", "dst_port", "protocols", "extensions",
    ),
    "process": (),
    "software": ("name", "cpe", "swid", "vendor", "version"),
    "url": ("value",),
    "user-account": ("account_type", "user_id", "account_login"),
    "windows-registry-key": ("key", "values"),
    "x509-certificate": ("hashes", "serial_number"),
}  # fmt: skip
"""Which properties an id is made from, by type."""
_PREFERRED = ("MD5", "SHA-1", "SHA-256", "SHA-512")


def contributes(value: Json) -> bool:
    """Return whether the object holds anything that an id could be made from."""
    return any(name in value for name in CONTRIBUTING.get(value["type"], ()))


def deterministic_id(value: Json) -> str | None:
    """Return the id that follows from an observable's content; None where the standard makes none.

    Text is taken as it stands: `Example.COM` and `example.com` have two ids. Raises ValueError for a number that no
    double holds exactly.
    """
    kind = value["type"]
    part: dict[str, Any] = {name: value[name] for name in CONTRIBUTING.get(kind, ()) if name in value}
    if isinstance(part.get("hashes"), dict):
        # One hash alone, so that who knows more of them arrives at the same id.
        hashes = part["hashes"]
        chosen = next((name for name in _PREFERRED if name in hashes), None) or next(iter(hashes))
        part["hashes"] = {chosen: hashes[chosen]}
    return f"{kind}--{uuid5(NAMESPACE, canonical(part).decode())}" if part else None
