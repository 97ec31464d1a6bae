"""What must hold in every world, whatever the single rules say."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from random import Random

import pytest

from lianfang.policy.compare import is_wider
from lianfang.policy.decide import decide, next_change, visible_sources
from lianfang.policy.facts import AudienceKind, Channel, Kind, Label, Request, Right, Tlp
from tests.policy.generate import Question, cases, one
from tests.policy.ground import AT, GROUPS, READING, TICK, a_label, make_label
from tests.policy.situations import CHANGES, label_change

pytestmark = pytest.mark.fast


def allowed(question: Question, **changes: object) -> bool:
    asked = replace(question, **changes)  # type: ignore[arg-type]
    return decide(
        subject=asked.subject, right=asked.right, target=asked.target, at=asked.at, request=asked.request
    ).allowed


def of_items(seed: int, count: int) -> list[Question]:
    rng = Random(seed)
    asked = [one(rng, rng.choice(READING)) for _ in range(count)]
    return [question for question in asked if isinstance(question.target, Label)]


def test_a_stricter_tlp_never_adds_a_reader() -> None:
    compared = 0
    for question in of_items(31, 6_000):
        label = question.target
        assert isinstance(label, Label)
        if label.audience.kind is AudienceKind.PERSONS:
            continue  # named persons belong to RED alone
        stricter = [label.relabelled(tlp=tlp, audience=label.audience) for tlp in Tlp if tlp > label.tlp]
        readers = [allowed(question, target=candidate) for candidate in (label, *stricter)]
        assert readers == sorted(readers, reverse=True), question
        compared += readers[0]
    assert compared > 500


def test_a_token_never_exceeds_its_person() -> None:
    compared = 0
    for question in cases(seed=32, count=15_000):
        subject = question.subject
        if subject.kind is not Kind.TOKEN or not allowed(question):
            continue
        label = question.target
        if isinstance(label, Label) and allowed(question, subject=subject.public()):
            continue  # what anybody may have
        assert subject.owner is not None
        assert allowed(question, subject=subject.owner), question
        compared += 1
    assert compared > 300


def test_what_is_not_wider_adds_no_reader_at_any_instant() -> None:
    rng = Random(33)
    counted: Counter[bool] = Counter()
    for question in of_items(34, 12_000):
        old = question.target
        assert isinstance(old, Label)
        facts = {name: getattr(old, name) for name in old.__dataclass_fields__}
        new = make_label(facts | label_change(rng, facts, rng.choice(CHANGES)))
        wider = is_wider(old=old, new=new)
        counted[wider] += 1
        for at in (AT - TICK, AT, AT + TICK):
            gains = allowed(question, right=Right.READ, target=new, at=at) and not allowed(
                question, right=Right.READ, target=old, at=at
            )
            assert wider or not gains, (question, new)
    assert min(counted.values()) > 1_000


def test_a_label_is_not_wider_than_itself() -> None:
    rng = Random(35)
    for _ in range(200):
        label = make_label(a_label(rng))
        assert not is_wider(old=label, new=label)


def test_between_changes_nothing_changes() -> None:
    for question in of_items(36, 4_000):
        label = question.target
        assert isinstance(label, Label)
        until = next_change(subject=question.subject, label=label, at=AT)
        before = AT + 5 * TICK if until is None else until - TICK
        assert allowed(question) == allowed(question, at=max(AT, before)), question


def test_who_may_know_one_source_is_told_no_other() -> None:
    for question in of_items(37, 4_000):
        label = question.target
        assert isinstance(label, Label)
        request = Request(channel=Channel.PAGE)
        told = visible_sources(subject=question.subject, label=label, at=AT, request=request)
        every = allowed(question, right=Right.READ_SOURCE, request=request)
        if every:
            assert told == label.sources
            continue
        for source in told:
            assert question.subject.pair == (label.owner if source.pair is None else source.pair), question


def test_tightening_voids_what_stood_on_the_wider_label() -> None:
    label = make_label(a_label(Random(38), tlp=Tlp.AMBER, relayed_by=frozenset(GROUPS)))
    strict = label.relabelled(tlp=Tlp.AMBER_STRICT, audience=label.audience)
    assert strict.relayed_by == frozenset()
    assert strict.once_above_amber
    back = strict.relabelled(tlp=Tlp.GREEN, audience=label.audience)
    assert back.once_above_amber
    assert back.relayed_by == frozenset()


def test_a_naive_instant_is_an_error() -> None:
    question = of_items(39, 10)[0]
    with pytest.raises(ValueError, match="aware"):
        allowed(question, at=AT.replace(tzinfo=None))
