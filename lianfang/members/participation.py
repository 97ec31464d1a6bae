"""Where facts about participation come from: apps that know of some, and tables that the staff brings."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from lianfang.kernel.clock import taipei
from lianfang.kernel.refusal import Refusal
from lianfang.kernel.text import Bilingual
from lianfang.members import days
from lianfang.members.identity import holds_identity_number
from lianfang.members.lifecycle.participation import KIND_WORDS, OUTCOME_WORDS
from lianfang.members.sheets import Line, Sheet

# What apps supply


@dataclass(frozen=True, slots=True)
class Supplied:
    """A fact as an app knows it: of which group, what, when, its evidence, and a key that it always has."""

    group: UUID
    kind: str
    outcome: str
    occurred_at: datetime
    key: str
    text: Bilingual
    evidence: str


Provider = Callable[[datetime, datetime], Iterable[Supplied]]
"""Given [since, until), returns the facts of that time. It may return one again: the key tells."""

_PROVIDERS: dict[str, Provider] = {}
_RESERVED = frozenset({"staff", "import"})


def use(name: str, provider: Provider) -> None:
    """Let an app supply facts under its name. Raises ValueError for a name that is not an app's to take."""
    if name in _RESERVED or len(name) > 16:
        raise ValueError(f"{name} cannot name a source of facts")
    _PROVIDERS[name] = provider


def providers() -> Mapping[str, Provider]:
    """Return the apps that supply facts, by name."""
    return dict(_PROVIDERS)


# What a table says

LONGEST = 500
_HEADINGS = {
    "member": ("會員", "團體會員", "名稱", "組織名稱", "公司名稱", "member", "organisation", "organization"),
    "ubn": ("統一編號", "統編", "business number", "ubn"),
    "kind": ("類別", "種類", "kind"),
    "outcome": ("結果", "參與", "outcome", "result"),
    "day": ("日期", "date", "day"),
    "text": ("事由", "說明", "what", "description"),
    "evidence": ("佐證", "證據", "evidence"),
}
_NEEDED = ("ubn", "kind", "outcome", "day", "text", "evidence")
_KIND_OF = {
    word.casefold(): kind for kind, words in KIND_WORDS.items() for word in (kind, words.zh, words.en, words.zh[-2:])
}
_OUTCOME_OF = {
    **{word.casefold(): code for code, words in OUTCOME_WORDS.items() for word in (code, words.zh, words.en)},
    "是": "took_part", "參與": "took_part", "出席": "took_part", "yes": "took_part",
    "否": "absent", "未參與": "absent", "缺席": "absent", "no": "absent",
}  # fmt: skip
_NO_HEADINGS = Bilingual(
    zh="第一列要有這些欄位：統一編號、類別、結果、日期、事由、佐證。",
    en="The first row needs the columns: business number, kind, outcome, date, what, evidence.",
)
_KIND = Bilingual(zh="類別請寫：{kinds}。", en="The kind is one of: {kinds}.")
_OUTCOME = Bilingual(zh="結果請寫「有參與」或「受邀而未參與」。", en="The outcome is “took part” or “absent”.")
_MEMBER = Bilingual(zh="沒有這個統一編號的有效會員。", en="No member in force has this business number.")
_TEXT = Bilingual(zh="缺少事由，或超過500字。", en="What happened is missing, or longer than 500 characters.")
_EVIDENCE = Bilingual(
    zh="缺少佐證。沒有佐證就不能列入。", en="The evidence is missing; without it nothing is recorded."
)
_IDENTITY = Bilingual(zh="含有身分證字號，請刪除。", en="Holds an identity number; remove it.")
_FUTURE = Bilingual(zh="日期在未來。", en="The day lies in the future.")
_TWICE = Bilingual(zh="與第{n}列相同。", en="The same as row {n}.")


@dataclass(frozen=True, slots=True)
class Row:
    """One fact of a table."""

    line: int
    membership: str
    name: str
    kind: str
    outcome: str
    day: str
    text: str
    evidence: str
    key: str


def read(
    sheet: Sheet, members: Mapping[str, tuple[str, str]], at: datetime
) -> tuple[list[Row], list[tuple[int, str, Bilingual]]]:
    """Return the facts of a table and what is wrong with which line; `members`: number -> (membership, name).

    Raises Refusal where the table has not the columns.
    """
    head = [_plain(cell) for cell in sheet.lines[0].cells]
    places = {role: next((head.index(one) for one in names if one in head), None) for role, names in _HEADINGS.items()}
    if any(places[role] is None for role in _NEEDED):
        raise Refusal(_NO_HEADINGS, rule="participation-columns", field="file")
    rows: list[Row] = []
    faults: list[tuple[int, str, Bilingual]] = []
    seen: dict[str, int] = {}
    for line in sheet.lines[1:]:
        try:
            row = _row(line, places, members, at)
            if row.key in seen:
                raise Refusal(_TWICE.format(n=seen[row.key]), rule="participation-row")
            seen[row.key] = row.line
            rows.append(row)
        except Refusal as refusal:
            faults.append((line.number, " ".join(line.cells)[:80], refusal.reason))
    return rows, faults


def _row(line: Line, places: Mapping[str, int | None], members: Mapping[str, tuple[str, str]], at: datetime) -> Row:
    if line.fault is not None:
        raise Refusal(line.fault, rule="participation-row")
    number, kind, outcome, day, text, evidence = (line.cell(places[role]).strip() for role in _NEEDED)
    member = members.get(unicodedata.normalize("NFKC", number))
    if member is None:
        raise Refusal(_MEMBER, rule="participation-row")
    if (known := _KIND_OF.get(_plain(kind))) is None:
        names = "、".join(words.zh for words in KIND_WORDS.values())
        raise Refusal(_KIND.format(kinds=names), rule="participation-row")
    told = _OUTCOME_OF.get(_plain(outcome))
    if told not in ("took_part", "absent"):
        raise Refusal(_OUTCOME, rule="participation-row")
    when = days.read(day)
    check_day(when, at)
    check_words(text, evidence)
    if not evidence:
        raise Refusal(_EVIDENCE, rule="participation-row")
    said = [member[0], known, told, when.isoformat(), text, evidence]
    key = hashlib.sha256("\x1f".join(said).encode()).hexdigest()
    return Row(line.number, member[0], member[1], known, told, when.isoformat(), text, evidence, key)


def check_day(day: date, at: datetime) -> None:
    """Raise Refusal for a day that has not come in Taipei."""
    if day > taipei(at).date():
        raise Refusal(_FUTURE, rule="participation-day", field="occurred_on")


def check_words(text: str, *more: str) -> None:
    """Raise Refusal for a fact without words, with too many, or with somebody's identity number in them."""
    if not text.strip() or len(text) > LONGEST:
        raise Refusal(_TEXT, rule="participation-text", field="text")
    if any(holds_identity_number(one) for one in (text, *more)):
        raise Refusal(_IDENTITY, rule="participation-text", field="text")


def need_evidence(evidence: str, *, file: bool) -> None:
    """Raise Refusal for a fact that nothing proves."""
    if not evidence.strip() and not file:
        raise Refusal(_EVIDENCE, rule="participation-evidence", field="evidence")


def _plain(cell: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", cell).split()).casefold()


def kept(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Return rows as they are kept until somebody imports them."""
    return [{name: getattr(row, name) for name in Row.__slots__} for row in rows]
