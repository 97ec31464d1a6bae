"""How an application, a membership and a revocation may move; pages, constraints and tests read these tables."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from lianfang.kernel.machine import Machine, Move, Stateful
from lianfang.kernel.text import Bilingual
from lianfang.policy.facts import Right


@dataclass(frozen=True, slots=True, kw_only=True)
class Readiness:
    """What stands for or against an application at this instant, counted by `queries.readiness`.

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


def _attested(_: Stateful, *, attested: str, roster: str) -> Bilingual | None:
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


def _screened(_: Stateful, *, readiness: Readiness) -> Bilingual | None:
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


def _no_hit(_: Stateful, *, readiness: Readiness) -> Bilingual | None:
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


def _authority_checked(_: Stateful, *, readiness: Readiness) -> Bilingual | None:
    if readiness.authority_checked:
        return None
    return Bilingual(zh="還沒有記下如何查證代表權限。", en="How the authority to sign was checked is not recorded yet.")


def _one_membership(_: Stateful, *, readiness: Readiness) -> Bilingual | None:
    if readiness.live_membership:
        return Bilingual(
            zh="這個統一編號已有有效會籍，一個組織只能有一份。",
            en="This business number already has a membership in force; an organisation has one only.",
        )
    return None


def _no_conflict(_: Stateful, *, conflict: bool | None) -> Bilingual | None:
    if conflict is None:
        return Bilingual(zh="請先聲明有無利害關係。", en="Declare first whether you have a conflict of interest.")
    if conflict:
        return Bilingual(
            zh="您已聲明有利害關係，不能處理這一件。",
            en="You declared a conflict of interest; you cannot act in this case.",
        )
    return None


def _four_eyes(_: Stateful, *, reviewer: object, decider: object) -> Bilingual | None:
    if reviewer == decider:
        return Bilingual(
            zh="您是審查人，不能核准同一件（四眼原則）。請指派另一位核准人。",
            en="You reviewed this case, so you cannot decide it. Assign another approver.",
        )
    return None


def _recommended_approval(_: Stateful, *, recommendation: str) -> Bilingual | None:
    if recommendation == "approve":
        return None
    return Bilingual(
        zh="審查人建議退回。要核准，請先退還審查。",
        en="The reviewer recommends rejection. To approve, send it back to review first.",
    )


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
            guards=(_mail_proved, _complete, _attested),
            clause="1.3",
            words=Bilingual(zh="送出申請", en="Submit the application"),
        ),
        Move(
            "take_up",
            ["submitted"],
            "under_review",
            right=Right.TAKE_UP,
            guards=(_no_conflict,),
            clause="1.3",
            words=Bilingual(zh="開始審查", en="Take up"),
        ),
        Move(
            "request_correction",
            ["under_review"],
            "correction_requested",
            right=Right.REVIEW,
            guards=(_no_conflict,),
            clause="1.3",
            words=Bilingual(zh="要求補正", en="Request a correction"),
        ),
        Move(
            "answer_correction",
            ["correction_requested"],
            "under_review",
            right=Right.ANSWER_CORRECTION,
            guards=(_answered, _complete, _attested),
            clause="1.3",
            words=Bilingual(zh="送出補正", en="Send the corrections"),
        ),
        Move(
            "recommend_approval",
            ["under_review"],
            "recommended",
            right=Right.REVIEW,
            guards=(_no_conflict, _attested, _screened, _no_hit, _authority_checked, _one_membership),
            clause="1.3",
            words=Bilingual(zh="建議核准", en="Recommend approval"),
        ),
        Move(
            "recommend_rejection",
            ["under_review"],
            "recommended",
            right=Right.REVIEW,
            guards=(_no_conflict,),
            clause="1.3",
            words=Bilingual(zh="建議退回", en="Recommend rejection"),
        ),
        Move(
            "return_to_review",
            ["recommended"],
            "under_review",
            right=Right.APPROVE,
            guards=(_no_conflict, _four_eyes),
            clause="1.3",
            words=Bilingual(zh="退還審查", en="Send back to review"),
        ),
        Move(
            "approve",
            ["recommended"],
            "approved",
            right=Right.APPROVE,
            guards=(
                _four_eyes,
                _no_conflict,
                _recommended_approval,
                _attested,
                _screened,
                _no_hit,
                _authority_checked,
                _one_membership,
            ),
            clause="1.3",
            words=Bilingual(zh="核准", en="Approve"),
        ),
        Move(
            "reject",
            ["recommended"],
            "rejected",
            right=Right.APPROVE,
            guards=(_four_eyes, _no_conflict),
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


def _appeal_granted(_: Stateful, *, appeal_state: str) -> Bilingual | None:
    if appeal_state == "granted":
        return None
    return Bilingual(
        zh="沒有成立的申訴，不能恢復會籍（規章1.4）。",
        en="Without a granted appeal no membership is restored (Charter 1.4).",
    )


IN_FORCE = ("active", "revocation_review", "termination_requested")

MEMBERSHIP = Machine(
    "membership",
    {
        "active": Bilingual(zh="有效", en="In force"),
        "revocation_review": Bilingual(zh="取消審查中", en="Under review"),
        "termination_requested": Bilingual(zh="申請終止中", en="Termination requested"),
        "revoked": Bilingual(zh="已取消", en="Revoked"),
        "terminated": Bilingual(zh="已終止", en="Terminated"),
    },
    "active",
    [
        Move(
            "open_review",
            ["active"],
            "revocation_review",
            right=Right.REVIEW,
            clause="1.4",
            words=Bilingual(zh="開始取消審查", en="Open a revocation review"),
        ),
        Move(
            "close_review",
            ["revocation_review"],
            "active",
            right=Right.REVOKE,
            clause="1.4",
            words=Bilingual(zh="結案，維持會籍", en="Close, membership stays"),
        ),
        Move(
            "revoke",
            ["revocation_review"],
            "revoked",
            right=Right.REVOKE,
            clause="1.4",
            words=Bilingual(zh="取消會籍", en="Revoke the membership"),
        ),
        Move(
            "restore",
            ["revoked"],
            "active",
            right=Right.DECIDE_APPEAL,
            guards=(_appeal_granted,),
            clause="1.4",
            words=Bilingual(zh="恢復會籍", en="Restore the membership"),
        ),
        Move(
            "request_termination",
            ["active"],
            "termination_requested",
            right=Right.MANAGE_PEOPLE,
            clause="2.5",
            words=Bilingual(zh="提出終止申請", en="Request termination"),
        ),
        Move(
            "withdraw_termination",
            ["termination_requested"],
            "active",
            right=Right.MANAGE_PEOPLE,
            clause="2.5",
            words=Bilingual(zh="撤回終止申請", en="Withdraw the request"),
        ),
        Move(
            "terminate",
            ["termination_requested"],
            "terminated",
            right=Right.APPROVE,
            clause="2.5",
            words=Bilingual(zh="終止會籍", en="Terminate the membership"),
        ),
    ],
    final=["terminated"],
)


def _case_stated(_: Stateful, *, facts: str) -> Bilingual | None:
    if facts.strip():
        return None
    return Bilingual(zh="請寫下事實。", en="State the facts.")


REVOCATION = Machine(
    "revocation",
    {
        "under_review": Bilingual(zh="審查中", en="Under review"),
        "proposed": Bilingual(zh="等決定", en="Awaiting decision"),
        "revoked": Bilingual(zh="已取消會籍", en="Membership revoked"),
        "closed": Bilingual(zh="結案，維持會籍", en="Closed, membership stays"),
    },
    "under_review",
    [
        Move(
            "propose",
            ["under_review"],
            "proposed",
            right=Right.REVIEW,
            guards=(_no_conflict, _case_stated),
            clause="1.4",
            words=Bilingual(zh="送交決定", en="Send for decision"),
        ),
        Move(
            "send_back",
            ["proposed"],
            "under_review",
            right=Right.REVOKE,
            guards=(_four_eyes, _no_conflict),
            clause="1.4",
            words=Bilingual(zh="退還審查", en="Send back to review"),
        ),
        Move(
            "revoke",
            ["proposed"],
            "revoked",
            right=Right.REVOKE,
            guards=(_four_eyes, _no_conflict),
            clause="1.4",
            words=Bilingual(zh="取消會籍", en="Revoke the membership"),
        ),
        Move(
            "close",
            ["proposed"],
            "closed",
            right=Right.REVOKE,
            guards=(_four_eyes, _no_conflict),
            clause="1.4",
            words=Bilingual(zh="結案，維持會籍", en="Close, membership stays"),
        ),
    ],
    final=["revoked", "closed"],
)


APPEAL = Machine(
    "appeal",
    {
        "filed": Bilingual(zh="已提出", en="Filed"),
        "granted": Bilingual(zh="成立", en="Granted"),
        "denied": Bilingual(zh="不成立", en="Denied"),
    },
    "filed",
    [
        Move(
            "grant",
            ["filed"],
            "granted",
            right=Right.DECIDE_APPEAL,
            guards=(_four_eyes, _no_conflict),
            clause="1.4",
            words=Bilingual(zh="申訴成立", en="Grant the appeal"),
        ),
        Move(
            "deny",
            ["filed"],
            "denied",
            right=Right.DECIDE_APPEAL,
            guards=(_four_eyes, _no_conflict),
            clause="1.4",
            words=Bilingual(zh="申訴不成立", en="Deny the appeal"),
        ),
    ],
    final=["granted", "denied"],
)
