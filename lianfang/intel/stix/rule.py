"""A rule of the standard as data: what wakes it, what it looks for, and what an object is told that breaks it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from lianfang.intel.stix.ids import Json
from lianfang.kernel.refusal import Refusal
from lianfang.kernel.text import Bilingual

SECTIONS = {
    "attack-pattern": "4.1", "campaign": "4.2", "course-of-action": "4.3", "grouping": "4.4", "identity": "4.5",
    "incident": "4.6", "indicator": "4.7", "infrastructure": "4.8", "intrusion-set": "4.9", "location": "4.10",
    "malware": "4.11", "malware-analysis": "4.12", "note": "4.13", "observed-data": "4.14", "opinion": "4.15",
    "report": "4.16", "threat-actor": "4.17", "tool": "4.18", "vulnerability": "4.19", "relationship": "5.1",
    "sighting": "5.2", "artifact": "6.1", "autonomous-system": "6.2", "directory": "6.3", "domain-name": "6.4",
    "email-addr": "6.5", "email-message": "6.6", "file": "6.7", "ipv4-addr": "6.8", "ipv6-addr": "6.9",
    "mac-addr": "6.10", "mutex": "6.11", "network-traffic": "6.12", "process": "6.13", "software": "6.14",
    "url": "6.15", "user-account": "6.16", "windows-registry-key": "6.17", "x509-certificate": "6.18",
    "language-content": "7.1", "marking-definition": "7.2.1", "extension-definition": "7.3.1",
}  # fmt: skip
"""Where STIX 2.1 (OASIS Standard, 10 June 2021) says what a type is."""
CUSTOM_SECTION = "11.2"


def section_of(kind: object) -> str:
    """Return the section about a type; of one that the standard does not know the one about custom objects."""
    return SECTIONS.get(kind, CUSTOM_SECTION) if isinstance(kind, str) else "3.2"


@dataclass(frozen=True, slots=True)
class Rule:
    """One MUST of the standard.

    `find` returns the property at fault, or None; or the refusal of a part that is an object of its own.
    """

    id: str
    section: str
    """Empty: that of the object's type."""
    find: Callable[[Json], str | Refusal | None]
    zh: str
    en: str
    on: tuple[str, ...] = ()
    """Properties that wake it: it is asked when one of them is there. Empty = always."""
    types: frozenset[str] = frozenset()
    """Types it is about; empty = all."""

    def refusal(self, value: Json) -> Refusal | None:
        """Return what an object is told that breaks the rule, or None."""
        where = self.find(value)
        return None if where is None else self.refused(where, value)

    def refused(self, where: str | Refusal, value: Json) -> Refusal:
        """Return what an object is told that breaks the rule at this property."""
        if isinstance(where, Refusal):
            return where
        return Refusal(
            Bilingual(zh=self.zh, en=self.en),
            rule=f"stix-{self.id}",
            clause=f"STIX 2.1 §{self.section or section_of(value.get('type'))}",
            field=where[:250],
        )


class Plan:
    """Which rules a type's objects are asked: those that always speak, and those that their properties wake.

    Nearly all objects of a type have the same few sets of properties, so the rules for each set are put together once.
    """

    __slots__ = ("_always", "_bits", "_made", "_rules")

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._rules = tuple(rules)
        self._always = 0
        self._bits: dict[str, int] = {}
        self._made: dict[int, tuple[Rule, ...]] = {}
        for place, rule in enumerate(self._rules):
            if not rule.on:
                self._always |= 1 << place
            for name in rule.on:
                self._bits[name] = self._bits.get(name, 0) | 1 << place

    def refusal(self, value: Json) -> Refusal | None:
        """Return the refusal of the first rule that the object breaks."""
        woken, bits = self._always, self._bits
        for name in value:
            if name in bits:
                woken |= bits[name]
        rules = self._made.get(woken)
        if rules is None:
            rules = tuple(rule for place, rule in enumerate(self._rules) if woken >> place & 1)
            self._made[woken] = rules
        for rule in rules:
            where = rule.find(value)
            if where is not None:
                return rule.refused(where, value)
        return None


def planner(rules: tuple[Rule, ...]) -> Callable[[str], Plan]:
    """Return the plans of these rules: one for each type of the standard, and one for all that it does not know, of
    which a member can name as many as he likes."""
    other = Plan(rule for rule in rules if not rule.types)
    plans = {kind: Plan(rule for rule in rules if not rule.types or kind in rule.types) for kind in SECTIONS}
    return lambda kind: plans.get(kind, other)
