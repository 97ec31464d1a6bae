"""The cast at a real HTTP server, with keys made now, and machines that ask it."""

from __future__ import annotations

import io
import json
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import requests
from django.db import connections
from django.test import override_settings
from pytest_django.live_server_helper import LiveServer
from taxii2client.v21 import ApiRoot, Collection, Server

from config.wsgi import application
from lianfang.accounts import actions as accounts
from lianfang.accounts.models import Token
from lianfang.exchange import keys, moment, reach
from lianfang.exchange.actions import set_profile
from lianfang.exchange.taxii.collections import WRITABLE
from lianfang.exchange.taxii.pages import PAGES
from lianfang.intel.definitions import IDS
from lianfang.intel.positions import INDEX
from lianfang.policy import sql
from lianfang.policy.facts import AudienceKind, NameSource, Right
from tests import database
from tests.world import READING, Actor, World, build

TAXII = "application/taxii+json;version=2.1"
ALL = "5b7c1f0a-6f2e-4d0b-9a57-0d6b6f3a9e01"
MINE = "86ea5b28-675b-4ba6-905e-94f1bbff6f9e"
GROUP = "61496de5-059b-435a-9f6d-3bc4938ba80e"
INBOX = "c2a8a3de-4a55-4f0c-8c39-7f1b0a4be902"
BY_TLP = {
    "clear": "e85a06f5-d738-40af-96b7-8b4c2b6afd8e",
    "green": "e63d8843-84cc-4c17-9caf-b20bcd667fb2",
    "amber": "b14839e9-fbe9-4dcc-b57e-d5616b733e90",
    "amber-strict": "f1f6319d-5b36-4ad1-8b08-5c865b08e2ba",
}
GREEN = "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb"


@dataclass
class Machine:
    """A system of a member with its key."""

    url: str
    token: Token
    secret: str
    session: requests.Session = field(default_factory=requests.Session, repr=False)

    @property
    def auth(self) -> tuple[str, str]:
        return str(self.token.pk), self.secret

    def ask(
        self, method: str, path: str, *, headers: dict[str, str | None] | None = None, **more: Any
    ) -> requests.Response:
        """Send one request below /taxii2/ and return the answer as it came; redirects are not followed."""
        sent = {"Accept": TAXII, **(headers or {})}
        more.setdefault("auth", self.auth)
        more.setdefault("timeout", 20)
        return self.session.request(method, self.url + path, headers=sent, allow_redirects=False, **more)

    def get(self, path: str, **more: Any) -> requests.Response:
        return self.ask("GET", path, **more)

    def direct(self, path: str) -> tuple[int, dict[str, str], Any]:
        """Ask the product's own WSGI application without a server between: (status, headers, what the body says)."""
        path, _, query = path.partition("?")
        secret = b64encode(":".join(self.auth).encode()).decode()
        environment = {
            "REQUEST_METHOD": "GET", "PATH_INFO": path, "QUERY_STRING": query, "SERVER_NAME": "localhost",
            "SERVER_PORT": "80", "HTTP_HOST": "localhost", "REMOTE_ADDR": "127.0.0.1", "HTTP_ACCEPT": TAXII,
            "HTTP_AUTHORIZATION": f"Basic {secret}", "wsgi.url_scheme": "http", "wsgi.input": io.BytesIO(),
        }  # fmt: skip
        said: list[Any] = []
        body = b"".join(application(environment, lambda status, headers: said.extend((status, dict(headers)))))
        return int(said[0][:3]), said[1], json.loads(body)

    def objects(self, query: str = "", *, collection: str = ALL) -> requests.Response:
        """Ask for objects of a collection."""
        return self.get(f"/taxii2/alliance/collections/{collection}/objects/{query}")

    def ids(self, query: str = "") -> list[str]:
        """Ids of one page of objects, without the definitions that every collection begins with."""
        return self.ids_of(ALL, query)

    def ids_of(self, collection: str, query: str = "?limit=1000") -> list[str]:
        """The same of another collection."""
        found = self.objects(query, collection=collection).json().get("objects", [])
        return [one["id"] for one in found if one["id"] not in IDS]

    def add(self, *objects: dict[str, Any], collection: str = ALL) -> dict[str, Any]:
        """Post an envelope; it must be taken."""
        answer = self.ask(
            "POST",
            f"/taxii2/alliance/collections/{collection}/objects/",
            json={"objects": objects},
            headers={"Content-Type": TAXII},
        )
        assert answer.status_code == 202, answer.text
        status: dict[str, Any] = answer.json()
        return status

    def server(self) -> Server:
        """Return the unmodified client at discovery."""
        user, password = self.auth
        return Server(f"{self.url}/taxii2/", user=user, password=password)

    def root(self) -> ApiRoot:
        return self.server().default

    def collection(self, number: str = ALL) -> Collection:
        user, password = self.auth
        return Collection(f"{self.url}/taxii2/alliance/collections/{number}/", user=user, password=password)


@dataclass
class Stage:
    """A world, its server, and a machine for some of its members."""

    world: World
    url: str
    jia: Machine
    yi: Machine
    bing: Machine

    def machine(
        self, owner: Actor, *, rights: frozenset[Right] = READING, by: Actor | None = None, **scope: Any
    ) -> Machine:
        """Make one more key, now; `by` is the administrator where the owner is none."""
        given = {"name": "SIEM", "purpose": "偵測", "max_tlp": "AMBER+STRICT", "days": 180} | scope
        at = self.world.clock.tick()
        made = accounts.make_token(
            affiliation=owner.affiliation,
            scope=accounts.Scope(rights=rights, **given),
            by=(by or owner).subject(),
            at=at,
        )
        return Machine(self.url, *made)


@contextmanager
def stage() -> Iterator[Stage]:
    """Build everything with real commits; afterwards the database is as migrating left it."""
    forget()
    server = LiveServer("localhost")
    try:
        with override_settings(BASE_URL=server.url):
            world = build()
            # The door reads the clock of the database: what follows is done just before.
            world.clock.at = datetime.now(UTC) - timedelta(hours=1)
            found = Stage(world, server.url, *[Machine(server.url, *world.tokens["jia"])] * 3)
            found.jia, found.yi, found.bing = (
                found.machine(member.admin) for member in (world.jia, world.yi, world.bing)
            )
            share_with_all(world, world.jia.admin)
            yield found
    finally:
        server.stop()
        connections.close_all()
        database.reset(database.CLUSTER)
        forget()


def share_with_all(world: World, admin: Actor) -> None:
    """Let an organisation's machines share with the whole alliance, by name, whatever collection they add to."""
    for collection in WRITABLE:
        set_profile(
            by=admin.subject(),
            at=world.clock.tick(),
            collection=collection.alias,
            audience=AudienceKind.ALLIANCE,
            name_source=NameSource.EVERYONE,
            warranted=True,
        )


def forget() -> None:
    """Make this process as new: the rows that it remembers are gone."""
    INDEX.clear()
    sql.forget()
    keys.forget()
    moment.forget()
    reach.forget()
    PAGES.forget()


def indicator(number: int = 0, **properties: Any) -> dict[str, Any]:
    """A plain GREEN indicator, always another one unless `id` is given."""
    return {
        "type": "indicator",
        "spec_version": "2.1",
        "id": f"indicator--{uuid4()}",
        "created": "2026-11-01T00:00:00.000Z",
        "modified": "2026-11-01T00:00:00.000Z",
        "name": f"壞網域{number}",
        "indicator_types": ["malicious-activity"],
        "pattern": f"[domain-name:value = 'h{number}.example']",
        "pattern_type": "stix",
        "valid_from": "2026-11-01T00:00:00Z",
        "object_marking_refs": [GREEN],
    } | properties
