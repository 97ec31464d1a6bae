"""Run the generated cases through `decide` and the second evaluation, and count what each rule alone decided."""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import dataclass, field

from lianfang.policy.decide import RULES, decide
from lianfang.policy.facts import Right
from tests.policy.generate import Question, cases
from tests.policy.oracle import Verdict, evaluate

NOT_YET = frozenset({"D-consent", "D-publish", "D-authority", "D-enforcement", "D-derived", "D-ledger"})
"""Forbids that always speak until disclosure can be recorded: beside them a permit still counts as sole."""
PERMITTED = frozenset(
    right for right in Right if any(rule.effect == "permit" and right in rule.rights for rule in RULES.values())
)


@dataclass
class Run:
    """What a run found."""

    count: int = 0
    sole: Counter[str] = field(default_factory=Counter)
    instants: Counter[str] = field(default_factory=Counter)
    disagreements: list[tuple[Question, Verdict, Verdict]] = field(default_factory=list)


def ours(question: Question) -> Verdict:
    """What the product decides."""
    decision = decide(
        subject=question.subject,
        right=question.right,
        target=question.target,
        at=question.at,
        request=question.request,
    )
    return Verdict(decision.allowed, frozenset(decision.permits), frozenset(decision.forbids))


def theirs(question: Question) -> Verdict:
    """What the second evaluation says."""
    return evaluate(question.subject, question.right, question.target, question.at, question.request)


def run(*, seed: int, count: int) -> Run:
    """Compare `count` cases."""
    found = Run()
    for question in cases(seed=seed, count=count):
        first, second = ours(question), theirs(question)
        found.count += 1
        found.instants.update(question.instants)
        found.sole.update(sole_reason(question.right, first))
        if first != second:
            found.disagreements.append((question, first, second))
    return found


def sole_reason(right: Right, verdict: Verdict) -> frozenset[str]:
    """The rule that alone makes the answer what it is: an only permit, or the only forbid against a permit that holds.

    Of a right that no rule permits, the only forbid.
    """
    if len(verdict.forbids) == 1 and (verdict.permits or right not in PERMITTED):
        reasons = verdict.forbids
        return reasons | verdict.permits if reasons <= NOT_YET and len(verdict.permits) == 1 else reasons
    if not verdict.forbids and len(verdict.permits) == 1:
        return verdict.permits
    return frozenset()


def table(found: Run) -> str:
    """What a run prints: each rule with the cases it alone decided, each instant with the cases on its edges."""
    lines = [f"{found.count:,} cases, {len(found.disagreements)} disagreements", "", "rule, sole reason in cases:"]
    lines += [f"  {rule:32}{found.sole[rule]:>8,}" for rule in RULES]
    lines += ["", "instant, cases at -1us / 0 / +1us:"]
    for kind in sorted({instant.rsplit(" ", 1)[0] for instant in found.instants}):
        numbers = [found.instants[f"{kind} {offset}"] for offset in ("-1us", "0", "+1us")]
        lines.append(f"  {kind:32}" + " / ".join(f"{number:,}" for number in numbers))
    return "\n".join(lines)


if __name__ == "__main__":
    result = run(
        seed=int(sys.argv[2]) if len(sys.argv) > 2 else 1, count=int(sys.argv[1]) if len(sys.argv) > 1 else 200_000
    )
    print(table(result))
    for shown in result.disagreements[:5]:
        print(*shown, sep="\n  ")
    sys.exit(bool(result.disagreements))
