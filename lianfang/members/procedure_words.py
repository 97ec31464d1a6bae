"""Fixed words of the procedure's editor in both languages."""

from __future__ import annotations

from typing import Final

from lianfang.kernel.text import Bilingual
from lianfang.members.lifecycle import PROCEDURE
from lianfang.members.words import STATE_TONES


def _w(zh: str, en: str) -> Bilingual:
    return Bilingual(zh=zh, en=en)


# Editions of the procedure
PROCEDURE_STATES: Final = {name: (said, STATE_TONES[name]) for name, said in PROCEDURE.states.items()}
EDITION_NOW: Final = (_w("施行中", "In force"), "good")
EDITION_LATER: Final = (_w("尚未生效", "Not in force yet"), "info")
EDITION_OLD: Final = (_w("舊版", "Earlier edition"), "")
QUESTION_KINDS: Final = {
    "text": _w("單行文字", "One line of text"),
    "long": _w("多行文字", "Several lines of text"),
    "email": _w("電子郵件", "E-mail"),
    "phone": _w("電話", "Telephone"),
    "number": _w("整數", "Whole number"),
    "date": _w("日期", "Date"),
    "choice": _w("下拉選單", "Drop-down list"),
    "radio": _w("單選", "One of several"),
    "tick": _w("勾選確認", "A tick to confirm"),
    "file": _w("附件", "File"),
    "ubn": _w("統一編號", "Business number"),
    "stock_code": _w("股票代號", "Stock code"),
    "roster": _w("名冊", "Roster"),
}
NEED_ALWAYS: Final = _w("必填", "Needed")
NEED_OPTIONAL: Final = _w("選填", "Optional")
NEED_WHEN: Final = _w("選了「{answers}」才問", "Asked after “{answers}”")
PLACE_TITLE: Final = _w("程序名稱", "Title")
PLACE_NOTE: Final = _w("說明", "Note")
PLACE_PERIODS: Final = {
    "review_days": _w("審查天數", "Days for the review"),
    "correction_days": _w("補正天數", "Days for a correction"),
}
PLACE_APPROVERS: Final = _w("核准人數", "Approvers")
PLACE_STEP: Final = _w("步驟", "Step")
PLACE_ORDER: Final = _w("順序", "Order")
PLACE_WHY: Final = _w("為什麼問", "Why we ask")
PLACE_QUESTION: Final = _w("題目", "Question")
PLACE_HINT: Final = _w("說明文字", "Help")
PLACE_KIND: Final = _w("類型", "Kind")
PLACE_NEED: Final = _w("必填", "Need")
PLACE_OPTIONS: Final = _w("選項", "Options")
PLACE_MOST: Final = _w("上限", "Most")
IN_CHINESE: Final = _w("中文", "Chinese")
IN_ENGLISH: Final = _w("英文", "English")
