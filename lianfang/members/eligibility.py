"""Whether an applicant stands where its kind has to: on the list of its board, under its own number (charter 1.1).

An answer names the edition on which it rests. Without an edition nothing is said: then the reviewer compares by hand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from lianfang.kernel.text import Bilingual
from lianfang.members.official import Listed


@dataclass(frozen=True, slots=True)
class Claim:
    """What an applicant says of itself."""

    kind: str
    name: str
    ubn: str
    code: str = ""
    without_number: bool = False
    """It says why it has no business number."""
    constituents: int = 0


@dataclass(frozen=True, slots=True)
class Found:
    """What the newest edition of one list has under the applicant's code, and under its number."""

    edition: date
    by_code: Listed | None = None
    by_number: Listed | None = None


@dataclass(frozen=True, slots=True)
class Admitted:
    """What the operator decided where the charter is open (its first paragraph is garbled)."""

    kinds: Sequence[str]
    associations: Sequence[str]
    company_alone: bool = True


@dataclass(frozen=True, slots=True)
class Answer:
    """What the comparison gave: a code, whether it stands against an approval, and the sentence."""

    code: str
    blocks: bool
    words: Bilingual
    edition: date | None = None


_NAMES = {
    "twse": Bilingual(zh="上市", en="TWSE"),
    "tpex": Bilingual(zh="上櫃", en="TPEx"),
    "emerging": Bilingual(zh="興櫃", en="emerging-board"),
    "association": Bilingual(zh="人民團體", en="association"),
}
_CLASSES = {"occupational": "職業", "social": "社會", "political": "政治", "foundation": "財團法人"}
"""How a list names the class of an association, by the code of the setting."""

_NOT_ADMITTED = Bilingual(
    zh="依現行設定，{kind}不能申請（規章1.1）。", en="By the present setting this kind ({kind}) is not admitted (1.1)."
)
_ALONE = Bilingual(
    zh="依現行設定，單一公司不能申請，名冊須有成員（規章1.1）。",
    en="By the present setting a single company is not admitted; its roster needs constituents (Charter 1.1).",
)
_RIGHT = Bilingual(zh="在{list}名單上，統一編號相符", en="On the {list} list, number right")
_FOREIGN = Bilingual(zh="在{list}名單上，-KY公司無統一編號", en="On the {list} list, a -KY company without number")
_NUMBER = Bilingual(
    zh="{code}在{list}名單是{other}，統一編號不同（規章1.1）。",
    en="{code} is {other} on the {list} list, with another number (Charter 1.1).",
)
_CODE = Bilingual(
    zh="這個統一編號在{list}名單的代號是{other}，不是{code}（規章1.1）。",
    en="On the {list} list this number has the code {other}, not {code} (Charter 1.1).",
)
_OTHER_BOARD = Bilingual(
    zh="申請人選了「{claimed}」，但{code}在{list}名單。請改類別或代號（規章1.1）。",
    en="The applicant chose {claimed}, but {code} is on the {list} list. Change kind or code (Charter 1.1).",
)
_EMERGING = Bilingual(
    zh="{code}在興櫃名單。興櫃公司不能申請（規章1.1）。",
    en="{code} is on the emerging-board list. Such companies cannot apply (Charter 1.1).",
)
_NOWHERE = Bilingual(zh="{code}不在{list}名單（規章1.1）。", en="{code} is not on the {list} list (Charter 1.1).")
_CLASS = Bilingual(
    zh="名單上是{found}；依現行設定不能申請（規章1.1）。",
    en="The list says {found}, which the present setting does not admit (1.1).",
)
_UNLISTED = Bilingual(zh="不在人民團體名單，請核對證書", en="Not on the list of associations; look at the certificate")
_BY_HAND = Bilingual(zh="沒有這種名單，請核對附件", en="No such list; compare the proof")


def answer(claim: Claim, found: Mapping[str, Found], admitted: Admitted) -> Answer:
    """Compare a claim with what the newest editions have, by kind of list; a list that is not there is left out."""
    name = _NAMES.get(claim.kind, _NAMES["association"])
    if claim.kind not in admitted.kinds:
        return Answer("not_admitted", True, _NOT_ADMITTED.format(kind=name))
    if claim.kind == "association":
        return _association(found.get("association"), admitted)
    if not admitted.company_alone and not claim.constituents:
        return Answer("alone", True, _ALONE)
    own = found.get(claim.kind)
    if own is None:
        return Answer("by_hand", False, _BY_HAND)
    return _board(claim, own, found, name)


def _board(claim: Claim, own: Found, found: Mapping[str, Found], name: Bilingual) -> Answer:
    if own.by_code is not None:
        if claim.ubn and own.by_code.ubn == claim.ubn:
            return Answer("right", False, _RIGHT.format(list=name), own.edition)
        if not claim.ubn and not own.by_code.ubn and claim.without_number:
            return Answer("foreign", False, _FOREIGN.format(list=name), own.edition)
        words = _NUMBER.format(list=name, code=claim.code, other=own.by_code.name)
        return Answer("other_number", True, words, own.edition)
    if own.by_number is not None:
        words = _CODE.format(list=name, code=claim.code, other=own.by_number.code)
        return Answer("other_code", True, words, own.edition)
    for kind, words in (("twse", _OTHER_BOARD), ("tpex", _OTHER_BOARD), ("emerging", _EMERGING)):
        there = found.get(kind)
        if kind != claim.kind and there is not None and (there.by_code or there.by_number):
            said = words.format(list=_NAMES[kind], claimed=name, code=claim.code)
            return Answer("emerging" if kind == "emerging" else "other_board", True, said, there.edition)
    return Answer("nowhere", True, _NOWHERE.format(list=name, code=claim.code), own.edition)


def _association(own: Found | None, admitted: Admitted) -> Answer:
    if own is None:
        return Answer("by_hand", False, _BY_HAND)
    row = own.by_number
    if row is None:
        # No list of associations is complete, so the certificate decides.
        return Answer("unlisted", False, _UNLISTED, own.edition)
    refused = [word for code, word in _CLASSES.items() if word in row.state and code not in admitted.associations]
    if refused:
        said = Bilingual(zh=refused[0], en=refused[0])
        return Answer("class_not_admitted", True, _CLASS.format(found=said), own.edition)
    return Answer("right", False, _RIGHT.format(list=_NAMES["association"]), own.edition)
