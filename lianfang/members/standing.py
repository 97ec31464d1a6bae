"""What follows from the history of a membership: standing at an instant, and the times in which it was not in force."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from lianfang.members.lifecycle import IN_FORCE
from lianfang.policy.facts import Gap, Standing

_WHILE_IN_FORCE = {
    "active": Standing.ACTIVE,
    "revocation_review": Standing.UNDER_REVIEW,
    "termination_requested": Standing.TERMINATING,
}
_AFTER = {"terminated": Standing.TERMINATED}


@dataclass(frozen=True, slots=True)
class Spell:
    """One time [began_at, ended_at) in which a membership was in force, with that membership and its state today."""

    membership: str
    state: str
    began_at: datetime
    ended_at: datetime | None

    def holds(self, at: datetime) -> bool:
        """Return whether the membership was in force at that instant."""
        return self.began_at <= at and (self.ended_at is None or at < self.ended_at)


def standing_of(spells: Sequence[Spell], at: datetime) -> Standing:
    """Return the standing that follows from these spells, sorted by beginning.

    Of a past instant only "in force or not, and how it ended" is known; reviews and requests are told of today's spell.
    """
    begun = [spell for spell in spells if spell.began_at <= at]
    if not begun:
        return Standing.NONE
    last = begun[-1]
    if not last.holds(at):
        return _AFTER.get(last.state, Standing.REVOKED)
    if last.ended_at is None and last.state in IN_FORCE:
        return _WHILE_IN_FORCE[last.state]
    return Standing.ACTIVE


def gaps_of(spells: Sequence[Spell], *, between_memberships: bool = True) -> frozenset[Gap]:
    """Return the gaps that these spells leave (policy F-gap); the time before the first is none.

    `between_memberships` False leaves out the time between an ended membership and a new one.
    """
    found: set[Gap] = set()
    for earlier, later in zip(spells, [*spells, None][1:], strict=True):
        if earlier.ended_at is None:
            continue
        if later is None:
            found.add(Gap(earlier.ended_at))
        elif earlier.ended_at < later.began_at and (between_memberships or earlier.membership == later.membership):
            found.add(Gap(earlier.ended_at, later.began_at))
    return frozenset(found)
