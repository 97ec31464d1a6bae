"""Nobody's rights rise by his own act: whatever is tried, in whatever order, by whomever."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.db import transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from lianfang.accounts import actions
from lianfang.accounts.doors import may
from lianfang.accounts.models import Affiliation, DutyGrant, FactorReset, Invitation, SettingDecision, Token
from lianfang.kernel.refusal import Refusal
from lianfang.members.subjects import subject_for, subject_for_token
from lianfang.policy.facts import Case, Duty, Right, Role, Subject
from tests.accounts.cast import Few, enter, member_organization
from tests.world import SYSTEM, Actor

pytestmark = pytest.mark.django_db
WHO = ["admin", "deputy", "member", "stranger", "reviewer", "approver", "approver2", "granter1", "granter2", "operator"]
SETTINGS = {"staff_tokens": True, "encrypted_mail": True, "token_max_days": 700, "former_may_recall": False}


@dataclass
class Stage:
    """Those who act, and the last of what each kind of deed has made."""

    cast: Few
    people: dict[str, Actor]

    def whole(self, name: str) -> Subject:
        """Somebody with every step behind him: what he could do, not what he has just confirmed."""
        actor = self.people[name]
        found = subject_for(
            person=actor.affiliation.person_id, affiliation=actor.affiliation, at=self.cast.clock.at, mfa=True
        )
        return replace(found, acknowledged=True)

    def rights(self, name: str) -> set[tuple[Right, str]]:
        """Every right that somebody has now: on no case, on a duty of his own, and what his keys may."""
        subject, at = self.whole(name), self.cast.clock.at
        own = Case(kind="duty", concerns=subject.person)
        found = {(right, "") for right in Right if may(subject=subject, right=right, at=at)}
        found |= {(right, "own") for right in Right if may(subject=subject, right=right, target=own, at=at)}
        for token in Token.objects.filter(affiliation=self.people[name].affiliation, revoked_at__isnull=True):
            try:
                machine = subject_for_token(token=token, at=at, network=None)
            except Refusal:
                continue
            found |= {(right, "") for right in Right if may(subject=machine, right=right, at=at)}
        return found


def newest(model: Any, **which: Any) -> Any:
    """The latest row of a kind; without one the deed has nothing to try itself on."""
    found = model.objects.filter(**which).order_by("-pk").first()
    if found is None:
        raise LookupError
    return found


def to_role(stage: Stage, by: str, on: str, at: Any) -> None:
    actions.change_role(affiliation=stage.people[on].affiliation, role=Role.MEMBER_ADMIN, by=stage.whole(by), at=at)


def let_go(stage: Stage, by: str, on: str, at: Any) -> None:
    actions.leave(affiliation=stage.people[on].affiliation, by=stage.whole(by), at=at)


def invite(stage: Stage, by: str, on: str, at: Any) -> None:
    target = stage.people[on]
    actions.invite_colleague(
        name="x", title="", phone="", email=stage.people[by].account.email, organization=target.organization,
        group=target.affiliation.group, role=Role.MEMBER_ADMIN, by=stage.whole(by), at=at,
    )  # fmt: skip


def invite_staff(stage: Stage, by: str, on: str, at: Any) -> None:
    actions.invite_staff(name="x", title="", email=stage.people[on].account.email, by=stage.whole(by), at=at)


def accept(stage: Stage, by: str, on: str, at: Any) -> None:
    found = newest(Invitation, affiliation__person=stage.people[by].person, accepted_at__isnull=True)
    actions.accept_invitation(invitation=found, at=at)


def propose_duty(stage: Stage, by: str, on: str, at: Any, duty: Duty = Duty.APPROVER) -> None:
    actions.propose_duty(person=stage.people[on].person, duty=duty, reason="x", by=stage.whole(by), at=at)


def propose_granter(stage: Stage, by: str, on: str, at: Any) -> None:
    propose_duty(stage, by, on, at, Duty.DUTY_GRANTER)


def grant_duty(stage: Stage, by: str, on: str, at: Any) -> None:
    actions.grant_duty(grant=newest(DutyGrant, state="proposed"), by=stage.whole(by), at=at)


def end_duty(stage: Stage, by: str, on: str, at: Any) -> None:
    found = newest(DutyGrant, state="granted", person=stage.people[on].person)
    actions.end_duty(grant=found, by=stage.whole(by), at=at)


def propose_setting(stage: Stage, by: str, on: str, at: Any) -> None:
    name = sorted(SETTINGS)[WHO.index(on) % len(SETTINGS)]
    actions.propose_setting(name=name, value=SETTINGS[name], effective_at=at, reason="x", by=stage.whole(by), at=at)


def approve_setting(stage: Stage, by: str, on: str, at: Any) -> None:
    actions.approve_setting(proposal=newest(SettingDecision, state="proposed"), by=stage.whole(by), at=at)


def make_token(stage: Stage, by: str, on: str, at: Any) -> None:
    scope = actions.Scope(
        name="x", purpose="x", max_tlp="AMBER+STRICT", days=30, rights=frozenset(actions.TOKEN_RIGHTS)
    )
    actions.make_token(affiliation=stage.people[on].affiliation, scope=scope, by=stage.whole(by), at=at)


def rotate(stage: Stage, by: str, on: str, at: Any) -> None:
    found = newest(Token, affiliation=stage.people[on].affiliation)
    actions.rotate_token(token=found, by=stage.whole(by), at=at)


def lose_factor(stage: Stage, by: str, on: str, at: Any) -> None:
    actions.ask_factor_reset(account=stage.people[by].account, at=at)


def vouch(stage: Stage, by: str, on: str, at: Any) -> None:
    actions.vouch(reset=newest(FactorReset, state="asked"), how="video", by=stage.whole(by), at=at)


def confirm(stage: Stage, by: str, on: str, at: Any) -> None:
    actions.confirm_factor_reset(reset=newest(FactorReset, state="vouched"), by=stage.whole(by), at=at)


DEEDS: list[Callable[[Stage, str, str, Any], None]] = [
    to_role, let_go, invite, invite_staff, accept, propose_duty, propose_granter, grant_duty, end_duty,
    propose_setting, approve_setting, make_token, rotate, lose_factor, vouch, confirm,
]  # fmt: skip


@contextmanager
def undone() -> Iterator[None]:
    """Whatever is done within is undone."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def attempt(stage: Stage, deed: Callable[[Stage, str, str, Any], None], by: str, on: str) -> bool:
    """Try one deed; a refusal leaves everything as it was."""
    try:
        with transaction.atomic():
            deed(stage, by, on, stage.cast.clock.tick())
    except (Refusal, LookupError):
        return False
    return True


def stage_of(cast: Few) -> Stage:
    second = member_organization(cast.clock, place=2, name="乙示範精密股份有限公司")
    stranger = enter(cast.clock, second, email="a@m2.example", name="外人", role=Role.MEMBER_ADMIN)
    people = {name: cast.staff[name] for name in WHO if name in cast.staff}
    people |= {"admin": cast.admin, "deputy": cast.deputy, "member": cast.member, "stranger": stranger}
    return Stage(cast, people)


# What somebody who is allowed to would do; between these, anything by anybody.
USUAL = [
    (to_role, "admin", "member"), (let_go, "admin", "deputy"), (let_go, "deputy", "member"), (invite, "admin", "admin"),
    (invite_staff, "granter1", "member"), (accept, "member", "member"), (propose_duty, "granter1", "reviewer"),
    (propose_duty, "granter2", "operator"), (propose_granter, "granter1", "approver"), (grant_duty, "granter2", "x"),
    (grant_duty, "granter1", "admin"), (end_duty, "granter1", "reviewer"), (propose_setting, "approver", "admin"),
    (approve_setting, "approver2", "admin"), (make_token, "admin", "admin"), (rotate, "deputy", "admin"),
    (lose_factor, "member", "member"), (vouch, "admin", "member"), (confirm, "deputy", "member"),
]  # fmt: skip
anything = st.tuples(st.sampled_from(DEEDS), st.sampled_from(WHO), st.sampled_from(WHO))
step = st.sampled_from(USUAL) | anything


def test_no_act_gives_its_actor_a_right_that_he_did_not_have(cast: Few) -> None:
    stage, done = stage_of(cast), set()

    @settings(max_examples=30, deadline=None, derandomize=True)
    @given(steps=st.lists(step, min_size=4, max_size=12))
    def tried(steps: list[tuple[Any, str, str]]) -> None:
        held: dict[str, set[tuple[Right, str]]] = {}
        with undone():
            for deed, by, on in steps:
                before = held.get(by) or stage.rights(by)
                if not attempt(stage, deed, by, on):
                    held[by] = before  # a refusal changes nobody's rights
                    continue
                done.add(deed.__name__)
                after = stage.rights(by)
                held = {by: after}
                assert after <= before, f"{by} gained {after - before} by {deed.__name__} on {on}"

    tried()
    assert len(done) >= 12, f"the search did too little: {sorted(done)}"


@pytest.mark.parametrize("who", WHO)
def test_nobody_gains_by_any_single_act_on_himself(cast: Few, who: str) -> None:
    stage = stage_of(cast)
    before = stage.rights(who)
    for deed in DEEDS:
        with undone():
            attempt(stage, deed, who, who)
            assert stage.rights(who) <= before, deed.__name__


def test_two_of_the_same_kind_gain_only_what_two_may_give(cast: Few) -> None:
    """What the search above is measured by: with two people who work together, rights do rise."""
    stage = stage_of(cast)
    before = stage.rights("reviewer")
    assert attempt(stage, propose_duty, "granter1", "reviewer")
    assert stage.rights("reviewer") == before
    assert not attempt(stage, grant_duty, "granter1", "reviewer"), "who proposed does not grant"
    assert not attempt(stage, grant_duty, "reviewer", "reviewer"), "who gains does not grant"
    assert attempt(stage, grant_duty, "granter2", "reviewer")
    assert stage.rights("reviewer") > before
    assert attempt(stage, to_role, "admin", "member")
    assert (Right.MANAGE_PEOPLE, "") in stage.rights("member")


@pytest.mark.parametrize(
    ("by", "on"),
    [("member", "member"), ("reviewer", "admin"), ("stranger", "member"), ("member", "stranger"),
     ("granter1", "member"), ("operator", "operator")],
)  # fmt: skip
def test_nobody_makes_an_administrator_who_is_none(cast: Few, by: str, on: str) -> None:
    stage = stage_of(cast)
    assert not attempt(stage, to_role, by, on)
    assert stage.people[on].affiliation.role == Affiliation.objects.get(pk=stage.people[on].affiliation.pk).role


def test_losing_ones_factor_on_purpose_opens_nothing(cast: Few) -> None:
    stage = stage_of(cast)
    assert attempt(stage, lose_factor, "member", "member")
    for who in ("member", "stranger"):
        assert not attempt(stage, vouch, who, "member")
    assert attempt(stage, vouch, "admin", "member")
    for who in ("member", "admin", "stranger"):
        assert not attempt(stage, confirm, who, "member")
    assert Authenticator.objects.filter(user=cast.member.account).exists()


def test_an_act_of_the_system_is_no_persons(cast: Few) -> None:
    for deed in (
        lambda: actions.change_role(
            affiliation=cast.member.affiliation, role=Role.MEMBER_ADMIN, by=SYSTEM, at=cast.clock.tick()
        ),
        lambda: actions.leave(affiliation=cast.member.affiliation, by=Subject.public(), at=cast.clock.tick()),
    ):
        with pytest.raises(Refusal):
            deed()
