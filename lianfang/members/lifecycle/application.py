"""How an application may move (charter 1.3)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from lianfang.kernel.machine import Machine, Move, Stateful
from lianfang.kernel.text import Bilingual
from lianfang.members.lifecycle.guards import four_eyes, no_conflict
from lianfang.policy.facts import Right


@dataclass(frozen=True, slots=True, kw_only=True)
class Readiness:
    """What stands for or against an application at this instant, found by `queries.readiness`.

    `rows` is the roster with the applicant itself; `screened` of them have a finding for exactly their present words.
    `judged_hits` are name hits that a person explained in writing. `list_too_old` counts findings made with an edition
    of the official list older than the registry allows.
    """

    rows: int
    screened: int
    id_hits: int
    unjudged_name_hits: int
    unverifiable: int
    list_too_old: int
    authority_checked: bool
    live_membership: bool
    eligibility: Bilingual | None = None
    """What the official lists and the settings say against it (charter 1.1)."""
    ownership: Bilingual | None = None
    """What the declared holdings say against it (charter 1.3)."""


def attested_roster(_: Stateful, *, attested: str, roster: str) -> Bilingual | None:
    """Compare the fingerprint that the attestation covers with that of the roster as it is now (charter 1.3)."""
    if not attested:
        return Bilingual(
            zh="尚未有陸資確認切結（規章1.3）。",
            en="There is no attestation on mainland capital (Charter 1.3).",
        )
    if attested != roster:
        return Bilingual(
            zh="切結之後名冊有變動，須重新切結（規章1.3）。",
            en="The roster changed after the attestation; it has to be given again (Charter 1.3).",
        )
    return None


def screened(_: Stateful, *, readiness: Readiness) -> Bilingual | None:
    missing = readiness.rows - readiness.screened
    if missing:
        return Bilingual(
            zh="名冊還有{n}列沒有陸資檢核結果（規章1.3）。",
            en="{n} roster rows have no screening finding yet (Charter 1.3).",
        ).format(n=missing)
    if readiness.list_too_old:
        return Bilingual(
            zh="有{n}列檢核所用的名單版次太舊，須以新版再檢核。",
            en="{n} findings rest on a list that is too old; screen again with a newer edition.",
        ).format(n=readiness.list_too_old)
    return None


def no_hit(_: Stateful, *, readiness: Readiness) -> Bilingual | None:
    if readiness.id_hits:
        return Bilingual(
            zh="有{n}列統一編號與陸資名單相符，不能核准（規章1.3）。",
            en="{n} roster rows match the mainland list by number; this cannot be approved (Charter 1.3).",
        ).format(n=readiness.id_hits)
    if readiness.unjudged_name_hits:
        return Bilingual(
            zh="{n}筆名稱相符還沒有書面判斷（規章1.3）。", en="{n} name matches have no written finding (Charter 1.3)."
        ).format(n=readiness.unjudged_name_hits)
    return None


def _eligible(_: Stateful, *, readiness: Readiness) -> Bilingual | None:
    return readiness.eligibility


def not_held_from_the_mainland(_: Stateful, *, readiness: Readiness) -> Bilingual | None:
    return readiness.ownership


def authority_checked(_: Stateful, *, readiness: Readiness) -> Bilingual | None:
    if readiness.authority_checked:
        return None
    return Bilingual(zh="還沒有記下如何查證代表權限。", en="How the authority to sign was checked is not recorded yet.")


def one_membership(_: Stateful, *, readiness: Readiness) -> Bilingual | None:
    if readiness.live_membership:
        return Bilingual(
            zh="這個統一編號已有有效會籍，一個組織只能有一份。",
            en="This business number already has a membership in force; an organisation has one only.",
        )
    return None


def _recommended_approval(_: Stateful, *, recommendation: str) -> Bilingual | None:
    if recommendation == "approve":
        return None
    return Bilingual(
        zh="審查人建議退回。要核准，請先退還審查。",
        en="The reviewer recommends rejection. To approve, send it back to review first.",
    )


def _enough_approvers(_: Stateful, *, approvers: int, first: object, decider: object) -> Bilingual | None:
    if first is not None and first == decider:
        return Bilingual(
            zh="您已作第一位核准，須由另一位核准人決定。",
            en="You gave the first approval; another approver decides.",
        )
    if approvers > 1 and first is None:
        return Bilingual(
            zh="這一版作業程序要兩位核准人；還沒有第一位的核准。",
            en="This edition of the procedure asks for two approvers; there is no first approval yet.",
        )
    return None


def _mail_proved(_: Stateful, *, proved: bool) -> Bilingual | None:
    if proved:
        return None
    return Bilingual(
        zh="送出前請先點選信中的連結，確認電子郵件。",
        en="Open the link in our mail first; it proves your e-mail address.",
    )


def _complete(_: Stateful, *, missing: int) -> Bilingual | None:
    if not missing:
        return None
    return Bilingual(zh="還有{n}項要填寫或修改。", en="{n} items are missing or need a change.").format(n=missing)


def _answered(_: Stateful, *, unanswered: int) -> Bilingual | None:
    if not unanswered:
        return None
    return Bilingual(zh="還有{n}項補正沒有回覆。", en="{n} corrections are not answered yet.").format(n=unanswered)


def _time_is_over(_: Stateful, *, at: datetime, kept_until: datetime) -> Bilingual | None:
    if at >= kept_until:
        return None
    return Bilingual(zh="這份草稿的保存期限還沒到。", en="This draft is kept for some time yet.")


OPEN_APPLICATION = ("submitted", "under_review", "correction_requested", "recommended")

APPLICATION = Machine(
    "application",
    {
        "draft": Bilingual(zh="草稿", en="Draft"),
        "submitted": Bilingual(zh="已送出", en="Submitted"),
        "under_review": Bilingual(zh="審查中", en="Under review"),
        "correction_requested": Bilingual(zh="等補正", en="Correction requested"),
        "recommended": Bilingual(zh="等核准", en="Awaiting decision"),
        "approved": Bilingual(zh="已核准", en="Approved"),
        "rejected": Bilingual(zh="已退回", en="Rejected"),
        "withdrawn": Bilingual(zh="已撤回", en="Withdrawn"),
        "expired": Bilingual(zh="已過期刪除", en="Expired and erased"),
    },
    "draft",
    [
        Move(
            "submit",
            ["draft"],
            "submitted",
            right=Right.APPLY,
            guards=(_mail_proved, _complete, attested_roster),
            clause="1.3",
            words=Bilingual(zh="送出申請", en="Submit the application"),
        ),
        Move(
            "take_up",
            ["submitted"],
            "under_review",
            right=Right.TAKE_UP,
            guards=(no_conflict,),
            clause="1.3",
            words=Bilingual(zh="開始審查", en="Take up"),
        ),
        Move(
            "request_correction",
            ["under_review"],
            "correction_requested",
            right=Right.REVIEW,
            guards=(no_conflict,),
            clause="1.3",
            words=Bilingual(zh="要求補正", en="Request a correction"),
        ),
        Move(
            "answer_correction",
            ["correction_requested"],
            "under_review",
            right=Right.ANSWER_CORRECTION,
            guards=(_answered, _complete, attested_roster),
            clause="1.3",
            words=Bilingual(zh="送出補正", en="Send the corrections"),
        ),
        Move(
            "recommend_approval",
            ["under_review"],
            "recommended",
            right=Right.REVIEW,
            guards=(
                no_conflict,
                attested_roster,
                _eligible,
                screened,
                no_hit,
                not_held_from_the_mainland,
                authority_checked,
                one_membership,
            ),
            clause="1.3",
            words=Bilingual(zh="建議核准", en="Recommend approval"),
        ),
        Move(
            "recommend_rejection",
            ["under_review"],
            "recommended",
            right=Right.REVIEW,
            guards=(no_conflict,),
            clause="1.3",
            words=Bilingual(zh="建議退回", en="Recommend rejection"),
        ),
        Move(
            "return_to_review",
            ["recommended"],
            "under_review",
            right=Right.APPROVE,
            guards=(no_conflict, four_eyes),
            clause="1.3",
            words=Bilingual(zh="退還審查", en="Send back to review"),
        ),
        Move(
            "approve",
            ["recommended"],
            "approved",
            right=Right.APPROVE,
            guards=(
                four_eyes,
                no_conflict,
                _recommended_approval,
                attested_roster,
                _eligible,
                screened,
                no_hit,
                not_held_from_the_mainland,
                authority_checked,
                one_membership,
                _enough_approvers,
            ),
            clause="1.3",
            words=Bilingual(zh="核准", en="Approve"),
        ),
        Move(
            "reject",
            ["recommended"],
            "rejected",
            right=Right.APPROVE,
            guards=(four_eyes, no_conflict),
            clause="1.3",
            words=Bilingual(zh="退回申請", en="Reject"),
        ),
        Move(
            "withdraw",
            OPEN_APPLICATION,
            "withdrawn",
            right=Right.APPLY,
            words=Bilingual(zh="撤回申請", en="Withdraw"),
        ),
        Move(
            "expire",
            ["draft"],
            "expired",
            right=None,
            guards=(_time_is_over,),
            words=Bilingual(zh="過期刪除", en="Expire and erase"),
        ),
    ],
    final=["approved", "rejected", "withdrawn", "expired"],
)
