"""States of one mail to one recipient."""

from __future__ import annotations

from lianfang.kernel.machine import Machine, Move
from lianfang.kernel.text import Bilingual

QUEUED, SENDING, SENT, UNKNOWN, FAILED, WITHHELD = "queued", "sending", "sent", "unknown", "failed", "withheld"

DELIVERY = Machine(
    "delivery",
    states={
        QUEUED: Bilingual(zh="等待寄送", en="queued"),
        SENDING: Bilingual(zh="寄送中", en="being sent"),
        SENT: Bilingual(zh="已寄出", en="sent"),
        UNKNOWN: Bilingual(zh="不確定是否寄出", en="unknown whether sent"),
        FAILED: Bilingual(zh="無法寄達", en="failed"),
        WITHHELD: Bilingual(zh="決定不寄", en="withheld"),
    },
    initial=QUEUED,
    moves=[
        Move("claim", {QUEUED}, SENDING, right=None, words=Bilingual(zh="開始寄送", en="claim")),
        Move("withhold", {QUEUED}, WITHHELD, right=None, words=Bilingual(zh="不寄", en="withhold")),
        # Also from `unknown`: a slow sender may learn the truth after its lease ran out.
        Move("send", {SENDING, UNKNOWN}, SENT, right=None, words=Bilingual(zh="寄出", en="send")),
        Move("retry", {SENDING}, QUEUED, right=None, words=Bilingual(zh="稍後再試", en="retry")),
        Move("fail", {SENDING}, FAILED, right=None, words=Bilingual(zh="放棄", en="fail")),
        Move("lose", {SENDING}, UNKNOWN, right=None, words=Bilingual(zh="無法確定", en="lose")),
        # What a mail server took and another could not deliver is told by a report, minutes or days later.
        Move("bounce", {SENT, UNKNOWN}, FAILED, right=None, words=Bilingual(zh="退信", en="bounce")),
        # A person decides, because the recipient may get it twice; the Message-ID stays the same.
        Move("resend", {UNKNOWN, FAILED}, QUEUED, right=None, words=Bilingual(zh="重寄", en="resend")),
    ],
    final=[WITHHELD],
)
"""A mail leaves `sending` only by what the mail server said, or its lease running out; `sent` only by coming back."""
