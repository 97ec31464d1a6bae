"""The log of the process: one line a message, with its time; refusals stand in it, and no secret and no name does."""

from __future__ import annotations

import logging
import logging.config
import re

import pytest
from django.conf import settings
from django.core.cache import cache
from django.test import Client, RequestFactory, override_settings
from django.utils.log import log_response

from lianfang.web import errors
from lianfang.web.discreet import Discreet
from tests.world import build

SECRET = "Zq3_-" * 9


def lines(message: str, *arguments: object) -> str:
    """What the log's own formatter and filter make of a message."""
    config = settings.LOGGING["formatters"]["line"]
    record = logging.LogRecord("lianfang.web", logging.WARNING, __file__, 1, message, arguments, None)
    assert Discreet().filter(record)
    return logging.Formatter(config["format"], config["datefmt"]).format(record)


def test_a_line_says_when_with_its_zone() -> None:
    assert re.fullmatch(
        r"2\d{3}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d{4} WARNING lianfang\.web event E-1", lines("event %s", "E-1")
    )


def test_there_is_one_way_out() -> None:
    handlers = settings.LOGGING["handlers"]
    assert [one["class"] for one in handlers.values()] == ["logging.StreamHandler"]
    assert all(one["filters"] == ["discreet"] and one["formatter"] == "line" for one in handlers.values())
    assert settings.LOGGING["root"]["handlers"] == list(handlers)


@pytest.mark.parametrize("path", [f"/invite/{SECRET}", f"/apply/case/{SECRET}/corrections", f"/x\n/{SECRET}"])
def test_secrets_in_addresses_are_blanked(path: str) -> None:
    assert SECRET not in lines("Not Found: %s", path)
    assert "/…" in lines("Not Found: %s", path)


@pytest.mark.parametrize("between", ["\n", "\r\n", "\x1b[2K", "\u2028", "\x85", "\x00"])
def test_a_message_stays_on_its_line(between: str) -> None:
    forged = f"/x{between}2026-11-24T00:00:00+0800 ERROR lianfang.audit the ledger is wrong"
    line = lines("Not Found: %s", forged)
    assert len(line.splitlines()) == 1
    assert line.isprintable()
    assert forged not in line


@pytest.mark.django_db
def test_a_refusal_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    world = build()
    world.client(world.jia.admin).get("/staff/duties")
    world.client(world.operator).get("/staff/settings/appeal_days")
    Client().get("/taxii2/", headers={"Authorization": "Bearer of-nobody"})
    response = errors.forbidden(RequestFactory().get("/x"))
    log_response("%s: %s", response.reason_phrase, "/x", response=response, request=RequestFactory().get("/x"))
    said = caplog.text
    for path in ("/staff/duties", "/taxii2/"):
        assert path in said
    assert "of-nobody" not in said
    assert world.jia.admin.account.email not in said


@pytest.mark.django_db
def test_a_form_of_another_site_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    world = build()
    client = world.client(world.jia.admin)
    client.post("/me", {"theme": "dark"}, headers={"Sec-Fetch-Site": "cross-site"})
    assert "/me" in caplog.text


@pytest.mark.django_db
@override_settings(AUTHENTICATION_BACKENDS=["allauth.account.auth_backends.AuthenticationBackend"])
def test_a_failed_sign_in_is_logged_without_saying_whose(caplog: pytest.LogCaptureFixture) -> None:
    world = build()
    cache.clear()
    email = world.jia.admin.account.email

    def told(login: str) -> str:
        caplog.clear()
        Client().post("/account/login/", {"login": login, "password": "wrong and long enough"})
        found = re.search(r"sign-in refused for ([0-9a-f]{12})", caplog.text)
        assert found, caplog.text
        assert login not in caplog.text
        return found[1]

    assert told(email) == told(email.upper()) != told("nobody@example.com")
