"""Two worlds that differ only in what the observer may not see answer it byte for byte alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.goals import goal
from tests.secrecy.play import LEAST_SECRETS, OBSERVERS, compare

if TYPE_CHECKING:
    from tests.secrecy.twins import Twins

STEPS = {"member": 240, "constituent": 120, "former": 75, "staff": 75}
"""Requests to each world by observer: 500 in all are the least."""


@pytest.mark.parametrize("observer", OBSERVERS)
def test_worlds(twin_worlds: Twins, observer: str) -> None:
    found = compare(twin_worlds, observer=observer, seed=20261124, steps=STEPS[observer])
    assert not found.differences, "\n".join(found.differences[:20])
    assert found.second.effective >= LEAST_SECRETS
    assert found.steps >= STEPS[observer]


@pytest.mark.long
@pytest.mark.timeout(7000)
def test_many_worlds(twin_worlds: Twins) -> None:
    """20,000 requests to each world, a seed of its own for every play."""
    plays, secrets, wrong = 0, 0, []
    with goal("requests to two worlds that differ in what the observer may not see", seed=1000) as counted:
        while counted.count < 20_000 and len(wrong) <= 40:
            observer = list(OBSERVERS)[plays % len(OBSERVERS)]
            found = compare(twin_worlds, observer=observer, seed=1000 + plays, steps=400, secrets=120, thorough=True)
            assert found.second.effective >= LEAST_SECRETS
            counted.count, secrets = counted.count + found.steps, secrets + found.second.effective
            wrong += [f"{observer}, seed {1000 + plays}, {one}" for one in found.differences]
            plays += 1
            counted.failures, counted.also = len(wrong), f"{plays} plays, {secrets:,} hidden acts"
        assert not wrong, "\n".join(wrong)
