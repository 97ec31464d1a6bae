"""Deeds to record, for the tests of the ledger."""

from __future__ import annotations

from datetime import UTC, datetime

from lianfang.audit.actions import action, record
from lianfang.audit.models import Entry
from lianfang.audit.sequencer import Horizon, number
from lianfang.audit.tags import Tag
from lianfang.policy.facts import Subject

AT = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
BY = Subject.system("test")


@action(Tag.VAULT_KEY_SHRED)
def deed(index: int = 0, *, at: datetime = AT, text: str | None = None) -> Entry:
    """Something that was done."""
    return record(by=BY, at=at, about=("test.thing", str(index)), detail={"index": index, "name": "名"}, text=text)


def ledger(count: int) -> list[Entry]:
    """Do so many deeds, number them, and return the entries as stored."""
    made = [deed(index) for index in range(count)]
    number(wait=True, horizon=Horizon())
    return list(Entry.objects.filter(pk__in=[entry.pk for entry in made]).order_by("pk"))
