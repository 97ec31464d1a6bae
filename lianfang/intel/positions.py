"""Which positions of the exchange log a subject may see: roaring bitmaps in memory, in step with the database.

Each label has the bitmap of its positions. What a subject may see is the union over the labels that the policy allows
it, so the decision is made once a label and never once an object. Two numbers of the policy's epoch row tell a process
that it is behind: `head` (the log grew: fetch what is new) and `policy` (something that decides changed: move
relabelled positions, and ask the policy again).

A reader meets each STIX id once: of several copies the first that he may see, of its versions the last (or all, or the
first), of several entries of one version the first, save that a last version that was brought back (because a newer one
was lost) has the place where it came back. Only ids that stand in the log more than once need that care. Each
collection of the machine doors (`lianfang.intel.parts`) is such a meeting of its own: the union over fewer labels.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Any

from django.db import connection
from pyroaring import BitMap

from lianfang.intel.definitions import IDS
from lianfang.intel.parts import Part, allowed_labels
from lianfang.intel.shelf import Shelf
from lianfang.policy import store
from lianfang.policy.facts import Request, Right, Subject

_PROFILES = 2000
_UNIONS = 500
_GROWTHS = 1000


class Versions(StrEnum):
    """Which versions of an object are asked for."""

    LAST = "last"
    FIRST = "first"
    ALL = "all"


class _Kind(IntEnum):
    """Which positions a union leaves out, whatever their label."""

    PAGES = 0
    """None."""
    MACHINES = 1
    """Members' copies of the definitions that every collection begins with."""
    BY_TLP = 2
    """Those, and lines that came under their TLP only after pagers had passed them."""


@dataclass(frozen=True, slots=True)
class _Line:
    """One entry for a STIX id that has several."""

    position: int
    version: int
    item: int
    modified: datetime
    returned: bool


@dataclass(slots=True)
class _Union:
    """What one set of labels comes to, without the positions that its kind leaves out."""

    labels: frozenset[int]
    kind: _Kind
    head: int
    raw: BitMap
    views: dict[Versions, BitMap] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Growth:
    """What one refresh brought: the positions in (since, until] by label."""

    since: int
    until: int
    by_label: dict[int, BitMap]


@dataclass(slots=True)
class _Profile:
    """The labels that one subject may read in one way of asking, until the clock or the policy changes that."""

    labels: frozenset[int]
    head: int
    valid_until: datetime | None


class Index:
    """The bitmaps of one process. Callers hold `lock` from `refresh` to the last bitmap taken."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.head = 0
        self.policy = -1
        self._relabelled = 0
        self._by_label: dict[int, BitMap] = {}
        self._by_type: dict[str, BitMap] = {}
        self._copies = BitMap()
        self._moved = BitMap()
        self._several = BitMap()
        self._id_of: dict[int, str] = {}
        self._lines: dict[str, list[_Line]] = {}
        self._grown: list[_Growth] = []
        self._profiles: OrderedDict[tuple[Subject, Right, Request, Part | None], _Profile] = OrderedDict()
        self._unions: OrderedDict[tuple[frozenset[int], _Kind], _Union] = OrderedDict()
        self.life = object()
        """Another one after `clear`: what somebody kept of the log before that may be of another log."""
        self.shelf: Shelf[Any] = Shelf()
        """Entries as they were read, so that the next page need not read them again."""

    def refresh(self, epoch: store.EpochValue) -> None:
        """Catch up with an epoch that was just read. An epoch behind this process's starts anew (restored database)."""
        if epoch.head < self.head or epoch.policy < self.policy:
            self.clear()
        if self.policy < 0:
            self._relabelled = _one("SELECT coalesce(max(id), 0) FROM intel_relabelling")
        if epoch.head > self.head:
            self._grow(epoch.head)
        if epoch.policy != self.policy:
            self._move()
            self._profiles.clear()
            self.policy = epoch.policy

    def clear(self) -> None:
        """Forget everything; the next `refresh` reads it again."""
        fresh = Index()
        for name, value in vars(fresh).items():
            if name != "lock":
                setattr(self, name, value)

    def allowed(
        self,
        *,
        subject: Subject,
        right: Right,
        at: datetime,
        request: Request,
        view: Versions,
        part: Part | None = None,
    ) -> BitMap:
        """Return the positions at which this subject holds the right. Do not change the bitmap that is returned.

        With `part` (of the machine doors) only those of that part, each STIX id once among them.
        """
        profile = self._profile(subject, right, at, request, part)
        union = self._union(profile.labels, _kind(part))
        if view not in union.views:
            union.views[view] = self._chosen(union.raw, view)
        return union.views[view]

    def raw(self, *, subject: Subject, right: Right, at: datetime, request: Request) -> BitMap:
        """Return every position at which this subject holds the right, several of one STIX id included."""
        return self._union(self._profile(subject, right, at, request, None).labels, _Kind.PAGES).raw

    def valid_until(
        self, *, subject: Subject, right: Right, at: datetime, request: Request, part: Part | None = None
    ) -> datetime | None:
        """Return when time itself will change what `allowed` answers; None = never."""
        return self._profile(subject, right, at, request, part).valid_until

    def of_types(self, types: Iterable[str]) -> BitMap:
        """Return the positions of objects of these types; an unknown type has none."""
        return BitMap.union(BitMap(), *(self._by_type[kind] for kind in types if kind in self._by_type))

    def of_labels(self, labels: Iterable[int]) -> BitMap:
        """Return the positions under these labels."""
        return BitMap.union(BitMap(), *(self._by_label[label] for label in labels if label in self._by_label))

    # -- keeping in step ---------------------------------------------------------------------------------------------

    def _grow(self, head: int) -> None:
        fresh: dict[int, BitMap] = {}
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT label_id, type, moved, array_agg(position) FROM intel_logentry"
                " WHERE position > %s AND position <= %s GROUP BY label_id, type, moved",
                [self.head, head],
            )
            definitions = False
            for label, kind, moved, positions in cursor:
                found = BitMap(positions)
                definitions = definitions or kind == "marking-definition"
                if moved:
                    self._moved.update(found)
                self._by_type.setdefault(kind, BitMap()).update(found)
                self._by_label.setdefault(label, BitMap()).update(found)
                fresh.setdefault(label, BitMap()).update(found)
        if definitions:
            self._recognise(self.head, head)
        self._gather(self.head, head)
        self._grown.append(_Growth(self.head, head, fresh))
        # Whoever is further behind than this is cheaper to build anew.
        del self._grown[:-_GROWTHS]
        self.head = head

    def _recognise(self, old: int, head: int) -> None:
        """Find members' copies of the definitions that every collection begins with."""
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT e.position FROM intel_logentry e JOIN intel_version v ON v.id = e.version_id"
                " JOIN intel_item i ON i.id = v.item_id WHERE e.position > %s AND e.position <= %s"
                " AND e.type = 'marking-definition' AND i.stix_id = ANY(%s)",
                [old, head, list(IDS)],
            )
            self._copies.update(position for (position,) in cursor)

    def _gather(self, old: int, head: int) -> None:
        """Learn of the STIX ids that now stand in the log more than once."""
        with connection.cursor() as cursor:
            cursor.execute(_AGAIN, [old, head])
            again = [stix_id for (stix_id,) in cursor]
            if not again:
                return
            cursor.execute(_LINES_OF, [again, head])
            gathered: dict[str, list[_Line]] = {}
            for stix_id, *columns in cursor:
                gathered.setdefault(stix_id, []).append(_Line(*columns))
        for stix_id, lines in gathered.items():
            self._lines[stix_id] = lines
            for line in lines:
                self._several.add(line.position)
                self._id_of[line.position] = stix_id

    def _move(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT r.id, r.position, r.old_id, r.new_id, e.moved FROM intel_relabelling r"
                " JOIN intel_logentry e USING (position) WHERE r.id > %s AND r.position <= %s ORDER BY r.id",
                [self._relabelled, self.head],
            )
            moved = cursor.fetchall()
        for number, position, old, new, elsewhere in moved:
            self._by_label.setdefault(old, BitMap()).discard(position)
            self._by_label.setdefault(new, BitMap()).add(position)
            if elsewhere:
                self._moved.add(position)
            self._relabelled = number
        self.shelf.drop(position for _, position, _, _, _ in moved)
        if moved:
            self._unions.clear()
            self._grown.clear()

    # -- profiles ----------------------------------------------------------------------------------------------------

    def _profile(self, subject: Subject, right: Right, at: datetime, request: Request, part: Part | None) -> _Profile:
        key = (subject, right, request, part)
        found = self._profiles.get(key)
        if found is None or found.head != self.head or (found.valid_until is not None and at >= found.valid_until):
            labels, until = allowed_labels(subject=subject, right=right, at=at, request=request, part=part)
            found = self._profiles[key] = _Profile(labels, self.head, until)
            if len(self._profiles) > _PROFILES:
                self._profiles.popitem(last=False)
        self._profiles.move_to_end(key)
        return found

    def _union(self, labels: frozenset[int], kind: _Kind) -> _Union:
        union = self._unions.get((labels, kind))
        if union is None:
            union = self._unions[labels, kind] = _Union(labels, kind, self.head, self._joined(labels, kind))
            if len(self._unions) > _UNIONS:
                self._unions.popitem(last=False)
        elif union.head != self.head:
            self._catch_up(union)
        self._unions.move_to_end((labels, kind))
        return union

    def _joined(self, labels: frozenset[int], kind: _Kind) -> BitMap:
        known = [self._by_label[label] for label in labels if label in self._by_label]
        return BitMap.union(BitMap(), *known) - self._left_out(kind)

    def _left_out(self, kind: _Kind) -> BitMap:
        match kind:
            case _Kind.PAGES:
                return _NONE
            case _Kind.MACHINES:
                return self._copies
            case _Kind.BY_TLP:
                return self._copies | self._moved

    def _catch_up(self, union: _Union) -> None:
        if not self._grown or self._grown[0].since > union.head:
            union.raw = self._joined(union.labels, union.kind)
            union.views.clear()
        else:
            added = BitMap()
            for growth in self._grown:
                if growth.since >= union.head:
                    for label in growth.by_label.keys() & union.labels:
                        added |= growth.by_label[label]
            added -= self._left_out(union.kind)
            union.raw |= added
            # An id that stands twice takes its place anew; all others just follow.
            if added.intersect(self._several):
                union.views.clear()
            for view in union.views.values():
                view |= added
        union.head = self.head

    def _chosen(self, raw: BitMap, view: Versions) -> BitMap:
        several = raw & self._several
        if not several:
            return raw.copy()
        groups: dict[str, list[int]] = {}
        for position in several:
            groups.setdefault(self._id_of[position], []).append(position)
        chosen = raw - several
        for stix_id, positions in groups.items():
            seen = set(positions)
            chosen.update(_choice([line for line in self._lines[stix_id] if line.position in seen], view))
        return chosen


_NONE = BitMap()

# Each row is looked up by itself (OFFSET 0): right after many lines came, the planner knows nothing of them yet and
# would compare every line with every other.
_AGAIN = """
SELECT DISTINCT i.stix_id
  FROM (SELECT version_id FROM intel_logentry WHERE again AND position > %s AND position <= %s OFFSET 0) AS e,
       LATERAL (SELECT item_id FROM intel_version WHERE id = e.version_id OFFSET 0) AS v,
       LATERAL (SELECT stix_id FROM intel_item WHERE id = v.item_id OFFSET 0) AS i
"""
_LINES_OF = """
SELECT w.stix_id, e.position, e.version_id, v.item_id, v.modified, e.returned
  FROM unnest(%s::text[]) AS w (stix_id),
       LATERAL (SELECT id FROM intel_item WHERE stix_id = w.stix_id OFFSET 0) AS i,
       LATERAL (SELECT id, item_id, modified FROM intel_version WHERE item_id = i.id OFFSET 0) AS v,
       LATERAL (SELECT position, version_id, returned FROM intel_logentry
                 WHERE version_id = v.id AND position <= %s OFFSET 0) AS e
 ORDER BY e.position
"""


def _kind(part: Part | None) -> _Kind:
    if part is None:
        return _Kind.PAGES
    return _Kind.MACHINES if part.tlp is None else _Kind.BY_TLP


def _choice(lines: list[_Line], view: Versions) -> list[int]:
    """Of the visible lines of one STIX id, in order of position, return the positions that are shown."""
    copy = lines[0].item
    first_of: dict[int, _Line] = {}
    for line in lines:
        if line.item == copy:
            first_of.setdefault(line.version, line)
    versions = sorted(first_of.values(), key=lambda line: (line.modified, line.position))
    match view:
        case Versions.ALL:
            return [line.position for line in versions]
        case Versions.FIRST:
            return [versions[0].position]
        case Versions.LAST:
            last = versions[-1]
            back = [line.position for line in lines if line.version == last.version and line.returned]
            return [back[-1] if back else last.position]


def _one(statement: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        row = cursor.fetchone()
    return int(row[0])


INDEX = Index()
"""The one of this process."""
