"""The operator's settings: each with meaning, default and clause, and what was decided since.

`value(name, at)` answers for any instant, past ones too; a default is never a constant in the code that uses it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from lianfang.accounts.models import SettingDecision
from lianfang.kernel.clock import require_aware
from lianfang.kernel.refusal import Refusal
from lianfang.kernel.text import Bilingual

JSON = Any


@dataclass(frozen=True, slots=True)
class Type:
    """What a setting's value may be. `parse` reads what a person typed and raises ValueError; `show` writes it back."""

    name: str
    hint: Bilingual
    parse: Callable[[str], JSON]
    show: Callable[[JSON], str]
    words: Mapping[str, Bilingual] = field(default_factory=dict)
    """How a value that is a code reads to people."""

    def say(self, value: JSON) -> Bilingual:
        """Return a value in words."""
        shown = self.show(value)
        if isinstance(value, dict):
            return Bilingual(**value)
        return self.words.get(shown) or Bilingual(zh=shown or "－", en=shown or "–")


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting. `clause` is the clause of the charter, the law or the rule that leaves it open."""

    name: str
    default: JSON
    clause: str
    meaning: Bilingual
    type: Type
    read: bool = True
    """Whether the product looks at it. What it does not look at yet stays at its default: changing it would change
    nothing, and say that it did."""

    def parse(self, raw: str) -> JSON:
        """Return the value for what was typed; raises Refusal naming the field `value`."""
        try:
            return self.type.parse(raw.strip())
        except (ValueError, TypeError, KeyError):
            raise self._refusal() from None

    def checked(self, value: JSON) -> JSON:
        """Return a value in the form in which it is kept; raises Refusal naming the field `value`."""
        try:
            shown = self.type.show(value)
        except (ValueError, TypeError, KeyError):
            raise self._refusal() from None
        return self.parse(shown)

    def _refusal(self) -> Refusal:
        return Refusal(self.type.hint, rule="setting-value", field="value")


def whole(least: int, most: int) -> Type:
    """A whole number from `least` to `most`."""

    def parse(raw: str) -> int:
        number = int(raw)
        if not least <= number <= most:
            raise ValueError(raw)
        return number

    hint = Bilingual(zh="請寫{least}到{most}的整數。", en="A whole number from {least} to {most}.")
    return Type("whole", hint.format(least=least, most=most), parse, str)


def numbers(least: int, most: int) -> Type:
    """Several whole numbers, descending, separated by commas."""
    one = whole(least, most)

    def parse(raw: str) -> list[int]:
        found = sorted({one.parse(part) for part in raw.split(",") if part.strip()}, reverse=True)
        if not found:
            raise ValueError(raw)
        return found

    hint = Bilingual(
        zh="請寫{least}到{most}的整數，以逗號分隔。", en="Whole numbers from {least} to {most}, comma-separated."
    )
    return Type("numbers", hint.format(least=least, most=most), parse, lambda value: ", ".join(map(str, value)))


def choice(*options: str, words: Mapping[str, Bilingual] | None = None) -> Type:
    """One of a closed list; `words` says what the codes mean."""

    def parse(raw: str) -> str:
        if raw not in options:
            raise ValueError(raw)
        return raw

    hint = Bilingual(zh=f"請寫其中之一：{'、'.join(options)}。", en=f"One of: {', '.join(options)}.")
    return Type("choice", hint, parse, str, words or {})


def choices(*options: str) -> Type:
    """Any of a closed list, also none, separated by commas."""

    def parse(raw: str) -> list[str]:
        found = [part.strip() for part in raw.split(",") if part.strip()]
        if not set(found) <= set(options):
            raise ValueError(raw)
        return [option for option in options if option in found]

    hint = Bilingual(zh=f"以逗號分隔：{'、'.join(options)}。", en=f"Comma-separated, of: {', '.join(options)}.")
    return Type("choices", hint, parse, ", ".join)


def _yes_no(raw: str) -> bool:
    return {"yes": True, "no": False}[raw.lower()]


YES_NO = Type(
    "yes-no",
    Bilingual(zh="請寫yes（是）或no（否）。", en="Write yes or no."),
    _yes_no,
    lambda value: "yes" if value else "no",
    {"yes": Bilingual(zh="是", en="Yes"), "no": Bilingual(zh="否", en="No")},
)


def _two_lines(raw: str) -> dict[str, str]:
    zh, _, en = raw.replace("\r\n", "\n").partition("\n")
    if not zh.strip() or not en.strip() or len(raw) > 2000:
        raise ValueError(raw)
    return {"zh": zh.strip(), "en": " ".join(en.split())}


TEXT = Type(
    "text",
    Bilingual(
        zh="第一行寫中文，第二行寫英文，合計2,000字以內。",
        en="Chinese on the first line, English on the second, 2,000 characters at most.",
    ),
    _two_lines,
    lambda value: f"{value['zh']}\n{value['en']}",
)


def _s(name: str, default: JSON, clause: str, type_: Type, zh: str, en: str, *, read: bool = True) -> Setting:
    return Setting(name, default, clause, Bilingual(zh=zh, en=en), type_, read)


_STARTS = {
    "effect": Bilingual(zh="生效時", en="The effect"),
    "later_of_effect_and_delivery": Bilingual(zh="生效與送達較晚者", en="The later of effect and delivery"),
}
_RELEASE = {"withheld": Bilingual(zh="保留不給", en="Withheld")}
_SETTINGS = [
    _s("acknowledge_again_after_amendment", False, "3.1", YES_NO,
       "規章修訂後，是否要重新確認保密義務才能閱讀",
       "Whether an amended charter must be acknowledged again before reading"),
    _s("appeal_days", 30, "1.4", whole(30, 365),
       "取消會籍後可以申訴的天數", "Days for an appeal after a revocation"),
    _s("appeal_start", "later_of_effect_and_delivery", "1.4", choice(*_STARTS, words=_STARTS),
       "申訴期限從生效時，或從生效與送達兩者較晚時起算",
       "Whether the time for an appeal runs from the effect, or from the later of effect and delivery"),
    _s("appeal_for_all_grounds", True, "1.4", YES_NO,
       "依規章2.3、5.3取消會籍時，是否也可以申訴", "Whether an appeal lies against revocation under 2.3 and 5.3 too"),
    _s("audience_floor", 5, "2.2", whole(2, 100),
       "少於這個數目的對象只顯示「少數會員」", "Audiences smaller than this are shown as “a few members” only"),
    _s("automatic_relay", ["CLEAR", "GREEN"], "TLP 2.0", choices("CLEAR", "GREEN"),
       "不必另訂規則就轉送內部成員的等級", "Classes relayed to constituents without a rule of the group's own"),
    _s("change_confirm_days", 14, "2.4", whole(1, 60),
       "更換管理員時，確認連結有效的天數",
       "Days for which the link works by which a mailbox confirms a change of administrators"),
    _s("collecting_entity", {"zh": "（由營運單位填寫：依法蒐集個人資料的機關或法人全名）",
                             "en": "(to be filled in by the operator: full name of the legal entity that collects)"},
       "5.1", TEXT, "個人資料的蒐集機關（個資法第8條）", "Who collects personal data (PDPA art. 8)"),
    _s("contact_answer_days", 14, "2.4", whole(3, 90),
       "聯絡人回覆資料是否正確的天數，過半時提醒一次",
       "Days that a contact has to answer whether its data are right; half-way it is reminded once"),
    _s("contact_check_days", 180, "2.4", whole(30, 730),
       "多久請聯絡人確認一次資料", "Days after which a contact is asked again whether its data are right"),
    _s("default_tlp", "AMBER+STRICT", "3.1", choice("GREEN", "AMBER", "AMBER+STRICT", "RED"),
       "物件與表單都沒有標示時套用的標示", "Label where neither the object nor the form gives one", read=False),
    _s("company_alone", True, "1.1", YES_NO,
       "單一上市、上櫃公司是否可以申請（規章文字不明，也可解為由數家公司組成）",
       "Whether a single listed company may apply (the charter is unclear; it may mean a group of companies)"),
    _s("draft_days", 30, "1.3", whole(7, 365),
       "申請草稿保留的天數", "Days an application's draft is kept"),
    _s("eligible_associations", ["occupational", "social", "political"], "1.1",
       choices("occupational", "social", "political", "foundation"),
       "可以申請的人民團體種類：職業、社會、政治團體（人民團體法第4條），財團法人不在其中",
       "Classes of civil associations admitted (Civil Associations Act art. 4); a foundation is none of them"),
    _s("eligible_kinds", ["twse", "tpex", "association"], "1.1", choices("twse", "tpex", "association"),
       "可以核准的組織類別", "Kinds of organisation that may be approved"),
    _s("encrypted_mail", False, "TLP 2.0", YES_NO,
       "AMBER是否可以用收件人的金鑰加密寄送全文", "Whether AMBER may be mailed in full, encrypted to the person's key"),
    _s("former_may_recall", True, "2.2", YES_NO,
       "離會的來源是否仍可召回自己的情資", "Whether a source that left may still recall its items"),
    _s("gap_between_memberships", True, "1.4", YES_NO,
       "會籍終止到重新入會之間，是否也算中斷期間",
       "Whether the time between two memberships of one organisation is a gap too"),
    _s("gap_release", "withheld", "1.4", choice(*_RELEASE, words=_RELEASE),
       "會籍中斷期間分享的情資，恢復後由分析人員逐筆釋出",
       "What was shared during a gap stays withheld until an analyst releases it", read=False),
    _s("hearing_days", 14, "1.4", whole(7, 90),
       "取消前，會員提出陳述或改正資料的天數",
       "Days a member has for a statement, or for a correction, before a revocation"),
    _s("inbound_case_day", 30, "5.2", whole(1, 1000),
       "一天內，以案件的回信地址自動歸入同一案件的來信上限；超過的由人工分派",
       "Most mails a day that the address of a case lays to it by itself; people sort what is beyond"),
    _s("inbound_rejected_days", 30, "5.1", whole(1, 365),
       "不受理的來信，內容保留幾天後銷毀", "Days after which the content of rejected mails is destroyed"),
    _s("invitation_days", 7, "2.3", whole(1, 30),
       "邀請連結的有效天數", "Days an invitation works"),
    _s("monthly_audience_figure", 0, "2.2", whole(0, 100_000),
       "每月公布一次的團體會員數，供預覽對象使用；0表示還沒有公布",
       "Number of group members as published once a month, used in previews; 0 = none published yet",
       read=False),
    _s("new_member_sees_earlier", True, "2.1", YES_NO,
       "新會員是否看得到入會前已分享、目前仍有效的情資",
       "Whether a new member sees earlier items that are in force now", read=False),
    _s("participation_absences", 3, "1.4", whole(0, 100),
       "期間內受邀而未參與達幾次，會員就列入待檢視（0：不列）；只列出，不會自動處分",
       "From how many recorded absences within the period on a member is listed to be looked at (0: never); "
       "nothing else follows"),
    _s("participation_least", 1, "1.4", whole(0, 100),
       "期間內有紀錄、但參與少於幾次的會員列入待檢視（0：不列）；沒有紀錄的不列",
       "A member with a record that took part fewer times than this within the period is listed (0: never); "
       "one without a record is not"),
    _s("participation_months", 12, "1.4", whole(1, 60),
       "參與紀錄看最近幾個月", "How many months back a record of participation is looked at"),
    _s("provider_factor", False, "2.3", YES_NO,
       "會員的身分提供者說已驗過第二道時，是否採信；不論採信與否，簽署決定都要用本站的第二道驗證",
       "Whether a member's identity provider is believed that it asked for a second factor; decisions are signed with "
       "the one kept here either way"),
    _s("recipients", {"zh": "聯盟協調中心、團體會員（僅限聯繫所需）、中央政府資安主管機關及其指定單位、"
                            "依法得調閱的機關",
                      "en": "the coordination centre; group members where contact requires it; the central cyber "
                            "security authority and the unit it designates; bodies entitled by law"},
       "5.1-1.3", TEXT, "個人資料利用的對象（個資法第8條）", "Recipients of personal data (PDPA art. 8)"),
    _s("rereview_days", 30, "1.4", whole(7, 180),
       "收到申訴後，再次審查的天數", "Days for the re-review after an appeal was received"),
    _s("revocation_hearing", True, "1.4", YES_NO,
       "取消會籍前，是否先通知會員並聽取陳述（依規章5.3取消時一律先給改正的機會）",
       "Whether a member is told of the intent and heard before a revocation (under 5.3 it always may correct first)"),
    _s("rescreen_days", 30, "1.3", whole(1, 365),
       "沒有新版名單時，每隔幾天重新比對在籍會員的名冊",
       "After how many days members' rosters are compared again without a new edition"),
    _s("recovery_wait_days", 7, "2.4", whole(1, 60),
       "管理員都不在時，同意更換後等待異議的天數",
       "Days in which contacts may object before administrators are replaced"),
    _s("screening_list_max_age_days", 90, "1.3", whole(1, 365),
       "核准時，比對所用名單最多可以是幾天前的版次",
       "How old a list used for screening may be when an application is approved"),
    _s("screening_unrelated_hits", 2, "1.3", whole(0, 20),
       "名稱自有的部分只換了一個字時，容許每百個無關的名稱有幾個被列為相符；越大找到越多，也越多無關的相符",
       "Of a hundred unrelated names, how many may count as a match because one character of their own part differs; "
       "a larger number finds more slips, and more names that are unrelated"),
    _s("staff_tokens", False, "2.3", YES_NO,
       "協調中心人員是否可以使用金鑰", "Whether the coordinator's people may use tokens"),
    _s("stop_confirm_minutes", 60, "2.3", whole(5, 240),
       "停止揭露要在幾分鐘內由第二人確認", "Minutes within which a second person confirms a stop of disclosure"),
    _s("token_max_days", 365, "2.3", whole(1, 730),
       "金鑰最長的有效天數", "Longest life of a token, in days"),
    _s("token_warning_days", [14, 3], "2.3", numbers(1, 90),
       "金鑰到期前幾天寄提醒", "Days before its end at which a token's owner is reminded"),
]  # fmt: skip

SETTINGS: dict[str, Setting] = {setting.name: setting for setting in _SETTINGS}


def setting(name: str) -> Setting:
    """Return the setting of that name; raises KeyError for one that does not exist."""
    return SETTINGS[name]


def value(name: str, at: datetime) -> JSON:
    """Return what the setting was at that instant: the last approved value then in effect, else the default.

    Raises KeyError for an unknown name, ValueError for a naive instant.
    """
    known = SETTINGS[name]
    decided = (
        SettingDecision.objects.filter(name=name, state="approved", effective_at__lte=require_aware(at))
        .order_by("-effective_at", "-decided_at")
        .values_list("value", flat=True)
        .first()
    )
    return known.default if decided is None else decided


def bilingual(name: str, at: datetime) -> Bilingual:
    """Return a text setting in both languages."""
    return Bilingual(**value(name, at))


def same(left: JSON, right: JSON) -> bool:
    """Return whether two values are the same setting."""
    return json.dumps(left, sort_keys=True) == json.dumps(right, sort_keys=True)
