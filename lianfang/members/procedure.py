"""Reading a procedure's specification: steps, fields, proofs, periods and reasons, as data in two languages."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from lianfang.kernel.canonical import canonical
from lianfang.kernel.ids import digest
from lianfang.kernel.text import Bilingual

SHIPPED = Path(__file__).parent / "procedures"
"""The editions that come with the software, one file each; a migration brings in the first."""

_IN_GROUP = Bilingual(zh="{group}：{label}", en="{group}: {label}")
# Of the first edition, which was published before a question could have a short form.
_SHORT = {
    "willing": Bilingual(zh="參與意願", en="Willingness"),
    "confirmed": Bilingual(zh="陸資確認", en="Mainland capital"),
}

Answers = Mapping[str, Mapping[str, Any]]


def words(pair: Mapping[str, str]) -> Bilingual:
    """Return `{"zh": …, "en": …}` of a specification as a bilingual text."""
    return Bilingual(zh=pair["zh"], en=pair["en"])


def shipped(version: int) -> dict[str, Any]:
    """Return the specification of an edition that comes with the software."""
    spec: dict[str, Any] = json.loads((SHIPPED / f"{version}.json").read_text(encoding="utf-8"))
    return spec


def sha256(spec: Mapping[str, Any]) -> bytes:
    """Return the digest by which an edition is known."""
    return digest(canonical(spec))


@dataclass(frozen=True)
class Field:
    """One question of a step."""

    step: str
    raw: Mapping[str, Any]

    @property
    def name(self) -> str:
        """The name under which the answer is kept."""
        return str(self.raw["name"])

    @property
    def type(self) -> str:
        """text, long, email, phone, number, date, ubn, stock_code, choice, radio, tick, roster or file."""
        return str(self.raw["type"])

    @property
    def label(self) -> Bilingual:
        """The question."""
        return words(self.raw["label"])

    @property
    def hint(self) -> Bilingual | None:
        """A line of help below the question."""
        return words(self.raw["hint"]) if "hint" in self.raw else None

    @property
    def heading(self) -> Bilingual | None:
        """The heading of the group that this question opens."""
        return words(self.raw["group"]) if "group" in self.raw else None

    @property
    def short(self) -> Bilingual:
        """The question in a list of answers: of a long statement only its subject."""
        return words(self.raw["short"]) if "short" in self.raw else _SHORT.get(self.name, self.label)

    @property
    def options(self) -> list[Mapping[str, Any]]:
        """The closed list of answers of a choice."""
        return list(self.raw.get("options", []))

    def option(self, value: str) -> Mapping[str, Any] | None:
        """Return the option of that value."""
        return next((option for option in self.options if option["value"] == value), None)

    def required(self, answers: Answers) -> bool:
        """Return whether it must be answered, given what was answered elsewhere."""
        rule = self.raw.get("required_if")
        if rule is None:
            return bool(self.raw["required"])
        return answers.get(rule["step"], {}).get(rule["field"]) in rule["in"]

    def applies(self, answers: Answers) -> bool:
        """Return whether the question is put at all: one that depends on another answer only if that was given."""
        rule = self.raw.get("required_if")
        return rule is None or rule["step"] == self.step or self.required(answers)


@dataclass(frozen=True)
class Step:
    """One page of the form."""

    raw: Mapping[str, Any]

    @property
    def id(self) -> str:
        """The name of the step in the address of its page."""
        return str(self.raw["id"])

    @property
    def title(self) -> Bilingual:
        """The heading."""
        return words(self.raw["title"])

    @property
    def why(self) -> list[Bilingual]:
        """Why it is asked, for the margin."""
        return [words(line) for line in self.raw["why"]]

    @property
    def distinct(self) -> tuple[str, ...]:
        """Names of fields whose answers must differ from one another."""
        return tuple(self.raw.get("distinct", ()))

    @cached_property
    def fields(self) -> tuple[Field, ...]:
        """The questions in order."""
        return tuple(Field(self.id, raw) for raw in self.raw["fields"])

    def heading_of(self, name: str) -> Bilingual | None:
        """Return the heading of the group in which a question stands."""
        heading = None
        for field in self.fields:
            heading = field.heading or heading
            if field.name == name:
                return heading
        return None

    def named(self, field: Field) -> Bilingual:
        """Return a question with the heading of its group, as it is called away from its page."""
        heading = self.heading_of(field.name)
        if heading is None:
            return field.short
        return _IN_GROUP.format(group=heading, label=field.label)


class Spec:
    """A specification as objects."""

    def __init__(self, raw: Mapping[str, Any]) -> None:
        self.raw = raw
        self.steps = tuple(Step(step) for step in raw["steps"])

    def step(self, name: str) -> Step:
        """Return the step of that name; raises KeyError."""
        for step in self.steps:
            if step.id == name:
                return step
        raise KeyError(name)

    def number(self, name: str) -> int:
        """Return the place of a step, from 1."""
        return [step.id for step in self.steps].index(name) + 1

    def after(self, name: str) -> Step | None:
        """Return the step that follows."""
        return next(iter(self.steps[self.number(name) :]), None)

    def before(self, name: str) -> Step | None:
        """Return the step that comes before."""
        place = self.number(name) - 1
        return self.steps[place - 1] if place else None

    def field(self, step: str, name: str) -> Field:
        """Return one question; raises KeyError."""
        for field in self.step(step).fields:
            if field.name == name:
                return field
        raise KeyError(f"{step}.{name}")

    @property
    def review_days(self) -> int:
        """Days the reviewer has."""
        return int(self.raw["periods"]["review_days"])

    @property
    def correction_days(self) -> int:
        """Days the applicant has for a correction."""
        return int(self.raw["periods"]["correction_days"])

    @property
    def approvers(self) -> int:
        """How many approvers an approval needs."""
        return int(self.raw.get("approvers", 1))

    def reasons(self, kind: str) -> list[Mapping[str, Any]]:
        """Return the coded reasons of `approve` or `reject`."""
        return list(self.raw["reasons"][kind])

    def reason(self, kind: str, value: str) -> Mapping[str, Any] | None:
        """Return one coded reason."""
        return next((reason for reason in self.reasons(kind) if reason["value"] == value), None)

    @property
    def authority_methods(self) -> list[Mapping[str, Any]]:
        """Ways in which the authority to sign may be checked."""
        return list(self.raw["authority_methods"])
