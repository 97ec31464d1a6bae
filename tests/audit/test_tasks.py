"""The ledger's jobs, and the failpoint inside the sequencer."""

from __future__ import annotations

import multiprocessing
import os
import signal
from pathlib import Path

import pytest
from django.db import connections

from lianfang.audit import failpoints, tasks
from lianfang.audit.failpoints import NAMES, failpoint
from lianfang.audit.models import Checkpoint, Leaf
from lianfang.audit.sequencer import Horizon, number
from lianfang.audit.verify import verify
from tests.audit.deeds import deed


@pytest.mark.django_db
def test_jobs_number_and_sign() -> None:
    deed(1)
    tasks.number(0)
    assert Leaf.objects.count() == 1
    tasks.checkpoint(0)
    tasks.checkpoint(0)
    tasks.batch_receipts(0)
    assert Checkpoint.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_sequencer_killed_before_its_commit_leaves_the_tree_whole(tmp_path: Path) -> None:
    for index in range(5):
        deed(index)

    def run() -> None:
        os.environ |= {"LIANFANG_FAILPOINT": "audit.after-leaves", "LIANFANG_FAILPOINT_DIR": str(tmp_path)}
        number(wait=True, horizon=Horizon())

    connections.close_all()
    process = multiprocessing.get_context("fork").Process(target=run)
    process.start()
    process.join(30)
    assert process.exitcode == -signal.SIGKILL
    assert Leaf.objects.count() == 0
    assert number(wait=True, horizon=Horizon()) == 5
    assert verify().ok


def test_failpoints_are_named_sorted_and_asleep() -> None:
    assert list(NAMES) == sorted(NAMES)
    for name in NAMES:
        failpoint(name)
    with pytest.raises(KeyError):
        failpoint("nowhere")


def test_a_failpoint_kills_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    killed: list[int] = []
    monkeypatch.setattr(failpoints.os, "kill", lambda pid, number: killed.append(number))
    monkeypatch.setenv("LIANFANG_FAILPOINT", "outbox.after-claim")
    monkeypatch.setenv("LIANFANG_FAILPOINT_DIR", str(tmp_path))
    failpoint("outbox.after-data")
    assert killed == []
    failpoint("outbox.after-claim")
    failpoint("outbox.after-claim")
    assert killed == [signal.SIGKILL]
