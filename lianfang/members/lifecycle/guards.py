"""What several machines ask before a move: whoever decides has no conflict and did not review."""

from __future__ import annotations

from lianfang.kernel.machine import Stateful
from lianfang.kernel.text import Bilingual


def no_conflict(_: Stateful, *, conflict: bool | None) -> Bilingual | None:
    if conflict is None:
        return Bilingual(zh="請先聲明有無利害關係。", en="Declare first whether you have a conflict of interest.")
    if conflict:
        return Bilingual(
            zh="您已聲明有利害關係，不能處理這一件。",
            en="You declared a conflict of interest; you cannot act in this case.",
        )
    return None


def four_eyes(_: Stateful, *, reviewer: object, decider: object) -> Bilingual | None:
    if reviewer == decider:
        return Bilingual(
            zh="您是審查人，不能核准同一件（四眼原則）。請指派另一位核准人。",
            en="You reviewed this case, so you cannot decide it. Assign another approver.",
        )
    return None
