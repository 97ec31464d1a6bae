"""Sealing: AES-256-GCM under the key of one data subject, bound to the place where the value stands.

Wire format of a sealed value: 0x01, the 16 bytes of the subject key's id, 12 bytes nonce, ciphertext and tag. The
additional data is `table|column|primary key`, so that a value copied to another row, column or table does not open.
"""

from __future__ import annotations

import os
from functools import lru_cache
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from lianfang.vault.keys import keyring

KEY_BYTES = 32
_VERSION = b"\x01"
_NONCE = 12
_HEAD = 1 + 16


class NotOurs(Exception):
    """A sealed value does not open where it stands: it was moved, altered, or belongs to another key."""


class Shredded(Exception):
    """The key of a data subject was destroyed: nothing opens or can be sealed under it any more."""


def place(*, table: str, column: str, pk: object) -> bytes:
    """Return the additional data that binds a value to its place."""
    return f"{table}|{column}|{pk}".encode()


def seal(*, key_id: UUID, key: bytes, content: bytes, where: bytes) -> bytes:
    """Return the content sealed under a subject key for one place."""
    nonce = os.urandom(_NONCE)
    head = _VERSION + key_id.bytes
    return head + nonce + _cipher(key).encrypt(nonce, content, head + where)


def key_of(sealed: bytes) -> UUID:
    """Return the id of the subject key that sealed it. Raises NotOurs for bytes in another form."""
    if len(sealed) < _HEAD + _NONCE + 16 or sealed[:1] != _VERSION:
        raise NotOurs("not a sealed value")
    return UUID(bytes=sealed[1:_HEAD])


def unseal(*, key: bytes, sealed: bytes, where: bytes) -> bytes:
    """Return the content. Raises NotOurs when it does not belong to this key and place."""
    key_of(sealed)
    head, nonce, body = sealed[:_HEAD], sealed[_HEAD : _HEAD + _NONCE], sealed[_HEAD + _NONCE :]
    try:
        return _cipher(key).decrypt(nonce, body, head + where)
    except InvalidTag:
        raise NotOurs(f"a sealed value does not open at {where.decode(errors='replace')}") from None


def wrap(*, subject_key_id: UUID, key: bytes) -> tuple[str, bytes]:
    """Return (master key id, the subject key wrapped under the current master key)."""
    ring = keyring()
    nonce = os.urandom(_NONCE)
    where = b"vault_subjectkey|" + subject_key_id.bytes
    return ring.current, nonce + _cipher(ring.keys[ring.current]).encrypt(nonce, key, where)


def unwrap(*, subject_key_id: UUID, master_id: str, wrapped: bytes) -> bytes:
    """Return the subject key. Raises MasterKeyUnusable without that master key, NotOurs when it does not open."""
    master = keyring().key(master_id)
    where = b"vault_subjectkey|" + subject_key_id.bytes
    try:
        return _cipher(master).decrypt(wrapped[:_NONCE], wrapped[_NONCE:], where)
    except (InvalidTag, ValueError):  # ValueError: cut so short that not even the nonce is whole
        raise NotOurs(f"subject key {subject_key_id} does not open under master key {master_id}") from None


@lru_cache(maxsize=4096)
def _cipher(key: bytes) -> AESGCM:
    return AESGCM(key)
