"""What the pages of official lists and of screening show, put together before the template."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from lianfang.accounts import paging
from lianfang.accounts.doors import may
from lianfang.kernel.text import Bilingual
from lianfang.members import holdings, names, queries, queries_lists, shown, words_lists
from lianfang.members.lifecycle import LIST_CASE, LIST_EDITION
from lianfang.members.models import LIST_KINDS, ListCase, ListEdition, OwnershipStatement
from lianfang.policy.facts import Right, Subject

_ROWS_SHOWN = 200


def listing(subject: Subject, at: datetime) -> dict[str, Any]:
    """Return the page of all lists: the newest edition of each kind, the others below, and open cases."""
    found: dict[str, list[ListEdition]] = {kind: [] for kind in LIST_KINDS}
    for edition in queries_lists.editions():
        found[edition.kind].append(edition)
    return {
        "kinds": [(words_lists.KINDS[kind], _rows(editions)) for kind, editions in found.items()],
        "open_cases": queries_lists.cases(open_only=True).count(),
        "may_import": may(subject=subject, right=Right.IMPORT_LIST, at=at),
    }


def _rows(editions: Sequence[ListEdition]) -> list[tuple[ListEdition, Bilingual, str]]:
    return [(one, LIST_EDITION.states[one.state], words_lists.STATE_TONES[one.state]) for one in editions[:20]]


@dataclass(frozen=True, slots=True)
class Tab:
    """One part of the difference."""

    label: Bilingual
    url: str
    current: bool
    count: str


def edition(edition_: ListEdition, part: str, subject: Subject, at: datetime) -> dict[str, Any]:
    """Return one edition: what is wrong in it, or how it differs from the one before."""
    counts = {"faults": edition_.fault_count, **edition_.difference["counts"]}
    default = next((name for name in words_lists.PARTS if counts[name] and name != "same"), "new")
    current = part if part in words_lists.PARTS and part != "same" else default
    return {
        "edition": edition_,
        "sha256": bytes(edition_.sha256).hex(),
        "kind": words_lists.KINDS[edition_.kind],
        "state": (LIST_EDITION.states[edition_.state], words_lists.STATE_TONES[edition_.state]),
        "tabs": [
            Tab(label, f"?part={name}", name == current, f"{counts[name]:,}")
            for name, label in words_lists.PARTS.items()
            if name != "same"
        ],
        "same": counts["same"],
        "part": current,
        "part_words": words_lists.PARTS[current],
        "rows": _part(edition_, current),
        "cut": counts[current] > _ROWS_SHOWN,
        "progress": _progress(edition_, at),
        "may_import": may(subject=subject, right=Right.IMPORT_LIST, at=at) and edition_.state == "read",
    }


def _part(edition_: ListEdition, part: str) -> list[Any]:
    if part == "faults":
        return [(line, text, Bilingual(zh=zh, en=en)) for line, text, zh, en in edition_.faults]
    return list(edition_.difference.get(part, []))


def _progress(edition_: ListEdition, at: datetime) -> queries_lists.Progress | None:
    newest = queries_lists.newest("mainland", at)
    return queries_lists.progress(edition_, at) if newest is not None and newest.pk == edition_.pk else None


# Hits


@dataclass(frozen=True, slots=True)
class Hit:
    """A name or number of the list beside the roster's, character by character."""

    name: str
    ubn: str
    score: int
    by: Bilingual
    columns: tuple[names.Column, ...]
    differences: int


def hits(name: str, matches: Sequence[Any]) -> list[Hit]:
    """Return every match of a row, the nearest first."""
    found = []
    for number, listed, score, by in matches:
        columns = names.align(name, str(listed))
        differ = sum(column.kind in ("different", "missing") for column in columns)
        found.append(Hit(str(listed), str(number), int(score), words_lists.MATCHED_BY[by], columns, differ))
    return found


def cases(asked: Mapping[str, str], path: str) -> dict[str, Any]:
    """Return the list of cases that editions opened."""
    everything = asked.get("view") == "all"
    page = paging.page(queries_lists.cases(open_only=not everything), ("-opened_at", "-id"), asked)
    return {
        "page": page,
        "rows": [(one, *_said(one)) for one in page.rows],
        "tabs": [
            {"label": Bilingual(zh="待判斷", en="To be judged"), "url": path, "current": not everything, "count": None},
            {"label": Bilingual(zh="全部", en="All"), "url": f"{path}?view=all", "current": everything, "count": None},
        ],
    }


def _said(case_: ListCase) -> tuple[Bilingual, str, Bilingual, str]:
    return (
        words_lists.RESULTS[case_.result], words_lists.RESULT_TONES[case_.result],
        LIST_CASE.states[case_.state], words_lists.STATE_TONES[case_.state],
    )  # fmt: skip


def case(case_: ListCase, subject: Subject, at: datetime) -> dict[str, Any]:
    """Return one such case."""
    result, result_tone, state, tone = _said(case_)
    outcomes = dict(words_lists.outcomes(case_))
    conflict = queries.conflict_of(case_.number, subject.person)
    return {
        "case": case_,
        "result": (result, result_tone),
        "state": (state, tone),
        "kind": words_lists.KINDS[case_.edition.kind],
        "hits": hits(case_.row_name, case_.matches),
        "still": queries_lists.still_so(case_, at) if case_.state == "open" else None,
        "outcome": outcomes.get(case_.outcome),
        "conflict": conflict,
        "timeline": shown.timeline(queries.events(case_.number), [], names=True),
        "may_declare": case_.state == "open",
        "may_judge": case_.state == "open" and conflict is False and may(subject=subject, right=Right.REVIEW, at=at),
    }


# Holdings, drawn


@dataclass(frozen=True, slots=True)
class Box:
    """A party in the drawing, with its words below one another."""

    x: int
    y: int
    lines: tuple[str, ...]
    verdict: str
    words: Bilingual


@dataclass(frozen=True, slots=True)
class Edge:
    """A holding in the drawing: from the lower edge of the owner to the upper edge of the company."""

    x1: int
    y1: int
    x2: int
    y2: int
    text: str
    bold: bool

    @property
    def middle(self) -> tuple[int, int]:
        """Where its words stand, nearer to the owner, where lines lie apart."""
        return self.x1 + (self.x2 - self.x1) * 2 // 5, self.y1 + (self.y2 - self.y1) * 2 // 5


@dataclass(frozen=True, slots=True)
class Drawing:
    """Owners above, what they own below."""

    width: int
    height: int
    boxes: tuple[Box, ...]
    edges: tuple[Edge, ...]


_WIDE, _HIGH, _GAP_X, _GAP_Y = 168, 56, 24, 64
_MOST_DRAWN = 40


def drawing(declared: holdings.Declared) -> Drawing | None:
    """Lay the graph out in layers, owners above; None where it is too large to be read."""
    if not declared.holdings or len(declared.parties) > _MOST_DRAWN:
        return None
    layers = _layers(declared)
    verdicts = holdings.judge(declared)
    rows: dict[int, list[str]] = {}
    for party in declared.parties:
        rows.setdefault(layers[party], []).append(party)
    width = max(len(row) for row in rows.values()) * (_WIDE + _GAP_X) + _GAP_X
    place: dict[str, tuple[int, int]] = {}
    for layer, row in rows.items():
        left = (width - len(row) * (_WIDE + _GAP_X) + _GAP_X) // 2
        for n, party in enumerate(row):
            place[party] = (left + n * (_WIDE + _GAP_X), 8 + layer * (_HIGH + _GAP_Y))
    boxes = tuple(
        Box(*place[party], _folded(party), verdicts[party].answer, words_lists.VERDICTS[verdicts[party].answer])
        for party in declared.parties
    )
    edges = tuple(_edge(one, place, verdicts[one.owner].answer == "yes") for one in declared.holdings)
    return Drawing(width, 16 + (max(rows) + 1) * (_HIGH + _GAP_Y) - _GAP_Y, boxes, edges)


def _layers(declared: holdings.Declared) -> dict[str, int]:
    """Return how far up each party stands: right above the highest that it owns, so that no line runs behind a box.

    A circle is cut where it would go round again.
    """
    above = dict.fromkeys(declared.parties, 0)
    for _ in declared.parties:
        for one in declared.holdings:
            if above[one.owner] <= above[one.owned] < len(above) - 1:
                above[one.owner] = above[one.owned] + 1
    used = {layer: n for n, layer in enumerate(sorted(set(above.values()), reverse=True))}
    return {party: used[layer] for party, layer in above.items()}


def _folded(name: str) -> tuple[str, ...]:
    wide = 12 if any(ord(one) > 0x2E80 for one in name) else 22
    lines = [name[at : at + wide] for at in range(0, len(name), wide)]
    return (lines[0],) if len(lines) == 1 else (lines[0], lines[1] if len(lines) == 2 else lines[1][:-1] + "…")


def _edge(one: holdings.Holding, place: dict[str, tuple[int, int]], bold: bool) -> Edge:
    (x1, y1), (x2, y2) = place[one.owner], place[one.owned]
    down = y2 > y1
    return Edge(
        x1 + _WIDE // 2, y1 + (_HIGH if down else 0), x2 + _WIDE // 2, y2 if down else y2 + _HIGH,
        share_words(one), bold,
    )  # fmt: skip


def share_words(one: holdings.Holding) -> str:
    """Return a share as it is read: `30.5 %`, and whether there is control."""
    share = f"{format(one.share.normalize(), 'f')} %" if one.share else ""
    return share or "–"


@dataclass(frozen=True, slots=True)
class Owned:
    """A row of the table beside the drawing."""

    holding: holdings.Holding
    share: str
    owner: tuple[Bilingual, str]


def ownership(statement: OwnershipStatement | None, name: str) -> dict[str, Any] | None:
    """Return the holdings behind one row as a drawing and as a table, with what follows."""
    if statement is None:
        return None
    declared = holdings.from_kept(statement.holdings)
    verdicts = holdings.judge(declared)
    own = verdicts.get(name) or holdings.Verdict(name, statement.verdict, Decimal(0), controlled=False)
    answer = statement.judged or statement.verdict
    return {
        "statement": statement,
        "drawing": drawing(declared),
        "rows": [
            Owned(one, share_words(one), _verdict(verdicts[one.owner].answer))
            for one in declared.holdings
        ],
        "share": format(own.share.normalize(), "f"),
        "verdict": _verdict(answer),
        "circles": ["、".join(sorted(circle)) for circle in holdings.circles(declared)],
    }  # fmt: skip


def _verdict(answer: str) -> tuple[Bilingual, str]:
    return words_lists.VERDICTS[answer], words_lists.VERDICT_TONES[answer]
