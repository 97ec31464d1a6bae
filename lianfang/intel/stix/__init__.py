"""STIX 2.1 objects: the OASIS schemas (closed registry, nothing fetched), then the rules that no schema can say.

ids, references     identifiers, times, versions; what an object names
schemas, unfit, faults     the published schemas, mended in memory; where an object does not fit them; that in words
rule                a rule as data
common, marks, domain, targets, observables     the MUST rules by subject
deterministic       ids that follow from content
batch               rules about several objects that come together
advice              what the standard recommends: told afterwards, never refused
"""

from __future__ import annotations

from lianfang.intel.patterns import Budget
from lianfang.intel.patterns import check as check_pattern
from lianfang.intel.stix import common, domain, marks, observables, targets
from lianfang.intel.stix.deterministic import deterministic_id
from lianfang.intel.stix.ids import TIMELESS, Json, instant, is_id, type_of, version_of
from lianfang.intel.stix.marks import resolves
from lianfang.intel.stix.references import CONTAINERS, binding, bound_by, references
from lianfang.intel.stix.rule import Rule, planner
from lianfang.intel.stix.schemas import OBSERVABLES, properties, schema_for, validators
from lianfang.intel.stix.unfit import Unfit

BEFORE = (*common.BEFORE, *marks.BEFORE)
RULES = (*common.RULES, *marks.RULES, *domain.RULES, *targets.RULES, *observables.RULES)
EVERY_RULE: tuple[Rule, ...] = (*common.FIRST, *BEFORE, *RULES)
"""All MUST rules of one object, in the order in which they are asked; the schemas stand between BEFORE and RULES."""

before = planner(BEFORE)
after = planner(RULES)


def check(value: Json, *, budget: Budget) -> None:
    """Raise Refusal naming property, rule and section unless this is a STIX 2.1 object that we keep."""
    for rule in common.FIRST:
        where = rule.find(value)
        if where is not None:
            raise rule.refused(where, value)
    kind = value["type"]
    refusal = before(kind).refusal(value)
    if refusal is not None:
        raise refusal
    schema = validators()[schema_for(value)]
    if not schema.is_valid(value):
        raise Unfit(value, schema).explained(budget)
    refusal = after(kind).refusal(value)
    if refusal is not None:
        raise refusal.explained(budget) if isinstance(refusal, Unfit) else refusal
    if kind == "indicator" and value["pattern_type"] == "stix":
        check_pattern(value["pattern"], budget=budget)


__all__ = [
    "CONTAINERS",
    "EVERY_RULE",
    "OBSERVABLES",
    "TIMELESS",
    "Budget",
    "Json",
    "Rule",
    "binding",
    "bound_by",
    "check",
    "deterministic_id",
    "instant",
    "is_id",
    "properties",
    "references",
    "resolves",
    "schema_for",
    "type_of",
    "version_of",
]
