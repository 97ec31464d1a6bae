"""What the story needs to act as people and machines do: sign in, read mail, run an authenticator."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import struct
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page

PASSWORD = "Paper-Boat-Anchored-7"
STEP = 30


@dataclass
class Authenticator:
    """An app that shows six digits (RFC 6238); never the same twice, as the server takes each once."""

    secret: str
    last: int = 0

    def code(self) -> str:
        """The next code that was not shown yet; waits for it if need be."""
        step = max(int(time.time()) // STEP, self.last + 1)
        # A server takes the code of the step before and after, too: no need to wait for the very next one.
        while step > int(time.time()) // STEP + 1:
            time.sleep(0.5)
        self.last = step
        key = base64.b32decode(self.secret + "=" * (-len(self.secret) % 8))
        digest = hmac.new(key, struct.pack(">Q", step), hashlib.sha1).digest()
        offset = digest[-1] & 15
        return f"{(struct.unpack('>I', digest[offset : offset + 4])[0] & 0x7FFFFFFF) % 1_000_000:06d}"


@dataclass
class Someone:
    """A person at a browser."""

    page: Page
    app: Authenticator | None = None

    def go(self, path: str) -> Page:
        """Open an address of the site."""
        self.page.goto(path)
        return self.page

    def text(self) -> str:
        """What the page says."""
        return self.page.inner_text("body")

    def press(self, selector: str) -> None:
        """Press a button and wait for the next page."""
        self.page.locator(selector).first.click()
        self.page.wait_for_load_state()

    def submit(self) -> None:
        """Press the main button of the page's form."""
        self.press("main form button.btn-primary[type=submit], main form button.btn-danger-l[type=submit]")

    def sign(self) -> None:
        """Write the second factor's code below a decision."""
        assert self.app is not None
        self.page.fill("#second_factor_code", self.app.code())


@dataclass
class Site:
    """The running site, as its address tells."""

    url: str
    told: dict[str, Any]
    browser: Browser
    contexts: list[BrowserContext] = field(default_factory=list)
    apps: dict[str, Authenticator] = field(default_factory=dict)

    def someone(self, *, language: str = "zh-hant") -> Someone:
        """Somebody who has not signed in."""
        context = self.browser.new_context(base_url=self.url, locale="zh-TW", viewport={"width": 1440, "height": 900})
        context.add_cookies([{"name": "language", "value": language, "url": self.url}])
        context.set_default_timeout(30_000)
        self.contexts.append(context)
        return Someone(context.new_page())

    def account(self, role: str, organisation: str = "", number: int = 0) -> dict[str, Any]:
        """The account of that role (and organisation) in the printed file."""
        found = [one for one in self.told["accounts"] if one["role"] == role and organisation in one["organisation"]]
        chosen: dict[str, Any] = found[number]
        return chosen

    def signed_in(self, account: dict[str, Any]) -> Someone:
        """Somebody of the demonstration, signed in with the second factor."""
        person = self.someone()
        # Who comes back within half a minute has the same app, which knows what it has shown.
        person.app = self.apps.setdefault(account["totp_secret"], Authenticator(account["totp_secret"]))
        person.go("/account/login/")
        person.page.fill("input[name=login]", account["email"])
        person.page.fill("input[name=password]", account["password"])
        person.page.press("input[name=password]", "Enter")
        person.page.wait_for_selector("input[name=code]")
        person.page.fill("input[name=code]", person.app.code())
        person.page.press("input[name=code]", "Enter")
        person.page.wait_for_url(re.compile(r"/(member|staff|exit)"))
        return person

    def mail(self, *, to: str, holding: str) -> str:
        """The text of the newest mail to an address that holds a word; waits for it to arrive."""

        def look() -> str | None:
            with urllib.request.urlopen(f"{self.url}/demo/mailbox.json", timeout=10) as answer:
                mails = json.load(answer)
            return next((mail["text"] for mail in mails if to in str(mail["to"]) and holding in mail["text"]), None)

        return patiently(look, f"no mail to {to} that holds {holding}")


def patiently(look: Callable[[], Any], otherwise: str, seconds: float = 60) -> Any:
    """Look until there is something."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        found = look()
        if found:
            return found
        time.sleep(0.5)
    raise AssertionError(otherwise)


def link(text: str, part: str) -> str:
    """The address in a mail that holds `part`."""
    found = re.search(rf"https?://\S*{re.escape(part)}[^\s>]*", text)
    assert found, f"no address with {part} in:\n{text}"
    return found.group(0)
