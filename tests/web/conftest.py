"""A real browser, as for the tests of pages."""

from __future__ import annotations

from tests.browser.conftest import chromium  # noqa: F401 - a fixture
