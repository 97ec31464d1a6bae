"""What is visible over a table of labels is what the second evaluation allows, label by label, as time goes on."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest

from lianfang.policy.decide import next_change
from lianfang.policy.facts import Right, Tlp
from lianfang.policy.visible import LabelTable, Profiles
from tests.goals import goal
from tests.policy.cast import ALPHA, PAGE, SOON, item, own, person
from tests.policy.ground import AT, TICK
from tests.policy.oracle import evaluate
from tests.policy.worlds import ITEMS, LABELS, SUBJECTS, World, world

WORLDS, FULL = 400, 2_000
LATER = (AT, AT + TICK)


def rows(of: World, ids: frozenset[int]) -> list[int]:
    return [place for place, label_id in enumerate(of.items) if label_id in ids]


def check(of: World, seen: Counter[str]) -> None:
    """Every subject, at an instant and again a tick later: the rows of `visible` against the second evaluation."""
    assert len(of.asking) >= SUBJECTS
    assert len(of.labels) >= LABELS
    assert len(of.items) >= ITEMS
    profiles, table = Profiles(), LabelTable(of.labels)
    for subject, right, request in of.asking:
        for at in LATER:
            ids, _ = profiles.answer(table=table, subject=subject, right=right, at=at, request=request)
            expected = frozenset(
                number for number, label in of.labels.items() if evaluate(subject, right, label, at, request).allowed
            )
            assert rows(of, ids) == rows(of, expected), (subject, right, request, at)
            seen["rows"] += len(rows(of, ids))
            seen["subjects with rows"] += bool(ids)
            for number in ids:
                seen["container"] += bool(of.labels[number].requires)
                seen["narrowed"] += of.labels[number].narrowed_to.kind != "none"
                seen["embargo"] += of.labels[number].not_before is not None


@pytest.mark.fast
def test_fifty_worlds() -> None:
    seen: Counter[str] = Counter()
    for seed in range(50):
        check(world(seed), seen)
    assert min(seen.values()) > 50, seen


@pytest.mark.parametrize(
    "count", [WORLDS, pytest.param(FULL, marks=[pytest.mark.long, pytest.mark.timeout(1800)], id="full")]
)
def test_many_worlds(count: int) -> None:
    seen: Counter[str] = Counter()
    with goal("worlds in which rows of visible are held against the second evaluation", seed=1000) as counted:
        for seed in range(1_000, 1_000 + count):
            check(world(seed), seen)
            counted.count += 1
        counted.also = str(dict(seen))
        assert min(seen.values()) > count, seen


@pytest.mark.fast
def test_an_answer_is_good_until_time_changes_it() -> None:
    profiles, table = Profiles(), LabelTable({1: item(not_before=SOON), 2: item(), 3: own(tlp=Tlp.RED)})

    def ask(at: object) -> object:
        return profiles.answer(table=table, subject=person(), right=Right.READ, at=at, request=PAGE)  # type: ignore[arg-type]

    assert ask(AT) == (frozenset({2}), SOON)
    assert ask(SOON) == (frozenset({1, 2}), None)
    # An instant before the last one asked is decided afresh.
    assert ask(AT) == (frozenset({2}), SOON)


@pytest.mark.fast
def test_new_labels_are_added_and_absent_ones_left_out() -> None:
    profiles = Profiles()

    def ask(*numbers: int) -> frozenset[int]:
        table = LabelTable({number: item() for number in numbers})
        return profiles.answer(table=table, subject=person(), right=Right.READ, at=AT, request=PAGE)[0]

    assert ask(1) == {1}
    assert ask(1, 2) == {1, 2}
    assert ask(2) == {2}


@pytest.mark.fast
def test_a_receipt_of_one_item_is_not_said_of_a_whole_table() -> None:
    label = replace(item(), state=item().state.RECALLED)
    request = replace(PAGE, received=True)
    ids, _ = Profiles().answer(
        table=LabelTable({1: label}), subject=person(), right=Right.SEE_NOTICE, at=AT, request=request
    )
    assert ids == frozenset()


@pytest.mark.fast
def test_the_least_recently_asked_profile_is_forgotten() -> None:
    profiles = Profiles(kept=1)
    for subject in (person(), person(ALPHA, mfa=False)):
        profiles.answer(table=LabelTable({1: item()}), subject=subject, right=Right.READ, at=AT, request=PAGE)
    assert len(profiles._profiles) == 1
    profiles.forget()
    assert not profiles._profiles


@pytest.mark.fast
def test_the_next_change_is_the_first_instant_ahead() -> None:
    label = item(not_before=SOON, requires=frozenset({item(not_before=AT + timedelta(seconds=1))}))
    assert next_change(subject=person(), label=label, at=AT) == SOON
    assert next_change(subject=person(), label=label, at=SOON) == AT + timedelta(seconds=1)
    assert next_change(subject=person(left_at=SOON), label=item(), at=AT) == SOON
    assert next_change(subject=person(), label=item(), at=AT) is None
