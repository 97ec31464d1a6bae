"""Histories of memberships: three hundred in each run, ten thousand in `./test long histories`, and planted faults.

`LIANFANG_HISTORIES` asks for another number than ten thousand, `LIANFANG_SEED` for other histories.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from lianfang.members.lifecycle import APPEAL, APPLICATION, CHANGE, LIST_CASE, MEMBERSHIP, REVOCATION, TERMINATION
from tests.goals import goal
from tests.members.life import DEEDS, Life
from tests.members.life_faults import FAULTS, Fault
from tests.members.life_stage import BEGINNINGS, Stage, build
from tests.members.life_truths import EDGES, NAMES

SEED = 20261125
MACHINES = {
    "applications": APPLICATION, "memberships": MEMBERSHIP, "revocations": REVOCATION, "appeals": APPEAL,
    "terminations": TERMINATION, "changes": CHANGE, "list_cases": LIST_CASE,
}  # fmt: skip
# Drafts are no part of this: they are begun, and expire, before anybody else hears of them.
PLACES = {f"{kind}: {state}" for kind, machine in MACHINES.items() for state in machine.states} - {
    "applications: draft",
    "applications: expired",
}
MET = {
    "a limit that a calendar made longer",
    "a limit that a calendar would have shortened",
    "a request to leave during a review",
    "a membership revoked with a change pending",
    "an appeal after a termination, refused",
    *(f"{edge} at the end of a limit" for edge in EDGES.values()),
}


def play(stage: Stage, *, histories: int, steps: int, numbered: int, shrink: bool = True) -> None:
    """So many histories of so many steps, the same ones for the same number."""

    def machine() -> Life:
        return Life()

    Life.stage = stage
    run_state_machine_as_test(
        seed(numbered)(machine),
        settings=settings(
            max_examples=histories, stateful_step_count=steps, deadline=None, database=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate, Phase.shrink] if shrink else [Phase.generate],
        ),
    )  # fmt: skip


def require(stage: Stage, *, deeds: int, places: int, met: int, but: int = 0) -> None:
    """Every deed done so often, every state reached, every race and edge met; and a third of all came to a decision.

    Of few histories `but` so many may be missing.
    """
    missing = {name: stage.done[name] for name in DEEDS if stage.done[name] < deeds}
    missing |= {name: stage.places[name] for name in PLACES if stage.places[name] < places}
    missing |= {name: stage.met[name] for name in MET if stage.met[name] < met}
    for kind in ("appeal", "statement"):
        found = sum(stage.met[f"{kind} at the end of its last day: {edge}"] for edge in EDGES.values())
        missing |= {} if found >= met else {kind: found}
    assert len(missing) <= but, f"{missing}\n{stage.table()}"
    assert set(stage.begun) == set(BEGINNINGS)
    assert stage.decided * 3 >= stage.histories, stage.table()


@pytest.fixture(scope="module")
def beginnings(django_db_setup: None, django_db_blocker: Any) -> Iterator[Stage]:
    """The beginnings, within a transaction that all tests of this module share."""
    from django.db import transaction

    with django_db_blocker.unblock(), transaction.atomic():
        yield build()
        transaction.set_rollback(True)


@pytest.mark.timeout(400)
def test_three_hundred_histories(beginnings: Stage, db: None) -> None:
    stage, began = beginnings.fresh(), time.process_time()
    # Of as many more it tries, Hypothesis does not count those that it varied from others.
    play(stage, histories=240, steps=4, numbered=SEED)
    print(stage.table(), f"{time.process_time() - began:.0f} s of processor time")
    assert stage.histories >= 300
    require(stage, deeds=1, places=1, met=1, but=8)


def test_every_property_has_a_fault_that_breaks_it() -> None:
    broken = {fault.breaks for fault in FAULTS}
    assert {name for name in NAMES if name.startswith(("invariant_", "race_"))} == broken


@pytest.mark.long
@pytest.mark.timeout(1500)
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_histories_catch(beginnings: Stage, db: None, monkeypatch: pytest.MonkeyPatch, fault: Fault) -> None:
    """A fault that is planted in the product breaks its property within 150 histories of four steps."""
    stage = beginnings.fresh(*fault.near)
    fault.plant(monkeypatch)
    with goal(f"histories until a fault is caught: {fault.name}", seed=SEED) as counted:
        with pytest.raises(AssertionError):
            play(stage, histories=150, steps=4, numbered=SEED, shrink=False)
        counted.count = stage.histories
    assert fault.breaks in stage.broken


@pytest.mark.long
@pytest.mark.django_db(transaction=True)
@pytest.mark.timeout(7000)
def test_ten_thousand_histories() -> None:
    """Begun at committed places, so that whatever waits for a commit is asked at the end of each."""
    histories, numbered = (
        int(os.environ.get(f"LIANFANG_{name}", default)) for name, default in (("HISTORIES", "10000"), ("SEED", "1"))
    )
    stage = build()
    with goal("histories of a membership", seed=numbered) as counted:
        try:
            play(stage, histories=histories, steps=12, numbered=numbered)
        finally:
            counted.count = stage.histories
            done, refused = sum(stage.done.values()), sum(stage.refused.values())
            counted.also = f"{stage.decided} with a decision, {done} deeds done, {refused} refused"
            print(stage.table())
    assert stage.histories >= histories
    if histories >= 10_000:
        require(stage, deeds=100, places=50, met=30)
