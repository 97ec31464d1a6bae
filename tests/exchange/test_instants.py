"""Timestamps as clients send them, and the one way we write them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lianfang.exchange.taxii import instants

AT = datetime(2026, 11, 23, 6, 32, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "micro"),
    [
        ("2026-11-23T06:32:00Z", 0),
        ("2026-11-23T06:32:00.5Z", 500_000),
        ("2026-11-23T06:32:00.123Z", 123_000),
        ("2026-11-23T06:32:00.123456Z", 123_456),
        ("2026-11-23T06:32:00.123456999Z", 123_456),
        ("2026-11-23T06:32:00+00:00", 0),
        ("2026-11-23T06:32:00 00:00", 0),
    ],
)
def test_reads_what_clients_send(text: str, micro: int) -> None:
    assert instants.read(text) == AT.replace(microsecond=micro)


@pytest.mark.parametrize(
    "text",
    ["", "now", "2026-11-23", "2026-11-23T06:32Z", "2026-02-30T00:00:00Z", "2026-11-23T25:00:00Z",
     "٢026-11-23T06:32:00Z", "2026-11-23T06:32:00+08:00", "2026-11-23T06:32:00.1234567890Z", "2026-11-23T06:32:00Z\n"],
)  # fmt: skip
def test_refuses_the_rest(text: str) -> None:
    assert instants.read(text) is None


def test_a_leap_second_is_the_instant_before_the_next_minute() -> None:
    assert instants.read("2026-12-31T23:59:60Z") == datetime(2026, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)


@given(st.datetimes(min_value=datetime(1970, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001 - hypothesis wants it naive
def test_there_and_back(at: datetime) -> None:
    written = instants.write(at)
    assert instants.read(written) == at
    assert len(written) == len("2026-11-23T06:32:00.000000Z")


@given(st.text(max_size=40))
def test_nothing_breaks_it(text: str) -> None:
    found = instants.read(text)
    assert found is None or found.tzinfo is UTC
