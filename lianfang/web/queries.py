"""What the public pages say that comes from elsewhere: the charter in force, the rules of the policy."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from lianfang.charter.models import DocumentVersion
from lianfang.charter.queries import in_force
from lianfang.kernel.text import Bilingual
from lianfang.policy.decide import RULES
from lianfang.policy.facts import Right
from lianfang.policy.registry import Effect, Rule
from lianfang.policy.words import RIGHTS


def charter_in_force(*, at: datetime) -> DocumentVersion | None:
    """The charter that binds at that instant, or None before the first."""
    return in_force(kind="charter", at=at)


@dataclass(frozen=True, slots=True)
class RightOnPage:
    """One right with the rules that speak about it in particular."""

    right: Right
    words: Bilingual
    permits: list[Rule]
    forbids: list[Rule]


@dataclass(frozen=True, slots=True)
class PolicyQuestion:
    """One question of a reader and the rights that answer it."""

    id: str
    words: Bilingual
    rights: list[RightOnPage]


_QUESTIONS: Final[tuple[tuple[str, Bilingual, tuple[Right, ...]], ...]] = (
    (
        "read",
        Bilingual(zh="誰看得到一則情資？", en="Who can see an item?"),
        (Right.READ, Right.READ_SOURCE, Right.SEE_NOTICE),
    ),
    (
        "use",
        Bilingual(zh="看得到之後，可以做什麼？", en="What may I do with what I can see?"),
        (
            Right.EXPORT, Right.MAIL_BODY, Right.RELAY_TO_CONSTITUENTS, Right.ANNOTATE, Right.USE_COMMERCIALLY,
            Right.REQUEST_DISCLOSURE,
        ),
    ),
    (
        "share",
        Bilingual(zh="我分享的情資，我能做什麼？", en="What can I do with what I shared?"),
        (
            Right.SUBMIT, Right.RELABEL, Right.RECALL, Right.SEE_RECEIPTS, Right.SEE_LEDGER, Right.DECIDE_CONSENT,
        ),
    ),
    (
        "outside",
        Bilingual(zh="什麼時候會離開聯盟？", en="When does it leave the alliance?"),
        (
            Right.DISCLOSE, Right.PUBLISH, Right.RELEASE_TO_AUTHORITY, Right.RELEASE_TO_LAW_ENFORCEMENT,
            Right.REDACT, Right.VALIDATE,
        ),
    ),
    (
        "membership",
        Bilingual(zh="會籍由誰決定？", en="Who decides about membership?"),
        (
            Right.APPLY, Right.ANSWER_CORRECTION, Right.TAKE_UP, Right.REVIEW, Right.APPROVE, Right.REVOKE,
            Right.FILE_CHANGE, Right.CONFIRM_CONTACT, Right.FILE_APPEAL, Right.DECIDE_APPEAL, Right.VIEW_EXIT,
            Right.READ_DIRECTORY, Right.ENTER_MEMBERS_PLANE, Right.MANAGE_PEOPLE, Right.MAKE_TOKEN,
        ),
    ),
    (
        "centre",
        Bilingual(zh="協調中心內部如何分工？", en="How does the coordination centre divide its duties?"),
        (
            Right.ENTER_STAFF_PLANE, Right.GRANT_DUTY, Right.EDIT_CHARTER, Right.IMPORT_LIST, Right.CHANGE_SETTING,
            Right.START_STOP, Right.END_STOP, Right.PLACE_HOLD, Right.LIFT_HOLD,
            Right.VIEW_AUDIT, Right.HANDLE_PRIVACY_CASE,
        ),
    ),
)  # fmt: skip


def always_forbidden() -> list[Rule]:
    """The forbids that speak of more than half of all rights: told once, before the questions."""
    return [rule for rule in RULES.values() if rule.effect is Effect.FORBID and _general(rule)]


def _general(rule: Rule) -> bool:
    return 2 * len(rule.rights) > len(Right)


def policy_by_question() -> list[PolicyQuestion]:
    """Every rule in force, under the question that it answers; printed from the registry that decides."""
    return [
        PolicyQuestion(id=key, words=words, rights=[_right(right) for right in rights])
        for key, words, rights in _QUESTIONS
    ]


def _right(right: Right) -> RightOnPage:
    about = [rule for rule in RULES.values() if right in rule.rights]
    return RightOnPage(
        right=right,
        words=RIGHTS[right],
        permits=[rule for rule in about if rule.effect is Effect.PERMIT],
        forbids=[rule for rule in about if rule.effect is Effect.FORBID and not _general(rule)],
    )
