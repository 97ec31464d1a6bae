"""A member asks to leave (charter 2.5), and what happens when a revocation crosses it (docs/adr/0024)."""

from __future__ import annotations

from typing import Any

import pytest

from lianfang.accounts.models import Token
from lianfang.kernel.refusal import Refusal
from lianfang.members import actions, queries
from lianfang.members.models import Decision, Membership, Termination
from lianfang.policy.facts import Right, Standing
from tests import world
from tests.members import cases

pytestmark = pytest.mark.django_db
WHY = "我們停止營運資安業務。"


def asked(made: world.World, member: world.Member | None = None, by: world.Actor | None = None) -> Termination:
    member = member or made.yi
    return actions.request_termination(
        membership=member.membership, reason=WHY, handling="destroy", by=(by or member.admin).subject(),
        at=made.clock.tick(),
    )  # fmt: skip


def recommended(made: world.World, case: Termination, what: str = "grant") -> Termination:
    cases.declare(made, case, made.reviewer, made.approver, made.approver2)
    actions.recommend_termination(
        case=case, what=what, findings="已核對代表權限。", by=made.reviewer.subject(), at=made.clock.tick()
    )
    return now(case)


def granted(made: world.World, case: Termination, by: world.Actor | None = None) -> Decision:
    return actions.grant_termination(case=case, by=(by or made.approver).subject(), at=made.clock.tick())


def now(case: Termination) -> Termination:
    found = queries.termination(case.number)
    assert found is not None
    return found


def state(member: world.Member) -> str:
    return Membership.objects.get(pk=member.membership.pk).state


def refused(do: Any) -> Refusal:
    with pytest.raises(Refusal) as caught:
        do()
    return caught.value


def test_from_request_to_the_end(made: world.World) -> None:
    """Full access until the decision, none from its instant on, and letters that say what remains."""
    yi, reader = made.yi, made.yi.member
    with cases.Ledger() as ledger:
        case = asked(made)
    assert ledger.tags().count("members:termination:request") == 1
    assert (case.state, state(yi), case.number[:2]) == ("requested", "termination_requested", "T-")
    assert queries.standing(yi.organization.pk, made.clock.at) is Standing.TERMINATING
    received = cases.mails(kind="N13")
    assert {one.to for one in received} == {yi.admin.person.email, yi.deputy.person.email}
    assert "撤回" in received[0].body_text

    case = recommended(made, case)
    assert case.state == "recommended"
    assert Token.objects.filter(affiliation__group=yi.organization, revoked_at__isnull=True).exists()
    assert made.client(reader).get("/member/intel").status_code == 200
    with cases.Ledger() as ledger:
        decision = granted(made, case)
    assert {"members:termination:grant", "accounts:token:revoke"} <= set(ledger.tags())
    entry = ledger.entries("members:termination:grant")[0]
    assert entry.detail["decision"] == decision.number
    assert entry.detail["letter"] == decision.text_sha256.hex()

    assert (now(case).state, state(yi)) == ("granted", "terminated")
    assert (decision.clause, decision.kind, decision.effective_at) == ("2.5", "terminate", made.clock.at)
    held = Membership.objects.get(pk=yi.membership.pk)
    assert held.ended_at == held.intervals.get().ended_at == decision.effective_at
    assert queries.standing(yi.organization.pk, made.clock.at) is Standing.TERMINATED
    assert not Token.objects.filter(affiliation__group=yi.organization, revoked_at__isnull=True).exists()
    assert "保密義務" in decision.letter_zh
    assert "銷毀" in decision.letter_zh
    assert "survive" in decision.letter_en or "does not end" in decision.letter_en
    told = {one.to for one in cases.mails(kind="N14")}
    assert told == {actor.person.email for actor in (yi.admin, yi.deputy, yi.contact, yi.member)}
    assert made.client(reader).get("/member/intel").status_code != 200


def test_a_refusal_needs_reasons_and_leaves_the_membership_as_it_was(made: world.World) -> None:
    case = recommended(made, asked(made), "refuse")
    by = made.approver.subject()
    no_reason = refused(lambda: actions.refuse_termination(case=case, text=" ", by=by, at=made.clock.tick()))
    assert no_reason.field == "text"
    decision = actions.refuse_termination(case=case, text="尚有未結的通報。", by=by, at=made.clock.tick())
    assert (now(case).state, state(made.yi), decision.kind) == ("refused", "active", "stay")
    assert "尚有未結的通報" in decision.letter_zh
    assert not cases.mails(kind="N14")
    again = asked(made)
    assert again.number != case.number


def test_its_member_takes_it_back_until_it_is_decided(made: world.World) -> None:
    case = recommended(made, asked(made))
    for stranger in (made.jia.admin, made.yi.member, made.approver):
        refused(lambda by=stranger: actions.withdraw_termination(case=case, by=by.subject(), at=made.clock.tick()))  # type: ignore[misc]
    actions.withdraw_termination(case=case, by=made.yi.deputy.subject(), at=made.clock.tick())
    assert (now(case).state, state(made.yi)) == ("withdrawn", "active")
    late = refused(lambda: granted(made, case))
    assert late.rule == "termination:grant"
    case = recommended(made, asked(made))
    granted(made, case)
    gone = refused(lambda: actions.withdraw_termination(case=case, by=made.yi.admin.subject(), at=made.clock.tick()))
    assert gone.rule == "D-former" or gone.rule
    assert state(made.yi) == "terminated"


def test_who_may_ask_and_what_must_be_said(made: world.World) -> None:
    def ask(by: world.Actor, reason: str = WHY, handling: str = "return") -> Any:
        return lambda: actions.request_termination(
            membership=made.yi.membership, reason=reason, handling=handling, by=by.subject(), at=made.clock.tick()
        )

    for stranger in (made.yi.member, made.yi.contact, made.jia.admin, made.reviewer, made.approver, made.former.admin):
        refused(ask(stranger))
    assert refused(ask(made.yi.admin, reason=" \n")).field == "reason"
    assert refused(ask(made.yi.admin, reason="長" * 20_001)).field == "reason"
    assert refused(ask(made.yi.admin, handling="keep")).field == "handling"
    assert state(made.yi) == "active"
    ask(made.yi.admin)()
    assert refused(ask(made.yi.deputy)).rule == "termination-once"
    assert Termination.objects.count() == 1


def test_four_eyes_and_conflicts_hold(made: world.World) -> None:
    from lianfang.policy.facts import Duty

    cases.give(made, made.reviewer, Duty.APPROVER)
    case = asked(made)
    undeclared = refused(
        lambda: actions.recommend_termination(
            case=case, what="grant", findings="x", by=made.reviewer.subject(), at=made.clock.tick()
        )
    )
    assert "聲明" in undeclared.reason.zh
    case = recommended(made, case)
    assert refused(lambda: granted(made, case, made.reviewer)).rule == "S-review"
    cases.declare(made, case, made.approver, conflict=True)
    assert refused(lambda: granted(made, case)).rule == "S-conflict"
    actions.return_termination(case=case, by=made.approver2.subject(), at=made.clock.tick())
    assert now(case).state == "requested"
    assert refused(lambda: granted(made, case, made.approver2)).rule == "termination:grant"
    case = recommended(made, case)
    actions.declare_conflict(case=case, conflict=False, by=made.approver.subject(), at=made.clock.tick())
    granted(made, case)


def test_asked_during_a_review_it_waits_and_lapses_with_the_revocation(made: world.World) -> None:
    review = cases.opened(made, made.yi)
    case = recommended(made, asked(made))
    assert state(made.yi) == "revocation_review"
    waits = refused(lambda: granted(made, case))
    assert "等它結案" in waits.reason.zh
    world.hear(made.clock, review, made.reviewer, made.yi.admin)
    actions.propose(case=review, ground="1.4b", facts=cases.FACTS, by=made.reviewer.subject(), at=made.clock.tick())
    actions.revoke(case=review, by=made.approver.subject(), at=made.clock.tick())
    assert (now(case).state, state(made.yi)) == ("lapsed", "revoked")
    assert now(case).closed_at == made.clock.at
    assert not Decision.objects.filter(termination=case).exists()
    refused(lambda: granted(made, case))
    # Restored, the member asks anew if it still wants to.
    appeal = cases.appealed(made, review, made.yi.admin)
    cases.declare(made, appeal, made.approver2)
    actions.decide_appeal(
        appeal=appeal, grant=True, because="special", text="情況屬實", by=made.approver2.subject(), at=made.clock.tick()
    )
    assert (state(made.yi), now(case).state) == ("active", "lapsed")
    granted(made, recommended(made, asked(made)))
    assert state(made.yi) == "terminated"


def test_a_review_may_open_over_a_request_and_gives_way_to_it_when_closed(made: world.World) -> None:
    case = recommended(made, asked(made))
    review = cases.proposed(made, made.yi)
    assert state(made.yi) == "revocation_review"
    refused(lambda: granted(made, case))
    actions.close_case(case=review, text="已改善", by=made.approver.subject(), at=made.clock.tick())
    assert state(made.yi) == "termination_requested"
    granted(made, case)
    assert state(made.yi) == "terminated"


def test_taken_back_during_a_review_the_review_goes_on(made: world.World) -> None:
    case = asked(made)
    review = cases.proposed(made, made.yi)
    actions.withdraw_termination(case=case, by=made.yi.admin.subject(), at=made.clock.tick())
    assert (now(case).state, state(made.yi)) == ("withdrawn", "revocation_review")
    actions.close_case(case=review, text="已改善", by=made.approver.subject(), at=made.clock.tick())
    assert state(made.yi) == "active"


def test_after_a_termination_there_is_nothing_to_appeal(made: world.World) -> None:
    """Not even against a revocation that was taken back before."""
    review = cases.revoked(made, made.yi)
    appeal = cases.appealed(made, review, made.yi.admin)
    cases.declare(made, appeal, made.approver2)
    actions.decide_appeal(
        appeal=appeal, grant=True, because="special", text="情況屬實", by=made.approver2.subject(), at=made.clock.tick()
    )
    decision = granted(made, recommended(made, asked(made)))
    caught = refused(lambda: cases.appealed(made, review, made.yi.admin, key="k2"))
    assert caught.rule == "appeal-ended"
    page = made.client(made.yi.admin).get("/exit").content.decode()
    assert "申訴到" not in page
    assert decision.number in page
    assert "沒有可以申訴的決定" in page
    assert decision.number in made.client(made.yi.admin).get("/exit/letter").content.decode()
    assert made.client(made.yi.admin).get("/exit/appeal").status_code == 404


def test_an_organisation_that_left_may_come_back_and_is_the_same(made: world.World) -> None:
    place = 33
    member = world.admit(made.clock, made.reviewer, made.approver, name="丑示範股份有限公司", place=place)
    granted(made, recommended(made, asked(made, member)))
    fresh = world.review(made.clock, cases.sent(made, place, name="丑示範股份有限公司"), made.reviewer)
    page = made.client(made.reviewer).get(f"/staff/cases/{fresh.number}").content.decode()
    assert f"/staff/members/{member.membership.pk}" in page
    again = world.decide(made.clock, fresh, made.approver)
    assert again.organization_id == member.organization.pk
    assert again.pk != member.membership.pk
    assert [one.kind for one in queries.decisions(membership=member.membership)] == ["approve", "terminate"]


def test_while_it_waits_every_right_of_its_people_goes_on(made: world.World) -> None:
    from lianfang.accounts.doors import may

    before = {right: may(subject=made.yi.admin.subject(), right=right, at=made.clock.at) for right in Right}
    asked(made)
    after = {right: may(subject=made.yi.admin.subject(), right=right, at=made.clock.at) for right in Right}
    assert before == after
