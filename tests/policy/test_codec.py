"""A label written and read again is the same label, and equal labels have equal digests."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta, timezone

import pytest

from lianfang.policy import codec
from lianfang.policy.facts import Label, NarrowedKind, NarrowedTo, Pap, Source, Tlp
from tests.policy.cast import ALPHA, BETA, SOON, item, own, red
from tests.policy.generate import cases
from tests.policy.worlds import world

pytestmark = pytest.mark.fast


def read_again(label: Label) -> Label:
    return codec.from_json(json.loads(json.dumps(codec.to_json(label))))


def test_nothing_is_lost() -> None:
    labels = [q.target for q in cases(seed=71, count=6_000) if isinstance(q.target, Label)]
    labels += [label for seed in range(20) for label in world(seed).labels.values()]
    assert len(labels) > 2_000
    for label in labels:
        assert read_again(label) == label


def test_different_labels_have_different_digests() -> None:
    labels = {q.target for q in cases(seed=72, count=3_000) if isinstance(q.target, Label)}
    assert len({codec.digest(codec.to_json(label)) for label in labels}) == len(labels)


def test_the_digest_does_not_know_the_order_of_a_set_nor_the_zone_of_a_clock() -> None:
    taipei = timezone(timedelta(hours=8))
    first = own(sources=frozenset([Source(ALPHA), Source(BETA)]), not_before=SOON)
    second = own(sources=frozenset([Source(BETA), Source(ALPHA)]), not_before=SOON.astimezone(taipei))
    assert codec.digest(codec.to_json(first)) == codec.digest(codec.to_json(second))


def test_plain_defaults_are_left_out() -> None:
    assert set(codec.to_json(item())) == {"audience", "owner", "shared_at", "sources", "submitted_by", "tlp"}


def test_every_part_is_carried() -> None:
    full = red(ALPHA, pap=Pap.AMBER, narrowed_to=NarrowedTo(NarrowedKind.PERSON, ALPHA.group, BETA.group))
    assert read_again(full) == full
    assert codec.to_json(full)["audience"]["members"][0].keys() == {"person", "organization"}


def test_a_naive_instant_is_refused() -> None:
    with pytest.raises(ValueError, match="aware"):
        codec.to_json(replace(item(), shared_at=SOON.replace(tzinfo=None)))


def test_what_is_no_label_is_refused() -> None:
    with pytest.raises(KeyError):
        codec.from_json({"tlp": "PINK"})
    with pytest.raises(KeyError):
        codec.from_json(codec.to_json(item(tlp=Tlp.GREEN)) | {"tlp": "PINK"})
