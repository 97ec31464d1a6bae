"""What the pages of participation show, put together before the template."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lianfang.kernel.text import Bilingual
from lianfang.members import participation_queries as queries
from lianfang.members.lifecycle import MEMBERSHIP, participation
from lianfang.members.models import IMPORT, STAFF, Membership, ParticipationFact, ParticipationImport
from lianfang.members.shown_staff import Tab
from lianfang.members.words import STATE_TONES

_MOST = 200
_HEIGHT = 78
_SOURCES = {
    STAFF: Bilingual(zh="協調中心登記", en="Entered by the centre"),
    IMPORT: Bilingual(zh="匯入檔案", en="Imported file"),
    "intel": Bilingual(zh="情資系統", en="Intelligence exchange"),
    "contact": Bilingual(zh="聯絡資料確認", en="Check of contact data"),
}
_VIEWS = {
    "": Bilingual(zh="待檢視", en="To be looked at"),
    "all": Bilingual(zh="全部", en="All"),
    "none": Bilingual(zh="尚無紀錄", en="No record yet"),
}


@dataclass(frozen=True, slots=True)
class Shown:
    """One entry as a page has it."""

    fact: ParticipationFact
    kind: Bilingual
    outcome: Bilingual
    text: Bilingual
    source: Bilingual
    tone: str
    corrected: bool
    counts: bool
    may_object: bool
    objections: list[Any]


@dataclass(frozen=True, slots=True)
class Column:
    """A month of the chart, scaled to 78 points of height; `rest` is where the upper part begins."""

    name: str
    x: int
    took_part: int
    absent: int
    low: float
    high: float
    recorded: bool

    @property
    def y(self) -> float:
        """Where the lower part begins, from above."""
        return round(79 - self.low, 2)

    @property
    def rest(self) -> float:
        """Where the upper part begins, from above."""
        return round(79 - self.low - self.high, 2)


@dataclass(frozen=True, slots=True)
class Proof:
    """The file of a fact as a download needs it."""

    fact: ParticipationFact

    @property
    def file(self) -> Any:
        """The stored file."""
        return self.fact.file

    @property
    def filename(self) -> str:
        """Its name."""
        return self.fact.filename

    @property
    def media_type(self) -> str:
        """Its kind."""
        return self.fact.file.media_type if self.fact.file else ""


def one(fact: ParticipationFact) -> Shown:
    """Return an entry with its words."""
    return Shown(
        fact=fact,
        kind=participation.KIND_WORDS[fact.kind],
        outcome=participation.OUTCOME_WORDS[fact.outcome],
        text=Bilingual(zh=fact.text, en=fact.text_en or fact.text),
        source=_SOURCES.get(fact.source, Bilingual(zh=fact.source, en=fact.source)),
        tone={"took_part": "good", "absent": "warn"}.get(fact.outcome, ""),
        corrected=queries.is_corrected(fact),
        counts=queries.is_standing(fact),
        may_object=queries.may_object(fact),
        objections=sorted(fact.objections.all(), key=lambda each: each.at),
    )


def columns(months: list[participation.Month]) -> list[Column]:
    """Scale the chart."""
    most = max((month.took_part + month.absent for month in months), default=0) or 1
    return [
        Column(
            month.name, place * 10 + 1, month.took_part, month.absent, round(_HEIGHT * month.took_part / most, 2),
            round(_HEIGHT * month.absent / most, 2), month.recorded,
        )
        for place, month in enumerate(months)
    ]  # fmt: skip


def record(membership: Membership, at: datetime) -> dict[str, Any]:
    """Return one member's record: how it stands, the chart, every entry."""
    facts = queries.facts(membership)
    stands = queries.record_of(membership, at)
    by_kind = [(participation.KIND_WORDS[kind], *numbers) for kind, numbers in sorted(stands.counts.by_kind.items())]
    first, last = queries.period(at, stands.terms)
    return {
        "membership": membership,
        "state": (MEMBERSHIP.states[membership.state], STATE_TONES[membership.state]),
        "stands": stands,
        "terms": stands.terms,
        "first": first,
        "last": last,
        "by_kind": by_kind,
        "columns": columns(queries.months(facts, first, last)) if stands.counts.facts else [],
        "rows": [one(fact) for fact in facts],
        "may_review": stands.counts.facts and membership.state in MEMBERSHIP["open_review"].sources,
    }


def listing(view: str, wanted: str, path: str, at: datetime) -> dict[str, Any]:
    """Return the staff's list."""
    view = view if view in _VIEWS else ""
    of = queries.terms(at)
    every = queries.records(at, of, words=wanted)
    views = {
        "": [each for each in every if each.state == "look"],
        "all": every,
        "none": [each for each in every if each.state == "none"],
    }
    rows = views[view]
    return {
        "rows": rows[:_MOST],
        "more": max(0, len(rows) - _MOST),
        "tabs": [
            Tab(words, f"{path}?view={name}" if name else path, name == view, str(len(views[name])))
            for name, words in _VIEWS.items()
        ],
        "view": view,
        "wanted": wanted,
        "objections": [(each, one(each.fact)) for each in queries.open_objections()],
        "terms": of,
    }


def table(kept: ParticipationImport) -> dict[str, Any]:
    """Return the preview of a table."""
    known = queries.known_keys(IMPORT, [row["key"] for row in kept.rows])
    rows = [
        {
            **row,
            "kind": participation.KIND_WORDS[row["kind"]],
            "outcome": participation.OUTCOME_WORDS[row["outcome"]],
            "known": row["key"] in known,
        }
        for row in kept.rows
    ]
    return {
        "kept": kept,
        "rows": rows[:_MOST],
        "whole": len(rows),
        "new": sum(not row["known"] for row in rows),
        "faults": [(line, text, Bilingual(zh=zh, en=en)) for line, text, zh, en in kept.faults],
    }
