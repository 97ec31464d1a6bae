"""Two at once, each on a connection of its own: one wins, the other is told and keeps what was typed."""

from __future__ import annotations

from typing import Any

import pytest

from lianfang.kernel.refusal import Refusal
from lianfang.members import actions
from lianfang.members.models import ChangeConfirmation, ChangeRequest, Decision, FactChange
from lianfang.outbox.models import Delivery
from tests import world
from tests.members import cases
from tests.members.change_cases import again, checked, file, taken_up
from tests.members.test_deciding import together

pytestmark = pytest.mark.django_db(transaction=True)


def test_filers_approvers_and_mailboxes_at_once() -> None:
    """One world, since each real commit costs a reset."""
    made = world.build()
    _two_file(made)
    _two_approvers_sign(made)
    _one_link_twice(made)


def _two_file(made: world.World) -> None:
    def act(by: world.Actor, key: str) -> Any:
        return lambda: file(made, made.yi, organization={"address": f"新址{key}"}, by=by, key=key)

    found = together(act(made.yi.admin, "one"), act(made.yi.deputy, "two"))
    assert sorted(type(one).__name__ for one in found) == ["ChangeRequest", "Refusal"]
    told = next(one for one in found if isinstance(one, Refusal))
    assert told.rule == "change-one-open"
    assert ChangeRequest.objects.count() == 1


def _two_approvers_sign(made: world.World) -> None:
    case = checked(made, taken_up(made, file(made, made.jia, organization={"name_zh": "甲新示範股份有限公司"})))
    actions.recommend_change(case=case, what="approve", by=made.reviewer.subject(), at=made.clock.tick())
    cases.declare(made, case, made.approver, made.approver2)
    people = (made.approver, made.approver2)
    clients = [(made.client(actor), actor.code()) for actor in people]

    def sign(place: int, what: str) -> Any:
        client, code = clients[place]
        form = {"text": f"我的理由 {code}", "sign": "1", "second_factor_code": code}
        return lambda: client.post(f"/staff/changes/{case.number}/decide/{what}", form)

    answers = together(sign(0, "apply"), sign(1, "reject"))
    assert sorted(answer.status_code for answer in answers) == [302, 422]
    loser = next(place for place in (0, 1) if answers[place].status_code == 422)
    page = answers[loser].content.decode()
    assert f"我的理由 {clients[loser][1]}" in page, "what was typed is kept"
    kept = again(case)
    assert ("已套用" if kept.state == "applied" else "已退回") in page, "and the other is told in which state it is"
    assert Decision.objects.filter(change=case).count() == 1
    assert FactChange.objects.filter(change=case).count() == (1 if kept.state == "applied" else 0)
    assert Delivery.objects.filter(kind="N6").count() == 2, "one letter for each administrator"


def _one_link_twice(made: world.World) -> None:
    new = {"name": "周新任", "title": "資安長", "email": "new@m3.example", "phone": "02-0000-0000#9"}
    case = file(made, made.bing, people=[(made.bing.admin, new)], by=made.bing.deputy)
    one = ChangeConfirmation.objects.get(change=case, of="new")
    at = made.clock.tick()

    def answer(*, yes: bool) -> Any:
        return lambda: actions.answer_confirmation(confirmation=one, yes=yes, by=cases.PUBLIC, at=at)

    found = together(answer(yes=True), answer(yes=False))
    assert sorted(type(each).__name__ for each in found) == ["NoneType", "Refusal"]
    one.refresh_from_db()
    assert one.confirmed is (found[0] is None)
