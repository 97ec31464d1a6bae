"""The table of a change: every move from every state, and each fact alone against exactly its moves (charter 2.4)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pytest

from lianfang.kernel.machine import Move
from lianfang.kernel.refusal import Refusal
from lianfang.members import words
from lianfang.members.lifecycle import CHANGE, OPEN_CHANGE, ChangeReadiness
from lianfang.members.models import ChangeRequest
from lianfang.policy.facts import Right

LIGHT = ChangeReadiness(
    rows=0, screened=0, id_hits=0, unjudged_name_hits=0, unverifiable=0, list_too_old=0, authority_checked=False,
    live_membership=False, checked_again=False, unconfirmed=0, refused=0, in_force=True,
)  # fmt: skip
HEAVY = replace(LIGHT, rows=3, screened=3, authority_checked=True, checked_again=True, unverifiable=2)
GOOD: dict[str, Any] = {
    "conflict": False, "reviewer": "r", "decider": "d", "recommendation": "approve", "explained": True,
    "attested": "a", "roster": "a",
}  # fmt: skip
_TWO = {"recommend_applying", "apply"}
_ALONE = {"apply_alone"}
_DECIDING = {"apply", "reject", "return_to_review"}
_ALL = {move.name for move in CHANGE.moves} - {"withdraw"}
# What stands against which moves of a heavy change, and a word of the reason that a person reads.
AGAINST: dict[str, tuple[dict[str, Any], set[str], str]] = {
    "undeclared": ({"conflict": None}, _ALL, "Declare first"),
    "conflict": ({"conflict": True}, _ALL, "You declared a conflict"),
    "four eyes": ({"decider": "r"}, _DECIDING, "You reviewed"),
    "nothing recommended": ({"recommendation": ""}, _DECIDING, "not recommended"),
    "rejection recommended": ({"recommendation": "reject"}, {"apply"}, "recommends rejection"),
    "no attestation": ({"attested": ""}, _TWO, "is missing"),
    "old attestation": ({"attested": "b"}, _TWO, "no longer covers"),
    "row not screened": ({"readiness": replace(HEAVY, screened=1)}, _TWO, "2 roster rows"),
    "old list": ({"readiness": replace(HEAVY, list_too_old=1)}, _TWO, "too old"),
    "id hit": ({"readiness": replace(HEAVY, id_hits=1)}, _TWO, "by number"),
    "name hit": ({"readiness": replace(HEAVY, unjudged_name_hits=1)}, _TWO, "1 name matches"),
    "authority": ({"readiness": replace(HEAVY, authority_checked=False)}, _TWO, "authority to sign"),
    "taken": ({"readiness": replace(HEAVY, live_membership=True)}, _TWO, "already has a membership"),
    "ended": ({"readiness": replace(HEAVY, in_force=False)}, _TWO, "has ended"),
    "disowned": ({"readiness": replace(HEAVY, refused=1)}, _TWO, "is wrong"),
}
RIGHTS = {
    "take_up": Right.TAKE_UP, "recommend_applying": Right.REVIEW, "recommend_rejecting": Right.REVIEW,
    "apply_alone": Right.REVIEW, "reject_alone": Right.REVIEW, "return_to_review": Right.APPROVE,
    "apply": Right.APPROVE, "reject": Right.APPROVE, "withdraw": Right.FILE_CHANGE,
}  # fmt: skip


@dataclass
class Row:
    state: str


def named(move: Move) -> str:
    return move.name


def good(move: Move) -> dict[str, Any]:
    return {**GOOD, "readiness": LIGHT if move.name.endswith("_alone") else HEAVY}


@pytest.mark.parametrize("move", CHANGE.moves, ids=named)
def test_a_move_leads_from_its_states_and_from_no_other(move: Move) -> None:
    for state in CHANGE.states:
        row = Row(state)
        if state in move.sources:
            CHANGE.move(row, move.name, **good(move))
            assert row.state == move.target
            continue
        with pytest.raises(Refusal) as caught:
            CHANGE.move(row, move.name, **good(move))
        assert CHANGE.states[state].zh in caught.value.reason.zh
        assert row.state == state
    assert move.right == RIGHTS[move.name]
    assert move.clause == "2.4"
    assert move.words.zh != move.words.en


@pytest.mark.parametrize("move", CHANGE.moves, ids=named)
def test_each_fact_alone_stands_against_exactly_its_moves(move: Move) -> None:
    row = Row(next(iter(move.sources)))
    for name, (facts, moves, word) in AGAINST.items():
        if move.name.endswith("_alone") and "readiness" in facts:
            continue
        reason = CHANGE.why_not(row, move.name, **{**good(move), **facts})
        assert (reason is not None) is (move.name in moves), name
        if reason is not None:
            assert word in reason.en
            assert "{" not in reason.en + reason.zh


def test_one_person_alone_applies_only_what_is_light_and_confirmed() -> None:
    row = Row("under_review")
    assert CHANGE.why_not(row, "apply_alone", **{**GOOD, "readiness": LIGHT, "attested": ""}) is None
    for facts, word in (
        (replace(LIGHT, checked_again=True), "another person"), (replace(LIGHT, unconfirmed=1), "1 mailboxes"),
        (replace(LIGHT, refused=1), "is wrong"), (replace(LIGHT, in_force=False), "has ended"),
    ):  # fmt: skip
        reason = CHANGE.why_not(row, "apply_alone", **{**GOOD, "readiness": facts})
        assert reason is not None
        assert word in reason.en
    silent = {**GOOD, "readiness": replace(LIGHT, unconfirmed=1)}
    assert CHANGE.why_not(row, "recommend_applying", **silent) is None
    unsaid = CHANGE.why_not(row, "recommend_applying", **{**silent, "explained": False})
    assert unsaid is not None


def test_states_words_and_the_database() -> None:
    assert set(CHANGE.states) == {"submitted", "under_review", "applied", "rejected", "withdrawn"}
    assert set(OPEN_CHANGE) == set(CHANGE.states) - CHANGE.final
    assert {words.STATE_TONES[state] for state in CHANGE.states} <= {"", "good", "bad", "warn", "info"}
    held = [one for one in ChangeRequest._meta.constraints if one.name == "change_state_known"]
    assert sorted(dict([held[0].condition.children[0]])["state__in"]) == sorted(CHANGE.states)  # type: ignore[attr-defined]
    for language in ("zh-hant", "en"):
        assert "withdrawn" in CHANGE.diagram(language)
    # Nothing is applied that nobody took up.
    assert all(move.sources == ["under_review"] for move in CHANGE.moves if move.target == "applied")
