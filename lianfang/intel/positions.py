"""Which positions of the exchange log a subject may see: roaring bitmaps in memory, in step with the database.

Each label has the bitmap of its positions. What a subject may see is the union over the labels that the policy allows
it, so the decision is made once a label and never once an object. Two numbers of the policy's epoch row tell a process
that it is behind: `head` (the log grew: fetch what is new) and `policy` (something that decides changed: move
relabelled positions, and ask the policy again).

A reader meets each STIX id once: of several copies the first that he may see, of its versions the last (or all, or the
first), of several entries of one version the first. Only ids that stand in the log more than once need that care.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.db import connection
from pyroaring import BitMap

from lianfang.intel.shelf import Shelf
from lianfang.policy import store
from lianfang.policy.facts import Request, Right, Subject
from lianfang.policy.sql import visible

_PROFILES = 2000
_UNIONS = 500
_GROWTHS = 1000


class Versions(StrEnum):
    """Which versions of an object are asked for."""

    LAST = "last"
    FIRST = "first"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class _Line:
    """One entry for a STIX id that has several."""

    position: int
    version: int
    item: int
    modified: datetime


@dataclass(slots=True)
class _Union:
    """What one set of labels comes to."""

    labels: frozenset[int]
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
        self._several = BitMap()
        self._id_of: dict[int, str] = {}
        self._lines: dict[str, list[_Line]] = {}
        self._grown: list[_Growth] = []
        self._profiles: OrderedDict[tuple[Subject, Right, Request], _Profile] = OrderedDict()
        self._unions: OrderedDict[frozenset[int], _Union] = OrderedDict()
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

    def allowed(self, *, subject: Subject, right: Right, at: datetime, request: Request, view: Versions) -> BitMap:
        """Return the positions at which this subject holds the right. Do not change the bitmap that is returned."""
        profile = self._profile(subject, right, at, request)
        union = self._union(profile.labels)
        if view not in union.views:
            union.views[view] = self._chosen(union.raw, view)
        return union.views[view]

    def raw(self, *, subject: Subject, right: Right, at: datetime, request: Request) -> BitMap:
        """Return every position at which this subject holds the right, several of one STIX id included."""
        return self._union(self._profile(subject, right, at, request).labels).raw

    def valid_until(self, *, subject: Subject, right: Right, at: datetime, request: Request) -> datetime | None:
        """Return when time itself will change what `allowed` answers; None = never."""
        return self._profile(subject, right, at, request).valid_until

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
                "SELECT label_id, type, array_agg(position) FROM intel_logentry"
                " WHERE position > %s AND position <= %s GROUP BY label_id, type",
                [self.head, head],
            )
            for label, kind, positions in cursor:
                found = BitMap(positions)
                self._by_type.setdefault(kind, BitMap()).update(found)
                self._by_label.setdefault(label, BitMap()).update(found)
                fresh.setdefault(label, BitMap()).update(found)
        self._gather(self.head, head)
        self._grown.append(_Growth(self.head, head, fresh))
        # Whoever is further behind than this is cheaper to build anew.
        del self._grown[:-_GROWTHS]
        self.head = head

    def _gather(self, old: int, head: int) -> None:
        """Learn of the STIX ids that now stand in the log more than once."""
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT i.stix_id, e.position, e.version_id, v.item_id, v.modified FROM intel_item i"
                " JOIN intel_version v ON v.item_id = i.id JOIN intel_logentry e ON e.version_id = v.id"
                " WHERE e.position <= %s AND i.stix_id IN (SELECT i2.stix_id FROM intel_logentry e2"
                " JOIN intel_version v2 ON v2.id = e2.version_id JOIN intel_item i2 ON i2.id = v2.item_id"
                " WHERE e2.again AND e2.position > %s AND e2.position <= %s) ORDER BY e.position",
                [head, old, head],
            )
            gathered: dict[str, list[_Line]] = {}
            for stix_id, position, version, item, modified in cursor:
                gathered.setdefault(stix_id, []).append(_Line(position, version, item, modified))
        for stix_id, lines in gathered.items():
            self._lines[stix_id] = lines
            for line in lines:
                self._several.add(line.position)
                self._id_of[line.position] = stix_id

    def _move(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT id, position, old_id, new_id FROM intel_relabelling"
                " WHERE id > %s AND position <= %s ORDER BY id",
                [self._relabelled, self.head],
            )
            moved = cursor.fetchall()
        for number, position, old, new in moved:
            self._by_label.setdefault(old, BitMap()).discard(position)
            self._by_label.setdefault(new, BitMap()).add(position)
            self._relabelled = number
        self.shelf.drop(position for _, position, _, _ in moved)
        if moved:
            self._unions.clear()
            self._grown.clear()

    # -- profiles ----------------------------------------------------------------------------------------------------

    def _profile(self, subject: Subject, right: Right, at: datetime, request: Request) -> _Profile:
        key = (subject, right, request)
        found = self._profiles.get(key)
        if found is None or found.head != self.head or (found.valid_until is not None and at >= found.valid_until):
            answer = visible(subject=subject, right=right, at=at, request=request)
            found = self._profiles[key] = _Profile(frozenset(answer.ids), self.head, answer.valid_until)
            if len(self._profiles) > _PROFILES:
                self._profiles.popitem(last=False)
        self._profiles.move_to_end(key)
        return found

    def _union(self, labels: frozenset[int]) -> _Union:
        union = self._unions.get(labels)
        if union is None:
            known = [self._by_label[label] for label in labels if label in self._by_label]
            union = self._unions[labels] = _Union(labels, self.head, BitMap.union(BitMap(), *known))
            if len(self._unions) > _UNIONS:
                self._unions.popitem(last=False)
        elif union.head != self.head:
            self._catch_up(union)
        self._unions.move_to_end(labels)
        return union

    def _catch_up(self, union: _Union) -> None:
        if not self._grown or self._grown[0].since > union.head:
            known = [self._by_label[label] for label in union.labels if label in self._by_label]
            union.raw = BitMap.union(BitMap(), *known)
            union.views.clear()
        else:
            added = BitMap()
            for growth in self._grown:
                if growth.since >= union.head:
                    for label in growth.by_label.keys() & union.labels:
                        added |= growth.by_label[label]
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
            return [versions[-1].position]


def _one(statement: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        row = cursor.fetchone()
    return int(row[0])


INDEX = Index()
"""The one of this process."""
