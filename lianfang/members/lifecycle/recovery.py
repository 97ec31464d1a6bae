"""How new administrators come to a member whose own are gone (charter 2.4, docs/adr/0025).

Somebody asks, a reviewer weighs the evidence of authority, another person approves; then everybody who was a contact is
told and may object until an instant. Only after it are the new administrators invited.
"""

from __future__ import annotations

from datetime import datetime

from lianfang.kernel.machine import Machine, Move, Stateful
from lianfang.kernel.text import Bilingual
from lianfang.members.lifecycle.guards import four_eyes, no_conflict
from lianfang.policy.facts import Right

OPEN_RECOVERY = ("requested", "recommended", "waiting", "objected")


def _found(_: Stateful, *, findings: str, evidence: int) -> Bilingual | None:
    if not findings.strip():
        return Bilingual(zh="請寫下如何查證代表權限。", en="Write down how the authority was verified.")
    if not evidence:
        return Bilingual(zh="還沒有代表權限的證明文件。", en="There is no proof of authority yet.")
    return None


def _recommended(_: Stateful, *, recommendation: str) -> Bilingual | None:
    if recommendation == "grant":
        return None
    return Bilingual(
        zh="審查人建議不同意。要同意，請先退還審查。",
        en="The reviewer recommends to refuse. To approve, send it back to review first.",
    )


def _in_force(_: Stateful, *, in_force: bool) -> Bilingual | None:
    if in_force:
        return None
    return Bilingual(zh="會籍已經結束。", en="The membership has ended.")


def _in_time(_: Stateful, *, at: datetime, waits_until: datetime | None) -> Bilingual | None:
    if waits_until is not None and at < waits_until:
        return None
    return Bilingual(zh="提出異議的期限已過。", en="The time to object is over.")


def _time_is_over(_: Stateful, *, at: datetime, waits_until: datetime | None) -> Bilingual | None:
    if waits_until is not None and at >= waits_until:
        return None
    return Bilingual(zh="還在可以提出異議的期限內。", en="There is still time to object.")


RECOVERY = Machine(
    "recovery",
    {
        "requested": Bilingual(zh="已提出", en="Requested"),
        "recommended": Bilingual(zh="等決定", en="Awaiting decision"),
        "waiting": Bilingual(zh="等待異議期限", en="Waiting for objections"),
        "objected": Bilingual(zh="有人異議", en="Objected to"),
        "done": Bilingual(zh="已更換管理員", en="Administrators replaced"),
        "refused": Bilingual(zh="不同意", en="Refused"),
        "lapsed": Bilingual(zh="會籍結束而失效", en="Lapsed with the membership"),
    },
    "requested",
    [
        Move(
            "recommend",
            ["requested", "objected"],
            "recommended",
            right=Right.REVIEW,
            guards=(no_conflict, _found),
            clause="2.4",
            words=Bilingual(zh="送交決定", en="Send for decision"),
        ),
        Move(
            "send_back",
            ["recommended"],
            "requested",
            right=Right.APPROVE,
            guards=(four_eyes, no_conflict),
            clause="2.4",
            words=Bilingual(zh="退還審查", en="Send back to review"),
        ),
        Move(
            "refuse",
            ["recommended"],
            "refused",
            right=Right.APPROVE,
            guards=(four_eyes, no_conflict),
            clause="2.4",
            words=Bilingual(zh="不同意", en="Refuse"),
        ),
        Move(
            "approve",
            ["recommended"],
            "waiting",
            right=Right.APPROVE,
            guards=(four_eyes, no_conflict, _recommended, _in_force),
            clause="2.4",
            words=Bilingual(zh="同意，開始等待期間", en="Approve, the waiting time begins"),
        ),
        # By the mailed link of somebody who was a contact.
        Move(
            "object",
            ["waiting"],
            "objected",
            right=None,
            guards=(_in_time,),
            clause="2.4",
            words=Bilingual(zh="提出異議", en="Object"),
        ),
        Move(
            "finish",
            ["waiting"],
            "done",
            right=None,
            guards=(_in_force, _time_is_over),
            clause="2.4",
            words=Bilingual(zh="更換管理員", en="Replace the administrators"),
        ),
        Move(
            "lapse",
            list(OPEN_RECOVERY),
            "lapsed",
            right=None,
            clause="2.4",
            words=Bilingual(zh="失效", en="Lapse"),
        ),
    ],
    final=["done", "refused", "lapsed"],
)
