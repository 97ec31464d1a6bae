"""Mails leave over real SMTP, once, whatever the mail server says."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import pytest
from django.db import connections

from lianfang.audit.models import Entry
from lianfang.outbox import sender
from lianfang.outbox.actions import BACK_OFF, LEASE, claim, resend, settle
from lianfang.outbox.models import Delivery
from lianfang.vault.actions import shred
from lianfang.vault.models import SubjectKey
from tests.outbox.conftest import MailServer
from tests.outbox.mails import AT, BY, queue

pytestmark = pytest.mark.django_db


def drain(at: datetime = AT) -> int:
    """Drain with a clock that stands."""
    return sender.drain(clock=lambda: at)


def state(delivery: Delivery) -> str:
    return Delivery.objects.values_list("state", flat=True).get(pk=delivery.pk)


def withhold(delivery: Delivery, at: datetime) -> bool:
    """A decision at the moment of sending: no."""
    return False


def broken(delivery: Delivery, at: datetime) -> bool:
    """A decision at the moment of sending that fails."""
    raise LookupError


def test_a_mail_arrives_as_it_was_written(mail_server: MailServer) -> None:
    made = queue()
    assert drain() == 1
    mail = mail_server.taken[0]
    assert mail["To"] == "p0@member.example"
    assert mail["Subject"] == "【聯防】通知0"
    assert mail["Message-ID"] == made.message_id
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail.get_body(("plain",)).get_content().replace("\r\n", "\n") == made.body_text  # type: ignore[union-attr]
    assert mail.get_body(("html",)).get_content().strip() == "<p>您好</p>"  # type: ignore[union-attr]
    made.refresh_from_db()
    assert (made.state, made.sent_at, made.lease_until, made.attempts) == ("sent", AT, None, 0)


def test_the_same_bytes_each_time() -> None:
    made = queue()
    assert sender.message(made).as_bytes() == sender.message(Delivery.objects.get(pk=made.pk)).as_bytes()


def test_many_leave_on_one_connection_in_order(mail_server: MailServer) -> None:
    for number in range(30):
        queue(number)
    assert drain() == 30
    assert mail_server.recipients == [f"p{number}@member.example" for number in range(30)]
    assert drain() == 0


def test_each_step_stands_in_the_ledger(mail_server: MailServer) -> None:
    made = queue()
    drain()
    tags = Entry.objects.filter(about_id=str(made.pk)).order_by("pk").values_list("tag", flat=True)
    assert list(tags) == ["notices:notice:send", "outbox:delivery:claim", "outbox:delivery:send"]


def test_what_is_not_due_stays(mail_server: MailServer) -> None:
    made = queue(not_before=AT + timedelta(hours=1))
    assert drain(AT + timedelta(hours=1) - timedelta(microseconds=1)) == 0
    assert state(made) == "queued"
    assert drain(AT + timedelta(hours=1)) == 1


def test_without_a_mail_server_nothing_is_claimed(settings: Any, caplog: pytest.LogCaptureFixture) -> None:
    settings.MAIL_HOST, settings.MAIL_PORT = "127.0.0.1", 9
    made = queue()
    before = Entry.objects.count()
    with caplog.at_level(logging.WARNING):
        assert drain() == 0
    assert state(made) == "queued"
    assert Entry.objects.count() == before
    assert "what is queued stays queued" in caplog.text


@pytest.mark.parametrize("step", ["refuse_rcpt", "refuse_data"])
def test_a_temporary_refusal_is_tried_again_later(mail_server: MailServer, step: str) -> None:
    setattr(mail_server, step, ["451 p0@member.example try later"])
    first, second = queue(0), queue(1)
    assert drain() == 1
    first.refresh_from_db()
    assert (first.state, first.attempts, first.not_before) == ("queued", 1, AT + BACK_OFF[0])
    assert first.last_answer == "451 <…> try later"
    assert state(second) == "sent"
    assert drain(AT + BACK_OFF[0]) == 1
    assert state(first) == "sent"


@pytest.mark.parametrize("step", ["refuse_rcpt", "refuse_data"])
def test_a_permanent_refusal_fails_at_once(mail_server: MailServer, step: str) -> None:
    setattr(mail_server, step, ["550 no such mailbox"])
    first, second = queue(0), queue(1)
    assert drain() == 1
    assert (state(first), state(second)) == ("failed", "sent")


def test_temporary_refusals_end_after_two_days(mail_server: MailServer) -> None:
    made = queue()
    at, tries = AT, count(1)
    mail_server.refuse_rcpt = ["451 busy"] * 99
    while state(made) == "queued":
        drain(at)
        made.refresh_from_db()
        at = max(at, made.not_before)
        assert next(tries) < 20
    assert (made.state, made.attempts) == ("failed", len(BACK_OFF) + 1)
    assert at - AT == sum(BACK_OFF, timedelta())


def test_a_connection_that_breaks_after_the_content_leaves_an_unknown(mail_server: MailServer) -> None:
    mail_server.hang_up = 1
    first, second = queue(0), queue(1, at=AT, not_before=AT + timedelta(microseconds=1))
    assert drain(AT + timedelta(seconds=1)) == 0
    assert (state(first), state(second)) == ("unknown", "queued")
    assert drain(AT + timedelta(seconds=1)) == 1
    assert (state(first), state(second)) == ("unknown", "sent")


def test_a_person_may_have_an_unknown_mail_sent_again_under_the_same_id(mail_server: MailServer) -> None:
    mail_server.hang_up = 1
    made = queue()
    drain()
    resend(made.pk, by=BY, at=AT)
    assert drain() == 1
    assert mail_server.taken[0]["Message-ID"] == made.message_id
    with pytest.raises(Exception, match="not possible while the state is"):
        resend(made.pk, by=BY, at=AT)


def test_a_lease_that_ran_out_becomes_unknown() -> None:
    made = queue()
    claim(at=AT)
    assert sender.sweep(at=AT + LEASE) == (0, False)
    assert sender.sweep(at=AT + LEASE + timedelta(microseconds=1)) == (1, False)
    assert state(made) == "unknown"
    settle(made.pk, move="send", said="250 OK", at=AT)
    assert state(made) == "sent"


def test_the_sweep_says_whether_something_is_due() -> None:
    queue(not_before=AT + timedelta(hours=1))
    assert sender.sweep(at=AT) == (0, False)
    assert sender.sweep(at=AT + timedelta(hours=1)) == (0, True)


def test_content_is_decided_again_at_the_moment_of_sending(mail_server: MailServer) -> None:
    made = queue(decide_at_sending="tests.outbox.test_sender.withhold")
    assert drain() == 0
    assert state(made) == "withheld"
    assert mail_server.taken == []
    assert Entry.objects.filter(tag="outbox:delivery:withhold", about_id=str(made.pk)).count() == 1


def test_a_decision_that_fails_holds_nobody_else_up(mail_server: MailServer) -> None:
    first = queue(0, decide_at_sending="tests.outbox.test_sender.broken")
    second = queue(1, at=AT + timedelta(seconds=1))
    assert drain(AT + timedelta(seconds=1)) == 1
    first.refresh_from_db()
    assert (first.state, state(second)) == ("queued", "sent")
    assert first.not_before == AT + timedelta(seconds=1) + BACK_OFF[2]


def test_nothing_leaves_for_somebody_who_was_erased(mail_server: MailServer) -> None:
    made = queue()
    shred(made.vault_key, by=BY, at=AT)
    assert drain() == 0
    assert state(made) == "withheld"


@pytest.mark.django_db(transaction=True)
def test_a_claimed_mail_is_passed_over_by_another_worker() -> None:
    import threading

    from django.db import transaction

    first, second = queue(0), queue(1, not_before=AT + timedelta(microseconds=1))
    seen: list[Any] = []

    def other() -> None:
        seen.append(claim(at=AT + timedelta(seconds=1)).pk)
        connections.close_all()

    with transaction.atomic():
        assert claim(at=AT + timedelta(seconds=1)).pk == first.pk
        thread = threading.Thread(target=other)
        thread.start()
        thread.join(10)
    assert seen == [second.pk]
    assert SubjectKey.objects.count() == 2
