"""One line a goal, said at once and past pytest's capture: name, count, failures, seed, seconds.

    with goal("kills at every failpoint", seed=1) as counted:
        for one in planned:
            kill(one)
            counted.count += 1

A goal that ends by an exception has one failure more, and its line is printed all the same.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

SAID: list[tuple[Goal, float]] = []
"""Every goal of this run with its seconds."""


@dataclass
class Goal:
    """What is counted towards one goal."""

    name: str
    seed: int | str
    count: int = 0
    failures: int = 0
    also: str = ""
    """Further figures, in words."""


class _Capture:
    manager: Any = None


def speak_through(manager: Any) -> None:
    """Let lines pass by pytest's capture manager (None: there is none)."""
    _Capture.manager = manager


@contextmanager
def goal(name: str, *, seed: int | str = "-") -> Iterator[Goal]:
    """Count towards a goal; its line is printed when the block ends."""
    counted, began = Goal(name, seed), time.monotonic()
    try:
        yield counted
    except BaseException:
        counted.failures = counted.failures or 1
        raise
    finally:
        say(counted, seconds=time.monotonic() - began)


def say(counted: Goal, *, seconds: float) -> str:
    """Print the line of a goal, and return it."""
    SAID.append((counted, seconds))
    line = _line(counted, seconds)
    tell(line)
    return line


def tell(line: str) -> None:
    """Print a line at once, past pytest's capture: of what runs for an hour one wants to hear before."""
    if _Capture.manager is None:
        print(line, flush=True)
    else:
        with _Capture.manager.global_and_fixture_disabled():
            print(f"\n{line}", flush=True)


def totals() -> list[str]:
    """One line for each goal that was counted in several parts."""
    found = []
    for name in dict.fromkeys(counted.name for counted, _ in SAID):
        parts = [(counted, seconds) for counted, seconds in SAID if counted.name == name]
        if len(parts) > 1:
            seeds = f"{parts[0][0].seed} to {parts[-1][0].seed}"
            whole = Goal(name, seeds, sum(c.count for c, _ in parts), sum(c.failures for c, _ in parts))
            found.append(_line(whole, sum(seconds for _, seconds in parts)))
    return found


def _line(counted: Goal, seconds: float) -> str:
    return (
        f"goal {counted.name} | count {counted.count} | failures {counted.failures} | seed {counted.seed}"
        f" | seconds {seconds:.0f}" + (f" | {counted.also}" if counted.also else "")
    )
