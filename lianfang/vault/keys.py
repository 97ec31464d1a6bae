"""The master key: a file outside the database, readable by its owner alone.

Each line that is 64 hexadecimal digits is one key of 256 bits; the last is the current one, earlier ones remain only
until everything is wrapped anew. A line `blind <64 digits>` is the key of the blind index, written at the first
rotation; before that it is derived from the only key, so that it never changes when the master key does.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from django.conf import settings

from lianfang.audit.keyfile import readable_by_others, replace, write_new

_KEY = re.compile(r"[0-9a-f]{64}\Z")
_BLIND = re.compile(r"blind ([0-9a-f]{64})\Z")


class MasterKeyUnusable(Exception):
    """The master key cannot be used; the text is one sentence for an operator and names the file."""


@dataclass(frozen=True, slots=True)
class Keyring:
    """What the key file holds: keys by id, oldest first, and the key of the blind index."""

    keys: dict[str, bytes]
    current: str
    blind: bytes

    def key(self, key_id: str) -> bytes:
        """Return the master key of that id. Raises MasterKeyUnusable when the file holds no such key."""
        try:
            return self.keys[key_id]
        except KeyError:
            raise MasterKeyUnusable(
                f"{settings.KEY_FILE} holds no master key {key_id}: restore the right key file."
            ) from None


def keyring() -> Keyring:
    """Return the keys, read anew when the file changed.

    In a demo a missing file is made. Raises MasterKeyUnusable when it is missing otherwise, readable by others, or
    not in the form described above.
    """
    path = Path(settings.KEY_FILE)
    try:
        found = path.stat()
    except FileNotFoundError:
        if not settings.DEMO:
            raise MasterKeyUnusable(
                f"Master key {path} is missing: restore it from its backup; on a new system run `lianfang vault init`."
            ) from None
        create(path)
        found = path.stat()
    if readable_by_others(path):
        raise MasterKeyUnusable(f"Master key {path} can be read by others: run `chmod 600` on it.")
    return _read(path, found.st_mtime_ns, found.st_ino)


def create(path: Path) -> None:
    """Make a new master key file, mode 0600. An existing file is left as it is; a crash leaves none or a whole one."""
    write_new(path, secrets.token_hex(32) + "\n")


def add(path: Path) -> str:
    """Append a new master key, which becomes the current one; return its id."""
    ring = keyring()
    key = secrets.token_bytes(32)
    _replace(path, [*(old.hex() for old in ring.keys.values()), key.hex()], ring.blind)
    return key_id(key)


def drop_old(path: Path) -> None:
    """Remove every master key but the current one. Only after all subject keys are wrapped anew."""
    ring = keyring()
    _replace(path, [ring.keys[ring.current].hex()], ring.blind)


def key_id(key: bytes) -> str:
    """Return the name under which a master key is noted beside what it wraps: 8 hexadecimal digits of its digest."""
    return hashlib.sha256(b"lianfang master key\x00" + key).hexdigest()[:8]


@lru_cache(maxsize=4)
def _read(path: Path, _mtime: int, _inode: int) -> Keyring:
    keys: dict[str, bytes] = {}
    blind = b""
    for number, line in enumerate(path.read_text(encoding="ascii", errors="replace").split("\n"), 1):
        text = line.strip()
        if _KEY.match(text):
            key = bytes.fromhex(text)
            keys[key_id(key)] = key
        elif found := _BLIND.match(text):
            blind = bytes.fromhex(found[1])
        elif text:
            raise MasterKeyUnusable(
                f"Master key {path}, line {number}: neither a key of 64 hexadecimal digits nor `blind`."
            )
    if not keys:
        raise MasterKeyUnusable(f"Master key {path} is empty: restore it from its backup.")
    if not blind:
        if len(keys) > 1:
            raise MasterKeyUnusable(
                f"Master key {path} holds several keys but no `blind` line: restore it from its backup."
            )
        blind = hmac.digest(next(iter(keys.values())), b"lianfang blind index", "sha256")
    return Keyring(keys=keys, current=list(keys)[-1], blind=blind)


def _replace(path: Path, keys: list[str], blind: bytes) -> None:
    replace(path, "\n".join([f"blind {blind.hex()}", *keys]) + "\n")
