"""Rows of the negotiation table: what clients really send, and what they get."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lianfang.exchange.taxii.media import acceptable, is_body

TAKEN = [
    None,
    "",
    "application/taxii+json;version=2.1",
    "application/taxii+json; version=2.1",
    'application/taxii+json; version="2.1"',
    "Application/TAXII+JSON;Version=2.1",
    "application/taxii+json",
    "application/taxii+json;version=2.1;q=0.5, text/html;q=0.9",
    "application/taxii+json;version=2.1,application/stix+json;version=2.1",
    "application/vnd.oasis.taxii+json; version=2.0, application/taxii+json;version=2.1",
    "*/*",
    "application/*",
    "application/json, text/plain, */*",
]
REFUSED = [
    "application/vnd.oasis.taxii+json; version=2.0",
    "application/taxii+json;version=2.0",
    "application/taxii+json;version=9.9",
    "text/html",
    "application/taxii+json;version=2.1;q=0",
    "*/*, application/taxii+json;version=2.1;q=0",
    "nonsense",
]


@pytest.mark.parametrize("accept", TAKEN)
def test_is_taken(accept: str | None) -> None:
    assert acceptable(accept)


@pytest.mark.parametrize("accept", REFUSED)
def test_is_refused(accept: str) -> None:
    assert not acceptable(accept)


@pytest.mark.parametrize(
    ("content_type", "read"),
    [
        ("application/taxii+json;version=2.1", True),
        ("application/taxii+json", True),
        ("application/stix+json;version=2.1", True),
        ("application/vnd.oasis.stix+json", True),
        ("application/taxii+json;version=2.0", False),
        ("application/json", False),
        ("application/taxii+json, text/html", False),
        ("", False),
        (None, False),
    ],
)
def test_bodies(content_type: str | None, read: bool) -> None:
    assert is_body(content_type) is read


@given(st.text(max_size=300))
def test_no_header_breaks_it(header: str) -> None:
    assert acceptable(header) in (True, False)
    assert is_body(header) in (True, False)
