"""STIX patterns (STIX 2.1 §9): a strict expression for the plain ones, the real grammar with limits for the rest.

More than nine patterns in ten are one comparison, `[type:path = 'literal']`. They need no parser, which would cost two
hundred times as much. The parser gets what is left, within limits that keep it from running for minutes or deep.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache

from lianfang.kernel.refusal import Refusal
from lianfang.kernel.text import Bilingual

MAX_LENGTH = 10_000
MAX_TERMS = 200
MAX_DEPTH = 32
MAX_TOKENS = 2_500
"""Words and signs of one pattern: lists and paths cost the parser as much as comparisons do, about 40 us each."""
BUDGET = 15_000
"""Words and signs that one submission may send through the parser, 25 characters of text counting as one more; a
comparison has about eight."""
COMPLAINTS = 12_000
"""Complaints of the schemas that are listed for one submission, about 40 us each: one for each object that it may hold,
and some."""

_PLAIN = re.compile(
    r"\[(?P<type>[a-z][a-z0-9-]{2,249}):"
    r"(?P<path>(?:[a-z][a-z0-9_]{2,249}|id)(?:\.(?:[a-zA-Z_][a-zA-Z0-9_]*|'[^'\\\n]{1,250}'))*)"
    r" ?= ?'(?P<value>(?:[^'\\]|\\['\\])*)'\]"
)
_WORDS = frozenset({
    "AND", "OR", "NOT", "FOLLOWEDBY", "LIKE", "MATCHES", "ISSUPERSET", "ISSUBSET", "EXISTS", "LAST", "IN", "START",
    "STOP", "SECONDS", "WITHIN", "REPEATS", "TIMES", "true", "false",
})  # fmt: skip
"""Words of the grammar, which are no names."""
_HASHES = {"MD5": 32, "SHA-1": 40, "SHA-256": 64, "SHA-512": 128}
_HEX = re.compile(r"[0-9a-fA-F]+")
_ESCAPE = re.compile(r"\\(['\\])")
# One that does not end is taken to the end, so that no quotation mark is looked at twice.
_LITERAL = re.compile(r"'(?:[^'\\]|\\.?)*+('|\Z)", re.DOTALL)
_TERM = re.compile(r"<=|>=|!=|[=<>]|\b(?:IN|LIKE|MATCHES|ISSUBSET|ISSUPERSET|EXISTS)\b")
# An object path of the grammar, its first step alone; text in quotes was taken out before.
_PATH = re.compile(r"([A-Za-z0-9_-]+)\s*:\s*([A-Za-z0-9_]+|')")
_COMMENT = re.compile(r"/\*.*?\*/|//[^\r\n]*", re.DOTALL)
_TYPE = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*-?")
_PROPERTY = re.compile(r"[a-z][a-z0-9_]{2,249}|id")
_TOKEN = re.compile(r"\w+|[^\w\s]")
_LONG_NUMBER = re.compile(r"\d{20}")
_NEVER = re.compile(r"\b(?:REPEATS\s+0+\s+TIMES|WITHIN\s+0+(?:\.0*)?\s+SECONDS)\b")


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a plain pattern looks for."""

    type: str
    path: str
    value: str


@dataclass(slots=True)
class Budget:
    """What one submission may still spend on the parser, and on being told what its objects do wrong."""

    left: int = field(default=BUDGET)
    complaints: int = field(default=COMPLAINTS)


def plain(pattern: str) -> Comparison | None:
    """Return the one comparison of a plain pattern, or None when it is anything else (or wrong)."""
    found = _PLAIN.fullmatch(pattern)
    if found is None or found["type"] in _WORDS or not _WORDS.isdisjoint(found["path"].split(".")):
        return None
    if not _plain_hash(found["path"], found["value"]):
        return None
    return Comparison(found["type"], found["path"].replace("'", ""), _ESCAPE.sub(r"\1", found["value"]))


def _plain_hash(path: str, value: str) -> bool:
    """Whether a hash has the length of its kind; anything else about hashes is for the parser to judge."""
    if ".hashes." not in f".{path}":
        return True
    length = _HASHES.get(path.rpartition(".")[2].strip("'").upper())
    return length == len(value) and _HEX.fullmatch(value) is not None


def check(pattern: str, *, budget: Budget) -> None:
    """Raise Refusal (field `pattern`) unless this is a STIX pattern that we are ready to read."""
    if plain(pattern) is not None:
        return
    _afford(budget)  # first: what is left of a long batch is not even looked through
    if len(pattern) > MAX_LENGTH:
        raise _refusal(
            "length", f"樣式超過{MAX_LENGTH}個字元。", f"The pattern is longer than {MAX_LENGTH} characters."
        )
    bare = _LITERAL.sub(r"'\1", pattern)
    if _is_slow(bare):
        raise _refusal(
            "grammar",
            "樣式不符合STIX樣式語法。",
            "The pattern does not follow the STIX grammar: a number is too long, or a text or comment does not end",
        )
    terms = len(_TERM.findall(bare))
    if terms > MAX_TERMS:
        raise _refusal(
            "terms", f"樣式超過{MAX_TERMS}個比較式。", f"The pattern holds more than {MAX_TERMS} comparisons."
        )
    if _depth(bare) > MAX_DEPTH:
        raise _refusal(
            "depth", f"樣式括號超過{MAX_DEPTH}層。", f"The pattern nests deeper than {MAX_DEPTH} parentheses."
        )
    if _NEVER.search(bare):
        raise _refusal("never", "REPEATS與WITHIN的數值必須大於0。", "REPEATS and WITHIN need a number above 0.")
    tokens = len(_TOKEN.findall(bare))
    if tokens > MAX_TOKENS:
        raise _refusal(
            "terms",
            f"樣式超過{MAX_TOKENS}個語詞與符號。",
            f"The pattern holds more than {MAX_TOKENS} words and signs.",
        )
    budget.left -= tokens + len(pattern) // 25
    _afford(budget)
    fault = _parse(pattern)
    if fault:
        raise _refusal("grammar", "樣式不符合STIX樣式語法。", f"The pattern does not follow the STIX grammar: {fault}")
    wrong = _bad_name(bare)
    if wrong:
        raise _refusal(
            "name",
            f"樣式裡的型別或屬性名稱不符合標準：{wrong}。",
            f"The pattern names a type or property in a way that the standard does not allow: {wrong}",
            section="9.7",
        )


def _bad_name(bare: str) -> str:
    """Return the first object path whose type or first property no object could have (§3.1), or nothing."""
    for found in _PATH.finditer(_COMMENT.sub(" ", bare)):
        kind, name = found[1], found[2]
        if not (3 <= len(kind) <= 250 and _TYPE.fullmatch(kind)) or (name != "'" and not _PROPERTY.fullmatch(name)):
            return found[0][:100]
    return ""


def _afford(budget: Budget) -> None:
    if budget.left < 0:
        raise _refusal(
            "budget",
            "這一批的複雜樣式太多，請分批再送。",
            "Too many complex patterns in one submission; send them in several.",
        )


@lru_cache(maxsize=512)  # of patterns of 10,000 characters at most
def _parse(pattern: str) -> str:
    """Return the parser's first complaint, or nothing."""
    # Imported late: the grammar takes 0.2 s to load, which a process that never meets such a pattern can save.
    from stix2patterns.validator import run_validator

    try:
        errors = run_validator(pattern, stix_version="2.1")
    except RecursionError:
        return "nested too deep"
    except Exception as error:  # the generated parser raises what it likes; whatever it is, this is no pattern
        return type(error).__name__
    return str(errors[0])[:200] if errors else ""


def _is_slow(bare: str) -> bool:
    """Whether the lexer would look ahead to the end from every character: 10 kB of that kept it busy for a minute."""
    open_text = "'" in bare.replace("''", "")
    return open_text or bare.rfind("/*") > bare.rfind("*/") or _LONG_NUMBER.search(bare) is not None


def _depth(bare: str) -> int:
    depth = deepest = 0
    for char in bare:
        if char == "(":
            depth += 1
            deepest = max(deepest, depth)
        elif char == ")":
            depth -= 1
    return deepest


def _refusal(rule: str, zh: str, en: str, *, section: str = "9") -> Refusal:
    return Refusal(Bilingual(zh=zh, en=en), rule=f"pattern-{rule}", clause=f"STIX 2.1 §{section}", field="pattern")
