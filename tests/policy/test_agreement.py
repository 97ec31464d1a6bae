"""The product and the second evaluation agree, and every rule and instant is really tried."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from lianfang.policy.decide import RULES
from tests.policy import oracle
from tests.policy.agreement import Run, run, table

FULL = 250_000
INSTANTS = (
    "gap start", "gap end", "left_at", "owner left_at", "link expiry", "token expiry", "not_before", "publication",
    "publication until", "upstream until",
)  # fmt: skip


def assert_agrees(found: Run, *, at_least: int) -> None:
    print(table(found))
    assert not found.disagreements, found.disagreements[0]
    thin = {rule: found.sole[rule] for rule in RULES if found.sole[rule] < at_least}
    assert not thin, f"sole reason in fewer than {at_least} cases: {thin}"
    for kind in INSTANTS:
        for offset in ("-1us", "0", "+1us"):
            assert found.instants[f"{kind} {offset}"] >= at_least // 2, f"{kind} {offset}"


@pytest.mark.fast
def test_agreement_of_twenty_thousand_cases() -> None:
    assert_agrees(run(seed=2, count=20_000), at_least=20)


def test_agreement_in_full() -> None:
    assert_agrees(run(seed=7, count=FULL), at_least=500)


@pytest.mark.fast
def test_the_second_evaluation_knows_only_the_facts() -> None:
    tree = ast.parse(Path(oracle.__file__).read_text())
    imported = {
        f"{node.module}.{name.name}" if isinstance(node, ast.ImportFrom) else name.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in node.names
    }
    assert {name for name in imported if "lianfang" in name or "tests" in name} == {"lianfang.policy.facts"}


@pytest.mark.fast
def test_the_same_seed_makes_the_same_cases() -> None:
    from tests.policy.generate import cases

    assert list(cases(seed=5, count=300)) == list(cases(seed=5, count=300))
