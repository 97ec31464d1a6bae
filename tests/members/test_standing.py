"""Standing and gaps follow from the spells of a membership, at every microsecond."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from lianfang.members.standing import Spell, gaps_of, standing_of
from lianfang.policy.facts import Gap, Standing

A = datetime(2026, 11, 1, tzinfo=UTC)
B, C, D = (A + timedelta(days=n) for n in (1, 2, 3))
TICK = timedelta(microseconds=1)


def test_nobody_stands_before_the_beginning() -> None:
    spells = [Spell("m", "active", B, None)]
    assert standing_of(spells, B - TICK) is Standing.NONE
    assert standing_of(spells, B) is Standing.ACTIVE
    assert standing_of([], B) is Standing.NONE
    assert gaps_of([]) == frozenset()


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("active", Standing.ACTIVE),
        ("revocation_review", Standing.UNDER_REVIEW),
        ("termination_requested", Standing.TERMINATING),
    ],
)
def test_while_in_force_the_state_speaks(state: str, expected: Standing) -> None:
    assert standing_of([Spell("m", state, A, None)], D) is expected


@pytest.mark.parametrize(("state", "expected"), [("revoked", Standing.REVOKED), ("terminated", Standing.TERMINATED)])
def test_it_ends_at_the_very_instant(state: str, expected: Standing) -> None:
    spells = [Spell("m", state, A, C)]
    assert standing_of(spells, C - TICK) is Standing.ACTIVE
    assert standing_of(spells, C) is expected
    assert gaps_of(spells) == {Gap(C)}


def test_restored_leaves_a_gap_and_stood_revoked_within_it() -> None:
    spells = [Spell("m", "active", A, B), Spell("m", "active", C, None)]
    assert [standing_of(spells, at) for at in (A, B - TICK, B, C - TICK, C)] == [
        Standing.ACTIVE, Standing.ACTIVE, Standing.REVOKED, Standing.REVOKED, Standing.ACTIVE,
    ]  # fmt: skip
    assert gaps_of(spells) == {Gap(B, C)}


def test_the_time_between_two_memberships_is_a_gap_unless_the_operator_says_otherwise() -> None:
    spells = [Spell("m", "terminated", A, B), Spell("n", "active", C, None)]
    assert gaps_of(spells) == {Gap(B, C)}
    assert gaps_of(spells, between_memberships=False) == frozenset()
    assert gaps_of([Spell("m", "terminated", A, B), Spell("n", "active", B, None)]) == frozenset()
