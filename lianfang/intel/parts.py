"""Parts of what a subject may have, as the collections of the machine doors show them: by TLP, or one's own.

A part is a filter over the labels that the policy allows. It only ever leaves labels out, so nothing is in a part that
the subject could not have without it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from lianfang.policy import store
from lianfang.policy.decide import decide
from lianfang.policy.facts import Label, Request, Right, Subject, Tlp
from lianfang.policy.sql import Visible, visible


class Whose(StrEnum):
    """Whose items a part holds."""

    ANYBODY = "anybody"
    MINE = "mine"
    """Of which the subject's own pair is a source."""
    OUR_GROUP = "our_group"
    """Of which a pair of the subject's group is a source, as far as the subject may know that."""


@dataclass(frozen=True, slots=True)
class Part:
    """What a collection shows of everything that its reader may have."""

    whose: Whose = Whose.ANYBODY
    tlp: Tlp | None = None
    """Only lines that came under this TLP; None = any."""


WHOLE = Part()


def allowed_labels(
    *, subject: Subject, right: Right, at: datetime, request: Request, part: Part | None
) -> tuple[frozenset[int], datetime | None]:
    """Return the labels of the part on which the subject holds the right, and until when that holds by time."""
    answer = visible(subject=subject, right=right, at=at, request=request)
    if part is None or part == WHOLE:
        return frozenset(answer.ids), answer.valid_until
    table = store.labels(answer.ids)
    kept = [number for number in answer.ids if part.tlp is None or table[number].tlp is part.tlp]
    until = answer.valid_until
    if part.whose is Whose.MINE:
        kept = [number for number in kept if subject.pair in table[number].owners]
    elif part.whose is Whose.OUR_GROUP:
        named = visible(subject=subject, right=Right.READ_SOURCE, at=at, request=request)
        kept = _of_our_group(kept, table, named, subject=subject, at=at, request=request)
        until = min((end for end in (until, named.valid_until) if end is not None), default=None)
    return frozenset(kept), until


def _of_our_group(
    numbers: Iterable[int], table: dict[int, Label], named: Visible, *, subject: Subject, at: datetime, request: Request
) -> list[int]:
    """A filter by source never matches a hidden source (U-view): a colleague's item stands here only where its source
    may be named, or where it is read as one's own, which says the same."""
    return [
        number
        for number in numbers
        if _is_of_our_group(table[number], subject)
        and (
            number in named.ids
            or "P-own"
            in decide(subject=subject, right=Right.READ, target=table[number], at=at, request=request).permits
        )
    ]


def _is_of_our_group(label: Label, subject: Subject) -> bool:
    return subject.pair is not None and any(pair.group == subject.pair.group for pair in label.owners)
