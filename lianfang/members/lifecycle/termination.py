"""How a request to end a membership may move (charter 2.5).

The member asks, and takes it back while nobody decided; a reviewer recommends, another person decides. While a
revocation is under review nothing is decided here: the review goes first (docs/adr/0024).
"""

from __future__ import annotations

from lianfang.kernel.machine import Machine, Move, Stateful
from lianfang.kernel.text import Bilingual
from lianfang.members.lifecycle.guards import four_eyes, no_conflict
from lianfang.policy.facts import Right

OPEN_TERMINATION = ("requested", "recommended")


def _found(_: Stateful, *, findings: str) -> Bilingual | None:
    if findings.strip():
        return None
    return Bilingual(zh="請寫下審查結果。", en="Write what the review found.")


def _no_review_open(_: Stateful, *, membership: str) -> Bilingual | None:
    if membership != "revocation_review":
        return None
    return Bilingual(
        zh="取消審查尚未決定；終止申請等它結案後再決定。",
        en="A revocation is under review; the request waits until that is decided.",
    )


TERMINATION = Machine(
    "termination",
    {
        "requested": Bilingual(zh="已提出", en="Requested"),
        "recommended": Bilingual(zh="等決定", en="Awaiting decision"),
        "granted": Bilingual(zh="同意終止", en="Granted"),
        "refused": Bilingual(zh="不同意終止", en="Refused"),
        "withdrawn": Bilingual(zh="已撤回", en="Withdrawn"),
        "lapsed": Bilingual(zh="因取消會籍而失效", en="Lapsed with a revocation"),
    },
    "requested",
    [
        Move(
            "recommend",
            ["requested"],
            "recommended",
            right=Right.REVIEW,
            guards=(no_conflict, _found),
            clause="2.5",
            words=Bilingual(zh="送交決定", en="Send for decision"),
        ),
        Move(
            "send_back",
            ["recommended"],
            "requested",
            right=Right.APPROVE,
            guards=(four_eyes, no_conflict),
            clause="2.5",
            words=Bilingual(zh="退還審查", en="Send back to review"),
        ),
        Move(
            "refuse",
            ["recommended"],
            "refused",
            right=Right.APPROVE,
            guards=(four_eyes, no_conflict, _no_review_open),
            clause="2.5",
            words=Bilingual(zh="不同意，維持會籍", en="Refuse, membership stays"),
        ),
        Move(
            "grant",
            ["recommended"],
            "granted",
            right=Right.APPROVE,
            guards=(four_eyes, no_conflict, _no_review_open),
            clause="2.5",
            words=Bilingual(zh="同意終止會籍", en="Grant, membership ends"),
        ),
        Move(
            "withdraw",
            list(OPEN_TERMINATION),
            "withdrawn",
            right=Right.MANAGE_PEOPLE,
            clause="2.5",
            words=Bilingual(zh="撤回終止申請", en="Withdraw the request"),
        ),
        # The revocation of the membership leaves nothing to be ended.
        Move(
            "lapse",
            list(OPEN_TERMINATION),
            "lapsed",
            right=None,
            clause="1.4",
            words=Bilingual(zh="失效", en="Lapse"),
        ),
    ],
    final=["granted", "refused", "withdrawn", "lapsed"],
)
