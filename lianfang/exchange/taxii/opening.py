"""What every collection begins with: the marking definitions that everybody may have, dated before anything was added.

They are no lines of the exchange log. They have dates and places of their own before its first line, the same for every
reader and for ever, so they tell nothing, cost the pages behind them nothing, and a pager passes them like any object.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from lianfang.exchange.taxii import instants
from lianfang.intel.definitions import DEFINITIONS, Definition
from lianfang.intel.positions import Versions
from lianfang.intel.queries import Filters

_AFTER_ALL = 1 << 62
"""Places of these objects in `next` lie above every position of the log, which begins at 1."""


@dataclass(frozen=True, slots=True)
class Placed:
    """One definition with its place and its date."""

    place: int
    date_added: datetime
    definition: Definition

    @property
    def stix_id(self) -> str:
        return self.definition.id

    @property
    def version(self) -> str:
        return self.definition.version

    @property
    def body(self) -> bytes:
        return self.definition.body


# A millisecond apart: clients that cut the date there are not sent the same ones for ever.
OPENING = tuple(
    Placed(_AFTER_ALL + place, instants.EPOCH + timedelta(milliseconds=place), definition)
    for place, definition in enumerate(DEFINITIONS, start=1)
)
_LAST_DATE = OPENING[-1].date_added


def split(place: int) -> tuple[int, int]:
    """Return (position in the log, place among these) of a place in `next`: whoever reads the log has passed these."""
    return (0, place) if place > _AFTER_ALL else (place, OPENING[-1].place)


def following(*, added_after: datetime | None, after_place: int, filters: Filters) -> Sequence[Placed]:
    """Return those of these objects that come after a date and a place and match the filters."""
    if after_place >= OPENING[-1].place or (added_after is not None and added_after >= _LAST_DATE):
        return ()
    return [
        one
        for one in OPENING
        if one.place > after_place
        and (added_after is None or one.date_added > added_after)
        and _matches(one.definition, filters)
    ]


def holds(object_id: str) -> bool:
    """Return whether this is the id of one of these."""
    return any(one.stix_id == object_id for one in OPENING)


def _matches(definition: Definition, filters: Filters) -> bool:
    if filters.ids is not None and definition.id not in filters.ids:
        return False
    if filters.types is not None and "marking-definition" not in filters.types:
        return False
    if filters.spec_versions is not None and "2.1" not in filters.spec_versions:
        return False
    # Each has one version, which is the first, the last and all there is.
    return bool(filters.versions & set(Versions)) or definition.created in filters.instants
