"""The charter map is true: every clause is in it, and the rules and tests that it names exist."""

from __future__ import annotations

from lianfang.charter.actions import model_text
from lianfang.kernel.machine import Machine
from lianfang.members import lifecycle
from lianfang.policy.decide import RULES
from tests.docs.charter_map import CLAUSES, ROOT, missing_tests, printed


def test_every_clause_of_the_model_charter_is_mapped() -> None:
    clauses = {clause["id"] for clause in model_text("charter")["clauses"]}
    top = {number for number in clauses if number.count(".") == 1}
    assert top == {one.number for one in CLAUSES}


def test_rules_and_moves_exist() -> None:
    machines = {name: value for name, value in vars(lifecycle).items() if isinstance(value, Machine)}
    moves = {f"{name}.{move.name}" for name, machine in machines.items() for move in machine.moves}
    named = {rule for one in CLAUSES for rule in one.rules}
    assert named <= RULES.keys() | moves


def test_a_clause_is_held_or_says_where_it_will_be() -> None:
    assert all((one.held_by and one.tests) or one.not_yet for one in CLAUSES)


def test_tests_exist() -> None:
    assert not missing_tests()


def test_the_printed_map_is_the_one_kept() -> None:
    assert (ROOT / "docs" / "charter-map.md").read_text(encoding="utf-8") == printed()
