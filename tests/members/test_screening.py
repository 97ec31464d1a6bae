"""Comparing names and numbers with a list: disguises are found, slips are found, clean names seldom hit."""

from __future__ import annotations

import random
import time

import pytest
from rapidfuzz import fuzz, process

from lianfang.members.screening import Entry, Outcome, Register
from tests.members.names_of_companies import companies, core, disguises, typo

SEED = 20_261_124
ROWS, NAMES = 20_000, 2_000


@pytest.fixture(scope="module")
def made() -> tuple[Register, list[tuple[str, str]], list[tuple[str, str]]]:
    """A list of two thousand, and two thousand companies that are not on it."""
    everybody = companies(random.Random(SEED), 2 * NAMES)
    listed, clean = everybody[:NAMES], everybody[NAMES:]
    return Register(Entry(number, name) for name, number in listed), listed, clean


def names_it(outcome: Outcome, name: str) -> bool:
    return outcome.result == "name_hit" and any(match.name == name for match in outcome.matches)


def test_every_disguise_of_every_kind_is_found(
    made: tuple[Register, list[tuple[str, str]], list[tuple[str, str]]],
) -> None:
    register, listed, _ = made
    planted = 0
    for kind, disguise in disguises(random.Random(SEED)).items():
        for name, _number in listed[:40]:
            hidden = disguise(name)
            outcome = register.screen(name=hidden, number="")
            assert names_it(outcome, name), (kind, name, hidden)
            assert outcome.matches[0].score == 100
            # Another number beside it makes no difference to a name that is the same.
            assert names_it(register.screen(name=hidden, number="22099131"), name), (kind, name, hidden)
            planted += 1
    assert planted >= 300


def test_slips_of_one_character_are_found_and_clean_names_seldom_hit(
    made: tuple[Register, list[tuple[str, str]], list[tuple[str, str]]],
) -> None:
    """The bounds are near what was seen; docs/measurements.md has the figures."""
    register, listed, clean = made
    dice = random.Random(SEED)
    slips = [(name, slip) for name, _ in listed[:600] if core(slip := typo(dice, name)) != core(name)]
    for number in ("", "22099131"):
        found = sum(names_it(register.screen(name=slip, number=number), name) for name, slip in slips)
        assert found >= 0.95 * len(slips), number
    hits = sum(register.screen(name=name, number=number).result != "clear" for name, number in clean)
    assert hits <= 0.05 * len(clean)
    without = sum(register.screen(name=name, number="").result == "name_hit" for name, _ in clean)
    assert without == hits, "another number beside a name makes it neither more nor less alike"
    # What does not hit and has no number is not clear: nothing else could be compared.
    assert {register.screen(name=name, number="").result for name, _ in clean} == {"name_hit", "unverifiable"}
    shares = [sum(bool(register.screen(name=name, number="", allowed=share).matches) for name, _ in clean) for share in
              (0, 0.01, 0.05, 1)]  # fmt: skip
    assert shares == sorted(set(shares)), "what is allowed more finds more"


def test_a_character_exchanged_in_the_own_part_counts_where_the_rest_is_rare() -> None:
    """Of forty names 大?科技 any could be another company; the one with 犀 is like nobody else."""
    common = [
        f"大{one}科技" for one in "立宏泰鼎新富華晶元光寶聯合中興東南西北亞太平洋金山銀河長榮遠昌明輝達威盛瑞祥永信"
    ]
    register = Register(Entry("", name) for name in [*common, "犀立實業"])
    assert register.screen(name="大謬科技", number="", allowed=0).result == "unverifiable"
    assert register.screen(name="大謬科技", number="", allowed=0.02).result == "unverifiable"
    assert register.screen(name="犀謬實業", number="", allowed=0.02).result == "name_hit"
    # In the common word, or two that changed places, or one too many or too few: a slip whatever is allowed.
    for slip in ("大立科支", "立大科技", "大立立科技", "立科技", "大立科技技"):
        assert register.screen(name=slip, number="04595257", allowed=0).result == "name_hit", slip
    # One taken out here and another put in there are two.
    moved = register.screen(name="立謬科技", number="", allowed=1)
    assert not any(match.name == "大立科技" for match in moved.matches)
    assert register.screen(name="大謬科技", number="", allowed=1).result == "name_hit"


@pytest.mark.parametrize(
    ("name", "number", "result"),
    [
        ("完全無關工業", "04595257", "clear"),
        ("完全無關工業", "", "unverifiable"),
        ("完全無關工業", "04595258", "unverifiable"),
        ("完全無關工業", "22099131", "id_hit"),
        ("名錄企業股份有限公司", "22099131", "id_hit"),
        ("名錄企业", "04595257", "name_hit"),
        ("名路企業有限公司", "", "name_hit"),
        ("名路企業有限公司", "04595257", "name_hit"),
        ("名錄企", "", "name_hit"),
        ("路企業", "", "unverifiable"),
        ("大疆創薪科技有限公司", "04595257", "name_hit"),
        ("大疆創薪科計有限公司", "", "unverifiable"),
        ("Acme Taiwan Trading Ltd", "", "name_hit"),
        ("Acne Taiwan Trading Ltd", "", "name_hit"),
        ("", "", "unverifiable"),
        ("股份有限公司", "", "unverifiable"),
    ],
)
def test_what_a_row_gives(name: str, number: str, result: str) -> None:
    register = Register(
        [
            Entry("22099131", "名錄企業股份有限公司"),
            Entry("53212539", "大疆創新科技有限公司"),
            Entry("", "Acme Taiwan Trading Co., Ltd."),
        ]
    )
    assert register.screen(name=name, number=number).result == result


def test_of_many_like_names_the_nearest_come_first_and_five_at_most() -> None:
    register = Register([Entry("", f"示範創新科{one}") for one in "甲乙丙丁戊己庚"])
    found = register.screen(name="示範創新科丙", number="").matches
    assert len(found) == 5
    assert (found[0].name, found[0].score) == ("示範創新科丙", 100)
    assert all(match.score < 100 for match in found[1:])


@pytest.mark.long
def test_screening_of_twenty_thousand_rows() -> None:
    """20,000 rows against 2,000 names, beside a bare pass of rapidfuzz over the same strings; planted among them."""
    dice = random.Random(SEED)
    everybody = companies(dice, ROWS + NAMES)
    listed, rows = everybody[:NAMES], everybody[NAMES:]
    ways = list(disguises(dice).values())
    planted = {n * 50: listed[n][0] for n in range(ROWS // 50)}
    for at, name in planted.items():
        rows[at] = (dice.choice(ways)(name), rows[at][1] if dice.random() < 0.5 else "")
    begun = time.perf_counter()
    register = Register(Entry(number, name) for name, number in listed)
    outcomes = [register.screen(name=name, number=number) for name, number in rows]
    ours = time.perf_counter() - begun
    names = [name for name, _ in listed]
    begun = time.perf_counter()
    for name, _ in rows:
        process.extract(name, names, scorer=fuzz.ratio, score_cutoff=85, limit=5)
    bare = time.perf_counter() - begun
    missed = [name for at, name in planted.items() if not names_it(outcomes[at], name)]
    clean = [outcome for at, outcome in enumerate(outcomes) if at not in planted]
    hits = sum(outcome.result != "clear" for outcome in clean)
    print(
        f"screening seed={SEED} rows={ROWS} names={NAMES} planted={len(planted)} missed={len(missed)}"
        f" clean_hits={hits} ({hits / len(clean):.2%}) seconds={ours:.2f} bare={bare:.2f} ratio={ours / bare:.2f}"
    )
    assert not missed
    assert hits <= 0.05 * len(clean)


@pytest.mark.long
def test_screening_slips() -> None:
    """Every name of the list with a slip, by length of the name, with no number and with another."""
    dice = random.Random(SEED)
    everybody = companies(dice, 5 * NAMES)
    listed, clean = everybody[:NAMES], everybody[NAMES:]
    register = Register(Entry(number, name) for name, number in listed)
    slips = [(name, slip) for name, _ in listed for _ in range(3) if core(slip := typo(dice, name)) != core(name)]

    shares = (0.0, 0.01, 0.02, 0.05, 1.0)

    def found(number: str, allowed: float) -> float:
        screened = (register.screen(name=slip, number=number, allowed=allowed) for _, slip in slips)
        return sum(names_it(one, name) for one, (name, _) in zip(screened, slips, strict=True)) / len(slips)

    def hits(allowed: float, *, numbered: bool) -> float:
        rows = ((name, number if numbered else "") for name, number in clean)
        results = [register.screen(name=name, number=number, allowed=allowed).result for name, number in rows]
        return results.count("name_hit") / len(clean)

    seen = {share: (found("22099131", share), hits(share, numbered=True)) for share in shares}
    none = found("", 0.02), hits(0.02, numbered=False)
    names = [core(name) for name, _ in listed]

    def bare(cutoff: int) -> tuple[float, float]:
        alike = sum(fuzz.ratio(core(slip), core(name)) >= cutoff for name, slip in slips) / len(slips)
        some = [core(name) for name, _ in clean[:NAMES]]
        return alike, sum(
            bool(process.extractOne(one, names, score_cutoff=cutoff, scorer=fuzz.ratio)) for one in some
        ) / NAMES

    said = ", ".join(f"{share:.0%}: {one:.1%} / {other:.2%}" for share, (one, other) in seen.items())
    alone = ", ".join(f"{cutoff}: {one:.1%} / {other:.2%}" for cutoff in (75, 80, 85) for one, other in [bare(cutoff)])
    print(
        f"slips seed={SEED} slips={len(slips)} clean={len(clean)} found / clean hits: without a number {none[0]:.1%} /"
        f" {none[1]:.2%}; beside another, by what is allowed {said}; bare ratio by cutoff {alone}"
    )
    for one, other in (none, seen[0.02]):
        assert one >= 0.95
        assert other <= 0.05
