"""Two databases that begin as one: copies of the same world, entered one after the other by this process."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from django.db import connection, connections

from lianfang.accounts import actions as accounts
from lianfang.accounts.models import Token
from lianfang.embedded import DATABASE
from lianfang.policy.facts import Right
from tests import database
from tests.exchange.stage import forget, share_with_all
from tests.secrecy.given import SCHEMA, Given, given
from tests.world import READING, Actor, World, build

BEGIN = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)
RIGHTS = READING | {Right.RECALL}


_BEGINNING = "twins_beginning"


@dataclass
class Beginning:
    """What both worlds begin as: a database that is only ever copied, and who is in it."""

    world: World
    tokens: dict[str, tuple[Token, str]]


class Twins:
    """The common beginning, and copies of it by name."""

    def __init__(self, clock: Given, beginning: Beginning) -> None:
        self.given = clock
        self._beginning = beginning
        self._made: list[str] = []

    @property
    def world(self) -> World:
        """The cast, fresh: nobody's one-time codes are used up."""
        return copy.deepcopy(self._beginning.world)

    @property
    def tokens(self) -> dict[str, tuple[Token, str]]:
        """Keys of members' machines with their secrets, by the member's name."""
        return self._beginning.tokens

    def make(self, name: str) -> None:
        """Make one more copy of the beginning, in place of an older one of this name."""
        connections.close_all()
        _copy(_BEGINNING, name)
        if name not in self._made:
            self._made.append(name)

    def enter(self, name: str) -> None:
        """Let Django speak to this copy, and forget what this process remembers of another."""
        connections.close_all()
        connection.settings_dict["NAME"] = name
        forget()
        connection.ensure_connection()

    def leave(self) -> None:
        """Go back to the database of all other tests, and remove all copies."""
        self.enter(DATABASE)
        connections.close_all()
        with database.CLUSTER.connect() as server:
            for name in self._made:
                server.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@contextmanager
def twins(beginning: Beginning) -> Iterator[Twins]:
    """Time and chance given, and copies made as they are asked for; all gone at the end."""
    with given() as clock:
        made = Twins(clock, beginning)
        try:
            yield made
        finally:
            made.leave()


def begin() -> Beginning:
    """Build the common beginning; the database of all other tests is then as migrating left it."""
    forget()
    try:
        with given() as clock:
            world = build()
            world.clock.at = BEGIN - timedelta(hours=1)
            clock.step(at=world.clock.at, who="beginning")
            owners = {"jia": world.jia, "yi": world.yi, "bing": world.bing, "ding": world.ding}
            tokens = {name: _key(world, member.admin) for name, member in owners.items()}
            share_with_all(world, world.jia.admin)
        connections.close_all()
        _copy(DATABASE, _BEGINNING)
        with psycopg.connect(database.CLUSTER.url("postgres", _BEGINNING), autocommit=True) as server:
            server.execute(SCHEMA)
        return Beginning(world, tokens)
    finally:
        connections.close_all()
        database.reset(database.CLUSTER)
        forget()


def _copy(old: str, new: str) -> None:
    with database.CLUSTER.connect() as server:
        server.execute(f"DROP DATABASE IF EXISTS {new} WITH (FORCE)")
        # Whoever is still connected to it, a pool of another test say, would stand in the way.
        server.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [old])
        server.execute(f"CREATE DATABASE {new} TEMPLATE {old}")


def _key(world: World, owner: Actor) -> tuple[Token, str]:
    scope = accounts.Scope(name="SIEM", purpose="偵測", max_tlp="AMBER+STRICT", rights=frozenset(RIGHTS), days=180)
    at = world.clock.tick()
    return accounts.make_token(affiliation=owner.affiliation, scope=scope, by=owner.subject(), at=at)


def fetch(statement: str, *values: Any) -> Any:
    """The first field of the first row of a statement."""
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        row = cursor.fetchone()
    return row[0] if row else None
