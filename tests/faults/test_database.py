"""The database restarts under load: 503 with a time, never 500; it heals by itself, nothing lost.

The database is private and set as in production; the web server is the one that `./run` starts.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests
from django.db import connections

from lianfang.embedded import Cluster
from lianfang.exchange.actions import set_profile
from lianfang.intel.models import Version
from lianfang.intel.positions import INDEX
from lianfang.policy import sql
from lianfang.policy.facts import AudienceKind, NameSource
from tests.database import PLACE
from tests.exchange.stage import ALL, TAXII, indicator
from tests.faults.durable import durable, kill, restart
from tests.faults.served import Served, served
from tests.goals import goal
from tests.world import World, build

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(300)]
OBJECTS = f"/taxii2/alliance/collections/{ALL}/objects/"
HEADERS = {"Content-Type": TAXII, "Accept": TAXII}


@dataclass
class Ground:
    """A world in a database of its own, and the web server before it."""

    cluster: Cluster
    world: World
    server: Served
    acknowledged: list[str] = field(default_factory=list)
    statuses: Counter[tuple[str, int]] = field(default_factory=Counter)

    def add(self, made: dict[str, Any] | None = None) -> int:
        """Hand in one object; note it where it was acknowledged."""
        token, secret = self.world.tokens["jia"]
        one = made or indicator(1)
        answer = requests.post(
            self.server.url + OBJECTS,
            data=json.dumps({"objects": [one]}),
            headers=HEADERS,
            auth=(str(token.pk), secret),
            timeout=60,
        )
        self._noted("add", answer)
        if answer.status_code == 202:
            assert answer.json()["failure_count"] == 0
            self.acknowledged.append(one["id"])
        return answer.status_code

    def read(self) -> int:
        """Read as another member's machine."""
        token, secret = self.world.tokens["yi"]
        url = f"{self.server.url}{OBJECTS}?limit=10"
        return self._noted("read", requests.get(url, headers=HEADERS, auth=(str(token.pk), secret), timeout=60))

    def page(self, path: str = "/charter") -> int:
        """Look at a public page."""
        return self._noted("page", requests.get(self.server.url + path, timeout=60))

    def _noted(self, what: str, answer: requests.Response) -> int:
        self.statuses[what, answer.status_code] += 1
        assert answer.status_code in (200, 202, 503), (what, answer.status_code, answer.text[:500])
        if answer.status_code == 503:
            assert int(answer.headers["Retry-After"]) > 0
            for word in ("Traceback", "Operational", "psycopg", "connection", "disk space"):
                assert word not in answer.text
        return answer.status_code

    def until(self, ask: Any, status: int, seconds: float = 60) -> None:
        """Ask until it is answered so: nobody does anything for it."""
        end = time.monotonic() + seconds
        while ask() != status:
            assert time.monotonic() < end, self.server.said()[-3000:]
            time.sleep(0.1)

    def each_once(self) -> None:
        """What was acknowledged is there, in one version."""
        connections.close_all()
        found = Counter(Version.objects.values_list("item__stix_id", flat=True))
        assert set(self.acknowledged) <= set(found)
        assert max(found.values()) == 1


@contextlib.contextmanager
def ground(folder: Path, web: Path, **more: str) -> Iterator[Ground]:
    """Everything on a database below `folder`."""
    INDEX.clear()
    sql.forget()
    with durable(folder) as cluster:
        world = build()
        set_profile(
            by=world.jia.admin.subject(), at=world.clock.tick(), audience=AudienceKind.ALLIANCE,
            name_source=NameSource.EVERYONE, warranted=True,
        )  # fmt: skip
        with served(web, pages=True, DATABASE_URL=cluster.url("lf_app"), **more) as server:
            yield Ground(cluster, world, server)
    INDEX.clear()
    sql.forget()


@pytest.fixture
def below(transactional_db: None, tmp_path: Path) -> Iterator[Path]:
    """A folder through which the database's own user gets."""
    made = PLACE / f"ground-{tmp_path.name}"
    made.mkdir()
    made.chmod(0o711)
    yield made
    shutil.rmtree(made, ignore_errors=True)


def stop(cluster: Cluster) -> None:
    """A restart as an operator asks for it: connections are ended, what is committed is kept."""
    process = cluster.process
    assert process is not None
    process.send_signal(signal.SIGINT)
    process.wait(30)


def start(cluster: Cluster) -> None:
    cluster._drop_stale_pid()
    cluster._launch()


def test_restarts_under_load(below: Path, tmp_path: Path) -> None:
    with ground(below, tmp_path) as here, goal("requests while the database restarts") as counted:
        over, wrong = threading.Event(), []

        def ask(act: Any) -> None:
            try:
                while not over.is_set():
                    act()
            except BaseException as fault:
                wrong.append(fault)
                raise

        asking = [threading.Thread(target=ask, args=(act,)) for act in (here.add, here.add, here.read, here.page)]
        for thread in asking:
            thread.start()
        for turn in range(4):
            time.sleep(1)
            connections.close_all()
            if turn % 2:
                kill(here.cluster)
                time.sleep(0.5)
                restart(here.cluster)
            else:
                stop(here.cluster)
                time.sleep(0.5)
                start(here.cluster)
            for act, status in ((here.add, 202), (here.read, 200), (here.page, 200)):
                here.until(act, status)
        over.set()
        for thread in asking:
            thread.join(60)
        assert not wrong, wrong
        counted.count = sum(here.statuses.values())
        counted.also = str({f"{what} {status}": times for (what, status), times in sorted(here.statuses.items())})
        assert here.statuses["add", 503], "it was never away"
        here.each_once()
        assert "Internal Server Error" not in here.server.said()
