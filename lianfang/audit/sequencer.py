"""Numbers committed entries into the tree, and signs its head.

Writers never wait for it: an entry is inserted without any lock, and one sequencer at a time, held by an advisory
lock, takes what is committed and not yet a leaf. Order among entries committed together is free; none is taken twice,
since a leaf is unique by entry.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import UTC, datetime

from django.db import connection, transaction
from django.db.models import Max, Q

from lianfang.audit import signing
from lianfang.audit.failpoints import failpoint
from lianfang.audit.leaves import hash_of
from lianfang.audit.models import Checkpoint, Entry, Leaf, Node
from lianfang.kernel.merkle import NewNode, Tree, complete_subtrees, root_at

BATCH = 500
# Any constant that no other advisory lock of this database uses.
_LOCK = 0x6C66_0002


class Horizon:
    """Below which transaction number everything is known to be a leaf already.

    Kept in memory only: a process starts by looking at all entries once, so that a database restored from a backup,
    whose numbers start anew, is looked at in full.
    """

    def __init__(self) -> None:
        self.tx = 0


_horizon = Horizon()


def number(*, wait: bool, horizon: Horizon = _horizon) -> int:
    """Give every committed entry its place in the tree; return how many were new.

    With `wait` a running sequencer is waited for; without it, 0 is returned at once when one runs.
    """
    total = 0
    while True:
        count, lowest_open = _batch(wait=wait, horizon=horizon)
        total += count
        if count < BATCH:
            # Every transaction below the one that was open when we looked has ended, and its entries were taken.
            horizon.tx = max(horizon.tx, lowest_open)
            return total


def checkpoint(*, at: datetime) -> Checkpoint | None:
    """Number what is committed, sign the head of the tree, and return it; None while the ledger is empty.

    A tree that did not grow keeps its checkpoint. Raises SigningKeyUnusable.
    """
    number(wait=True)
    with transaction.atomic():
        _take_lock(wait=True)
        size = tree_size()
        if size == 0:
            return None
        if known := Checkpoint.objects.filter(size=size).first():
            return known
        return _sign(size=size, root=root_at(size, stored_node), at=at)


def tree_size() -> int:
    """Return the number of leaves."""
    last = Leaf.objects.aggregate(last=Max("seq"))["last"]
    return 0 if last is None else int(last) + 1


def stored_node(level: int, index: int) -> bytes:
    """Return a stored node; level 0 is the leaf hash. Raises DoesNotExist."""
    if level == 0:
        return bytes(Leaf.objects.values_list("hash", flat=True).get(seq=index))
    return bytes(Node.objects.values_list("hash", flat=True).get(level=level, index=index))


def nodes_at_once(places: list[tuple[int, int]]) -> Callable[[int, int], bytes]:
    """Return a reader of these nodes, fetched in two statements."""
    leaves = [index for level, index in places if level == 0]
    above = Q(pk__in=[])
    for level, index in places:
        if level:
            above |= Q(level=level, index=index)
    found = {(0, seq): bytes(value) for seq, value in Leaf.objects.filter(seq__in=leaves).values_list("seq", "hash")}
    for level, index, value in Node.objects.filter(above).values_list("level", "index", "hash"):
        found[level, index] = bytes(value)
    return lambda level, index: found[level, index]


def note_body(*, origin: str, size: int, root: bytes, at: datetime) -> str:
    """Return the signed text of a checkpoint (C2SP tlog-checkpoint), with the instant as an extension line."""
    instant = at.astimezone(UTC).isoformat(timespec="microseconds")
    return f"{origin}\n{size}\n{base64.b64encode(root).decode()}\nat {instant}\n"


def _batch(*, wait: bool, horizon: Horizon) -> tuple[int, int]:
    with transaction.atomic():
        if not _take_lock(wait=wait):
            return 0, 0
        lowest_open = _lowest_open_transaction()
        entries = list(Entry.objects.filter(leaf__isnull=True, tx__gte=horizon.tx).order_by("id")[:BATCH])
        if entries:
            _append(entries)
            failpoint("audit.after-leaves")
        return len(entries), lowest_open


def _append(entries: list[Entry]) -> None:
    size = tree_size()
    places = list(complete_subtrees(0, size))
    read = nodes_at_once(places)
    tree = Tree(size, [read(level, index) for level, index in places])
    made: list[NewNode] = []
    for entry in entries:
        made += tree.append(hash_of(entry))
    leaves = [node for node in made if node.level == 0]
    Leaf.objects.bulk_create(
        Leaf(seq=node.index, entry=entry, hash=node.hash) for node, entry in zip(leaves, entries, strict=True)
    )
    Node.objects.bulk_create(Node(level=n.level, index=n.index, hash=n.hash) for n in made if n.level)


def _sign(*, size: int, root: bytes, at: datetime) -> Checkpoint:
    key = signing.signing_key(may_create=not Checkpoint.objects.exists())
    body = note_body(origin=key.name, size=size, root=root, at=at)
    signature = key.private.sign(body.encode())
    return Checkpoint.objects.create(
        size=size,
        root=root,
        at=at,
        key_id=key.public.id,
        signature=signature,
        note=signing.note(body, signature, key.public),
    )


def _take_lock(*, wait: bool) -> bool:
    with connection.cursor() as cursor:
        if wait:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
            return True
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LOCK])
        return bool(cursor.fetchone()[0])


def _lowest_open_transaction() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")
        return int(cursor.fetchone()[0])
