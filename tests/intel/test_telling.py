"""Who is written to of a recall, of a stop that began or ended, and of one that nobody confirmed: each once."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest
from django.db import DatabaseError, connection, transaction

from lianfang.audit.models import Entry
from lianfang.intel import actions, receipts, telling
from lianfang.intel.models import Recall, Stop, Telling, Version
from lianfang.intel.tasks import sweep
from lianfang.kernel.clock import utcnow
from lianfang.outbox.models import Delivery
from lianfang.policy import store
from lianfang.policy.facts import Channel, Request
from tests.intel.cast import indicator
from tests.intel.test_pages import share
from tests.world import Actor, World, build

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    made = build()
    made.before = set(Delivery.objects.values_list("pk", flat=True))  # type: ignore[attr-defined]
    return made


def mails(world: World, kind: str) -> list[str]:
    """Addresses of what was queued since the world was built."""
    before = world.before  # type: ignore[attr-defined]
    return sorted(mail.to for mail in Delivery.objects.filter(kind=kind).exclude(pk__in=before))


def recall(world: World) -> Recall:
    at = utcnow()
    version = Version.objects.order_by("-id").first()
    assert version is not None
    return actions.recall(by=world.jia.admin.subject(at), at=at, version=version, reason="內容有誤")


def addresses(*actors: Actor) -> list[str]:
    return sorted(actor.person.email for actor in actors)


def test_a_recall_is_told_to_those_who_received_it_and_to_nobody_else(world: World) -> None:
    one = indicator(name="祕密的名字")
    share(world.jia.admin, one)
    position = Version.objects.get().entries.get().position
    at = utcnow()
    for actor in (world.yi.member, world.jia.admin, world.analyst):
        asking, policy = Request(channel=Channel.PAGE), store.epoch().policy
        assert receipts.write(by=actor.subject(at), request=asking, positions=[position], at=at, policy=policy)
    made = recall(world)
    assert telling.tell(at=utcnow()) == len(mails(world, "recall"))
    assert mails(world, "recall") == addresses(world.yi.admin, world.yi.deputy, world.yi.contact)
    for mail in Delivery.objects.filter(kind="recall"):
        assert "祕密的名字" not in mail.subject + mail.body_text + mail.body_html
        assert f"/member/intel/{one['id']}" in mail.body_text
    assert Telling.objects.get().act == f"recall/{made.pk}"
    entry = Entry.objects.filter(tag="intel:telling:end").get()
    assert entry.detail["people"] == 3


def test_nobody_received_it_nobody_is_written_to(world: World) -> None:
    share(world.jia.admin, indicator())
    recall(world)
    assert telling.tell(at=utcnow()) == 0
    assert mails(world, "recall") == []
    assert Telling.objects.count() == 1


def test_a_second_job_finds_nothing_and_a_killed_one_goes_on(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    at = utcnow()
    actions.start_stop(by=world.analyst.subject(at), at=at, reason="外洩")
    monkeypatch.setattr(telling, "_BATCH", 1)
    sent = 0

    def killed(**given: object) -> object:
        nonlocal sent
        sent += 1
        if sent == 3:
            raise KeyboardInterrupt
        return real(**given)  # type: ignore[arg-type]

    real = telling.send
    monkeypatch.setattr(telling, "send", killed)
    with pytest.raises(KeyboardInterrupt):
        telling.tell(at=utcnow())
    assert len(mails(world, "stop_started")) == 2
    assert not Telling.objects.exists()
    monkeypatch.setattr(telling, "send", real)
    telling.tell(at=utcnow())
    first = mails(world, "stop_started")
    assert max(Counter(first).values()) == 1
    assert telling.tell(at=utcnow()) == 0
    assert mails(world, "stop_started") == first


def test_a_stop_is_told_to_every_member_in_force_when_it_begins_and_when_it_ends(world: World) -> None:
    at = utcnow()
    stop = actions.start_stop(by=world.analyst.subject(at), at=at, reason="外洩")
    telling.tell(at=utcnow())
    began = mails(world, "stop_started")
    assert set(addresses(world.jia.admin, world.yi.admin)) <= set(began)
    former = set(addresses(*(member.admin for name, member in world.members.items() if name == "former")))
    assert not former & set(began)
    assert not set(addresses(*world.staff.values())) & set(began)
    assert not mails(world, "stop_ended")
    actions.ask_to_end_stop(by=world.analyst.subject(at), at=utcnow(), stop=stop)
    actions.end_stop(by=world.approver.subject(at), at=utcnow(), stop=stop)
    telling.tell(at=utcnow())
    assert mails(world, "stop_ended") == began
    assert mails(world, "stop_started") == began
    assert {one.act.rpartition("/")[2] for one in Telling.objects.all()} == {"started", "ended"}


def test_a_drill_writes_to_nobody(world: World) -> None:
    at = utcnow()
    actions.start_stop(by=world.analyst.subject(at), at=at, reason="演練", drill=True)
    assert telling.tell(at=utcnow()) == 0
    assert not Telling.objects.exists()


def test_an_unconfirmed_stop_is_told_to_the_staff_by_the_minute_s_job(world: World) -> None:
    started = utcnow() - timedelta(minutes=60)
    actions.start_stop(by=world.analyst.subject(started), at=started, reason="外洩")
    sweep(0)
    told = mails(world, "stop_unconfirmed")
    assert set(addresses(world.analyst, world.approver, world.reviewer)) <= set(told)
    assert max(Counter(told).values()) == 1
    assert Stop.objects.get().alarmed_at is not None
    sweep(0)
    assert mails(world, "stop_unconfirmed") == told


def test_an_act_of_last_month_is_history(world: World) -> None:
    long_ago = utcnow() - timedelta(days=8)
    actions.start_stop(by=world.analyst.subject(long_ago), at=long_ago, reason="外洩")
    assert telling.tell(at=utcnow()) == 0


def test_what_was_told_cannot_be_unsaid(world: World) -> None:
    share(world.jia.admin, indicator())
    recall(world)
    telling.tell(at=utcnow())
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM intel_telling")
    with pytest.raises(DatabaseError), transaction.atomic():
        Telling.objects.update(at=utcnow())
