"""Fixed words about official lists and what they give, in both languages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lianfang.kernel.text import Bilingual

if TYPE_CHECKING:
    from lianfang.members.models import ListCase


def _w(zh: str, en: str) -> Bilingual:
    return Bilingual(zh=zh, en=en)


KINDS: Final = {
    "mainland": _w("陸資投資事業名錄", "Mainland-invested enterprises"),
    "twse": _w("上市公司", "TWSE-listed companies"),
    "tpex": _w("上櫃公司", "TPEx-listed companies"),
    "emerging": _w("興櫃公司", "Emerging-board companies"),
    "association": _w("人民團體", "Civil associations"),
}

STATE_TONES: Final = {
    "read": "warn", "imported": "good", "discarded": "",
    "open": "warn", "other": "good", "confirmed": "bad", "settled": "",
}  # fmt: skip

RESULTS: Final = {
    "name_hit": _w("名稱與陸資名錄相符", "Name like one on the mainland list"),
    "id_hit": _w("統一編號在陸資名錄上", "Business number on the mainland list"),
    "gone": _w("不在所屬名單上", "No longer on the list of its board"),
    "moved": _w("改在另一個名單上", "Now on the list of the other board"),
}
RESULT_TONES: Final = {"name_hit": "warn", "id_hit": "bad", "gone": "warn", "moved": "info"}

PARTS: Final = {
    "faults": _w("要修正", "To correct"),
    "new": _w("新增", "New"),
    "gone": _w("刪除", "Gone"),
    "changed": _w("變更", "Changed"),
    "same": _w("不變", "Unchanged"),
}

JUDGEMENTS: Final = {
    "other": _w("是另一個組織", "It is another organisation"),
    "same": _w("就是名錄上的企業", "It is the enterprise on the list"),
}

CIRCLE: Final = {"no": _w("判斷不是陸資", "Judged not mainland"), "yes": _w("判斷是陸資", "Judged mainland")}

VERDICTS: Final = {
    "no": _w("不是陸資", "Not mainland"),
    "yes": _w("陸資", "Mainland"),
    "circular": _w("循環，待判斷", "Circle, to be judged"),
}
VERDICT_TONES: Final = {"no": "good", "yes": "bad", "circular": "warn"}

MATCHED_BY: Final = {"number": _w("統一編號", "business number"), "name": _w("名稱", "name")}

COLUMN_KINDS: Final = {
    "same": _w("相同", "same"),
    "folded": _w("寫法不同", "another form"),
    "different": _w("不同", "different"),
    "missing": _w("缺少", "missing"),
    "ignored": _w("不計", "not counted"),
}

CONTROL: Final = _w("控制", "control")

_OUTCOMES: Final = {
    "other": _w("是另一個組織", "It is another organisation"),
    "confirmed": _w("屬實", "It is so"),
    "settled": _w("已不成立（名冊或名單已更正）", "No longer so (roster or list was corrected)"),
}
_LISTING: Final = {
    "confirmed": _w("屬實，另開取消審查或請會員說明", "It is so; a review is opened, or the member is asked"),
    "settled": _w("已不成立（新版名單又列出）", "No longer so (a newer edition has it again)"),
}


def outcomes(case: ListCase) -> list[tuple[str, Bilingual]]:
    """Return the judgements that a case can end in; a number that matches cannot be somebody else's."""
    if case.kind == "listing":
        return list(_LISTING.items())
    return [(name, text) for name, text in _OUTCOMES.items() if name != "other" or case.result == "name_hit"]
