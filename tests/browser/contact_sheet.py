"""Photograph every page of a running demonstration, for somebody to look at.

    .venv/bin/python -m tests.browser.contact_sheet http://localhost:8000 var/demo.json /tmp/sheet

Knows only the printed address and the file of demo accounts. Signs in as one person of each role and organisation,
follows the links of each page to one page of each kind, and keeps each at 1440 and 390 px in both languages. Writes
`index.html` and `sheet-1440.png`, `sheet-390.png`, and names what a look cannot miss: a page wider than the screen, an
error of the console, a status other than 200. Ends with 1 if there is any.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import hmac
import html
import json
import re
import struct
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
WIDTHS = (1440, 390)
HEIGHT = 900
LANGUAGES = ("zh-hant", "en")
# Never followed: they end the session, change a preference or hand out a file.
AVOIDED = re.compile(
    r"/account/logout|/static/|/download|/files/|/file$|/taxii2|/healthz|/readyz|\.json$|\.xlsx$|\.pdf$|\.txt$"
)
# The same for everybody: photographed once, as a visitor sees them.
COMMON = re.compile(
    r"/(about|accessibility|apply|charter|help|policy|privacy|sitemap|styleguide|account/(login|password/reset|lost))"
)
_IDENTITY = re.compile(
    r"[0-9a-f]{8}-[0-9a-f-]{27}|[a-z-]+--[0-9a-f-]{36}|[A-Z]-\d{4}-\d+|(?<=/)\d+(?=/|$)|(?<=/)[A-Za-z0-9_-]{24,}"
)
_SETTING = re.compile(r"^(/staff/settings/)[a-z_]+$")


@dataclass
class Seen:
    """One page as one reader sees it."""

    who: str
    path: str
    width: int
    language: str
    file: str
    faults: list[str] = field(default_factory=list)


def code(secret: str, *, at: float) -> str:
    """The six digits that an authenticator shows (RFC 6238, SHA-1, 30 seconds)."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    digest = hmac.new(key, struct.pack(">Q", int(at) // 30), hashlib.sha1).digest()
    offset = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[offset : offset + 4])[0] & 0x7FFFFFFF) % 1_000_000:06d}"


def sign_in(context: BrowserContext, base: str, account: dict[str, Any]) -> None:
    """Sign in as a person would: address, password, six digits. Raises RuntimeError if that does not lead in."""
    page = context.new_page()
    page.goto(f"{base}/account/login/")
    page.fill("input[name=login]", account["email"])
    page.fill("input[name=password]", account["password"])
    page.press("input[name=password]", "Enter")
    page.wait_for_load_state()
    if page.locator("input[name=code]").count():
        page.fill("input[name=code]", code(account["totp_secret"], at=time.time()))
        page.press("input[name=code]", "Enter")
        page.wait_for_load_state()
    if "/account/login" in page.url or "/2fa/authenticate" in page.url:
        raise RuntimeError(f"{account['email']} was not let in: {page.url}")
    page.close()


def kind_of(path: str) -> str:
    """The address with its identities struck out: one page of each kind is enough."""
    return _SETTING.sub(r"\1*", _IDENTITY.sub("*", path.split("?")[0].rstrip("/") or "/"))


def name_of(path: str) -> str:
    """The kind of page as part of a file name."""
    return re.sub(r"[^\w-]+", "_", kind_of(path).replace("*", "one")).strip("_") or "root"


def links(page: Page, base: str) -> Iterator[str]:
    """Addresses on this site to which the page leads."""
    # A link of a drawing (SVG) is no text, so the address is read as it was written.
    written = "all => all.map(a => new URL(a.getAttribute('href'), document.baseURI).href)"
    for href in page.eval_on_selector_all("a[href]", written):
        parts = urlsplit(href)
        if f"{parts.scheme}://{parts.netloc}" == base and not AVOIDED.search(parts.path):
            yield parts.path


def tab(context: BrowserContext) -> Page:
    """The one tab in which a context looks at page after page: every window that opens costs a second of processor."""
    return context.pages[0] if context.pages else context.new_page()


@contextmanager
def watched(page: Page, **handlers: Callable[[Any], object]) -> Iterator[Page]:
    """Let these hear what happens on the page, by the names of its events, until the block ends."""
    for event, handler in handlers.items():
        page.on(event, handler)  # type: ignore[call-overload]
    try:
        yield page
    finally:
        for event, handler in handlers.items():
            page.remove_listener(event, handler)


def photograph(
    context: BrowserContext,
    base: str,
    path: str,
    seen: Seen,
    folder: Path | None,
    inspect: Callable[[Page], list[str]] = lambda page: [],
) -> list[str]:
    """Keep one page as a picture (where there is a folder for it), note its faults and those that `inspect` finds, and
    return where it leads."""
    with watched(
        tab(context),
        console=lambda message: seen.faults.append(message.text[:160]) if message.type == "error" else None,
        pageerror=lambda error: seen.faults.append(str(error)[:160]),
    ) as page:
        return _photographed(page, base, path, seen, folder, inspect)


def _photographed(
    page: Page, base: str, path: str, seen: Seen, folder: Path | None, inspect: Callable[[Page], list[str]]
) -> list[str]:
    answer = page.goto(base + path)
    if answer is None or answer.status not in (200, 403, 404) or (answer.status != 200 and "nowhere" not in path):
        seen.faults.append(f"status {answer.status if answer else '?'}")
    over = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    if over > 0:
        seen.faults.append(f"{over} px wider than the screen")
    seen.faults += inspect(page)
    if folder is not None:
        # The picture shows the whole page at once; what sticks to the lower edge must stand at its end.
        height = page.evaluate("document.documentElement.scrollHeight")
        page.set_viewport_size({"width": seen.width, "height": min(max(height, 700), 12_000)})
        page.screenshot(path=folder / seen.file)
        page.set_viewport_size({"width": seen.width, "height": HEIGHT})
    return list(links(page, base))


def walk(browser: Browser, base: str, who: str, state: Any, folder: Path, start: list[str], most: int) -> list[Seen]:
    """Visit one page of each kind that this reader can reach; the first pass finds, the others repeat."""
    paths: dict[str, str] = {kind_of(path): path for path in start}
    kept: list[Seen] = []
    for width in WIDTHS:
        for language in LANGUAGES:
            context = browser.new_context(viewport={"width": width, "height": HEIGHT}, storage_state=state)
            context.add_cookies([{"name": "language", "value": language, "url": base}])
            queue = list(paths.values())
            while queue:
                path = queue.pop(0)
                seen = Seen(who, path, width, language, f"{who}-{name_of(path)}-{width}-{language}.png")
                found = photograph(context, base, path, seen, folder)
                kept.append(seen)
                for link in found:
                    known = kind_of(link) in paths or (state is not None and COMMON.match(link))
                    if not known and len(paths) < most:
                        paths[kind_of(link)] = link
                        queue.append(link)
            context.close()
    return kept


def chosen(accounts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One account of each role, and one of each organisation."""
    roles: set[str] = set()
    organisations: set[str] = set()
    picked = []
    for account in accounts:
        if account["role"] not in roles or account["organisation"] not in organisations:
            picked.append(account)
            roles.add(account["role"])
            organisations.add(account["organisation"])
    return picked


def sheet(kept: list[Seen], folder: Path, browser: Browser) -> None:
    """Write the index and a picture of it for each width."""
    for width in WIDTHS:
        cells = "".join(
            f'<figure><a href="{one.file}"><img src="{one.file}" width="{280 if width > 600 else 130}"></a>'
            f"<figcaption>{html.escape(one.who)} {html.escape(one.path)} {one.language}"
            f"<b>{html.escape('; '.join(one.faults))}</b></figcaption></figure>"
            for one in kept
            if one.width == width
        )
        style = (
            "body{font:11px sans-serif;display:flex;flex-wrap:wrap;gap:10px}figure{margin:0;max-width:280px}"
            "img{border:1px solid #888;max-height:420px;object-fit:cover;object-position:top}"
            "b{color:#b00;display:block}"
        )
        page_file = folder / f"index-{width}.html"
        page_file.write_text(f"<!doctype html><meta charset=utf-8><style>{style}</style>{cells}", encoding="utf-8")
        page = browser.new_page(viewport={"width": 1800, "height": 1000})
        page.goto(page_file.as_uri())
        page.screenshot(path=folder / f"sheet-{width}.png", full_page=True)
        page.close()


def main() -> int:
    """Walk through all readers; return 1 if a fault was seen."""
    parser = argparse.ArgumentParser(description="Photograph every page of a running demonstration.")
    parser.add_argument("url")
    parser.add_argument("demo", type=Path, help="the demo.json of the data folder")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", default="", help="readers whose address holds this, e.g. 'quadrant' or 'public'")
    parser.add_argument("--most", type=int, default=80, help="kinds of page for each reader")
    asked = parser.parse_args()
    base, folder = asked.url.rstrip("/"), asked.folder
    folder.mkdir(parents=True, exist_ok=True)
    accounts = chosen(json.loads(asked.demo.read_text(encoding="utf-8"))["accounts"])
    kept: list[Seen] = []
    with sync_playwright() as tool:
        browser = tool.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        if asked.only in "public":
            kept += walk(browser, base, "public", None, folder, ["/", "/nowhere", "/account/login/"], asked.most)
        for account in accounts:
            if asked.only not in account["email"]:
                continue
            context = browser.new_context()
            sign_in(context, base, account)
            state = context.storage_state()
            context.close()
            who = re.sub(r"\W+", "-", f"{account['role']}-{account['email']}")
            kept += walk(browser, base, who, state, folder, ["/home", "/me"], asked.most)
        sheet(kept, folder, browser)
        browser.close()
    for one in kept:
        for fault in one.faults:
            print(f"{one.who} {one.path} {one.width} {one.language}: {fault}")
    print(f"{len(kept)} pictures in {folder}")
    return 1 if any(one.faults for one in kept) else 0


if __name__ == "__main__":
    sys.exit(main())
