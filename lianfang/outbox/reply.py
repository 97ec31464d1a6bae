"""The address under which a mail about a case is answered: the centre's own, with the case and a key nobody guesses.

    centre+a-2026-0012.mfrggzdfmztwq2lknnwg23tp@example.org

Sub-addressing (RFC 5233) needs nothing of the mail server but to deliver `centre+anything` to the mailbox of `centre`.
The key is an HMAC under the installation's own secret: it stands in no table; every mail of a case carries the same.
"""

from __future__ import annotations

import base64
import hmac
import re

from django.conf import settings

from lianfang.vault import blind

_NUMBER = re.compile(r"[a-z]-[0-9]{4}-[0-9]{4,8}")
_KEY_BYTES = 15


def case_address(number: str) -> str:
    """Return where answers about a case go; empty when no mailbox is set up, or for what is no number of a case."""
    base, _, domain = settings.INBOUND_ADDRESS.rpartition("@")
    if not base or not _NUMBER.fullmatch(number.lower()):
        return ""
    return f"{base}+{number.lower()}.{_key(number)}@{domain}"


def service_address(name: str) -> str:
    """Return the address of a procedure, such as `centre+changes@…`; of the centre itself for an empty name."""
    base, _, domain = settings.INBOUND_ADDRESS.rpartition("@")
    if not base:
        return ""
    return f"{base}+{name}@{domain}" if name else f"{base}@{domain}"


def detail_of(address: str) -> str | None:
    """Return what stands behind the `+` in an address of ours, empty without one; None for anybody else's address."""
    base, _, domain = settings.INBOUND_ADDRESS.lower().rpartition("@")
    local, _, host = address.lower().rpartition("@")
    name, plus, detail = local.partition("+")
    if not base or host != domain or name != base:
        return None
    return detail if plus else ""


def case_of(detail: str) -> str | None:
    """Return the number of the case if the key is its own; None for a wrong key, or for what is none."""
    number, _, key = detail.partition(".")
    if not _NUMBER.fullmatch(number):
        return None
    return number.upper() if hmac.compare_digest(_key(number).encode(), key.encode("utf-8", "replace")) else None


def _key(number: str) -> str:
    made = blind.index("outbox.reply", number.upper())[:_KEY_BYTES]
    return base64.b32encode(made).decode().lower()
