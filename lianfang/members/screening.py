"""Comparing rows of a roster with an official list: by number, and by name after folding (charter 1.3).

A number that stands on the list is a hit that blocks. A name that is the same after folding, or differs by a slip of
the pen (a character exchanged, left out, put in, or two that changed places; in long names two slips), is a hit for a
person to judge, whatever number stands beside it. One kind of slip cannot be told from another company: a character
exchanged in what is a name's own. It counts where the rest that agrees is rare enough (`rarity`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from rapidfuzz import process
from rapidfuzz.distance import OSA, Indel

from lianfang.kernel import ubn
from lianfang.members.names import fold, weight
from lianfang.members.rarity import Rarity

_MOST_MATCHES = 5
# As insertions and deletions: an exchanged character is one taken out and one put in; so is a pair that changed places.
_SLIP = 2
# Weights as `Folded.weight` counts: a Chinese character two.
_SHORT = 8
_LONG = 24
ALLOWED = 0.02
"""Which share of unrelated names may hit because one character of their own differs, unless said otherwise."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One organisation on the list."""

    ubn: str
    name: str


@dataclass(frozen=True, slots=True)
class Match:
    """A row of the list that a row of a roster is like. `by` is `number` or `name`; `score` is of 100."""

    ubn: str
    name: str
    score: int
    by: str

    def listed(self) -> list[str | int]:
        """Return it as it is kept with a finding."""
        return [self.ubn, self.name, self.score, self.by]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one row gave: `clear`, `name_hit`, `id_hit` or `unverifiable`, and the rows of the list that say so."""

    result: str
    matches: tuple[Match, ...] = ()


class Register:
    """A list made ready for comparing."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._numbers: dict[str, list[Entry]] = {}
        self._names: dict[str, list[Entry]] = {}
        self._by_length: dict[int, list[str]] = {}
        for entry in entries:
            if entry.ubn:
                self._numbers.setdefault(entry.ubn, []).append(entry)
            core = fold(entry.name).core
            if core:
                self._names.setdefault(core, []).append(entry)
        for core in self._names:
            self._by_length.setdefault(len(core), []).append(core)
        self._rarity = Rarity(self._names)

    def screen(self, *, name: str, number: str, allowed: float = ALLOWED) -> Outcome:
        """Compare one row. `allowed`: which share of unrelated names may hit by a character exchanged in their own."""
        by_number = [Match(one.ubn, one.name, 100, "number") for one in self._numbers.get(number, [])] if number else []
        if by_number:
            return Outcome("id_hit", tuple(by_number[:_MOST_MATCHES]))
        by_name = self._like(name, allowed)
        if by_name:
            return Outcome("name_hit", tuple(by_name[:_MOST_MATCHES]))
        return Outcome("clear" if ubn.is_valid(number) else "unverifiable")

    def _like(self, name: str, allowed: float) -> list[Match]:
        core = fold(name).core
        if not core:
            return []
        found = [Match(one.ubn, one.name, 100, "name") for one in self._names.get(core, [])]
        for other, distance in self._near(core):
            if self._telling(core, other, allowed):
                found += [Match(one.ubn, one.name, _score(core, other, distance), "name") for one in self._names[other]]
        return sorted(found, key=lambda match: (-match.score, match.name))

    def _near(self, core: str) -> list[tuple[str, int]]:
        """Return the names that differ from this one, but by no more than a slip (two in a long name)."""
        size = weight(core)
        # Of a name of four characters one may be missing; of three, none can be told from another company.
        if size < _SHORT - 2:
            return []
        slips = 1 if size < _LONG else 2
        most = 1 if size < _SHORT else _SLIP * slips
        near: list[tuple[str, int]] = []
        shortest = len(core) + 1 if size < _SHORT else len(core) - most
        for length in range(shortest, len(core) + most + 1):
            for other, distance, _ in process.extract(
                core, self._by_length.get(length, ()), scorer=Indel.distance, score_cutoff=most, limit=None
            ):
                # A character taken out here and another put in there are two slips.
                if distance and OSA.distance(core, other, score_cutoff=slips) <= slips:
                    near.append((other, int(distance)))
        return near

    def _telling(self, core: str, other: str, allowed: float) -> bool:
        """Return whether the likeness says something: not when it is a character exchanged in a name's own part."""
        gaps = [at for at, (one, two) in enumerate(zip(core, other, strict=False)) if one != two]
        if len(core) != len(other) or len(gaps) != 1:
            return True
        gap = gaps[0]
        own, _ = self._rarity.split(other)
        return gap >= len(own) or self._rarity.chance(other, gap) <= self._rarity.most(allowed)


def _score(one: str, other: str, distance: int) -> int:
    return round(100 * (1 - distance / (len(one) + len(other))))
