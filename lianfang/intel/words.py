"""What intelligence is called: types, properties, verbs, outcomes and findings, in both languages."""

from __future__ import annotations

from lianfang.kernel.text import Bilingual


def _say(zh: str, en: str) -> Bilingual:
    return Bilingual(zh=zh, en=en)


TYPES: dict[str, Bilingual] = {
    "artifact": _say("檔案樣本", "Artifact"),
    "attack-pattern": _say("攻擊手法", "Attack pattern"),
    "autonomous-system": _say("自治系統", "Autonomous system"),
    "campaign": _say("攻擊活動", "Campaign"),
    "course-of-action": _say("應變作法", "Course of action"),
    "directory": _say("目錄", "Directory"),
    "domain-name": _say("網域名稱", "Domain name"),
    "email-addr": _say("電子郵件地址", "E-mail address"),
    "email-message": _say("電子郵件", "E-mail message"),
    "extension-definition": _say("擴充定義", "Extension definition"),
    "file": _say("檔案", "File"),
    "grouping": _say("彙整", "Grouping"),
    "identity": _say("身分", "Identity"),
    "incident": _say("事件", "Incident"),
    "indicator": _say("指標", "Indicator"),
    "infrastructure": _say("基礎設施", "Infrastructure"),
    "intrusion-set": _say("入侵集合", "Intrusion set"),
    "ipv4-addr": _say("IPv4位址", "IPv4 address"),
    "ipv6-addr": _say("IPv6位址", "IPv6 address"),
    "language-content": _say("翻譯內容", "Language content"),
    "location": _say("地點", "Location"),
    "mac-addr": _say("MAC位址", "MAC address"),
    "malware": _say("惡意程式", "Malware"),
    "malware-analysis": _say("惡意程式分析", "Malware analysis"),
    "marking-definition": _say("標示定義", "Marking definition"),
    "mutex": _say("互斥鎖", "Mutex"),
    "network-traffic": _say("網路流量", "Network traffic"),
    "note": _say("註記", "Note"),
    "observed-data": _say("觀測資料", "Observed data"),
    "opinion": _say("意見", "Opinion"),
    "process": _say("程序", "Process"),
    "relationship": _say("關聯", "Relationship"),
    "report": _say("報告", "Report"),
    "sighting": _say("目擊", "Sighting"),
    "software": _say("軟體", "Software"),
    "threat-actor": _say("威脅行為者", "Threat actor"),
    "tool": _say("工具", "Tool"),
    "url": _say("網址", "URL"),
    "user-account": _say("使用者帳號", "User account"),
    "vulnerability": _say("弱點", "Vulnerability"),
    "windows-registry-key": _say("Windows登錄機碼", "Windows registry key"),
    "x509-certificate": _say("X.509憑證", "X.509 certificate"),
}

PROPERTIES: dict[str, Bilingual] = {
    "pattern": _say("樣式", "Pattern"),
    "pattern_type": _say("樣式語言", "Pattern language"),
    "value": _say("值", "Value"),
    "hashes": _say("雜湊值", "Hashes"),
    "valid_from": _say("有效自", "Valid from"),
    "valid_until": _say("有效至", "Valid until"),
    "indicator_types": _say("指標類別", "Indicator types"),
    "malware_types": _say("惡意程式類別", "Malware types"),
    "threat_actor_types": _say("行為者類別", "Actor types"),
    "infrastructure_types": _say("設施類別", "Infrastructure types"),
    "report_types": _say("報告類別", "Report types"),
    "tool_types": _say("工具類別", "Tool types"),
    "aliases": _say("別名", "Aliases"),
    "confidence": _say("可信度", "Confidence"),
    "kill_chain_phases": _say("殺傷鏈階段", "Kill chain phases"),
    "published": _say("發布時間", "Published"),
    "first_seen": _say("首次看到", "First seen"),
    "last_seen": _say("最後看到", "Last seen"),
    "first_observed": _say("首次觀測", "First observed"),
    "last_observed": _say("最後觀測", "Last observed"),
    "number_observed": _say("觀測次數", "Number observed"),
    "count": _say("次數", "Count"),
    "relationship_type": _say("關聯種類", "Kind of relationship"),
    "goals": _say("目標", "Goals"),
    "sophistication": _say("技術程度", "Sophistication"),
    "resource_level": _say("資源程度", "Resource level"),
    "primary_motivation": _say("主要動機", "Primary motivation"),
    "identity_class": _say("身分類別", "Identity class"),
    "sectors": _say("產業", "Sectors"),
    "abstract": _say("摘要", "Abstract"),
    "content": _say("內容", "Content"),
    "opinion": _say("意見", "Opinion"),
    "explanation": _say("說明", "Explanation"),
    "subject": _say("主旨", "Subject"),
    "labels": _say("標籤", "Labels"),
    "external_references": _say("外部參考", "External references"),
    "description": _say("說明", "Description"),
    "revoked": _say("已撤銷", "Revoked"),
    "created": _say("建立時間", "Created"),
    "modified": _say("修改時間", "Modified"),
}
"""Those that have words; all others are shown by their own name."""

VERBS: dict[str, tuple[Bilingual, Bilingual]] = {
    "attributed-to": (_say("歸因於", "attributed to"), _say("歸因來自", "has attributed")),
    "based-on": (_say("根據", "based on"), _say("是其根據", "is the basis of")),
    "communicates-with": (_say("通訊至", "communicates with"), _say("被通訊自", "is contacted by")),
    "consists-of": (_say("包含", "consists of"), _say("屬於", "is part of")),
    "controls": (_say("控制", "controls"), _say("被控制自", "is controlled by")),
    "delivers": (_say("投遞", "delivers"), _say("被投遞自", "is delivered by")),
    "downloads": (_say("下載", "downloads"), _say("被下載自", "is downloaded by")),
    "drops": (_say("釋出", "drops"), _say("被釋出自", "is dropped by")),
    "exploits": (_say("利用", "exploits"), _say("被利用自", "is exploited by")),
    "has": (_say("具有", "has"), _say("屬於", "belongs to")),
    "hosts": (_say("代管", "hosts"), _say("位於", "is hosted by")),
    "indicates": (_say("指出", "indicates"), _say("被指出自", "is indicated by")),
    "mitigates": (_say("緩解", "mitigates"), _say("可由此緩解", "is mitigated by")),
    "object_refs": (_say("引用", "refers to"), _say("被引用於", "is referred to by")),
    "observed_data_refs": (_say("觀測資料", "observed in"), _say("被目擊引用", "is cited by")),
    "related-to": (_say("相關", "related to"), _say("相關", "related to")),
    "resolves-to": (_say("解析為", "resolves to"), _say("解析自", "is resolved from")),
    "resolves_to_refs": (_say("解析為", "resolves to"), _say("解析自", "is resolved from")),
    "sighting_of_ref": (_say("看到", "sighting of"), _say("被看到於", "is sighted in")),
    "source_ref": (_say("起點", "from"), _say("是起點", "starts")),
    "target_ref": (_say("終點", "to"), _say("是終點", "ends")),
    "targets": (_say("針對", "targets"), _say("被針對自", "is targeted by")),
    "uses": (_say("使用", "uses"), _say("被使用於", "is used by")),
    "variant-of": (_say("變種自", "variant of"), _say("有變種", "has the variant")),
}
"""Verb -> (said from the one that names, said from the one that is named)."""

OUTCOMES: dict[str, Bilingual] = {
    "accepted": _say("已收下", "Accepted"),
    "new_version": _say("新版本", "New version"),
    "duplicate": _say("重複", "Duplicate"),
    "refused": _say("退回", "Refused"),
}

CHECKED: dict[str, Bilingual] = {
    "refused": _say("會退回", "Would be refused"),
    "good": _say("可收下", "Would be taken"),
    "duplicate": _say("重複", "Duplicate"),
}
"""What the checker says of an object, the worst first."""

FINDINGS: dict[str, Bilingual] = {
    "tlp-unknown": _say(
        "有不認得的TLP標示，先以TLP:RED隔離，由提交人設定標示。",
        "A TLP marking is unknown: kept in quarantine as TLP:RED; the submitter sets the label.",
    ),
    "tlp-mismatch": _say(
        "TLP標示的id與內容不符，先以TLP:RED隔離，由提交人設定標示。",
        "A TLP marking's id and content disagree: kept in quarantine as TLP:RED; the submitter sets the label.",
    ),
    "names-itself": _say(
        "選擇不顯示名稱，但內容裡看得出來源，先隔離等分析員確認。",
        "The source chose not to be named, but the content tells who it is: in quarantine until an analyst has looked.",
    ),
    "names-by-reference": _say(
        "選擇不顯示名稱，但引用了顯示名稱的情資，先隔離等分析員確認。",
        "The source chose not to be named, but it refers to an item that names it: in quarantine until an"
        " analyst has looked.",
    ),
    "tlp-several": _say("有多個TLP標示，採最嚴格的。", "Several TLP markings: the strictest counts."),
    "tlp-stricter": _say("物件與表單的TLP不同，採較嚴格的。", "Object and form differ in TLP: the stricter counts."),
    "red-named-only": _say(
        "TLP:RED只給指名的人；沒有指名就只有提交的本人，在網頁上。",
        "TLP:RED goes to named persons only; without any, to its submitter alone, on the page.",
    ),
    "custom-left-out": _say(
        "自訂屬性只給分析員，不給其他會員。", "Custom properties go to analysts only, not to other members."
    ),
    "creator-kept-back": _say(
        "選擇不顯示名稱時，這個身分物件只給分析員。",
        "The source chose not to be named: this identity goes to analysts only.",
    ),
}
"""What intake noticed about a version; the first four quarantine."""


def type_words(kind: str) -> Bilingual:
    """Return what a type is called; one that the specification does not know by its own name."""
    return TYPES.get(kind) or _say(kind, kind)


def property_words(name: str) -> Bilingual:
    """Return what a property is called; its own name where it has no words."""
    return PROPERTIES.get(name) or _say(name, name)


def verb_words(verb: str, *, outgoing: bool) -> Bilingual:
    """Return a relation as said from the object on the page."""
    known = VERBS.get(verb)
    if known is None:
        plain = verb.removesuffix("_refs").removesuffix("_ref").replace("_", " ")
        return _say(plain, plain)
    return known[0] if outgoing else known[1]
