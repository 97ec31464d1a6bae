"""The walk of every URL goes through a site that is set secure: its headers are scored with all that TLS adds."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.test import override_settings


@pytest.fixture(scope="module", autouse=True)
def _secure() -> Iterator[None]:
    with override_settings(SECURE=True, SESSION_COOKIE_SECURE=True, CSRF_COOKIE_SECURE=True):
        yield
