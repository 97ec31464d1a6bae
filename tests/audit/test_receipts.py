"""Receipts enter the tree in batches, each once, and can be proved against the entry of their batch."""

from __future__ import annotations

from typing import Any

import pytest

from lianfang.audit import receipts
from lianfang.audit.models import BatchedReceipt, Entry
from lianfang.vault.models import SubjectKey
from tests.audit.deeds import AT
from tests.vault.things import made_key

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _source(monkeypatch: pytest.MonkeyPatch) -> None:
    """Subject keys stand for receipts: any table will do."""
    monkeypatch.setattr(receipts, "_sources", {})
    receipts.use(name="test", model=SubjectKey, content=content)


def content(row: Any) -> dict[str, object]:
    return {"id": str(row.pk), "master": row.master_id}


def test_each_receipt_is_batched_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receipts, "BATCH", 4)
    rows = [made_key() for _ in range(10)]
    assert receipts.batch_all(at=AT) == 10
    assert receipts.batch_all(at=AT) == 0
    rows.append(made_key())
    assert receipts.batch_all(at=AT) == 1
    entries = Entry.objects.filter(tag="audit:receipts:batch").order_by("pk")
    assert [entry.detail["count"] for entry in entries] == [4, 4, 2, 1]
    assert {placed.receipt for placed in BatchedReceipt.objects.all()} == {str(row.pk) for row in rows}


def test_every_receipt_is_proved_by_the_entry_of_its_batch() -> None:
    rows = [made_key() for _ in range(7)]
    assert receipts.proof(name="test", receipt=rows[0]) is None
    receipts.batch_all(at=AT)
    entry = Entry.objects.get(tag="audit:receipts:batch")
    for row in rows:
        proof = receipts.proof(name="test", receipt=row)
        assert proof is not None
        assert proof.holds
        assert (proof.entry_id, proof.root.hex()) == (entry.pk, entry.detail["root"])


def test_a_changed_receipt_is_proved_no_more() -> None:
    row = made_key()
    made_key()
    receipts.batch_all(at=AT)
    row.master_id = "other"
    proof = receipts.proof(name="test", receipt=row)
    assert proof is not None
    assert not proof.holds


def test_without_receipts_no_entry_is_made() -> None:
    assert receipts.batch_all(at=AT) == 0
    assert Entry.objects.count() == 0
