"""Which of many labels a subject has a right on: the same `decide`, remembered.

Labels are immutable and decisions depend on nothing but (subject facts, right, label, instant, request), so an answer
once given stands until time itself changes it. Only labels that are new to a profile, and those whose instant has
come, are decided again.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from pyroaring import BitMap

from lianfang.policy.decide import decide, next_change
from lianfang.policy.facts import Label, Request, Right, Subject

PROFILES_KEPT = 512
"""Profiles (subject, right, request) remembered in one process; the least recently asked is forgotten first."""


class LabelTable:
    """Labels by id, as read at one moment."""

    def __init__(self, labels: Mapping[int, Label]) -> None:
        self.labels = dict(labels)
        self.ids = BitMap(self.labels)


@dataclass(slots=True)
class Profile:
    """What one (subject, right, request) may have, as far as it was asked."""

    allowed: BitMap = field(default_factory=BitMap)
    seen: BitMap = field(default_factory=BitMap)
    changes: dict[int, datetime] = field(default_factory=dict)
    """Labels that time will change, and when."""
    valid_until: datetime | None = None
    """The earliest of them: the next instant at which time alone may change an answer."""
    asked_at: datetime | None = None


Key = tuple[Subject, Right, Request]


class Profiles:
    """Remembered answers of one process."""

    def __init__(self, *, kept: int = PROFILES_KEPT) -> None:
        self._kept = kept
        self._profiles: OrderedDict[Key, Profile] = OrderedDict()

    def forget(self) -> None:
        """Forget everything."""
        self._profiles.clear()

    def answer(
        self, *, table: LabelTable, subject: Subject, right: Right, at: datetime, request: Request
    ) -> tuple[frozenset[int], datetime | None]:
        """Ids of the labels that `decide` allows at this instant, and until when that holds by time."""
        # A receipt and a name asked about belong to one item; over a table they would be said of every label.
        request = replace(request, received=False, source=None, becomes=None)
        if subject.caveats is None or subject.caveats.views is None:
            # Only a key that is limited to some collections is answered differently through one of them.
            request = replace(request, view=None)
        profile = self._profile((subject, right, request), at)
        open_ids = (table.ids - profile.seen) | (_due(profile, at) & table.ids)
        for label_id in open_ids:
            _decide_one(profile, label_id, table.labels[label_id], subject, right, at, request)
        if open_ids:
            profile.valid_until = min(profile.changes.values(), default=None)
        profile.asked_at = at
        return frozenset(profile.allowed & table.ids), profile.valid_until

    def _profile(self, key: Key, at: datetime) -> Profile:
        profile = self._profiles.pop(key, None)
        # Answers are remembered forwards in time only: an earlier instant is asked afresh.
        if profile is None or (profile.asked_at is not None and at < profile.asked_at):
            profile = Profile()
        self._profiles[key] = profile
        while len(self._profiles) > self._kept:
            self._profiles.popitem(last=False)
        return profile


def _due(profile: Profile, at: datetime) -> BitMap:
    if profile.valid_until is None or at < profile.valid_until:
        return BitMap()
    return BitMap(label_id for label_id, instant in profile.changes.items() if instant <= at)


def _decide_one(
    profile: Profile, label_id: int, label: Label, subject: Subject, right: Right, at: datetime, request: Request
) -> None:
    allowed = decide(subject=subject, right=right, target=label, at=at, request=request).allowed
    (profile.allowed.add if allowed else profile.allowed.discard)(label_id)
    profile.seen.add(label_id)
    instant = next_change(subject=subject, label=label, at=at)
    if instant is None:
        profile.changes.pop(label_id, None)
    else:
        profile.changes[label_id] = instant
