"""Passwords, second factors and signing, where allauth meets the product."""

from __future__ import annotations

import re
import time

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, generate_totp_secret, hotp_value
from django.core.cache import cache
from django.db import connection
from django.test import Client, RequestFactory
from django.urls import reverse

from lianfang.accounts.adapter import MfaAdapter
from lianfang.accounts.models import SignIn
from lianfang.accounts.signing import confirm
from lianfang.audit.models import Entry
from lianfang.kernel.refusal import Refusal
from lianfang.outbox.models import Delivery
from tests.accounts.cast import Few
from tests.accounts.test_pages import browser
from tests.world import PASSWORD, Actor

pytestmark = pytest.mark.django_db
NEW = "quite another long sentence"


@pytest.fixture(autouse=True)
def _fresh_limits(db: None) -> None:
    cache.clear()


def signed_in(actor: Actor) -> Client:
    """Through the pages: password, then a recovery code."""
    client = browser(None)
    client.post(reverse("account_login"), {"login": actor.account.email, "password": PASSWORD})
    answer = client.post(reverse("mfa_authenticate"), {"code": actor.code()})
    assert answer.status_code == 302
    return client


def test_signing_in_is_recorded_with_its_second_factor(cast: Few) -> None:
    client = signed_in(cast.admin)
    assert client.get(reverse("people")).status_code == 200
    assert SignIn.objects.get(account=cast.admin.account).second_factor
    assert Entry.objects.filter(tag="accounts:session:open").count() == 1


def test_without_a_factor_the_set_up_comes_first_and_leads_back(cast: Few) -> None:
    Authenticator.objects.filter(user=cast.admin.account).delete()
    client = browser(cast.admin, mfa=False)
    answer = client.get(reverse("people"))
    assert answer["Location"] == "/account/second-factor?next=%2Fmember%2Forganisation%2Fpeople"
    client.get(answer["Location"])
    page = client.get(reverse("mfa_activate_totp"))
    secret = re.search(r"data-copy-text>\s*([A-Z2-7]+)", page.content.decode())
    assert secret
    code = format_hotp_value(hotp_value(secret[1], int(time.time()) // 30))
    assert client.post(reverse("mfa_activate_totp"), {"code": code}).status_code == 302


def test_a_changed_password_is_audited_mailed_and_ends_other_sessions(cast: Few) -> None:
    other, client = signed_in(cast.admin), signed_in(cast.admin)
    typed = {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW}
    assert client.post(reverse("account_change_password"), typed).status_code == 302
    assert Entry.objects.filter(tag="accounts:password:change").count() == 1
    assert "密碼已變更" in Delivery.objects.get(kind="account_changed").body_text
    assert client.get("/me").status_code == 200
    assert other.get("/me").status_code == 302


def test_a_reset_link_names_this_installation_and_works_once(cast: Few) -> None:
    client = Client(HTTP_HOST="127.0.0.1")
    client.post(reverse("account_reset_password"), {"email": cast.member.account.email})
    mail = Delivery.objects.get(kind="password_reset").body_text
    path = mail.split("http://localhost:8000")[1].split()[0]
    form = client.get(path, follow=True)
    where = form.redirect_chain[-1][0]
    assert client.post(where, {"password1": NEW, "password2": NEW}).status_code == 302
    cast.member.account.refresh_from_db()
    assert cast.member.account.check_password(NEW)
    assert Authenticator.objects.filter(user=cast.member.account).exists(), "the second factor stays"
    again = Client(HTTP_HOST="localhost").get(path)
    assert "這個連結已失效" in again.content.decode()


def test_secrets_of_factors_are_sealed(cast: Few) -> None:
    secret = generate_totp_secret()
    Authenticator.objects.filter(user=cast.admin.account).delete()
    TOTP.activate(cast.admin.account, secret)
    with connection.cursor() as cursor:
        cursor.execute("SELECT data::text FROM mfa_authenticator WHERE user_id = %s", [cast.admin.account.pk])
        (kept,) = cursor.fetchone()
    assert secret not in kept
    adapter = MfaAdapter()
    assert adapter.decrypt(adapter.encrypt(secret)) == secret
    assert adapter.encrypt(secret) != adapter.encrypt(secret)


def test_the_code_to_scan_has_no_style_of_its_own() -> None:
    drawn = MfaAdapter().build_totp_svg("otpauth://totp/x?secret=ABC")
    assert drawn.startswith("<svg")
    assert "style" not in drawn


@pytest.mark.parametrize(
    "typed",
    [
        {},
        {"second_factor_code": " "},
        {"second_factor_code": "123456"},
        {"second_factor_credential": "{}"},
        {"second_factor_credential": "no json"},
    ],
)
def test_nothing_else_signs(cast: Few, typed: dict[str, str]) -> None:
    client = browser(cast.admin)
    path = reverse("person_leaves", args=[cast.deputy.affiliation.pk])
    answer = client.post(path, typed)
    assert answer.status_code == 422
    assert answer.context["refusal"].field == "second_factor_code"


def test_nobody_signs_without_being_signed_in() -> None:
    request = RequestFactory().post("/", {"second_factor_code": "123456"})
    request.user = type("Anonymous", (), {"is_authenticated": False})()
    with pytest.raises(Refusal):
        confirm(request)


def test_the_options_of_a_passkey_are_given_to_the_signed_in_alone(cast: Few) -> None:
    assert browser(None).get(reverse("accounts_sign_options")).status_code == 302
    answer = browser(cast.admin).get(reverse("accounts_sign_options"))
    assert "publicKey" in answer.json()["request_options"]


def test_removing_the_app_is_recorded(cast: Few) -> None:
    client = signed_in(cast.admin)
    assert client.post(reverse("mfa_deactivate_totp")).status_code == 302
    assert Entry.objects.filter(tag="accounts:factor:remove").exists()
    assert client.get(reverse("people"))["Location"].startswith("/account/second-factor")


@pytest.mark.parametrize("elsewhere", ["https://evil.example/x", "//evil.example", "javascript:alert(1)"])
def test_nobody_is_led_elsewhere(cast: Few, elsewhere: str) -> None:
    client = browser(cast.admin)
    assert client.get(reverse("accounts_factor_setup"), {"next": elsewhere})["Location"] == "/home"
    answer = client.post(reverse("confidentiality"), {"agree": "on", "next": elsewhere})
    assert answer["Location"] == "/home"
