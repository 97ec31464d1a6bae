"""The key that signs checkpoints: Ed25519, in a file beside the master key, never in the database.

The file holds one line in the form of Go's `note` package, `PRIVATE+KEY+<name>+<id>+<base64 of 0x01 and the seed>`, and
the public half is a C2SP verifier key, `<name>+<id>+<base64 of 0x01 and the key>`, so that tools for transparency logs
can check a checkpoint without any code of ours.
"""

from __future__ import annotations

import base64
import hashlib
import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from django.conf import settings

from lianfang.audit.keyfile import readable_by_others, write_new

_ED25519 = b"\x01"


class SigningKeyUnusable(Exception):
    """The signing key cannot be used; the text is one sentence for an operator and names the file."""


@dataclass(frozen=True, slots=True)
class PublicKey:
    """The public half: what members pin."""

    name: str
    raw: bytes

    @property
    def id(self) -> str:
        """Eight hexadecimal digits by which a signature names its key (C2SP signed-note)."""
        return key_hash(self.name, self.raw).hex()

    @property
    def vkey(self) -> str:
        """The key as one line that verifiers take."""
        return f"{self.name}+{self.id}+{base64.b64encode(_ED25519 + self.raw).decode()}"

    def verifies(self, *, signature: bytes, content: bytes) -> bool:
        """Return whether this key signed exactly these bytes."""
        try:
            Ed25519PublicKey.from_public_bytes(self.raw).verify(signature, content)
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True, slots=True)
class SigningKey:
    """The private half."""

    name: str
    private: Ed25519PrivateKey

    @property
    def public(self) -> PublicKey:
        """The public half."""
        return PublicKey(self.name, self.private.public_key().public_bytes_raw())


def path() -> Path:
    """Where the signing key lies."""
    return Path(settings.KEY_FILE).with_name("audit-signing.key")


def signing_key(*, may_create: bool) -> SigningKey:
    """Return the key; make it when it is missing and `may_create` (nothing was ever signed).

    Raises SigningKeyUnusable when it is missing otherwise, can be read by others, or has another form.
    """
    where = path()
    if not where.exists():
        if not may_create:
            raise SigningKeyUnusable(
                f"Signing key {where} is missing, and checkpoints exist: restore it from its backup."
            )
        _create(where)
    if readable_by_others(where):
        raise SigningKeyUnusable(f"Signing key {where} can be read by others: run `chmod 600` on it.")
    return _read(where, where.stat().st_mtime_ns)


def key_hash(name: str, raw: bytes) -> bytes:
    """Return the four bytes that name a key in a signature line (C2SP signed-note, Ed25519)."""
    return hashlib.sha256(name.encode() + b"\n" + _ED25519 + raw).digest()[:4]


def parse_vkey(text: str) -> PublicKey:
    """Read a verifier key. Raises ValueError naming what is wrong."""
    parts = text.strip().split("+", 2)
    if len(parts) != 3:
        raise ValueError("verifier key: expected name+id+base64")
    try:
        content = base64.b64decode(parts[2], validate=True)
    except ValueError:
        raise ValueError("verifier key: the last part is not base64") from None
    if content[:1] != _ED25519 or len(content) != 33:
        raise ValueError("verifier key: not an Ed25519 key")
    key = PublicKey(parts[0], content[1:])
    if key.id != parts[1]:
        raise ValueError("verifier key: the id does not belong to the key")
    return key


def note(body: str, signature: bytes, key: PublicKey) -> str:
    """Return a text with the key's signature over it below (C2SP signed-note)."""
    line = base64.b64encode(bytes.fromhex(key.id) + signature).decode()
    return f"{body}\n\N{EM DASH} {key.name} {line}\n"


def signature_of(line: str, key: PublicKey) -> bytes | None:
    """Return the signature, unchecked, that a line of a note says is this key's; None for any other line."""
    dash, name, encoded = [*line.split(" "), "", "", ""][:3]
    try:
        content = base64.b64decode(encoded, validate=True)
    except ValueError:
        return None
    return content[4:] if (dash, name, content[:4].hex()) == ("\N{EM DASH}", key.name, key.id) else None


def _create(where: Path) -> None:
    seed = os.urandom(32)
    name = settings.BASE_URL.partition("://")[2].partition("/")[0] + "/audit"
    public = Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
    key_id = key_hash(name, public).hex()
    write_new(where, f"PRIVATE+KEY+{name}+{key_id}+{base64.b64encode(_ED25519 + seed).decode()}\n")


@lru_cache(maxsize=2)
def _read(where: Path, _mtime: int) -> SigningKey:
    parts = where.read_text(encoding="utf-8").strip().split("+", 4)
    try:
        _, _, name, key_id, encoded = parts
        content = base64.b64decode(encoded, validate=True)
        key = SigningKey(name, Ed25519PrivateKey.from_private_bytes(content[1:]))
    except ValueError:
        raise SigningKeyUnusable(f"Signing key {where} is damaged: restore it from its backup.") from None
    if content[:1] != _ED25519 or key.public.id != key_id:
        raise SigningKeyUnusable(f"Signing key {where} is damaged: restore it from its backup.")
    return key
