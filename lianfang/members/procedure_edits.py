"""The changes that an editor of a procedure makes: each takes a specification and returns another, or refuses in words.

Pure functions over data; what they return can still have faults (`procedure_rules.faults`), which keep it from being
proposed. What the charter, the law or the machine needs cannot be taken away here at all.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lianfang.kernel.refusal import Refusal
from lianfang.kernel.text import Bilingual
from lianfang.members.procedure_rules import (
    CHOOSING,
    CLOSED_STEPS,
    FIRST,
    LAST,
    PROOFS,
    Raw,
    cannot_go,
    kinds_for,
    model_field,
    model_steps,
    needed,
    takes_questions,
)

Pair = Mapping[str, str]

_NO_STEP = Bilingual(
    zh="這一版沒有這個步驟，可能剛被移除。", en="This draft has no such step; it may have been removed."
)
_NO_FIELD = Bilingual(
    zh="這一版沒有這一題，可能剛被移除。", en="This draft has no such question; it may have been removed."
)
_KEEP_STEP = Bilingual(
    zh="這個步驟不能移除，規章或系統要用到它。", en="This step cannot be removed: the charter or the system needs it."
)
_NOT_EMPTY = Bilingual(zh="請先移除這一步的題目。", en="Remove the questions of this step first.")
_ENDS = Bilingual(
    zh="資格永遠是第一步，檢查並送出永遠是最後一步。", en="Eligibility is always first, check and send always last."
)
_NO_KIND = Bilingual(zh="這一頁沒有這種題目。", en="This page takes no question of this kind.")
_GROUPS = Bilingual(zh="題目不能移到別人那一組。", en="A question cannot move into another person's group.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What an editor types about one question. Of a needed one only words, help and options' words are taken."""

    label: Pair
    hint: Pair | None = None
    kind: str = "text"
    required: bool = False
    when: tuple[str, str, tuple[str, ...]] | None = None
    """Asked only where (step, field) has one of these answers."""
    options: Sequence[tuple[str, Pair]] = ()
    """Value and words; an empty value is a new option."""
    most: int | None = None
    """Most characters of a text, most files of a proof."""
    extra: Mapping[str, Any] = field(default_factory=dict)


def general(raw: Raw, *, title: Pair, note: Pair, review_days: int, correction_days: int, approvers: int) -> Raw:
    """Change what holds for the whole procedure."""
    made = _copy(raw)
    made["title"], made["note"], made["approvers"] = dict(title), dict(note), approvers
    made["periods"] = {**made["periods"], "review_days": review_days, "correction_days": correction_days}
    return made


def add_step(raw: Raw, *, title: Pair, why: Sequence[Pair]) -> tuple[Raw, str]:
    """Add a page before the last one; return the specification and the page's code."""
    made = _copy(raw)
    name = _fresh("p", [step["id"] for step in made["steps"]])
    made["steps"].insert(-1, {"id": name, "title": dict(title), "why": [dict(line) for line in why], "fields": []})
    return made, name


def set_step(raw: Raw, step: str, *, title: Pair, why: Sequence[Pair]) -> Raw:
    """Change the heading of a page and what it says about why it asks."""
    made = _copy(raw)
    found = _step(made, step)
    found["title"], found["why"] = dict(title), [dict(line) for line in why]
    return made


def move_step(raw: Raw, step: str, by: int) -> Raw:
    """Move a page up (-1) or down (+1). Raises Refusal for the first and the last, whose places are fixed."""
    made = _copy(raw)
    _step(made, step)
    ids = [one["id"] for one in made["steps"]]
    place = ids.index(step)
    if step in (FIRST, LAST) or not 0 < place + by < len(ids) - 1:
        raise Refusal(_ENDS, rule="procedure-ends", clause="1.3", field=step)
    made["steps"].insert(place + by, made["steps"].pop(place))
    return made


def remove_step(raw: Raw, step: str) -> Raw:
    """Remove a page of the coordinator's own that holds nothing any more. Raises Refusal."""
    made = _copy(raw)
    found = _step(made, step)
    if step in model_steps():
        raise Refusal(_KEEP_STEP, rule="procedure-needed", clause="1.3", field=step)
    if found["fields"]:
        raise Refusal(_NOT_EMPTY, rule="procedure-step-full", field=step)
    made["steps"].remove(found)
    return made


def add_field(raw: Raw, step: str, given: Question) -> tuple[Raw, str]:
    """Add a question at the end of a page; return the specification and the question's code. Raises Refusal."""
    made = _copy(raw)
    found = _step(made, step)
    if not takes_questions(step):
        raise Refusal(CLOSED_STEPS[step], rule="procedure-closed", clause="1.3", field=step)
    if given.kind not in kinds_for(step):
        raise Refusal(_NO_KIND, rule="procedure-kind", field="kind")
    name = _fresh("x", [one["name"] for one in found["fields"]])
    found["fields"].append(_own(name, given, {}))
    return made, name


def set_field(raw: Raw, step: str, name: str, given: Question) -> Raw:
    """Change one question; of a needed one only its words and help. Raises Refusal."""
    made = _copy(raw)
    fields = _step(made, step)["fields"]
    place = _place(fields, name)
    old = fields[place]
    if model_field(step, name) is None:
        if given.kind not in kinds_for(step):
            raise Refusal(_NO_KIND, rule="procedure-kind", field="kind")
        fields[place] = _own(name, given, old)
    else:
        fields[place] = _worded(old, given, free=(step, name) == ("organization", "sector"))
        if (step, name) not in needed() and given.when is None and "required_if" not in old:
            fields[place]["required"] = given.required
        if step == PROOFS and given.most:
            fields[place]["max_files"] = given.most
    return made


def move_field(raw: Raw, step: str, name: str, by: int) -> Raw:
    """Move a question up or down within its page and its group. Raises Refusal."""
    made = _copy(raw)
    fields = _step(made, step)["fields"]
    place = _place(fields, name)
    other = place + by
    if not 0 <= other < len(fields):
        return made
    first, second = min(place, other), max(place, other)
    if "group" in fields[second]:
        raise Refusal(_GROUPS, rule="procedure-group", field=name)
    # The heading of a group stands with whichever question is its first.
    heading = fields[first].pop("group", None)
    fields[first], fields[second] = fields[second], fields[first]
    if heading is not None:
        fields[first]["group"] = heading
    return made


def remove_field(raw: Raw, step: str, name: str) -> Raw:
    """Remove a question. Raises Refusal for one that the charter, the law or the machine needs."""
    made = _copy(raw)
    fields = _step(made, step)["fields"]
    place = _place(fields, name)
    need = needed().get((step, name))
    if need is not None:
        raise Refusal(cannot_go(fields[place], need), rule="procedure-needed", clause=need.clause, field=name)
    del fields[place]
    return made


def _own(name: str, given: Question, old: Mapping[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {"name": name, "type": given.kind, "label": dict(given.label)}
    made["required"] = given.required if given.when is None else False
    if given.when is not None:
        step, field_, values = given.when
        made["required_if"] = {"step": step, "field": field_, "in": list(values)}
    if given.hint and any(given.hint.values()):
        made["hint"] = dict(given.hint)
    if given.kind in CHOOSING:
        made["options"] = _options(old.get("options", []), given.options)
    if given.kind == "file":
        made["max_files"] = given.most or 5
    elif given.most and given.kind in ("text", "long"):
        made["max"] = given.most
    if given.kind == "tick":
        made["required"] = True
        made.pop("required_if", None)
    return made


def _worded(old: Mapping[str, Any], given: Question, *, free: bool) -> dict[str, Any]:
    made = {**old, "label": dict(given.label)}
    made.pop("hint", None)
    if given.hint and any(given.hint.values()):
        made["hint"] = dict(given.hint)
    if "options" in old:
        kept = _options(old["options"], given.options)
        known = {one["value"] for one in old["options"]}
        made["options"] = kept if free or {one["value"] for one in kept} == known else old["options"]
    return made


def _options(old: Sequence[Mapping[str, Any]], given: Sequence[tuple[str, Pair]]) -> list[dict[str, Any]]:
    """Known options keep what else they hold (a hint, a refusal); new ones get a code that none had."""
    known = {one["value"]: one for one in old}
    used = list(known) + [value for value, _ in given if value]
    made: list[dict[str, Any]] = []
    for value, words in given:
        code = value or _fresh("o", used)
        used.append(code)
        made.append({**known.get(code, {"value": code}), "label": dict(words)})
    return made


def _fresh(letter: str, taken: Sequence[str]) -> str:
    """Return a code that is not taken, higher than any of its kind: one that was removed does not come back."""
    numbers = [int(one[1:]) for one in taken if one[:1] == letter and one[1:].isdigit()]
    return f"{letter}{max(numbers, default=0) + 1}"


def _copy(raw: Raw) -> dict[str, Any]:
    return copy.deepcopy(dict(raw))


def _step(made: Mapping[str, Any], name: str) -> dict[str, Any]:
    for step in made["steps"]:
        if step["id"] == name:
            found: dict[str, Any] = step
            return found
    raise Refusal(_NO_STEP, rule="procedure-step", field=name)


def _place(fields: Sequence[Mapping[str, Any]], name: str) -> int:
    for place, one in enumerate(fields):
        if one["name"] == name:
            return place
    raise Refusal(_NO_FIELD, rule="procedure-field", field=name)
