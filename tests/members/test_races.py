"""Two at once, each on a connection of its own: one wins, the other is told, nothing is done twice."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from lianfang.kernel.refusal import Refusal
from lianfang.members import actions, queries
from lianfang.members.models import Appeal, Application, Decision, ListRow, Membership, Revocation
from lianfang.outbox.models import Delivery
from lianfang.policy.facts import Duty
from tests import world
from tests.members import cases
from tests.members.lists import MAINLAND, read, table
from tests.members.test_deciding import together

pytestmark = pytest.mark.django_db(transaction=True)


def kinds(found: list[Any]) -> list[str]:
    return sorted(type(one).__name__ for one in found)


def test_reviewers_approvers_and_members_at_once() -> None:
    """One world, since each real commit costs a reset: take-up, revocation, appeal and its decision, pages of two."""
    made = world.build()
    _two_take_up(made)
    _two_sign_on_their_pages(made)
    case = _two_revoke(made)
    appeal = _two_file(made, case)
    _grant_and_deny(made, appeal)
    _one_file_twice(made)
    _two_import_a_list(made)


def _two_import_a_list(made: world.World) -> None:
    """Each saw its difference to the same edition before; the second is told that this is no longer so."""
    also, at = made.analyst, made.clock.tick()
    contents = [table(MAINLAND, [[world.business_number(990 + n), f"同時{n}"]]) for n in (0, 1)]
    editions = [read(made.clock, made.reviewer, content) for content in contents]
    by = [made.reviewer.subject(at), also.subject(at)]

    def bring(n: int) -> Any:
        return lambda: actions.import_list(edition=editions[n], by=by[n], at=at)

    assert kinds(together(bring(0), bring(1))) == ["ListEdition", "Refusal"]
    assert ListRow.objects.count() == 1


def _two_take_up(made: world.World) -> None:
    case = cases.sent(made, 71)
    also = made.analyst
    cases.declare(made, case, made.reviewer, also)
    cases.give(made, also, Duty.REVIEWER)
    subjects, at = [actor.subject() for actor in (made.reviewer, also)], made.clock.tick()

    def take(by: Any) -> Any:
        return lambda: actions.take_up(application=case, by=by, at=at)

    found = together(*[take(by) for by in subjects])
    assert kinds(found) == ["NoneType", "Refusal"]
    winner = made.reviewer if found[0] is None else also
    kept = world.reread(case)
    assert (kept.state, kept.reviewer_id) == ("under_review", winner.person.pk)


def _two_sign_on_their_pages(made: world.World) -> None:
    """The other approver gets his page again with what he typed, and the reason."""
    case = cases.recommended(made, 72)
    cases.declare(made, case, made.approver, made.approver2)
    address = f"/staff/cases/{case.number}/decide/reject"
    people = (made.approver, made.approver2)
    clients: list[tuple[Client, str]] = [(made.client(actor), actor.code()) for actor in people]

    def sign(client: Client, code: str) -> Any:
        form = {"reasons": "other", "text": f"我的理由 {code}", "sign": "1", "second_factor_code": code}
        return lambda: client.post(address, form)

    answers = together(*[sign(*one) for one in clients])
    assert sorted(answer.status_code for answer in answers) == [302, 422]
    loser = next(place for place in (0, 1) if answers[place].status_code == 422)
    page = answers[loser].content.decode()
    assert f"我的理由 {clients[loser][1]}" in page
    assert "已退回" in page, "it says in which state the case is"
    assert Decision.objects.filter(application=case).count() == 1
    winner = people[1 - loser]
    assert Decision.objects.get(application=case).decided_by_id == winner.person.pk
    assert sum(mail.to == "apply@a72.example" for mail in Delivery.objects.filter(kind="N4")) == 1


def _two_revoke(made: world.World) -> Revocation:
    case = cases.proposed(made)
    first, second = made.approver.subject(), made.approver2.subject()
    at = made.clock.tick()
    found = together(
        lambda: actions.revoke(case=case, by=first, at=at),
        lambda: actions.close_case(case=case, text="維持。", by=second, at=at),
    )
    assert kinds(found) == ["Decision", "Refusal"]
    kept = cases.again(case)
    made.jia.membership.refresh_from_db()
    assert (kept.state, made.jia.membership.state) in (("revoked", "revoked"), ("closed", "active"))
    return kept if kept.state == "revoked" else cases.revoked(made)


def _two_file(made: world.World, case: Revocation) -> Appeal:
    by = made.jia.admin.subject()
    at = made.clock.tick()

    def file() -> Appeal:
        return actions.file_appeal(case=case, text="理由", files=[], key="one", by=by, at=at)

    found = together(file, file, file)
    assert len({one.number for one in found}) == 1, found
    assert Appeal.objects.filter(revocation=case).count() == 1
    return found[0]


def _grant_and_deny(made: world.World, appeal: Appeal) -> None:
    revoked_by = appeal.revocation.decisions.get(kind="revoke").decided_by_id
    decider = next(one for one in (made.approver, made.approver2) if one.person.pk != revoked_by)
    cases.declare(made, appeal, decider)
    by, at = decider.subject(), made.clock.tick()

    def decide(*, grant: bool) -> Any:
        return lambda: actions.decide_appeal(appeal=appeal, grant=grant, because="special", text="理由", by=by, at=at)

    found = together(decide(grant=True), decide(grant=False))
    assert kinds(found) == ["Decision", "Refusal"]
    kept = queries.appeal(appeal.number)
    assert kept is not None
    membership = Membership.objects.get(organization=made.jia.organization)
    assert (kept.state, membership.state) in (("granted", "active"), ("denied", "revoked"))
    refused = next(one for one in found if isinstance(one, Refusal))
    assert refused.reason.zh


def _one_file_twice(made: world.World) -> None:
    """A correction answered and withdrawn at once is one or the other, whole."""
    case = cases.taken_up(made, 73)
    (item,) = cases.asked(made, case, "organization.address")
    link, at = cases.link(made, case), made.clock.tick()
    found = together(
        lambda: actions.answer_corrections(application=case, answers={item.pk: "好"}, changes={}, by=link, at=at),
        lambda: actions.withdraw(application=case, by=link, at=at),
    )
    assert found[1] is None
    assert found[0] is None or isinstance(found[0], Refusal)
    kept = Application.objects.get(pk=case.pk)
    assert kept.state == "withdrawn"
    answered = [one.answered_at for one in queries.corrections(kept)]
    assert (answered == [None]) == (found[0] is not None), "answered, then withdrawn; or withdrawn, and no answer taken"
