"""Canonical JSON (RFC 8785, JSON Canonicalization Scheme): one value, one sequence of bytes."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

# RFC 8785 takes I-JSON (RFC 7493) as its subject, whose integers end where IEEE 754 doubles stop telling neighbours
# apart. RFC 8785 appendix D: larger ones travel as strings.
_LARGEST_INTEGER = 2**53 - 1
# Deep enough for any STIX bundle; far below the interpreter's own limit, whose error would name no path.
_DEEPEST = 200

_ESCAPED = re.compile(r'[\x00-\x1f"\\]')
_SHORT_ESCAPES = {
    "\b": "\\b",
    "\t": "\\t",
    "\n": "\\n",
    "\f": "\\f",
    "\r": "\\r",
    '"': '\\"',
    "\\": "\\\\",
}


def canonical(value: object) -> bytes:
    """Return the RFC 8785 form of a JSON value: dict, list or tuple, str, bool, int, float, None.

    Raises ValueError naming the path (`$.a[3]`) for NaN and infinities, integers beyond 2^53 - 1 (RFC 7493 §2.2),
    text with a lone surrogate, keys that are not text, nesting past 200 levels, and types that JSON does not have.
    """
    parts: list[str] = []
    _write(value, "$", 0, parts)
    return "".join(parts).encode("utf-8")


def _write(value: object, path: str, depth: int, parts: list[str]) -> None:
    if depth > _DEEPEST:
        raise ValueError(f"{path}: nested deeper than {_DEEPEST} levels")
    if isinstance(value, str):
        parts.append(_string(value, path))
    elif isinstance(value, Mapping):
        _write_object(value, path, depth, parts)
    elif isinstance(value, list | tuple):
        _write_array(value, path, depth, parts)
    else:
        parts.append(_literal(value, path))


def _write_object(value: Mapping[object, object], path: str, depth: int, parts: list[str]) -> None:
    keys: dict[str, str] = {}
    for key in value:
        if not isinstance(key, str):
            raise ValueError(f"{path}: key {key!r} is not text")
        keys[key] = _string(key, f"{path} (key)")
    parts.append("{")
    # RFC 8785 §3.2.3: by UTF-16 code units, so that U+10000 and above sort before U+E000.
    for place, key in enumerate(sorted(keys, key=_utf16)):
        parts.append(f"{',' if place else ''}{keys[key]}:")
        _write(value[key], f"{path}.{key}", depth + 1, parts)
    parts.append("}")


def _write_array(value: list[object] | tuple[object, ...], path: str, depth: int, parts: list[str]) -> None:
    parts.append("[")
    for place, item in enumerate(value):
        if place:
            parts.append(",")
        _write(item, f"{path}[{place}]", depth + 1, parts)
    parts.append("]")


def _literal(value: object, path: str) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return _integer(value, path)
    if isinstance(value, float):
        return _number(value, path)
    raise ValueError(f"{path}: {type(value).__name__} is not a JSON type")


def _utf16(key: str) -> bytes:
    return key.encode("utf-16-be")


def _string(value: str, path: str) -> str:
    if any("\ud800" <= char <= "\udfff" for char in value):
        raise ValueError(f"{path}: text holds a lone surrogate")
    return '"' + _ESCAPED.sub(_escape, value) + '"'


def _escape(found: re.Match[str]) -> str:
    char = found.group()
    return _SHORT_ESCAPES.get(char) or f"\\u{ord(char):04x}"


def _integer(value: int, path: str) -> str:
    if abs(value) > _LARGEST_INTEGER:
        raise ValueError(f"{path}: integer beyond 2^53 - 1, which no double holds exactly; send it as text")
    return int.__repr__(value)


def _number(value: float, path: str) -> str:
    """Write a double as ECMAScript's Number::toString does (ECMA-262 §6.1.6.1.20; RFC 8785 §3.2.2.3).

    `repr` already finds the shortest digits that read back to the same double; only the notation differs.
    """
    if not math.isfinite(value):
        raise ValueError(f"{path}: {value} is not a JSON number")
    if value == 0:
        return "0"
    sign = "-" if value < 0 else ""
    digits, point = _shortest(abs(value))
    count = len(digits)
    if count <= point <= 21:
        return sign + digits + "0" * (point - count)
    if 0 < point <= 21:
        return f"{sign}{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    fraction = "." + digits[1:] if count > 1 else ""
    exponent = point - 1
    return f"{sign}{digits[0]}{fraction}e{'+' if exponent > 0 else '-'}{abs(exponent)}"


def _shortest(value: float) -> tuple[str, int]:
    """Return (digits, point): the value is 0.digits x 10^point, without zeros at either end of the digits."""
    mantissa, _, exponent = float.__repr__(value).partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = whole + fraction
    leading = len(digits) - len(digits.lstrip("0"))
    point = len(whole) + int(exponent or 0) - leading
    return digits.strip("0"), point
