"""Who is mainland capital behind a company: declared holdings judged layer by layer (charter 1.3).

A company is mainland capital if mainland parties together hold more than 30 % of it, strictly, or if one controls it; a
layer above 30 % makes that company mainland in full for the next one, so 40 % of 40 % is not diluted to 16 %.

Holdings may run in a circle. What is mainland whatever the circle is taken for, is; what is not either way, is not;
what depends on the circle alone is for a person to judge.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from lianfang.kernel.refusal import Refusal
from lianfang.kernel.text import Bilingual

MORE_THAN = Decimal(30)
_WHOLE = Decimal(100)
_MOST = 500
_LONGEST_NAME = 200

_NO_OWNER = Bilingual(zh="請寫股東與被持有的公司。", en="Name the owner and the company that is owned.")
_ITSELF = Bilingual(zh="股東與被持有的公司是同一個名稱。", en="Owner and company are the same name.")
_SHARE = Bilingual(
    zh="持股請寫0到100的數字，最多4位小數。", en="Write the share as a number from 0 to 100, 4 decimals at most."
)
_NOTHING = Bilingual(zh="請寫持股，或勾選具控制能力。", en="Give a share, or tick control.")
_TWICE = Bilingual(zh="同一股東與公司出現兩次。", en="The same owner and company stand here twice.")
_OVER = Bilingual(zh="「{name}」的持股合計{sum}%，超過100%。", en="The shares of {name} add up to {sum} %, over 100 %.")
_MANY = Bilingual(zh="超過{n}筆持股。", en="More than {n} holdings.")
_LONG = Bilingual(zh="名稱超過200字。", en="The name is longer than 200 characters.")


@dataclass(frozen=True, slots=True)
class Holding:
    """That `owner` holds `share` per cent of `owned`, or controls it, or both."""

    owner: str
    owned: str
    share: Decimal = Decimal(0)
    control: bool = False


@dataclass(frozen=True, slots=True)
class Declared:
    """What was declared: holdings, and which parties are of the mainland by themselves."""

    holdings: tuple[Holding, ...]
    mainland: frozenset[str]

    @property
    def parties(self) -> tuple[str, ...]:
        """Everybody, in the order in which they are named."""
        named = [name for one in self.holdings for name in (one.owned, one.owner)]
        return tuple(dict.fromkeys([*named, *sorted(self.mainland)]))


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a party is mainland capital: `yes`, `no`, or `circular`; `share` is what mainland parties hold of it."""

    party: str
    answer: str
    share: Decimal
    controlled: bool


def judge(declared: Declared) -> dict[str, Verdict]:
    """Judge every party.

    Being mainland only ever adds to what others are, so there is a least answer (nobody is who need not be) and a
    greatest (everybody is who may be). Without a circle they are one.
    """
    least = _settled(declared, frozenset(), up=True)
    greatest = _settled(declared, frozenset(declared.parties), up=False)
    verdicts = {}
    for party in declared.parties:
        answer = "yes" if party in least else "circular" if party in greatest else "no"
        share, controlled = _held(declared, party, least)
        verdicts[party] = Verdict(party, answer, share, controlled)
    return verdicts


def _settled(declared: Declared, start: frozenset[str], *, up: bool) -> frozenset[str]:
    found = start | declared.mainland
    while True:
        held = {party for party in declared.parties if _is_held(declared, party, found)}
        after = declared.mainland | held | (found if up else frozenset())
        if after == found:
            return found
        found = after


def _held(declared: Declared, party: str, mainland: Iterable[str]) -> tuple[Decimal, bool]:
    of = [one for one in declared.holdings if one.owned == party and one.owner in mainland]
    return sum((one.share for one in of), Decimal(0)), any(one.control for one in of)


def _is_held(declared: Declared, party: str, mainland: Iterable[str]) -> bool:
    share, controlled = _held(declared, party, mainland)
    return share > MORE_THAN or controlled


def circles(declared: Declared) -> list[frozenset[str]]:
    """Return the groups of companies that hold one another in a circle, each once."""
    owners: dict[str, set[str]] = {party: set() for party in declared.parties}
    for one in declared.holdings:
        owners[one.owned].add(one.owner)
    above = {party: _above(party, owners) for party in owners}
    groups = [frozenset(other for other in above[party] if party in above[other]) for party in owners]
    return list(dict.fromkeys(group for group in groups if group))


def _above(party: str, owners: Mapping[str, set[str]]) -> set[str]:
    found: set[str] = set()
    waiting = [party]
    while waiting:
        for owner in owners[waiting.pop()] - found:
            found.add(owner)
            waiting.append(owner)
    return found


# As typed, and as kept


def read(rows: Sequence[Mapping[str, Any]]) -> Declared:
    """Read rows of a form: owner, owned, share, control, mainland. Raises Refusal that names the row by its place."""
    holdings: list[Holding] = []
    mainland: set[str] = set()
    for place, row in enumerate(rows):
        owner, owned = (" ".join(str(row.get(name) or "").split()) for name in ("owner", "owned"))
        share = str(row.get("share") or "").strip()
        if not owner and not owned and not share:
            continue
        try:
            holding = _holding(owner, owned, share, bool(row.get("control")))
        except Refusal as refusal:
            raise Refusal(refusal.reason, rule="holding-row", field=f"{refusal.field}-{place}") from None
        if any((one.owner, one.owned) == (owner, owned) for one in holdings):
            raise Refusal(_TWICE, rule="holding-row", field=f"owner-{place}")
        holdings.append(holding)
        if row.get("mainland"):
            mainland.add(owner)
    if len(holdings) > _MOST:
        raise Refusal(_MANY.format(n=_MOST), rule="holding-count")
    for party in {one.owned for one in holdings}:
        whole = sum((one.share for one in holdings if one.owned == party), Decimal(0))
        if whole > _WHOLE:
            raise Refusal(_OVER.format(name=party, sum=format(whole.normalize(), "f")), rule="holding-sum")
    return Declared(tuple(holdings), frozenset(mainland))


def _holding(owner: str, owned: str, share: str, control: bool) -> Holding:
    if not owner or not owned:
        raise Refusal(_NO_OWNER, rule="holding-row", field="owner" if not owner else "owned")
    if max(len(owner), len(owned)) > _LONGEST_NAME:
        raise Refusal(_LONG, rule="holding-row", field="owner")
    if owner == owned:
        raise Refusal(_ITSELF, rule="holding-row", field="owned")
    try:
        number = Decimal(share.removesuffix("%").removesuffix("％").strip() or "0")
    except InvalidOperation:
        raise Refusal(_SHARE, rule="holding-row", field="share") from None
    if not number.is_finite() or not 0 <= number <= _WHOLE or number != round(number, 4):
        raise Refusal(_SHARE, rule="holding-row", field="share")
    if not number and not control:
        raise Refusal(_NOTHING, rule="holding-row", field="share")
    return Holding(owner, owned, number, control)


def kept(declared: Declared) -> dict[str, Any]:
    """Return a declaration as it is stored."""
    rows = [
        {"owner": one.owner, "owned": one.owned, "share": str(one.share), "control": one.control}
        for one in declared.holdings
    ]
    return {"holdings": rows, "mainland": sorted(declared.mainland)}


def from_kept(stored: Mapping[str, Any]) -> Declared:
    """Return a stored declaration."""
    rows = [Holding(one["owner"], one["owned"], Decimal(one["share"]), one["control"]) for one in stored["holdings"]]
    return Declared(tuple(rows), frozenset(stored["mainland"]))
