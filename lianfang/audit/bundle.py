"""One file of many that proves itself: what is in it, byte for byte, signed by the key of the ledger's checkpoints.

A ZIP archive of one form only (stored, in the order of its manifest, no dates, no comments), so that the same content
always gives the same bytes and there is no byte that nothing covers. `manifest.json` names each file with size and
SHA-256; `manifest.sig` is a signed note (C2SP signed-note) over the manifest's digest. `ledger/entries.json` holds
entries of the ledger with the path of each to the root of the signed `ledger/checkpoint.txt`.

Whoever verifies needs the file and the verifier key, no server, and no database.
"""

from __future__ import annotations

import hashlib
import json
import struct
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import IO, Any

from lianfang.audit import signing
from lianfang.audit.checkpoints import Head, read_checkpoint, signed_by
from lianfang.kernel.canonical import canonical
from lianfang.kernel.merkle import leaf_hash, verify_inclusion
from lianfang.kernel.text import Bilingual

FORMAT = "lianfang-case-file/1"
MANIFEST, SIGNATURE = "manifest.json", "manifest.sig"
ENTRIES, CHECKPOINT = "ledger/entries.json", "ledger/checkpoint.txt"
MOST_BYTES = 2**31
"""Past this the archive would need another form; no case comes near it."""
_LOCAL = struct.Struct("<IHHHHHIIIHH")
_CENTRAL = struct.Struct("<IHHHHHHIIIHHHHHII")
_END = struct.Struct("<IHHHHIIH")
_VERSION, _UTF8, _DAY = 20, 0x0800, (1 << 5) | 1

Content = bytes | Callable[[], bytes]


class TooLarge(Exception):
    """The content does not fit into one file."""


@dataclass(frozen=True, slots=True)
class Fault:
    """The first thing that is wrong, and in which file; `file` is empty where the archive itself is damaged."""

    file: str
    words: Bilingual


@dataclass(frozen=True, slots=True)
class Seen:
    """What a verification found. `about` is the head of the manifest; of a file that cannot be read, nothing."""

    fault: Fault | None
    about: Mapping[str, Any]
    files: int = 0
    entries: int = 0
    key: str = ""


# Writing


def write(
    target: IO[bytes], *, about: Mapping[str, Any], files: Iterable[tuple[str, Content]], key: signing.SigningKey
) -> bytes:
    """Write the archive and return the SHA-256 of its manifest. Raises TooLarge, ValueError for a name twice.

    `files` are written as they come; a callable is asked for its bytes only when its turn is there.
    """
    writer, listed, seen = _Writer(target), [], {MANIFEST, SIGNATURE}
    for path, content in files:
        if path in seen or path.startswith("/") or ".." in path.split("/"):
            raise ValueError(f"{path}: not a name, or there already")
        seen.add(path)
        data = content() if callable(content) else content
        writer.add(path, data)
        listed.append({"path": path, "sha256": hashlib.sha256(data).hexdigest(), "size": len(data)})
    manifest = canonical({**about, "files": listed, "format": FORMAT, "key": key.public.vkey})
    writer.add(MANIFEST, manifest)
    body = _body(about, manifest)
    writer.add(SIGNATURE, signing.note(body, key.private.sign(body.encode()), key.public).encode())
    writer.close()
    return hashlib.sha256(manifest).digest()


def _body(about: Mapping[str, Any], manifest: bytes) -> str:
    return f"{FORMAT}\n{about.get('case', '')}\n{hashlib.sha256(manifest).hexdigest()}\n"


class _Writer:
    """Writes the one form of archive that is read here; any program that opens ZIP archives opens it."""

    def __init__(self, target: IO[bytes]) -> None:
        self.target, self.at, self.central = target, 0, [b""]

    def add(self, path: str, data: bytes) -> None:
        name = path.encode()
        if self.at + len(data) > MOST_BYTES:
            raise TooLarge(path)
        head = (_VERSION, _UTF8, 0, 0, _DAY, zlib.crc32(data), len(data), len(data), len(name), 0)
        self.central.append(_CENTRAL.pack(0x02014B50, _VERSION, *head, 0, 0, 0, 0, self.at) + name)
        self._put(_LOCAL.pack(0x04034B50, *head) + name)
        self._put(data)

    def _put(self, data: bytes) -> None:
        self.target.write(data)
        self.at += len(data)

    def close(self) -> None:
        count, begin = len(self.central) - 1, self.at
        self._put(b"".join(self.central))
        self._put(_END.pack(0x06054B50, 0, 0, count, count, self.at - begin, begin, 0))


# Reading


def verify(source: IO[bytes], *, key: signing.PublicKey | None = None) -> Seen:
    """Look at every byte of an archive; the first file that is not as it was signed is named.

    Without `key` the one inside is believed: whoever verifies compares it with the one that the centre publishes.
    """
    data = source.read(MOST_BYTES + 1)
    found, damaged = _members(data)
    if MANIFEST not in found or SIGNATURE not in found:
        return Seen(damaged or _missing(MANIFEST if MANIFEST not in found else SIGNATURE), {})
    manifest = _object(found[MANIFEST])
    fault = _signed(found, manifest, key)
    if fault is not None:
        # A content that differs is named before the manifest that no longer fits it.
        return Seen(fault, {})
    fault = _content(found, manifest) or damaged or _form(data, found, manifest)
    entries, wrong = (0, None) if fault else _ledger(found, manifest)
    about = {name: value for name, value in manifest.items() if name != "files"}
    return Seen(fault or wrong, about, len(manifest["files"]), entries, str(manifest.get("key", "")))


def _members(data: bytes) -> tuple[dict[str, bytes], Fault | None]:
    """Return the files in their order as far as they can be read, and what stopped the reading."""
    found: dict[str, bytes] = {}
    at, last = 0, ""
    while data[at : at + 4] == b"PK\x03\x04":
        if len(data) < at + _LOCAL.size:
            return found, _damaged(last, at)
        *_, size, length, extra = _LOCAL.unpack_from(data, at)
        begin = at + _LOCAL.size + length + extra
        name = data[at + _LOCAL.size : at + _LOCAL.size + length].decode("utf-8", "replace")
        if begin + size > len(data) or name in found:
            return found, _damaged(name, at)
        found[name], last, at = data[begin : begin + size], name, begin + size
    return found, None if data[at : at + 4] == b"PK\x01\x02" else _damaged(last, at)


def _object(content: bytes) -> dict[str, Any]:
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    files = found.get("files") if isinstance(found, dict) else None
    good = isinstance(files, list) and all(isinstance(one, dict) and isinstance(one.get("path"), str) for one in files)
    return found if good else {}


def _signed(found: Mapping[str, bytes], manifest: Mapping[str, Any], key: signing.PublicKey | None) -> Fault | None:
    if not manifest:
        return Fault(MANIFEST, Bilingual(zh="清單讀不出來。", en="The manifest cannot be read."))
    if key is None:
        try:
            key = signing.parse_vkey(str(manifest.get("key", "")))
        except ValueError:
            return Fault(MANIFEST, Bilingual(zh="清單中的驗證金鑰讀不出來。", en="The key in it cannot be read."))
    body, _, rest = found[SIGNATURE].decode("utf-8", "replace").partition("\n\n")
    if f"{body}\n" != _body(manifest, found[MANIFEST]):
        part = SIGNATURE if _names_no_digest(body, manifest) else MANIFEST
        return Fault(part, Bilingual(zh="清單與簽章不符。", en="The manifest is not the one that was signed."))
    # One line and no other: no byte of the archive may be there that nothing covers.
    signature = signing.signature_of(rest.rstrip("\n"), key)
    good = signature is not None and key.verifies(signature=signature, content=f"{body}\n".encode())
    return None if good else Fault(SIGNATURE, Bilingual(zh="簽章不成立。", en="The signature does not hold."))


def _names_no_digest(body: str, manifest: Mapping[str, Any]) -> bool:
    lines = body.split("\n")
    return len(lines) != 3 or lines[0] != FORMAT or lines[1] != str(manifest.get("case", "")) or len(lines[2]) != 64


def _content(found: Mapping[str, bytes], manifest: Mapping[str, Any]) -> Fault | None:
    for one in manifest["files"]:
        content = found.get(one["path"])
        if content is None:
            return _missing(one["path"])
        if hashlib.sha256(content).hexdigest() != one.get("sha256") or len(content) != one.get("size"):
            return Fault(one["path"], Bilingual(zh="內容與簽署時不同。", en="It is not as it was signed."))
    listed = {one["path"] for one in manifest["files"]} | {MANIFEST, SIGNATURE}
    for path in found:
        if path not in listed:
            return Fault(path, Bilingual(zh="清單上沒有這個檔案。", en="It is not in the manifest."))
    return None


def _form(data: bytes, found: Mapping[str, bytes], manifest: Mapping[str, Any]) -> Fault | None:
    """Write the archive again from what is in it: no byte beside the files may differ either."""
    order = [*(one["path"] for one in manifest["files"]), MANIFEST, SIGNATURE]
    again = _Sink()
    writer = _Writer(again)  # type: ignore[arg-type]  # it only writes
    for path in order:
        writer.add(path, found[path])
    writer.close()
    whole = b"".join(again.parts)
    if whole == data:
        return None
    at = next(
        (place for place, (a, b) in enumerate(zip(whole, data, strict=False)) if a != b), min(len(whole), len(data))
    )
    return _damaged(_at(order, found, at), at)


class _Sink:
    def __init__(self) -> None:
        self.parts: list[bytes] = []

    def write(self, data: bytes) -> int:
        self.parts.append(data)
        return len(data)


def _at(order: list[str], found: Mapping[str, bytes], offset: int) -> str:
    """Return in whose part of the archive a byte lies; behind the last file it is nobody's."""
    end = 0
    for path in order:
        end += _LOCAL.size + len(path.encode()) + len(found[path])
        if offset < end:
            return path
    return ""


def _ledger(found: Mapping[str, bytes], manifest: Mapping[str, Any]) -> tuple[int, Fault | None]:
    """Check that every entry of the ledger is a leaf of the signed tree."""
    if ENTRIES not in found or not found[ENTRIES]:
        return 0, None
    listed = json.loads(found[ENTRIES])["entries"]
    proved = [one for one in listed if one.get("seq") is not None]
    if not proved:
        return 0, None
    head = _checkpoint(found, manifest)
    if head is None:
        return 0, Fault(
            CHECKPOINT, Bilingual(zh="檢查點的簽章不成立。", en="The checkpoint's signature does not hold.")
        )
    for one in proved:
        leaf = leaf_hash(canonical(one["entry"]))
        path = [bytes.fromhex(part) for part in one["path"]]
        if not verify_inclusion(leaf=leaf, index=int(one["seq"]), size=head.size, proof=path, root=head.root):
            words = Bilingual(zh=f"第{one['entry']['id']}筆紀錄不在簽章的樹中。",
                              en=f"Entry {one['entry']['id']} is not in the signed tree.")  # fmt: skip
            return 0, Fault(ENTRIES, words)
    return len(proved), None


def _checkpoint(found: Mapping[str, bytes], manifest: Mapping[str, Any]) -> Head | None:
    try:
        head = read_checkpoint(found.get(CHECKPOINT, b"").decode("utf-8", "replace"))
        return head if signed_by(head, signing.parse_vkey(str(manifest["key"]))) else None
    except (ValueError, KeyError):
        return None


def _missing(path: str) -> Fault:
    return Fault(path, Bilingual(zh="這個檔案不見了。", en="This file is missing."))


def _damaged(path: str, at: int) -> Fault:
    return Fault(path, Bilingual(zh=f"封存檔在第{at}個位元組損壞。", en=f"The archive is damaged at byte {at}."))
