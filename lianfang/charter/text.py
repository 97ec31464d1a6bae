"""The text of a document as data: what makes it sound, and what a new text changes. Pure: nothing here reads a row."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from lianfang.kernel.text import Bilingual

Clause = Mapping[str, str]
"""{"id": "2.1", "zh": …, "en": …}"""

NUMBER = re.compile(r"(?:0|[1-9][0-9]{0,2}(?:\.[1-9][0-9]{0,2}){0,4})(?:-[1-9][0-9]{0,2}(?:\.[1-9][0-9]{0,2}){0,4})?\Z")
"""A clause's number: `2`, `2.1`, and `5.1-1.3` where a clause counts anew below itself; `0` is what stands before 1."""
MOST_CLAUSES, LONGEST_CLAUSE, LONGEST_TITLE = 500, 20_000, 200
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that stands against a text; `clause` is its number, empty for the whole."""

    clause: str
    reason: Bilingual


def _fault(clause: str, zh: str, en: str) -> Fault:
    return Fault(clause, Bilingual(zh=zh, en=en).format(n=clause))


def key(number: str) -> tuple[tuple[int, ...], ...]:
    """Return what a text is ordered by: `2.10` stands after `2.9`."""
    return tuple(tuple(int(one) for one in part.split(".")) for part in number.split("-"))


def quoted(number: str) -> str:
    """Return how a clause is quoted: `2.2`, and below 5.1 `1.3.1` as the charter itself counts."""
    return number.partition("-")[2] or number


def above(number: str) -> str:
    """Return the number of the clause that this one stands below; empty for an article."""
    head, dash, tail = number.rpartition("-")
    if dash:
        # What counts anew below a clause begins at 1.1.
        return f"{head}-{tail.rpartition('.')[0]}" if tail.count(".") > 1 else head
    return number.rpartition(".")[0]


def faults(titles: Bilingual, clauses: Sequence[Any]) -> list[Fault]:
    """Return everything that stands against a text, in its order; nothing for a sound one."""
    return list(_faults(titles, clauses))


def _faults(titles: Bilingual, clauses: Sequence[Any]) -> Iterator[Fault]:
    for said, zh, en in ((titles.zh, "中文", "Chinese"), (titles.in_language("en"), "英文", "English")):
        if not said.strip() or len(said) > LONGEST_TITLE or _CONTROL.search(said) or "\n" in said:
            yield _fault("", f"{zh}名稱要是一行，200字以內。", f"The {en} title is one line of at most 200 characters.")
    if not clauses:
        yield _fault("", "還沒有任何條文。", "There is no clause yet.")
    if len(clauses) > MOST_CLAUSES:
        yield _fault("", "條文超過500項。", "There are more than 500 clauses.")
    seen: set[str] = set()
    before = ""
    for one in clauses[:MOST_CLAUSES]:
        number = one.get("id", "") if isinstance(one, Mapping) else ""
        if not isinstance(number, str) or not NUMBER.match(number):
            yield _fault(str(number)[:20], "「{n}」不是條號。", "“{n}” is no number of a clause.")
            continue
        if number in seen:
            yield _fault(number, "條號{n}出現兩次。", "Clause {n} is numbered twice.")
        elif before and key(number) < key(before):
            yield _fault(number, f"條號{{n}}排在{before}之後。", f"Clause {{n}} stands after {before}.")
        elif above(number) and above(number) not in seen:
            yield _fault(
                number, f"條號{{n}}的上一層{above(number)}不存在。", f"Clause {{n}} stands below no {above(number)}."
            )
        seen.add(number)
        before = number
        yield from _words(number, one)


def _words(number: str, one: Clause) -> Iterator[Fault]:
    for language, zh, en in (("zh", "中文", "Chinese"), ("en", "英文", "English")):
        said = one.get(language, "")
        if not isinstance(said, str) or not said.strip():
            yield _fault(number, f"{{n}}沒有{zh}條文。", f"Clause {{n}} has no {en} text.")
        elif len(said) > LONGEST_CLAUSE:
            yield _fault(number, f"{{n}}的{zh}超過20,000字。", f"Clause {{n}} is longer than 20,000 characters ({en}).")
        elif _CONTROL.search(said):
            yield _fault(
                number, f"{{n}}的{zh}有不能顯示的字元。", f"Clause {{n}} holds a character that cannot be shown ({en})."
            )


# What changes


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of text; `change` is "" (the same), "del" or "ins"."""

    text: str
    change: str


@dataclass(frozen=True, slots=True)
class Row:
    """One clause of two texts beside each other; `kind` is same, changed, added or removed."""

    id: str
    kind: str
    old: Mapping[str, list[Piece]]
    new: Mapping[str, list[Piece]]

    @property
    def number(self) -> str:
        """How the clause is quoted."""
        return quoted(self.id)


def compare(old: Sequence[Clause], new: Sequence[Clause]) -> list[Row]:
    """Return both texts clause by clause, by their numbers, in the order of the numbers."""
    before, after = ({one["id"]: one for one in text} for text in (old, new))
    return [_row(number, before.get(number), after.get(number)) for number in sorted({*before, *after}, key=key)]


def changed(old: Sequence[Clause], new: Sequence[Clause]) -> list[str]:
    """Return the numbers of the clauses that differ."""
    before, after = ({one["id"]: (one["zh"], one["en"]) for one in text} for text in (old, new))
    return [number for number in sorted({*before, *after}, key=key) if before.get(number) != after.get(number)]


def _row(number: str, old: Clause | None, new: Clause | None) -> Row:
    if old is None or new is None:
        kind, change = ("added", "ins") if old is None else ("removed", "del")
        whole = {language: [Piece((new or old or {})[language], change)] for language in ("zh", "en")}
        return Row(number, kind, whole if new is None else {}, whole if old is None else {})
    left, right = {}, {}
    for language in ("zh", "en"):
        left[language], right[language] = _pieces(old[language], new[language])
    kind = "same" if (old["zh"], old["en"]) == (new["zh"], new["en"]) else "changed"
    return Row(number, kind, left, right)


_TOKEN = re.compile(r"[A-Za-z0-9]+|\s+|.", re.DOTALL)


def _pieces(old: str, new: str) -> tuple[list[Piece], list[Piece]]:
    """Return both texts cut where they differ: by words in Latin letters, by characters in Chinese."""
    before, after = _TOKEN.findall(old), _TOKEN.findall(new)
    left: list[Piece] = []
    right: list[Piece] = []
    for what, a, b, c, d in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if a < b:
            left.append(Piece("".join(before[a:b]), "" if what == "equal" else "del"))
        if c < d:
            right.append(Piece("".join(after[c:d]), "" if what == "equal" else "ins"))
    return left, right
