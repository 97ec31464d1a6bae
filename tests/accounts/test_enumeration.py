"""A known address and an unknown one get the same answers, byte for byte but for what was typed and one-time values."""

from __future__ import annotations

import re

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from lianfang.outbox.models import Delivery
from tests.accounts.cast import Few
from tests.accounts.test_pages import browser
from tests.world import PASSWORD

pytestmark = pytest.mark.django_db
KNOWN, UNKNOWN = "member@m1.example", "nobody@m1.example"


@pytest.fixture(autouse=True)
def _fresh_limits(db: None) -> None:
    cache.clear()


def told(client: Client, name: str, email: str, **typed: str) -> tuple[int, str, str]:
    """Status, address and body of the answer, without the address and the values that differ each time."""
    answer = client.post(reverse(name), {**typed, "email" if name != "account_login" else "login": email})
    body = re.sub(r'name="csrfmiddlewaretoken" value="[^"]*"', "", answer.content.decode())
    return answer.status_code, answer.get("Location", ""), body.replace(email, "ADDRESS")


@pytest.mark.parametrize("name", ["account_reset_password", "accounts_lost_factor"])
def test_asking_for_a_link_tells_nothing(cast: Few, name: str) -> None:
    assert told(browser(None), name, KNOWN) == told(browser(None), name, UNKNOWN)
    assert Delivery.objects.filter(kind__in=["password_reset", "lost_factor"]).count() == 1


def test_a_wrong_password_tells_nothing(cast: Few) -> None:
    wrong = {"password": "not the password at all"}
    assert told(browser(None), "account_login", KNOWN, **wrong) == told(
        browser(None), "account_login", UNKNOWN, **wrong
    )


def test_the_right_password_only_leads_to_the_second_factor(cast: Few) -> None:
    client = browser(None)
    answer = client.post(reverse("account_login"), {"login": KNOWN, "password": PASSWORD})
    assert answer["Location"].startswith("/account/2fa/authenticate/")
    assert client.get("/me").status_code == 302


def test_five_wrong_passwords_lock_known_and_unknown_alike(cast: Few) -> None:
    answers = {}
    for email in (KNOWN, UNKNOWN):
        cache.clear()
        wrong = [told(browser(None), "account_login", email, password=f"wrong {n}") for n in range(6)]
        assert wrong[0] != wrong[5]
        answers[email] = wrong
    assert answers[KNOWN] == answers[UNKNOWN]
    locked = browser(None).post(reverse("account_login"), {"login": UNKNOWN, "password": PASSWORD})
    assert locked.status_code == 200


def test_there_is_no_sign_up() -> None:
    for path in ("/account/signup/", "/account/email/", "/account/confirm-email/", "/account/3rdparty/"):
        assert browser(None).get(path).status_code == 404


def test_inviting_tells_an_administrator_nothing_of_other_organisations(cast: Few) -> None:
    client = browser(cast.admin)
    answers = []
    for email in ("reviewer@centre.example", UNKNOWN):
        typed = {"organization": str(cast.organization.pk), "name": "某人", "email": email, "role": "member"}
        answer = client.post(reverse("invite"), typed)
        page = client.get(reverse("people")).content.decode()
        row = next(part for part in page.split("</tr>") if email in part)
        row = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}|value=\"[^\"]*\"|\d\d:\d\d", "", row)
        answers.append((answer.status_code, answer["Location"], row.replace(email, "ADDRESS")))
    assert answers[0] == answers[1]
