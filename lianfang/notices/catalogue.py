"""Every notice that leaves the platform: its number in the catalogue, subject, and what its text needs to be told.

The texts lie in `templates/notices/<id>.zh.txt` and `.en.txt`, here or in the app that sends: Django templates of plain
text, from which the HTML part of the mail is made. A subject carries no content, no name and no label: it is shown on
lock screens.

Adding a notice: a line here, two templates, and `tests/notices/test_catalogue.py` renders it.
"""

from __future__ import annotations

from dataclasses import dataclass

from lianfang.kernel.text import Bilingual


@dataclass(frozen=True, slots=True)
class Notice:
    """One kind of mail. `needs` are the names its texts use and the sender must give; others are ignored.

    A value may be text, a number, an aware datetime (shown as Taipei time), a `Bilingual`, or a list of these; a pair
    of names ending in `_zh` and `_en` is one value in two languages and stands in `needs` without the ending.
    """

    id: str
    subject: Bilingual
    needs: frozenset[str]
    clause: str = ""


def _notice(id: str, zh: str, en: str, *needs: str, clause: str = "") -> Notice:
    return Notice(id=id, subject=Bilingual(zh=zh, en=en), needs=frozenset(needs), clause=clause)


NOTICES: dict[str, Notice] = {
    notice.id: notice
    for notice in [
        _notice("N1", "已收到入會申請", "Application received", "number", "organization", "link", clause="1.1"),
        _notice("N2", "入會申請待補正", "Application: corrections needed", "number", "organization", "items", "link"),
        _notice(
            "N3", "入會申請核准通知", "Application approved",
            "number", "organization", "effective_at", "charter_version", "letter", "link", clause="1.1",
        ),
        _notice(
            "N4", "入會申請審查結果", "Result of the application",
            "number", "organization", "letter", clause="1.1",
        ),
        _notice("N5", "個人資料告知事項", "How we handle your personal data", "organization", clause="5.1"),
        _notice(
            "N6", "異動申請審查結果", "Result of the change",
            "number", "organization", "letter", "link", clause="2.4",
        ),
        _notice(
            "N8", "擬取消會籍，請陳述意見", "Intent to revoke: you may answer",
            "number", "organization", "ground", "text", "last_day", "link", clause="1.4",
        ),
        _notice(
            "N9", "會籍取消通知", "Membership revoked",
            "number", "organization", "effective_at", "letter", "appeal_last_day", "link", clause="1.4",
        ),
        _notice("N10", "已收到申訴", "Appeal received", "number", "organization", "received_at", "late", clause="1.4"),
        _notice(
            "N11", "申訴決定通知", "Decision on the appeal",
            "number", "organization", "letter", "link", clause="1.4",
        ),
        _notice(
            "N13", "會籍終止申請通知", "Request to end the membership",
            "number", "organization", "letter", "link", clause="2.5",
        ),
        _notice(
            "N14", "離會後仍須遵守的義務", "Duties that remain",
            "organization", "effective_at", "link", clause="3.3",
        ),
        _notice(
            "N15", "規章修訂公告", "A document of the alliance is amended",
            "organization", "document", "version", "effective_at", "summary", "link", "compare", clause="4.1",
        ),
        _notice(
            "N21", "請確認您的聯絡資料", "Please confirm your contact data",
            "items", "link", "expires_at", clause="2.4",
        ),
        _notice("account_changed", "您的帳號有變更", "Your account was changed", "what", "at"),
        _notice(
            "change_confirm", "請確認一項異動", "Confirm a change",
            "number", "organization", "link", "expires_at", clause="2.4",
        ),
        _notice(
            "change_filed", "已收到異動申請", "Change received",
            "number", "organization", "what", "link", clause="2.4",
        ),
        _notice("email_proof", "請確認電子郵件地址", "Confirm your e-mail address", "link", "expires_at"),
        _notice("invitation", "邀請您使用聯防平台", "Invitation to Lianfang", "organization", "link", "expires_at"),
        _notice(
            "lost_factor", "請確認您遺失了第二道驗證", "Confirm the loss of your second factor",
            "link", "expires_at",
        ),
        _notice("password_reset", "重設密碼", "Reset your password", "link"),
        _notice(
            "provider_changed", "貴組織的單一登入設定已變更", "Single sign-on of your organisation was changed",
            "what", "at", "link", clause="2.3",
        ),
        _notice("recall", "一則情資已由來源召回", "An item was recalled", "recalled_at", "link", clause="2.3"),
        _notice(
            "recovery", "將更換管理員，可以提出異議", "New administrators: you may object",
            "number", "organization", "until", "link", clause="2.4",
        ),
        _notice(
            "recovery_result", "更換管理員的結果", "Result about new administrators",
            "number", "organization", "what", clause="2.4",
        ),
        _notice("reenrol", "請重新設定登入方式", "Set up your sign-in again", "organization", "link", "expires_at"),
        _notice("security_hold", "安全保全通知", "A security hold", "what", "at", "link", clause="2.3"),
        _notice(
            "security_hold_ended", "安全保全已解除", "A security hold was lifted",
            "what", "at", "link", clause="2.3",
        ),
        _notice("sign_in_address", "貴組織的登入網址", "Where your organisation signs in", "link"),
        _notice("stop_ended", "恢復揭露通知", "Disclosure resumed", "ended_at", clause="2.3"),
        _notice("stop_started", "停止揭露通知", "Disclosure stopped", "started_at", clause="2.3"),
        _notice(
            "stop_unconfirmed", "停止揭露尚待第二人確認", "A stop of disclosure awaits its second person",
            "started_at", "link", clause="2.3",
        ),
        _notice(
            "tightened", "貴組織一則情資的標示已改嚴", "An item of yours has a stricter label",
            "at", "link", clause="2.1",
        ),
        _notice(
            "token_expiry", "連線金鑰即將到期", "A connection key is about to expire",
            "token", "expires_at", "link",
        ),
    ]
}  # fmt: skip
"""Id -> notice. Numbers are those of the alliance's catalogue of notices; others are named by what they are."""

FIRST_CONTACT = "N5"
"""The notice that must reach a person entered by somebody else before any other mail (PDPA article 9)."""
