"""How a membership may move: only approve, revoke, restore and terminate change access (charter 1.4, 2.5)."""

from __future__ import annotations

from lianfang.kernel.machine import Machine, Move, Stateful
from lianfang.kernel.text import Bilingual
from lianfang.policy.facts import Right


def _appeal_granted(_: Stateful, *, appeal_state: str) -> Bilingual | None:
    if appeal_state == "granted":
        return None
    return Bilingual(
        zh="沒有成立的申訴，不能恢復會籍（規章1.4）。",
        en="Without a granted appeal no membership is restored (Charter 1.4).",
    )


IN_FORCE = ("active", "revocation_review", "termination_requested")

MEMBERSHIP = Machine(
    "membership",
    {
        "active": Bilingual(zh="有效", en="In force"),
        "revocation_review": Bilingual(zh="取消審查中", en="Under review"),
        "termination_requested": Bilingual(zh="申請終止中", en="Termination requested"),
        "revoked": Bilingual(zh="已取消", en="Revoked"),
        "terminated": Bilingual(zh="已終止", en="Terminated"),
    },
    "active",
    [
        Move(
            "open_review",
            # A request to leave does not hold up a review; it waits for it (docs/adr/0024).
            ["active", "termination_requested"],
            "revocation_review",
            right=Right.REVIEW,
            clause="1.4",
            words=Bilingual(zh="開始取消審查", en="Open a revocation review"),
        ),
        Move(
            "close_review",
            ["revocation_review"],
            "active",
            right=Right.REVOKE,
            clause="1.4",
            words=Bilingual(zh="結案，維持會籍", en="Close, membership stays"),
        ),
        Move(
            "revoke",
            ["revocation_review"],
            "revoked",
            right=Right.REVOKE,
            clause="1.4",
            words=Bilingual(zh="取消會籍", en="Revoke the membership"),
        ),
        Move(
            "restore",
            ["revoked"],
            "active",
            right=Right.DECIDE_APPEAL,
            guards=(_appeal_granted,),
            clause="1.4",
            words=Bilingual(zh="恢復會籍", en="Restore the membership"),
        ),
        Move(
            "request_termination",
            ["active"],
            "termination_requested",
            right=Right.MANAGE_PEOPLE,
            clause="2.5",
            words=Bilingual(zh="提出終止申請", en="Request termination"),
        ),
        Move(
            "withdraw_termination",
            ["termination_requested"],
            "active",
            right=Right.MANAGE_PEOPLE,
            clause="2.5",
            words=Bilingual(zh="撤回終止申請", en="Withdraw the request"),
        ),
        Move(
            "refuse_termination",
            ["termination_requested"],
            "active",
            right=Right.APPROVE,
            clause="2.5",
            words=Bilingual(zh="不同意終止", en="Refuse the termination"),
        ),
        Move(
            "terminate",
            ["termination_requested"],
            "terminated",
            right=Right.APPROVE,
            clause="2.5",
            words=Bilingual(zh="終止會籍", en="Terminate the membership"),
        ),
    ],
    final=["terminated"],
)
