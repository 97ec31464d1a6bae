"""Whatever ends a right is known to the very next request: a key, a second factor, a membership, the stop."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from allauth.mfa.models import Authenticator

from lianfang.accounts import actions as accounts
from lianfang.intel import actions as intelligence
from lianfang.intel.models import Stop
from tests.exchange.stage import ALL, Machine, Stage, indicator
from tests.world import revoke

ONE = f"/taxii2/alliance/collections/{ALL}/"
OBJECTS = f"{ONE}objects/"


def ended_key(stage: Stage, machine: Machine) -> None:
    at = stage.world.clock.tick()
    accounts.revoke_token(token=machine.token, by=stage.world.yi.admin.subject(), at=at)


def factor_lost(stage: Stage, machine: Machine) -> None:
    """As the library does it, past every action of ours."""
    Authenticator.objects.filter(user__person=machine.token.affiliation.person_id).delete()


def stopped(stage: Stage, machine: Machine) -> None:
    at = datetime.now(UTC)
    intelligence.start_stop(by=stage.world.analyst.subject(at), at=at, reason="演練以外的停止")


def revoked(stage: Stage, machine: Machine) -> None:
    stage.world.clock.at = datetime.now(UTC) - timedelta(minutes=1)
    revoke(stage.world.clock, stage.world.yi, stage.world.reviewer, stage.world.approver)


def test_the_next_request_knows(alliance: Stage) -> None:
    """Each deed on its own key, asked just before and just after, always from memory before."""
    one = indicator(1, object_marking_refs=["marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421"])
    alliance.jia.add(one)
    deeds: list[tuple[Callable[[Stage, Machine], None], int, bool]] = [
        (ended_key, 401, False),
        (stopped, 200, False),
        (factor_lost, 200, False),
        (revoked, 401, False),
    ]
    machines = [alliance.machine(alliance.world.yi.admin) for _ in deeds]
    for machine in machines:
        for _ in range(3):
            assert one["id"] in machine.ids()
    for machine, (deed, status, seen) in zip(machines, deeds, strict=True):
        deed(alliance, machine)
        answer = machine.objects()
        assert answer.status_code == status, (deed.__name__, answer.text)
        assert (one["id"] in answer.text) is seen, deed.__name__
        if deed is stopped:
            end_stop(alliance)
        if deed is factor_lost:
            assert alliance.bing.objects().json()["objects"], "nobody else is touched"
    for path in ("/taxii2/", "/taxii2/alliance/", f"{ONE}manifest/", f"{OBJECTS}{one['id']}/"):
        assert machines[-1].get(path).status_code in (401, 404)
    assert one["id"] in alliance.bing.ids()


def end_stop(stage: Stage) -> None:
    at = datetime.now(UTC)
    stop = Stop.objects.get(ended_at=None)
    intelligence.ask_to_end_stop(by=stage.world.analyst.subject(at), at=at, stop=stop)
    intelligence.end_stop(by=stage.world.approver.subject(at), at=datetime.now(UTC), stop=stop)
