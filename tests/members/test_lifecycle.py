"""The tables of states: random walks never leave them, illegal moves are refused, what must hold always holds."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lianfang.kernel.machine import Machine
from lianfang.kernel.refusal import Refusal
from lianfang.members.lifecycle import APPEAL, APPLICATION, IN_FORCE, MEMBERSHIP, REVOCATION, Readiness
from lianfang.policy.facts import Right

READY = Readiness(
    rows=3, screened=3, id_hits=0, unjudged_name_hits=0, unverifiable=0, list_too_old=0, authority_checked=True,
    live_membership=False,
)  # fmt: skip
GOOD = {
    "proved": True, "missing": 0, "attested": "a", "roster": "a", "readiness": READY, "conflict": False,
    "reviewer": "r", "decider": "d", "recommendation": "approve", "unanswered": 0, "appeal_state": "granted",
    "facts": "x", "hearing": "", "took_part": False, "approvers": 1, "first": None,
    "at": datetime(2026, 12, 2, tzinfo=UTC), "kept_until": datetime(2026, 12, 2, tzinfo=UTC),
}  # fmt: skip
MACHINES = [APPLICATION, MEMBERSHIP, REVOCATION, APPEAL]


@dataclass
class Row:
    state: str


def test_every_right_of_every_move_is_one_of_the_policy() -> None:
    rights = {str(right) for right in Right}
    by_time_alone = [(machine.name, move.name) for machine in MACHINES for move in machine.moves if move.right is None]
    assert by_time_alone == [("application", "expire")]
    for machine in MACHINES:
        for move in machine.moves:
            assert move.right in rights or (machine.name, move.name) in by_time_alone, (machine.name, move.name)


@pytest.mark.parametrize("machine", MACHINES, ids=lambda one: one.name)
@given(names=st.lists(st.integers(0, 40), max_size=30))
def test_a_random_walk_makes_only_moves_of_the_table(machine: Machine, names: list[int]) -> None:
    row = Row(machine.initial)
    for number in names:
        move = machine.moves[number % len(machine.moves)]
        before = row.state
        if before in move.sources:
            machine.move(row, move.name, **GOOD)
            assert row.state == move.target
        else:
            with pytest.raises(Refusal):
                machine.move(row, move.name, **GOOD)
            assert row.state == before
    assert row.state in machine.states


@given(names=st.lists(st.integers(0, 40), max_size=30), state=st.sampled_from(sorted(APPEAL.states)))
def test_nothing_brings_a_revoked_membership_back_but_a_granted_appeal(names: list[int], state: str) -> None:
    row = Row("revoked")
    for number in names:
        move = MEMBERSHIP.moves[number % len(MEMBERSHIP.moves)]
        try:
            MEMBERSHIP.move(row, move.name, **{**GOOD, "appeal_state": state})
        except Refusal:
            continue
        assert state == "granted"
        return
    assert row.state not in IN_FORCE


@pytest.mark.parametrize(
    "against",
    [
        {"attested": ""},
        {"attested": "b"},
        {"readiness": replace(READY, screened=2)},
        {"readiness": replace(READY, id_hits=1)},
        {"readiness": replace(READY, unjudged_name_hits=1)},
        {"readiness": replace(READY, list_too_old=1)},
        {"readiness": replace(READY, authority_checked=False)},
        {"readiness": replace(READY, live_membership=True)},
        {"decider": "r"},
        {"conflict": None},
        {"conflict": True},
        {"recommendation": "reject"},
    ],
    ids=str,
)
def test_each_of_these_alone_stands_against_an_approval(against: dict[str, object]) -> None:
    row = Row("recommended")
    assert APPLICATION.why_not(row, "approve", **GOOD) is None
    with pytest.raises(Refusal):
        APPLICATION.move(row, "approve", **{**GOOD, **against})
    assert row.state == "recommended"


@pytest.mark.parametrize("against", [{"decider": "r"}, {"conflict": None}, {"conflict": True}], ids=str)
@pytest.mark.parametrize(("machine", "state", "move"), [
    (APPLICATION, "recommended", "reject"), (REVOCATION, "proposed", "revoke"), (REVOCATION, "proposed", "close"),
    (APPEAL, "filed", "grant"), (APPEAL, "filed", "deny"),
])  # fmt: skip
def test_no_decision_without_four_eyes_and_a_declaration(
    machine: Machine, state: str, move: str, against: dict[str, object]
) -> None:
    assert machine.why_not(Row(state), move, **GOOD) is None
    assert machine.why_not(Row(state), move, **{**GOOD, **against}) is not None


def test_terminated_is_the_end() -> None:
    assert MEMBERSHIP.available("terminated") == ()
