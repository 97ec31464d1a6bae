"""A mail server away for a day, slow, or taking half: nothing lost, nothing twice, recipients decided again (F08)."""

from __future__ import annotations

import random
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest

from lianfang.outbox import sender
from lianfang.outbox.actions import BACK_OFF, LEASE
from lianfang.outbox.models import Delivery
from tests.outbox.conftest import MailServer
from tests.outbox.mails import AT, queue

pytestmark = pytest.mark.django_db
LEFT: set[str] = set()
"""Who left the alliance while mails for them waited."""


def still_there(delivery: Delivery, at: datetime) -> bool:
    """The decision at the moment of sending."""
    return delivery.to not in LEFT


def states() -> Counter[str]:
    return Counter(Delivery.objects.values_list("state", flat=True))


def sweep_and_drain(at: datetime) -> None:
    """What the schedule brings each minute."""
    sender.sweep(at=at)
    sender.drain(clock=lambda: at)


def test_a_day_without_a_mail_server(mail_server: MailServer, settings: Any) -> None:
    there = settings.MAIL_PORT
    with socket.create_server(("127.0.0.1", 0)) as free:
        settings.MAIL_PORT = free.getsockname()[1]  # closed at once: nobody answers there
    count, at = 60, AT
    mails = [queue(n, decide_at_sending=f"{__name__}.still_there") for n in range(count)]
    LEFT.clear()
    for hour in range(24):
        for minute in (0, 1, 30):
            sweep_and_drain(at + timedelta(hours=hour, minutes=minute))
    assert states() == {"queued": count}
    assert not Delivery.objects.exclude(attempts=0).exists(), "an attempt that never reached a server is none"
    LEFT.update(mails[n].to for n in (3, 17, 41))
    settings.MAIL_PORT = there
    sweep_and_drain(at + timedelta(hours=24))
    assert states() == {"sent": count - 3, "withheld": 3}
    assert sorted(mail_server.recipients) == sorted(one.to for one in mails if one.to not in LEFT)
    sweep_and_drain(at + timedelta(hours=25))
    assert len(mail_server.taken) == count - 3


def test_every_answer_a_server_can_give(mail_server: MailServer) -> None:
    """Refusals and broken connections in any order, for three days: each mail leaves once, or is accounted for."""
    dice, count = random.Random(8), 80
    ids = {queue(n).message_id for n in range(count)}
    broke = 0
    for hour in range(0, 72, 2):
        mail_server.refuse_rcpt = dice.choices(
            ["451 later", "450 greylisted", "550 no such user", "452 full"], [6, 6, 1, 3], k=4
        )
        mail_server.refuse_data = dice.choices(["451 later", "554 refused", "421 closing"], [5, 1, 3], k=3)
        mail_server.hang_up = int(hour % 24 == 0)
        sweep_and_drain(AT + timedelta(hours=hour))
        broke += hour % 24 == 0 and not mail_server.hang_up
    mail_server.refuse_rcpt, mail_server.refuse_data, mail_server.hang_up = [], [], 0
    for hour in range(72, 140, 4):
        sweep_and_drain(AT + timedelta(hours=hour))
    found = states()
    assert sum(found.values()) == count
    assert set(found) <= {"sent", "failed", "unknown"}
    assert found["unknown"] == broke, "only a connection that broke after the content leaves a doubt"
    arrived = Counter(str(mail["Message-ID"]) for mail in mail_server.taken)
    assert max(arrived.values()) == 1
    assert set(arrived) == {one.message_id for one in Delivery.objects.filter(state="sent")}
    assert set(arrived) <= ids
    assert found["sent"] > count / 2
    assert AT + sum(BACK_OFF, timedelta()) < AT + timedelta(hours=72)


@contextmanager
def scripted(*answers: bytes | float) -> Iterator[tuple[int, list[bytes]]]:
    """A server that says these lines one after another, each after what the client said; a number is a silence."""
    heard: list[bytes] = []
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            stream = connection.makefile("rb")
            for number, answer in enumerate(answers):
                if number:
                    line = stream.readline()
                    heard.append(line)
                    while heard[-1] and b"DATA" in b"".join(heard) and not heard[-1].startswith((b".\r\n", b"DATA")):
                        heard.append(stream.readline())
                if isinstance(answer, float):
                    time.sleep(answer)
                    return
                connection.sendall(answer)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1], heard
    finally:
        listener.close()
        thread.join(5)


READY, OK = b"220 x\r\n", b"250 ok\r\n"


@pytest.mark.parametrize(("answers", "state"), [
    # Silent from the first word on, or before the content went: certainly not taken, so later again.
    ((0.6,), "queued"), ((READY, 0.6), "queued"), ((READY, OK, 0.6), "queued"), ((READY, OK, OK, 0.6), "queued"),
    ((READY, OK, OK, OK, 0.6), "queued"),
    # Half taken: the content went, and then silence. Nobody knows, so nobody sends it again by himself.
    ((READY, OK, OK, OK, b"354 go\r\n", 0.6), "unknown"),
])  # fmt: skip
def test_a_server_that_falls_silent(
    settings: Any, monkeypatch: pytest.MonkeyPatch, answers: tuple[bytes | float, ...], state: str
) -> None:
    monkeypatch.setattr(sender, "_TIMEOUT_SECONDS", 0.2)
    queue()
    with scripted(*answers) as (port, _):
        settings.MAIL_HOST, settings.MAIL_PORT = "127.0.0.1", port
        began = time.monotonic()
        sweep_and_drain(AT)
        assert time.monotonic() - began < 5
    sender.sweep(at=AT + LEASE + timedelta(seconds=1))
    assert states() == {state: 1}
