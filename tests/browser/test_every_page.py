"""Every page that the cast can reach by links: axe objects to nothing, the policy stops nothing, none is too wide.

The pages are found by following the links of each reader from his first page, one page of each kind, so that a new
page is looked at without being named here.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Page

from tests.browser.contact_sheet import HEIGHT, Seen, kind_of, name_of, photograph
from tests.world import World, build

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.timeout(900)]
MOST = 60
# Looked at once, as a visitor; a reader who has signed in meets the same pages.
SAME_FOR_ALL = re.compile(r"/(about|accessibility|apply|charter|help|policy|privacy|sitemap|styleguide)")
READERS: dict[str, Callable[[World], Any]] = {
    "public": lambda world: None,
    "admin": lambda world: world.jia.admin,
    "constituent": lambda world: world.wu,
    "former": lambda world: world.former.admin,
    "reviewer": lambda world: world.reviewer,
    "approver": lambda world: world.approver,
    "analyst": lambda world: world.analyst,
    "auditor": lambda world: world.auditor,
}


def _context(chromium: Browser, base: str, client: Client, *, width: int, language: str) -> BrowserContext:
    context = chromium.new_context(viewport={"width": width, "height": HEIGHT})
    cookies = [{"name": "language", "value": language, "url": base}]
    session = client.cookies.get(settings.SESSION_COOKIE_NAME)
    if session is not None and session.value:
        cookies.append({"name": settings.SESSION_COOKIE_NAME, "value": session.value, "url": base})
    context.add_cookies(cookies)  # type: ignore[arg-type]
    return context


# A walk takes a minute a reader: each change is held to what anybody sees, `./test long page` to all of it.
@pytest.mark.parametrize(
    "reader", [name if name == "public" else pytest.param(name, marks=pytest.mark.long) for name in READERS]
)
def test_every_page_of_a_reader(chromium: Browser, live_server: Any, reader: str) -> None:
    world = build()
    client = world.client(READERS[reader](world))
    base = live_server.url
    folder = Path(asked) if (asked := os.environ.get("LIANFANG_LOOK")) else None
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
    paths = {kind_of(path): path for path in ("/", "/home", "/me", "/nowhere")}
    faults: list[str] = []
    for width, language in ((1440, "zh-hant"), (390, "zh-hant"), (1440, "en"), (390, "en")):
        context = _context(chromium, base, client, width=width, language=language)
        queue = list(paths.values())
        while queue:
            path = queue.pop(0)
            seen = Seen(reader, path, width, language, f"{reader}-{name_of(path)}-{width}-{language}.png")
            for link in photograph(context, base, path, seen, folder, _axe if width == 1440 else lambda page: []):
                known = kind_of(link) in paths or (reader != "public" and SAME_FOR_ALL.match(link))
                if not known and len(paths) < MOST:
                    paths[kind_of(link)] = link
                    queue.append(link)
            faults += [f"{path} {width} {language}: {fault}" for fault in seen.faults if "404" not in fault]
        context.close()
    print(f"{reader}: {len(paths)} kinds of page")
    assert not faults, "\n".join(faults)


def _axe(page: Page) -> list[str]:
    report = Axe().run(page)
    return [f"{rule['id']} {rule['nodes'][0]['html'][:140]}" for rule in report.response["violations"]]
