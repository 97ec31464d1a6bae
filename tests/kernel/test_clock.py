from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lianfang.kernel import clock

# 2026-11-23 23:30 in Taipei, still the day before in parts of the west.
EVENING = datetime(2026, 11, 23, 15, 30, tzinfo=UTC)


def test_now_is_aware_and_utc() -> None:
    assert clock.utcnow().utcoffset() == timedelta(0)


def test_taipei_is_eight_hours_ahead_without_daylight_saving() -> None:
    for month in (1, 7):
        assert clock.taipei(datetime(2026, month, 1, tzinfo=UTC)).utcoffset() == timedelta(hours=8)


def test_show_is_taipei_time_to_the_minute_and_cuts_seconds() -> None:
    assert clock.show(datetime(2026, 11, 23, 6, 32, 59, tzinfo=UTC)) == "2026-11-23 14:32"


def test_the_day_shown_is_the_day_in_taipei() -> None:
    assert clock.show_date(EVENING) == "2026-11-23"
    assert clock.show_date(EVENING + timedelta(minutes=30)) == "2026-11-24"


def test_a_calendar_day_is_shown_as_it_is() -> None:
    assert clock.show_date(date(2026, 12, 23)) == "2026-12-23"
    assert clock.roc_date(date(2026, 12, 23)) == "中華民國115年12月23日"


def test_roc_date_of_an_instant() -> None:
    assert clock.roc_date(EVENING) == "中華民國115年11月23日"


def test_roc_years_begin_in_1912() -> None:
    assert clock.roc_date(date(1912, 1, 1)) == "中華民國1年1月1日"
    with pytest.raises(ValueError, match="1912"):
        clock.roc_date(date(1911, 12, 31))


def test_weekday_in_chinese() -> None:
    week = [clock.weekday_zh(date(2026, 11, 23) + timedelta(days=n)) for n in range(7)]
    assert week == ["星期一", "星期二", "星期三", "星期四", "星期五", "星期六", "星期日"]
    assert clock.weekday_zh(EVENING + timedelta(hours=1)) == "星期二"


@pytest.mark.parametrize(
    "function",
    [clock.require_aware, clock.utc, clock.taipei, clock.show, clock.show_date, clock.roc_date, clock.weekday_zh],
)
def test_a_naive_datetime_is_refused_everywhere(function: Callable[[datetime], object]) -> None:
    with pytest.raises(ValueError, match="naive"):
        function(datetime(2026, 11, 23, 14, 32))  # noqa: DTZ001


@given(
    at=st.datetimes(
        min_value=datetime(1950, 1, 1),  # noqa: DTZ001
        max_value=datetime(2200, 1, 1),  # noqa: DTZ001
        timezones=st.integers(-14 * 60, 14 * 60).map(lambda m: timezone(timedelta(minutes=m))),
    )
)
@settings(deadline=None)
def test_conversion_keeps_the_instant_whatever_zone_it_came_in(at: datetime) -> None:
    assert clock.utc(at) == at == clock.taipei(at)
    assert clock.utc(at).utcoffset() == timedelta(0)
    assert clock.show(at) == clock.show(clock.utc(at))
    assert clock.show(at).startswith(clock.show_date(at))
