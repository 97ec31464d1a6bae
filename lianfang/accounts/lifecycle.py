"""States of what this app decides: duties, settings, and the way back after a lost second factor."""

from __future__ import annotations

from uuid import UUID

from lianfang.kernel.machine import Machine, Move
from lianfang.kernel.text import Bilingual

_SAME_PERSON = Bilingual(
    zh="提議人不能自己同意，須由另一位同事決定。", en="Who proposed it cannot approve it; a second person must."
)
_ONESELF = Bilingual(zh="不能為自己授予職務。", en="Nobody grants a duty to himself.")
_OWN_FACTOR = Bilingual(zh="不能為自己作保。", en="Nobody vouches for himself.")
_VOUCHED_ALREADY = Bilingual(
    zh="您已經作保，須由另一位同事確認。", en="You have vouched already; a second person must confirm."
)
_LAST_GRANTERS = Bilingual(
    zh="至少要保留兩位職務核派人，請先授予另一位。",
    en="Two duty granters must remain; grant the duty to somebody else first.",
)


def by_another(_: object, *, actor: UUID | None, proposer: UUID) -> Bilingual | None:
    """Four eyes: the one who decides is not the one who proposed."""
    return _SAME_PERSON if actor == proposer else None


def not_to_oneself(_: object, *, actor: UUID | None, beneficiary: UUID) -> Bilingual | None:
    """Nobody has a hand in his own duty."""
    return _ONESELF if actor == beneficiary else None


def granters_remain(_: object, *, granters_left: int) -> Bilingual | None:
    """An alliance in which no two people can grant duties could never appoint anybody again."""
    return _LAST_GRANTERS if granters_left < 2 else None


def not_for_oneself(_: object, *, actor: UUID | None, beneficiary: UUID) -> Bilingual | None:
    """Nobody vouches for himself."""
    return _OWN_FACTOR if actor == beneficiary else None


def second_voucher(_: object, *, actor: UUID | None, first: UUID) -> Bilingual | None:
    """Two different people vouch."""
    return _VOUCHED_ALREADY if actor == first else None


DUTY = Machine(
    "duty",
    {
        "proposed": Bilingual(zh="已提議", en="Proposed"),
        "granted": Bilingual(zh="已授予", en="Granted"),
        "declined": Bilingual(zh="未同意", en="Declined"),
        "ended": Bilingual(zh="已結束", en="Ended"),
    },
    initial="proposed",
    moves=[
        Move(
            "grant",
            {"proposed"},
            "granted",
            right="grant_duty",
            guards=(by_another, not_to_oneself),
            words=Bilingual(zh="同意授予", en="Grant"),
        ),
        Move("decline", {"proposed"}, "declined", right="grant_duty", words=Bilingual(zh="不同意", en="Decline")),
        Move(
            "end",
            {"granted"},
            "ended",
            right="grant_duty",
            guards=(granters_remain,),
            words=Bilingual(zh="結束職務", en="End the duty"),
        ),
    ],
    final={"declined", "ended"},
)

SETTING = Machine(
    "setting",
    {
        "proposed": Bilingual(zh="已提議", en="Proposed"),
        "approved": Bilingual(zh="已核定", en="Approved"),
        "declined": Bilingual(zh="未同意", en="Declined"),
    },
    initial="proposed",
    moves=[
        Move(
            "approve",
            {"proposed"},
            "approved",
            right="change_setting",
            guards=(by_another,),
            words=Bilingual(zh="核定", en="Approve"),
        ),
        Move("decline", {"proposed"}, "declined", right="change_setting", words=Bilingual(zh="不同意", en="Decline")),
    ],
    final={"approved", "declined"},
)

FACTOR_RESET = Machine(
    "factor-reset",
    {
        "asked": Bilingual(zh="已提出", en="Asked"),
        "vouched": Bilingual(zh="一人已作保", en="One has vouched"),
        "done": Bilingual(zh="已重設", en="Reset"),
        "declined": Bilingual(zh="未同意", en="Declined"),
    },
    initial="asked",
    moves=[
        Move(
            "vouch",
            {"asked"},
            "vouched",
            right=None,
            guards=(not_for_oneself,),
            words=Bilingual(zh="為他作保", en="Vouch"),
        ),
        Move(
            "confirm",
            {"vouched"},
            "done",
            right=None,
            guards=(not_for_oneself, second_voucher),
            words=Bilingual(zh="確認並重設", en="Confirm and reset"),
        ),
        Move("decline", {"asked", "vouched"}, "declined", right=None, words=Bilingual(zh="不同意", en="Decline")),
    ],
    final={"done", "declined"},
)
