"""Whatever people type stays text: nothing runs, nothing is loaded from elsewhere, on any page, for any reader (V1).

The cast is made with hostile texts in its names, reasons, notes, files and intelligence; a browser walks every kind of
page that each reader reaches by links. A script that ran would call `canary`; the policy for content would report what
it had to stop, which is a fault as well: the page let it through.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, sync_playwright

from tests.browser.canary import PAYLOADS, Canary, hostile
from tests.browser.contact_sheet import ARGUMENTS, CHROMIUM, kind_of, links, tab, watched
from tests.browser.test_every_page import READERS, _context
from tests.goals import Goal, goal

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.timeout(7000)]
# What runs before any script of a page, in the page's own world.
_WATCH = """
window.canaryCalls = []; window.canary = (n) => { window.canaryCalls.push('ran ' + n); };
document.addEventListener('securitypolicyviolation', (e) => {
  window.canaryCalls.push('policy ' + e.violatedDirective + ' ' + e.blockedURI + ' ' + e.sample);
});
"""
_LOOK = """() => ({
  calls: window.canaryCalls,
  text: document.documentElement.outerHTML,
  words: document.documentElement.innerText,
  links: [...document.querySelectorAll('[href],[src],[action],[formaction]')].map(
    e => e.getAttribute('href') || e.getAttribute('src') || e.getAttribute('action') || e.getAttribute('formaction'))
    .filter(v => /^\\s*(javascript|data|vbscript):/i.test(v)),
  handlers: [...document.querySelectorAll('*')].filter(
    e => e.getAttributeNames().some(n => n.startsWith('on'))).length,
})"""
_MARK = re.compile(r"qz(\d+)z")
QUICK = ("admin", "reviewer")


def visit(context: BrowserContext, base: str, path: str, met: set[int]) -> tuple[list[str], list[str]]:
    """Look at one page; return what was wrong, and where it leads."""
    faults: list[str] = []
    with watched(
        tab(context),
        dialog=lambda dialog: (faults.append(f"dialog {dialog.message}"), dialog.dismiss()),
        pageerror=lambda error: faults.append(f"error {error}"[:200]),
        console=lambda message: (
            faults.append(message.text[:200]) if "Content Security Policy" in message.text else None
        ),
        request=lambda asked: (
            faults.append(f"asked {asked.url}") if urlsplit(asked.url).netloc != urlsplit(base).netloc else None
        ),
    ) as page:
        answer = page.goto(base + path)
        if answer is None or answer.status >= 500:
            faults.append(f"status {answer.status if answer else '?'}")
        seen = page.evaluate(_LOOK)
        faults += seen["calls"]
        faults += [f"address {link[:80]}" for link in seen["links"]]
        if seen["handlers"]:
            faults.append(f"{seen['handlers']} elements with handlers")
        if "9359" in seen["words"]:
            faults.append("a template was worked out")
        met |= {int(number) for number in _MARK.findall(seen["text"])}
        return faults, list(links(page, base))


def walk(
    context: BrowserContext, base: str, counted: Goal, met: set[int], *, first: Iterable[str], most: int
) -> list[str]:
    """Every kind of page that leads on from the first ones, all of which are looked at."""
    paths = {path: path for path in first} | {kind_of(path): path for path in ("/", "/home", "/me", "/nowhere")}
    queue, wrong = list(paths.values()), []
    while queue:
        path = queue.pop(0)
        faults, found = visit(context, base, path, met)
        counted.count += 1
        counted.failures += bool(faults)
        wrong += [f"{path}: {fault}" for fault in faults]
        for link in found:
            if kind_of(link) not in paths and len(paths) < most:
                paths[kind_of(link)] = link
                queue.append(link)
    return wrong


def round_of(chromium: Browser, base: str, readers: tuple[str, ...], language: str, shift: int, most: int) -> None:
    """One cast, walked through by these readers."""
    canary, met, wrong = Canary(shift), set[int](), []
    made, ids = hostile(canary)
    with goal("pages with hostile texts", seed=shift) as counted:
        for reader in readers:
            client = made.client(READERS[reader](made))
            context = _context(chromium, base, client, width=1440, language=language)
            context.add_init_script(_WATCH)
            plane = {"admin": "member", "constituent": "member", "analyst": "staff"}.get(reader, "")
            first = [f"/{plane}/intel/{stix_id}" for stix_id in ids] if plane else []
            found = walk(context, base, counted, met, first=first, most=most + len(first))
            wrong += [f"{reader} {each}" for each in found]
            context.close()
        counted.also = f"{len(canary.fields)} fields, {len(met & canary.fields.keys())} of them met on pages"
        assert not wrong, "\n".join(wrong[:40])
        assert len(met & canary.fields.keys()) > 40


def test_texts_stay_texts(live_server: Any) -> None:
    with sync_playwright() as tool:
        chromium = tool.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        round_of(chromium, live_server.url, QUICK, "zh-hant", 0, 20)
        chromium.close()


def test_a_page_that_let_one_through_would_be_seen() -> None:
    """The watch itself: a page without any protection is found out by each of its signs."""
    with sync_playwright() as tool:
        chromium = tool.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = chromium.new_page()
        page.add_init_script(_WATCH)
        body = "<body>" + "".join(text.format(n=7) for text in PAYLOADS) + "9359"
        page.route("http://page.example/**", lambda route: route.fulfill(body=body, content_type="text/html"))
        page.goto("http://page.example/")
        seen = page.evaluate(_LOOK)
        assert "ran 7" in seen["calls"]
        assert seen["handlers"]
        assert seen["links"]
        page.route("http://strict.example/**", lambda route: route.fulfill(
            body="<body><script>canary(8)</script>", content_type="text/html",
            headers={"Content-Security-Policy": "default-src 'none'"}))  # fmt: skip
        page.goto("http://strict.example/")
        page.wait_for_timeout(50)
        seen = page.evaluate(_LOOK)
        assert any(call.startswith("policy script-src") for call in seen["calls"])
        assert "ran 8" not in seen["calls"]
        chromium.close()


@pytest.mark.long
@pytest.mark.parametrize("shift", range(len(PAYLOADS)))
def test_texts_stay_texts_for_everybody(live_server: Any, shift: int) -> None:
    with sync_playwright() as tool:
        chromium = tool.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        round_of(chromium, live_server.url, tuple(READERS), "en" if shift % 2 else "zh-hant", shift, 80)
        chromium.close()
