"""What it costs to judge one object: the whole check, and beside it the schema and the rules alone.

    python -m bench.stix

In process, on one processor: 1,000 plain indicators, and the two threat reports that come with the validator of OASIS.
The rules of our own have 30 us an object to spend, the schema and the pattern not counted.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import stix2validator

from bench import corpus
from lianfang.intel import stix
from lianfang.intel.patterns import Budget
from lianfang.intel.stix import common, schemas

ROUNDS = 9
BUDGET_US = 30


def fastest(look: Callable[[dict[str, Any]], object], objects: list[dict[str, Any]]) -> float:
    """Microseconds an object, the best of several rounds."""
    best = float("inf")
    for _ in range(ROUNDS):
        started = time.perf_counter()
        for one in objects:
            look(one)
        best = min(best, time.perf_counter() - started)
    return best / len(objects) * 1e6


def rules(value: dict[str, Any]) -> None:
    """Everything that is asked but the schema and the pattern."""
    for rule in common.FIRST:
        rule.find(value)
    stix.before(value["type"]).refusal(value)
    stix.after(value["type"]).refusal(value)


def schema(value: dict[str, Any]) -> None:
    """The schema alone."""
    schemas.validators()[schemas.schema_for(value)].is_valid(value)


def main() -> int:
    """Print one line a set; 1 when the rules cost more than they may."""
    reports = Path(stix2validator.__file__).parent / "schemas-2.1" / "examples" / "threat-reports"
    plain = [one for one in corpus.objects(4000) if one["type"] == "indicator"][:1000]
    sets = {"1,000 indicators": plain}
    sets |= {name: json.loads((reports / f"{name}.json").read_text())["objects"] for name in ("apt1", "poisonivy")}
    budget, met = Budget(10**9), True
    for name, objects in sets.items():
        whole, alone, beside = (fastest(look, objects) for look in (partial(stix.check, budget=budget), rules, schema))
        met = met and alone <= BUDGET_US
        print(f"{name}: check {whole:.1f} us an object, of which rules {alone:.1f}, schema {beside:.1f}")
    return 0 if met else 1


if __name__ == "__main__":
    raise SystemExit(main())
