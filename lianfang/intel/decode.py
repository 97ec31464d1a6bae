"""From hostile bytes to JSON objects: caps, strict JSON, and a digest that does not depend on spelling.

Strict is I-JSON (RFC 7493): UTF-8, no member named twice, no lone surrogate, no number that a double cannot hold; and
no NUL, which PostgreSQL's text has no place for. What one object does wrong refuses that object; what the body does
wrong refuses the body.
"""

from __future__ import annotations

import json
import re
from typing import Any

import msgspec
import orjson

from lianfang.kernel.canonical import canonical
from lianfang.kernel.ids import digest
from lianfang.kernel.refusal import Refusal
from lianfang.kernel.text import Bilingual

MAX_OBJECTS = 10_000
MAX_OBJECT_BYTES = 1024 * 1024
MAX_DEPTH = 64
MAX_VALUES = 300_000
"""Members and elements of one body, at all depths: thirty for each of the most objects. What has more is spent on
values of two or three bytes, which cost time and memory by their number and not by their length."""

Json = dict[str, Any]

_LONE = re.compile(
    rb"\\u[dD](?:[89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])"
    rb"|(?<!\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD])[c-fC-F][0-9a-fA-F]{2})"
)
_SPACED_COLON = re.compile(rb'"\s+:')
# Strings are consumed whole from left to right, so that a quotation mark inside one never starts a match.
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*+"(\s*:)?')

_BEFORE_VALUES = (b"[", b"{", b",")


class _Twice(ValueError):
    """A member name stands twice in one JSON object."""


def split(body: bytes) -> list[bytes]:
    """Return the bytes of each member of `objects` of a TAXII envelope or STIX bundle, unread.

    Raises Refusal (`field` "body" or "objects") when the body is no such thing, is malformed, nested too deep, or
    holds more than MAX_OBJECTS or MAX_VALUES. `type` and `id` of a bundle are not looked at: they are not kept.
    """
    members = _members(body)
    if "objects" not in members:
        if "type" in members:
            raise _refusal(
                "single",
                "這是單一物件；請放進objects陣列再送。",
                "This is one bare object; put it into an `objects` array.",
                "objects",
            )
        raise _refusal("no-objects", "找不到objects陣列。", "There is no `objects` array.", "objects")
    try:
        objects = msgspec.json.decode(members["objects"], type=list[msgspec.Raw])
    except msgspec.ValidationError:
        raise _refusal("no-objects", "objects必須是陣列。", "`objects` must be an array.", "objects") from None
    if len(objects) > MAX_OBJECTS:
        raise _refusal(
            "too-many", f"一次最多{MAX_OBJECTS}個物件，這裡有{len(objects)}個。",
            f"At most {MAX_OBJECTS} objects at a time; here are {len(objects)}.", "objects",
        )  # fmt: skip
    found = [bytes(raw) for raw in objects]
    if _too_many_values(found):
        raise _refusal(
            "too-many-values", f"一次最多{MAX_VALUES}個屬性與陣列元素；請分批再送。",
            f"At most {MAX_VALUES} properties and elements of lists at a time; send fewer at a time.", "objects",
        )  # fmt: skip
    return found


def _too_many_values(objects: list[bytes]) -> bool:
    """Return whether the objects that will be read have more members and elements together than MAX_VALUES."""
    read = [raw for raw in objects if len(raw) <= MAX_OBJECT_BYTES]
    if sum(raw.count(sign) for raw in read for sign in _BEFORE_VALUES) <= MAX_VALUES:
        return False
    # Text with many commas: only now it is worth leaving out what stands in strings.
    count = 0
    for raw in read:
        bare = _STRING.sub(b"", raw)
        count += sum(map(bare.count, _BEFORE_VALUES))
        if count > MAX_VALUES:
            return True
    return False


def read(raw: bytes) -> tuple[Json, bytes]:
    """Return one object and the SHA-256 digest of its canonical JSON (RFC 8785).

    Raises Refusal, naming the fault: too long, not UTF-8, duplicate member, NUL, lone surrogate, too deep, no object.
    """
    if len(raw) > MAX_OBJECT_BYTES:
        raise _refusal(
            "too-long",
            f"單一物件超過{MAX_OBJECT_BYTES // 1024} KiB。",
            f"The object is longer than {MAX_OBJECT_BYTES // 1024} KiB.",
        )
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise _malformed(raw, error, "") from None
    if not isinstance(value, dict):
        raise _refusal("not-object", "不是JSON物件。", "Not a JSON object.")
    names, plain = _look(value)
    if not _each_once(raw, names):
        raise _refusal("duplicate-member", "同一個屬性寫了兩次。", "A property is written twice.", _duplicate(raw))
    return value, digest(_canonical(raw, value, plain))


def _canonical(raw: bytes, value: Json, plain: bool) -> bytes:
    """The fast writer agrees with RFC 8785 where no number needs ECMAScript's notation and no key leaves ASCII."""
    if plain:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    try:
        # An integer past 64 bits was read as the nearest double: only its spelling still tells.
        json.loads(raw, parse_int=_exact)
        return canonical(value)
    except ValueError as error:
        raise _refusal("number", "數值超出可精確表示的範圍。", f"A number cannot be held exactly: {error}") from None


def _exact(digits: str) -> int:
    if len(digits) > 17 or abs(int(digits)) >= 2**53:
        raise ValueError("an integer beyond 2^53 - 1")
    return int(digits)


def _look(value: Json) -> tuple[int, bool]:
    """Walk once without recursion. Return the number of member names, and whether all is plain (see `_canonical`)."""
    names, plain = 0, True
    level: list[Any] = [value]
    for _ in range(MAX_DEPTH + 1):
        below: list[Any] = []
        for node in level:
            if type(node) is dict:
                names += len(node)
                for key, child in node.items():
                    if not key.isascii():
                        plain = False
                    kind = type(child)
                    if kind is dict or kind is list:
                        below.append(child)
                    elif kind is float or (kind is int and abs(child) >= 2**53):
                        plain = False
                    if "\0" in key or (kind is str and "\0" in child):
                        raise _nul(key)
            else:
                for child in node:
                    kind = type(child)
                    if kind is dict or kind is list:
                        below.append(child)
                    elif kind is float or (kind is int and abs(child) >= 2**53):
                        plain = False
                    elif kind is str and "\0" in child:
                        raise _nul("")
        if not below:
            return names, plain
        level = below
    raise _refusal("depth", f"巢狀超過{MAX_DEPTH}層。", f"Nested deeper than {MAX_DEPTH} levels.")


def _each_once(raw: bytes, names: int) -> bool:
    """Return whether the bytes write exactly as many members as were read: a second of one name is lost in reading."""
    if b'\\"' not in raw and not _SPACED_COLON.search(raw) and raw.count(b'":') == names:
        # Without an escaped quotation mark every member's end is counted, so there are no more of them than this.
        return True
    return sum(1 for found in _STRING.finditer(raw) if found.group(1) is not None) == names


def _duplicate(raw: bytes) -> str:
    try:
        json.loads(raw, object_pairs_hook=_once)
    except _Twice as twice:
        return str(twice)[:250]
    return ""


def _members(body: bytes) -> dict[str, msgspec.Raw]:
    try:
        members = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    except msgspec.ValidationError:
        raise _refusal("not-object", "內容不是JSON物件。", "The body is not a JSON object.", "body") from None
    except RecursionError:
        raise _refusal("depth", f"巢狀超過{MAX_DEPTH}層。", f"Nested deeper than {MAX_DEPTH} levels.", "body") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _malformed(body, error, "body") from None
    rest = body
    if "objects" in members:
        inner = bytes(members["objects"])
        start = body.rfind(inner)
        rest = body[:start] + b"0" + body[start + len(inner) :]
    if len(rest) > MAX_OBJECT_BYTES:
        raise _refusal(
            "too-long", f"objects以外的內容超過{MAX_OBJECT_BYTES // 1024} KiB。",
            f"What stands beside `objects` is longer than {MAX_OBJECT_BYTES // 1024} KiB.", "body",
        )  # fmt: skip
    try:
        # Decoded first: of bytes the library would let surrogates through.
        json.loads(rest.decode(), object_pairs_hook=_once)
    except _Twice as twice:
        raise _refusal(
            "duplicate-member", "同一個屬性寫了兩次。", "A property is written twice.", str(twice)[:250]
        ) from None
    except RecursionError:
        raise _refusal("depth", f"巢狀超過{MAX_DEPTH}層。", f"Nested deeper than {MAX_DEPTH} levels.", "body") from None
    except ValueError as error:
        raise _malformed(body, error, "body") from None
    return members


def _once(pairs: list[tuple[str, Any]]) -> None:
    seen: set[str] = set()
    for name, _ in pairs:
        if name in seen:
            raise _Twice(name)
        seen.add(name)


def _malformed(raw: bytes, error: Exception, field: str) -> Refusal:
    try:
        raw.decode()
    except UnicodeDecodeError as broken:
        return _refusal("utf-8", f"不是UTF-8（第{broken.start}位元組）。", f"Not UTF-8 (byte {broken.start}).", field)
    if _LONE.search(raw):
        return _refusal("surrogate", "含有不成對的代理字元（surrogate）。", "Holds a lone surrogate.", field)
    if re.search(rb"\b(?:NaN|-?Infinity)\b", raw):
        return _refusal("nan", "JSON沒有NaN與Infinity。", "JSON has no NaN and no Infinity.", field)
    return _refusal("malformed", "不是有效的JSON。", f"Not valid JSON: {str(error)[:200]}", field)


def _nul(name: str) -> Refusal:
    return _refusal("nul", "含有NUL字元（\\u0000）。", "Holds a NUL character (\\u0000).", name.replace("\0", "")[:250])


def _refusal(rule: str, zh: str, en: str, field: str = "") -> Refusal:
    return Refusal(Bilingual(zh=zh, en=en), rule=f"json-{rule}", clause="RFC 7493", field=field)
