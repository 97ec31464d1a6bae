"""What every test stands on: a private PostgreSQL, the application's own log-in, and no way out to the network.

The server's address and the rest of the environment come from `tests.settings`.
"""

from __future__ import annotations

import gc
import os
import shutil
import socket
import sys
import traceback
from collections.abc import Iterator
from typing import Any

import pytest

from lianfang import catalogues
from lianfang.embedded import Unavailable
from tests import database, goals, scored
from tests.database import CLUSTER, PLACE

# The settings find the server of this process by themselves, also in pytest-xdist's workers, which inherit the name.
os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"

# Kernel and policy are plain Python; their tests must run while some app above them cannot be imported.
DJANGO_PROBLEM: list[str] = []


def pytest_configure(config: pytest.Config) -> None:
    import django

    goals.speak_through(config.pluginmanager.getplugin("capturemanager"))

    catalogues.compile_all()
    try:
        django.setup()
    except Exception:
        DJANGO_PROBLEM.append(traceback.format_exc())
        django.setup = lambda set_prefix=True: None  # pytest-django would try again and hide the cause
    else:
        scored.watch()


@pytest.fixture(autouse=True)
def _headers() -> Iterator[None]:
    """No answer that a test got was weakly protected (see tests/scored.py)."""
    yield
    weak = scored.take()
    assert not weak, "\n".join(weak[:20])


@pytest.fixture(scope="session")
def django_db_setup(django_test_environment: None, django_db_blocker: Any) -> Iterator[None]:
    """The server on its snapshot, migrated as `lf_owner`; tests then connect as `lf_app`, so a missing grant fails."""
    if DJANGO_PROBLEM:
        pytest.exit(f"Django does not start:\n{DJANGO_PROBLEM[0]}", returncode=3)
    try:
        database.start(CLUSTER)
    except database.DoesNotMigrate as problem:
        pytest.exit(f"The tree does not migrate:\n{problem}", returncode=3)
    except Unavailable as problem:
        pytest.exit(str(problem), returncode=3)
    _reset_after_real_commits()
    yield
    from django.db import connections

    with django_db_blocker.unblock():
        connections.close_all()
    CLUSTER.stop()


def _reset_after_real_commits() -> None:
    from django.db import connections
    from django.test import TransactionTestCase

    def teardown(self: TransactionTestCase) -> None:
        connections.close_all()
        database.reset(CLUSTER)

    TransactionTestCase._fixture_teardown = teardown  # type: ignore[method-assign]


def pytest_unconfigure() -> None:
    CLUSTER.stop()
    shutil.rmtree(PLACE, ignore_errors=True)


# Without a database or a browser, and quick: these belong into `./test fast` whole.
FAST = ("tests/kernel/", "tests/policy/", "tests/lint/")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        slow = any(item.get_closest_marker(name) for name in ("long", "fresh", "browser"))
        if not slow and str(item.path.relative_to(database.ROOT)).startswith(FAST):
            item.add_marker("fast")


def pytest_collection_finish() -> None:
    """What was imported and collected stays to the end: the collector of garbage need not walk through it again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


def _guard(original: Any) -> Any:
    def connect(self: socket.socket, address: Any) -> Any:
        if self.family in (socket.AF_INET, socket.AF_INET6) and not _loopback(str(address[0])):
            raise RuntimeError(f"a test tried to reach {address[0]}; only this machine itself may be reached")
        return original(self, address)

    return connect


def _loopback(host: str) -> bool:
    return host in {"localhost", "::1"} or host.startswith("127.")


@pytest.fixture(scope="session", autouse=True)
def _no_network() -> Iterator[None]:
    saved = socket.socket.connect, socket.socket.connect_ex
    socket.socket.connect = _guard(saved[0])  # type: ignore[method-assign]
    socket.socket.connect_ex = _guard(saved[1])  # type: ignore[method-assign]
    yield
    socket.socket.connect, socket.socket.connect_ex = saved  # type: ignore[method-assign]


def pytest_terminal_summary(terminalreporter: Any) -> None:
    for line in goals.totals():
        terminalreporter.write_line(line)


def pytest_report_header() -> str:
    if DJANGO_PROBLEM:
        return f"Django does not start: {DJANGO_PROBLEM[0].strip().splitlines()[-1]}"
    return f"PostgreSQL {CLUSTER.binaries.version} below {PLACE}, Python {sys.version.split()[0]}"
