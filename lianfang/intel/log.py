"""The exchange log: how lines are added, and how lines that stand come under another label.

Positions and dates are given under one lock, taken as late as a transaction can: whoever reads up to a position has
seen everything below it that will ever be there.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.db import connection

from lianfang.intel.models import Binding, LogEntry, Relabelling, Version
from lianfang.policy import store
from lianfang.policy.facts import Label, NarrowedKind, NarrowedTo, State, Tlp

_LOCK = 0x6C66_6C6F_67  # "lflog": one key of the database's advisory locks


@dataclass(frozen=True, slots=True)
class Line:
    """A line to be added: this version, to those whom this label allows."""

    version_id: int
    label_id: int
    type: str
    stix_id: str
    returned: bool = False
    """It brings the version back to those who lose a newer one."""


def append(lines: Sequence[Line]) -> range:
    """Add lines in this order and return their positions. Call it last but for `store.bump_policy`.

    `date_added` is the database's clock read under the lock, once it is past the last date given, plus microseconds in
    this order; so dates are unique and rise with positions.
    """
    if not lines:
        return range(0)
    last_position, last_date = _locked()
    before = _logged({line.stix_id for line in lines})
    first = last_position + 1
    at = _clock_after(last_date)
    with (
        connection.cursor() as cursor,
        cursor.copy(
            "COPY intel_logentry (position, version_id, label_id, date_added, type, again, returned)"
            " FROM STDIN (FORMAT BINARY)"
        ) as copy,
    ):
        copy.set_types(["int8", "int8", "int8", "timestamptz", "text", "bool", "bool"])
        for place, line in enumerate(lines):
            again = line.stix_id in before
            before.add(line.stix_id)
            date = at + timedelta(microseconds=place)
            copy.write_row((first + place, line.version_id, line.label_id, date, line.type, again, line.returned))
    store.bump_head(last_position + len(lines))
    return range(first, first + len(lines))


def _locked() -> tuple[int, datetime | None]:
    """Take the lock; then, in a statement of its own, read what was given last (READ COMMITTED sees it only then)."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        cursor.execute("SELECT position, date_added FROM intel_logentry ORDER BY position DESC LIMIT 1")
        row = cursor.fetchone()
    return (int(row[0]), row[1]) if row else (0, None)


def _clock_after(last: datetime | None) -> datetime:
    while True:
        with connection.cursor() as cursor:
            cursor.execute("SELECT clock_timestamp()")
            now: datetime = cursor.fetchone()[0]
        if last is None or now > last:
            return now
        time.sleep((last - now).total_seconds() + 0.000_01)


# OFFSET 0 keeps each step by itself, so that whatever the planner believes of a table that nobody analysed, it looks up
# these ids and never reads the log from its beginning: this is asked under the lock that all writers wait for.
_LOGGED = """
SELECT DISTINCT w.stix_id FROM unnest(%s::text[]) AS w (stix_id),
       LATERAL (SELECT i.id FROM intel_item i WHERE i.stix_id = w.stix_id OFFSET 0) AS i,
       LATERAL (SELECT v.id FROM intel_version v WHERE v.item_id = i.id OFFSET 0) AS v,
       LATERAL (SELECT FROM intel_logentry e WHERE e.version_id = v.id OFFSET 0) AS e
"""


def _logged(stix_ids: set[str]) -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute(_LOGGED, [list(stix_ids)])
        return {row[0] for row in cursor}


def relabel(version: Version, change: Callable[[Label], Label]) -> None:
    """Put a version, and every line of it, under the label that `change` makes of the one it stands under.

    For changes by which nobody gains this version. Containers of the same source that require it are made anew. Where
    the TLP changes, collections by TLP gain the version: they get further lines of it, which nobody has passed;
    everywhere else it keeps its place. Whoever loses it meets the version before it again, on a further line too. The
    caller bumps the policy at the end of its transaction.
    """
    _locked()
    changed = [_change(version, lambda label: replace(change(label), narrowed_to=label.narrowed_to))]
    changed += _containers_anew(version, {version.pk})
    # Once everything stands under its new label.
    append([line for each in changed for line in (*each.further, *_returning(each.version, each.lost))])


@dataclass(frozen=True, slots=True)
class _Changed:
    """A version under another label: the lines that it needs beside its own, and the labels that its lines left."""

    version: Version
    further: tuple[Line, ...]
    lost: frozenset[Label]


def _returning(newer: Version, lost: Iterable[Label]) -> list[Line]:
    """Return the lines that bring earlier versions back to those who could read a newer one under these labels.

    Such a line requires what the newer version stood under, so that for nobody else anything moves.
    """
    labels = [label for label in lost if label.tlp is not Tlp.RED and label.state is not State.RECALLED]
    if not labels:
        return []
    earlier = Version.objects.filter(item=newer.item_id, modified__lt=newer.modified).order_by("modified")
    found: dict[tuple[int, int], Line] = {}
    for version in earlier.select_related("item"):
        stands = store.labels(set(version.entries.filter(returned=False).values_list("label_id", flat=True))).values()
        for own in stands:
            if own.tlp is Tlp.RED or own.state is State.RECALLED:
                continue
            for label in labels:
                needed = {replace(label, requires=frozenset()), *label.requires} - {replace(own, requires=frozenset())}
                number = store.intern(replace(own, requires=own.requires | needed))
                found[version.pk, number] = Line(version.pk, number, version.item.type, version.item.stix_id, True)
    return list(found.values())


def _change(version: Version, change: Callable[[Label], Label]) -> _Changed:
    """Change label and lines."""
    entries = list(version.entries.all())
    known = store.labels({version.label_id, *(entry.label_id for entry in entries)})
    new: dict[tuple[int, bool], tuple[int, Label]] = {}
    for key in {(version.label_id, False), *((entry.label_id, entry.returned) for entry in entries)}:
        label = change(known[key[0]])
        if key[1]:  # which lasts: it says whom the version was brought back to
            label = replace(label, requires=label.requires | known[key[0]].requires)
        new[key] = store.intern(label), label
    number, _ = new[version.label_id, False]
    if number != version.label_id:
        version.label_id = number
        version.save(update_fields=["label"])
    further: dict[int, Line] = {}
    lost: set[Label] = set()
    for entry in entries:
        old = entry.label_id
        number, label = new[old, entry.returned]
        if number == old:
            continue
        Relabelling.objects.create(position=entry.position, old_id=old, new_id=number)
        lost.add(known[old])
        entry.label_id = number
        if label.tlp is not known[old].tlp:
            entry.moved = True
            if label.tlp is not Tlp.RED:  # which no machine gets
                further[number] = Line(version.pk, number, version.item.type, version.item.stix_id)
        entry.save(update_fields=["label", "moved"])
    return _Changed(version, tuple(further.values()), frozenset(lost))


def leave_collections(version: Version, *, but: Tlp) -> None:
    """Take the lines of a version that stand under another TLP out of the collections by TLP; all else stays.

    The caller adds the line under the new one, and bumps the policy.
    """
    _locked()
    for entry in version.entries.filter(moved=False).order_by("position"):
        if store.label(entry.label_id).tlp is not but:
            Relabelling.objects.create(position=entry.position, old_id=entry.label_id, new_id=entry.label_id)
            entry.moved = True
            entry.save(update_fields=["moved"])


def narrow_to_source(versions: Sequence[Version]) -> None:
    """Narrow the lines of versions that nobody else has been able to read so far to their source and named analysts.

    Then a further line brings them to whoever gains, at a place that nobody has passed. The caller bumps the policy.
    """
    _locked()
    for entry in LogEntry.objects.filter(version__in=[version.pk for version in versions]).order_by("position"):
        label = store.label(entry.label_id)
        if label.narrowed_to.kind is NarrowedKind.NONE:
            new = store.intern(replace(label, narrowed_to=NarrowedTo(NarrowedKind.SOURCE)))
            Relabelling.objects.create(position=entry.position, old_id=entry.label_id, new_id=new)
            entry.label_id = new
            entry.save(update_fields=["label"])


def _containers_anew(bound: Version, done: set[int]) -> list[_Changed]:
    changed: list[_Changed] = []
    for binding in Binding.objects.filter(bound=bound).select_related("container__item"):
        container = binding.container
        if container.pk in done:
            continue
        done.add(container.pk)
        required = required_labels(container)
        changed.append(_change(container, lambda label, required=required: with_requires(label, required)))  # type: ignore[misc]
        changed += _containers_anew(container, done)
    return changed


def required_labels(container: Version) -> frozenset[Label]:
    """Return the labels (each bare of its own) of everything that a container requires, however far."""
    seen: set[int] = {container.pk}
    pending = [container.pk]
    labels: set[int] = set()
    while pending:
        rows = Binding.objects.filter(container__in=pending).values_list("bound_id", "bound__label_id")
        pending = [bound for bound, _ in rows if bound not in seen]
        seen.update(pending)
        labels.update(label for _, label in rows)
    return frozenset(replace(label, requires=frozenset()) for label in store.labels(labels).values())


def with_requires(label: Label, required: frozenset[Label]) -> Label:
    """Return the label of a container that requires these.

    A required label equal to the container's own decides what that decides already: it is left out, so that a bundle
    under one label stays under one label.
    """
    own = replace(label, requires=frozenset(), narrowed_to=NarrowedTo())
    return replace(label, requires=frozenset(other for other in required if other != own))


def line(version: Version, label: Label) -> Line:
    """Return the line that shows a version under a label."""
    return Line(version.pk, store.intern(label), version.item.type, version.item.stix_id)


def last_date() -> datetime | None:
    """Return the date of the last line; None of an empty log."""
    row = LogEntry.objects.order_by("-position").values_list("date_added").first()
    return row[0] if row else None
