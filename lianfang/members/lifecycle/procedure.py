"""How the next edition of the procedure comes into force: written by one, approved by two others (charter 4.1)."""

from __future__ import annotations

from lianfang.kernel.machine import Machine, Move, Stateful
from lianfang.kernel.text import Bilingual
from lianfang.policy.facts import Right


def _sound(_: Stateful, *, faults: int) -> Bilingual | None:
    if not faults:
        return None
    return Bilingual(zh="還有{n}項要修改。", en="{n} things need a change first.").format(n=faults)


def _changed(_: Stateful, *, changed: bool) -> Bilingual | None:
    if changed:
        return None
    return Bilingual(zh="這一版與前一版完全相同。", en="This draft says the same as the edition before it.")


def _two_approved(_: Stateful, *, approvals: int) -> Bilingual | None:
    if approvals >= 2:
        return None
    return Bilingual(zh="還要另一位核准人同意。", en="Another approver has to agree, too.")


PROCEDURE = Machine(
    "procedure",
    {
        "draft": Bilingual(zh="編輯中", en="Being written"),
        "proposed": Bilingual(zh="等核准", en="Awaiting approval"),
        "published": Bilingual(zh="已發布", en="Published"),
        "discarded": Bilingual(zh="已捨棄", en="Discarded"),
    },
    "draft",
    [
        Move(
            "propose",
            ["draft"],
            "proposed",
            right=Right.EDIT_CHARTER,
            guards=(_sound, _changed),
            clause="4.1",
            words=Bilingual(zh="送交核准", en="Send for approval"),
        ),
        Move(
            "return",
            ["proposed"],
            "draft",
            right=Right.APPROVE,
            clause="4.1",
            words=Bilingual(zh="退回修改", en="Send back"),
        ),
        Move(
            "publish",
            ["proposed"],
            "published",
            right=Right.APPROVE,
            guards=(_two_approved, _sound),
            clause="4.1",
            words=Bilingual(zh="發布新版", en="Publish"),
        ),
        Move(
            "discard",
            ["draft", "proposed"],
            "discarded",
            right=Right.EDIT_CHARTER,
            words=Bilingual(zh="捨棄草稿", en="Discard the draft"),
        ),
    ],
    final=["published", "discarded"],
)
