"""How the next version of a document comes into force: written, approved by two others, published, mailed (4.1)."""

from __future__ import annotations

from datetime import datetime

from lianfang.kernel.machine import Machine, Move, Stateful
from lianfang.kernel.text import Bilingual
from lianfang.policy.facts import Right


def _sound(_: Stateful, *, faults: int) -> Bilingual | None:
    if not faults:
        return None
    return Bilingual(zh="還有{n}處要修改。", en="{n} places need a change first.").format(n=faults)


def _changed(_: Stateful, *, changed: bool) -> Bilingual | None:
    if changed:
        return None
    return Bilingual(zh="內容與施行中的版本完全相同。", en="This says the same as the version in force.")


def _two_approved(_: Stateful, *, approvals: int) -> Bilingual | None:
    if approvals >= 2:
        return None
    return Bilingual(zh="還要另一位核准人同意。", en="Another approver has to agree, too.")


def _not_before_approval(_: Stateful, *, effective_at: datetime | None, at: datetime) -> Bilingual | None:
    if effective_at is None or effective_at >= at:
        return None
    return Bilingual(
        zh="施行時間已過，規章不能溯及既往。請退回，改訂施行時間。",
        en="Its instant has passed, and no version takes effect before its approval. Send it back for another one.",
    )


def _on_the_website(_: Stateful, *, on_the_website: bool) -> Bilingual | None:
    if on_the_website:
        return None
    return Bilingual(
        zh="還沒有登錄官網的公告：請填網址與時間。",
        en="The publication on the website is not recorded yet: give its address and time.",
    )


AMENDMENT = Machine(
    "amendment",
    {
        "draft": Bilingual(zh="編輯中", en="Being written"),
        "proposed": Bilingual(zh="等核准", en="Awaiting approval"),
        "approved": Bilingual(zh="已核准，待公告", en="Approved, to be published"),
        "issuing": Bilingual(zh="正在公告並寄信", en="Being published and mailed"),
        "issued": Bilingual(zh="已公告", en="Published"),
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
            ["proposed", "approved"],
            "draft",
            right=Right.APPROVE,
            clause="4.1",
            words=Bilingual(zh="退回修改", en="Send back"),
        ),
        Move(
            "approve",
            ["proposed"],
            "approved",
            right=Right.APPROVE,
            guards=(_sound, _not_before_approval, _two_approved),
            clause="4.1",
            words=Bilingual(zh="核准", en="Approve"),
        ),
        Move(
            "issue",
            ["approved"],
            "issuing",
            right=Right.EDIT_CHARTER,
            guards=(_on_the_website,),
            clause="4.1",
            words=Bilingual(zh="公告並寄給所有會員", en="Publish and mail to every member"),
        ),
        Move("finish", ["issuing"], "issued", right=None, clause="4.1", words=Bilingual(zh="完成公告", en="Published")),
        Move(
            "discard",
            ["draft", "proposed", "approved"],
            "discarded",
            right=Right.EDIT_CHARTER,
            words=Bilingual(zh="捨棄草稿", en="Discard the draft"),
        ),
    ],
    final=["issued", "discarded"],
)
OPEN_AMENDMENT = ("draft", "proposed", "approved", "issuing")
STATE_LENGTH = 24
