"""What becomes of a mail that came in. A mail decides nothing: it is laid where people will read it."""

from __future__ import annotations

from lianfang.kernel.machine import Machine, Move, Stateful
from lianfang.kernel.text import Bilingual
from lianfang.policy.facts import Right

TRIAGE, PLACED, NOTED, REJECTED, SETTLED = "triage", "placed", "noted", "rejected", "settled"


def _explained(_: Stateful, *, why: str) -> Bilingual | None:
    return None if why.strip() else Bilingual(zh="請寫下原因。", en="Give the reason.")


MAIL = Machine(
    "mail",
    {
        TRIAGE: Bilingual(zh="待分派", en="To be sorted"),
        PLACED: Bilingual(zh="已歸入案件", en="Laid to a case"),
        NOTED: Bilingual(zh="自動信，僅存查", en="Automatic, kept"),
        REJECTED: Bilingual(zh="不受理", en="Rejected"),
        SETTLED: Bilingual(zh="已處理", en="Settled"),
    },
    TRIAGE,
    [
        Move("note", {TRIAGE}, NOTED, right=None, words=Bilingual(zh="存查", en="Keep")),
        # By the key in its address when it comes, or by whoever sorts it; a mail may belong to several cases.
        Move("place", {TRIAGE, NOTED, PLACED, REJECTED, SETTLED}, PLACED, right=Right.REVIEW,
             words=Bilingual(zh="歸入案件", en="Lay to a case")),
        Move("reject", {TRIAGE, NOTED}, REJECTED, right=Right.REVIEW, guards=(_explained,),
             words=Bilingual(zh="不受理", en="Reject")),
        Move("settle", {TRIAGE, NOTED}, SETTLED, right=Right.REVIEW, guards=(_explained,),
             words=Bilingual(zh="處理完畢", en="Settle")),
        Move("reopen", {REJECTED, SETTLED, NOTED}, TRIAGE, right=Right.REVIEW,
             words=Bilingual(zh="退回待分派", en="Sort again")),
    ],
    final=[],
)  # fmt: skip
