"""Where an object does not fit its schema, found in little time and memory however much of it is wrong.

The library lists every complaint before it gives the first, at about 40 us and 2 kB each, and an object of 1 MiB can
earn five hundred thousand. So it is asked about a short copy in which what is wrong is still wrong; whether something
fits at all costs next to nothing, and by that a fault further back is looked for.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from jsonschema_rs import Draft202012Validator, ValidationError

from lianfang.intel.patterns import Budget
from lianfang.intel.stix import faults
from lianfang.intel.stix.ids import Json
from lianfang.intel.stix.schemas import documents
from lianfang.kernel.refusal import Refusal
from lianfang.kernel.text import Bilingual

_MOST_NODES = 2_000
"""Values in a copy that the library is asked to complain about."""
_CUTS = (_MOST_NODES, 20, 2)
"""Lengths to which lists are cut, the longest first; most objects are as short as that and are copied whole."""
_COPIED = 100
"""Values that are copied in the time of one complaint."""
_TOO_MANY = Bilingual(
    zh="不符合STIX 2.1綱要。這一批不符合之處太多，這裡不再指出位置；請先修正其他物件，或分批再送。",
    en="Does not fit the STIX 2.1 schema. So much in this submission does not that it is no longer said where; mend"
    " the other objects first, or send fewer at a time.",
)
_TOO_LARGE = Bilingual(
    zh="不符合STIX 2.1綱要；物件太大，無法指出更細的位置。",
    en="Does not fit the STIX 2.1 schema; the object is too large to say more exactly where.",
)


class Unfit(Refusal):
    """An object does not fit its schema; `explained` says where."""

    def __init__(self, value: Json, schema: Draft202012Validator, *, within: str = "") -> None:
        super().__init__(_TOO_LARGE, rule="stix-schema", clause=_clause(value), field=within)
        self.value = value
        self.schema = schema

    def explained(self, budget: Budget) -> Refusal:
        """Return the refusal that names the fault, as far as the submission can afford to be told."""
        if budget.complaints < 0:
            return self._bare("", _TOO_MANY)
        brief, name, skipped = _brief(self.value, budget), "", 0
        if brief is not None and self.schema.is_valid(brief):
            name, skipped, brief = _further_back(self.value, brief, self.schema, budget)
        if brief is None:
            return self._bare(f"{name}.[{skipped}]" if skipped else name, _TOO_LARGE)
        complaints = list(self.schema.iter_errors(brief))
        budget.complaints -= sum(map(_cost, complaints))
        told = faults.refusal_of(self.value, complaints, longer=name, skipped=skipped)
        return Refusal(told.reason, rule=told.rule, clause=told.clause, field=self._inside(told.field))

    def _bare(self, field: str, reason: Bilingual) -> Refusal:
        return Refusal(reason, rule="stix-schema", clause=_clause(self.value, field), field=self._inside(field))

    def _inside(self, field: str) -> str:
        return ".".join(part for part in (self.field, field) if part)[:250]


def _clause(value: Json, field: str = "") -> str:
    return f"STIX 2.1 §{faults.section(value['type'], field.partition('.')[0])}"


def _cost(complaint: ValidationError) -> int:
    """A complaint about alternatives brings along what is wrong by each of them, one about names all the names."""
    kind: Any = complaint.kind
    return 1 + sum(map(len, getattr(kind, "context", ()))) + len(getattr(kind, "unexpected", ()))


class _TooLong(Exception):
    """A copy has more than _MOST_NODES values."""


def _brief(value: Any, budget: Budget) -> Any:
    """Return a copy that is short enough to complain about, or None where there is none.

    What is left out is the ends of lists, and names that no schema knows: leaving them out makes nothing wrong that was
    right, and what is left keeps its place.
    """
    for longest in _CUTS:
        room = [_MOST_NODES]
        try:
            return _cut(value, longest, room)
        except _TooLong:
            continue
        finally:
            budget.complaints -= (_MOST_NODES - room[0]) // _COPIED
    return None


def _cut(node: Any, longest: int, room: list[int]) -> Any:
    room[0] -= 1
    if room[0] < 0:
        raise _TooLong
    if type(node) is list:
        return [_cut(child, longest, room) for child in node[:longest]]
    if type(node) is dict:
        known, made, others = _known(), {}, 0
        for name, child in node.items():
            if name not in known:
                others += 1
                if others > longest:
                    continue
            made[name] = _cut(child, longest, room)
        return made
    return node


@lru_cache(maxsize=1)
def _known() -> frozenset[str]:
    """Every name that a schema gives to a property or requires: a copy keeps these, since others may hang on them."""
    names: set[str] = set()
    pending: list[Any] = list(documents().values())
    while pending:
        node = pending.pop()
        if isinstance(node, dict):
            if isinstance(given := node.get("properties"), dict):
                names |= given.keys()
            if isinstance(required := node.get("required"), list):
                names.update(required)
            pending.extend(node.values())
        elif isinstance(node, list):
            pending.extend(node)
    return frozenset(names)


def _further_back(
    value: Json, brief: Json, schema: Draft202012Validator, budget: Budget
) -> tuple[str, int, Json | None]:
    """Return (property, elements skipped, copy in which what is wrong shows) of an object whose copy is right.

    The property is empty where no single one is at fault, the copy None where it would be too long.
    """

    def fits(name: str, part: Any) -> bool:
        budget.complaints -= 1
        return schema.is_valid(brief | {name: part})

    for name in (name for name in value if name in _known()):
        whole = value[name]
        if budget.complaints < 0 or brief[name] == whole or fits(name, whole):
            continue
        if not isinstance(whole, list):
            return name, 0, None
        first, end = 0, len(whole)
        while end - first > _CUTS[-1]:
            middle = (first + end) // 2
            first, end = (middle, end) if fits(name, whole[first:middle]) else (first, middle)
        found = _brief(brief | {name: whole[first:end]}, budget)
        return name, first, None if found is None or schema.is_valid(found) else found
    return "", 0, None
