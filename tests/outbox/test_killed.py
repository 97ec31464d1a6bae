"""A sender killed at any instant: nothing lost, nothing twice, and what nobody can know is said to be unknown."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections import Counter
from datetime import timedelta
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, connections, transaction
from django.test import override_settings
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob

from lianfang.kernel.clock import utcnow
from lianfang.outbox import sender, tasks
from lianfang.outbox.actions import LEASE
from lianfang.outbox.models import Delivery
from tests.outbox.conftest import Folder
from tests.outbox.mails import queue

pytestmark = pytest.mark.django_db(transaction=True)
MAILS = 60


def start(folder: Folder, **environment: str) -> BaseProcess:
    """Drain in a process of its own, with a connection of its own."""

    def drain() -> None:
        os.environ.update(environment)
        sender.drain(clock=utcnow)

    connections.close_all()
    with override_settings(MAIL_HOST="127.0.0.1", MAIL_PORT=folder.port):
        process = multiprocessing.get_context("fork").Process(target=drain)
        process.start()
    return process


def states() -> Counter[str]:
    return Counter(Delivery.objects.values_list("state", flat=True))


def arrived(folder: Folder) -> Counter[str]:
    return Counter(str(mail["Message-ID"]) for mail in folder.mails())


def test_killed_in_the_middle_again_and_again(folder_server: Folder) -> None:
    at = utcnow()
    ids = {queue(number, at=at).message_id for number in range(MAILS)}
    kills = 0
    while states()["queued"] and kills < 10:
        sent = states()["sent"]
        process = start(folder_server)
        deadline = time.monotonic() + 60
        while states()["sent"] < min(sent + 12, MAILS) and time.monotonic() < deadline and process.is_alive():
            time.sleep(0.005)
        process.kill()
        process.join(20)
        kills += 1
    assert kills >= 3
    start(folder_server).join(60)
    lost, due = sender.sweep(at=utcnow() + LEASE + timedelta(seconds=1))
    found = states()
    assert not due
    assert lost == found["unknown"] <= kills
    assert found["sent"] + found["unknown"] == MAILS
    took = arrived(folder_server)
    assert set(took) <= ids
    assert max(took.values()) == 1, "a mail was sent twice"
    sent_ids = {one.message_id for one in Delivery.objects.filter(state="sent")}
    assert sent_ids <= set(took), "a mail that is called sent never arrived"
    assert len(took) >= found["sent"]


@pytest.mark.parametrize(("place", "took"), [("outbox.after-claim", 0), ("outbox.after-data", 1)])
def test_killed_at_a_failpoint(folder_server: Folder, tmp_path: Path, place: str, took: int) -> None:
    queue(1, at=utcnow())
    environment = {"LIANFANG_FAILPOINT": place, "LIANFANG_FAILPOINT_DIR": str(tmp_path)}
    process = start(folder_server, **environment)
    process.join(60)
    assert process.exitcode == -signal.SIGKILL
    assert states() == {"sending": 1}
    assert len(folder_server.mails()) == took
    # Nobody may send it again by himself: it could be the second copy.
    process = start(folder_server, **environment)
    process.join(60)
    assert process.exitcode == 0
    assert states() == {"sending": 1}
    sender.sweep(at=utcnow() + LEASE + timedelta(seconds=1))
    assert states() == {"unknown": 1}


def jobs() -> list[tuple[str, str]]:
    return list(ProcrastinateJob.objects.order_by("id").values_list("task_name", "status"))


def run_worker() -> None:
    """Run what is due, as `manage.py procrastinate worker` does."""
    worker = app.with_connector(app.connector.get_worker_connector())
    worker.run_worker(wait=False, install_signal_handlers=False, listen_notify=False)


def test_a_queued_mail_wakes_the_worker_once() -> None:
    queue(1)
    queue(2)
    assert jobs() == [("outbox.drain", "todo")]


def test_a_mail_of_a_rolled_back_action_never_was() -> None:
    with transaction.atomic():
        queue(1)
        transaction.set_rollback(True)
    assert jobs() == []
    assert Delivery.objects.count() == 0


def test_the_worker_drains_and_a_lost_hint_is_found_by_the_sweep(folder_server: Folder, settings: Any) -> None:
    settings.MAIL_HOST, settings.MAIL_PORT = "127.0.0.1", folder_server.port
    queue(1, at=utcnow())
    from django.db import connection

    assert ProcrastinateJob.objects.count() == 1
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM procrastinate_jobs")
    tasks.sweep(0)
    assert jobs() == [("outbox.drain", "todo")]
    run_worker()
    assert states() == {"sent": 1}
    assert len(folder_server.mails()) == 1


def test_one_that_waits_already_keeps_no_other_job_from_being_revived() -> None:
    tasks.drain.configure(queueing_lock="outbox.drain").defer()
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - interval '1 hour') RETURNING id"
        )
        (worker,) = cursor.fetchone()
        cursor.execute("UPDATE procrastinate_jobs SET status = 'doing', worker_id = %s", [worker])
    # What the dead worker was at is asked for again meanwhile; and it had been at something else, too.
    tasks.drain.configure(queueing_lock="outbox.drain", schedule_in={"hours": 1}).defer()
    tasks.sweep.defer(timestamp=0)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE procrastinate_jobs SET status = 'doing', worker_id = %s WHERE task_name = 'outbox.sweep'", [worker]
        )
    tasks.revive_stalled.defer(timestamp=0)
    for _ in range(2):
        run_worker()
    left = ProcrastinateJob.objects.exclude(status="succeeded").values_list("task_name", "status")
    assert list(left) == [("outbox.drain", "todo")]
    done = ProcrastinateJob.objects.filter(status="succeeded").values_list("task_name", flat=True)
    assert "outbox.sweep" in done


def test_a_job_of_a_dead_worker_runs_again(folder_server: Folder, settings: Any) -> None:
    settings.MAIL_HOST, settings.MAIL_PORT = "127.0.0.1", folder_server.port
    queue(1, at=utcnow())
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - interval '1 hour') RETURNING id"
        )
        (worker,) = cursor.fetchone()
        cursor.execute("UPDATE procrastinate_jobs SET status = 'doing', worker_id = %s", [worker])
    tasks.revive_stalled.defer(timestamp=0)
    for _ in range(2):
        run_worker()
    assert states() == {"sent": 1}
