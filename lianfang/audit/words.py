"""What kinds of things entries are about, in words. Types are texts: this app does not know the apps above it."""

from __future__ import annotations

from lianfang.kernel.text import Bilingual


def _kind(zh: str, en: str) -> Bilingual:
    return Bilingual(zh=zh, en=en)


KINDS: dict[str, Bilingual] = {
    "accounts.account": _kind("帳號", "Account"),
    "accounts.affiliation": _kind("人員所屬", "Affiliation"),
    "accounts.dutygrant": _kind("職務", "Duty"),
    "accounts.emergencyaccess": _kind("緊急登入", "Emergency access"),
    "accounts.factorreset": _kind("第二道驗證重設", "Reset of a second factor"),
    "accounts.identityprovider": _kind("身分提供者", "Identity provider"),
    "accounts.invitation": _kind("邀請", "Invitation"),
    "accounts.organization": _kind("組織", "Organisation"),
    "accounts.person": _kind("人員", "Person"),
    "accounts.providerlink": _kind("身分連結", "Link of an identity"),
    "accounts.securityhold": _kind("資安保全", "Security hold"),
    "accounts.settingdecision": _kind("設定", "Setting"),
    "accounts.token": _kind("連線金鑰", "Connection key"),
    "audit.receipts": _kind("收件紀錄", "Receipts"),
    "audit.verification": _kind("驗證", "Verification"),
    "charter.acceptance": _kind("規章接受紀錄", "Acceptance of the charter"),
    "charter.confidentialityduty": _kind("保密義務", "Duty of confidentiality"),
    "charter.document": _kind("文件", "Document"),
    "charter.documentversion": _kind("文件版本", "Document version"),
    "exchange.writeprofile": _kind("寫入設定", "Write profile"),
    "intel.draft": _kind("提交草稿", "Draft of a submission"),
    "intel.embargo": _kind("延後公開", "Embargo"),
    "intel.item": _kind("情資", "Item"),
    "intel.recall": _kind("召回", "Recall"),
    "intel.relay": _kind("轉送", "Relay"),
    "intel.stop": _kind("停止揭露", "Stop of disclosure"),
    "intel.submission": _kind("提交", "Submission"),
    "intel.version": _kind("情資版本", "Version of an item"),
    "mailroom.mail": _kind("來信", "Mail that came in"),
    "members.appeal": _kind("申訴", "Appeal"),
    "members.application": _kind("申請", "Application"),
    "members.calendaredition": _kind("行事曆版次", "Edition of the calendar"),
    "members.case": _kind("案件", "Case"),
    "members.changerequest": _kind("異動申請", "Change request"),
    "members.constituent": _kind("內部成員", "Constituent"),
    "members.contactcheck": _kind("聯絡資料確認", "Check of contact data"),
    "members.feedlink": _kind("期限日曆連結", "Link to the calendar of limits"),
    "members.legalhold": _kind("案件保全", "Legal hold"),
    "members.listcase": _kind("名單案件", "Case of an official list"),
    "members.listedition": _kind("官方名單版次", "Edition of an official list"),
    "members.membership": _kind("會籍", "Membership"),
    "members.ownershipstatement": _kind("持股聲明", "Statement of holdings"),
    "members.participationfact": _kind("參與紀錄", "Fact of participation"),
    "members.participationimport": _kind("參與紀錄檔案", "File of facts of participation"),
    "members.participationobjection": _kind("參與紀錄異議", "Objection to a fact of participation"),
    "members.participationsnapshot": _kind("審查所附參與紀錄", "Record of participation attached to a review"),
    "members.procedure": _kind("作業程序", "Procedure"),
    "members.proceduredraft": _kind("作業程序草稿", "Draft of the procedure"),
    "members.recovery": _kind("更換管理員案", "Recovery"),
    "members.relayrule": _kind("轉送規則", "Rule of relay"),
    "members.revocation": _kind("取消會籍案", "Revocation"),
    "members.rosterdraft": _kind("名冊匯入檔", "Roster file"),
    "members.screeningrun": _kind("名單檢核", "Screening"),
    "members.statement": _kind("陳述", "Statement"),
    "members.termination": _kind("終止會籍案", "Termination"),
    "outbox.delivery": _kind("信件", "Mail"),
    "vault.master": _kind("主金鑰", "Master key"),
    "vault.storedfile": _kind("檔案", "File"),
    "vault.subjectkey": _kind("個人資料金鑰", "Key of a person's data"),
}
"""Type of row -> what people call it. A type that is missing here is shown as it stands in the entry."""
