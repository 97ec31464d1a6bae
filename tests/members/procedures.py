"""Random changes to a procedure as an editor makes them, and answers to whatever it then asks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from lianfang.kernel.refusal import Refusal
from lianfang.members import procedure_edits as edits
from lianfang.members import procedure_rules as rules
from lianfang.members.procedure import Spec, shipped
from tests import world

Change = Callable[[rules.Raw], rules.Raw]

_ZH = st.text("貴組織資安窗口稽核頻率備援計畫說明", min_size=1, max_size=12)
_EN = st.text("abcdefgh ijklmno", min_size=1, max_size=16).filter(str.strip)
PAIRS = st.builds(lambda zh, en: {"zh": zh, "en": en.strip()}, _ZH, _EN)
_PLACE = st.integers(0, 30)
_OPTIONS = st.lists(PAIRS, min_size=1, max_size=4).map(lambda pairs: [("", pair) for pair in pairs])


def _at(items: Any, place: int) -> Any:
    return items[place % len(items)]


@st.composite
def questions(draw: st.DrawFn, kind: str) -> edits.Question:
    """A question of that kind, as typed."""
    return edits.Question(
        label=draw(PAIRS), hint=draw(st.none() | PAIRS), kind=kind, required=draw(st.booleans()),
        options=draw(_OPTIONS), most=draw(st.none() | st.integers(1, 20)),
    )  # fmt: skip


def _add_field(place: int, kind: str, question: edits.Question) -> Change:
    def change(raw: rules.Raw) -> rules.Raw:
        step = _at([one["id"] for one in raw["steps"]], place)
        return edits.add_field(raw, step, question)[0]

    return change


def _set_field(step: int, place: int, question: edits.Question) -> Change:
    def change(raw: rules.Raw) -> rules.Raw:
        page = _at(raw["steps"], step)
        return edits.set_field(raw, page["id"], _at(page["fields"], place)["name"], question)

    return change


def _with_field(act: Callable[[rules.Raw, str, str], rules.Raw], step: int, place: int) -> Change:
    def change(raw: rules.Raw) -> rules.Raw:
        page = _at(raw["steps"], step)
        return act(raw, page["id"], _at(page["fields"], place)["name"])

    return change


def _with_step(act: Callable[[rules.Raw, str], rules.Raw], place: int) -> Change:
    return lambda raw: act(raw, _at(raw["steps"], place)["id"])


def _add_step(title: Any, why: Any, question: edits.Question) -> Change:
    def change(raw: rules.Raw) -> rules.Raw:
        made, name = edits.add_step(raw, title=title, why=[why])
        return edits.add_field(made, name, question)[0]

    return change


@st.composite
def changes(draw: st.DrawFn) -> Change:
    """One act of an editor, at any place."""
    kind = draw(st.sampled_from(rules.KINDS))
    question = draw(questions(kind))
    step, place, by = draw(_PLACE), draw(_PLACE), draw(st.sampled_from([-1, 1]))
    acts: list[Change] = [
        _add_field(step, kind, question),
        _add_field(place, kind, question),
        _set_field(step, place, question),
        _with_field(edits.remove_field, step, place),
        _with_field(lambda raw, page, name: edits.move_field(raw, page, name, by), step, place),
        _with_step(lambda raw, page: edits.move_step(raw, page, by), step),
        _with_step(edits.remove_step, step),
        _add_step(draw(PAIRS), draw(PAIRS), draw(questions(draw(st.sampled_from(rules.KINDS[:-1]))))),
        lambda raw: edits.general(
            raw, title=draw(PAIRS), note=draw(PAIRS), review_days=draw(st.integers(1, 365)),
            correction_days=draw(st.integers(5, 180)), approvers=1,
        ),
    ]  # fmt: skip
    return draw(st.sampled_from(acts))


@st.composite
def specifications(draw: st.DrawFn, base: rules.Raw | None = None, most: int = 12) -> rules.Raw:
    """A specification after a few acts of an editor; what is refused changes nothing, and no fault is left."""
    raw = shipped(1) if base is None else base
    for _turn in range(draw(st.integers(1, most))):
        try:
            made = draw(changes())(raw)
        except Refusal:
            continue
        if not rules.faults(made):
            raw = made
    return raw


_VALUES: dict[str, Any] = {
    "text": "答", "long": "第一行\n第二行", "email": "x@q.example", "phone": "02-0000-0000", "number": "12",
    "date": "2026-11-01", "tick": True,
}  # fmt: skip


def answered(raw: rules.Raw, place: int) -> dict[str, dict[str, Any]]:
    """Everything that the form asks for, answered rightly."""
    known = world.answers(name=f"第{place}示範股份有限公司", place=place, people=f"q{place}.example")
    found: dict[str, dict[str, Any]] = {}
    for step in Spec(raw).steps:
        given = dict(known.get(step.id, {})) if step.id in known else {}
        asked = {field.name for field in step.fields}
        given = {name: value for name, value in given.items() if name in asked or step.id == "roster"}
        for field in step.fields:
            if field.type in ("file", "roster") or field.name in given:
                continue
            options = [one["value"] for one in field.options if "refuse" not in one]
            given[field.name] = options[0] if options else _value(field)
        found[step.id] = given
    return found


def _value(field: Any) -> Any:
    value = _VALUES.get(field.type, "答")
    return (
        value[: int(field.raw.get("max", 99))] if isinstance(value, str) and field.type in ("text", "long") else value
    )
