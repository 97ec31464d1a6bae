"""Names of organisations, folded for comparison only: the registered form stays what is shown and kept.

臺 and 台, full and half width, blanks and punctuation, simplified and traditional characters, legal forms such as
股份有限公司 or Co., Ltd., and the country of a foreign company (香港商) make no difference to who it is.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import zip_longest

import opencc
from rapidfuzz.distance import Levenshtein

# What OpenCC takes for characters of their own, and people write for one another in names.
_VARIANTS = {
    "衞": "卫", "邨": "村", "菓": "果", "堃": "坤", "喆": "哲", "脇": "胁", "冨": "富", "槗": "桥", "凃": "涂",
    "淸": "清", "靑": "青", "戸": "户", "犇": "奔", "犂": "犁", "叁": "三", "姉": "姊", "彊": "强", "寳": "宝",
    "緖": "绪", "𥙷": "补", "濶": "阔", "煇": "辉", "艶": "艳", "囍": "喜", "鶏": "鸡", "徳": "德", "恵": "惠",
    "関": "关", "広": "广", "沢": "泽", "竜": "龙", "鉄": "铁", "浜": "滨", "対": "对", "実": "实", "団": "团",
    "囯": "国", "圀": "国", "斉": "齐", "斎": "斋", "桜": "樱", "栄": "荣", "営": "营", "発": "发", "県": "县",
    "観": "观", "覧": "览", "豊": "丰", "転": "转", "軽": "轻", "辺": "边", "遅": "迟", "鋳": "铸", "険": "险",
    "雑": "杂", "霊": "灵", "駅": "驿", "験": "验", "黒": "黑", "髙": "高", "﨑": "崎", "嵜": "崎", "㓁": "网",
    "鑛": "矿", "麺": "面",
}  # fmt: skip
_HAN = ((0x3400, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x2EBEF), (0x30000, 0x323AF))
_FORMS = re.compile(
    r"(?:(?:台湾|台北|高雄|中国|大中华区)?(?:分公司|办事处|代表人办事处|联络处)|股份有限公司|有限责任公司|有限公司|无限公司|两合公司"
    r"|股份公司|股公司|公司)\Z"
)
_LATIN_FORMS = re.compile(
    r"(?:\s*\b(?:taiwan branch|taipei branch|branch|coltd|co|ltd|limited|corp|corporation|inc|incorporated|company|llc"
    r"|lp|llp|plc|gmbh|ag|sa|nv|bv|pte|pty|sdn|bhd|kk|holdings?))+\Z"
)
_PLACES = (
    "开曼群岛|维京群岛|维尔京群岛|百慕达|百慕大|盖曼群岛|盖曼|开曼|萨摩亚|塞席尔|塞舌尔|贝里斯|伯利兹|安圭拉|模里西斯|毛里求斯|巴哈马|巴拿马"
    "|马绍尔群岛|香港|澳门|大陆|新加坡|马来西亚|泰国|泰|越南|菲律宾|印尼|印度|日本|日|韩国|韩|美国|美|加拿大|加|英国|英|德国|德|法国|法"
    "|荷兰|荷|瑞士|瑞典|丹麦|挪威|芬兰|比利时|比|卢森堡|爱尔兰|义大利|意大利|西班牙|奥地利|澳洲|澳大利亚|纽西兰|新西兰|以色列|汶莱|文莱"
)
_FOREIGN = re.compile(rf"(?:英属|荷属)?(?:{_PLACES})商(?=..)")
_LETTERS = frozenset("LN")


@cache
def _simplified() -> dict[int, str]:
    """Return the table that gives variants of a character one form; several traditional ones may share it."""
    all_ = [chr(code) for first, last in _HAN for code in range(first, last + 1)]
    converted = opencc.OpenCC("t2s").convert("\n".join(all_)).split("\n")
    table = {ord(one): other for one, other in zip(all_, converted, strict=True) if one != other}
    return table | {ord(one): other for one, other in _VARIANTS.items()}


@cache
def _token(character: str) -> str:
    """Return what a character counts as; nothing for blanks, marks and characters that show nothing."""
    plain = unicodedata.normalize("NFKC", character).casefold()
    kept = "".join(one for one in plain if unicodedata.category(one)[0] in _LETTERS)
    return kept.translate(_simplified())


@dataclass(frozen=True, slots=True)
class Folded:
    """A name for comparison: `whole` with its legal form, `core` without it and without a foreign company's country."""

    whole: str
    core: str

    @property
    def weight(self) -> int:
        """How much the core says."""
        return weight(self.core)


def weight(core: str) -> int:
    """Return how much a folded name says: a Chinese character counts two, a letter or digit one."""
    return sum(1 if ord(one) < 0x2E80 else 2 for one in core)


def fold(name: str) -> Folded:
    """Fold a name. Two names of one core are the same for a comparison."""
    spaced = "".join(_token(one) or " " for one in unicodedata.normalize("NFKC", name))
    words = " ".join(spaced.split())
    whole = words.replace(" ", "")
    core = _LATIN_FORMS.sub("", words).replace(" ", "") or whole
    while (shorter := _FORMS.sub("", core)) and shorter != core:
        core = shorter
    return Folded(whole, _FOREIGN.sub("", core, count=1) if _FOREIGN.match(core) else core)


@dataclass(frozen=True, slots=True)
class Column:
    """One place of two aligned names: a character of each, or nothing, and how they compare.

    `same`: the very character. `folded`: another form of it. `different`. `missing`: only one has it. `ignored`: it
    counts for nothing (a blank, a hyphen).
    """

    left: str
    right: str
    kind: str


def align(left: str, right: str) -> tuple[Column, ...]:
    """Lay two names side by side, character by character, as they are written."""
    return tuple(_columns(_written(left), _written(right)))


def _written(name: str) -> tuple[list[str], list[str], list[str]]:
    """Return the letters of a name, what each counts as, and before each (and at the end) what counts for nothing."""
    letters, tokens, between = [], [], [""]
    for one in unicodedata.normalize("NFC", name):
        if token := _token(one):
            letters.append(one)
            tokens.append(token)
            between.append("")
        else:
            between[-1] += one
    return letters, tokens, between


_Side = tuple[list[str], list[str], list[str]]


def _columns(left: _Side, right: _Side) -> Iterator[Column]:
    for step in Levenshtein.opcodes(left[1], right[1]):
        ours, theirs = range(step.src_start, step.src_end), range(step.dest_start, step.dest_end)
        for one, other in zip_longest(ours, theirs):
            yield from _ignored(_before(left, one), _before(right, other))
            yield _compared(left, one, right, other)
    yield from _ignored(left[2][-1], right[2][-1])


def _before(side: _Side, place: int | None) -> str:
    return "" if place is None else side[2][place]


def _ignored(one: str, other: str) -> Iterator[Column]:
    for ours, theirs in zip_longest(one, other, fillvalue=""):
        yield Column(ours, theirs, "same" if ours == theirs else "ignored")


def _compared(left: _Side, one: int | None, right: _Side, other: int | None) -> Column:
    if one is None or other is None:
        return Column("" if one is None else left[0][one], "" if other is None else right[0][other], "missing")
    ours, theirs = left[0][one], right[0][other]
    if ours == theirs:
        return Column(ours, theirs, "same")
    return Column(ours, theirs, "folded" if left[1][one] == right[1][other] else "different")
