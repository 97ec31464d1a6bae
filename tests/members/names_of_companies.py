"""Invented companies and their disguises, the same for the same seed.

The words are such as stand in Taiwan's registers: two to four characters of its own, then one or two words of a trade.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

from lianfang.kernel import ubn

_OWN = (
    "大立宏泰鼎新富華晶元光寶聯合中興台灣臺東南西北亞太平洋國際金山銀河長榮遠昌明輝達威盛瑞祥永信全家統一義美佳能東森力山旺友訊凌陽群創奇"
    "景碩欣銓捷敏通嘉裕隆正隆豐泰儒鴻聚陽漢唐矽格頎邦敦泰義隆電智原擎亞神雲達碼研華勤誠智邦啟碁合勤控正文盟立宇瞻威剛創見群聯慧榮點序"
    "聖暉洋基工程帆宣漢微科亞翔朋億家登弘塑萬潤志聖均豪鈦昇辛耘大量由田牧德晶彩華景電惠特梭特新麗揚博發穩懋宏捷全新環宇"
)
_TRADES = (
    "科技", "實業", "國際", "電子", "企業", "工業", "貿易", "投資", "建設", "精密", "生技", "資訊", "半導體",
    "光電", "能源", "化工", "紡織", "機械", "材料", "物流", "食品", "數位", "系統", "通訊",
    "工程", "醫療", "文創", "顧問", "航運", "汽車",
)  # fmt: skip
_FORMS = ("股份有限公司", "股份有限公司", "有限公司")
_LOOKALIKE = "甲乙丙丁申由田甴日曰目且士土干千未末己已刀力人入八大犬太"


def numbers(dice: random.Random) -> Iterator[str]:
    """Business numbers with a right check digit."""
    while True:
        number = f"{dice.randint(10_000_000, 99_999_999)}"
        if ubn.is_valid(number):
            yield number


def companies(dice: random.Random, count: int) -> list[tuple[str, str]]:
    """Return that many different names, each with a number of its own."""
    number = numbers(dice)
    found: dict[str, str] = {}
    while len(found) < count:
        own = "".join(dice.choice(_OWN) for _ in range(dice.choice((2, 2, 2, 3, 3, 4))))
        trade = "".join(dice.sample(_TRADES, dice.choice((1, 1, 2))))
        found.setdefault(own + trade + dice.choice(_FORMS), next(number))
    return list(found.items())


def core(name: str) -> str:
    """A name without its legal form."""
    return name.removesuffix("有限公司").removesuffix("股份")


def disguises(dice: random.Random) -> dict[str, Callable[[str], str]]:
    """Ways of writing a name that leave it the same."""
    import opencc

    simple = opencc.OpenCC("t2s")
    wide = str.maketrans({chr(code): chr(code + 0xFEE0) for code in range(0x21, 0x7F)})
    return {
        "臺 and 台": lambda name: name.translate(str.maketrans("台臺", "臺台")),
        "simplified": simple.convert,
        "full width": lambda name: name.replace("股份有限公司", "(股)公司").translate(wide),
        "shorter form": lambda name: name.replace("股份有限公司", "(股)公司"),
        "other form": lambda name: core(name) + dice.choice(("有限公司", "股份有限公司", "公司", "")),
        "blanks": lambda name: "\u3000".join(name[at : at + 2] for at in range(0, len(name), 2)),
        "hidden": lambda name: "\u200b".join(name),
        "a dot": lambda name: f"{name[:2]}‧{name[2:]}",
        "a branch": lambda name: f"{name}台灣分公司",
        "a country": lambda name: f"香港商{name}",
    }


def typo(dice: random.Random, name: str) -> str:
    """Change, drop, double or swap one character of the name before its legal form."""
    own = core(name)
    form, at = name.removeprefix(own), dice.randrange(len(own))
    kind = dice.choice(("change", "drop", "double", "swap"))
    if kind == "swap" and at + 1 < len(own) and own[at] != own[at + 1]:
        return own[:at] + own[at + 1] + own[at] + own[at + 2 :] + form
    if kind == "drop":
        return own[:at] + own[at + 1 :] + form
    if kind == "double":
        return own[:at] + own[at] + own[at:] + form
    return own[:at] + dice.choice(_LOOKALIKE) + own[at + 1 :] + form
