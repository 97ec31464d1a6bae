"""Activity of sessions: once a minute, and at every change of what the page of devices shows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from allauth.usersessions.models import UserSession
from django.db import connection
from django.test.utils import CaptureQueriesContext

from lianfang.accounts import middleware
from tests.accounts.cast import Few
from tests.accounts.test_sign_in import signed_in

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 2, 4, 0, 30, tzinfo=UTC)


def writes(client: Any, **headers: str) -> int:
    """How often the next page writes of the session."""
    with CaptureQueriesContext(connection) as seen:
        assert client.get("/me", **headers).status_code == 200
    return sum("usersessions" in one["sql"] and one["sql"].startswith(("UPDATE", "INSERT")) for one in seen)


def test_a_session_is_noted_once_a_minute(cast: Few, monkeypatch: pytest.MonkeyPatch) -> None:
    now = NOON
    monkeypatch.setattr(middleware, "utcnow", lambda: now)
    client = signed_in(cast.admin)
    assert writes(client) == 1
    assert writes(client) == 0
    now = NOON + timedelta(seconds=29)
    assert writes(client) == 0
    now = NOON + timedelta(seconds=30)
    assert writes(client) == 1


def test_another_address_or_browser_is_noted_at_once(cast: Few, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(middleware, "utcnow", lambda: NOON)
    client = signed_in(cast.admin)
    writes(client)
    assert writes(client, HTTP_USER_AGENT="Another/1.0") == 1
    assert writes(client, HTTP_USER_AGENT="Another/1.0") == 0
    assert writes(client, HTTP_USER_AGENT="Another/1.0", REMOTE_ADDR="192.0.2.9") == 1
    kept = UserSession.objects.get(session_key=client.session.session_key)
    assert (kept.ip, kept.user_agent) == ("192.0.2.9", "Another/1.0")


def test_only_so_many_are_remembered(cast: Few, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(middleware, "utcnow", lambda: NOON)
    monkeypatch.setattr(middleware, "_KEPT", 1)
    one, other = signed_in(cast.admin), signed_in(cast.admin)
    door = one.handler
    writes(one)
    other.handler = door  # one process, one memory
    assert writes(other) == 1
    assert writes(one) == 1
