"""What passes by itself is a 503 that says when to ask again, at every door, and afterwards all is as it was.

The database is a real one: its locks are held by somebody else, its disk is full, it is killed and started again.
"""

from __future__ import annotations

import errno
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager

import django.db
import psycopg
import pytest
import requests
from django.db import connections
from procrastinate.exceptions import ConnectorException
from psycopg import errors as pg

from lianfang.audit.outages import AWAY, BUSY, FULL, outage
from tests.database import CLUSTER
from tests.exchange.conftest import alliance  # noqa: F401 - a fixture
from tests.exchange.stage import ALL, TAXII, Stage, indicator
from tests.faults.site import browser

OBJECTS = f"/taxii2/alliance/collections/{ALL}/objects/"


# -- which is which --------------------------------------------------------------------------------------------------


def _caused(by: BaseException) -> BaseException:
    """As Django and procrastinate hand on what psycopg raised."""
    try:
        try:
            raise django.db.OperationalError("x") from by
        except django.db.OperationalError as error:
            raise ConnectorException from error
    except ConnectorException as error:
        return error


@pytest.mark.parametrize(("error", "expected"), [
    (pg.LockNotAvailable(), BUSY), (pg.QueryCanceled(), BUSY), (pg.DeadlockDetected(), BUSY),
    (pg.SerializationFailure(), BUSY), (pg.IdleInTransactionSessionTimeout(), BUSY),
    (pg.DiskFull(), FULL), (pg.TooManyConnections(), AWAY), (pg.AdminShutdown(), AWAY), (pg.CrashShutdown(), AWAY),
    (pg.CannotConnectNow(), AWAY), (pg.ReadOnlySqlTransaction(), AWAY), (pg.ConnectionFailure(), AWAY),
    (psycopg.OperationalError("server closed the connection"), AWAY), (psycopg.InterfaceError("closed"), AWAY),
    (OSError(errno.ENOSPC, "no space"), FULL), (OSError(errno.EDQUOT, "quota"), FULL),
    (OSError(errno.EROFS, "read only"), AWAY), (OSError(errno.EIO, "bad disk"), AWAY),
    # Errors of ours, which waiting does not cure.
    (pg.UniqueViolation(), None), (pg.UndefinedTable(), None), (pg.ProgramLimitExceeded(), None),
    (pg.NotNullViolation(), None), (pg.RaiseException(), None), (OSError(errno.ENOENT, "no file"), None),
    (ValueError("x"), None), (None, None),
])  # fmt: skip
def test_an_outage_is_told_from_an_error(error: BaseException | None, expected: object) -> None:
    assert outage(error) is expected
    if error is not None:
        assert outage(_caused(error)) is expected


# -- somebody else holds a lock --------------------------------------------------------------------------------------


@contextmanager
def held(statement: str) -> Iterator[None]:
    """Hold a lock in another session, and let the site wait for it 300 ms instead of five seconds."""
    with psycopg.connect(CLUSTER.url("postgres"), autocommit=True) as admin:
        admin.execute("ALTER ROLE lf_app SET lock_timeout = '300ms'")
        _let_go(admin)
        try:
            with psycopg.connect(CLUSTER.url("postgres")) as other:
                other.execute(statement)
                yield
                other.rollback()
        finally:
            admin.execute("ALTER ROLE lf_app SET lock_timeout = '5s'")
            _let_go(admin)


def _let_go(admin: psycopg.Connection) -> None:
    """Let every connection of the site, and of this process, begin anew."""
    connections.close_all()
    admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'lf_app'")


@pytest.mark.parametrize("language", ["zh-hant", "en"])
def test_a_page_that_waits_too_long_says_when_to_come_back(alliance: Stage, language: str) -> None:  # noqa: F811
    session = browser(alliance.world.client(alliance.world.jia.admin).cookies["session"].value)
    session.cookies.set("language", language)
    with held("LOCK TABLE accounts_affiliation IN ACCESS EXCLUSIVE MODE"):
        began = time.monotonic()
        answer = session.get(f"{alliance.url}/home", timeout=20)
        assert time.monotonic() - began < 3
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == str(BUSY.seconds)
    assert answer.headers["Content-Type"].startswith("text/html")
    assert ("請等5秒" in answer.text) is (language == "zh-hant")
    assert ("Wait 5 seconds" in answer.text) is (language == "en")
    for word in ("Traceback", "Operational", "affiliation", "lock timeout", ".py"):
        assert word not in answer.text
    assert session.get(f"{alliance.url}/home", timeout=20).status_code == 200


@pytest.mark.parametrize("statement", [
    "SELECT * FROM policy_epoch FOR UPDATE", "LOCK TABLE intel_version IN ACCESS EXCLUSIVE MODE",
    "LOCK TABLE audit_entry IN ACCESS EXCLUSIVE MODE", "LOCK TABLE accounts_token IN ACCESS EXCLUSIVE MODE",
])  # fmt: skip
def test_a_machine_that_waits_too_long_is_told_to_send_again(alliance: Stage, statement: str) -> None:  # noqa: F811
    made = indicator(77)
    body = json.dumps({"objects": [made]}).encode()

    def add() -> requests.Response:
        return alliance.jia.ask("POST", OBJECTS, data=body, headers={"Content-Type": TAXII})

    with held(statement):
        answer = add()
    assert answer.status_code == 503, answer.text
    assert int(answer.headers["Retry-After"]) == BUSY.seconds
    said = answer.json()
    assert said["http_status"] == "503"
    assert said["error_id"]
    assert "lock" not in answer.text.lower()
    again = add()
    assert again.status_code == 202, again.text
    assert [one["id"] for one in alliance.yi.objects(f"?match[id]={made['id']}").json()["objects"]] == [made["id"]]
