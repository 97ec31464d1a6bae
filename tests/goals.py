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

LINES: list[str] = []
"""Every line of this run, for the summary at its end."""


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
    line = (
        f"goal {counted.name} | count {counted.count} | failures {counted.failures} | seed {counted.seed}"
        f" | seconds {seconds:.0f}" + (f" | {counted.also}" if counted.also else "")
    )
    LINES.append(line)
    if _Capture.manager is None:
        print(line, flush=True)
    else:
        with _Capture.manager.global_and_fixture_disabled():
            print(f"\n{line}", flush=True)
    return line
