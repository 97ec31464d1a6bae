"""The steps of `./test`, each under its own time limit; the last line counts them: `N passed, N failed`."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parent.parent
PYTHON = sys.executable


@dataclass(frozen=True)
class Step:
    """A command that passes or fails as one, or a run of pytest whose tests are counted singly."""

    name: str
    command: Sequence[str]
    seconds: int
    pytest: bool = False
    live: bool = False
    """Heard as it goes on, also when others run beside it."""


@dataclass
class Count:
    passed: int = 0
    failed: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)
    running: set[subprocess.Popen[bytes]] = field(default_factory=set)

    def add(self, passed: int, failed: int) -> None:
        self.passed += passed
        self.failed += failed


Lane = Sequence[Step]
"""Steps that follow each other."""


def tool(*words: str) -> list[str]:
    return [PYTHON, "-m", *words]


def pytest(*words: str) -> list[str]:
    return tool("pytest", "-q", "-p", "no:cacheprovider", *words)


STYLE = (
    Step("ruff check", tool("ruff", "check", "."), 60),
    Step("ruff format", tool("ruff", "format", "--check", "."), 60),
    Step("import contracts", [str(Path(PYTHON).parent / "lint-imports")], 120),
)
TYPES = Step("mypy", tool("mypy"), 300)
MIGRATIONS = Step("migrations match the models", [PYTHON, "manage.py", "makemigrations", "--check", "--dry-run"], 60)
# Suites that start whole servers or browsers wait for them much of the time: one after another in a lane of their own,
# beside all other tests, which take what they leave of the processors.
WAITING = ("tests/platform", "tests/story", "tests/browser")
ORDINARY = "not long and not fresh"
# Groups of `./test long NAME`: which of the long tests each takes, by the words of their names and places. Any other
# NAME takes the tests whose name holds it.
LONG = {
    "faults": "faults and not fuzz",
    "fuzz": "fuzz",
    "histories": "histories",
}
SLOWEST = ("--durations=12", "--durations-min=4")


def suites(chosen: str) -> list[Sequence[Lane]]:
    """The steps of a sub-command, where a fault is cheapest to learn first; the lanes of one entry run at once."""
    if chosen == "fast":
        return [[STYLE], [[Step("fast tests", pytest("-n", "2", "-m", "fast", "tests"), 110, pytest=True)]]]
    if chosen == "mutants":
        return [[[Step("mutants of the policy", tool("tests.policy.mutants"), 7200)]]]
    if chosen == "fresh":
        return [[[Step("fresh clone", pytest("-m", "fresh", "tests/platform"), 1200, pytest=True)]]]
    ignored = [f"--ignore={path}" for path in WAITING]
    ordinary = pytest("-n", "2", "--dist", "worksteal", "-m", ORDINARY, *SLOWEST, "tests", *ignored)
    return [
        [[*STYLE, MIGRATIONS], [TYPES]],
        [
            [Step("tests", ordinary, 1800, pytest=True, live=True)],
            [
                Step(path, pytest("-m", ORDINARY, *SLOWEST, path), 900, pytest=True)
                for path in WAITING
                if (ROOT / path).is_dir()
            ],
        ],
    ]


def run_lanes(lanes: Sequence[Lane], count: Count) -> None:
    """Run lanes beside each other, each step of a lane after the one before it."""

    def follow(lane: Lane) -> None:
        for step in lane:
            run(step, count, live=step.live or len(lanes) == 1)

    with ThreadPoolExecutor(len(lanes)) as pool:
        try:
            for done in [pool.submit(follow, lane) for lane in lanes]:
                done.result()
        except BaseException:
            # Ctrl-C reaches this thread alone; what the lanes have started must not outlive it.
            pool.shutdown(wait=False, cancel_futures=True)
            for process in list(count.running):
                _stop(process)
            raise


def run(step: Step, count: Count, *, live: bool = True) -> None:
    """Run one step to its end or its limit, and count it; what it prints appears at once, or together at its end."""
    if live:
        print(f"== {step.name}", flush=True)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="lf-ci-") as folder:
        report, said = Path(folder) / "report.xml", Path(folder) / "said"
        command = [*step.command, f"--junitxml={report}"] if step.pytest else list(step.command)
        with said.open("wb") as output:
            code = _limited(command, step.seconds, None if live else output, count.running)
        counted = _read(report) if step.pytest else None
        words = said.read_text(errors="replace")
    seconds = time.monotonic() - began
    with count.lock:
        if not live:
            print(f"== {step.name}\n{words}", end="", flush=True)
        _count(step, code, counted, count)
        print(f"== {step.name}: {'passed' if code in (0, 5) else 'FAILED'} in {seconds:.0f} s", flush=True)


def _count(step: Step, code: int, counted: tuple[int, int] | None, count: Count) -> None:
    if counted is not None and counted != (0, 0):
        count.add(*counted)
        # A run that broke off (a limit, a crash) has tests that nobody counted.
        if code != 0 and counted[1] == 0:
            count.add(0, 1)
    elif code == 5 and step.pytest:
        print("   no such tests")
    else:
        count.add(int(code == 0), int(code != 0))


def _limited(
    command: Sequence[str], seconds: int, output: IO[bytes] | None, running: set[subprocess.Popen[bytes]]
) -> int:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    if "pytest" not in command:
        # No server is needed for these, but the settings want the names.
        environment |= {
            "DATABASE_URL": "postgresql://lf_app@localhost/none",
            "LIANFANG_SECRET_KEY": "none",
            "LIANFANG_DEMO": "yes",
        }
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=None if output is None else subprocess.STDOUT,
        start_new_session=True,
    )
    running.add(process)
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        print(f"   not done after {seconds} s: stopped", flush=True)
        return 124
    finally:
        # Also on Ctrl-C: whatever the step had started goes with it.
        _stop(process)
        running.discard(process)


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(15)


def _read(report: Path) -> tuple[int, int]:
    """(passed, failed) of a JUnit report; what was skipped or expected to fail counts as neither."""
    try:
        suites_ = ElementTree.parse(report).getroot().iter("testsuite")
        totals = [[int(suite.get(key, 0)) for key in ("tests", "failures", "errors", "skipped")] for suite in suites_]
    except (OSError, ElementTree.ParseError):
        return 0, 0
    tests, failures, errors, skipped = (sum(column) for column in zip(*totals, strict=True)) if totals else (0, 0, 0, 0)
    return max(tests - failures - errors - skipped, 0), failures + errors


def main(words: Sequence[str]) -> int:
    """0 when nothing failed."""
    chosen, rest = (words[0], words[1:]) if words else ("all", [])
    if chosen not in {"all", "fast", "long", "mutants", "fresh"}:
        print("Usage: ./test [fast | long NAME | mutants | fresh]", file=sys.stderr)
        return 2
    count = Count()
    if chosen == "long" and not rest:
        print(f"Groups: {', '.join(LONG)}", flush=True)
        subprocess.run(pytest("-m", "long", "--collect-only", "tests"), cwd=ROOT, timeout=120, check=False)
        entries: list[Sequence[Lane]] = []
    elif chosen == "long":
        entries = [
            [
                [
                    Step(
                        f"long {rest[0]}",
                        pytest("-m", "long", "-k", LONG.get(rest[0], rest[0]), "tests"),
                        7200,
                        pytest=True,
                    )
                ]
            ]
        ]
    else:
        entries = suites(chosen)
    for lanes in entries:
        run_lanes(lanes, count)
    print(f"{count.passed} passed, {count.failed} failed", flush=True)
    return int(count.failed > 0 or (bool(entries) and count.passed == 0))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
