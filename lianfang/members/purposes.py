"""For what a member names somebody, beside its administrators (charter, preamble)."""

from __future__ import annotations

from typing import Final

from lianfang.kernel.text import Bilingual

SECURITY, LEGAL, PERSONAL_DATA, NOTICE = "security", "legal", "personal_data", "notice"

PURPOSES: Final = {
    SECURITY: Bilingual(zh="24小時資安聯絡人", en="24-hour security contact"),
    LEGAL: Bilingual(zh="法務聯絡人", en="Legal contact"),
    PERSONAL_DATA: Bilingual(zh="個人資料聯絡人", en="Personal-data contact"),
    NOTICE: Bilingual(zh="通知信箱", en="Notice address"),
}
"""In the order in which they are shown. The notice address gets letters and notices; every member has one."""

MEANINGS: Final = {
    SECURITY: Bilingual(
        zh="任何時間都能聯絡到的人，處理資安事件。", en="Somebody who answers at any hour, for incidents."
    ),
    LEGAL: Bilingual(zh="規章、信函與法律問題的聯絡對象。", en="For questions about the charter, letters and law."),
    PERSONAL_DATA: Bilingual(
        zh="個人資料權利與外洩通知的聯絡對象。", en="For rights over personal data, and for breaches."
    ),
    NOTICE: Bilingual(
        zh="規章、信函與程序通知寄到這裡，也寄給管理員；可以是部門信箱。每個會員至少要有一個。",
        en="Letters and notices about procedures go here as well as to the administrators; it may be a unit's mailbox."
        " Every member has at least one.",
    ),
}
