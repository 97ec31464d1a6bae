"""The ownership graph against a solver written another way, and at its edges."""

from __future__ import annotations

import itertools
import random
from decimal import Decimal
from typing import Any

import pytest

from lianfang.kernel.refusal import Refusal
from lianfang.members import shown_lists
from lianfang.members.holdings import Declared, Holding, circles, from_kept, judge, kept, read

GRAPHS = 5_000


def graph(dice: random.Random, *, cyclic: bool) -> Declared:
    """A random graph of up to seven parties; shares often lie at the edge."""
    size = dice.randint(2, 7)
    names = [f"公司{n}" for n in range(size)]
    holdings = []
    left = dict.fromkeys(names, Decimal(100))
    for owner, owned in itertools.permutations(names, 2):
        if dice.random() < 0.6 or (not cyclic and owner < owned):
            continue
        share = dice.choice([Decimal(30), Decimal("30.0001"), Decimal("29.9999"), Decimal(15), Decimal("15.0001"),
                             Decimal(10), Decimal(40), Decimal(0), Decimal(dice.randint(1, 99))])  # fmt: skip
        share = min(share, left[owned])
        control = dice.random() < 0.06
        if share or control:
            left[owned] -= share
            holdings.append(Holding(owner, owned, share, control))
    mainland = frozenset(name for name in names if dice.random() < 0.25)
    named = {name for one in holdings for name in (one.owner, one.owned)}
    return Declared(tuple(holdings), mainland & named if holdings else mainland)


def by_trying_all(declared: Declared) -> dict[str, str]:
    """Another solver: of all ways to say who is mainland, those that contradict nothing; what all of them say, is so.

    It works in units of a ten-thousandth of a per cent, on whole numbers, over every subset of the parties.
    """
    names = declared.parties
    place = {name: 1 << n for n, name in enumerate(names)}
    shares: dict[str, list[tuple[int, int, bool]]] = {name: [] for name in names}
    for one in declared.holdings:
        shares[one.owned].append((place[one.owner], int(one.share * 10_000), one.control))
    consistent = []
    for said in range(1 << len(names)):
        if all(
            bool(said & place[name])
            == (
                name in declared.mainland
                or sum(units for owner, units, _ in shares[name] if said & owner) > 300_000
                or any(control and said & owner for owner, _, control in shares[name])
            )
            for name in names
        ):
            consistent.append(said)
    every = consistent[0]
    some = 0
    for said in consistent:
        every, some = every & said, some | said
    return {name: "yes" if every & place[name] else "circular" if some & place[name] else "no" for name in names}


@pytest.mark.parametrize("cyclic", [False, True], ids=["layers", "circles"])
def test_the_answer_is_that_of_a_solver_that_tries_all(cyclic: bool) -> None:
    dice = random.Random(20_261_124 + cyclic)
    seen = dict.fromkeys(("yes", "no", "circular"), 0)
    for _ in range(GRAPHS // 2):
        declared = graph(dice, cyclic=cyclic)
        found = {name: one.answer for name, one in judge(declared).items()}
        assert found == by_trying_all(declared), declared
        for answer in found.values():
            seen[answer] += 1
        if not cyclic:
            assert circles(declared) == []
        elif "circular" in found.values():
            # Only what hangs on a circle can be undecided.
            assert circles(declared)
    assert seen["yes"] > 1000
    assert seen["no"] > 1000
    assert bool(seen["circular"]) is cyclic


def chain(*shares: str, control: int = -1) -> Declared:
    names = ["大陸甲", *(f"第{n}層" for n in range(1, len(shares) + 1))]
    holdings = [Holding(names[n], names[n + 1], Decimal(share), n == control) for n, share in enumerate(shares)]
    return Declared(tuple(holdings), frozenset(["大陸甲"]))


@pytest.mark.parametrize(
    ("declared", "answer"),
    [
        (chain("30"), "no"),
        (chain("30.0001"), "yes"),
        (chain("40", "40"), "yes"),
        (chain("40", "30", "100"), "no"),
        (chain("100", "30.0001", "31"), "yes"),
        (chain("0", "31", control=0), "yes"),
        (chain("31", "0", control=1), "yes"),
    ],
)
def test_thirty_per_cent_strictly_layer_by_layer_without_dilution(declared: Declared, answer: str) -> None:
    assert judge(declared)[declared.holdings[-1].owned].answer == answer


def test_holdings_of_several_mainland_parties_add_up() -> None:
    shares = [Holding(f"陸資{n}", "甲", Decimal("10.0001")) for n in range(3)]
    both = frozenset(one.owner for one in shares)
    assert judge(Declared(tuple(shares), both))["甲"].answer == "yes"
    assert judge(Declared(tuple(shares), both))["甲"].share == Decimal("30.0003")
    assert judge(Declared(tuple(shares), both - {"陸資0"}))["甲"].answer == "no"


def test_a_circle_is_for_a_person_unless_it_does_not_matter() -> None:
    circle = (Holding("甲", "乙", Decimal(60)), Holding("乙", "甲", Decimal(60)))
    alone = judge(Declared(circle, frozenset()))
    assert {one.answer for one in alone.values()} == {"circular"}
    fed = Declared((*circle, Holding("大陸", "甲", Decimal(31))), frozenset(["大陸"]))
    assert judge(fed)["乙"].answer == "yes"
    small = Declared((Holding("甲", "乙", Decimal(60)), Holding("乙", "甲", Decimal(20))), frozenset())
    assert {one.answer for one in judge(small).values()} == {"no"}
    assert circles(small) == [frozenset(["甲", "乙"])]


def row(owner: str = "甲", owned: str = "乙", share: str = "10", **more: Any) -> dict[str, Any]:
    return {"owner": owner, "owned": owned, "share": share, **more}


def test_a_form_is_read_kept_and_read_back() -> None:
    declared = read(
        [row(mainland=True, share="30.5％"), row(owner="", owned="", share=""), row("丙", "乙", "", control="on")]
    )
    assert declared.holdings == (Holding("甲", "乙", Decimal("30.5")), Holding("丙", "乙", Decimal(0), True))
    assert declared.mainland == {"甲"}
    assert from_kept(kept(declared)) == declared


@pytest.mark.parametrize(
    ("rows", "field"),
    [
        ([row(owner="")], "owner-0"),
        ([row(), row(owned="")], "owned-1"),
        ([row(owned="甲")], "owned-0"),
        ([row(share="101")], "share-0"),
        ([row(share="-1")], "share-0"),
        ([row(share="NaN")], "share-0"),
        ([row(share="1e-9")], "share-0"),
        ([row(share="三成")], "share-0"),
        ([row(share="")], "share-0"),
        ([row(), row()], "owner-1"),
        ([row(share="60"), row("丙", share="40.0001")], ""),
        ([row(owner="甲" * 201)], "owner-0"),
    ],
)
def test_what_cannot_be_declared_is_refused_at_its_row(rows: list[dict[str, Any]], field: str) -> None:
    with pytest.raises(Refusal) as refused:
        read(rows)
    assert (refused.value.field or "") == field


def test_a_drawing_has_every_party_once_and_owners_above_what_they_own() -> None:
    dice = random.Random(7)
    for _ in range(200):
        declared = graph(dice, cyclic=False)
        drawn = shown_lists.drawing(declared)
        if drawn is None:
            assert not declared.holdings
            continue
        assert len({(box.x, box.y) for box in drawn.boxes}) == len(drawn.boxes) == len(declared.parties)
        assert all(edge.y1 < edge.y2 for edge in drawn.edges)
        assert all(0 <= box.x <= drawn.width - 168 and 0 <= box.y <= drawn.height - 56 for box in drawn.boxes)
    # A circle is drawn, too, and what cannot be read any more is left to the table.
    circle = Declared((Holding("甲", "乙", Decimal(60)), Holding("乙", "甲", Decimal(60))), frozenset())
    assert shown_lists.drawing(circle) is not None
    many = tuple(Holding(f"股東{n}", "甲", Decimal(1)) for n in range(60))
    assert shown_lists.drawing(Declared(many, frozenset())) is None
