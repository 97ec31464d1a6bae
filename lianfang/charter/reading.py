"""From an operator's text to clauses: Markdown or plain text, one clause a paragraph, its number first. Pure.

    # 第一條　入會資格            an article: 第一條, 第1條, Article 1, or `1.` behind a `#`
    1.1 團體會員可以是……           a clause by its number; lines below belong to it
    （一）……                      kept as text of the clause above

Nothing is guessed: what cannot be placed is told, and the page shows every clause before anything is kept.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from lianfang.charter.text import NUMBER, Clause, key
from lianfang.kernel.refusal import Refusal
from lianfang.kernel.text import Bilingual

_ENCODING = Bilingual(zh="檔案不是UTF-8的文字檔。", en="This file is no text in UTF-8.")
_NOTHING = Bilingual(
    zh="找不到任何條號。每一項前面要有條號，例如2.4。",
    en="No number of a clause was found. Each begins with one, such as 2.4.",
)

_HEADING = re.compile(r"^#{1,6}\s*")
_ARTICLE = re.compile(
    r"^(?:第\s*(?P<zh>[0-9]{1,3}|[一二三四五六七八九十百零〇]{1,6})\s*條|(?:Article|ARTICLE)\s+(?P<en>[0-9]{1,3}))(?![0-9])"
)
_CLAUSE = re.compile(
    r"^(?P<id>[0-9]{1,3}(?:\.[0-9]{1,3}){0,4}(?:-[0-9]{1,3}(?:\.[0-9]{1,3}){0,4})?)\.?(?=[\s　、]|$)[\s　、]*"
)
_DIGITS = {one: place for place, one in enumerate("一二三四五六七八九", start=1)}


@dataclass
class Read:
    """What was found: clauses in the order of the file, and lines that stand before the first number."""

    clauses: list[dict[str, str]] = field(default_factory=list)
    loose: list[str] = field(default_factory=list)


def decode(content: bytes) -> str:
    """Return a file as text. Raises Refusal (field `file`) for what is no UTF-8."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Refusal(_ENCODING, rule="charter-encoding", field="file") from None


def read(written: str) -> Read:
    """Cut a text into clauses by their numbers. Raises Refusal where there is none."""
    found = Read()
    for line in _lines(written):
        number, words = _numbered(line)
        if number:
            found.clauses.append({"id": number, "text": words})
        elif found.clauses and line:
            found.clauses[-1]["text"] = f"{found.clauses[-1]['text']}\n{line}".strip()
        elif line:
            found.loose.append(line)
    if not found.clauses:
        raise Refusal(_NOTHING, rule="charter-numbers", field="file")
    return found


def merged(old: Sequence[Clause], given: Read, *, language: str) -> list[dict[str, str]]:
    """Return a draft in which one language is what was read; the other stays by its number, empty where it is new.

    A number that stands twice in the file stays twice, so that it is told instead of one text being lost.
    """
    other = "en" if language == "zh" else "zh"
    kept = {one["id"]: one[other] for one in old}
    return [{"id": one["id"], language: one["text"], other: kept.get(one["id"], "")} for one in given.clauses]


def placed(clauses: Sequence[Clause], number: str, zh: str, en: str, *, before: str) -> list[dict[str, str]]:
    """Return the clauses with one written: `before` is the number that it had, empty for a new one."""
    made = [dict(one) for one in clauses if one["id"] != before or not before]
    new = {"id": number, "zh": zh, "en": en}
    if not NUMBER.match(number):
        return [*made, new]
    at = next(
        (place for place, one in enumerate(made) if NUMBER.match(one["id"]) and key(one["id"]) > key(number)), len(made)
    )
    return [*made[:at], new, *made[at:]]


def _lines(written: str) -> Iterator[str]:
    for line in re.split(r"\r\n|\r|\n", written):
        yield unicodedata.normalize("NFC", line).strip()


def _numbered(line: str) -> tuple[str, str]:
    plain = _HEADING.sub("", line).replace("**", "")
    article = _ARTICLE.match(plain)
    if article:
        return str(_value(article["zh"]) if article["zh"] else int(article["en"])), plain
    clause = _CLAUSE.match(plain)
    if clause and NUMBER.match(clause["id"]):
        return clause["id"], plain[clause.end() :]
    return "", plain


def _value(written: str) -> int:
    """Chinese numerals up to 999, as articles are counted."""
    if written.isdecimal():
        return int(written)
    total = 0
    for part, unit in (("百", 100), ("十", 10)):
        head, found, tail = written.partition(part)
        if found:
            total += (_DIGITS.get(head, 1)) * unit
            written = tail.lstrip("零〇")
    return total + _DIGITS.get(written, 0)
