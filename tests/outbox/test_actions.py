"""What enters the outbox, and that nobody who reads the database reads a mail."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection, transaction

from lianfang.kernel.refusal import Refusal
from lianfang.outbox.lifecycle import DELIVERY
from lianfang.outbox.models import Delivery
from lianfang.vault.models import SubjectKey
from tests.outbox.mails import AT, queue

pytestmark = pytest.mark.django_db


def test_address_subject_and_bodies_are_sealed() -> None:
    queue(to="lin.sample@member.example", subject="主旨", body_text="林樣本您好", body_html="<p>林樣本</p>")
    with connection.cursor() as cursor:
        cursor.execute("SELECT outbox_delivery::text FROM outbox_delivery")
        row = str(cursor.fetchall())
        cursor.execute("SELECT audit_entry::text FROM audit_entry")
        ledger = str(cursor.fetchall())
    for planted in ("lin.sample", "member.example", "主旨", "林樣本"):
        assert planted not in row
        assert planted not in ledger
        assert planted.encode().hex() not in row


@pytest.mark.parametrize(
    "to",
    [
        "", "x", "a@b@c", "a b@c.example", "A <a@b.example>", "a@b.example\r\nBcc: x@y.example", "a@b,c@d", "@b",
        "名@b.example", "a@-b", "a" * 65 + "@b.example", "a@b.example;c@d.example",
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused(to: str) -> None:
    with pytest.raises(Refusal) as caught:
        queue(to=to)
    assert caught.value.field == "to"


@pytest.mark.parametrize("subject", ["", " ", "x\r\nBcc: a@b.example", "x\ny", "x\x00"])
def test_a_subject_is_one_line(subject: str) -> None:
    with pytest.raises(Refusal) as caught:
        queue(subject=subject)
    assert caught.value.field == "subject"


def test_the_same_meaning_is_queued_once() -> None:
    first = queue(1, dedupe="token:7:14d")
    assert queue(2, dedupe="token:7:14d").pk == first.pk
    assert queue(3).pk != queue(4).pk
    assert Delivery.objects.count() == 3


def test_a_mail_may_lie_under_the_key_of_its_person() -> None:
    with transaction.atomic():
        made = queue(1)
        assert queue(2, key=made.vault_key).vault_key_id == made.vault_key_id
    assert SubjectKey.objects.count() == 1


def test_message_ids_are_of_our_domain(settings: Any) -> None:
    settings.MAIL_FROM = "notice@cert.example"
    made = queue()
    assert made.message_id == f"<{made.pk}@cert.example>"


def test_the_database_knows_the_states() -> None:
    made = queue()
    for wrong in ("gone", "sending"):
        with pytest.raises(Exception, match="outbox_delivery_"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("UPDATE outbox_delivery SET state = %s WHERE id = %s", [wrong, made.pk])
    assert set(DELIVERY.states) == {"queued", "sending", "sent", "unknown", "failed", "withheld"}
    assert made.not_before == AT
