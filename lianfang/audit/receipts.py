"""Receipts of disclosure enter the tree in batches: one entry holds the root of a tree over many receipts.

The app that writes receipts lies above this one, so it hands down its model at start.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import models
from django.db.models.functions import Cast

from lianfang.audit.actions import action, record
from lianfang.audit.failpoints import failpoint
from lianfang.audit.models import BatchedReceipt
from lianfang.audit.tags import Tag
from lianfang.kernel.canonical import canonical
from lianfang.kernel.merkle import Tree, inclusion_proof, leaf_hash, verify_inclusion
from lianfang.policy.facts import Subject

BATCH = 1000


@dataclass(frozen=True, slots=True)
class Source:
    """A table of receipts. `content` gives of each row the JSON object that is hashed; it must never change."""

    name: str
    model: type[models.Model]
    content: Callable[[Any], dict[str, object]]


_sources: dict[str, Source] = {}


def use(*, name: str, model: type[models.Model], content: Callable[[Any], dict[str, object]]) -> None:
    """Have the receipts of this model put into the tree; called once at start by the app that owns them."""
    _sources[name] = Source(name, model, content)


def batch_all(*, at: datetime) -> int:
    """Put every receipt that is not yet in the tree into it; return how many."""
    by = Subject.system("audit.receipts")
    total = 0
    for source in list(_sources.values()):
        while rows := _pending(source):
            _put(source, rows, by=by, at=at)
            total += len(rows)
    return total


def _pending(source: Source) -> list[models.Model]:
    placed = BatchedReceipt.objects.filter(source=source.name, receipt=models.OuterRef("key"))
    rows = source.model._default_manager.annotate(key=Cast("pk", models.CharField(max_length=40))).filter(
        ~models.Exists(placed)
    )
    return list(rows.order_by("pk")[:BATCH])


@action(Tag.AUDIT_RECEIPTS_BATCH)
def _put(source: Source, rows: list[models.Model], *, by: Subject, at: datetime) -> None:
    hashes = [leaf_hash(canonical(source.content(row))) for row in rows]
    entry = record(
        by=by,
        at=at,
        about=("audit.receipts", source.name),
        detail={"count": len(rows), "root": _tree(hashes).root().hex()},
    )
    # Unique by (source, receipt): of two workers that took the same rows, the second is rolled back.
    BatchedReceipt.objects.bulk_create(
        BatchedReceipt(source=source.name, receipt=str(row.pk), entry=entry, index=index, hash=value)
        for index, (row, value) in enumerate(zip(rows, hashes, strict=True))
    )
    failpoint("audit.receipts.before-commit")


@dataclass(frozen=True, slots=True)
class ReceiptProof:
    """That a receipt is leaf `index` of the batch whose root stands in the entry with this id."""

    entry_id: int
    index: int
    size: int
    leaf: bytes
    path: list[bytes]
    root: bytes

    @property
    def holds(self) -> bool:
        """Whether the path leads from the receipt to the root in the entry."""
        return verify_inclusion(leaf=self.leaf, index=self.index, size=self.size, proof=self.path, root=self.root)


def proof(*, name: str, receipt: models.Model) -> ReceiptProof | None:
    """Return the proof of a receipt as it stands now, None while it waits for its batch."""
    placed = BatchedReceipt.objects.select_related("entry").filter(source=name, receipt=str(receipt.pk)).first()
    if placed is None:
        return None
    hashes = [
        bytes(h)
        for h in BatchedReceipt.objects.filter(entry=placed.entry).order_by("index").values_list("hash", flat=True)
    ]
    nodes = {(node.level, node.index): node.hash for node in _nodes(hashes)}
    return ReceiptProof(
        entry_id=placed.entry_id,
        index=placed.index,
        size=len(hashes),
        leaf=leaf_hash(canonical(_sources[name].content(receipt))),
        path=inclusion_proof(placed.index, len(hashes), lambda level, index: nodes[level, index]),
        root=bytes.fromhex(placed.entry.detail["root"]),
    )


def _tree(hashes: list[bytes]) -> Tree:
    tree = Tree()
    for value in hashes:
        tree.append(value)
    return tree


def _nodes(hashes: list[bytes]) -> list[Any]:
    tree = Tree()
    return [node for value in hashes for node in tree.append(value)]
