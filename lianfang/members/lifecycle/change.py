"""How a change of a member's data may move (charter 2.4, 5.2)."""

from __future__ import annotations

from dataclasses import dataclass

from lianfang.kernel.machine import Machine, Move, Stateful
from lianfang.kernel.text import Bilingual
from lianfang.members.lifecycle.application import (
    Readiness,
    authority_checked,
    no_hit,
    not_held_from_the_mainland,
    one_membership,
    screened,
)
from lianfang.members.lifecycle.guards import four_eyes, no_conflict
from lianfang.policy.facts import Right


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeReadiness(Readiness):
    """What stands for or against a change: `rows` are the applicant and the constituents whose words it changes.

    `checked_again` says that the checks of 1.1 and 1.3 are made again, `unconfirmed` counts the mailboxes from which a
    confirmation is still out, `in_force` whether the membership is.
    """

    checked_again: bool
    unconfirmed: int
    refused: int
    in_force: bool


_TWO = Bilingual(
    zh="這一件須由審查人建議、另一位核准人決定。",
    en="In this case a reviewer recommends and another person, an approver, decides.",
)


def _in_force(_: Stateful, *, readiness: ChangeReadiness) -> Bilingual | None:
    if readiness.in_force:
        return None
    return Bilingual(
        zh="會籍已經結束，不能再套用異動。", en="The membership has ended; no change can be applied to it."
    )


def _not_refused(_: Stateful, *, readiness: ChangeReadiness) -> Bilingual | None:
    if not readiness.refused:
        return None
    return Bilingual(
        zh="有人從信中的連結表示這項異動不對，不能套用。",
        en="Somebody answered by the mailed link that this change is wrong; it cannot be applied.",
    )


def _light(_: Stateful, *, readiness: ChangeReadiness) -> Bilingual | None:
    """One person may apply what changes no right, and administrators once both mailboxes said yes."""
    if readiness.checked_again:
        return _TWO
    if readiness.unconfirmed:
        return Bilingual(
            zh="還有{n}個信箱沒有確認。等待確認，或寫下原因建議核准人決定。",
            en="{n} mailboxes have not confirmed. Wait, or recommend to an approver and say why.",
        ).format(n=readiness.unconfirmed)
    return None


def _explained(_: Stateful, *, readiness: ChangeReadiness, explained: bool) -> Bilingual | None:
    if readiness.unconfirmed and not explained:
        return Bilingual(
            zh="有信箱沒有確認時，請寫下如何查證這項異動。",
            en="Where a mailbox has not confirmed, write down how the change was verified.",
        )
    return None


def _attested_anew(_: Stateful, *, readiness: ChangeReadiness, attested: str, roster: str) -> Bilingual | None:
    if not readiness.checked_again or (attested and attested == roster):
        return None
    if not attested:
        return Bilingual(
            zh="缺少涵蓋異動後名冊的陸資確認切結（規章1.3）。",
            en="An attestation that covers the roster after this change is missing (Charter 1.3).",
        )
    return Bilingual(
        zh="切結之後名冊有變動，切結不再涵蓋異動後的名冊。請退回，由會員重新提出（規章1.3）。",
        en="The roster changed after the attestation, which no longer covers it. Reject; the member files anew"
        " (Charter 1.3).",
    )


def _authority(_: Stateful, *, readiness: ChangeReadiness) -> Bilingual | None:
    return authority_checked(_, readiness=readiness) if readiness.checked_again else None


def _recommended(_: Stateful, *, recommendation: str) -> Bilingual | None:
    if recommendation == "approve":
        return None
    if recommendation == "reject":
        return Bilingual(
            zh="審查人建議退回。要套用，請先退還審查。",
            en="The reviewer recommends rejection. To apply, send it back to review first.",
        )
    return Bilingual(zh="審查人還沒有提出建議。", en="The reviewer has not recommended anything yet.")


def _some_recommendation(_: Stateful, *, recommendation: str) -> Bilingual | None:
    if recommendation:
        return None
    return Bilingual(zh="審查人還沒有提出建議。", en="The reviewer has not recommended anything yet.")


_CHECKS = (
    _in_force,
    _not_refused,
    _attested_anew,
    screened,
    no_hit,
    not_held_from_the_mainland,
    _authority,
    one_membership,
)

OPEN_CHANGE = ("submitted", "under_review")

CHANGE = Machine(
    "change",
    {
        "submitted": Bilingual(zh="已送出", en="Submitted"),
        "under_review": Bilingual(zh="審查中", en="Under review"),
        "applied": Bilingual(zh="已套用", en="Applied"),
        "rejected": Bilingual(zh="已退回", en="Rejected"),
        "withdrawn": Bilingual(zh="已撤回", en="Withdrawn"),
    },
    "submitted",
    [
        Move(
            "take_up",
            ["submitted"],
            "under_review",
            right=Right.TAKE_UP,
            guards=(no_conflict,),
            clause="2.4",
            words=Bilingual(zh="開始審查", en="Take up"),
        ),
        Move(
            "recommend_applying",
            ["under_review"],
            "under_review",
            right=Right.REVIEW,
            guards=(no_conflict, *_CHECKS, _explained),
            clause="2.4",
            words=Bilingual(zh="建議套用", en="Recommend to apply"),
        ),
        Move(
            "recommend_rejecting",
            ["under_review"],
            "under_review",
            right=Right.REVIEW,
            guards=(no_conflict,),
            clause="2.4",
            words=Bilingual(zh="建議退回", en="Recommend rejection"),
        ),
        Move(
            "apply_alone",
            ["under_review"],
            "applied",
            right=Right.REVIEW,
            guards=(no_conflict, _light, *_CHECKS),
            clause="2.4",
            words=Bilingual(zh="套用異動", en="Apply the change"),
        ),
        Move(
            "reject_alone",
            ["under_review"],
            "rejected",
            right=Right.REVIEW,
            guards=(no_conflict, _light),
            clause="2.4",
            words=Bilingual(zh="退回異動", en="Reject the change"),
        ),
        Move(
            "return_to_review",
            ["under_review"],
            "under_review",
            right=Right.APPROVE,
            guards=(_some_recommendation, no_conflict, four_eyes),
            clause="2.4",
            words=Bilingual(zh="退還審查", en="Send back to review"),
        ),
        Move(
            "apply",
            ["under_review"],
            "applied",
            right=Right.APPROVE,
            guards=(four_eyes, no_conflict, _recommended, *_CHECKS),
            clause="2.4",
            words=Bilingual(zh="核准並套用", en="Approve and apply"),
        ),
        Move(
            "reject",
            ["under_review"],
            "rejected",
            right=Right.APPROVE,
            guards=(four_eyes, no_conflict, _some_recommendation),
            clause="2.4",
            words=Bilingual(zh="退回", en="Reject"),
        ),
        Move(
            "withdraw",
            OPEN_CHANGE,
            "withdrawn",
            right=Right.FILE_CHANGE,
            clause="2.4",
            words=Bilingual(zh="撤回異動", en="Withdraw"),
        ),
    ],
    final=["applied", "rejected", "withdrawn"],
)
