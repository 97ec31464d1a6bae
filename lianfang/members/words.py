"""Fixed words of this app in both languages, and the letters of its decisions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from lianfang.kernel.clock import roc_date, show, show_date
from lianfang.kernel.text import Bilingual


def _w(zh: str, en: str) -> Bilingual:
    return Bilingual(zh=zh, en=en)


KINDS: Final = {
    "twse": _w("上市公司", "TWSE-listed company"),
    "tpex": _w("上櫃公司", "TPEx-listed company"),
    "association": _w("人民團體", "Civil association"),
    "constituent": _w("內部成員", "Constituent"),
    "coordinator": _w("協調中心", "Coordination centre"),
    "other": _w("其他", "Other"),
}

GROUNDS: Final = {
    "1.4a": _w("未能履行管理職責（規章1.4）", "Did not fulfil its duties of management (Charter 1.4)"),
    "1.4b": _w("未積極參與資安聯防（規章1.4）", "Did not take an active part in joint defence (Charter 1.4)"),
    "2.3": _w("違反注意義務（規章2.3）", "Breach of the duty of care (Charter 2.3)"),
    "5.3": _w("資料不實或不完整（規章5.3）", "Untrue or incomplete data (Charter 5.3)"),
}
"""Grounds of revocation by code: the clause of the charter, and of 1.4 which of its two grounds."""

SCREENING: Final = {
    "pending": _w("待檢核", "Not screened yet"),
    "clear": _w("通過", "Clear"),
    "name_hit": _w("名稱相符", "Name match"),
    "other_entity": _w("名稱相符，判斷為他人", "Name match, judged to be somebody else"),
    "id_hit": _w("統編相符", "Number match"),
    "unverifiable": _w("無法查證", "Not verifiable"),
}
SCREENING_TONES: Final = {
    "clear": "good", "other_entity": "good", "pending": "", "unverifiable": "warn", "name_hit": "warn", "id_hit": "bad",
}  # fmt: skip

STATE_TONES: Final = {
    "draft": "", "submitted": "info", "under_review": "warn", "correction_requested": "info", "recommended": "warn",
    "approved": "good", "applied": "good", "rejected": "bad", "withdrawn": "", "expired": "",
    "active": "good", "revocation_review": "warn", "termination_requested": "warn", "revoked": "bad", "terminated": "",
    "proposed": "warn", "closed": "", "filed": "info", "granted": "good", "denied": "",
    "requested": "info", "refused": "", "lapsed": "",
    "published": "good", "discarded": "",
    "asked": "info", "confirmed": "good", "change_wanted": "warn", "silent": "warn", "bounced": "bad", "settled": "",
    "waiting": "info", "objected": "bad", "done": "good",
}  # fmt: skip

EVENTS: Final = {
    "submitted": _w("送出申請", "Application sent"),
    "taken_up": _w("開始審查", "Taken up"),
    "correction_requested": _w("補正通知", "Correction requested"),
    "correction_answered": _w("補正完成", "Correction answered"),
    "authority_checked": _w("查證代表權限", "Authority checked"),
    "screened": _w("陸資檢核", "Screening recorded"),
    "ownership": _w("記下申報的持股", "Declared holdings recorded"),
    "conflict_none": _w("聲明無利害關係", "Declared no conflict of interest"),
    "conflict": _w("聲明有利害關係", "Declared a conflict of interest"),
    "recommended_approve": _w("建議核准", "Approval recommended"),
    "recommended_reject": _w("建議退回", "Rejection recommended"),
    "returned": _w("退還審查", "Sent back to review"),
    "approved_first": _w("第一位核准人同意", "First of two approvals given"),
    "approved": _w("核准，會籍開始", "Approved; the membership began"),
    "rejected": _w("退回申請", "Rejected"),
    "withdrawn": _w("申請人撤回", "Withdrawn by the applicant"),
    "lengthened": _w("辦公日曆更新，期限延長", "Limit lengthened by a new calendar"),
    "notified": _w("通知取消意向，請會員陳述", "Notice of intent; the member is heard"),
    "stated": _w("會員提出陳述", "Statement of the member"),
    "stated_late": _w("會員提出陳述（逾期）", "Statement of the member (late)"),
    "arrived_opened": _w("會員開啟信函", "Letter opened by the member"),
    "arrived_post": _w("登記掛號送達", "Arrival by registered post entered"),
    "appeal_recommended": _w("再次審查，送交決定", "Reviewed again, sent for decision"),
    "opened": _w("開始取消審查", "Revocation review opened"),
    "proposed": _w("送交決定", "Sent for decision"),
    "revoked": _w("取消會籍", "Membership revoked"),
    "closed": _w("結案，維持會籍", "Closed; the membership stays"),
    "appealed": _w("提出申訴", "Appeal filed"),
    "appealed_late": _w("提出申訴（逾期）", "Appeal filed (late)"),
    "recovery_requested": _w("提出更換管理員", "New administrators asked for"),
    "recovery_recommended": _w("更換管理員送交決定", "Sent for decision"),
    "recovery_approved": _w("同意更換，開始等待期間", "Approved; the waiting time began"),
    "recovery_objected": _w("聯絡人提出異議", "A contact objected"),
    "recovery_refused": _w("不同意更換管理員", "Refused"),
    "recovery_lapsed": _w("會籍結束，案件失效", "Lapsed with the membership"),
    "recovery_done": _w("管理員已更換", "Administrators replaced"),
    "termination_requested": _w("會員申請終止", "Termination requested by the member"),
    "termination_recommended": _w("終止申請送交決定", "Request sent for decision"),
    "termination_granted": _w("同意終止，會籍結束", "Granted; the membership ended"),
    "termination_refused": _w("不同意終止，維持會籍", "Refused; the membership stays"),
    "termination_withdrawn": _w("會員撤回終止申請", "Request withdrawn by the member"),
    "termination_lapsed": _w("會籍已取消，終止申請失效", "Lapsed, as the membership was revoked"),
    "appeal_granted": _w("申訴成立，恢復會籍", "Appeal granted; membership restored"),
    "appeal_denied": _w("申訴不成立", "Appeal denied"),
    "change_filed": _w("提出異動", "Change filed"),
    "change_entered": _w("依來信輸入異動", "Change entered from a letter"),
    "change_confirmed": _w("信箱已確認", "Confirmed by mailbox"),
    "change_disowned": _w("信箱表示異動不對", "A mailbox said that this is wrong"),
    "change_recommended_approve": _w("建議套用", "Applying recommended"),
    "change_recommended_reject": _w("建議退回", "Rejection recommended"),
    "change_applied": _w("套用異動", "Change applied"),
    "change_rejected": _w("退回異動", "Change rejected"),
    "change_lapsed": _w("會籍已結束，異動申請失效", "Lapsed, as the membership ended"),
    "change_withdrawn": _w("會員撤回", "Withdrawn by the member"),
}
BECAUSE: Final = {
    "special": _w("特殊情況", "Special circumstances"),
    "explanation": _w("合理解釋", "A reasonable explanation"),
}
"""What the charter allows a membership to be restored for (1.4)."""

APPEAL_RECOMMENDED: Final = {
    "grant": _w("建議成立", "Recommends to grant"),
    "deny": _w("建議不成立", "Recommends to deny"),
}
HANDLING: Final = {
    "destroy": _w("銷毀", "Destroy"),
    "return": _w("返還", "Return"),
}
"""What becomes of the intelligence that a member received, once it leaves."""

TERMINATION_RECEIVED: Final = _w(
    "已收到貴組織終止會籍的申請。決定以前，權利與義務照常；決定以前都可以撤回。",
    "We received your request to end the membership. Rights and duties go on until the decision; until then you may "
    "take the request back.",
)
TERMINATION_RECOMMENDED: Final = {
    "grant": _w("建議同意", "Recommends to grant"),
    "refuse": _w("建議不同意", "Recommends to refuse"),
}

NO_FINDING: Final = _w("請至少選一列的結果。", "Choose the result of at least one row.")

GRANT_OR_DENY: Final = _w("請選擇申訴成立或不成立。", "Grant or deny the appeal.")

CHECK_ELIGIBILITY: Final = _w("資格", "Eligibility")
CHECK_UBN: Final = _w("統一編號", "Business number")
CHECK_SCREENING: Final = _w("陸資", "Mainland capital")
CHECK_ATTESTATION: Final = _w("切結", "Attestation")
CHECK_AUTHORITY: Final = _w("代表權限", "Authority")
ACT_SCREEN: Final = _w("記下檢核結果", "Record findings")
ACT_AUTHORITY: Final = _w("記下查證", "Record the check")

SEE_PROOF: Final = _w("看附件", "See the files")
SEE_ATTESTATION: Final = _w("看切結", "See the attestation")
AS_STATED: Final = _w("申請人填寫", "As stated")
BASIS_ELIGIBILITY: Final = _w(
    "{kind}（規章1.1），請核對附件與官方名單", "{kind} (Charter 1.1); compare proof and official list"
)
ELIGIBLE: Final = (_w("相符", "Right"), "good")
NOT_ELIGIBLE: Final = (_w("不符", "Not so"), "bad")
BASIS_LIST: Final = _w("{words}（{date}版）", "{words} (edition of {date})")
BASIS_ROWS: Final = _w("名冊{n}列，含申請組織（規章1.3）", "{n} rows, the applicant included (Charter 1.3)")
BASIS_AUTHORITY: Final = _w("誰有權代表組織切結", "Who may sign for the organisation")
ATTESTED: Final = (_w("有效", "Stands"), "good", _w("切結涵蓋的名冊與目前相同", "Covers the roster as it is"))
NOT_ATTESTED: Final = (_w("失效", "Void"), "bad", _w("名冊在切結之後有變動", "The roster changed afterwards"))
AUTHORITY_CHECKED: Final = (_w("已查證", "Checked"), "good")
AUTHORITY_NOT_CHECKED: Final = (_w("待查證", "Not yet"), "warn")
UBN_NONE: Final = (_w("沒有", "None"), "warn", _w("外國發行人，附原因", "Foreign issuer, with reason"))
UBN_TAKEN: Final = (_w("已有會籍", "Taken"), "bad", _w("{n}已有有效會籍", "{n} has a membership in force"))
UBN_RIGHT: Final = (_w("相符", "Right"), "good", _w("{n}，檢核碼相符", "{n}, check digit right"))

YOU_REVIEW: Final = _w("您是審查人。", "You are the reviewer.")
YOU_DECIDE: Final = _w("您可以決定這件案子。", "You may decide this case.")
YOU_READ: Final = _w("您可以看這件案子。", "You may read this case.")
SENTENCE_CLOSED: Final = (
    _w("本案已結。", "This case is closed."),
    _w("決定與信函在本頁。", "Decision and letter are on this page."),
)
SENTENCE_CONFLICT: Final = (
    _w("您已聲明有利害關係。", "You declared a conflict of interest."),
    _w("這一件您只能看，不能處理。", "You may read this case, not act in it."),
)
SENTENCE_DECLARE: Final = _w("請先聲明有無利害關係。", "Declare first whether you have a conflict of interest.")
SENTENCE_READY: Final = _w("可以進行下一步。", "You can take the next step.")
SENTENCE_WAITING: Final = _w("目前不需要您做任何事。", "Nothing is asked of you now.")

EFFECTS_OF_REJECTION: Final = (
    _w("申請人收到附理由的通知函（N4）。", "The applicant gets a letter with the reasons (N4)."),
    _w("情形改變後可以重新申請。", "It may apply again once this has changed."),
)
LOSSES: Final = {
    "people": _w("停止存取的人員", "People whose access ends"),
    "tokens": _w("失效的連線金鑰", "Connection keys that end"),
    "constituents": _w("一併停止的內部成員", "Constituents that lose access, too"),
}

NOTE_INTERNAL: Final = _w("內部註記", "Internal note")
NOTE_TO_APPLICANT: Final = _w("留言給申請人", "Message to the applicant")
NOTE_FROM_APPLICANT: Final = _w("申請人留言", "Message of the applicant")

KEY_EVENTS: Final = frozenset({
    "submitted", "correction_answered", "approved", "rejected", "revoked", "appealed", "appealed_late",
    "appeal_granted", "termination_requested", "termination_granted", "change_filed", "change_entered",
    "change_applied", "change_rejected", "change_disowned",
})  # fmt: skip


BASIS_LINE: Final = _w("另依據（規章6）：{basis}", "It rests further on (Charter 6): {basis}")
_NUMERALS = ("一", "二", "三", "四", "五", "六", "七", "八", "九", "十", "十一", "十二", "十三", "十四", "十五", "十六")


def with_basis(text: Bilingual, basis: str) -> Bilingual:
    """Return a text with what it rests on beside the clauses, for a decision that has no letter of a fixed form."""
    if not basis.strip():
        return text
    line = BASIS_LINE.format(basis=basis.strip())
    return Bilingual(zh=f"{text.zh}\n{line.zh}", en=f"{text.in_language('en')}\n{line.in_language('en')}")


def not_in_state(state: Bilingual) -> Bilingual:
    """Return that no decision is possible in this state."""
    return _w("目前狀態為「{state}」，不能決定。", "No decision while the state is “{state}”.").format(state=state)


def effects_of_approval(constituents: int) -> tuple[Bilingual, ...]:
    """Return what follows at the instant of an approval."""
    rows = _w(
        "{n}個內部成員同時登記，依檢核結果決定能否存取。", "{n} constituents are entered; screening decides on access."
    )
    return (
        _w("會籍在簽署的那一刻開始。", "The membership begins at the instant of the signature."),
        _w(
            "兩位管理員與資安聯絡窗口收到邀請與告知書（N5）。",
            "Administrators and contact get invitations with the notice (N5).",
        ),
        rows.format(n=constituents),
        _w("申請人收到核准通知函（N3）。", "The applicant gets the letter of approval (N3)."),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """What a letter of decision says besides its fixed words."""

    number: str
    organization: Bilingual
    clause: str
    reasons: Sequence[Bilingual]
    text: str
    decided_at: datetime
    appeal_last_day: date | None = None
    appeal_days: int = 0
    from_arrival: bool = False
    basis: str = ""
    """What the decision rests on beside the clauses (charter art. 6)."""

    def explained(self, *further: str) -> str:
        """Return the explanation of the letter in Chinese: reasons, the word of who decided, then fixed sentences."""
        listed = [reason.zh for reason in self.reasons] + [self.text.strip()] * bool(self.text.strip())
        if self.basis.strip():
            listed.append(BASIS_LINE.format(basis=self.basis.strip()).zh)
        return "\n".join(f"{_NUMERALS[place]}、{line}" for place, line in enumerate([*listed, *further]))

    def reasons_en(self) -> str:
        """Return reasons and word in English, a line each."""
        listed = [reason.in_language("en") for reason in self.reasons] + [self.text.strip()] * bool(self.text.strip())
        if self.basis.strip():
            listed.append(BASIS_LINE.format(basis=self.basis.strip()).in_language("en"))
        return "\n".join(f"- {line}" for line in listed)


def approval_letter(letter: Letter, *, charter_version: int) -> Bilingual:
    """Return the letter that tells of an approval (N3): duties, beginning, charter version."""
    explained = letter.explained(
        f"依規章{letter.clause}辦理。會籍自{show(letter.decided_at)}（臺北時間）生效。",
        f"貴組織適用規章第{charter_version}版。保密義務自生效時起算，會籍結束後仍然存續（規章3.3）。",
        "資料有異動時，請主動提出異動申請（規章2.4）。",
    )
    zh = f"""主旨：核准貴組織加入聯盟為團體會員，請查照。

受文者：{letter.organization.zh}
發文日期：{roc_date(letter.decided_at)}
發文字號：{letter.number}

說明：
{explained}"""
    en = f"""Subject: Your organisation is admitted as a group member of the alliance.

To: {letter.organization.in_language("en")}
Date: {show_date(letter.decided_at)}
Number: {letter.number}

{letter.reasons_en()}

The decision rests on clause {letter.clause} of the charter. The membership began at {show(letter.decided_at)} (Taipei).
Version {charter_version} of the charter applies. The duty of confidentiality begins with the membership and survives it
(clause 3.3). Please file a change whenever your data change (clause 2.4)."""
    return _w(zh, en)


def rejection_letter(letter: Letter) -> Bilingual:
    """Return the letter that tells of a rejection with its reasons (N4)."""
    zh = f"""主旨：貴組織申請加入聯盟一案，經審查未能核准，請查照。

受文者：{letter.organization.zh}
發文日期：{roc_date(letter.decided_at)}
發文字號：{letter.number}

說明：
{letter.explained(f"依規章{letter.clause}辦理。", "情形改變後可以重新申請。本案資料於保存期限後刪除。")}"""
    en = f"""Subject: Your application for membership could not be approved.

To: {letter.organization.in_language("en")}
Date: {show_date(letter.decided_at)}
Number: {letter.number}

{letter.reasons_en()}

The decision rests on clause {letter.clause} of the charter. You may apply again once this has changed. The data of this
case are erased after the period of retention."""
    return _w(zh, en)


def revocation_letter(letter: Letter) -> Bilingual:
    """Return the letter that tells of a revocation, with the right and the last day of appeal (N9)."""
    if letter.appeal_last_day is None:
        raise ValueError("a letter of revocation names the last day of appeal")
    last = letter.appeal_last_day
    explained = letter.explained(
        f"依規章{letter.clause}辦理，自{show(letter.decided_at)}（臺北時間）生效。會員區與系統連線自該時停止。",
        f"對本決定如有異議，得於{roc_date(last)}（含當日，臺北時間）前在離會專區提出申訴（規章1.4）。",
        *(
            [
                f"本函送達較晚時，期限自送達之次日起算{letter.appeal_days}天；於離會專區開啟本函，或掛號郵件送達，即為送達。"
            ]
            if letter.from_arrival
            else []
        ),
        "申訴由未參與原決定的人審查；申訴期間，取消仍有效。",
        "保密義務不因會籍取消而結束，也適用於已離職的人員（規章3.3）。請銷毀或返還所得情資並確認。",
    )
    later = ""
    if letter.from_arrival:
        later = (
            f" If this letter arrives later, {letter.appeal_days} days run from the day after its\n"
            "arrival: when it is opened on the exit page, or comes by registered post."
        )
    zh = f"""主旨：取消貴組織的團體會員資格，請查照。

受文者：{letter.organization.zh}
發文日期：{roc_date(letter.decided_at)}
發文字號：{letter.number}

說明：
{explained}"""
    en = f"""Subject: The membership of your organisation is revoked.

To: {letter.organization.in_language("en")}
Date: {show_date(letter.decided_at)}
Number: {letter.number}

{letter.reasons_en()}

The decision rests on clause {letter.clause} of the charter and took effect at {show(letter.decided_at)} (Taipei). The
members' area and system connections ended at that instant.
You may appeal until {show_date(last)} (that day included, Taipei time) on the exit page (clause 1.4).{later}
Somebody who took no part in this decision reviews the appeal; meanwhile the revocation stands.
The duty of confidentiality does not end with the membership and binds people who left, too (clause 3.3). Please destroy
or return the intelligence that you received, and confirm it."""
    return _w(zh, en)


def appeal_letter(letter: Letter, *, granted: bool) -> Bilingual:
    """Return the letter that tells of the decision on an appeal (N11)."""
    outcome = (
        _w(
            "申訴成立，恢復同一會籍。中斷期間的情資不會自動補發。",
            "The appeal is granted; the membership is restored.",
        )
        if granted
        else _w("申訴不成立，維持取消會籍的決定。", "The appeal is denied; the revocation stands.")
    )
    zh = f"""主旨：{outcome.zh}

受文者：{letter.organization.zh}
發文日期：{roc_date(letter.decided_at)}
發文字號：{letter.number}

說明：
{letter.explained(f"依規章{letter.clause}辦理。")}"""
    en = f"""Subject: {outcome.en}

To: {letter.organization.in_language("en")}
Date: {show_date(letter.decided_at)}
Number: {letter.number}

{letter.reasons_en()}

The decision rests on clause {letter.clause} of the charter."""
    return _w(zh, en)


def termination_letter(letter: Letter, *, granted: bool, handling: Bilingual) -> Bilingual:
    """Return the letter that tells of the decision on a request to end a membership (N13)."""
    if granted:
        subject = _w(
            "同意貴組織終止團體會員資格，請查照。", "The membership of your organisation has ended, as requested."
        )
        further: tuple[str, ...] = (
            f"依規章{letter.clause}辦理。會籍於{show(letter.decided_at)}（臺北時間）終止，會員區與系統連線自該時停止。",
            f"保密義務不因會籍終止而結束，也適用於已離職的人員（規章3.3）。所得情資請依貴組織的選擇{handling.zh}並確認。",
            "日後可以重新申請加入，新申請會與本次會籍連結。",
        )
        rest_en = f"""The decision rests on clause {letter.clause} of the charter. The membership ended at
{show(letter.decided_at)} (Taipei); the members' area and system connections ended at that instant.
The duty of confidentiality does not end with the membership and binds people who left, too (clause 3.3). What becomes
of the intelligence that you received, as you chose: {handling.in_language("en").lower()}. Please confirm it.
You may apply again later; the new application is linked to this membership."""
    else:
        subject = _w(
            "貴組織申請終止團體會員資格一案，未能同意，請查照。", "Your request to end the membership is refused."
        )
        further = (
            f"依規章{letter.clause}辦理。會籍繼續有效，權利與義務照常。",
            "情形改變後可以再次提出申請。",
        )
        rest_en = f"""The decision rests on clause {letter.clause} of the charter. The membership goes on with all
rights and duties. You may ask again once circumstances have changed."""
    zh = f"""主旨：{subject.zh}

受文者：{letter.organization.zh}
發文日期：{roc_date(letter.decided_at)}
發文字號：{letter.number}

說明：
{letter.explained(*further)}"""
    reasons = letter.reasons_en()
    en = f"""Subject: {subject.in_language("en")}

To: {letter.organization.in_language("en")}
Date: {show_date(letter.decided_at)}
Number: {letter.number}

{reasons + chr(10) * 2 if reasons else ""}{rest_en}"""
    return _w(zh, en)


def changed(classes: Sequence[Bilingual]) -> Bilingual:
    """Return what a change was about, as the first line of its letter."""
    return _w(
        "異動項目：" + "、".join(one.zh for one in classes),
        "Changed: " + ", ".join(one.in_language("en") for one in classes),
    )


def change_letter(letter: Letter, *, case: str, applied: bool) -> Bilingual:
    """Return the letter that tells of the decision on a change of data (N6)."""
    outcome = (
        _w("貴組織的異動已經套用，請查照。", "The change of your organisation's data was applied.")
        if applied
        else _w("貴組織的異動未能套用，請查照。", "The change of your organisation's data was not applied.")
    )
    last = (
        f"異動自{show(letter.decided_at)}（臺北時間）生效；先前的資料保留作為證明。"
        if applied
        else "情形改變後可以重新提出異動。登記的資料維持不變。"
    )
    zh = f"""主旨：{outcome.zh}

受文者：{letter.organization.zh}
發文日期：{roc_date(letter.decided_at)}
發文字號：{letter.number}

說明：
{letter.explained(f"依規章{letter.clause}辦理，案件編號{case}。", last)}"""
    effect = (
        f"It took effect at {show(letter.decided_at)} (Taipei); the former data are kept as evidence."
        if applied
        else "You may file another change once this has changed. The data on record stay as they are."
    )
    en = f"""Subject: {outcome.en}

To: {letter.organization.in_language("en")}
Date: {show_date(letter.decided_at)}
Number: {letter.number}

{letter.reasons_en()}

The decision rests on clause {letter.clause} of the charter, case {case}. {effect}"""
    return _w(zh, en)
