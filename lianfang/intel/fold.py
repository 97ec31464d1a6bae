"""How words are folded for the search box: one form for what is stored and what is asked.

NFKC and case folding; Chinese by pairs of characters, because it has no spaces; everything else by chunks (a domain, an
address, a hash) and by the words inside them. Values written in defanged form (`hxxp`, `[.]`) are read as meant.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Any

_LONGEST = 20_000
_LONGEST_TERM = 200
_TERMS = 12
_CJK = "\u3005\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uac00-\ud7af\U00020000-\U0003ffff"
_PIECE = re.compile(rf"(?P<cjk>[{_CJK}]+)|(?P<chunk>[^\W{_CJK}_](?:[^\s{_CJK}\"'<>(){{}}\[\],;|]*[^\W{_CJK}])?)")
_WORD = re.compile(rf"[^\W{_CJK}_]+")
_PREFIX = re.compile(r"(?<!\w)(?:ip|hash|cve|domain|url)\s*[:：]\s*")
_DEFANG = (("hxxp", "http"), ("[.]", "."), ("(.)", "."), ("[:]", ":"), ("[@]", "@"), ("[://]", "://"))
_SKIPPED = frozenset(
    {"type", "spec_version", "created", "modified", "pattern_type", "pattern_version", "extension_type"}
)


def folded(text: str) -> str:
    """Return the folded form of a text: NFKC, case folded, defanged values mended, single spaces."""
    text = unicodedata.normalize("NFKC", text).casefold()
    for written, meant in _DEFANG:
        text = text.replace(written, meant)
    return " ".join(text.replace("\0", " ").split())


def words_of(value: dict[str, Any]) -> str:
    """Return what of an object is searched: every text that says something, and its id, folded."""
    texts: list[str] = []
    length = 0
    for text in _texts(value):
        texts.append(text)
        length += len(text)
        if length > _LONGEST:
            break
    return folded(" \n ".join(texts))[:_LONGEST]


def _texts(value: dict[str, Any]) -> Iterator[str]:
    pending: list[Any] = [value]
    while pending:
        node = pending.pop(0)
        if isinstance(node, list):
            yield from (child for child in node if isinstance(child, str))
            pending.extend(child for child in node if isinstance(child, dict | list))
            continue
        for name, child in node.items():
            if name in _SKIPPED or name.endswith(("_ref", "_refs")):
                continue
            if isinstance(child, str):
                yield child
            elif isinstance(child, dict | list):
                pending.append(child)


def terms(text: str) -> list[str]:
    """Return the search terms of a folded text, each once."""
    found: dict[str, None] = {}
    for piece in _PIECE.finditer(text):
        if piece["cjk"]:
            run = piece["cjk"]
            found.update(dict.fromkeys(run[at : at + 2] for at in range(len(run))))
        else:
            chunk = piece["chunk"][:_LONGEST_TERM]
            found[chunk] = None
            found.update(dict.fromkeys(_WORD.findall(chunk)))
    return list(found)


def tsquery(text: str) -> tuple[str, list[str]]:
    """Return (the question for PostgreSQL, the folded words that a hit must hold); empty when nothing is asked."""
    words = (list(_PIECE.finditer(word)) for word in _PREFIX.sub("", folded(text[:500])).split())
    # Without what surrounds it: quotation marks, brackets, a star.
    asked = [found[0].string[found[0].start() : found[-1].end()] for found in words if found][:_TERMS]
    question: dict[str, None] = {}
    for word in asked:
        for piece in _PIECE.finditer(word):
            if piece["cjk"]:
                run = piece["cjk"]
                pairs = [run[at : at + 2] for at in range(len(run) - 1)] or [run]
                question.update(dict.fromkeys(f"{_quoted(pair)}{':*' if len(pair) == 1 else ''}" for pair in pairs))
            else:
                question[f"{_quoted(piece['chunk'][:_LONGEST_TERM])}:*"] = None
    return " & ".join(list(question)[:40]), asked


def _quoted(term: str) -> str:
    return "'" + term.replace("\\", "\\\\").replace("'", "''") + "'"
