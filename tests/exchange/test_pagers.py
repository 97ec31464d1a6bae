"""Pagers of three kinds, each while four machines write and commit: none misses what it may see."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from django.db import connections

from tests.exchange.stage import Machine, Stage, indicator, share_with_all

WRITERS, BATCHES, EACH = 4, 10, 5


def by_next(machine: Machine, done: Callable[[], bool]) -> list[str]:
    """A pager that follows `next`, and where there is none asks again from its last date."""
    got: list[str] = []
    query, last = "?limit=7", ""
    while True:
        finished = done()
        answer = machine.objects(query)
        page = answer.json()
        got += [one["id"] for one in page.get("objects", [])]
        last = answer.headers["X-TAXII-Date-Added-Last"]
        if page.get("more"):
            query = f"?limit=7&next={page['next']}" + ("&" + added if (added := _added(query)) else "")
        elif finished:
            return got
        else:
            query = f"?limit=7&added_after={last}"


def _added(query: str) -> str:
    return next((part for part in query[1:].split("&") if part.startswith("added_after")), "")


def by_date(cut: int) -> Callable[[Machine, Callable[[], bool]], list[str]]:
    """A pager that knows nothing but added_after, and keeps so many characters of it."""

    def walk(machine: Machine, done: Callable[[], bool]) -> list[str]:
        got: list[str] = []
        query = "?limit=7"
        while True:
            finished = done()
            answer = machine.objects(query)
            objects = [one["id"] for one in answer.json().get("objects", [])]
            fresh = [number for number in objects if number not in got]
            got += fresh
            if finished and not fresh:
                return got
            last = answer.headers["X-TAXII-Date-Added-Last"]
            # Many objects within a millisecond: whoever truncates must take a page that is larger than they are.
            limit = 7 if cut == 27 else 200
            query = f"?limit={limit}&added_after={last[:cut].rstrip('Z')}Z"

    return walk


def write(machine: Machine, sent: list[str], lock: threading.Lock) -> None:
    try:
        for _ in range(BATCHES):
            objects = [indicator(number) for number in range(EACH)]
            machine.add(*objects)
            with lock:
                sent.extend(one["id"] for one in objects)
    finally:
        connections.close_all()


def test_no_pager_misses_anything_while_four_write(alliance: Stage) -> None:
    share_with_all(alliance.world, alliance.world.ding.admin)
    share_with_all(alliance.world, alliance.world.bing.admin)
    world = alliance.world
    machines = [
        alliance.machine(one) for one in (world.jia.admin, world.bing.admin, world.ding.admin, world.jia.deputy)
    ]
    sent: list[str] = []
    lock = threading.Lock()
    writers = [threading.Thread(target=write, args=(machine, sent, lock)) for machine in machines]
    walks = {"next": by_next, "added_after": by_date(27), "milliseconds": by_date(23)}
    found: dict[str, list[str]] = {}

    def read(name: str) -> None:
        try:
            machine = Machine(alliance.url, alliance.yi.token, alliance.yi.secret)
            found[name] = walks[name](machine, lambda: not any(writer.is_alive() for writer in writers))
        finally:
            connections.close_all()

    readers = [threading.Thread(target=read, args=(name,)) for name in walks]
    for thread in (*writers, *readers):
        thread.start()
    end = time.monotonic() + 80
    for thread in (*writers, *readers):
        thread.join(max(0.0, end - time.monotonic()))
    assert len(sent) == WRITERS * BATCHES * EACH
    for name in walks:
        assert set(sent) <= set(found.get(name, [])), name
    assert len(found["next"]) == len(set(found["next"])), "and nothing twice for who follows next"
