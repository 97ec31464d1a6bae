"""Print the policy from the rules: `python -m lianfang.policy.print > docs/policy.md`."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from lianfang.policy.decide import RULES, Rule
from lianfang.policy.facts import Right
from lianfang.policy.registry import Effect
from lianfang.policy.words import RIGHTS

_HEAD = """# 揭露規則 The disclosure policy

這份文件由程式裡的規則印出，不要手改。 This document is printed from the rules in the code; do not edit it by hand.

預設是不允許。至少有一條允許成立、且沒有任何一條禁止成立，才可以。
Deny by default: something is allowed when at least one permit holds and no forbid speaks.
"""
_RULES_HEAD = "| 代號 id | 規則 rule | 依據 clause | 權利 rights |\n|---|---|---|---|\n"
_RIGHTS_HEAD = "| 權利 right | 意思 meaning | 允許 permits | 禁止 forbids |\n|---|---|---|---|\n"
_MANY = 6
"""Above this many, rights are counted in the table of rules; the table of rights names every pair."""


def print_policy() -> str:
    """The policy as Markdown: permits, forbids, and every right with the rules that speak of it."""
    return "\n".join(
        (
            _HEAD,
            "## 允許 Permits\n",
            _RULES_HEAD + _rules(Effect.PERMIT),
            "## 禁止 Forbids\n",
            _RULES_HEAD + _rules(Effect.FORBID),
            "## 權利 Rights\n",
            _RIGHTS_HEAD + "".join(_right(right) for right in Right),
        )
    )


def _rules(effect: Effect) -> str:
    return "".join(_rule(rule) for rule in RULES.values() if rule.effect is effect)


def _rule(rule: Rule) -> str:
    return f"| {rule.id} | {rule.sentence.zh}<br>{rule.sentence.en} | {rule.clause} | {_rights(rule)} |\n"


def _rights(rule: Rule) -> str:
    if len(rule.rights) > _MANY:
        return f"{len(rule.rights)}"
    return _codes(right.value for right in Right if right in rule.rights)


def _right(right: Right) -> str:
    speaking = [rule for rule in RULES.values() if right in rule.rights]
    permits = _codes(rule.id for rule in speaking if rule.effect is Effect.PERMIT)
    forbids = _codes(rule.id for rule in speaking if rule.effect is Effect.FORBID)
    meaning = RIGHTS[right]
    return f"| `{right.value}` | {meaning.zh}<br>{meaning.en} | {permits} | {forbids} |\n"


def _codes(names: Iterable[str]) -> str:
    return " ".join(f"`{name}`" for name in names) or "—"


if __name__ == "__main__":
    sys.stdout.write(print_policy())
