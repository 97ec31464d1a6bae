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


def _heard(_: Stateful, *, hearing: str) -> Bilingual | None:
    if hearing == "needed":
        return Bilingual(
            zh="請先通知會員取消的意向與期限（N8），聽取陳述。",
            en="Send the notice of intent first (N8): the member is heard.",
        )
    if hearing == "running":
        return Bilingual(
            zh="會員陳述的期限還沒到，也還沒收到陳述。",
            en="The time for the member's statement runs, and none has come in.",
        )
    return None


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
            "notify",
            ["under_review"],
            "under_review",
            right=Right.REVIEW,
            guards=(no_conflict,),
            clause="1.4",
            words=Bilingual(zh="通知取消意向", en="Notice of intent"),
        ),
        Move(
            "propose",
            ["under_review"],
            "proposed",
            right=Right.REVIEW,
            guards=(no_conflict, _case_stated, _heard),
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


def _other_than_first(_: Stateful, *, took_part: bool) -> Bilingual | None:
    if not took_part:
        return None
    return Bilingual(
        zh="原來審查或決定取消的人，不能再次審查。",
        en="Whoever reviewed or decided the revocation does not review it again.",
    )


APPEAL = Machine(
    "appeal",
    {
        "filed": Bilingual(zh="已提出", en="Filed"),
        "recommended": Bilingual(zh="等決定", en="Awaiting decision"),
        "granted": Bilingual(zh="成立", en="Granted"),
        "denied": Bilingual(zh="不成立", en="Denied"),
    },
    "filed",
    [
        Move(
            "recommend",
            ["filed"],
            "recommended",
            right=Right.REVIEW,
            guards=(no_conflict, _other_than_first, _case_stated),
            clause="1.4",
            words=Bilingual(zh="送交決定", en="Send for decision"),
        ),
        Move(
            "grant",
            ["filed", "recommended"],
            "granted",
            right=Right.DECIDE_APPEAL,
            guards=(four_eyes, no_conflict),
            clause="1.4",
            words=Bilingual(zh="申訴成立", en="Grant the appeal"),
        ),
        Move(
            "deny",
            ["filed", "recommended"],
            "denied",
            right=Right.DECIDE_APPEAL,
            guards=(four_eyes, no_conflict),
            clause="1.4",
            words=Bilingual(zh="申訴不成立", en="Deny the appeal"),
        ),
    ],
    final=["granted", "denied"],
)
