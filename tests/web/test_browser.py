"""In a real browser: nothing that axe objects to, nothing that the content security policy stops, no page too wide."""

from __future__ import annotations

import gzip
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PAGES = ["/", "/about", "/policy", "/help", "/sitemap", "/accessibility", "/styleguide", "/nowhere", "/account/login/"]


def _page(browser: Browser, base: str, *, width: int, language: str, theme: str, **options: Any) -> Page:
    context = browser.new_context(viewport={"width": width, "height": 900}, **options)
    context.add_cookies(
        [{"name": "language", "value": language, "url": base}, {"name": "theme", "value": theme, "url": base}]
    )
    return context.new_page()


# The light theme is asked about by tests/browser, which follows the links to these pages and all others.
@pytest.mark.parametrize(("language", "theme"), [("zh-hant", "dark"), ("en", "system")])
def test_axe_finds_nothing(chromium: Browser, live_server: Any, language: str, theme: str) -> None:
    scheme = "dark" if theme == "system" else "light"
    page = _page(chromium, live_server.url, width=1440, language=language, theme=theme, color_scheme=scheme)
    findings = []
    for path in PAGES:
        page.goto(live_server.url + path)
        report = Axe().run(page)
        findings += [(path, rule["id"], rule["nodes"][0]["html"][:120]) for rule in report.response["violations"]]
    page.context.close()
    assert not findings


# At 390 and 1440 px tests/browser looks.
@pytest.mark.parametrize("width", [320, 768, 1024])
@pytest.mark.parametrize("language", ["zh-hant", "en"])
def test_no_page_is_wider_than_the_screen_or_breaks_the_policy(
    chromium: Browser, live_server: Any, width: int, language: str
) -> None:
    page = _page(chromium, live_server.url, width=width, language=language, theme="light")
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    for path in PAGES:
        page.goto(live_server.url + path)
        over = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert over <= 0, path
    page.context.close()
    assert not [line for line in said if "Content Security Policy" in line]


def test_the_theme_of_the_system_paints_the_dark_colours(chromium: Browser, live_server: Any) -> None:
    ground = "getComputedStyle(document.body).backgroundColor"
    painted = {}
    for theme, scheme in (("dark", "light"), ("system", "dark"), ("system", "light"), ("light", "dark")):
        page = _page(chromium, live_server.url, width=800, language="en", theme=theme, color_scheme=scheme)
        page.goto(live_server.url + "/styleguide")
        painted[theme, scheme] = page.evaluate(ground)
        page.context.close()
    assert painted["dark", "light"] == painted["system", "dark"] == "rgb(15, 21, 26)"
    assert painted["system", "light"] == painted["light", "dark"] == "rgb(244, 246, 247)"


def test_pages_work_without_a_script(chromium: Browser, live_server: Any) -> None:
    page = _page(chromium, live_server.url, width=390, language="zh-hant", theme="light", java_script_enabled=False)
    page.goto(live_server.url + "/about")
    page.click("details.menu > summary")
    page.click("details.menu >> text=English")
    assert page.title() == "About the alliance · Lianfang"


def test_the_error_summary_takes_the_focus_and_leads_to_the_field(chromium: Browser, live_server: Any) -> None:
    page = _page(chromium, live_server.url, width=1440, language="zh-hant", theme="light")
    page.goto(live_server.url + "/styleguide")
    assert page.evaluate("document.activeElement.className") == "errsum"
    page.click(".errsum a >> nth=0")
    assert page.evaluate("document.activeElement.id || location.hash.slice(1)") == "id_ubn"
    page.context.close()


def test_a_first_visit_stays_within_its_budget(chromium: Browser, live_server: Any) -> None:
    page = _page(chromium, live_server.url, width=390, language="zh-hant", theme="light")
    asked: list[tuple[str, int]] = []
    page.on("response", lambda answer: asked.append((answer.url, len(gzip.compress(answer.body(), 6)))))
    page.goto(live_server.url + "/about", wait_until="networkidle")
    page.context.close()
    assert all(url.startswith(live_server.url) for url, _ in asked), "a third party"
    assert len([url for url, _ in asked if not url.endswith("logo.svg")]) <= 5
    assert sum(size for _, size in asked) <= 75 * 1024
    assert not [url for url, _ in asked if "htmx" in url]


def test_htmx_comes_where_a_page_uses_it(chromium: Browser, live_server: Any) -> None:
    page = _page(chromium, live_server.url, width=800, language="en", theme="light")
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.route("**/about", lambda route: route.fulfill(response=(real := route.fetch()), body=_with_htmx(real.text())))
    page.goto(live_server.url + "/about", wait_until="networkidle")
    page.click("#more")
    page.wait_for_selector("#more >> text=Accessibility")
    page.context.close()
    assert not said


def _with_htmx(html: str) -> str:
    button = '<button id="more" hx-get="/accessibility" hx-select="main">More</button></main>'
    return html.replace("</main>", button)


def test_by_keyboard_first_comes_the_way_past_the_bars(chromium: Browser, live_server: Any) -> None:
    page = _page(chromium, live_server.url, width=1440, language="zh-hant", theme="light")
    page.goto(live_server.url + "/about")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    page.context.close()
