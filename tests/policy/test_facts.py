"""The facts refuse what cannot be, and name whoever acts."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from uuid import UUID

import pytest

from lianfang.policy.facts import Caveats, Kind, Label, Pap, Right, Source, Subject, Tlp
from tests.policy.cast import ALPHA, item, link, own, person, token
from tests.policy.ground import PERSONS, TOKEN

pytestmark = pytest.mark.fast


def test_the_order_of_tlp_is_its_strictness() -> None:
    assert sorted(Tlp) == [Tlp.CLEAR, Tlp.GREEN, Tlp.AMBER, Tlp.AMBER_STRICT, Tlp.RED]
    assert Tlp.AMBER_STRICT.label == "TLP:AMBER+STRICT"
    assert Pap.AMBER.label == "PAP:AMBER"


def test_who_acts_has_a_stable_name() -> None:
    assert person().actor_id == f"person:{PERSONS[0]}"
    assert token(person()).actor_id == f"token:{TOKEN}"
    assert link(Right.FILE_APPEAL).actor_id == "link:A-2026-0001"
    assert Subject.system("sweep").actor_id == "system:sweep"
    assert Subject.public().actor_id == "public"


def test_a_token_carries_its_owners_facts() -> None:
    made = token(person(mfa=False))
    assert made.kind is Kind.TOKEN
    assert made.pair == ALPHA
    assert made.owner == person(mfa=False)
    assert not made.mfa


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match="token"):
        Subject(kind=Kind.TOKEN, caveats=Caveats(rights=frozenset()))
    with pytest.raises(ValueError, match="link"):
        Subject(kind=Kind.LINK)
    with pytest.raises(ValueError, match="source"):
        Source()
    with pytest.raises(ValueError, match="source"):
        Source(ALPHA, "cert-a")
    with pytest.raises(ValueError, match="sources"):
        item(sources=frozenset())
    with pytest.raises(ValueError, match="requires"):
        item(requires=frozenset({item(requires=frozenset({own()}))}))


def test_facts_are_frozen_and_hashable() -> None:
    label: Label = item()
    with pytest.raises(FrozenInstanceError):
        label.tlp = Tlp.CLEAR  # type: ignore[misc]
    assert len({item(), item(), person()}) == 2


def test_owners_are_the_sources_and_the_owner_of_an_external_one() -> None:
    assert item().owners == {item().owner}
    assert own(sources=frozenset({Source(external="cert-a")})).owners == {ALPHA}
    assert own(sources=frozenset({Source(external="cert-a")}), owner=None).owners == frozenset()
    assert own(owner=None, submitted_by=UUID(int=1)).owners == {ALPHA}
