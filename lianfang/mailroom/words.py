"""Fixed words of the mailroom in both languages."""

from __future__ import annotations

from typing import Final

from lianfang.kernel.text import Bilingual


def _w(zh: str, en: str) -> Bilingual:
    return Bilingual(zh=zh, en=en)


KINDS: Final = {
    "mail": _w("來信", "Mail"),
    "auto": _w("自動回覆", "Automatic answer"),
    "bounce": _w("退信", "Came back"),
    "loop": _w("本平台寄出的信", "Sent by this platform"),
    "raw": _w("讀不出的信", "Not readable"),
}
TONES: Final = {"mail": "info", "auto": "", "bounce": "bad", "loop": "", "raw": "warn"}
STATE_TONES: Final = {"triage": "warn", "placed": "good", "noted": "", "rejected": "", "settled": ""}
UNVERIFIED: Final = _w("來自電子郵件，寄件人未經查證，未檢查DKIM", "By mail, sender not verified, DKIM not checked")

FAULTS: Final = {
    "bad_charset": _w("文字的編碼有誤，部分字可能不對", "The encoding of the text is wrong; some characters may be"),
    "bad_date": _w("寄件日期讀不出來", "Its date cannot be read"),
    "broken_mime": _w("信件格式不完整", "Its format is broken"),
    "case_full": _w(
        "這個案件今天收到太多信，改由人工分派", "The case got too many mails today, so people sort this one"
    ),
    "files_left": _w("有附件超過大小或件數，只留在原始檔", "Files beyond the limits are only in the original"),
    "html_only": _w("原信只有網頁格式，這裡只留文字", "It came as a web page alone; only its text is shown"),
    "long_head": _w("標頭過長，未讀取", "Its head is too long and was not read"),
    "parts_left": _w("段落過多，其餘只留在原始檔", "It has too many parts; the rest is only in the original"),
    "text_cut": _w("內文過長，其餘只留在原始檔", "Its text is too long; the rest is only in the original"),
    "too_deep": _w("層次過多，未讀取", "It is nested too deep and was not read"),
    "too_large": _w(
        "信件過大，未讀取；全文仍在郵件伺服器", "Too large to be read; the whole may lie on the mail server"
    ),
    "unreadable": _w("格式無法解讀，只留原始檔", "It cannot be read; the original is kept"),
}
