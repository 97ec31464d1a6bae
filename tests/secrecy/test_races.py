"""A right ends while answers are being made: no request that begins after the commit gets a byte of what it guarded.

Readers ask without a pause, a machine by TAXII and a browser by the object's page and the list, each on a thread and a
connection of its own, through the same WSGI application as in production. Whatever carries the object also has its
receipt: nothing leaves on a decision that no longer stood when the receipt was written.
"""

from __future__ import annotations

import base64
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connections
from django.test import RequestFactory

from tests.goals import goal

if TYPE_CHECKING:
    from tests.exchange.stage import Machine, Stage
    from tests.world import Member

FEW, MANY = 40, 1000


@pytest.fixture(scope="module")
def alliance(django_db_setup: None, django_db_blocker: Any) -> Iterator[Stage]:
    """One world with real commits for all races."""
    from tests.exchange.stage import stage

    with django_db_blocker.unblock(), stage() as found:
        yield found


@dataclass
class Got:
    """One answer: when its request began, when it had ended, and whether it carried the object."""

    began: float
    ended: float
    carried: bool


@dataclass
class Reader:
    """Asks these addresses in turn, on its own thread, while `asking` is set."""

    asks: list[Callable[[], bytes]]
    place: int
    """Which of them comes first."""
    got: list[Got] = field(default_factory=list)
    mark: bytes = b""
    asking: threading.Event = field(default_factory=threading.Event)
    idle: threading.Event = field(default_factory=threading.Event)
    over: bool = False
    failed: list[BaseException] = field(default_factory=list)

    def run(self) -> None:
        place = self.place
        while not self.over:
            if not self.asking.is_set():
                self.idle.set()
                self.asking.wait(0.05)
                continue
            self.idle.clear()
            try:
                began = time.perf_counter()
                body = self.asks[place % len(self.asks)]()
                self.got.append(Got(began, time.perf_counter(), self.mark in body))
            except BaseException as problem:
                self.failed.append(problem)
                self.asking.clear()
            place += 1
        connections.close_all()


@dataclass
class Race:
    """What is raced about: who reads, what ends the right, and what is put back afterwards."""

    name: str
    prepare: Callable[[Races], tuple[list[list[Callable[[], bytes]]], Callable[[], None], Callable[[], None]]]


class Races:
    """The stage with its readers' doors."""

    def __init__(self, stage: Stage, seed: int) -> None:
        from config.wsgi import application

        self.stage, self.rng = stage, random.Random(seed)
        self.application = application
        self.made: Counter[str] = Counter()
        self.carried: Counter[str] = Counter()
        self.crossed = 0
        self.item: dict[str, Any] = {}

    def ask(self, path: str, **more: Any) -> bytes:
        """Through the application as a server calls it."""
        environ = RequestFactory(HTTP_HOST="localhost").get(path, **more).environ
        answer = self.application(environ, lambda status, headers: None)
        try:
            return b"".join(answer)
        finally:
            if hasattr(answer, "close"):
                answer.close()

    def machine(self, machine: Machine) -> list[Callable[[], bytes]]:
        from tests.exchange.stage import ALL, TAXII

        key = base64.b64encode(":".join(machine.auth).encode()).decode()
        one = f"/taxii2/alliance/collections/{ALL}/objects/"
        more = {"HTTP_AUTHORIZATION": f"Basic {key}", "HTTP_ACCEPT": TAXII}
        paths = [f"{one}?added_after={self.since}", f"{one}{self.item['id']}/", f"{one}?match[id]={self.item['id']}"]
        return [lambda path=path: self.ask(path, **more) for path in paths]  # type: ignore[misc]

    def browser(self, actor: Any) -> list[Callable[[], bytes]]:
        client = self.stage.world.client(actor)
        session = client.cookies["session"].value
        paths = [f"/member/intel/{self.item['id']}", "/member/intel"]
        return [lambda path=path: self.ask(path, HTTP_COOKIE=f"session={session}") for path in paths]  # type: ignore[misc]

    def share(self) -> None:
        """Something new for all members, with a mark of its own."""
        import json

        from lianfang.intel import intake
        from lianfang.intel.labelling import LabelForm
        from lianfang.policy.facts import Audience, Channel, NameSource, Tlp
        from tests.exchange.stage import indicator

        at = datetime.now(UTC)
        self.since = (at - timedelta(seconds=1)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        self.mark = f"canary{self.rng.getrandbits(64):016x}"
        self.item = indicator(name=self.mark)
        form = LabelForm(tlp=Tlp.GREEN, audience=Audience.alliance(), name_source=NameSource.EVERYONE)
        body = json.dumps({"objects": [self.item]}).encode()
        intake.submit(by=self.stage.world.jia.admin.subject(at), at=at, body=body, form=form, channel=Channel.PAGE)

    def version(self) -> Any:
        from lianfang.intel.models import Version

        return Version.objects.get(item__stix_id=self.item["id"])


def _key(races: Races) -> Any:
    from lianfang.accounts import actions as accounts

    admin = races.stage.world.bing.admin
    races.stage.world.clock.at = datetime.now(UTC) - timedelta(seconds=2)
    machine = races.stage.machine(admin)

    def end() -> None:
        at = datetime.now(UTC)
        accounts.revoke_token(token=machine.token, by=admin.subject(at), at=at)

    return [races.machine(machine)], end, _nothing


def _recall(races: Races) -> Any:
    from lianfang.intel import actions

    def end() -> None:
        at = datetime.now(UTC)
        actions.recall(by=races.stage.world.jia.admin.subject(at), at=at, version=races.version(), reason="誤報")

    return [races.machine(races.stage.bing), races.browser(races.stage.world.bing.contact)], end, _nothing


def _tighten(races: Races) -> Any:
    from lianfang.intel import actions
    from lianfang.policy.facts import Audience, Tlp

    def end() -> None:
        at = datetime.now(UTC)
        actions.tighten(
            by=races.stage.world.jia.admin.subject(at), at=at, version=races.version(), tlp=Tlp.AMBER_STRICT,
            audience=Audience.coordinator_only(),
        )  # fmt: skip

    return [races.machine(races.stage.bing), races.browser(races.stage.world.bing.contact)], end, _nothing


def _stop(races: Races) -> Any:
    from lianfang.intel import actions
    from tests.exchange.test_next_request import end_stop

    def end() -> None:
        at = datetime.now(UTC)
        actions.start_stop(by=races.stage.world.analyst.subject(at), at=at, reason="演練以外的停止")

    def back() -> None:
        end_stop(races.stage)

    return [races.machine(races.stage.bing), races.browser(races.stage.world.bing.contact)], end, back


def _membership(races: Races) -> Any:
    """A member of its own for this race, which takes a second to admit."""
    from tests import world as cast

    stage, number = races.stage, 200 + sum(races.made.values())
    world = stage.world
    world.clock.at = datetime.now(UTC) - timedelta(minutes=5)
    member: Member = cast.admit(
        world.clock, world.reviewer, world.approver, name=f"賽{number}股份有限公司", place=number
    )
    machine = stage.machine(member.admin)

    def end() -> None:
        world.clock.at = datetime.now(UTC) - timedelta(minutes=1)
        cast.revoke(world.clock, member, world.reviewer, world.approver)

    return [races.machine(machine), races.browser(member.admin)], end, _nothing


def _nothing() -> None:
    return None


KINDS = [Race("key", _key), Race("recall", _recall), Race("stop", _stop), Race("label", _tighten)]
RARE = Race("membership", _membership)


def run(races: Races, kind: Race) -> None:
    """One race. Fails where an answer begun after the commit carried the object."""
    races.share()
    asked, end, back = kind.prepare(races)
    readers = [Reader(asks, races.rng.randrange(6), mark=races.mark.encode()) for asks in asked]
    threads = [threading.Thread(target=reader.run, daemon=True) for reader in readers]
    for thread in threads:
        thread.start()
    for reader in readers:
        reader.asking.set()
    try:
        _wait(lambda: all(any(one.carried for one in reader.got) for reader in readers), readers)
        time.sleep(races.rng.random() * 0.012)
        end()
        committed = time.perf_counter()
        _wait(lambda: all(any(one.began > committed for one in list(reader.got)) for reader in readers), readers)
    finally:
        for reader in readers:
            reader.over = True
            reader.asking.clear()
        for thread in threads:
            thread.join(20)
    back()
    late = [one for reader in readers for one in reader.got if one.began > committed and one.carried]
    assert not late, (
        f"{kind.name}: {len(late)} answers carried the object, begun up to "
        f"{max(one.began for one in late) - committed:.6f} s after the commit"
    )
    races.made[kind.name] += 1
    races.crossed += any(one.began < committed < one.ended for reader in readers for one in reader.got)
    carried = sum(one.carried for reader in readers for one in reader.got)
    assert carried <= _receipts(races), f"{kind.name}: an answer left without its receipt"


def _receipts(races: Races) -> int:
    from lianfang.intel.receipts import received_by

    return sum(1 for _ in received_by(races.version()))


def _wait(until: Callable[[], bool], readers: list[Reader]) -> None:
    end = time.monotonic() + 20
    while not until():
        for reader in readers:
            if reader.failed:
                raise reader.failed[0]
        assert time.monotonic() < end, "the readers did not get that far"
        time.sleep(0.001)


def _play(stage: Stage, count: int, *, seed: int, rare: int) -> Races:
    races = Races(stage, seed)
    for number in range(count):
        run(races, RARE if number % rare == rare - 1 else KINDS[number % len(KINDS)])
        if number % 100 == 99:
            print(f"  {number + 1:,} races, in {races.crossed} an answer was in the making", flush=True)
    return races


def test_races(alliance: Stage) -> None:
    races = _play(alliance, FEW, seed=20261124, rare=40)
    assert races.crossed > FEW / 4, "too few answers were in the making at the commit for this to prove anything"


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_races_many(alliance: Stage) -> None:
    with goal("races of ended rights and answers, none begun after the commit", seed=7) as counted:
        races = _play(alliance, MANY, seed=7, rare=100)
        counted.count = sum(races.made.values())
        counted.also = f"{dict(races.made)}; in {races.crossed} an answer was in the making at the commit"
