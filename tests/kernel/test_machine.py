from dataclasses import dataclass
from enum import StrEnum

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lianfang.kernel.machine import Machine, Move
from lianfang.kernel.refusal import Refusal
from lianfang.kernel.text import Bilingual


@dataclass
class Case:
    state: str = "draft"
    applicant: str = "amy"
    signed: bool = True


def words(zh: str, en: str) -> Bilingual:
    return Bilingual(zh=zh, en=en)


SAME_PERSON = words("審查人與核定人須為不同人。", "Reviewer and approver must differ.")
NOT_SIGNED = words("尚未用印。", "Not signed yet.")

STATES = {
    "draft": words("草稿", "Draft"),
    "submitted": words("已送件", "Submitted"),
    "approved": words("已核定", "Approved"),
    "withdrawn": words("已撤回", "Withdrawn"),
}


def signed(case: Case) -> Bilingual | None:
    return None if case.signed else NOT_SIGNED


def approver_differs(case: Case, *, by: str) -> Bilingual | None:
    return SAME_PERSON if by == case.applicant else None


SUBMIT = Move(
    "submit", ["draft"], "submitted", right="submit", guards=(signed,), clause="1.3", words=words("送件", "Submit")
)
APPROVE = Move(
    "approve",
    ["submitted"],
    "approved",
    right="approve",
    guards=(signed, approver_differs),
    clause="1.3",
    words=words("核定", "Approve"),
)
WITHDRAW = Move("withdraw", ("submitted", "draft"), "withdrawn", right=None, words=words("撤回", "Withdraw"))
MACHINE = Machine("application", STATES, "draft", [SUBMIT, APPROVE, WITHDRAW], final=("approved", "withdrawn"))


def test_a_move_sets_the_state_and_is_returned() -> None:
    case = Case()
    assert MACHINE.move(case, "submit") is SUBMIT
    assert case.state == "submitted"


def test_a_move_from_another_state_is_refused_with_state_and_move_in_words() -> None:
    case = Case()
    with pytest.raises(Refusal) as caught:
        MACHINE.move(case, "approve", by="bob")
    assert caught.value.reason == words(
        "目前狀態為「草稿」,無法進行「核定」。", "“Approve” is not possible while the state is “Draft”."
    )
    assert (caught.value.rule, caught.value.clause) == ("application:approve", "1.3")
    assert case.state == "draft"


def test_a_guard_refuses_with_its_own_reason_and_the_case_stays() -> None:
    case = Case(signed=False)
    with pytest.raises(Refusal) as caught:
        MACHINE.move(case, "submit")
    assert (caught.value.reason, caught.value.clause) == (NOT_SIGNED, "1.3")
    assert case.state == "draft"


def test_guards_are_asked_in_order_and_the_first_reason_counts() -> None:
    case = Case(state="submitted", signed=False)
    assert MACHINE.why_not(case, "approve", by="amy") == NOT_SIGNED


def test_a_guard_gets_what_it_declares_and_nothing_else() -> None:
    case = Case(state="submitted")
    assert MACHINE.why_not(case, "approve", by="amy", at="now", note="") == SAME_PERSON
    assert MACHINE.why_not(case, "approve", by="bob", at="now", note="") is None


def test_a_fact_that_a_guard_needs_and_the_caller_forgot_is_an_error_not_an_answer() -> None:
    case = Case(state="submitted")
    with pytest.raises(TypeError, match="by"):
        MACHINE.move(case, "approve")
    assert case.state == "submitted"


def test_a_guard_with_a_default_may_be_left_without_its_fact() -> None:
    def hurried(_case: Case, *, urgent: bool = False) -> Bilingual | None:
        return NOT_SIGNED if urgent else None

    end = Move("end", ["a"], "b", right=None, guards=(hurried,), words=words("結束", "End"))
    machine = Machine("m", {"a": words("甲", "A"), "b": words("乙", "B")}, "a", [end], final=["b"])
    assert machine.why_not(Case(state="a"), "end") is None
    assert machine.why_not(Case(state="a"), "end", urgent=True) == NOT_SIGNED


def test_why_not_never_moves() -> None:
    case = Case()
    assert MACHINE.why_not(case, "submit") is None
    assert case.state == "draft"


def test_an_unknown_move_is_an_error_of_the_program() -> None:
    with pytest.raises(KeyError, match="no move 'sumbit'"):
        MACHINE.move(Case(), "sumbit")
    with pytest.raises(KeyError, match="application"):
        MACHINE.why_not(Case(), "sumbit")
    assert MACHINE["submit"] is SUBMIT


@pytest.mark.parametrize("state", ["nowhere", "", None])
def test_a_case_in_an_unknown_state_is_an_error_of_the_program(state: str) -> None:
    with pytest.raises(ValueError, match="no state"):
        MACHINE.move(Case(state=state), "submit")
    with pytest.raises(ValueError, match="no state"):
        MACHINE.available(state)


def test_available_lists_the_moves_out_of_a_state_in_order() -> None:
    assert MACHINE.available("draft") == (SUBMIT, WITHDRAW)
    assert MACHINE.available("submitted") == (APPROVE, WITHDRAW)
    assert MACHINE.available("approved") == ()


def test_constraint_values_are_the_states_in_order() -> None:
    assert MACHINE.check_constraint_values() == ["draft", "submitted", "approved", "withdrawn"]


class State(StrEnum):
    OPEN = "open"
    CLOSED = "closed"


def test_members_of_an_enumeration_become_the_text_of_the_database() -> None:
    close = Move("close", [State.OPEN], State.CLOSED, right=None, words=words("關閉", "Close"))
    states = {State.OPEN: words("開啟", "Open"), State.CLOSED: words("關閉", "Closed")}
    machine = Machine("ticket", states, State.OPEN, [close], final=[State.CLOSED])
    assert [type(value) for value in machine.check_constraint_values()] == [str, str]
    for start in (State.OPEN, "open"):
        case = Case(state=start)
        machine.move(case, "close")
        assert case.state == "closed"
        assert type(case.state) is str


def test_a_move_may_stay_where_it_is() -> None:
    note = Move("note", ["a"], "a", right="note", words=words("註記", "Note"))
    end = Move("end", ["a"], "b", right="end", words=words("結束", "End"))
    machine = Machine("m", {"a": words("甲", "A"), "b": words("乙", "B")}, "a", [note, end], final=["b"])
    case = Case(state="a")
    assert machine.move(case, "note") is note
    assert case.state == "a"


DIAGRAM = """\
stateDiagram-v2
    state "草稿" as draft
    state "已送件" as submitted
    state "已核定" as approved
    state "已撤回" as withdrawn
    [*] --> draft
    draft --> submitted: 送件 (1.3)
    submitted --> approved: 核定 (1.3)
    draft --> withdrawn: 撤回
    submitted --> withdrawn: 撤回
    approved --> [*]
    withdrawn --> [*]
"""


def test_the_diagram_is_the_table() -> None:
    assert MACHINE.diagram() == DIAGRAM
    assert "    draft --> submitted: Submit (1.3)\n" in MACHINE.diagram("en")


def test_the_diagram_survives_marks_that_mermaid_reads() -> None:
    machine = Machine("m", {"a": words('甲"乙;#\n', "A")}, "a", [], final=["a"])
    assert 'state "甲#34;乙#59;#35;#10;" as a' in machine.diagram()


# --- tables that contradict themselves ----------------------------------------------------------------------------


def move(name: str = "go", sources: tuple[str, ...] = ("a",), target: str = "b") -> Move:
    return Move(name, sources, target, right=None, words=words("去", "Go"))


TWO = {"a": words("甲", "A"), "b": words("乙", "B")}


@pytest.mark.parametrize(
    ("moves", "initial", "final", "complaint"),
    [
        ([move(), move()], "a", ["b"], "two moves are called 'go'"),
        ([move(target="c")], "a", ["b"], "no state 'c'"),
        ([move(sources=("a", "c"))], "a", ["b"], "no state 'c'"),
        ([move(sources=())], "a", ["b"], "starts from no state"),
        ([move()], "c", ["b"], "no state 'c'"),
        ([move()], "a", ["b", "c"], "no state 'c'"),
        ([move()], "b", ["b"], "nothing leads to a"),
        ([], "a", ["a", "b"], "nothing leads to b"),
        ([move()], "a", [], "see b"),
        ([move()], "a", ["a", "b"], "see a"),
    ],
)
def test_a_table_that_contradicts_itself_is_refused(
    moves: list[Move], initial: str, final: list[str], complaint: str
) -> None:
    with pytest.raises(ValueError, match=complaint):
        Machine("m", TWO, initial, moves, final=final)


def test_a_text_is_not_a_collection_of_states() -> None:
    with pytest.raises(TypeError, match="collection of states"):
        Move("go", "draft", "b", right=None, words=words("去", "Go"))


def no_case() -> Bilingual | None:
    return None


def keyword_case(*, case: Case) -> Bilingual | None:
    return signed(case)


def two_positional(_case: Case, _by: str) -> Bilingual | None:
    return None


def takes_anything(_case: Case, **_facts: object) -> Bilingual | None:
    return None


@pytest.mark.parametrize("guard", [no_case, keyword_case, two_positional, takes_anything])
def test_a_guard_declares_the_case_and_then_its_facts_by_name(guard: object) -> None:
    with pytest.raises(TypeError, match="must take the case"):
        Move("go", ["a"], "b", right=None, guards=(guard,), words=words("去", "Go"))  # type: ignore[arg-type]


@given(
    names=st.lists(st.sampled_from(["submit", "approve", "withdraw"]), max_size=12), by=st.sampled_from(["amy", "bob"])
)
@settings(deadline=None, max_examples=200)
def test_any_sequence_of_attempts_follows_the_table(names: list[str], by: str) -> None:
    case = Case()
    for name in names:
        before = case.state
        why = MACHINE.why_not(case, name, by=by)
        if why is None:
            made = MACHINE.move(case, name, by=by)
            assert before in made.sources
            assert case.state == made.target
        else:
            with pytest.raises(Refusal) as caught:
                MACHINE.move(case, name, by=by)
            assert caught.value.reason == why
            assert case.state == before
    assert case.state in MACHINE.states
    assert not (by == "amy" and case.state == "approved")
