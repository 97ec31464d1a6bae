"""The database that tests run on is the one that production runs on: two log-ins, and the lesser one may little."""

from __future__ import annotations

import psycopg
import pytest
from django.db import connection

from tests.database import CLUSTER

pytestmark = pytest.mark.fast


@pytest.mark.django_db
def test_tests_run_as_the_application_which_owns_nothing() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user, rolsuper FROM pg_roles WHERE rolname = current_user")
        assert cursor.fetchone() == ("lf_app", False)
        cursor.execute("SELECT count(*) FROM pg_class WHERE relowner = 'lf_app'::regrole")
        assert cursor.fetchone() == (0,)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE mine (a int)",
        "TRUNCATE web_cache",
        "ALTER TABLE web_cache DISABLE TRIGGER ALL",
        "SET session_replication_role = replica",
        "SET ROLE lf_owner",
        "DROP TABLE web_cache",
    ],
)
def test_the_application_may_not(statement: str) -> None:
    with (
        psycopg.connect(CLUSTER.url("lf_app"), autocommit=True) as own,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        own.execute(statement)


@pytest.mark.django_db
def test_limits_ride_on_the_role() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        assert cursor.fetchone() == ("15s",)
        cursor.execute("SHOW lock_timeout")
        assert cursor.fetchone() == ("5s",)


@pytest.mark.django_db(transaction=True)
def test_real_commits_are_undone_afterwards_first() -> None:
    _leave_a_row()


@pytest.mark.django_db(transaction=True)
def test_real_commits_are_undone_afterwards_second() -> None:
    _leave_a_row()


def _leave_a_row() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM web_cache")
        assert cursor.fetchone() == (0,)
        cursor.execute("INSERT INTO web_cache VALUES ('left', 'behind', now())")


def test_the_network_is_out_of_reach() -> None:
    import socket

    with pytest.raises(RuntimeError, match=r"192\.0\.2\.1"), socket.socket() as out:
        out.connect(("192.0.2.1", 443))
