"""Ten thousand histories of a membership from committed beginnings, each rolled back (`tests.members.life`).

`LIANFANG_HISTORIES` asks for fewer. `test_whole_life.py` plays a few histories with the usual ways in each run.
"""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.goals import goal
from tests.members.life import Life, build

pytestmark = [pytest.mark.long, pytest.mark.django_db(transaction=True), pytest.mark.timeout(7000)]


def test_ten_thousand_histories() -> None:
    asked = int(os.environ.get("LIANFANG_HISTORIES", "10000"))
    stage = Life.stage = build()
    with goal("histories of a membership", seed="derandomized") as counted:
        run_state_machine_as_test(  # type: ignore[no-untyped-call]
            Life,
            settings=settings(
                max_examples=asked, stateful_step_count=18, deadline=None, database=None, derandomize=True,
                suppress_health_check=list(HealthCheck), phases=[Phase.generate, Phase.shrink],
            ),
        )  # fmt: skip
        counted.count = sum(stage.begun.values())
        counted.also = f"{stage.steps} deeds tried, {sum(stage.done.values())} done of {len(stage.done)} kinds"
