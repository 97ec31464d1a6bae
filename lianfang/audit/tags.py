"""Every kind of ledger entry: `domain:subject:verb`, with what was done in both languages.

The sentence continues "<actor> …" and names no person and no content. Keep the list sorted by value; a value that was
once written to a ledger is never reused for anything else.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Self

from lianfang.kernel.text import Bilingual


class Tag(StrEnum):
    """What an entry records."""

    words: Bilingual

    def __new__(cls, value: str, zh: str, en: str) -> Self:
        """Make a member from its value and its sentence in both languages."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.words = Bilingual(zh=zh, en=en)
        return member

    AUDIT_LEDGER_ACKNOWLEDGE = "audit:ledger:acknowledge", "確認已知悉紀錄異常", "acknowledged a fault in the ledger"
    AUDIT_LEDGER_VERIFY = "audit:ledger:verify", "驗證了全部紀錄", "verified the whole ledger"
    AUDIT_RECEIPTS_BATCH = "audit:receipts:batch", "將一批收件紀錄納入紀錄樹", "put a batch of receipts into the tree"
    NOTICES_NOTICE_SEND = "notices:notice:send", "寄出一則通知", "sent a notice"
    OUTBOX_DELIVERY_CLAIM = "outbox:delivery:claim", "開始寄送一封信", "began to deliver a mail"
    OUTBOX_DELIVERY_FAIL = "outbox:delivery:fail", "一封信無法寄達，不再嘗試", "gave up delivering a mail"
    OUTBOX_DELIVERY_LOSE = (
        "outbox:delivery:lose",
        "一封信是否寄出無法確定",
        "lost track of a mail while sending it",
    )
    OUTBOX_DELIVERY_RESEND = "outbox:delivery:resend", "決定重寄一封信", "decided to deliver a mail again"
    OUTBOX_DELIVERY_RETRY = (
        "outbox:delivery:retry",
        "一封信暫時無法寄達，稍後再試",
        "postponed a mail",
    )
    OUTBOX_DELIVERY_SEND = "outbox:delivery:send", "寄出了一封信", "delivered a mail"
    OUTBOX_DELIVERY_WITHHOLD = (
        "outbox:delivery:withhold",
        "在寄送當下決定不寄一封信",
        "withheld a mail at the moment of sending",
    )
    VAULT_KEY_SHRED = "vault:key:shred", "銷毀一把個人資料金鑰", "destroyed the key of a person's data"
    VAULT_MASTER_ROTATE = "vault:master:rotate", "更換主金鑰", "rotated the master key"
