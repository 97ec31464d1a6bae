"""What a play over months needs: a clock for the site, its browser and its database, people who act by labels alone.

The site runs in this process (`live_server`), so both its clocks stand where the play puts them (see
`tests.secrecy.given`); the database's is read from a table here, since each thread of the site has its own connection.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import re
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, Locator, Page

from lianfang.embedded import DATABASE
from lianfang.outbox.models import Delivery
from tests.database import CLUSTER
from tests.secrecy.acts import sign_in
from tests.secrecy.given import Given, given
from tests.world import Actor

SCHEMA = """
DROP SCHEMA IF EXISTS given CASCADE;
CREATE SCHEMA given;
CREATE TABLE given.moment (at timestamptz NOT NULL);
CREATE FUNCTION given.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE AS $$
    SELECT at FROM given.moment
$$;
GRANT USAGE ON SCHEMA given TO lf_app;
GRANT SELECT ON given.moment TO lf_app;
"""
WIDTHS = ((1440, 900), (390, 844))
LANGUAGES = (("zh-hant", "zh"), ("en", "en"))


class Hour(Given):
    """The instant of the play, which every connection to the database reads from one table."""

    def __init__(self, at: datetime) -> None:
        super().__init__()
        self.at = at
        self._owner = psycopg.connect(CLUSTER.url("postgres", DATABASE), autocommit=True)
        self._owner.execute(SCHEMA)
        self._owner.execute("INSERT INTO given.moment VALUES (%s)", [at])
        self._steps = 0

    def _tell_database(self) -> None:
        self._owner.execute("UPDATE given.moment SET at = %s", [self.at])

    def connected(self, **about: Any) -> None:
        """Let a new connection of Django find the given clock first."""
        with about["connection"].cursor() as cursor:
            cursor.execute("SET search_path = given, pg_catalog, public")

    def tick(self, **step: float) -> datetime:
        """Let time pass, a second unless said otherwise."""
        return self.put(self.at + timedelta(**(step or {"seconds": 1})))

    def put(self, at: datetime) -> datetime:
        """Go to an instant."""
        self._steps += 1
        self.step(at=at, who=f"step {self._steps}")
        return at

    def close(self) -> None:
        """Leave the database as it was."""
        self._owner.execute("DROP SCHEMA given CASCADE")
        self._owner.close()


@contextmanager
def hour(at: datetime) -> Iterator[Hour]:
    """Take over the clocks of this process, beginning at an instant."""
    made = Hour(at)
    try:
        with given(made):
            yield made
    finally:
        made.close()


@dataclass
class Reader:
    """Somebody at a browser who knows the words on the pages and nothing of how they are made."""

    play: Play
    page: Page
    name: str
    app: str = ""
    used: set[int] = field(default_factory=set)

    def go(self, path: str) -> None:
        """Open an address, as by a link in a mail."""
        self.play.hour.tick()
        answer = self.page.goto(self.play.base + path)
        assert answer is not None
        assert answer.status < 500, f"{path}: {answer.status}"

    def fill(self, label: str, text: str, place: int = 0) -> None:
        """Write into the field of this label."""
        self.page.get_by_label(label).nth(place).fill(text)

    def choose(self, label: str, option: str) -> None:
        """Choose from a list."""
        self.page.get_by_label(label).first.select_option(label=option)

    def tick(self, *words: str) -> None:
        """Tick the boxes, or points of a choice, of these words."""
        for one in words:
            self.page.get_by_label(one).first.check()

    def attach(self, label: str, name: str, content: bytes, kind: str = "application/pdf") -> None:
        """Choose a file of one's own."""
        self.page.get_by_label(label).first.set_input_files({"name": name, "mimeType": kind, "buffer": content})

    def press(self, words: str) -> None:
        """Press a button, or follow a link that looks like one or stands in a text, and wait for the page."""
        self.play.hour.tick()
        self._found(words).click()
        self.page.wait_for_load_state()
        assert not self.page.get_by_text("系統發生錯誤").count(), self.text()

    def _found(self, words: str) -> Locator:
        exact = re.compile(rf"^\s*{re.escape(words)}…?\s*$")
        main = self.page.locator("main")
        for where in (main, self.page.locator("body")):
            for role in ("button", "link"):
                for wanted in (exact, re.compile(re.escape(words))):
                    found = where.get_by_role(role, name=wanted)  # type: ignore[arg-type]
                    for one in found.all():
                        if one.is_visible():
                            return one
        raise AssertionError(f"{self.name} finds no 「{words}」 on {self.page.url}:\n{self.text()}")

    def sees(self, *words: str) -> None:
        """Be sure that the page says so."""
        said = re.sub(r"\s+", "", self.text())
        for one in words:
            assert re.sub(r"\s+", "", one) in said, f"{self.name} misses 「{one}」 on {self.page.url}:\n{self.text()}"

    def text(self) -> str:
        """What the page says."""
        return self.page.inner_text("body")

    def sign(self, actor: Actor | None = None) -> None:
        """Write the code that signs a decision."""
        self.fill("第二道驗證的驗證碼", self.code() if actor is None else actor.code())

    def code(self) -> str:
        """Six digits of one's own app that were not used yet (RFC 6238); half a minute passes for each."""
        self.play.hour.tick(seconds=31)
        step = int(self.play.hour.at.timestamp()) // 30
        assert step not in self.used
        self.used.add(step)
        key = base64.b32decode(self.app + "=" * (-len(self.app) % 8))
        digest = hmac.new(key, struct.pack(">Q", step), hashlib.sha1).digest()
        offset = digest[-1] & 15
        return f"{(struct.unpack('>I', digest[offset : offset + 4])[0] & 0x7FFFFFFF) % 1_000_000:06d}"

    def shot(self, name: str) -> None:
        """Keep the page as it is for the handbooks, or in both widths to be looked at, where that was asked for."""
        for language, suffix in LANGUAGES if self.play.pictures or self.play.look else ():
            self.speak(language)
            if self.play.pictures:
                self.page.set_viewport_size({"width": 1280, "height": 860})
                self.page.goto(self.page.url)
                self.page.screenshot(path=self.play.pictures / f"{name}-{suffix}.png")
            for width, height in WIDTHS if self.play.look else ():
                self.page.set_viewport_size({"width": width, "height": height})
                self.page.goto(self.page.url)
                self.page.screenshot(path=self.play.look / f"{name}-{suffix}-{width}.png", full_page=True)
        self.speak("zh-hant")
        if self.play.pictures or self.play.look:
            self.page.set_viewport_size({"width": 1440, "height": 900})
            self.page.goto(self.page.url)

    def speak(self, language: str) -> None:
        """Choose the language of the pages."""
        self.page.context.add_cookies([{"name": "language", "value": language, "url": self.play.base}])


def _folder(name: str) -> Path | None:
    asked = os.environ.get(name)
    if asked is None:
        return None
    Path(asked).mkdir(parents=True, exist_ok=True)
    return Path(asked)


@dataclass
class Play:
    """The site, its clock and its people."""

    browser: Browser
    base: str
    hour: Hour
    pictures: Path | None = field(default_factory=lambda: _folder("LIANFANG_PICTURES"))
    look: Path | None = field(default_factory=lambda: _folder("LIANFANG_LOOK"))

    def someone(self, name: str) -> Reader:
        """Somebody who has not signed in."""
        context = self.browser.new_context(locale="zh-TW", viewport={"width": 1440, "height": 900})
        context.add_cookies([{"name": "language", "value": "zh-hant", "url": self.base}])
        context.set_default_timeout(10_000)
        return Reader(self, context.new_page(), name)

    def staff(self, actor: Actor) -> Reader:
        """Somebody of the staff, who signed in a moment ago."""
        client = sign_in(Client(HTTP_HOST="localhost"), actor, self.hour.tick())
        reader = self.someone(actor.person.name)
        session = client.cookies[settings.SESSION_COOKIE_NAME].value
        reader.page.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": self.base}])
        return reader

    def mail(self, to: str, holding: str) -> str:
        """The path of the newest link to this address whose path holds this."""
        for one in Delivery.objects.order_by("-created_at", "-pk").select_related("vault_key"):
            found = re.search(rf"https?://[^/\s]+(\S*{re.escape(holding)}[^\s>]*)", one.body_text)
            if found and one.to == to:
                return found[1]
        raise AssertionError(f"no mail to {to} with a link to {holding}")
