"""Every move from every state, every guard alone, and that no state is a trap the table does not admit."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from lianfang.kernel.machine import Machine, Move
from lianfang.kernel.refusal import Refusal
from lianfang.members import words
from lianfang.members.lifecycle import (
    APPEAL,
    APPLICATION,
    CONTACT_CHECK,
    IN_FORCE,
    MEMBERSHIP,
    OPEN_APPLICATION,
    OPEN_TERMINATION,
    PROCEDURE,
    REVOCATION,
    TERMINATION,
    Readiness,
)
from lianfang.members.models import Appeal, Application, Membership, Revocation, Termination
from lianfang.policy.facts import Right

READY = Readiness(
    rows=3, screened=3, id_hits=0, unjudged_name_hits=0, unverifiable=2, list_too_old=0, authority_checked=True,
    live_membership=False,
)  # fmt: skip
END = datetime(2026, 12, 2, tzinfo=UTC)
GOOD: dict[str, Any] = {
    "proved": True, "missing": 0, "attested": "a", "roster": "a", "readiness": READY, "conflict": False,
    "reviewer": "r", "decider": "d", "recommendation": "approve", "unanswered": 0, "appeal_state": "granted",
    "facts": "x", "hearing": "done", "took_part": False, "findings": "x", "membership": "termination_requested",
    "at": END, "kept_until": END, "approvers": 1, "first": None, "faults": 0, "changed": True, "approvals": 2,
    "answer_until": END + timedelta(microseconds=1), "how": "x",
}  # fmt: skip
MACHINES = [APPLICATION, MEMBERSHIP, REVOCATION, APPEAL, TERMINATION, PROCEDURE, CONTACT_CHECK]
# What stands against a move, and a word of the reason that a person reads.
AGAINST: dict[str, tuple[dict[str, Any], str]] = {
    "mail": ({"proved": False}, "Open the link"),
    "incomplete": ({"missing": 3}, "3 items"),
    "no attestation": ({"attested": ""}, "no attestation"),
    "old attestation": ({"attested": "b"}, "has to be given again"),
    "row not screened": ({"readiness": replace(READY, screened=1)}, "2 roster rows"),
    "old list": ({"readiness": replace(READY, list_too_old=2)}, "too old"),
    "id hit": ({"readiness": replace(READY, id_hits=1)}, "match the mainland list by number"),
    "name hit": ({"readiness": replace(READY, unjudged_name_hits=1)}, "1 name matches"),
    "authority": ({"readiness": replace(READY, authority_checked=False)}, "authority to sign"),
    "taken": ({"readiness": replace(READY, live_membership=True)}, "already has a membership"),
    "undeclared": ({"conflict": None}, "Declare first"),
    "conflict": ({"conflict": True}, "You declared a conflict"),
    "four eyes": ({"decider": "r"}, "You reviewed"),
    "rejection recommended": ({"recommendation": "reject"}, "recommends rejection"),
    "nothing recommended": ({"recommendation": ""}, "recommends rejection"),
    "unanswered": ({"unanswered": 2}, "2 corrections"),
    "no appeal": ({"appeal_state": "filed"}, "granted appeal"),
    "denied appeal": ({"appeal_state": "denied"}, "granted appeal"),
    "time left": ({"at": END - timedelta(microseconds=1)}, "for some time yet"),
    "not told": ({"hearing": "needed"}, "notice of intent"),
    "time to answer": ({"hearing": "running"}, "time for the member's statement"),
    "reviewed before": ({"took_part": True}, "does not review it again"),
    "no findings": ({"findings": " \n"}, "what the review found"),
    "under review": ({"membership": "revocation_review"}, "waits until that is decided"),
    "first of two missing": ({"approvers": 2}, "no first approval yet"),
    "first of two oneself": ({"approvers": 2, "first": "d"}, "You gave the first approval"),
    "unsound procedure": ({"faults": 2}, "2 things"),
    "unchanged procedure": ({"changed": False}, "same as the edition"),
    "one approval": ({"approvals": 1}, "Another approver"),
    "answered too late": ({"answer_until": END}, "time to answer by this link is over"),
    "nothing done": ({"how": " "}, "Say what was done"),
    "no facts": ({"facts": " \n"}, "State the facts"),
}
_SCREENING = {"row not screened", "old list", "id hit", "name hit", "authority", "taken"}
_ATTESTED = {"no attestation", "old attestation"}
_TWO = {"first of two missing", "first of two oneself"}
_DECIDING = {"undeclared", "conflict", "four eyes"}
# The whole of what each move asks; a guard that is dropped or added makes a test fail.
GUARDED: dict[tuple[str, str], set[str]] = {
    ("application", "submit"): {"mail", "incomplete"} | _ATTESTED,
    ("application", "take_up"): {"undeclared", "conflict"},
    ("application", "request_correction"): {"undeclared", "conflict"},
    ("application", "answer_correction"): {"unanswered", "incomplete"} | _ATTESTED,
    ("application", "recommend_approval"): {"undeclared", "conflict"} | _ATTESTED | _SCREENING,
    ("application", "recommend_rejection"): {"undeclared", "conflict"},
    ("application", "return_to_review"): _DECIDING,
    ("application", "approve"): (
        _DECIDING | {"rejection recommended", "nothing recommended"} | _ATTESTED | _SCREENING | _TWO
    ),
    ("application", "reject"): _DECIDING,
    ("application", "withdraw"): set(),
    ("application", "expire"): {"time left"},
    ("membership", "open_review"): set(),
    ("membership", "close_review"): set(),
    ("membership", "revoke"): set(),
    ("membership", "restore"): {"no appeal", "denied appeal"},
    ("membership", "request_termination"): set(),
    ("membership", "withdraw_termination"): set(),
    ("membership", "refuse_termination"): set(),
    ("membership", "terminate"): set(),
    ("revocation", "notify"): {"undeclared", "conflict"},
    ("revocation", "propose"): {"undeclared", "conflict", "no facts", "not told", "time to answer"},
    ("revocation", "send_back"): _DECIDING,
    ("revocation", "revoke"): _DECIDING,
    ("revocation", "close"): _DECIDING,
    ("appeal", "recommend"): {"undeclared", "conflict", "no facts", "reviewed before"},
    ("appeal", "grant"): _DECIDING,
    ("appeal", "deny"): _DECIDING,
    ("termination", "recommend"): {"undeclared", "conflict", "no findings"},
    ("termination", "send_back"): _DECIDING,
    ("termination", "refuse"): _DECIDING | {"under review"},
    ("termination", "grant"): _DECIDING | {"under review"},
    ("termination", "withdraw"): set(),
    ("termination", "lapse"): set(),
    ("contact-check", "confirm"): {"answered too late"},
    ("contact-check", "want_change"): {"answered too late"},
    ("contact-check", "fall_silent"): {"time left"},
    ("contact-check", "bounce"): set(),
    ("contact-check", "settle"): {"nothing done"},
    ("procedure", "propose"): {"unsound procedure", "unchanged procedure"},
    ("procedure", "return"): set(),
    ("procedure", "publish"): {"one approval", "unsound procedure"},
    ("procedure", "discard"): set(),
}
RIGHTS: dict[tuple[str, str], Right | None] = {
    ("application", "submit"): Right.APPLY,
    ("application", "take_up"): Right.TAKE_UP,
    ("application", "request_correction"): Right.REVIEW,
    ("application", "answer_correction"): Right.ANSWER_CORRECTION,
    ("application", "recommend_approval"): Right.REVIEW,
    ("application", "recommend_rejection"): Right.REVIEW,
    ("application", "return_to_review"): Right.APPROVE,
    ("application", "approve"): Right.APPROVE,
    ("application", "reject"): Right.APPROVE,
    ("application", "withdraw"): Right.APPLY,
    # Time alone does it.
    ("application", "expire"): None,
    ("membership", "open_review"): Right.REVIEW,
    ("membership", "close_review"): Right.REVOKE,
    ("membership", "revoke"): Right.REVOKE,
    ("membership", "restore"): Right.DECIDE_APPEAL,
    ("membership", "request_termination"): Right.MANAGE_PEOPLE,
    ("membership", "withdraw_termination"): Right.MANAGE_PEOPLE,
    ("membership", "refuse_termination"): Right.APPROVE,
    ("membership", "terminate"): Right.APPROVE,
    ("revocation", "notify"): Right.REVIEW,
    ("revocation", "propose"): Right.REVIEW,
    ("revocation", "send_back"): Right.REVOKE,
    ("revocation", "revoke"): Right.REVOKE,
    ("revocation", "close"): Right.REVOKE,
    ("appeal", "recommend"): Right.REVIEW,
    ("appeal", "grant"): Right.DECIDE_APPEAL,
    ("appeal", "deny"): Right.DECIDE_APPEAL,
    ("termination", "recommend"): Right.REVIEW,
    ("termination", "send_back"): Right.APPROVE,
    ("termination", "refuse"): Right.APPROVE,
    ("termination", "grant"): Right.APPROVE,
    ("termination", "withdraw"): Right.MANAGE_PEOPLE,
    # The revocation of the membership does it.
    ("termination", "lapse"): None,
    ("contact-check", "confirm"): Right.CONFIRM_CONTACT,
    ("contact-check", "want_change"): Right.CONFIRM_CONTACT,
    ("contact-check", "fall_silent"): None,
    ("contact-check", "bounce"): None,
    ("contact-check", "settle"): Right.REVIEW,
    ("procedure", "propose"): Right.EDIT_CHARTER,
    ("procedure", "return"): Right.APPROVE,
    ("procedure", "publish"): Right.APPROVE,
    ("procedure", "discard"): Right.EDIT_CHARTER,
}
MOVES = [(machine, move) for machine in MACHINES for move in machine.moves]


@dataclass
class Row:
    state: str


def named(value: Any) -> str:
    return value.name if isinstance(value, (Machine, Move)) else str(value)


def test_the_lists_above_are_whole() -> None:
    assert {(machine.name, move.name) for machine, move in MOVES} == set(GUARDED) == set(RIGHTS)


@pytest.mark.parametrize(("machine", "move"), MOVES, ids=named)
def test_a_move_leads_from_its_states_and_from_no_other(machine: Machine, move: Move) -> None:
    for state in machine.states:
        row = Row(state)
        if state in move.sources:
            assert machine.why_not(row, move.name, **GOOD) is None
            machine.move(row, move.name, **GOOD)
            assert row.state == move.target
            continue
        reason = machine.why_not(row, move.name, **GOOD)
        assert reason is not None
        assert machine.states[state].zh in reason.zh
        assert machine.states[state].en in reason.en
        with pytest.raises(Refusal) as caught:
            machine.move(row, move.name, **GOOD)
        assert caught.value.rule == f"{machine.name}:{move.name}"
        assert row.state == state


@pytest.mark.parametrize(("machine", "move"), MOVES, ids=named)
def test_each_fact_alone_stands_against_exactly_its_moves(machine: Machine, move: Move) -> None:
    row = Row(next(iter(move.sources)))
    for name, (facts, word) in AGAINST.items():
        reason = machine.why_not(row, move.name, **{**GOOD, **facts})
        assert (reason is not None) is (name in GUARDED[machine.name, move.name]), name
        if reason is not None:
            assert word in reason.en
            assert reason.zh != reason.en
            assert "{" not in reason.en + reason.zh


@pytest.mark.parametrize(("machine", "move"), MOVES, ids=named)
def test_a_move_names_its_right_its_clause_and_its_button(machine: Machine, move: Move) -> None:
    assert move.right == RIGHTS[machine.name, move.name]
    assert move.clause in ("1.3", "1.4", "2.4", "2.5", "4.1") or move.name in ("withdraw", "expire", "discard")
    assert move.words.zh != move.words.en


@pytest.mark.parametrize("machine", MACHINES, ids=named)
def test_every_state_that_is_no_end_leads_to_an_end_or_lives_on(machine: Machine) -> None:
    for state in machine.states:
        seen, more = set(), {state}
        while more:
            seen |= more
            more = {move.target for one in more for move in machine.available(one)} - seen
        assert seen & machine.final, f"{machine.name}: no way leads out of {state}"
        assert (state in machine.final) == (not machine.available(state))


@pytest.mark.parametrize("machine", MACHINES, ids=named)
def test_every_state_has_words_and_a_tone_on_pages(machine: Machine) -> None:
    for state, said in machine.states.items():
        assert said.zh != said.en
        assert words.STATE_TONES[state] in ("", "good", "bad", "warn", "info")


@pytest.mark.parametrize(
    ("model", "machine"),
    [
        (Application, APPLICATION),
        (Membership, MEMBERSHIP),
        (Revocation, REVOCATION),
        (Appeal, APPEAL),
        (Termination, TERMINATION),
    ],
)
def test_the_database_knows_the_states_of_the_table_and_begins_where_it_begins(model: Any, machine: Machine) -> None:
    assert model._meta.get_field("state").default == machine.initial
    held = [
        dict([constraint.condition.children[0]])
        for constraint in model._meta.constraints
        if constraint.name.endswith("state_known")
    ]
    assert [sorted(one["state__in"]) for one in held] == [sorted(machine.states)]


def test_the_states_of_the_domain_are_there() -> None:
    assert set(APPLICATION.states) == {
        "draft", "submitted", "under_review", "correction_requested", "recommended", "approved", "rejected",
        "withdrawn", "expired",
    }  # fmt: skip
    assert set(MEMBERSHIP.states) == {"active", "revocation_review", "termination_requested", "revoked", "terminated"}
    assert set(IN_FORCE) == {"active", "revocation_review", "termination_requested"}
    assert set(OPEN_TERMINATION) == set(TERMINATION.states) - TERMINATION.final
    assert set(OPEN_APPLICATION).isdisjoint(APPLICATION.final | {"draft"})


def test_only_approval_begins_and_only_decisions_end_a_membership() -> None:
    held = set(IN_FORCE)
    leaving = {move.name for move in MEMBERSHIP.moves if held & set(move.sources) and move.target not in held}
    assert leaving == {"revoke", "terminate"}
    entering = {move.name for move in MEMBERSHIP.moves if not held & set(move.sources) and move.target in held}
    assert entering == {"restore"}
    assert {move.name for move in APPLICATION.moves if move.target == "approved"} == {"approve"}


def test_no_path_leads_to_an_approval_past_the_review() -> None:
    """Of all ways through the table, each that ends approved went through a review and a recommendation."""
    ways = [["draft"]]
    ended = []
    for _ in range(9):
        grown = [[*way, move.target] for way in ways for move in APPLICATION.available(way[-1])]
        ended += [way for way in grown if way[-1] == "approved"]
        ways = [way for way in grown if way[-1] not in APPLICATION.final]
    assert ended
    for way in ended:
        assert way[-2] == "recommended"
        assert "under_review" in way


def test_two_things_against_an_approval_do_not_cancel_one_another() -> None:
    for one, two in itertools.combinations(sorted(_SCREENING | _DECIDING), 2):
        (first, _), (second, _) = AGAINST[one], AGAINST[two]
        both = {**GOOD, **first, **second}
        if "readiness" in first and "readiness" in second:
            differs = {name: getattr(second["readiness"], name) for name in Readiness.__slots__}
            differs = {name: value for name, value in differs.items() if value != getattr(READY, name)}
            both["readiness"] = replace(first["readiness"], **differs)
        assert APPLICATION.why_not(Row("recommended"), "approve", **both) is not None, (one, two)


def test_rows_that_cannot_be_verified_do_not_stand_against_an_approval() -> None:
    """They are entered without access instead (policy F-constituent)."""
    assert (
        APPLICATION.why_not(Row("recommended"), "approve", **{**GOOD, "readiness": replace(READY, unverifiable=3)})
        is None
    )


def test_a_missing_fact_is_a_mistake_of_the_program_and_no_yes() -> None:
    for machine, move in MOVES:
        if move.guards:
            with pytest.raises(TypeError):
                machine.move(Row(next(iter(move.sources))), move.name)


@pytest.mark.parametrize("machine", MACHINES, ids=named)
def test_the_diagram_of_the_handbook_shows_every_move(machine: Machine) -> None:
    for language in ("zh-hant", "en"):
        drawn = machine.diagram(language)
        for move in machine.moves:
            for source in move.sources:
                assert f"{source} --> {move.target}: {move.words.in_language(language)}" in drawn
