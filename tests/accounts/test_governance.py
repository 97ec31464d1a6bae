"""Duties and settings take two persons; the first two are made once."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse

from lianfang.accounts import actions, doors, registry
from lianfang.accounts.lifecycle import DUTY, FACTOR_RESET, SETTING
from lianfang.accounts.models import Affiliation, DutyGrant, Invitation, SettingDecision
from lianfang.accounts.queries import coordinator, duties_of
from lianfang.audit.models import Entry
from lianfang.charter.models import ConfidentialityDuty
from lianfang.kernel.clock import utcnow
from lianfang.kernel.machine import Machine
from lianfang.kernel.refusal import Refusal
from lianfang.policy.facts import Duty, Right, Subject
from tests.accounts.cast import Few
from tests.accounts.test_pages import browser
from tests.world import PASSWORD, SYSTEM

pytestmark = pytest.mark.django_db


def propose(cast: Few, duty: Duty = Duty.LEGAL, by: str = "granter1", to: str = "reviewer") -> DutyGrant:
    return actions.propose_duty(
        person=cast.staff[to].person, duty=duty, reason="代理", by=cast.staff[by].subject(), at=cast.clock.tick()
    )


def test_a_duty_takes_effect_when_a_second_granter_grants_it(cast: Few) -> None:
    grant = propose(cast)
    assert Duty.LEGAL not in cast.staff["reviewer"].subject().duties
    actions.grant_duty(grant=grant, by=cast.staff["granter2"].subject(), at=cast.clock.tick())
    assert Duty.LEGAL in cast.staff["reviewer"].subject().duties
    assert Duty.LEGAL not in duties_of(person_id=grant.person_id, at=cast.clock.at - timedelta(microseconds=1))


def test_who_proposed_does_not_grant(cast: Few) -> None:
    grant = propose(cast)
    with pytest.raises(Refusal) as refused:
        actions.grant_duty(grant=grant, by=cast.staff["granter1"].subject(), at=cast.clock.tick())
    assert refused.value.rule in {"S-second", "duty:grant"}


def test_nobody_has_a_hand_in_his_own_duty(cast: Few) -> None:
    with pytest.raises(Refusal):
        propose(cast, to="granter1")
    grant = propose(cast, to="granter2")
    with pytest.raises(Refusal):
        actions.grant_duty(grant=grant, by=cast.staff["granter2"].subject(), at=cast.clock.tick())


@pytest.mark.parametrize("who", ["reviewer", "approver", "auditor", "operator"])
def test_only_granters_propose(cast: Few, who: str) -> None:
    with pytest.raises(Refusal) as refused:
        propose(cast, by=who, to="legal")
    assert refused.value.rule == "G-grant_duty"


def test_duties_are_for_staff_and_held_once(cast: Few) -> None:
    propose(cast)
    with pytest.raises(Refusal, match="already"):
        propose(cast)
    with pytest.raises(Refusal, match="people of the coordination"):
        actions.propose_duty(
            person=cast.admin.person, duty=Duty.LEGAL, reason="x", by=cast.staff["granter1"].subject(),
            at=cast.clock.tick(),
        )  # fmt: skip


def test_the_database_refuses_what_the_actions_do(cast: Few) -> None:
    person = cast.staff["granter1"].person
    facts = {"person": cast.staff["reviewer"].person, "duty": "legal", "proposed_at": cast.clock.at}
    for proposed, granted in ((person, person), (None, facts["person"])):
        with pytest.raises(IntegrityError), transaction.atomic():
            DutyGrant.objects.create(
                **facts, state="granted", proposed_by=proposed, granted_by=granted, granted_at=cast.clock.at
            )


def test_a_duty_ends_at_once_but_two_granters_remain(cast: Few) -> None:
    held = DutyGrant.objects.get(duty="analyst")
    actions.end_duty(grant=held, by=cast.staff["granter1"].subject(), at=cast.clock.tick())
    assert cast.staff["analyst"].subject().duties == frozenset()
    granter = DutyGrant.objects.get(duty="duty_granter", person=cast.staff["granter2"].person)
    with pytest.raises(Refusal, match="Two duty granters"):
        actions.end_duty(grant=granter, by=cast.staff["granter1"].subject(), at=cast.clock.tick())


def test_a_proposal_can_be_withdrawn_and_made_again(cast: Few) -> None:
    grant = propose(cast)
    actions.decline_duty(grant=grant, by=cast.staff["granter1"].subject(), at=cast.clock.tick())
    with pytest.raises(Refusal):
        actions.grant_duty(grant=grant, by=cast.staff["granter2"].subject(), at=cast.clock.tick())
    assert propose(cast).pk != grant.pk


def test_pages_propose_and_grant_with_a_signature(cast: Few) -> None:
    first, second = browser(cast.staff["granter1"]), browser(cast.staff["granter2"])
    typed = {"person": str(cast.staff["reviewer"].person.pk), "duty": "legal", "reason": "代理"}
    assert first.post(reverse("duties"), {**typed, "reason": ""}).status_code == 422
    assert first.post(reverse("duties"), typed).status_code == 302
    path = reverse("decide_duty", args=[DutyGrant.objects.get(state="proposed").pk])
    assert second.post(path, {"act": "grant"}).status_code == 422
    assert second.post(path, {"act": "grant", "second_factor_code": cast.staff["granter2"].code()}).status_code == 302
    assert Entry.objects.filter(tag="accounts:factor:confirm").exists()
    held = DutyGrant.objects.get(duty="legal", person=cast.staff["reviewer"].person)
    code = cast.staff["granter1"].code()
    assert first.post(reverse("leave_duty", args=[held.pk]), {"second_factor_code": code}).status_code == 302


def test_a_colleague_is_invited_without_a_duty(cast: Few) -> None:
    client = browser(cast.staff["granter1"])
    typed = {"name": "鄭新人", "title": "", "email": "new@centre.example"}
    assert client.post(reverse("add_colleague"), typed).status_code == 302
    assert Affiliation.objects.filter(group=coordinator(), started_at=None).count() == 1
    assert client.post(reverse("add_colleague"), typed).status_code == 422
    with pytest.raises(Refusal):
        actions.invite_staff(**typed, by=cast.staff["reviewer"].subject(), at=cast.clock.tick())


def test_a_colleague_who_leaves_loses_duties_and_sessions_at_once(cast: Few) -> None:
    gone, granter = cast.staff["approver"], cast.staff["granter1"]
    theirs, client = browser(gone), browser(granter)
    waiting = propose(cast, to="approver")
    assert theirs.get("/staff/inbox").status_code == 200
    path = reverse("colleague_leaves", args=[gone.affiliation.pk])
    page = client.get(path).content.decode()
    assert "核准" in page
    assert gone.person.name in page
    assert client.post(path).status_code == 422
    assert client.post(path, {"second_factor_code": granter.code()}).status_code == 302
    assert theirs.get("/staff/inbox").status_code == 302
    at = utcnow()
    assert not gone.subject(at).duties
    assert not doors.may(subject=gone.subject(at), right=Right.APPROVE, at=at)
    waiting.refresh_from_db()
    assert waiting.state == "declined"
    assert client.get(path).status_code == 404
    assert ConfidentialityDuty.objects.filter(person=gone.person).exists()


def test_two_granters_remain_whoever_leaves(cast: Few) -> None:
    granter = cast.staff["granter2"]
    for one in (granter, cast.staff["granter1"]):
        with pytest.raises(Refusal):
            actions.let_go(affiliation=one.affiliation, by=granter.subject(), at=cast.clock.tick())
    granter.affiliation.refresh_from_db()
    assert granter.affiliation.left_at is None
    assert DutyGrant.objects.filter(duty=Duty.DUTY_GRANTER, state="granted").count() == 2


def test_only_a_granter_lets_a_colleague_go_and_nobody_of_a_member(cast: Few) -> None:
    colleague = cast.staff["reviewer"]
    for by in (cast.admin, cast.staff["approver"], colleague):
        with pytest.raises(Refusal):
            actions.let_go(affiliation=colleague.affiliation, by=by.subject(), at=cast.clock.tick())
        with pytest.raises(Refusal):
            actions.leave(affiliation=colleague.affiliation, by=by.subject(), at=cast.clock.tick())
    granter = cast.staff["granter1"]
    with pytest.raises(Refusal):
        actions.let_go(affiliation=cast.member.affiliation, by=granter.subject(), at=cast.clock.tick())
    assert browser(granter).get(reverse("colleague_leaves", args=[cast.member.affiliation.pk])).status_code == 404


def test_a_colleagues_invitation_is_sent_again_and_withdrawn(cast: Few) -> None:
    granter = cast.staff["granter1"]
    client = browser(granter)
    client.post(reverse("add_colleague"), {"name": "鄭新人", "title": "", "email": "new@centre.example"})
    invited = Invitation.objects.get(affiliation__organization=coordinator(), accepted_at=None)
    again = reverse("invite_colleague_again", args=[invited.pk])
    assert again in client.get(reverse("duties")).content.decode()
    assert client.post(again).status_code == 302
    invited.refresh_from_db()
    assert invited.sent_count == 2
    with pytest.raises(Refusal):
        actions.resend(invitation=invited, by=cast.admin.subject(), at=cast.clock.tick())
    gone = reverse("colleague_leaves", args=[invited.affiliation_id])
    assert client.post(gone, {"second_factor_code": granter.code()}).status_code == 302
    invited.refresh_from_db()
    assert invited.withdrawn_at is not None
    with pytest.raises(Refusal):
        actions.accept_invitation(invitation=invited, password=PASSWORD, at=cast.clock.tick())


def setting(cast: Few, value: object, *, name: str = "invitation_days", hours: int = 0) -> SettingDecision:
    at = cast.clock.tick()
    return actions.propose_setting(
        name=name, value=value, effective_at=at + timedelta(hours=hours), reason="檢討", at=at,
        by=cast.staff["approver"].subject(),
    )  # fmt: skip


def test_a_setting_changes_at_its_instant_once_a_second_approver_agrees(cast: Few) -> None:
    proposal = setting(cast, 10, hours=1)
    assert registry.value("invitation_days", proposal.effective_at) == 7
    actions.approve_setting(proposal=proposal, by=cast.staff["approver2"].subject(), at=cast.clock.tick())
    for step, expected in ((-1, 7), (0, 10), (1, 10)):
        at = proposal.effective_at + timedelta(microseconds=step)
        assert registry.value("invitation_days", at) == expected


def test_a_late_approval_does_not_reach_back(cast: Few) -> None:
    proposal = setting(cast, 10)
    approved = cast.clock.tick(days=2)
    actions.approve_setting(proposal=proposal, by=cast.staff["approver2"].subject(), at=approved)
    assert registry.value("invitation_days", approved - timedelta(seconds=1)) == 7
    assert registry.value("invitation_days", approved) == 10


def test_who_proposed_a_setting_does_not_approve_it(cast: Few) -> None:
    with pytest.raises(Refusal):
        actions.approve_setting(proposal=setting(cast, 10), by=cast.staff["approver"].subject(), at=cast.clock.tick())


@pytest.mark.parametrize(
    ("name", "value"),
    [("invitation_days", 0), ("invitation_days", 99), ("invitation_days", "soon"), ("default_tlp", "CLEAR"),
     ("appeal_days", 29), ("automatic_relay", ["RED"]), ("nothing", 1), ("invitation_days", 7)],
)  # fmt: skip
def test_a_value_outside_its_type_is_refused(cast: Few, name: str, value: object) -> None:
    with pytest.raises(Refusal):
        setting(cast, value, name=name)


def test_pages_propose_and_approve_a_setting(cast: Few) -> None:
    first, second = browser(cast.staff["approver"]), browser(cast.staff["approver2"])
    path = reverse("setting", args=["audience_floor"])
    for typed in ({"value": "1", "reason": "x"}, {"value": "8", "reason": ""},
                  {"value": "8", "reason": "x", "effective_at": "2020-01-01T00:00"}):  # fmt: skip
        assert first.post(path, typed).status_code == 422
    assert first.post(path, {"value": "8", "reason": "檢討", "effective_at": ""}).status_code == 302
    assert first.post(path, {"value": "9", "reason": "檢討", "effective_at": ""}).status_code == 422
    decide = reverse("decide_setting", args=[SettingDecision.objects.get(state="proposed").pk])
    code = {"second_factor_code": cast.staff["approver2"].code()}
    assert second.post(decide, {"act": "approve"}).status_code == 422
    assert second.post(decide, {"act": "approve", **code}).status_code == 302
    assert registry.value("audience_floor", utcnow()) == 8
    assert first.get(reverse("setting", args=["nothing"])).status_code == 404


@pytest.mark.parametrize("name", list(registry.SETTINGS))
def test_every_setting_reads_what_it_writes_and_says_what_it_means(name: str) -> None:
    known = registry.setting(name)
    shown = known.type.show(known.default)
    assert registry.same(known.parse(shown), known.default)
    assert known.type.say(known.default).en
    assert known.clause
    assert known.meaning.en


@pytest.mark.parametrize("machine", [DUTY, SETTING, FACTOR_RESET])
def test_every_right_of_a_move_exists(machine: Machine) -> None:
    assert all(move.right is None or Right(move.right) for move in machine.moves)
    assert "stateDiagram" in machine.diagram()


def test_a_job_holds_no_duty() -> None:
    with pytest.raises(Refusal):
        actions.approve_setting(
            proposal=SettingDecision.objects.create(
                name="audience_floor", value=8, reason="x", effective_at=utcnow(), proposed_at=utcnow(),
                proposed_by=actions.person_enter(name="x", email="x@x.example", by=SYSTEM, at=utcnow()),
            ),
            by=Subject.system("job"), at=utcnow(),
        )  # fmt: skip
