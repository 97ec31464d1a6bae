"""How much it says that two names agree in all but one character, by what is common on the list itself.

A name has its own part and, at its end, words that many names share (科技, 實業). A character exchanged in the own
part may be a slip or simply another company: 大立科技 and 大晶科技 are two. How many unrelated names would fit a listed
one with a gap in that place is estimated from the list: how often each character and each ending stands there. The
rarest gaps are admitted first, until together they would catch as many unrelated names as the operator allows.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable
from itertools import accumulate

_ENDING = (3, 2)
_ENDINGS = 2
_OWN = 2
# Characters and endings that the list does not hold exist all the same: so many are taken to be as rare as none seen.
_UNSEEN_CHARACTERS = 200
_UNSEEN_ENDINGS = 30


class Rarity:
    """What is common among the names of a list, folded."""

    def __init__(self, cores: Iterable[str]) -> None:
        names = sorted(set(cores))
        self._names = len(names)
        least = max(3, self._names // 200)
        ends = Counter(name[-size:] for name in names for size in _ENDING if len(name) >= size + _OWN)
        self._common = frozenset(end for end, count in ends.items() if count >= least)
        parts = [self.split(name) for name in names]
        self._characters = Counter(one for own, _ in parts for one in own)
        self._seen = sum(self._characters.values()) + len(self._characters) + _UNSEEN_CHARACTERS
        self._endings = Counter(ending for _, ending in parts)
        self._lengths = Counter(len(own) for own, _ in parts)
        gaps = {(name[:at], name[at + 1 :]): (name, at) for name in names for at in range(len(self.split(name)[0]))}
        self._gaps = sorted(self.chance(name, at) for name, at in gaps.values())
        self._together = list(accumulate(self._gaps))

    def split(self, core: str) -> tuple[str, str]:
        """Return the own part of a name, two characters at least, and the common words at its end."""
        own, ending = core, ""
        for _ in range(_ENDINGS):
            size = next((n for n in _ENDING if len(own) >= n + _OWN and own[-n:] in self._common), 0)
            if not size:
                break
            own, ending = own[:-size], own[-size:] + ending
        return own, ending

    def chance(self, core: str, gap: int) -> float:
        """Return which share of unrelated names fits this one with a gap at that place of its own part."""
        own, ending = self.split(core)
        share = self._lengths[len(own)] / self._names * (self._endings[ending] + 1) / (self._names + _UNSEEN_ENDINGS)
        for at, one in enumerate(own):
            if at != gap:
                share *= (self._characters[one] + 1) / self._seen
        return share

    def most(self, allowed: float) -> float:
        """Return the chance up to which gaps are admitted, so that they catch that share of unrelated names."""
        admitted = bisect_right(self._together, allowed)
        return self._gaps[admitted - 1] if admitted else 0.0
