"""Days as people write them in Taiwan: of the Republic or Gregorian where that can be told, and never guessed."""

from __future__ import annotations

import re
import unicodedata
from datetime import date

from lianfang.kernel.refusal import Refusal
from lianfang.kernel.text import Bilingual

_ROC = 1911
_GREGORIAN = re.compile(r"(\d{4})(?:([-/.])(\d{1,2})\2(\d{1,2})|年(\d{1,2})月(\d{1,2})日|(\d{2})(\d{2}))\Z")
_REPUBLIC = re.compile(
    r"(?:中華民國|民國)(\d{1,3})(?:([-/.])(\d{1,2})\2(\d{1,2})|年(\d{1,2})月(\d{1,2})日)\Z"
    r"|(1\d{2})(?:([-/.])(\d{1,2})\8(\d{1,2})|年(\d{1,2})月(\d{1,2})日|(\d{2})(\d{2}))\Z"
)
_UNCLEAR = Bilingual(
    zh="看不出是民國或西元。請寫成2026-11-01或民國115年11月1日。",
    en="ROC or Gregorian cannot be told. Write 2026-11-01, or 民國115年11月1日.",
)
_NO_DAY = Bilingual(zh="沒有這一天。", en="There is no such day.")


def read(text: str) -> date:
    """Return a day: a year of four digits is Gregorian, one of three or after 民國 is of the Republic.

    Raises Refusal for whatever could be either, such as a year of two digits or a day before the year.
    """
    plain = "".join(unicodedata.normalize("NFKC", text).split())
    found = _GREGORIAN.match(plain)
    shift = 0
    if found is None:
        found, shift = _REPUBLIC.match(plain), _ROC
    if found is None:
        raise Refusal(_UNCLEAR, rule="day")
    numbers = [int(part) for part in found.groups() if part is not None and part.isdigit()]
    try:
        return date(numbers[0] + shift, *numbers[1:])
    except ValueError:
        raise Refusal(_NO_DAY, rule="day") from None
