"""How a case of revocation and the appeal against it may move (charter 1.4)."""

from __future__ import annotations

from lianfang.kernel.machine import Machine, Move, Stateful
from lianfang.kernel.text import Bilingual
from lianfang.members.lifecycle.guards import four_eyes, no_conflict
from lianfang.policy.facts import Right


def _case_stated(_: Stateful, *, facts: str) -> Bilingual | None:
    if facts.strip():
        return None
    return Bilingual(zh="請寫下事實。", en="State the facts.")


REVOCATION = Machine(
    "revocation",
    {
        "under_review": Bilingual(zh="審查中", en="Under review"),
        "proposed": Bilingual(zh="等決定", en="Awaiting decision"),
        "revoked": Bilingual(zh="已取消會籍", en="Membership revoked"),
        "closed": Bilingual(zh="結案，維持會籍", en="Closed, membership stays"),
    },
    "under_review",
    [
        Move(
            "propose",
            ["under_review"],
            "proposed",
            right=Right.REVIEW,
            guards=(no_conflict, _case_stated),
            clause="1.4",
            words=Bilingual(zh="送交決定", en="Send for decision"),
        ),
        Move(
            "send_back",
            ["proposed"],
            "under_review",
            right=Right.REVOKE,
            guards=(four_eyes, no_conflict),
            clause="1.4",
            words=Bilingual(zh="退還審查", en="Send back to review"),
        ),
        Move(
            "revoke",
            ["proposed"],
            "revoked",
            right=Right.REVOKE,
            guards=(four_eyes, no_conflict),
            clause="1.4",
            words=Bilingual(zh="取消會籍", en="Revoke the membership"),
        ),
        Move(
            "close",
            ["proposed"],
            "closed",
            right=Right.REVOKE,
            guards=(four_eyes, no_conflict),
            clause="1.4",
            words=Bilingual(zh="結案，維持會籍", en="Close, membership stays"),
        ),
    ],
    final=["revoked", "closed"],
)


APPEAL = Machine(
    "appeal",
    {
        "filed": Bilingual(zh="已提出", en="Filed"),
        "granted": Bilingual(zh="成立", en="Granted"),
        "denied": Bilingual(zh="不成立", en="Denied"),
    },
    "filed",
    [
        Move(
            "grant",
            ["filed"],
            "granted",
            right=Right.DECIDE_APPEAL,
            guards=(four_eyes, no_conflict),
            clause="1.4",
            words=Bilingual(zh="申訴成立", en="Grant the appeal"),
        ),
        Move(
            "deny",
            ["filed"],
            "denied",
            right=Right.DECIDE_APPEAL,
            guards=(four_eyes, no_conflict),
            clause="1.4",
            words=Bilingual(zh="申訴不成立", en="Deny the appeal"),
        ),
    ],
    final=["granted", "denied"],
)
