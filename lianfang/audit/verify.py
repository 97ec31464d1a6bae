"""Recomputes the whole ledger: every entry's hash, the tree, the signatures, the sequence.

Against a checkpoint that somebody kept outside, any edit, deletion, insertion or truncation before it is found,
whoever made it. Without one, only what whoever changed the database forgot, or could not, make consistent: he may
rewrite everything, but not sign it without the key file.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import connection, transaction

from lianfang.audit import signing
from lianfang.audit.checkpoints import BadCheckpoint, Head, read_checkpoint, signed_by
from lianfang.audit.leaves import hash_of
from lianfang.audit.models import Checkpoint, Entry, Leaf, Node
from lianfang.kernel.merkle import NewNode, Tree
from lianfang.kernel.text import Bilingual

# An entry is numbered a second after commit, and no transaction may live this long; what comes later was slipped in.
LATE = timedelta(minutes=10)
_CHUNK = 2000
_MOST_PROBLEMS = 100


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong. It lies at leaf `seq`, or somewhere in [seq, until); `entry` is its id where known."""

    kind: str
    seq: int
    until: int
    entry: int | None
    words: Bilingual


@dataclass(slots=True)
class Report:
    """What a run over the ledger found. `problems` begins with what bounds the first bad leaf best."""

    size: int = 0
    root: bytes = b""
    seconds: float = 0.0
    unnumbered: int = 0
    checkpoints: int = 0
    problems: list[Problem] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether everything is as it was written."""
        return not self.problems

    @property
    def first_bad(self) -> Problem | None:
        """The problem that ends first: the first bad leaf lies in it. A narrow one goes before a wide one."""
        return self.problems[0] if self.problems else None

    def summary(self) -> Bilingual:
        """Return the result as one sentence."""
        if self.first_bad is not None:
            return self.first_bad.words
        return Bilingual(
            zh=f"共{self.size}筆紀錄，全部與簽章的檢查點相符，樹根{self.root.hex()[:12]}。",
            en=f"{self.size} entries, all as signed; root {self.root.hex()[:12]}.",
        )


def verify(*, kept: Head | None = None) -> Report:
    """Run over the whole ledger and return what was found; `kept` is a checkpoint from outside.

    Raises SigningKeyUnusable when there is a signature to check and no key, BadCheckpoint when the kept one was signed
    by another key.
    """
    started = time.monotonic()
    alone = not connection.in_atomic_block
    with transaction.atomic():
        if alone:
            # One snapshot for all statements: what is numbered meanwhile belongs to the next run.
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        report = _Run(kept).report()
    report.seconds = time.monotonic() - started
    return report


class _Run:
    """One pass: leaves stream by in order, a tree grows beside them and is compared with all that was stored."""

    def __init__(self, kept: Head | None) -> None:
        self.kept = kept
        self.points = {point.size: point for point in Checkpoint.objects.order_by("size")}
        self.problems: list[Problem] = []
        self.tree = Tree()
        self.nodes = _Nodes()
        self.whole = True  # no number is missing so far; afterwards only contents can be compared
        self.seen = 0
        self.agreed = 0
        self.signed_at: datetime | None = None
        self.key = signing.signing_key(may_create=False).public if self.points or kept else None
        if kept is not None and self.key is not None and not signed_by(kept, self.key):
            raise BadCheckpoint("the kept checkpoint was not signed by this system's key")

    def report(self) -> Report:
        """Make the pass."""
        for point in self.points.values():
            self._signature(point)
        for leaf, entry in _leaves():
            self._sequence(leaf)
            self._content(leaf, entry)
            self._structure(leaf)
        self._beyond_the_end()
        unnumbered = self._outside_the_tree()
        self.problems.sort(key=lambda problem: (problem.until, -problem.seq))
        return Report(
            size=self.seen,
            root=self.tree.root(),
            unnumbered=unnumbered,
            checkpoints=len(self.points),
            problems=self.problems[:_MOST_PROBLEMS],
        )

    def _signature(self, point: Checkpoint) -> None:
        try:
            head = read_checkpoint(point.note)
        except BadCheckpoint:
            head = None
        if (
            head is None
            or self.key is None
            or (head.size, head.root) != (point.size, bytes(point.root))
            or not signed_by(head, self.key)
        ):
            self._add(
                "signature", point.size - 1, point.size, None,
                "此處檢查點的簽章不符。", "the signature of the checkpoint made here does not hold.",
            )  # fmt: skip

    def _sequence(self, leaf: Leaf) -> None:
        if leaf.seq != self.seen:
            self.whole = False
            self._add("missing", self.seen, leaf.seq, None, "紀錄樹缺號。", "missing from the tree.")
        self.seen = leaf.seq + 1

    def _content(self, leaf: Leaf, entry: Entry | None) -> None:
        here = (leaf.seq, leaf.seq + 1, leaf.entry_id)
        if point := self.points.get(leaf.seq):
            self.signed_at = point.at
        if entry is None:
            self._add("deleted", *here, "紀錄已被刪除。", "the entry was deleted.")
        elif _hash(entry) != bytes(leaf.hash):
            self._add("changed", *here, "內容被改過。", "its content was changed.")
        elif self.signed_at is not None and entry.at < self.signed_at - LATE:
            # It claims a time long before a checkpoint that does not hold it.
            self._add("inserted", *here, "這筆是事後加入的。", "it was slipped in later.")

    def _structure(self, leaf: Leaf) -> None:
        if not self.whole:
            return
        for node in self.tree.append(bytes(leaf.hash)):
            if node.level and self.nodes.differs(node):
                start, end = node.index << node.level, (node.index + 1) << node.level
                self._add("node", start, end, None, "紀錄樹的節點不符。", "a node of the tree does not match.")
        self._heads()

    def _heads(self) -> None:
        """Compare the tree as it is now with every root signed at this size."""
        size = self.tree.size
        heads = [bytes(self.points[size].root)] if size in self.points else []
        heads += [self.kept.root] if self.kept is not None and self.kept.size == size else []
        if not heads:
            return
        if all(head == self.tree.root() for head in heads):
            self.agreed = size
        else:
            self._add(
                "rewritten", self.agreed, size, None,
                f"與{size}筆時簽章的樹根不符。", f"the root signed at {size} entries does not match.",
            )  # fmt: skip

    def _beyond_the_end(self) -> None:
        claimed = max([*self.points, self.kept.size if self.kept else 0], default=0)
        if claimed > self.seen:
            self._add(
                "truncated", self.seen, claimed, None,
                f"曾有{claimed}筆，現在只剩{self.seen}筆。", f"there were {claimed} entries, {self.seen} are left.",
            )  # fmt: skip
        for level, index in self.nodes.left_over():
            start, end = index << level, (index + 1) << level
            self._add("node", start, end, None, "紀錄樹有多餘的節點。", "the tree has a node too many.")

    def _outside_the_tree(self) -> int:
        """Return how many entries wait for their number; those that waited too long were slipped in."""
        # Numbers begin at 0: a leaf below is in no tree, and its entry would seem to have its place.
        for pk in Entry.objects.filter(leaf__seq__lt=0).order_by("id").values_list("pk", flat=True)[:_MOST_PROBLEMS]:
            self._add(
                "inserted", 0, 1, pk,
                "這筆是事後加入的，不在紀錄樹中。", "it was slipped in later and stands in no tree.",
            )  # fmt: skip
        waiting = Entry.objects.filter(leaf__isnull=True)
        last = max((point.at for point in self.points.values()), default=None)
        if last is not None:
            for pk in waiting.filter(at__lt=last - LATE).order_by("id").values_list("pk", flat=True)[:_MOST_PROBLEMS]:
                self._add(
                    "inserted", self.seen, self.seen + 1, pk,
                    "這筆是事後加入的，不在紀錄樹中。", "it was slipped in later and stands in no tree.",
                )  # fmt: skip
        return waiting.count()

    def _add(self, kind: str, seq: int, until: int, entry: int | None, zh: str, en: str) -> None:
        """Note a problem, in a sentence that begins with where it is. Consequences past the first few say nothing."""
        if len(self.problems) >= _MOST_PROBLEMS and kind in ("node", "rewritten"):
            return
        where = Bilingual(zh=f"第{seq}號", en=f"Number {seq}")
        if until - seq > 1:
            where = Bilingual(zh=f"第{seq}至{until - 1}號之間", en=f"Numbers {seq} to {until - 1}")
        if entry is not None:
            where = Bilingual(zh=f"{where.zh}（紀錄{entry}）", en=f"{where.en} (entry {entry})")
        words = Bilingual(zh=f"{where.zh}：{zh}", en=f"{where.en}: {en}")
        self.problems.append(Problem(kind, seq, until, entry, words))


class _Nodes:
    """The stored interior nodes, one stream a level, read in step with the growing tree."""

    def __init__(self) -> None:
        levels = Node.objects.order_by("level").values_list("level", flat=True).distinct()
        self.streams = {level: _nodes(level) for level in levels}
        self.ahead = {level: next(stream, None) for level, stream in self.streams.items()}

    def differs(self, node: NewNode) -> bool:
        """Return whether the stored node at this place is not this one; each place is asked once, in order."""
        stored = self.ahead.get(node.level)
        if stored is None or stored[0] > node.index:
            return True
        self.ahead[node.level] = next(self.streams[node.level], None)
        return stored != (node.index, node.hash)

    def left_over(self) -> list[tuple[int, int]]:
        """Return the first stored place of each level that the tree never came to."""
        return [(level, stored[0]) for level, stored in self.ahead.items() if stored is not None]


def _nodes(level: int) -> Iterator[tuple[int, bytes]]:
    after = -1
    wanted = Node.objects.filter(level=level).order_by("index").values_list("index", "hash")
    while rows := list(wanted.filter(index__gt=after)[:_CHUNK]):
        yield from ((index, bytes(value)) for index, value in rows)
        after = rows[-1][0]


def _leaves() -> Iterator[tuple[Leaf, Entry | None]]:
    """Yield leaves in order, each with its entry if that still exists."""
    after = -1
    while rows := list(Leaf.objects.filter(seq__gt=after).order_by("seq")[:_CHUNK]):
        entries: Mapping[int, Entry] = Entry.objects.in_bulk([leaf.entry_id for leaf in rows])
        yield from ((leaf, entries.get(leaf.entry_id)) for leaf in rows)
        after = rows[-1].seq


def _hash(entry: Entry) -> bytes | None:
    """Return the leaf hash of an entry, None when it holds what no writer of ours can have stored."""
    try:
        return hash_of(entry)
    except ValueError:
        return None
