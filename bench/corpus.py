"""Seeded STIX 2.1 objects: the same number and seed give the same bytes.

60 % indicators, 20 % observables, 10 % relationships, 10 % malware, intrusion sets and reports, about 700 bytes each.
Relations refer only to what stands before them. Labels: every 1000th object CLEAR, the others GREEN and AMBER in equal
parts but for `strict`, the share that is AMBER+STRICT.
"""

from __future__ import annotations

import json
import random
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

Json = dict[str, Any]

CLEAR = "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487"
GREEN = "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb"
AMBER = "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421"
STRICT = "marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003"
_OBSERVABLES = uuid.UUID("00abedb4-aa42-466c-9c01-fed23315a9b7")
_WORDS = """
    phish loader beacon stealer update invoice secure portal cdn mail vpn login bank health energy telecom sync cloud
    edge panel gate proxy dropper botnet ransom wiper credential exfil campaign alpha bravo delta echo kilo lima nova
    orion quartz raven sierra tango umbra vector zephyr
""".split()  # noqa: SIM905 - read as words
_BEGIN = datetime(2023, 1, 1, tzinfo=UTC)


def objects(count: int, *, seed: int = 7, strict: float = 0.07) -> Iterator[Json]:
    """Yield that many objects."""
    made = _Maker(random.Random(seed), strict)
    for number in range(count):
        yield made.one(number)


class _Maker:
    def __init__(self, chance: random.Random, strict: float) -> None:
        self.chance = chance
        self.strict = strict
        self.indicators: list[str] = []
        self.threats: list[str] = []

    def one(self, number: int) -> Json:
        kind = self.chance.random()
        if number % 1000 == 0 or not self.indicators:
            return self._indicator(number)
        if kind < 0.60:
            return self._indicator(number)
        if kind < 0.80:
            return self._observable(number)
        if kind < 0.90 and self.threats:
            return self._relationship(number)
        return self._report(number) if kind > 0.97 else self._threat(number)

    def _common(self, number: int, kind: str) -> Json:
        at = (_BEGIN + timedelta(seconds=number * 600)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
        made = str(uuid.UUID(int=self.chance.getrandbits(128), version=4))
        return {
            "type": kind,
            "spec_version": "2.1",
            "id": f"{kind}--{made}",
            "created": at,
            "modified": at,
            "object_marking_refs": [self._label(number)],
        }

    def _label(self, number: int) -> str:
        if number % 1000 == 0:
            return CLEAR
        if self.chance.random() < self.strict:
            return STRICT
        return self.chance.choice((GREEN, AMBER))

    def _words(self, count: int) -> str:
        return " ".join(self.chance.choice(_WORDS) for _ in range(count))

    def _address(self) -> str:
        return ".".join(str(self.chance.randrange(1, 224)) for _ in range(4))

    def _domain(self) -> str:
        return f"{self._words(2).replace(' ', '-')}{self.chance.randrange(10**6)}.example"

    def _indicator(self, number: int) -> Json:
        patterns = (
            f"[ipv4-addr:value = '{self._address()}']",
            f"[domain-name:value = '{self._domain()}']",
            f"[url:value = 'https://{self._domain()}/{self._words(1)}.php']",
            f"[file:hashes.'SHA-256' = '{self.chance.getrandbits(256):064x}']",
        )
        made = self._common(number, "indicator")
        self.indicators.append(made["id"])
        return made | {
            "name": self._words(3),
            "description": self._words(self.chance.randrange(6, 22)),
            "indicator_types": ["malicious-activity"],
            "pattern": self.chance.choice(patterns),
            "pattern_type": "stix",
            "pattern_version": "2.1",
            "valid_from": made["created"],
            "confidence": self.chance.randrange(101),
            "labels": [self.chance.choice(_WORDS)],
            "kill_chain_phases": [
                {"kill_chain_name": "lockheed-martin-cyber-kill-chain", "phase_name": "command-and-control"}
            ],
        }

    def _observable(self, number: int) -> Json:
        kind, value = self.chance.choice((("ipv4-addr", self._address()), ("domain-name", self._domain())))
        named = json.dumps({"value": value}, separators=(",", ":"))
        return {
            "type": kind,
            "spec_version": "2.1",
            "id": f"{kind}--{uuid.uuid5(_OBSERVABLES, named)}",
            "value": value,
            "object_marking_refs": [self._label(number)],
        }

    def _relationship(self, number: int) -> Json:
        return self._common(number, "relationship") | {
            "relationship_type": "indicates",
            "source_ref": self.chance.choice(self.indicators[-5000:]),
            "target_ref": self.chance.choice(self.threats[-500:]),
            "description": self._words(8),
        }

    def _threat(self, number: int) -> Json:
        made = self._common(number, self.chance.choice(("malware", "intrusion-set")))
        self.threats.append(made["id"])
        more: Json = {"is_family": True} if made["type"] == "malware" else {"resource_level": "government"}
        return made | {"name": self._words(2), "description": self._words(40)} | more

    def _report(self, number: int) -> Json:
        made = self._common(number, "report")
        named = [self.chance.choice(self.indicators[-5000:]) for _ in range(self.chance.randrange(3, 12))]
        return made | {
            "name": self._words(5),
            "description": self._words(60),
            "report_types": ["threat-report"],
            "published": made["created"],
            "object_refs": list(dict.fromkeys(named)),
        }
