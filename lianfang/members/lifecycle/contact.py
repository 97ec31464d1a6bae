"""How a question to a contact about its own data may move (charter 2.4)."""

from __future__ import annotations

from datetime import datetime

from lianfang.kernel.machine import Machine, Move, Stateful
from lianfang.kernel.text import Bilingual
from lianfang.policy.facts import Right


def _in_time(_: Stateful, *, at: datetime, answer_until: datetime) -> Bilingual | None:
    if at < answer_until:
        return None
    return Bilingual(zh="這個連結已過回覆期限。", en="The time to answer by this link is over.")


def _time_is_over(_: Stateful, *, at: datetime, kept_until: datetime) -> Bilingual | None:
    if at >= kept_until:
        return None
    return Bilingual(zh="還在回覆期限內。", en="The link works for some time yet.")


def _explained(_: Stateful, *, how: str) -> Bilingual | None:
    if how.strip():
        return None
    return Bilingual(zh="請寫下怎麼處理。", en="Say what was done.")


CONTACT_CHECK = Machine(
    "contact-check",
    {
        "asked": Bilingual(zh="等回覆", en="Waiting for an answer"),
        "confirmed": Bilingual(zh="資料正確", en="Data are right"),
        "change_wanted": Bilingual(zh="資料要改", en="Data need a change"),
        "silent": Bilingual(zh="沒有回覆", en="No answer"),
        "bounced": Bilingual(zh="信件退回", en="Mail came back"),
        "settled": Bilingual(zh="已處理", en="Settled"),
    },
    "asked",
    [
        Move(
            "confirm",
            ["asked"],
            "confirmed",
            right=Right.CONFIRM_CONTACT,
            guards=(_in_time,),
            clause="2.4",
            words=Bilingual(zh="資料正確", en="The data are right"),
        ),
        Move(
            "want_change",
            ["asked"],
            "change_wanted",
            right=Right.CONFIRM_CONTACT,
            guards=(_in_time,),
            clause="2.4",
            words=Bilingual(zh="資料要改", en="The data need a change"),
        ),
        Move(
            "fall_silent",
            ["asked"],
            "silent",
            right=None,
            guards=(_time_is_over,),
            clause="2.4",
            words=Bilingual(zh="逾期未回覆", en="No answer in time"),
        ),
        Move(
            "bounce",
            ["asked"],
            "bounced",
            right=None,
            clause="2.4",
            words=Bilingual(zh="信件退回", en="Mail came back"),
        ),
        Move(
            "settle",
            ["change_wanted", "silent", "bounced"],
            "settled",
            right=Right.REVIEW,
            guards=(_explained,),
            clause="2.4",
            words=Bilingual(zh="處理完畢", en="Settle"),
        ),
    ],
    final=["confirmed", "settled"],
)
CONTACT_TASKS = ("change_wanted", "silent", "bounced")
"""States in which somebody of the staff has something to do."""
