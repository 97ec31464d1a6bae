from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from lianfang.kernel.clock import TAIPEI, taipei
from lianfang.kernel.deadlines import TAIWAN_OFFICE, Calendar, Deadline, ends_at, last_day, steps

WEEKDAYS_ONLY = Calendar(edition="weekdays", rest_days=frozenset(), workdays=frozenset())


def at(year: int, month: int, day: int, hour: int = 10, minute: int = 0, second: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, second, tzinfo=TAIPEI)


def appeal(event: datetime, calendar: Calendar = TAIWAN_OFFICE) -> Deadline:
    return Deadline.count(event=event, rule="D1", days=30, calendar=calendar)


@pytest.mark.parametrize(
    ("event", "days", "expected"),
    [
        (at(2026, 11, 23), 30, date(2026, 12, 23)),  # a Wednesday
        (at(2026, 1, 15), 30, date(2026, 2, 23)),  # day 30 is the first of nine days of Lunar New Year
        (at(2026, 11, 25), 30, date(2026, 12, 28)),  # day 30 is Constitution Day, a Friday: the Monday after
        (at(2026, 11, 23, 0, 0), 30, date(2026, 12, 23)),
        (at(2026, 11, 23, 23, 59, 59), 30, date(2026, 12, 23)),
        (at(2026, 11, 24, 0, 0), 30, date(2026, 12, 24)),
        (at(2026, 3, 4), 30, date(2026, 4, 7)),  # day 30 is 3 April: Children's Day, Qingming and a weekend
        (at(2026, 5, 29), 1, date(2026, 6, 1)),  # one day from a Friday: Monday
        (at(2026, 12, 2), 30, date(2027, 1, 4)),  # over the turn of the year: 1 January rests
        (at(2028, 1, 30), 30, date(2028, 2, 29)),  # a leap day counts as any other
    ],
)
def test_last_day(event: datetime, days: int, expected: date) -> None:
    assert last_day(event, days, TAIWAN_OFFICE) == expected
    assert last_day(event.astimezone(UTC), days, TAIWAN_OFFICE) == expected, "the zone it is written in is no matter"


def test_a_rest_day_within_the_limit_does_not_lengthen_it() -> None:
    assert last_day(at(2026, 2, 10), 30, TAIWAN_OFFICE) == date(2026, 3, 12)


@pytest.mark.parametrize("days", [0, -1, 3661, 10**9])
def test_a_length_that_no_rule_has_is_refused(days: int) -> None:
    with pytest.raises(ValueError, match="time limit"):
        last_day(at(2026, 11, 23), days, TAIWAN_OFFICE)


def test_the_longest_limit_is_ten_years_and_a_little() -> None:
    assert last_day(at(2026, 11, 23), 3660, WEEKDAYS_ONLY) == date(2036, 12, 1)


def test_a_naive_instant_is_refused_everywhere() -> None:
    naive = datetime(2026, 11, 23)  # noqa: DTZ001
    deadline = appeal(at(2026, 11, 23))
    for call in (lambda: last_day(naive, 30, TAIWAN_OFFICE), lambda: appeal(naive)):
        with pytest.raises(ValueError, match="naive"):
            call()
    for ask in (deadline.is_late, deadline.days_left):
        with pytest.raises(ValueError, match="naive"):
            ask(naive)


def test_it_ends_at_midnight_in_taipei_after_the_last_day() -> None:
    end = ends_at(date(2026, 12, 23))
    assert end == datetime(2026, 12, 23, 16, 0, tzinfo=UTC)
    assert end.utcoffset() == timedelta(0)


def test_one_microsecond_decides() -> None:
    deadline = appeal(at(2026, 11, 23))
    assert not deadline.is_late(at(2026, 12, 23, 23, 59, 59))
    assert not deadline.is_late(deadline.ends_at - timedelta(microseconds=1))
    assert deadline.is_late(deadline.ends_at)
    assert deadline.is_late(at(2026, 12, 24, 0, 0, 0))


@pytest.mark.parametrize(
    ("moment", "left"),
    [
        (at(2026, 11, 23, 10), 30),
        (at(2026, 12, 22, 23, 59, 59), 1),
        (at(2026, 12, 23, 0), 0),
        (at(2026, 12, 23, 23, 59, 59), 0),
        (at(2026, 12, 24, 0), -1),
    ],
)
def test_days_left_are_days_in_taipei(moment: datetime, left: int) -> None:
    assert appeal(at(2026, 11, 23)).days_left(moment) == left
    assert appeal(at(2026, 11, 23)).days_left(moment.astimezone(UTC)) == left


def test_a_deadline_keeps_what_is_needed_to_count_it_again() -> None:
    deadline = appeal(at(2026, 1, 15))
    assert deadline == Deadline(
        event=datetime(2026, 1, 15, 2, tzinfo=UTC),
        rule="D1",
        days=30,
        edition="tw-office-2025+2026+2027p",
        last_day=date(2026, 2, 23),
        ends_at=datetime(2026, 2, 23, 16, tzinfo=UTC),
    )


def test_a_deadline_whose_end_is_not_the_end_of_its_last_day_cannot_be() -> None:
    with pytest.raises(ValueError, match="not the end of 2026-12-23"):
        Deadline(
            event=at(2026, 11, 23),
            rule="D1",
            days=30,
            edition="e",
            last_day=date(2026, 12, 23),
            ends_at=datetime(2026, 12, 23, 15, 59, 59, tzinfo=UTC),
        )


def test_a_holiday_declared_later_lengthens_a_limit() -> None:
    storm = Calendar(edition="storm", rest_days=frozenset({date(2026, 12, 23)}), workdays=frozenset())
    longer = appeal(at(2026, 11, 23)).recounted(storm)
    assert (longer.last_day, longer.edition) == (date(2026, 12, 24), "storm")
    assert longer.ends_at == ends_at(date(2026, 12, 24))


def test_a_limit_already_notified_is_never_shortened() -> None:
    notified = appeal(at(2026, 1, 15))
    assert appeal(at(2026, 1, 15), WEEKDAYS_ONLY).last_day < notified.last_day
    assert notified.recounted(WEEKDAYS_ONLY) == notified


def test_an_edition_that_changes_nothing_leaves_the_limit_as_notified() -> None:
    notified = appeal(at(2026, 11, 23))
    assert notified.recounted(WEEKDAYS_ONLY) is notified


# --- the calendar -------------------------------------------------------------------------------------------------


def test_the_office_calendar_of_2026_rests_120_days_as_published() -> None:
    year = [date(2026, 1, 1) + timedelta(days=n) for n in range(365)]
    assert sum(TAIWAN_OFFICE.is_rest_day(day) for day in year) == 120


def test_the_office_calendar_of_2025_rests_118_days_with_one_saturday_made_up() -> None:
    year = [date(2025, 1, 1) + timedelta(days=n) for n in range(365)]
    assert sum(TAIWAN_OFFICE.is_rest_day(day) for day in year) == 118
    assert TAIWAN_OFFICE.workdays == {date(2025, 2, 8)}


@pytest.mark.parametrize(
    ("first", "last"),
    [
        (date(2026, 2, 14), date(2026, 2, 22)),
        (date(2026, 2, 27), date(2026, 3, 1)),
        (date(2026, 4, 3), date(2026, 4, 6)),
        (date(2026, 5, 1), date(2026, 5, 3)),
        (date(2026, 6, 19), date(2026, 6, 21)),
        (date(2026, 9, 25), date(2026, 9, 28)),
        (date(2026, 10, 9), date(2026, 10, 11)),
        (date(2026, 10, 24), date(2026, 10, 26)),
        (date(2026, 12, 25), date(2026, 12, 27)),
        (date(2027, 2, 4), date(2027, 2, 10)),
    ],
)
def test_long_holidays_are_whole_and_end_where_they_end(first: date, last: date) -> None:
    day = first
    while day <= last:
        assert TAIWAN_OFFICE.is_rest_day(day), day
        day += timedelta(days=1)
    assert not TAIWAN_OFFICE.is_rest_day(first - timedelta(days=1))
    assert not TAIWAN_OFFICE.is_rest_day(last + timedelta(days=1))


# The Act on Commemorative Days and Holidays of 2025; lunar ones by their day in that year. Lunar New Year (with the day
# before its eve) is a run of its own: its substitutes follow it.
HOLIDAYS = {
    2026: ["01-01", "02-28", "04-04", "04-05", "05-01", "06-19", "09-25", "09-28", "10-10", "10-25", "12-25"],
    2027: ["01-01", "02-28", "04-04", "04-05", "05-01", "06-09", "09-15", "09-28", "10-10", "10-25", "12-25"],
    2028: ["01-01"],
}
LUNAR_NEW_YEAR = {2026: (16, 20), 2027: (4, 10)}  # weekdays that rest, first to last, all in February


def by_the_act() -> set[date]:
    """A holiday on a Saturday rests on the workday before, on a Sunday on the workday after."""
    days = {date.fromisoformat(f"{year}-{day}") for year, listed in HOLIDAYS.items() for day in listed}
    rest = {date(year, 2, day) for year, (first, last) in LUNAR_NEW_YEAR.items() for day in range(first, last + 1)}
    rest |= {day for day in days if day.weekday() < 5}
    for day in sorted(days):
        if day.weekday() >= 5:
            step = timedelta(days=-1 if day.weekday() == 5 else 1)
            while day in rest or day.weekday() >= 5:
                day += step
            rest.add(day)
    return {day for day in rest if day.weekday() < 5}


def test_the_rest_days_are_those_of_the_act() -> None:
    assert by_the_act() == {day for day in TAIWAN_OFFICE.rest_days if day.year > 2025}


def test_only_weekdays_are_listed_since_weekends_rest_anyway() -> None:
    assert all(day.weekday() < 5 for day in TAIWAN_OFFICE.rest_days)


def test_a_saturday_may_be_a_workday() -> None:
    saturday = date(2025, 2, 8)
    made_up = Calendar(edition="2025", rest_days=frozenset(), workdays=frozenset({saturday}))
    assert not made_up.is_rest_day(saturday)
    assert made_up.is_rest_day(saturday + timedelta(days=1))
    assert last_day(at(2025, 2, 7), 1, made_up) == saturday


def test_a_calendar_says_which_years_it_knows() -> None:
    assert TAIWAN_OFFICE.covers(date(2026, 7, 1))
    assert TAIWAN_OFFICE.covers(date(2027, 7, 1))
    assert not TAIWAN_OFFICE.covers(date(2028, 7, 1))


@pytest.mark.parametrize("edition", ["", " "])
def test_a_calendar_without_edition_is_refused(edition: str) -> None:
    with pytest.raises(ValueError, match="edition"):
        Calendar(edition=edition, rest_days=frozenset(), workdays=frozenset())


def test_a_day_listed_both_ways_is_refused() -> None:
    day = frozenset({date(2026, 1, 1)})
    with pytest.raises(ValueError, match="2026-01-01"):
        Calendar(edition="e", rest_days=day, workdays=day)


# Each: a day on which a limit begins, its length, its last day. Counted by hand against the office calendars.
WORKED = [
    # The two of the domain brief: an ordinary Wednesday, and one that falls on a Saturday.
    ("2026-11-23", 30, "2026-12-23"), ("2026-11-26", 30, "2026-12-28"),
    # Around the Lunar New Year of 2025 (25 January to 2 February; Saturday 8 February is worked).
    ("2025-01-10", 15, "2025-02-03"), ("2025-01-13", 14, "2025-02-03"), ("2025-01-14", 14, "2025-02-03"),
    ("2025-01-17", 14, "2025-02-03"), ("2025-01-24", 1, "2025-02-03"), ("2025-01-09", 30, "2025-02-08"),
    ("2025-01-10", 30, "2025-02-10"), ("2025-02-07", 1, "2025-02-08"), ("2025-02-08", 1, "2025-02-10"),
    # Around that of 2026 (14 to 22 February).
    ("2026-01-14", 30, "2026-02-13"), ("2026-01-15", 30, "2026-02-23"), ("2026-01-16", 30, "2026-02-23"),
    ("2026-01-20", 30, "2026-02-23"), ("2026-01-23", 30, "2026-02-23"), ("2026-01-24", 30, "2026-02-23"),
    ("2026-01-25", 30, "2026-02-24"), ("2026-02-10", 30, "2026-03-12"), ("2026-02-13", 1, "2026-02-23"),
    # Around that of 2027 (4 to 10 February).
    ("2027-01-04", 30, "2027-02-03"), ("2027-01-05", 30, "2027-02-11"), ("2027-01-11", 30, "2027-02-11"),
    ("2027-01-12", 30, "2027-02-11"), ("2027-01-13", 30, "2027-02-12"), ("2027-01-14", 30, "2027-02-15"),
    # February without and beside a 29th; the holiday of the 28th falls on a Saturday in 2026 and is given before.
    ("2026-01-28", 30, "2026-03-02"), ("2026-01-29", 30, "2026-03-02"), ("2026-01-30", 30, "2026-03-02"),
    ("2028-01-29", 30, "2028-02-28"), ("2028-01-30", 30, "2028-02-29"), ("2028-01-31", 30, "2028-03-01"),
    ("2028-02-28", 1, "2028-02-29"), ("2028-02-29", 1, "2028-03-01"), ("2028-02-29", 366, "2029-03-01"),
    # Year ends.
    ("2025-12-01", 30, "2025-12-31"), ("2025-12-02", 30, "2026-01-02"), ("2025-12-03", 30, "2026-01-02"),
    ("2025-12-31", 1, "2026-01-02"), ("2026-12-01", 30, "2026-12-31"), ("2026-12-02", 30, "2027-01-04"),
    ("2026-12-31", 1, "2027-01-04"), ("2027-12-01", 30, "2028-01-03"),
    # Tomb Sweeping, Labour, Dragon Boat, Mid-Autumn, National Day, Retrocession and Constitution Day.
    ("2026-03-04", 30, "2026-04-07"), ("2026-04-01", 30, "2026-05-04"), ("2026-05-20", 30, "2026-06-22"),
    ("2026-08-26", 30, "2026-09-29"), ("2026-09-09", 30, "2026-10-12"), ("2026-09-24", 30, "2026-10-27"),
    ("2026-11-25", 30, "2026-12-28"), ("2025-03-04", 30, "2025-04-07"), ("2025-08-30", 30, "2025-09-30"),
    ("2025-09-06", 30, "2025-10-07"), ("2025-09-24", 30, "2025-10-27"), ("2025-04-30", 30, "2025-06-02"),
]  # fmt: skip


def test_worked_dates() -> None:
    assert len(WORKED) >= 42
    for begun, days, expected in WORKED:
        day = date.fromisoformat(begun)
        for hour in (0, 12, 23):
            event = datetime(day.year, day.month, day.day, hour, 59, 59, tzinfo=TAIPEI)
            assert last_day(event, days, TAIWAN_OFFICE) == date.fromisoformat(expected), (begun, days, expected)


def test_the_steps_shown_are_those_that_were_counted() -> None:
    shown = steps(at(2026, 1, 16), 30, TAIWAN_OFFICE)
    assert [(one.code, one.day.isoformat()) for one in (shown[0], shown[1], shown[2], shown[-1])] == [
        ("event", "2026-01-16"), ("first", "2026-01-17"), ("counted", "2026-02-15"), ("last", "2026-02-23"),
    ]  # fmt: skip
    assert [one.day.day for one in shown if one.code == "rest"] == [15, 16, 17, 18, 19, 20, 21, 22]
    assert [one.code for one in steps(at(2026, 11, 23), 30, TAIWAN_OFFICE)] == ["event", "first", "counted", "last"]


# --- properties ---------------------------------------------------------------------------------------------------

EVENTS = st.datetimes(
    min_value=datetime(2025, 12, 1),  # noqa: DTZ001
    max_value=datetime(2027, 12, 1),  # noqa: DTZ001
    timezones=st.sampled_from([UTC, TAIPEI]),
)
DAYS = st.dates(date(2026, 1, 1), date(2027, 12, 31))
LIMITS = st.integers(1, 90)


@st.composite
def calendars(draw: st.DrawFn) -> Calendar:
    rest = draw(st.frozensets(DAYS, max_size=40))
    work = draw(st.frozensets(DAYS, max_size=10))
    return Calendar(edition="drawn", rest_days=rest - work, workdays=work)


@given(event=EVENTS, days=LIMITS, calendar=calendars())
@settings(deadline=None, max_examples=200)
def test_the_last_day_is_the_first_working_day_from_the_counted_one(
    event: datetime, days: int, calendar: Calendar
) -> None:
    last = last_day(event, days, calendar)
    counted = taipei(event).date() + timedelta(days=days)
    assert last >= counted
    assert not calendar.is_rest_day(last)
    between = [counted + timedelta(days=n) for n in range((last - counted).days)]
    assert all(calendar.is_rest_day(day) for day in between)


@given(event=EVENTS, days=LIMITS, calendar=calendars(), later=st.timedeltas(timedelta(0), timedelta(days=60)))
@settings(deadline=None, max_examples=200)
def test_whoever_starts_later_never_ends_sooner(
    event: datetime, days: int, calendar: Calendar, later: timedelta
) -> None:
    assert last_day(event + later, days, calendar) >= last_day(event, days, calendar)
    assert last_day(event, days + 1, calendar) >= last_day(event, days, calendar)


@given(event=EVENTS, days=LIMITS, first=calendars(), others=st.lists(calendars(), max_size=4))
@settings(deadline=None, max_examples=100)
def test_no_run_of_editions_ever_shortens_a_limit(
    event: datetime, days: int, first: Calendar, others: list[Calendar]
) -> None:
    deadline = Deadline.count(event=event, rule="D1", days=days, calendar=first)
    for calendar in others:
        again = deadline.recounted(calendar)
        assert again.last_day >= deadline.last_day
        assert again.recounted(calendar) == again
        deadline = again
    assert (deadline.event, deadline.rule, deadline.days) == (event, "D1", days)


@given(event=EVENTS, days=LIMITS, moment=EVENTS)
@settings(deadline=None, max_examples=200)
def test_late_is_exactly_when_no_day_is_left(event: datetime, days: int, moment: datetime) -> None:
    assume(moment >= event)
    deadline = Deadline.count(event=event, rule="D1", days=days, calendar=TAIWAN_OFFICE)
    assert deadline.is_late(moment) == (deadline.days_left(moment) < 0)
