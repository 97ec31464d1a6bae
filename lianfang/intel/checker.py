"""Whether STIX would be taken, before it is sent: the same decoder and the same rules as intake, and what the standard
recommends besides. Needs no database and keeps nothing.

What depends on what a source sent before (versions, duplicates, labels) is not known here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson

from lianfang.intel import decode, stix
from lianfang.intel.stix.advice import Advice, advice
from lianfang.intel.stix.batch import SAME, Versions
from lianfang.kernel.refusal import Refusal
from lianfang.kernel.text import Bilingual

GOOD, REFUSED, DUPLICATE = "good", "refused", "duplicate"
_LONGEST_TITLE = 120


@dataclass(slots=True)
class Checked:
    """One object: whether it would be taken, why not, and what it could do better."""

    place: int
    id: str
    type: str
    name: str
    outcome: str
    refusal: Refusal | None = None
    advice: list[Advice] = field(default_factory=list)


@dataclass(slots=True)
class Report:
    """What became of a whole file."""

    objects: list[Checked] = field(default_factory=list)
    advice: list[Advice] = field(default_factory=list)
    """About the file, not about one of its objects."""

    @property
    def ok(self) -> bool:
        """Whether every object would be taken."""
        return all(each.outcome != REFUSED for each in self.objects)

    def count(self, outcome: str) -> int:
        """Return how many objects came to this."""
        return sum(1 for each in self.objects if each.outcome == outcome)

    @property
    def warnings(self) -> int:
        """How much could be better."""
        return len(self.advice) + sum(len(each.advice) for each in self.objects)

    def as_json(self) -> dict[str, Any]:
        """Return it for machines."""
        return {
            "ok": self.ok,
            "counts": {outcome: self.count(outcome) for outcome in (GOOD, REFUSED, DUPLICATE)},
            "warnings": [_told(one) for one in self.advice],
            "objects": [
                {
                    "place": each.place,
                    "id": each.id,
                    "type": each.type,
                    "outcome": each.outcome,
                    "error": _told(each.refusal) if each.refusal is not None else None,
                    "warnings": [_told(one) for one in each.advice],
                }
                for each in self.objects
            ],
        }


def check(body: bytes) -> Report:
    """Look at a bundle, an envelope or one object.

    Raises Refusal when the body as a whole cannot be read.
    """
    report = Report()
    budget = stix.Budget()
    versions = Versions()
    uuids: dict[str, str] = {}
    for place, raw in enumerate(_objects(body, report)):
        value: dict[str, Any] = {}
        try:
            value, digest = decode.read(raw)
            stix.check(value, budget=budget)
            outcome = versions.add(
                stix_id=value["id"],
                modified=stix.version_of(value)[0],
                digest=digest,
                created=stix.instant(value.get("created")),
                creator=value.get("created_by_ref", ""),
                revoked=value.get("revoked") is True,
            )
        except Refusal as refusal:
            report.objects.append(_checked(place, value, REFUSED, refusal))
            continue
        each = _checked(place, value, DUPLICATE if outcome == SAME else GOOD)
        if outcome == SAME:
            each.advice.append(_TWICE)
        else:
            each.advice.extend(advice(value))
            if uuids.setdefault(each.id.rpartition("--")[2], each.type) != each.type:
                each.advice.append(_SHARED_UUID)
        report.objects.append(each)
    return report


def lines(report: Report) -> Iterator[str]:
    """Yield the report as text: one line an object, what is wrong and what could be better below it."""
    for one in report.advice:
        yield f"warning  file: {_line(one)}"
    for each in report.objects:
        yield f"{each.outcome:9}[{each.place}] {each.id or each.type or 'no id'}"
        if each.refusal is not None:
            yield f"    error    {_line(each.refusal)}"
        for one in each.advice:
            yield f"    warning  {_line(one)}"
    refused = report.count(REFUSED)
    yield f"{len(report.objects)} objects: {len(report.objects) - refused} would be taken, {refused} refused; " + (
        f"{report.warnings} warnings"
    )


def _line(one: Advice | Refusal) -> str:
    where = f"{one.field}: " if one.field else ""
    return f"{where}{one.reason.en} [{one.rule}, {one.clause}]"


def _objects(body: bytes, report: Report) -> list[bytes]:
    try:
        objects = decode.split(body)
    except Refusal as refusal:
        # Observed data of the old form has something called `objects`, too.
        if refusal.rule not in ("json-single", "json-no-objects") or not _is_one(body):
            raise
        return [body]
    head = {name: member for name, member in orjson.loads(body).items() if name != "objects"}
    report.advice += [one for one in _BUNDLE if head.get("type") is not None and one.field in _wrong_in(head)]
    return objects


def _is_one(body: bytes) -> bool:
    """Whether this is one object, of whatever type it says."""
    try:
        return bool(orjson.loads(body).get("type", "bundle") != "bundle")
    except (ValueError, AttributeError):
        return False


def _wrong_in(head: dict[str, Any]) -> set[str]:
    """Return what is wrong with a bundle itself. Intake does not look: it keeps the objects alone."""
    stix_id = head.get("id")
    named = isinstance(stix_id, str) and stix.type_of(stix_id) == "bundle"
    return (
        ({"type"} if head["type"] != "bundle" else set())
        | (set() if named else {"id"})
        | ({"spec_version"} if "spec_version" in head else set())
    )


def _checked(place: int, value: dict[str, Any], outcome: str, refusal: Refusal | None = None) -> Checked:
    def text(name: str, longest: int = 300) -> str:
        said = value.get(name)
        return said[:longest].replace("\0", "") if isinstance(said, str) else ""

    names = ("name", "value", "abstract", "opinion", "relationship_type", "pattern")
    title = next(filter(None, (text(name, _LONGEST_TITLE) for name in names)), "")
    return Checked(place, text("id"), text("type"), title, outcome, refusal)


def _told(one: Advice | Refusal) -> dict[str, Any]:
    return {
        "rule": one.rule,
        "property": one.field,
        "section": one.clause,
        "reason": {"zh": one.reason.zh, "en": one.reason.en},
    }


_TWICE = Advice(
    "should-once",
    "STIX 2.1 §3.6",
    "id",
    Bilingual(zh="同一檔案裡重複出現，只會收下一次。", en="It stands in the file before; it is taken once."),
)
_SHARED_UUID = Advice(
    "should-unique",
    "STIX 2.1 §2.9",
    "id",
    Bilingual(
        zh="同一檔案裡有不同型別的物件用了同一個UUID。", en="An object of another type in the file has the same UUID."
    ),
)
_BUNDLE = tuple(
    Advice("should-bundle", "STIX 2.1 §8.1", where, Bilingual(zh=zh, en=en))
    for where, zh, en in (
        ("type", "裝著物件的是bundle，type必須是bundle。", "What holds objects is a bundle, and its `type` is bundle."),
        ("id", "bundle要有id，寫成「bundle--UUID」。", "A bundle has an `id`, written bundle--UUID."),
        (
            "spec_version",
            "STIX 2.1的bundle沒有spec_version；版本寫在每個物件上。",
            "A bundle of STIX 2.1 has no `spec_version`; each object tells its own.",
        ),
    )
)
