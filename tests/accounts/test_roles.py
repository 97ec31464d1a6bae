"""Roles and duties: who moves whom, what moves with it at once, and what two people can never do to each other."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse

from lianfang.accounts import actions
from lianfang.accounts.doors import may
from lianfang.accounts.models import Affiliation, DutyGrant
from lianfang.accounts.queries import duties_of, holders
from lianfang.audit.models import Entry
from lianfang.kernel.refusal import Refusal
from lianfang.policy.facts import Duty, Right, Role
from tests.accounts.cast import Few, enter, member_organization
from tests.accounts.test_governance import propose
from tests.accounts.test_pages import browser
from tests.world import SYSTEM, Actor

TICK = timedelta(microseconds=1)
AROUND = (-TICK, 0 * TICK, TICK)


def rights(actor: Actor) -> set[Right]:
    """What somebody may do now, on no case."""
    return {right for right in Right if may(subject=actor.subject(), right=right, at=actor.clock.at)}


def others(cast: Few) -> Actor:
    """An administrator of another organisation."""
    second = member_organization(cast.clock, place=2, name="乙示範精密股份有限公司")
    return enter(cast.clock, second, email="a@m2.example", name="外人", role=Role.MEMBER_ADMIN)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("role", "has", "has_not"),
    [
        (Role.MEMBER_ADMIN, {Right.MANAGE_PEOPLE, Right.MAKE_TOKEN, Right.SUBMIT}, {Right.REVIEW, Right.GRANT_DUTY}),
        (Role.SECURITY_CONTACT, {Right.SUBMIT}, {Right.MANAGE_PEOPLE, Right.MAKE_TOKEN}),
        (Role.MEMBER, {Right.SUBMIT}, {Right.MANAGE_PEOPLE, Right.MAKE_TOKEN}),
    ],
)
def test_a_role_moves_rights_at_once(cast: Few, role: Role, has: set[Right], has_not: set[Right]) -> None:
    actions.change_role(affiliation=cast.deputy.affiliation, role=role, by=cast.admin.subject(), at=cast.clock.tick())
    found = rights(cast.deputy)
    assert has <= found
    assert not has_not & found
    entry = Entry.objects.filter(tag="accounts:affiliation:change_role").latest("pk")
    assert entry.detail == {"from": "member_admin", "to": role.value}


@pytest.mark.django_db
def test_a_session_that_is_open_has_the_new_role_at_its_next_request(cast: Few) -> None:
    client = browser(cast.deputy)
    assert client.get(reverse("people")).status_code == 200
    browser(cast.admin).post(reverse("change_role", args=[cast.deputy.affiliation.pk]), {"role": "member"})
    answer = client.get(reverse("people"))
    assert answer.status_code == 403
    assert client.post(reverse("new_connection"), {"name": "x"}).status_code == 403
    browser(cast.admin).post(reverse("change_role", args=[cast.deputy.affiliation.pk]), {"role": "member_admin"})
    assert client.get(reverse("people")).status_code == 200


@pytest.mark.django_db
@pytest.mark.parametrize("who", ["member", "reviewer", "granter1", "approver", "stranger"])
def test_only_an_administrator_of_ones_own_moves_a_role_or_lets_somebody_go(cast: Few, who: str) -> None:
    actor = {"member": cast.member, "stranger": others(cast)}.get(who) or cast.staff[who]
    targets = [cast.member.affiliation, cast.deputy.affiliation, actor.affiliation]
    for target in targets:
        before = Affiliation.objects.values().get(pk=target.pk)
        if who == "stranger" and target == actor.affiliation:
            continue
        with pytest.raises(Refusal) as refused:
            actions.change_role(affiliation=target, role=Role.MEMBER_ADMIN, by=actor.subject(), at=cast.clock.tick())
        assert refused.value.rule in {"G-manage_people", "own-organisation"}
        with pytest.raises(Refusal) as refused:
            actions.leave(affiliation=target, by=actor.subject(), at=cast.clock.tick())
        assert refused.value.rule in {"G-manage_people", "own-organisation"}
        assert Affiliation.objects.values().get(pk=target.pk) == before


@pytest.mark.django_db
@pytest.mark.parametrize("missing", ["mfa", "role", "left"])
def test_an_administrator_needs_every_step_and_to_be_there(cast: Few, missing: str) -> None:
    by = cast.admin.subject(mfa=missing != "mfa")
    if missing == "role":
        actions.change_role(
            affiliation=cast.admin.affiliation, role=Role.MEMBER, by=cast.deputy.subject(), at=cast.clock.tick()
        )
        by = cast.admin.subject()
    if missing == "left":
        actions.leave(affiliation=cast.admin.affiliation, by=cast.deputy.subject(), at=cast.clock.tick())
        by = cast.admin.subject()
    assert may(subject=by, right=Right.MANAGE_PEOPLE, at=cast.clock.at) is False or missing == "mfa"
    client = browser(cast.admin, mfa=missing != "mfa")
    answer = client.post(reverse("change_role", args=[cast.member.affiliation.pk]), {"role": "member_admin"})
    assert answer.status_code in (302, 403, 404)
    cast.member.affiliation.refresh_from_db()
    assert cast.member.affiliation.role == "member"


@pytest.mark.django_db
def test_a_groups_administrator_manages_its_constituents_and_not_the_other_way_round(cast: Few) -> None:
    child = actions.create_organization(kind="constituent", name_zh="戊示範", by=SYSTEM, at=cast.clock.tick())
    person = actions.person_enter(name="吳舉例", email="wu@m1.example", by=SYSTEM, at=cast.clock.tick())
    invitation, _ = actions.invite(
        person=person, organization=child, group=cast.organization, role=Role.MEMBER_ADMIN, by=SYSTEM,
        at=cast.clock.tick(),
    )  # fmt: skip
    actions.accept_invitation(invitation=invitation, password="a long sentence here", at=cast.clock.tick())
    of_child = Affiliation.objects.select_related("person", "organization", "group").get(organization=child)
    account = of_child.person.account
    theirs = Actor(of_child, account, cast.clock)
    with pytest.raises(Refusal):
        actions.change_role(
            affiliation=cast.member.affiliation, role=Role.MEMBER_ADMIN, by=theirs.subject(), at=cast.clock.tick()
        )
    # A constituent may be without an administrator: its group manages it.
    actions.change_role(affiliation=of_child, role=Role.MEMBER, by=cast.admin.subject(), at=cast.clock.tick())
    actions.leave(affiliation=of_child, by=cast.deputy.subject(), at=cast.clock.tick())


@pytest.mark.django_db
def test_an_invited_administrator_is_none_yet(cast: Few) -> None:
    person = actions.person_enter(name="吳新人", email="new@m1.example", by=SYSTEM, at=cast.clock.tick())
    actions.invite(
        person=person, organization=cast.organization, group=cast.organization, role=Role.MEMBER_ADMIN, by=SYSTEM,
        at=cast.clock.tick(),
    )  # fmt: skip
    actions.leave(affiliation=cast.deputy.affiliation, by=cast.admin.subject(), at=cast.clock.tick())
    for deed in (
        lambda: actions.leave(affiliation=cast.admin.affiliation, by=cast.admin.subject(), at=cast.clock.tick()),
        lambda: actions.change_role(
            affiliation=cast.admin.affiliation, role=Role.SECURITY_CONTACT, by=cast.admin.subject(),
            at=cast.clock.tick(),
        ),
    ):  # fmt: skip
        with pytest.raises(Refusal) as refused:
            deed()
        assert refused.value.rule == "last-administrator"
    # A role that stays what it is takes nothing away.
    actions.change_role(
        affiliation=cast.admin.affiliation, role=Role.MEMBER_ADMIN, by=cast.admin.subject(), at=cast.clock.tick()
    )


@pytest.mark.django_db
def test_the_page_of_the_last_administrator_says_whom_to_invite_first(cast: Few) -> None:
    actions.leave(affiliation=cast.deputy.affiliation, by=cast.admin.subject(), at=cast.clock.tick())
    client = browser(cast.admin)
    answer = client.post(reverse("change_role", args=[cast.admin.affiliation.pk]), {"role": "member"})
    assert answer.status_code == 422
    assert "請先邀請另一位管理員" in answer.content.decode()
    answer = client.post(
        reverse("person_leaves", args=[cast.admin.affiliation.pk]), {"second_factor_code": cast.admin.code()}
    )
    assert answer.status_code == 422
    assert "請先邀請另一位管理員" in answer.content.decode()
    assert client.get(reverse("people")).status_code == 200


@pytest.mark.django_db
def test_whom_to_ask_are_those_who_hold_the_right_now(cast: Few) -> None:
    at = cast.clock.at
    asked = holders(subject=cast.member.subject(), right=Right.MANAGE_PEOPLE, at=at)
    assert asked == ["林樣本", "陳示範"]
    actions.change_role(
        affiliation=cast.deputy.affiliation, role=Role.MEMBER, by=cast.admin.subject(), at=cast.clock.tick()
    )
    assert holders(subject=cast.member.subject(), right=Right.MANAGE_PEOPLE, at=cast.clock.at) == ["林樣本"]
    assert holders(subject=cast.member.subject(), right=Right.MANAGE_PEOPLE, at=at - TICK) in (
        ["林樣本"], ["林樣本", "陳示範"],
    )  # fmt: skip
    page = browser(cast.member).get(reverse("connections")).content.decode()
    assert "林樣本" in page
    assert "陳示範" not in page


# Duties at their instants


@pytest.mark.django_db
def test_a_duty_holds_from_its_grant_to_its_end(cast: Few) -> None:
    grant = propose(cast)
    granted = cast.clock.tick()
    actions.grant_duty(grant=grant, by=cast.staff["granter2"].subject(), at=granted)
    ended = cast.clock.tick(hours=1)
    actions.end_duty(grant=grant, by=cast.staff["granter2"].subject(), at=ended)
    person = cast.staff["reviewer"]
    for step, there in zip(AROUND, (False, True, True), strict=True):
        assert (Duty.LEGAL in duties_of(person_id=grant.person_id, at=granted + step)) is there
        assert (Duty.LEGAL in person.subject(granted + step).duties) is there
    for step, there in zip(AROUND, (True, False, False), strict=True):
        assert (Duty.LEGAL in duties_of(person_id=grant.person_id, at=ended + step)) is there
        assert (Duty.LEGAL in person.subject(ended + step).duties) is there


@pytest.mark.django_db
def test_a_duty_that_ended_can_be_proposed_again_and_both_stand_on_record(cast: Few) -> None:
    first = propose(cast)
    actions.grant_duty(grant=first, by=cast.staff["granter2"].subject(), at=cast.clock.tick())
    actions.end_duty(grant=first, by=cast.staff["granter1"].subject(), at=cast.clock.tick())
    with pytest.raises(Refusal):
        actions.end_duty(grant=first, by=cast.staff["granter1"].subject(), at=cast.clock.tick())
    second = propose(cast)
    actions.grant_duty(grant=second, by=cast.staff["granter2"].subject(), at=cast.clock.tick())
    assert DutyGrant.objects.filter(duty="legal", person=first.person).count() == 2


@pytest.mark.django_db
@pytest.mark.parametrize("duty", sorted(Duty))
def test_no_duty_is_had_by_ones_own_hand(cast: Few, duty: Duty) -> None:
    granter = cast.staff["granter1"]
    with pytest.raises(Refusal):
        actions.propose_duty(
            person=granter.person, duty=duty, reason="自己", by=granter.subject(), at=cast.clock.tick()
        )
    if duty is Duty.DUTY_GRANTER:
        return
    # Two together can, for each other only: the second one must not be the one who gains.
    grant = actions.propose_duty(
        person=granter.person, duty=duty, reason="代理", by=cast.staff["granter2"].subject(), at=cast.clock.tick()
    )
    for actor in (granter, cast.staff["granter2"]):
        with pytest.raises(Refusal):
            actions.grant_duty(grant=grant, by=actor.subject(), at=cast.clock.tick())
    assert duty not in granter.subject().duties


@pytest.mark.django_db
def test_a_reason_is_asked_for_and_kept_by_its_digest(cast: Few) -> None:
    for reason in ("", " ", "\n\t"):
        with pytest.raises(Refusal) as refused:
            actions.propose_duty(
                person=cast.staff["reviewer"].person, duty=Duty.LEGAL, reason=reason,
                by=cast.staff["granter1"].subject(), at=cast.clock.tick(),
            )  # fmt: skip
        assert refused.value.field == "reason"
    grant = propose(cast)
    entry = Entry.objects.get(tag="accounts:duty:propose", about_id=str(grant.pk))
    assert "代理" not in str(entry.detail)


@pytest.mark.django_db
def test_a_granter_whose_duty_ended_grants_nothing_more(cast: Few) -> None:
    third = actions.propose_duty(
        person=cast.staff["legal"].person, duty=Duty.DUTY_GRANTER, reason="第三位",
        by=cast.staff["granter1"].subject(), at=cast.clock.tick(),
    )  # fmt: skip
    actions.grant_duty(grant=third, by=cast.staff["granter2"].subject(), at=cast.clock.tick())
    waiting = propose(cast, Duty.ANALYST)
    mine = DutyGrant.objects.get(duty="duty_granter", person=cast.staff["granter2"].person)
    actions.end_duty(grant=mine, by=cast.staff["granter1"].subject(), at=cast.clock.tick())
    with pytest.raises(Refusal) as refused:
        actions.grant_duty(grant=waiting, by=cast.staff["granter2"].subject(), at=cast.clock.tick())
    assert refused.value.rule == "G-grant_duty"
    assert browser(cast.staff["granter2"]).get(reverse("duties")).status_code in (403, 404)


@pytest.mark.django_db
def test_duties_of_a_person_who_is_not_of_the_centre_count_for_nothing(cast: Few) -> None:
    at = cast.clock.tick()
    DutyGrant.objects.create(person=cast.admin.person, duty="approver", state="granted", proposed_at=at, granted_at=at)
    assert cast.admin.subject().duties == frozenset()
    assert browser(cast.admin).get(reverse("settings")).status_code == 404
