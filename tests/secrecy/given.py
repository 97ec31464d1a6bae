"""Time and chance, given by the test: the same step of two worlds has the same instant and draws the same ids.

The product reads two clocks, Python's and the database's, and one source of chance, the operating system's. Here both
clocks stand at the instant of the step (the database's goes on past each line of the log, whose dates must rise), and
chance is a stream that begins anew with each step. So nothing of an answer has to be normalised away: not a time, not
an id, not the value of a form token.
"""

from __future__ import annotations

import hashlib
import os
import random
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from unittest import mock

import django.utils.timezone
from django.apps import apps
from django.db import connection
from django.db.backends.signals import connection_created

from lianfang.kernel import clock

SCHEMA = """
CREATE SCHEMA given;
CREATE FUNCTION given.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE AS $$
    SELECT greatest(
        current_setting('given.now')::timestamptz,
        (SELECT date_added FROM public.intel_logentry ORDER BY date_added DESC LIMIT 1)
    ) + interval '1 microsecond'
$$;
GRANT USAGE ON SCHEMA given TO lf_app;
"""
"""Found before PostgreSQL's own function of this name by whoever has the schema in front of `pg_catalog`."""
_TAKEN_OVER = ("django", "allauth", "lianfang", "tests.secrecy")


class Given:
    """The instant of this step, and its stream of chance."""

    def __init__(self) -> None:
        self.at = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)
        self._key = b""
        self._drawn = 0

    def step(self, *, at: datetime, who: str) -> None:
        """Begin a step: chance depends on the instant and on who acts, and on nothing that happened before."""
        self.at, self._drawn = at, 0
        self._key = hashlib.sha256(f"{at.isoformat()} {who}".encode()).digest()
        self._tell_database()

    def _tell_database(self) -> None:
        if connection.connection is not None:
            _tell(connection, self.at)

    def draw(self, size: int) -> bytes:
        """As `os.urandom`."""
        self._drawn += 1
        return hashlib.shake_256(self._key + self._drawn.to_bytes(8, "big")).digest(size)

    def connected(self, **about: Any) -> None:
        """Let a new connection of Django find the given clock first."""
        with about["connection"].cursor() as cursor:
            cursor.execute("SET search_path = given, pg_catalog, public")
        _tell(about["connection"], self.at)


def _tell(which: Any, at: datetime) -> None:
    with which.cursor() as cursor:
        cursor.execute("SELECT set_config('given.now', %s, false)", [at.isoformat()])


@contextmanager
def given(made: Given | None = None) -> Iterator[Given]:
    """Take over time and chance of this process, until the block ends."""
    made = made or Given()
    now = lambda: made.at  # noqa: E731
    replaced: list[tuple[Callable[..., Any], Callable[..., Any]]] = [
        (clock.utcnow, now),
        (django.utils.timezone.now, now),
        (time.time, lambda: made.at.timestamp()),
    ]
    connection_created.connect(made.connected, dispatch_uid="tests.secrecy.given", weak=False)
    with (
        mock.patch.object(os, "urandom", made.draw),
        mock.patch.object(random, "_urandom", made.draw),
        mock.patch.object(time, "time", replaced[2][1]),
    ):
        held = [(module, name, old) for old, new in replaced for module, name in _holders(old, new)]
        defaults = [(each, old) for old, new in replaced for each in _defaults(old, new)]
        try:
            yield made
        finally:
            for module, name, old in held:
                setattr(module, name, old)
            for each, old in defaults:
                each.default = each._get_default = old
            connection_created.disconnect(dispatch_uid="tests.secrecy.given")


def _holders(old: Callable[..., Any], new: Callable[..., Any]) -> list[tuple[Any, str]]:
    """Put `new` wherever a module of ours, or of what we stand on, has imported `old` by name; return where."""
    found = []
    for name, module in list(sys.modules.items()):
        if name.startswith(_TAKEN_OVER) and module is not None:
            found += [(module, held) for held, value in list(vars(module).items()) if value is old]
    for module, held in found:
        setattr(module, held, new)
    return found


def _defaults(old: Callable[..., Any], new: Callable[..., Any]) -> list[Any]:
    """The same for fields of models whose default it is."""
    found = [each for model in apps.get_models() for each in model._meta.local_fields if each.default is old]
    for each in found:
        each.default = each._get_default = new
    return found
