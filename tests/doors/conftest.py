"""The walks of every URL: each in one world, and through a site that is set secure, so that its headers are scored with
all that TLS adds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from django.test import override_settings

if TYPE_CHECKING:
    from tests.world import World


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: Any) -> Iterator[World]:
    """One world for a whole walk; what the walk writes is rolled back with it."""
    # Only now: this file is read before Django is set up.
    from django.db import transaction

    from tests.world import build

    with django_db_blocker.unblock(), transaction.atomic():
        yield build()
        transaction.set_rollback(True)


@pytest.fixture(scope="module", autouse=True)
def _secure() -> Iterator[None]:
    with override_settings(SECURE=True, SESSION_COOKIE_SECURE=True, CSRF_COOKIE_SECURE=True):
        yield


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture) -> None:
    """Thousands of answers are 403, 404 or 405, as they should be: each line about one would keep its request alive."""
    caplog.set_level("ERROR", logger="django.request")
