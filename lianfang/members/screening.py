"""Comparing rows of a roster with an official list: by number, and by name after folding (charter 1.3).

A number that stands on the list is a hit that blocks. A name that is the same after folding, or differs by a slip of
the pen, is a hit for a person to judge. How much may differ depends on how much the name says: of four characters one,
of twelve two. Beside another business number a name needs more to be taken for the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from rapidfuzz import process
from rapidfuzz.distance import Indel

from lianfang.kernel import ubn
from lianfang.members.names import fold, weight

_MOST_MATCHES = 5
# A changed character is one taken out and one put in; so is a pair that changed places.
_SLIP = 2
# Weights as `Folded.weight` counts: a Chinese character two.
_SHORT = 8
BESIDE_A_NUMBER = 5
"""How many characters a name needs for a slip in it to count beside another business number, unless said otherwise."""
_LONG = 24


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

    def screen(self, *, name: str, number: str, beside: int = BESIDE_A_NUMBER) -> Outcome:
        """Compare one row. `beside`: how long a name has to be for a slip to count where both have a number."""
        by_number = [Match(one.ubn, one.name, 100, "number") for one in self._numbers.get(number, [])] if number else []
        if by_number:
            return Outcome("id_hit", tuple(by_number[:_MOST_MATCHES]))
        by_name = self._like(name, number, 2 * beside)
        if by_name:
            return Outcome("name_hit", tuple(by_name[:_MOST_MATCHES]))
        return Outcome("clear" if ubn.is_valid(number) else "unverifiable")

    def _like(self, name: str, number: str, beside: int) -> list[Match]:
        folded = fold(name)
        if not folded.core:
            return []
        found = [Match(one.ubn, one.name, 100, "name") for one in self._names.get(folded.core, [])]
        for core, distance in self._near(folded.core, folded.weight):
            long = max(folded.weight, weight(core)) >= beside
            for one in self._names[core]:
                if long or not (number and one.ubn):
                    found.append(Match(one.ubn, one.name, _score(folded.core, core, distance), "name"))
        return sorted(found, key=lambda match: (-match.score, match.name))

    def _near(self, core: str, weight: int) -> list[tuple[str, int]]:
        """Return the names that differ from this one, but by no more than a slip (two in a long name)."""
        # Of a name of four characters one may be missing; of three, none can be told from another company.
        allowed = 1 if weight < _SHORT else _SLIP if weight < _LONG else 2 * _SLIP
        near: list[tuple[str, int]] = []
        if weight < _SHORT - 2:
            return []
        shortest = len(core) + 1 if weight < _SHORT else len(core) - allowed
        for length in range(shortest, len(core) + allowed + 1):
            for other, distance, _ in process.extract(
                core, self._by_length.get(length, ()), scorer=Indel.distance, score_cutoff=allowed, limit=_MOST_MATCHES
            ):
                if distance:
                    near.append((other, int(distance)))
        return near


def _score(one: str, other: str, distance: int) -> int:
    return round(100 * (1 - distance / (len(one) + len(other))))
