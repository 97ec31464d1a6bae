"""The whole play in a real browser: an administrator sets the provider up, tries it and switches it on; a colleague
signs in by it; it fails, and the page leads to the way in that is always there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connections, transaction
from playwright.sync_api import Page

from lianfang.accounts.actions import Connection, record_trial, set_up_provider, turn_provider_on
from lianfang.accounts.federation.saml import read_metadata
from lianfang.accounts.models import IdentityProvider, ProviderLink
from tests.accounts.cast import Few, few
from tests.accounts.idp import CLIENT_ID, SECRET, Provider
from tests.accounts.saml_idp import SamlProvider
from tests.accounts.test_browser import chromium, watched
from tests.world import PASSWORD, Actor

__all__ = ["chromium"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def idp() -> Iterator[Provider]:
    with Provider() as found:
        yield found


def sign_in_here(page: Page, url: str, actor: Actor) -> None:
    page.goto(url + "/account/login/")
    page.fill("#id_login", actor.account.email)
    page.fill("#id_password", PASSWORD)
    page.locator("form[action='/account/login/'] button[type=submit]").click()
    page.wait_for_url("**/2fa/authenticate/")
    page.fill("#id_code", actor.code())
    page.get_by_role("button", name="繼續").click()
    page.wait_for_url(lambda found: "authenticate" not in found)


def set_up(page: Page, url: str, cast: Few, idp: Provider) -> str:
    """As the administrator does, page by page; return the sign-in address."""
    page.goto(url + "/member/organisation/people")
    page.get_by_role("link", name="單一登入").click()
    page.get_by_role("link", name="設定身分提供者").click()
    page.fill("#id_issuer", idp.issuer)
    page.fill("#id_client_id", CLIENT_ID)
    page.fill("#id_client_secret", SECRET)
    page.fill("#second_factor_code", cast.admin.code())
    page.get_by_role("button", name="儲存").click()
    page.get_by_role("button", name="試登入").click()
    page.get_by_role("link", name="Sign in").click()
    page.wait_for_url("**/member/organisation/sign-on")
    assert "試登入成功" in page.inner_text("main")
    page.locator("a[href$='/sign-on/emergency']").click()
    for actor in (cast.admin, cast.deputy):
        page.get_by_label(actor.person.name).check()
    page.fill("#second_factor_code", cast.admin.code())
    page.get_by_role("button", name="儲存").click()
    page.get_by_role("link", name="啟用…").click()
    page.fill("#second_factor_code", cast.admin.code())
    page.get_by_role("button", name="啟用").click()
    page.wait_for_url("**/member/organisation/sign-on")
    return page.locator("[data-copy-text]").first.inner_text().strip()


def switched_on(cast: Few, provider: IdentityProvider) -> None:
    by = cast.admin.subject()
    record_trial(provider=provider, set_at=provider.set_at, by=by, at=cast.clock.tick())
    turn_provider_on(by=by, at=cast.clock.tick())
    connections.close_all()


def by_saml(page: Page, cast: Few, address: str) -> None:
    """The same colleague by SAML. Its page is of another site, with whose form the browser sends no cookie of ours."""
    with SamlProvider() as idp:
        peer = read_metadata(idp.metadata().encode())
        given = Connection(protocol="saml", issuer=peer.entity_id, sso_url=peer.sso_url, certificates=peer.certificates)
        switched_on(cast, set_up_provider(given=given, by=cast.admin.subject(), at=cast.clock.tick()))
        assert not ProviderLink.objects.filter(ended_at__isnull=True).exists(), "another issuer is another provider"
        idp.email = cast.member.person.email
        page.goto(address)
        page.get_by_role("button", name="前往貴組織的登入頁").click()
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url("**/confirm")
        page.get_by_role("button", name="是，這是我").click()
        page.fill("#id_code", cast.member.code())
        page.get_by_role("button", name="繼續").click()
        page.wait_for_url(lambda found: "authenticate" not in found)
    assert ProviderLink.objects.filter(ended_at__isnull=True).get().account_id == cast.member.account.pk


def test_a_provider_is_set_up_signs_a_colleague_in_and_fails(
    chromium: Any, live_server: Any, idp: Provider, settings: Any
) -> None:
    settings.LOOPBACK_PROVIDERS = True
    settings.BASE_URL = live_server.url
    cache.clear()
    # In one transaction with the entries of the ledger that it makes: parts of it are written without an action.
    with transaction.atomic():
        cast = few()
    connections.close_all()
    page, problems = watched(chromium)
    sign_in_here(page, live_server.url, cast.admin)
    idp.person = {"sub": "1", "email": cast.admin.person.email, "email_verified": True}
    address = set_up(page, live_server.url, cast, idp)
    assert address == f"{live_server.url}/sign-in/org/{IdentityProvider.objects.get().address}"
    page.context.clear_cookies()

    idp.person = {"sub": "2", "email": cast.member.person.email, "email_verified": True}
    page.goto(address)
    page.get_by_role("button", name="前往貴組織的登入頁").click()
    page.get_by_role("link", name="Sign in").click()
    page.wait_for_url("**/confirm")
    assert cast.member.person.email in page.inner_text("main")
    page.get_by_role("button", name="是，這是我").click()
    page.fill("#id_code", cast.member.code())
    page.get_by_role("button", name="繼續").click()
    page.wait_for_url(lambda found: "authenticate" not in found)
    assert ProviderLink.objects.get().account_id == cast.member.account.pk
    page.goto(live_server.url + "/me")
    assert cast.member.person.name in page.inner_text("main")
    page.context.clear_cookies()

    by_saml(page, cast, address)
    page.context.clear_cookies()

    at = cast.clock.tick()
    given = Connection(protocol="oidc", issuer=idp.issuer, client_id=CLIENT_ID, client_secret=SECRET)
    switched_on(cast, set_up_provider(given=given, by=cast.admin.subject(), at=at))
    idp.broken = "error"
    cache.clear()
    page.goto(address)
    page.get_by_role("button", name="前往貴組織的登入頁").click()
    assert "連不上" in page.inner_text("main")
    page.get_by_role("link", name="在本站以密碼或通行金鑰登入").click()
    assert page.url.endswith("/account/login/")
    assert problems == []
