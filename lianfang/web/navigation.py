"""The navigation of each plane, as data.

An item whose page does not exist, or whose door would not let the reader in, is simply absent; who may enter is said
once, at the door of the view.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from lianfang.kernel.text import Bilingual
from lianfang.policy.facts import Duty


@dataclass(frozen=True, slots=True)
class Item:
    """One item: URL name of its page, words, icon, what a number beside it counts, and what else lies under it."""

    name: str
    words: Bilingual
    icon: str = ""
    count_words: Bilingual | None = None
    under: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Section:
    """A titled group of items."""

    words: Bilingual
    items: tuple[Item, ...]


def _words(zh: str, en: str) -> Bilingual:
    return Bilingual(zh=zh, en=en)


_NOTHING: Final = _words("聯防", "Lianfang")

NAVIGATION: Final[dict[str, tuple[Section, ...]]] = {
    "public": (
        Section(
            _NOTHING,
            (
                Item("about", _words("關於聯盟", "About")),
                Item("charter", _words("規章", "Charter")),
                Item("apply", _words("申請入會", "Apply")),
                Item("warnings", _words("公開預警", "Warnings")),
                Item("policy", _words("揭露規則", "Disclosure rules")),
                Item("privacy_notice", _words("個人資料", "Your data")),
            ),
        ),
    ),
    "foot": (
        Section(
            _NOTHING,
            (
                Item("verify", _words("查驗信函與聲明", "Verify a letter")),
                Item("policy", _words("揭露規則全文", "Disclosure rules")),
                Item("developers", _words("給開發者", "Developers")),
            ),
        ),
        Section(
            _NOTHING,
            (
                Item("privacy_notice", _words("個人資料與您的權利", "Your data and rights")),
                Item("report", _words("通報網站弱點", "Report a weakness")),
                Item("sitemap", _words("網站導覽", "Site map")),
                Item("help", _words("求助", "Help")),
            ),
        ),
    ),
    "member": (
        Section(
            _NOTHING,
            (
                Item("overview", _words("總覽", "Overview")),
                Item("intel", _words("情資", "Intelligence")),
                Item("submit", _words("提交情資", "Submit"), under=("/member/submissions", "/member/check")),
                Item(
                    "consent",
                    _words("徵詢與揭露", "Consent & disclosure"),
                    count_words=_words("件待回覆", " to answer"),
                ),
                Item("connections", _words("系統連線", "Connections")),
                Item("people", _words("本組織", "Organisation"), under=("/member/organisation",)),
            ),
        ),
    ),
    "organisation": (
        Section(
            _words("本組織", "Organisation"),
            (
                Item("people", _words("人員", "People")),
                Item("roster", _words("名冊", "Roster")),
                Item(
                    "changes_filed",
                    _words("異動", "Changes"),
                    under=("/member/organisation/change", "/member/organisation/history"),
                ),
                Item("leave_alliance", _words("終止會籍", "End the membership")),
            ),
        ),
    ),
    "staff": (
        Section(
            _words("每日", "Daily"),
            (
                Item("inbox", _words("收件匣", "Inbox"), "inbox"),
                Item("mailroom", _words("來信", "Mail"), "inbox", count_words=_words("封待分派", " to sort")),
                Item("staff_search", _words("搜尋", "Search"), "search"),
            ),
        ),
        Section(
            _words("會籍", "Membership"),
            (
                Item("applications", _words("申請", "Applications"), "file-earmark-text", under=("/staff/cases",)),
                Item("changes", _words("異動與名冊", "Changes and rosters"), "arrow-left-right"),
                Item(
                    "revocations",
                    _words("取消與申訴", "Revocation and appeal"),
                    "slash-circle",
                    under=("/staff/appeals",),
                ),
                Item("terminations", _words("終止", "Terminations"), "arrow-right"),
                Item("deadlines", _words("期限", "Deadlines"), "clock", under=("/staff/holds",)),
                Item("contacts", _words("聯絡資料", "Contact data"), "chat-square-text", under=("/staff/recoveries",)),
                Item("participation", _words("參與紀錄", "Participation"), "list-check"),
                Item("member_directory", _words("會員名錄", "Members"), "buildings"),
            ),
        ),
        Section(
            _words("情資與揭露", "Intelligence and disclosure"),
            (
                Item("staff_intel", _words("情資", "Intelligence"), "diagram-3"),
                Item("quarantine", _words("隔離區", "Quarantine"), "shield-exclamation"),
                Item("staff_check", _words("檢查STIX", "Check STIX"), "list-check"),
                Item("consent_requests", _words("徵詢與移交", "Consent and release"), "chat-square-text"),
                Item("staff_warnings", _words("預警發布", "Warnings"), "megaphone"),
                Item("stop", _words("停止揭露", "Stop of disclosure"), "slash-circle"),
            ),
        ),
        Section(
            _words("規章與紀錄", "Charter and records"),
            (
                Item("staff_charter", _words("規章與信函", "Charter and letters"), "journal-text"),
                Item("lists", _words("名單版次", "List editions"), "layout-split"),
                Item("procedures", _words("作業程序", "Procedures"), "list-check"),
                Item("audit", _words("稽核", "Audit"), "list-check"),
            ),
        ),
        Section(
            _words("系統", "System"),
            (
                Item("duties", _words("職務", "Duties"), "person"),
                Item("security_holds", _words("安全保全", "Security holds"), "shield-lock", under=("/staff/sign-on",)),
                Item("settings", _words("設定", "Settings"), "gear"),
            ),
        ),
    ),
}

STAFF_WORDS: Final[dict[Duty, Bilingual]] = {
    Duty.REVIEWER: _words("審查人", "Reviewer"),
    Duty.APPROVER: _words("核准人", "Approver"),
    Duty.ANALYST: _words("分析員", "Analyst"),
    Duty.PUBLISHER: _words("發布人", "Publisher"),
    Duty.PRIVACY_OFFICER: _words("個資窗口", "Privacy officer"),
    Duty.LEGAL: _words("法務", "Legal"),
    Duty.AUDITOR: _words("稽核員", "Auditor"),
    Duty.OPERATOR: _words("系統管理", "Operator"),
    Duty.DUTY_GRANTER: _words("職務核派", "Duty granter"),
}
