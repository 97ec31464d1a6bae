"""Who somebody is at an instant: the same reading answers for a microsecond before, the instant itself, and after."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lianfang.accounts import actions as accounts
from lianfang.accounts.models import Affiliation
from lianfang.charter.models import ConfidentialityDuty
from lianfang.kernel.refusal import Refusal
from lianfang.members import actions, queries
from lianfang.members.actors import person_of
from lianfang.members.models import Constituent
from lianfang.members.standing import Spell, gaps_of, standing_of
from lianfang.members.subjects import facts_of, facts_of_person, subject_for, subject_of
from lianfang.policy.facts import Duty, Gap, Kind, Pair, Role, Standing, Subject, Tlp
from tests import world
from tests.members.cases import appealed, declare, give, opened, revoked

TICK = timedelta(microseconds=1)


def standings(actor: world.Actor, *instants: datetime) -> list[Standing]:
    return [actor.subject(at).standing for at in instants]


def around(at: datetime) -> tuple[datetime, datetime, datetime]:
    return at - TICK, at, at + TICK


# Standing


def test_a_member_stands_from_the_microsecond_of_its_approval(made: world.World) -> None:
    began = made.jia.membership.began_at
    assert standings(made.jia.admin, *around(began)) == [Standing.NONE, Standing.ACTIVE, Standing.ACTIVE]
    assert standings(made.jia.admin, began.replace(year=2000)) == [Standing.NONE]


def test_the_former_member_stood_until_the_microsecond_of_its_revocation(made: world.World) -> None:
    ended = made.former.membership.ended_at
    assert ended is not None
    assert standings(made.former.admin, *around(ended)) == [Standing.ACTIVE, Standing.REVOKED, Standing.REVOKED]
    assert made.former.admin.subject().gaps == {Gap(ended)}


def test_page_list_and_subject_agree_at_every_turn(made: world.World) -> None:
    """Standing is told in three places; they are one."""
    revoked(made)
    ended = made.clock.at
    case = queries.last_revocation(made.jia.organization.pk)
    assert case is not None
    appeal = appealed(made, case, made.jia.admin)
    declare(made, appeal, made.approver2)
    actions.decide_appeal(
        appeal=appeal,
        grant=True,
        because="explanation",
        text="合理。",
        by=made.approver2.subject(),
        at=made.clock.tick(),
    )
    back = made.clock.at
    organization = made.jia.organization
    for at in (*around(made.jia.membership.began_at), *around(ended), *around(back)):
        told = made.jia.admin.subject(at).standing
        assert told is queries.standing(organization.pk, at)
        assert (organization in queries.members_in_force(at=at)) is (told is Standing.ACTIVE)
    assert queries.gaps(organization.pk) == queries.gaps(organization.pk, made.clock.at) == {Gap(ended, back)}


def test_a_review_is_told_as_a_review_and_stands(made: world.World) -> None:
    opened(made)
    assert standings(made.jia.admin, made.clock.at) == [Standing.UNDER_REVIEW]
    assert made.jia.organization in queries.members_in_force(at=made.clock.at)


def test_the_coordinator_counts_as_active_and_is_no_member(made: world.World) -> None:
    subject = made.reviewer.subject()
    assert (subject.standing, subject.is_coordinator, subject.is_constituent) == (Standing.ACTIVE, True, False)
    assert queries.standing(made.centre.pk, made.clock.at) is Standing.ACTIVE
    assert made.centre not in queries.members_in_force(at=made.clock.at)
    assert subject.gaps == frozenset()


def test_of_an_organisation_that_is_none_nothing_is_told(made: world.World) -> None:
    assert queries.standing(uuid4(), made.clock.at) is Standing.NONE
    assert queries.gaps(uuid4()) == frozenset()
    assert queries.last_revocation(uuid4()) is None
    assert queries.administrators(organization_id=uuid4(), at=made.clock.at) == []


# Constituents


def test_a_constituent_stands_and_falls_with_its_group_and_its_screening(made: world.World) -> None:
    for actor, clear in ((made.wu, True), (made.ji, False)):
        subject = actor.subject()
        assert subject.is_constituent
        assert subject.constituent_ok is clear
        assert subject.standing is Standing.ACTIVE
        assert subject.pair == Pair(actor.organization.pk, made.ding.organization.pk)
    assert not made.ding.admin.subject().is_constituent
    revoked(made, made.ding)
    assert standings(made.wu, *around(made.clock.at)) == [Standing.ACTIVE, Standing.REVOKED, Standing.REVOKED]


@pytest.mark.parametrize("screening", ["pending", "clear", "name_hit", "other_entity", "id_hit", "unverifiable"])
def test_only_the_screened_and_the_judged_get_in(made: world.World, screening: str) -> None:
    Constituent.objects.filter(organization=made.wu.organization).update(screening=screening)
    assert made.wu.subject().constituent_ok is (screening in ("clear", "other_entity"))
    assert (made.client(made.wu).get("/member").status_code == 200) is (screening in ("clear", "other_entity"))


def test_a_constituent_taken_off_the_roster_is_out(made: world.World) -> None:
    Constituent.objects.filter(organization=made.wu.organization).update(removed_at=made.clock.at)
    assert not made.wu.subject().constituent_ok
    assert made.client(made.wu).get("/member").status_code == 404
    assert made.wu.organization not in {row.organization for row in queries.roster_of(made.ding.organization.pk)}


# People


def test_roles_duties_and_the_second_factor(made: world.World) -> None:
    roles = {
        "admin": Role.MEMBER_ADMIN,
        "deputy": Role.MEMBER_ADMIN,
        "contact": Role.SECURITY_CONTACT,
        "member": Role.MEMBER,
    }
    for name, role in roles.items():
        subject = getattr(made.jia, name).subject()
        assert (subject.role, subject.duties, subject.mfa, subject.kind) == (role, frozenset(), True, Kind.PERSON)
        assert not getattr(made.jia, name).subject(mfa=False).mfa
    assert made.reviewer.subject().duties == {Duty.REVIEWER}
    assert made.granter1.subject().duties == {Duty.DUTY_GRANTER}


def test_a_duty_is_held_from_its_grant_on_and_by_staff_alone(made: world.World) -> None:
    before = made.clock.at
    give(made, made.analyst, Duty.LEGAL)
    at = made.clock.at
    assert made.analyst.subject(before).duties == {Duty.ANALYST}
    assert [Duty.LEGAL in made.analyst.subject(when).duties for when in around(at)] == [False, True, True]


def test_the_duty_of_confidentiality_is_counted_from_its_instant(made: world.World) -> None:
    affiliation = made.jia.member.affiliation
    row = ConfidentialityDuty.objects.get(person=affiliation.person, organization=affiliation.organization)
    assert [made.jia.member.subject(at).acknowledged for at in around(row.acknowledged_at)] == [False, True, True]


def test_who_left_is_out_from_that_instant_and_stays_on_record(made: world.World) -> None:
    accounts.leave(affiliation=made.jia.member.affiliation, by=made.jia.admin.subject(), at=made.clock.tick())
    left = made.clock.at
    assert made.jia.member.subject(left).left_at == left
    assert Affiliation.objects.filter(pk=made.jia.member.affiliation.pk).exists()
    assert made.client(made.jia.member).get("/member").status_code in (302, 404)


def test_administrators_are_those_who_have_not_left(made: world.World) -> None:
    def names(at: datetime) -> set[Any]:
        return {person.pk for person in queries.administrators(organization_id=made.jia.organization.pk, at=at)}

    both = {made.jia.admin.person.pk, made.jia.deputy.person.pk}
    assert names(made.clock.at) == both
    accounts.leave(affiliation=made.jia.deputy.affiliation, by=made.jia.deputy.subject(), at=made.clock.tick())
    assert names(made.clock.at - TICK) == both
    assert names(made.clock.at) == {made.jia.admin.person.pk}


def test_everything_about_a_person_is_read_by_one_statement(made: world.World, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(1):
        row = facts_of(made.jia.admin.affiliation.pk)
    with django_assert_num_queries(0):
        subjects = [subject_of(row, at=made.clock.at + timedelta(days=n), mfa=True) for n in range(-3, 3)]
    assert subjects[0].standing is Standing.NONE
    assert subjects[-1].standing is Standing.ACTIVE


def test_the_statement_that_is_kept_answers_each_question_by_itself(made: world.World) -> None:
    actors = [made.jia.admin, made.wu, made.ji, made.former.admin, made.reviewer, made.analyst]
    for actor in (*actors, *reversed(actors)):
        (row,) = facts_of_person(actor.person.pk)
        assert row == facts_of(row.pk) == actor.affiliation
        assert (row.person, row.organization) == (actor.person, actor.organization)
        assert subject_of(row, at=made.clock.at, mfa=True) == actor.subject()
    assert facts_of_person(uuid4()) == []


def test_somebody_elses_affiliation_gives_no_subject(made: world.World) -> None:
    with pytest.raises(Refusal, match="not yours"):
        subject_for(person=made.yi.admin.person.pk, affiliation=made.jia.admin.affiliation, at=made.clock.at, mfa=True)


def test_only_a_person_signs(made: world.World) -> None:
    assert person_of(made.jia.admin.subject()) == made.jia.admin.person.pk
    for subject in (Subject.public(), world.SYSTEM):
        with pytest.raises(ValueError, match="is no person"):
            person_of(subject)


def test_relays_that_come_by_themselves_are_a_setting(made: world.World) -> None:
    assert made.wu.subject().terms.automatic_relay == {Tlp.GREEN, Tlp.CLEAR}
    assert made.wu.subject().relays == frozenset()


# What follows from any history

_DAYS = st.lists(st.integers(0, 400), min_size=0, max_size=10, unique=True).map(sorted)
_ZERO = datetime(2026, 1, 1, tzinfo=UTC)


def spells_of(days: list[int], members: list[int], last: str) -> list[Spell]:
    """Spells that follow one another; an odd number of days leaves the last one open."""
    pairs = [days[place : place + 2] for place in range(0, len(days), 2)]
    found = []
    for place, pair in enumerate(pairs):
        began = _ZERO + timedelta(days=pair[0])
        ended = _ZERO + timedelta(days=pair[1]) if len(pair) > 1 else None
        state = "active" if ended is None else last
        found.append(Spell(f"m{members[place % len(members)]}", state, began, ended))
    return found


@settings(max_examples=120)
@given(
    days=_DAYS,
    members=st.lists(st.integers(0, 1), min_size=1, max_size=5),
    last=st.sampled_from(["revoked", "terminated"]),
)
def test_at_every_instant_one_is_in_force_or_in_a_gap_or_not_yet_there(
    days: list[int], members: list[int], last: str
) -> None:
    spells = spells_of(days, members, last)
    gaps = gaps_of(spells)
    instants = [
        at + step
        for spell in spells
        for at in (spell.began_at, spell.ended_at)
        if at
        for step in (-TICK, TICK * 0, TICK)
    ]
    for at in instants:
        standing = standing_of(spells, at)
        held = any(spell.holds(at) for spell in spells)
        gap = any(one.start <= at and (one.end is None or at < one.end) for one in gaps)
        begun = any(spell.began_at <= at for spell in spells)
        assert held == (standing is Standing.ACTIVE)
        assert gap == (begun and not held)
        assert (standing is Standing.NONE) == (not begun)
    fewer = gaps_of(spells, between_memberships=False)
    assert fewer <= gaps
    assert all(one.end is None or one.start < one.end for one in gaps)


@settings(max_examples=40)
@given(days=_DAYS)
def test_within_one_membership_every_gap_counts_whatever_the_setting(days: list[int]) -> None:
    spells = spells_of(days, [0], "revoked")
    assert gaps_of(spells) == gaps_of(spells, between_memberships=False)
