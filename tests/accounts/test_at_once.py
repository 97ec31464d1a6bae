"""Two people who take each other's power at the same moment; alone in its file, as it commits what it does."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from django.db import connections, transaction

from lianfang.accounts import actions
from lianfang.accounts.models import Affiliation, DutyGrant, Organization
from lianfang.kernel.refusal import Refusal
from lianfang.policy.facts import Duty, Role
from tests.accounts.cast import few


def at_once(*deeds: Callable[[], None]) -> list[str]:
    """Do these in threads that start together; return what each ended with."""
    ready, ended = threading.Barrier(len(deeds)), [""] * len(deeds)

    def run(number: int, deed: Callable[[], None]) -> None:
        try:
            ready.wait(20)
            deed()
            ended[number] = "done"
        except Refusal as refusal:
            ended[number] = refusal.rule
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(deeds)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return sorted(ended)


@pytest.mark.django_db(transaction=True)
def test_two_who_take_each_others_power_at_once_do_not_both_succeed() -> None:
    with transaction.atomic():
        cast = few()
    at = cast.clock.tick()
    admin, deputy = cast.admin.subject(), cast.deputy.subject()
    ended = at_once(
        lambda: actions.leave(affiliation=cast.deputy.affiliation, by=admin, at=at),
        lambda: actions.change_role(affiliation=cast.admin.affiliation, role=Role.MEMBER, by=deputy, at=at),
    )
    assert ended == ["done", "last-administrator"]
    assert Affiliation.objects.live(at).filter(organization=cast.organization, role="member_admin").count() == 1
    third = actions.propose_duty(
        person=cast.staff["legal"].person, duty=Duty.DUTY_GRANTER, reason="第三位",
        by=cast.staff["granter1"].subject(), at=cast.clock.tick(),
    )  # fmt: skip
    actions.grant_duty(grant=third, by=cast.staff["granter2"].subject(), at=cast.clock.tick())
    first, second = (cast.staff[name] for name in ("granter1", "granter2"))
    grants = {
        actor.person.pk: DutyGrant.objects.get(duty="duty_granter", person=actor.person) for actor in (first, second)
    }
    at, by_first, by_second = cast.clock.tick(), first.subject(), second.subject()
    ended = at_once(
        lambda: actions.end_duty(grant=grants[second.person.pk], by=by_first, at=at),
        lambda: actions.end_duty(grant=grants[first.person.pk], by=by_second, at=at),
    )
    assert ended == ["done", "duty:end"]
    assert DutyGrant.objects.filter(duty="duty_granter", state="granted").count() == 2
    assert Organization.objects.filter(kind="coordinator").count() == 1
