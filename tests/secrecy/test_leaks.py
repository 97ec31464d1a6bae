"""Each planted leak is caught: without it two worlds answer alike, with it they do not."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from tests.secrecy import acts, cost
from tests.secrecy.furnished import Furnished, filled, furnish
from tests.secrecy.leaks import LEAKS, OBJECTS, OVERVIEW, Leak
from tests.secrecy.play import LEAST_SECRETS, Played, differences

if TYPE_CHECKING:
    from datetime import datetime

    from tests.secrecy.twins import Twins

LEAST = 20


class Pair:
    """Two worlds that stand side by side, one with secrets; the same is asked of both, again and again."""

    def __init__(self, twins: Twins) -> None:
        self.twins = twins
        self.second = furnish(twins, "second", secrets=True, twice=True)
        self.first = furnish(twins, "first", secrets=False, twice=True)
        assert self.first.ids.items() <= self.second.ids.items(), "what the observer knows is the same"
        self.at = self.second.at
        self.asked = 0
        self.last: list[Played] = []

    def ask(self, leak: Leak | None) -> list[str]:
        """Put the leak in, ask both worlds, and return the differences."""
        asks = leak.asks if leak else tuple(dict.fromkeys(ask for one in LEAKS for ask in one.asks))
        self.asked += 1
        with ExitStack() as stack:
            if leak is not None:
                leak.put_in(stack)
            if leak is not None and leak.costs:
                return self._weighed()
            at, found = self.at, []
            for name, world in (("first", self.first), ("second", self.second)):
                self.twins.enter(name)
                found.append(self._answers(world, at, leak, asks))
        self.last = found
        self.at = acts.later(max(self.first.at, self.second.at))
        return list(differences(*found))

    def _answers(self, world: Furnished, at: datetime, leak: Leak | None, asks: tuple) -> Played:  # type: ignore[type-arg]
        hand, world.at = world.hand, at
        hand.played = Played()
        if leak is not None and leak.others_first:
            at = world.later()
            if world is self.second:
                hand.twins.given.step(at=at, who="others")
                mine, hand.token = hand.token, hand.twins.tokens["yi"]
                hand.answered(OBJECTS)
                hand.token = mine
        if leak is not None and leak.jobs and world is self.second:
            # Something of which nobody was told yet, in the world that has secrets.
            for place, name in enumerate(("share_narrow", "share_narrow", "share_narrow", "recall")):
                hand.act_in_secret(1000 * self.asked + place, world.later(), name)
        for ask in asks:
            hand.ask(0, world.later(), filled(ask, self.second.ids, self.asked))
        if leak is None or leak.jobs:
            hand.act(0, world.later(), "jobs")
        if world is self.second and any(ask.body for ask in asks):
            # What the observer brought is not to be the last that happened: that is a secret again.
            hand.act_in_secret(self.asked, world.later(), "share_with_the_centre")
        return hand.end(world.later())

    def _weighed(self) -> list[str]:
        self.twins.enter("second")
        cost.weighed(self.second.hand, self.at, OVERVIEW)
        found = []
        for pair in cost.pairs(self.second.hand):
            if pair.name.startswith("intel_item GET"):
                both = [cost.weighed(self.second.hand, self.at, ask) for ask in (pair.hidden, pair.absent)]
                if both[0][1] != both[1][1]:
                    found.append(f"{len(both[0][1])} statements and {len(both[1][1])}")
        return found


@pytest.fixture(scope="module")
def pair(twin_worlds: Twins) -> Pair:
    """Both worlds, furnished once for all leaks."""
    return Pair(twin_worlds)


def test_there_are_enough_leaks_and_secrets(pair: Pair) -> None:
    assert len(LEAKS) >= LEAST
    assert sum(pair.second.hand.played.secrets.values()) >= LEAST_SECRETS or pair.asked
    assert len({one.name for one in LEAKS}) == len(LEAKS)


def test_without_a_leak_both_worlds_answer_alike(pair: Pair) -> None:
    """Every question by which a leak is looked for, put to the product as it is."""
    wrong = pair.ask(None)
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("leak", LEAKS, ids=lambda one: one.name)
def test_a_planted_leak_is_caught(pair: Pair, leak: Leak) -> None:
    assert pair.ask(leak), f"{leak.name} went unseen: {[one.answers for one in pair.last]}"
