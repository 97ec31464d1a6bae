"""Take the pictures of the handbooks and of README from a running demonstration.

    .venv/bin/python -m tests.browser.handbook_pictures http://localhost:8000 var/demo.json docs/images

Knows only the address and the file of demo accounts; the same data give the same pictures.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.contact_sheet import ARGUMENTS, CHROMIUM, sign_in

SHOTS = (
    # (file, role, organisation, path or link text to follow from it, language)
    ("home", "", "", "/", ""),
    ("apply", "", "", "/apply", ""),
    ("inbox", "reviewer", "", "/staff/inbox", ""),
    ("case", "reviewer", "", "/staff/inbox", "白日夢物流"),
    ("overview", "member_admin", "第九象限", "/member", ""),
    ("intel-list", "security_contact", "海底天文台", "/member/intel", ""),
    ("intel-object", "security_contact", "海底天文台", "/member/intel", "紙鎮"),
    ("submit", "security_contact", "第九象限", "/member/submit", ""),
    ("connections", "member_admin", "第九象限", "/member/connections", ""),
    ("exit", "member_admin", "倒影鋼鐵", "/exit", ""),
    ("audit", "auditor", "", "/staff/audit", ""),
    ("stop", "analyst", "", "/staff/stop", ""),
    ("charter", "publisher", "", "/staff/charter", ""),
    ("told", "publisher", "", "/staff/charter/privacy/2/told", ""),
)


def take(browser: Browser, base: str, accounts: list[dict[str, Any]], folder: Path) -> None:
    """Take every picture in both languages; one sign-in a person."""
    states: dict[tuple[str, str], Any] = {}
    for name, role, organisation, path, follow in SHOTS:
        if role and (role, organisation) not in states:
            context = browser.new_context(base_url=base)
            sign_in(context, base, _account(accounts, role, organisation))
            states[role, organisation] = context.storage_state()
            context.close()
        for language, suffix in (("zh-hant", "zh"), ("en", "en")):
            context = browser.new_context(
                base_url=base, viewport={"width": 1280, "height": 860}, storage_state=states.get((role, organisation))
            )
            context.add_cookies([{"name": "language", "value": language, "url": base}])
            page = context.new_page()
            page.goto(path)
            if follow:
                _follow(page, follow)
            page.screenshot(path=folder / f"{name}-{suffix}.png")
            context.close()


def _account(accounts: list[dict[str, Any]], role: str, organisation: str) -> dict[str, Any]:
    return next(one for one in accounts if one["role"] == role and organisation in one["organisation"])


def _follow(page: Page, text: str) -> None:
    page.locator(f"main a:has-text('{text}')").first.click()
    page.wait_for_load_state()


def main() -> None:
    """Read the command line and take the pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("accounts", type=Path)
    parser.add_argument("folder", type=Path)
    given = parser.parse_args()
    accounts = json.loads(given.accounts.read_text(encoding="utf-8"))["accounts"]
    given.folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        take(browser, given.url.rstrip("/"), accounts, given.folder)
        browser.close()


if __name__ == "__main__":
    main()
