"""Joining and coming back in a real browser: with a passkey, and with a password and an authenticator app."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from typing import Any

import pytest
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.db import connections
from playwright.sync_api import Browser, Page, sync_playwright

from lianfang.accounts import actions
from lianfang.accounts.models import Account, SignIn
from lianfang.charter.actions import load_models
from lianfang.charter.models import ConfidentialityDuty
from lianfang.kernel.clock import utcnow
from lianfang.policy.facts import Subject

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PASSWORD = "a longer sentence than twelve"
QUIET = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip


@pytest.fixture
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=QUIET)
        yield browser
        browser.close()


@pytest.fixture
def invited(live_server: Any) -> list[str]:
    """Addresses of the two invitations of a fresh installation."""
    at = utcnow()
    load_models(by=Subject.system("test"), at=at)
    paths = actions.bootstrap(emails=("lin@centre.example", "chen@centre.example"), at=at)
    connections.close_all()
    return [live_server.url + path for path in paths]


def watched(browser: Browser) -> tuple[Page, list[str]]:
    """A page that notes what the content security policy refuses and what scripts throw."""
    page = browser.new_context(locale="zh-TW").new_page()
    page.set_default_timeout(30_000)
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on(
        "console",
        lambda message: problems.append(message.text) if "Content Security Policy" in message.text else None,
    )
    return page, problems


def authenticator(page: Page) -> None:
    """Give the browser a passkey holder that always says yes (Chrome's own virtual authenticator)."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
        "isUserVerified": True, "automaticPresenceSimulation": True,
    }  # fmt: skip
    session.send("WebAuthn.addVirtualAuthenticator", {"options": options})


def acknowledge(page: Page) -> None:
    assert page.url.endswith("/member/confidentiality")
    tick = page.locator("#id_agree")
    assert not tick.is_checked()
    tick.check()
    page.get_by_role("button", name="確認並繼續").click()


def sign_with_the_passkey(page: Page) -> None:
    """Try to end one of the two granters' duty: signed, and refused for another reason."""
    page.locator("a[href$='/end']").first.click()
    page.get_by_role("button", name="改用通行金鑰").click()
    page.get_by_text("通行金鑰已確認").wait_for()
    page.get_by_role("button", name="結束職務").click()
    assert "至少要保留兩位" in page.inner_text(".errsum")


def test_join_and_return_with_a_passkey(chromium: Browser, invited: list[str], live_server: Any) -> None:
    page, problems = watched(chromium)
    authenticator(page)
    page.goto(invited[0])
    page.get_by_role("button", name="建立通行金鑰").click()
    page.wait_for_url("**/2fa/recovery-codes/")
    assert len(re.findall(r"^\s*\d{8}\s*$", page.inner_text("main"), re.M)) == 10
    page.get_by_role("link", name="我已收好").click()
    acknowledge(page)
    page.goto(live_server.url + "/me")
    page.get_by_role("button", name="登出").click()
    page.goto(live_server.url + "/account/login/?next=/staff/duties")
    page.get_by_role("button", name="用通行金鑰登入").click()
    page.wait_for_url(live_server.url + "/staff/duties")
    assert page.inner_text("h1") == "職務"
    sign_with_the_passkey(page)
    assert problems == []
    account = Account.objects.get(email="lin@centre.example")
    assert list(SignIn.objects.filter(account=account).values_list("second_factor", flat=True)) == [True, True]
    assert ConfidentialityDuty.objects.filter(person=account.person).count() == 1
    page.goto(invited[0])
    assert "這個邀請已失效" in page.inner_text("h1")


def test_join_and_return_with_a_password_and_an_app(chromium: Browser, invited: list[str], live_server: Any) -> None:
    page, problems = watched(chromium)
    page.goto(invited[1])
    page.fill("#id_password", "short")
    page.get_by_role("button", name="設定密碼並繼續").click()
    assert "12" in page.inner_text(".errmsg")
    page.fill("#id_password", PASSWORD)
    page.get_by_role("button", name="設定密碼並繼續").click()
    page.wait_for_url("**/account/second-factor")
    page.get_by_role("link", name="設定App").click()
    secret = page.inner_text("[data-copy-text]")
    page.fill("#id_code", _code(secret))
    page.get_by_role("button", name="確認").click()
    page.wait_for_url("**/2fa/recovery-codes/")
    page.get_by_role("link", name="我已收好").click()
    acknowledge(page)
    page.context.clear_cookies()
    page.goto(live_server.url + "/staff/duties")
    page.fill("#id_login", "chen@centre.example")
    page.fill("#id_password", PASSWORD)
    page.locator("form[action='/account/login/'] button[type=submit]").click()
    page.wait_for_url("**/2fa/authenticate/")
    page.fill("#id_code", _code(secret))
    page.get_by_role("button", name="繼續").click()
    page.wait_for_url(live_server.url + "/staff/duties")
    assert page.inner_text("h1") == "職務"
    assert problems == []


def _code(secret: str) -> str:
    return format_hotp_value(hotp_value(secret.strip(), int(time.time()) // 30))
