"""Pagers of four kinds while eight people share, relabel, recall and hold back: none misses what it may see.

A pager knows only `added_after`, or follows `next`, or cuts its dates to milliseconds, or does both as OpenCTI does.
"""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, connections

from lianfang.intel import log
from lianfang.policy.facts import Tlp
from tests.exchange.schedules import KINDS, VIEWS, Account, Cast, Pager, Writer, now, open_embargoes, play
from tests.exchange.stage import Stage, indicator
from tests.goals import goal

ORDINARY, LONG = 20, 300
ROUNDS = 4


@pytest.fixture(scope="module")
def cast(alliance: Stage) -> Cast:
    alliance.jia.add(indicator())  # so that the log has a last date
    return Cast.of(alliance)


def test_nothing_visible_is_missed_and_nothing_hidden_seen(cast: Cast) -> None:
    """Generated schedules: eight people act, pagers look in between, each page is held against the account."""
    wrong = [fault for seed in range(ORDINARY) for fault in play(cast, seed=seed, acts=12)]
    assert not wrong, "\n".join(wrong[:5])


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_pagers_many_schedules(cast: Cast) -> None:
    first = int(os.environ.get("LIANFANG_SEED", "100000"))
    with goal("pagers while eight people share, relabel, hold back and recall", seed=first) as counted:
        wrong: list[str] = []
        for seed in range(first, first + LONG):
            wrong += play(cast, seed=seed, acts=24)
            counted.count += 1
        counted.failures = len(wrong)
        assert not wrong, "\n".join(wrong[:5])


def test_nothing_is_missed_when_eight_commit_at_once(cast: Cast) -> None:
    """Eight transactions stand before the log's lock together and commit in whatever order it falls to them."""
    rng = random.Random(20261124)
    accounts = [Account() for _ in cast.people]
    writers = [
        Writer(owner, owner, actor, account, random.Random(place))
        for place, ((owner, actor), account) in enumerate(zip(cast.people, accounts, strict=True))
    ]
    start = now()
    pagers = [
        Pager(kind, reader, view, 40 if kind in ("milliseconds", "opencti") else 3, start)
        for kind in KINDS
        for reader, view in ((rng.choice(cast.readers), VIEWS[0]), (cast.readers[0], rng.choice(VIEWS[3:])))
    ]
    done = threading.Event()
    readers = [_started(lambda pager=pager: _follow(pager, done)) for pager in pagers]
    try:
        for _ in range(ROUNDS):
            _at_once(writers)
    finally:
        open_embargoes(whole := Account([one for account in accounts for one in account.versions]))
        done.set()
        for reader in readers:
            reader.join(30)
    for pager in pagers:
        assert not whole.shown(pager.view, pager.reader) - pager.got, f"{pager.kind} at {pager.view.alias} missed them"
        tomorrow = datetime.now(UTC) + timedelta(hours=1)
        never = {
            one.key
            for one in whole.versions
            if one.owner != pager.reader.organization and (not one.open_to_all or (one.until and one.until > tomorrow))
        }
        assert not pager.got & never, f"{pager.kind} at {pager.view.alias} saw what was never shown"
        if pager.reader.cap is Tlp.GREEN:
            assert all(one.first_tlp <= Tlp.GREEN for one in whole.versions if one.key in pager.got)


def _at_once(writers: list[Writer]) -> None:
    """Hold the log's lock until everybody waits for it within a transaction of his own, then let go."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [log._LOCK])
        acting = [_started(writer.act) for writer in writers]
        end = time.monotonic() + 3
        while time.monotonic() < end and sum(one.is_alive() for one in acting) > _waiting():
            time.sleep(0.01)
        cursor.execute("SELECT pg_advisory_unlock(%s)", [log._LOCK])
    for one in acting:
        one.join(30)


def _waiting() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
        return int(cursor.fetchone()[0])


def _follow(pager: Pager, done: threading.Event) -> None:
    """Ask again and again, and after the last commit until nothing new comes."""
    while True:
        finished = done.is_set()
        pager.step()
        if finished and pager.quiet:
            return


def _started(deed: Callable[[], object]) -> threading.Thread:
    def work() -> None:
        try:
            deed()
        finally:
            connections.close_all()

    thread = threading.Thread(target=work)
    thread.start()
    return thread
