"""Everything that reads intelligence. The thing and the right to it come from one call.

Machine doors and lists go by the exchange log (`page`, `latest`, `search`): bitmaps of positions decide, bodies follow
in one statement. A page about one object goes by the labels at the instant (`get_visible`), so that an embargo ends on
it to the microsecond. Both are answers of the same `decide`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby
from typing import Any
from uuid import UUID

import orjson
import psycopg
from django.db import connection
from django.db.models import Q, QuerySet
from pyroaring import BitMap

from lianfang.intel.fold import tsquery
from lianfang.intel.models import Embargo, Item, LogEntry, Reference, Relay, Stop, Submission, Version
from lianfang.intel.parts import Part
from lianfang.intel.positions import INDEX, Versions
from lianfang.intel.stix import is_id, references
from lianfang.policy import store
from lianfang.policy.decide import Decision, decide
from lianfang.policy.facts import Channel, Label, Request, Right, State, Subject, Tlp
from lianfang.policy.sql import visible

MAX_PAGE = 1000
MACHINE = frozenset({Channel.TAXII, Channel.API, Channel.FEED, Channel.FILE})


@dataclass(frozen=True, slots=True)
class Filters:
    """What a page is narrowed to. Empty = everything that the subject may see, last versions."""

    ids: frozenset[str] | None = None
    types: frozenset[str] | None = None
    versions: frozenset[Versions] = frozenset({Versions.LAST})
    instants: frozenset[datetime] = frozenset()
    """Exact versions by instant, beside `versions`."""
    spec_versions: frozenset[str] | None = None
    """Only "2.1" is kept, so anything without it finds nothing."""
    tlps: frozenset[Tlp] | None = None
    but_types: frozenset[str] = frozenset()
    """Types that are left out; `types` alone would also leave out types that nobody knows."""


_NOTHING_NARROWED = Filters()
_NONE = BitMap()


@dataclass(frozen=True, slots=True)
class Found:
    """One entry as this reader gets it: `body` and `stix_id` are the served ones where the source stays unnamed."""

    position: int
    date_added: datetime
    stix_id: str
    type: str
    version: str
    modified: datetime
    body: bytes
    """Stored bytes; empty when bodies were not asked for."""
    version_id: int
    label_id: int
    names_source: bool
    """Whether this reader may learn the source."""


@dataclass(frozen=True, slots=True)
class Page:
    """Entries in order of position, and whether more follow. `policy` is the epoch under which it was decided."""

    items: tuple[Found, ...]
    more: bool
    policy: int
    total: int
    """How many entries match in all, for this reader."""
    older: int | None = None
    """Of lists: where the next, older page begins, counted among what this reader sees; None at the end."""
    valid_until: datetime | None = None
    """Of pages: when time itself changes the answer; None = never."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What the next page of a reader is: decided, but nothing of it read yet."""

    positions: BitMap
    named: BitMap
    """Those of them whose source this reader may learn."""
    more: bool
    policy: int
    """The epoch under which it was decided."""
    total: int
    """How many entries match in all, for this reader."""
    valid_until: datetime | None
    """When time itself changes the answer; None = never."""
    life: object
    """The life of the index that knew these positions."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One object that a subject may read now, with the decision that allows it."""

    version: Version
    label: Label
    """The label under which it is read: the version's own, or that of an entry narrowed to this reader."""
    decision: Decision
    stix_id: str
    """The id under which this reader meets it."""
    body: bytes
    names_source: bool
    position: int
    """An entry by which a receipt names the version."""


def stop_is_on() -> bool:
    """Return whether the stop of disclosure is on (a drill stops nothing)."""
    return Stop.objects.filter(ended_at=None, drill=False).exists()


def asked(channel: Channel, *, network: str | None = None, view: str | None = None, purpose: str = "") -> Request:
    """Return the request of a door, with the stop of disclosure as it is now."""
    return Request(channel=channel, stop=stop_is_on(), network=network, view=view, purpose=purpose)


def right_for(channel: Channel) -> Right:
    """Return the right by which bodies leave through a channel."""
    return Right.EXPORT if channel in MACHINE else Right.READ


# -- pages of the exchange log ---------------------------------------------------------------------------------------


def page(
    *,
    subject: Subject,
    at: datetime,
    request: Request,
    after_position: int = 0,
    added_after: datetime | None = None,
    limit: int = 100,
    filters: Filters = Filters(),
    bodies: bool = True,
    epoch: store.EpochValue | None = None,
) -> Page:
    """Return the next entries that this subject may receive, oldest first, `limit` at most (and never above 1000).

    Starts after `after_position` and after `added_after` (both strictly), whichever is later. Each STIX id comes once
    (see `lianfang.intel.positions`). Nothing is filtered afterwards: a page is short only at the end. The caller writes
    the receipt, best through `lianfang.intel.receipts.deliver`. `epoch` is one that the caller has just read; without
    it, it is read here.
    """
    found = turn(
        subject=subject,
        at=at,
        request=request,
        after_position=after_position,
        added_after=added_after,
        limit=limit,
        filters=filters,
        epoch=epoch,
    )
    return Page(read(found, bodies=bodies), found.more, found.policy, found.total, valid_until=found.valid_until)


def turn(
    *,
    subject: Subject,
    at: datetime,
    request: Request,
    after_position: int = 0,
    added_after: datetime | None = None,
    limit: int = 100,
    filters: Filters = Filters(),
    epoch: store.EpochValue | None = None,
    part: Part | None = None,
) -> Turn:
    """Decide which entries `page` would return, for a caller who may have made this very page before.

    `part` is the collection of a machine door that is asked for.
    """
    start = after_position
    if added_after is not None:
        start = max(start, _position_before(added_after))
    limit = min(limit, MAX_PAGE)
    if filters == _NOTHING_NARROWED:
        # The bitmaps of the index are sliced where they stand: a copy of each would take longer than the page.
        with INDEX.lock:
            epoch = _in_step(epoch)
            chosen, named = _whole(subject=subject, at=at, request=request, part=part)
            until = _valid_until(subject=subject, at=at, request=request, part=part)
            return _cut(chosen, named, start, limit, epoch.policy, until)
    policy, chosen, named = _allowed(subject=subject, at=at, request=request, filters=filters, epoch=epoch, part=part)
    return _cut(chosen, named, start, limit, policy, _valid_until(subject=subject, at=at, request=request, part=part))


def read(found: Turn, *, bodies: bool = True) -> tuple[Found, ...]:
    """Return the entries of a page that was decided."""
    return _entries(list(found.positions), found.named, bodies)


def _cut(chosen: BitMap, named: BitMap, start: int, limit: int, policy: int, until: datetime | None) -> Turn:
    rank = chosen.rank(start) if start > 0 else 0
    positions = chosen[rank : rank + limit]
    return Turn(positions, positions & named, len(chosen) > rank + limit, policy, len(chosen), until, INDEX.life)


def latest(
    *,
    subject: Subject,
    at: datetime,
    request: Request,
    below: int | None = None,
    limit: int = 50,
    filters: Filters = Filters(),
) -> Page:
    """Return the newest entries that this subject may see, newest first, below the place `below`.

    Places count what this reader sees, from the oldest: they stay where they are while new entries arrive, and tell
    nothing of what is hidden, as positions would. What an embargo held back until a moment ago stands on top.
    """
    policy, chosen, named = _allowed(subject=subject, at=at, request=request, filters=filters)
    fresh = _just_open(subject, at, request, filters, chosen)[:limit] if below is None else ()
    end = len(chosen) if below is None else min(max(below, 0), len(chosen))
    start = max(end - (limit - len(fresh)), 0)
    anew = {found.stix_id for found in fresh}
    entries = [found for found in _entries(list(chosen[start:end]), named, bodies=True) if found.stix_id not in anew]
    return Page((*fresh, *reversed(entries)), start > 0, policy, len(chosen), start or None)


def _just_open(subject: Subject, at: datetime, request: Request, filters: Filters, chosen: BitMap) -> tuple[Found, ...]:
    """Return what is readable since its embargo ended, in the seconds before the worker opens it in the log.

    A list must not open it itself: place and date, which all readers get, would then tell that somebody looked.
    """
    over = Embargo.objects.filter(not_before__lte=at, opened_at=None)
    labels = set(Version.objects.filter(submission__embargo__in=over).values_list("label_id", flat=True))
    labels &= visible(subject=subject, right=right_for(request.channel), at=at, request=request).ids
    if not labels:
        return ()
    versions = Version.objects.filter(submission__embargo__in=over, label__in=labels)
    first = dict(LogEntry.objects.filter(version__in=versions).order_by("-position").values_list("version", "position"))
    found = []
    for version in versions.select_related("item", "submission__embargo").order_by(
        "-submission__embargo__not_before", "-id"
    ):
        label, item = label_of(version), version.item
        wanted = (filters.types is None or item.type in filters.types) and item.type not in filters.but_types
        wanted = wanted and (filters.tlps is None or label.tlp in filters.tlps)
        # Its source has it in the log already.
        if not wanted or first[version.pk] in chosen:
            continue
        named = decide(subject=subject, right=Right.READ_SOURCE, target=label, at=at, request=request).allowed
        body = version.original if named or version.served is None else version.served
        found.append(
            Found(
                position=first[version.pk],
                date_added=version.submission.embargo.not_before,
                stix_id=item.stix_id if named else item.served_id,
                type=item.type,
                version=version.version,
                modified=version.modified,
                body=bytes(body),
                version_id=version.pk,
                label_id=version.label_id,
                names_source=named,
            )
        )
    return tuple(found)


def count(
    *, subject: Subject, at: datetime, request: Request, filters: Filters = Filters(), part: Part | None = None
) -> int:
    """Return how many objects this subject may see. Never kept for another reader."""
    return len(_allowed(subject=subject, at=at, request=request, filters=filters, part=part)[1])


def weekly(
    *, subject: Subject, at: datetime, request: Request, starts: Sequence[datetime], filters: Filters = Filters()
) -> dict[Tlp, list[int]]:
    """Return, for each label, how many objects that this subject may see came between one start and the next.

    The last number goes up to now. Decided like every list, so that hidden objects move no column.
    """
    bounds = [_position_before(start) + 1 for start in starts]
    numbers = {}
    for tlp in Tlp:
        chosen = _allowed(subject=subject, at=at, request=request, filters=replace(filters, tlps=frozenset({tlp})))[1]
        until = [*bounds[1:], (chosen.max() + 1 if chosen else 0)]
        numbers[tlp] = [
            chosen.range_cardinality(first, end) if end > first else 0 for first, end in zip(bounds, until, strict=True)
        ]
    return numbers


def search(
    *,
    subject: Subject,
    at: datetime,
    request: Request,
    text: str,
    below: int | None = None,
    limit: int = 50,
    filters: Filters = Filters(),
) -> Page:
    """Return the newest visible objects that hold every word of `text`, newest first, below the place `below`.

    Chinese is found by pairs of characters, everything else by words and their beginnings, after NFKC and case
    folding; a value pasted in defanged form is understood. Hits are decided before they are counted or shown.
    """
    policy, chosen, named = _allowed(subject=subject, at=at, request=request, filters=filters)
    question, needles = tsquery(text)
    if not question or not chosen:
        return Page((), False, policy, 0)
    end = len(chosen) if below is None else min(max(below, 0), len(chosen))
    upper = chosen[end] if end < len(chosen) else chosen.max() + 1
    positions: list[int] = []
    while len(positions) <= limit:
        hits = _hits(question, upper, limit * 8)
        positions += [
            position for position, held in hits if position in chosen and all(needle in held for needle in needles)
        ]
        if len(hits) < limit * 8:
            break
        upper = hits[-1][0]
    more = len(positions) > limit
    shown = sorted(positions[:limit])
    entries = _entries(shown, named, bodies=True)
    return Page(tuple(reversed(entries)), more, policy, len(entries), chosen.rank(shown[0]) - 1 if more else None)


def _hits(question: str, below: int, limit: int) -> list[tuple[int, str]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT e.position, s.folded FROM intel_searchrow s JOIN intel_logentry e ON e.version_id = s.version_id"
            " WHERE s.tsv @@ %s::tsquery AND e.position < %s ORDER BY e.position DESC LIMIT %s",
            [question, below, limit],
        )
        return list(cursor.fetchall())


def _allowed(
    *,
    subject: Subject,
    at: datetime,
    request: Request,
    filters: Filters,
    epoch: store.EpochValue | None = None,
    part: Part | None = None,
) -> tuple[int, BitMap, BitMap]:
    """Return (policy epoch, matching positions, positions whose source may be named)."""
    exact = _exact(filters)
    right = right_for(request.channel)
    with INDEX.lock:
        epoch = _in_step(epoch)
        chosen = BitMap()
        for view in filters.versions:
            chosen |= INDEX.allowed(subject=subject, right=right, at=at, request=request, view=view, part=part)
        if filters.instants:
            every = INDEX.allowed(subject=subject, right=right, at=at, request=request, view=Versions.ALL, part=part)
            chosen |= every & exact
        named = INDEX.raw(subject=subject, right=Right.READ_SOURCE, at=at, request=request).copy()
        if filters.types is not None:
            chosen &= INDEX.of_types(filters.types)
        if filters.but_types:
            chosen -= INDEX.of_types(filters.but_types)
        if filters.tlps is not None:
            table = store.all_labels()
            chosen &= INDEX.of_labels(number for number, label in table.items() if label.tlp in filters.tlps)
    if filters.spec_versions is not None and "2.1" not in filters.spec_versions:
        chosen = BitMap()
    if filters.ids is not None:
        chosen &= _of_ids(filters.ids, named)
    return epoch.policy, chosen, named


def _whole(*, subject: Subject, at: datetime, request: Request, part: Part | None) -> tuple[BitMap, BitMap]:
    """Return the index's own bitmaps of what this subject may have and whose source it may learn: under its lock."""
    right = right_for(request.channel)
    chosen = INDEX.allowed(subject=subject, right=right, at=at, request=request, view=Versions.LAST, part=part)
    return chosen, INDEX.raw(subject=subject, right=Right.READ_SOURCE, at=at, request=request)


def _in_step(epoch: store.EpochValue | None) -> store.EpochValue:
    """Bring the index to this epoch, or to the one that stands, and return it. The caller holds the index's lock."""
    if epoch is None or epoch.head < INDEX.head or epoch.policy < INDEX.policy:
        # Read under the lock: another thread may have gone further than an epoch read before it.
        epoch = store.epoch()
    INDEX.refresh(epoch)
    return epoch


def _valid_until(*, subject: Subject, at: datetime, request: Request, part: Part | None) -> datetime | None:
    right = right_for(request.channel)
    with INDEX.lock:
        known = (
            INDEX.valid_until(subject=subject, right=right, at=at, request=request, part=part),
            INDEX.valid_until(subject=subject, right=Right.READ_SOURCE, at=at, request=request),
        )
        return min((until for until in known if until is not None), default=None)


def _exact(filters: Filters) -> BitMap:
    if not filters.instants:
        return BitMap()
    return BitMap(LogEntry.objects.filter(version__modified__in=filters.instants).values_list("position", flat=True))


# An id that nobody has is answered with the lines of the oldest object, which is not the one asked for: so it takes the
# steps that a hidden one takes (ADR 0018). Of the oldest one line is enough, however many versions it came to have.
_OF_IDS = """
SELECT i.stix_id, i.served_id,
       ARRAY(SELECT e.position FROM intel_version v JOIN intel_logentry e ON e.version_id = v.id
              WHERE v.item_id = i.id LIMIT found.most)
  FROM unnest(%s::text[]) AS wanted (id),
       LATERAL (
         SELECT id, NULL::bigint AS most FROM intel_item WHERE stix_id = wanted.id
          UNION ALL
         SELECT id, NULL FROM intel_item WHERE served_id = wanted.id AND served_id <> stix_id
          UNION ALL
         SELECT (SELECT min(id) FROM intel_item), 1
          WHERE NOT EXISTS (SELECT FROM intel_item WHERE served_id = wanted.id AND served_id <> stix_id)
            AND NOT EXISTS (SELECT FROM intel_item WHERE stix_id = wanted.id)
       ) AS found,
       LATERAL (SELECT stix_id, served_id, id FROM intel_item WHERE id = found.id OFFSET 0) AS i
"""


def _of_ids(ids: Iterable[str], named: BitMap) -> BitMap:
    """Positions of these ids as this reader knows them: where the source stays unnamed, the stored id finds nothing."""
    wanted, found = frozenset(filter(is_id, ids)), BitMap()
    connection.ensure_connection()
    with psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(_OF_IDS, [list(wanted)], prepare=True)
        for stored, served, lines in cursor:
            positions = BitMap(lines)
            found |= positions & named if stored in wanted else _NONE
            found |= positions - named if served in wanted else _NONE
    return found


def _position_before(added_after: datetime) -> int:
    last = LogEntry.objects.filter(date_added__lte=added_after).order_by("-date_added").values_list("position").first()
    return int(last[0]) if last else 0


_ENTRIES = """
SELECT e.position, e.date_added, i.stix_id, i.served_id, e.type, v.version, v.modified, v.id, e.label_id,
       CASE WHEN %(bodies)s THEN
            CASE WHEN v.served IS NULL OR e.position = ANY(%(named)s::bigint[]) THEN v.original ELSE v.served END END
  FROM intel_logentry e JOIN intel_version v ON v.id = e.version_id JOIN intel_item i ON i.id = v.item_id
 WHERE e.position = ANY(%(positions)s::bigint[]) ORDER BY e.position
"""


def _entries(positions: Sequence[int], named: BitMap, bodies: bool) -> tuple[Found, ...]:
    keys = [(position, position in named) for position in positions]
    if not bodies or connection.in_atomic_block:
        # What a transaction sees may never come true, and must not be kept.
        return tuple(_read(keys, bodies))
    before = INDEX.policy
    found: dict[int, Found] = INDEX.shelf.take(keys)
    if len(found) < len(keys):
        fresh = {(one.position, one.names_source): one for one in _read([k for k in keys if k[0] not in found], bodies)}
        with INDEX.lock:
            if INDEX.policy == before:  # else one of these may have come under another label since it was read
                INDEX.shelf.put(fresh, sizes={key: len(one.body) for key, one in fresh.items()})
        found |= {one.position: one for one in fresh.values()}
    return tuple(found[position] for position in positions)


def _read(keys: Sequence[tuple[int, bool]], bodies: bool) -> list[Found]:
    if not keys:
        return []
    named = frozenset(position for position, names_source in keys if names_source)
    asked_for = {"bodies": bodies, "named": list(named), "positions": [position for position, _ in keys]}
    connection.ensure_connection()
    # Django's own cursor takes bodies as text in hexadecimal: five times as slow.
    with psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(_ENTRIES, asked_for, binary=True, prepare=True)
        return [_found(row, row[0] in named) for row in cursor]


def _found(row: tuple[Any, ...], names_source: bool) -> Found:
    position, date_added, stored, served, kind, version, modified, version_id, label_id, body = row
    return Found(
        position=position,
        date_added=date_added,
        stix_id=stored if names_source else served,
        type=kind,
        version=version,
        modified=modified,
        body=body or b"",
        version_id=version_id,
        label_id=label_id,
        names_source=names_source,
    )


# -- one object ------------------------------------------------------------------------------------------------------


def get_visible(*, subject: Subject, stix_id: str, at: datetime, request: Request) -> Seen | None:
    """Return the object of this id that the subject may read at this instant: the first copy, its last version.

    None for what is hidden and for what does not exist alike. Labels at the instant decide, and beside them those of
    entries narrowed to this reader.
    """
    copies = versions_visible(subject=subject, stix_id=stix_id, at=at, request=request)
    return copies[-1] if copies else None


def versions_visible(*, subject: Subject, stix_id: str, at: datetime, request: Request) -> list[Seen]:
    """Return every version of the first copy that the subject may read now, oldest first."""
    seen: dict[int, list[Seen]] = {}
    first: dict[int, int] = {}
    for version, entries in _candidates(stix_id, subject, at, request):
        found = _readable(subject, version, entries, at, request)
        if found is not None and found.stix_id == stix_id:
            seen.setdefault(version.item_id, []).append(found)
            first[version.item_id] = min(first.get(version.item_id, found.position), found.position)
    if not seen:
        return []
    copy = min(first, key=lambda item: first[item])
    return sorted(seen[copy], key=lambda found: found.version.modified)


def _candidates(stix_id: str, subject: Subject, at: datetime, request: Request) -> list[tuple[Version, list[LogEntry]]]:
    """Versions of this id of which the subject may read one line or another, each with its lines.

    Of a hidden object nothing but the numbers of its labels is read, by the statements that are asked for an absent one
    too: neither their number, nor their form, nor what they take may tell the one from the other.
    """
    if not is_id(stix_id):
        return []
    items = Item.objects.filter(Q(stix_id=stix_id) | Q(served_id=stix_id))
    lines = LogEntry.objects.filter(version__item__in=items)
    numbers = lines.values_list("label_id", "version__label_id", "version__item__stix_id", "version__item__served_id")
    readable = visible(subject=subject, right=right_for(request.channel), at=at, request=request).ids
    named = visible(subject=subject, right=Right.READ_SOURCE, at=at, request=request).ids
    # Nor may the id that an unnamed source gave tell that it stands behind another, to whoever reads that other.
    labels = {
        label
        for *both, own, served in numbers
        for label in both
        if label in readable and (own if label in named else served) == stix_id
    }
    if not labels:
        return []
    entries = (
        LogEntry.objects.filter(version__item__in=items)
        .filter(Q(label__in=labels) | Q(version__label__in=labels))
        .select_related("version__item")
        .order_by("version__item_id", "version__modified", "position")
    )
    grouped = groupby(entries, key=lambda entry: entry.version_id)
    return [(found[0].version, found) for found in (list(lines) for _, lines in grouped)]


def _readable(
    subject: Subject, version: Version, entries: list[LogEntry], at: datetime, request: Request
) -> Seen | None:
    numbers = list(dict.fromkeys([version.label_id, *(entry.label_id for entry in entries)]))
    known = store.labels(numbers)
    for number in numbers:
        label = known[number]
        decision = decide(subject=subject, right=right_for(request.channel), target=label, at=at, request=request)
        if decision.allowed:
            named = decide(subject=subject, right=Right.READ_SOURCE, target=label, at=at, request=request).allowed
            own = [entry.position for entry in entries if entry.label_id == number] or [entries[0].position]
            body = version.original if named or version.served is None else version.served
            shown = version.item.stix_id if named else version.item.served_id
            return Seen(version, label, decision, shown, bytes(body), named, own[0])
    return None


def label_of(version: Version) -> Label:
    """Return the label that a version stands under, whoever asks; for actions, which decide with it."""
    return store.labels([version.label_id])[version.label_id]


def own_versions(*, subject: Subject, stix_id: str) -> list[Version]:
    """Return the versions that this subject's own pair brought under this id, oldest first; of analysts, all."""
    versions = Version.objects.filter(item__stix_id=stix_id).select_related("item").order_by("modified")
    if subject.is_coordinator:
        return list(versions)
    if subject.pair is None:
        return []
    return list(
        versions.filter(
            item__source_organization_id=subject.pair.organization, item__source_group_id=subject.pair.group
        )
    )


# -- relations -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Neighbour:
    """An object related to another: by what word, in which direction, and how it is met by this reader."""

    verb: str
    outgoing: bool
    found: Found


def neighbours(*, subject: Subject, seen: Seen, at: datetime, request: Request, limit: int = 60) -> list[Neighbour]:
    """Return the visible objects around one: what it names, and what names it, relationships resolved to their ends.

    Only visible ones, in an order computed from visible ones: the hidden leave no gap.
    """
    asked_for = replace(request, channel=Channel.LIST)
    around = _visible_references(subject, seen, at, asked_for)
    made = {found.stix_id: found for found in _by_ids({end for _, _, end in around}, subject, at, asked_for)}
    listed = [Neighbour(verb, out, made[end]) for verb, out, end in around if end in made and end != seen.stix_id]
    return list({(n.verb, n.outgoing, n.found.stix_id): n for n in listed}.values())[:limit]


def _visible_references(subject: Subject, seen: Seen, at: datetime, request: Request) -> list[tuple[str, bool, str]]:
    """(verb, outgoing, id of the other end) of every reference that this reader may see, from visible bodies only."""
    told: list[tuple[str, bool, str]] = []
    for name, target in references(orjson.loads(seen.body)):
        if name not in ("created_by_ref", "object_marking_refs", "marking_ref"):
            told.append((name, True, target))
    stored = {seen.version.item.stix_id, seen.version.item.served_id}
    sources = Reference.objects.filter(target__in=stored).exclude(
        property__in=("created_by_ref", "object_marking_refs", "marking_ref")
    )
    for found in _of_versions(sources, subject, at, request):
        value = orjson.loads(found.body)
        if found.type == "relationship":
            outgoing = value["source_ref"] == seen.stix_id
            if outgoing or value["target_ref"] == seen.stix_id:
                other = value["target_ref"] if outgoing else value["source_ref"]
                told.append((value["relationship_type"], outgoing, other))
        else:
            names = [name for name, target in references(value) if target == seen.stix_id]
            told += [(name, False, found.stix_id) for name in names[:1]]
    return told


def _by_ids(ids: Iterable[str], subject: Subject, at: datetime, request: Request) -> tuple[Found, ...]:
    wanted = frozenset(ids)
    if not wanted:
        return ()
    return page(subject=subject, at=at, request=request, limit=MAX_PAGE, filters=Filters(ids=wanted)).items


def _of_versions(
    references_: QuerySet[Reference], subject: Subject, at: datetime, request: Request
) -> tuple[Found, ...]:
    """The visible ones that hold these references. All are looked at: a limit would let the hidden crowd them out."""
    _, chosen, named = _allowed(subject=subject, at=at, request=request, filters=Filters())
    holders = references_.values("version_id")
    wanted = BitMap(LogEntry.objects.filter(version_id__in=holders).values_list("position", flat=True))
    return _entries(list(chosen & wanted)[:MAX_PAGE], named, bodies=True)


# -- what stands around the items ------------------------------------------------------------------------------------


def running_stop() -> Stop | None:
    """Return the stop of disclosure that runs, a real one before a drill."""
    return Stop.objects.filter(ended_at=None).order_by("drill", "started_at").first()


def past_stops(*, limit: int = 20) -> list[Stop]:
    """Return the stops that have ended, newest first."""
    return list(Stop.objects.exclude(ended_at=None).order_by("-started_at")[:limit])


def live_relay(*, version: Version, group: UUID) -> Relay | None:
    """Return the decision by which a group passes this very version on to its constituents."""
    return Relay.objects.filter(version=version, group=group, withdrawn_at=None).first()


def waiting(*, limit: int) -> list[tuple[Version, Label]]:
    """Return what waits in quarantine with its label, oldest first; what of it is shown is decided for each reader."""
    labels = _quarantined()
    versions = Version.objects.filter(label_id__in=list(labels)).select_related("item", "submission").order_by("id")
    return [(version, labels[version.label_id]) for version in versions[:limit]]


def waiting_count() -> int:
    """Return how many versions wait in quarantine; for analysts, who see each of them."""
    labels = _quarantined()
    return Version.objects.filter(label_id__in=list(labels)).count() if labels else 0


def _quarantined() -> dict[int, Label]:
    return {number: label for number, label in store.all_labels().items() if label.state is State.QUARANTINED}


def submission_of(*, subject: Subject, number: UUID | None = None, key: UUID | None = None) -> Submission | None:
    """Return a submission of the subject's own pair by its number or its one-use key; of a token only its own."""
    if subject.pair is None:
        return None
    mine = Submission.objects.filter(organization_id=subject.pair.organization, group_id=subject.pair.group)
    if subject.token is not None:
        mine = mine.filter(token=subject.token)
    if number is not None:
        return mine.filter(pk=number).first()
    return mine.filter(key=key).first() if key is not None else None


def brought_by(*, submission: Submission, limit: int) -> dict[tuple[str, str], bytes]:
    """Return the bytes of what a submission brought, by (id, version), for the page of its result."""
    rows = Version.objects.filter(submission=submission).order_by("pk")[:limit]
    return {
        (stix_id, version): bytes(original)
        for stix_id, version, original in rows.values_list("item__stix_id", "version", "original")
    }
