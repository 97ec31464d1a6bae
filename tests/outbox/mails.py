"""Mails to be sent, for the tests of the outbox."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from lianfang.audit.actions import action, record
from lianfang.audit.tags import Tag
from lianfang.outbox.actions import enqueue
from lianfang.outbox.models import Delivery
from lianfang.policy.facts import Subject

AT = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
BY = Subject.system("test")


@action(Tag.NOTICES_NOTICE_SEND)
def queue(number: int = 0, **given: Any) -> Delivery:
    """Queue one mail, due at AT; the lower number leaves first."""
    made = enqueue(
        **{
            "to": f"p{number}@member.example",
            "subject": f"【聯防】通知{number}",
            "body_text": f"您好，第{number}號。\n.\n..兩點\n",
            "body_html": "<p>您好</p>",
            "kind": "test",
            "person_id": None,
            "at": AT + timedelta(microseconds=number),
            "not_before": given.get("at", AT),
        }
        | given
    )
    record(by=BY, at=AT, about=made)
    return made
