"""Time limits in days, as the Civil Code of Taiwan counts them (articles 119 to 122), in Asia/Taipei.

The first day is not counted (120 II), a limit ends when its last day ends (121 I), and a last day that is a Sunday, a
commemorative day or another rest day gives way to the next working day (122).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from lianfang.kernel.clock import TAIPEI, require_aware, taipei, utc

_SATURDAY = 5
_DAY = timedelta(days=1)
# No limit of the charter or of the laws it names comes near; more is a slip of the pen.
_MOST_DAYS = 3660


@dataclass(frozen=True, slots=True)
class Calendar:
    """One edition of the office calendar: which days are rest days.

    Saturday and Sunday rest unless listed in `workdays`; other days work unless listed in `rest_days`. `edition` is
    kept with each time limit that was counted by it. Days of years not listed go by weekday alone: see `covers`.
    Raises ValueError without an edition, or for a day listed both ways.
    """

    edition: str
    rest_days: frozenset[date]
    workdays: frozenset[date]

    def __post_init__(self) -> None:
        if not self.edition.strip():
            raise ValueError("a calendar needs the name of its edition")
        if both := sorted(self.rest_days & self.workdays):
            raise ValueError(f"calendar {self.edition}: {both[0]} is listed as rest day and as workday")

    def is_rest_day(self, day: date) -> bool:
        """Return whether offices rest on that day."""
        if day in self.workdays:
            return False
        return day.weekday() >= _SATURDAY or day in self.rest_days

    def covers(self, day: date) -> bool:
        """Return whether this edition knows the holidays of that day's year."""
        return any(listed.year == day.year for listed in self.rest_days)

    def next_workday(self, day: date) -> date:
        """Return `day` itself when it is a working day, else the first one after it."""
        while self.is_rest_day(day):
            day += _DAY
        return day


def last_day(event: datetime, days: int, calendar: Calendar) -> date:
    """Return the last day of a limit of `days` days that begins with `event`.

    The day of the event is its day in Taipei. Raises ValueError for a naive datetime and unless 1 <= days <= 3660.
    """
    if not 1 <= days <= _MOST_DAYS:
        raise ValueError(f"a time limit of {days} days: give 1 to {_MOST_DAYS}")
    return calendar.next_workday(taipei(event).date() + days * _DAY)


def ends_at(last_day: date) -> datetime:
    """Return the first instant (UTC) that is too late: midnight in Taipei after the last day."""
    return datetime.combine(last_day + _DAY, time.min, tzinfo=TAIPEI).astimezone(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadline:
    """A time limit with everything needed to count it again.

    `event` is the instant that set it running, `rule` the id of the limit, `days` its length when it was set, `edition`
    the calendar by which `last_day` was found, `ends_at` the first instant (UTC) that is late.
    """

    event: datetime
    rule: str
    days: int
    edition: str
    last_day: date
    ends_at: datetime

    def __post_init__(self) -> None:
        require_aware(self.event)
        if require_aware(self.ends_at) != ends_at(self.last_day):
            raise ValueError(f"deadline {self.rule}: {self.ends_at} is not the end of {self.last_day} in Taipei")

    @classmethod
    def count(cls, *, event: datetime, rule: str, days: int, calendar: Calendar) -> Deadline:
        """Count a limit from its event. Raises ValueError as `last_day` does."""
        last = last_day(event, days, calendar)
        return cls(
            event=utc(event), rule=rule, days=days, edition=calendar.edition, last_day=last, ends_at=ends_at(last)
        )

    def recounted(self, calendar: Calendar) -> Deadline:
        """Return the limit by another edition of the calendar, or this one when that would end it sooner.

        A limit that was notified is never shortened; a holiday declared later may lengthen it.
        """
        again = Deadline.count(event=self.event, rule=self.rule, days=self.days, calendar=calendar)
        return again if again.last_day > self.last_day else self

    def is_late(self, at: datetime) -> bool:
        """Return whether an act at that instant comes too late: 23:59:59 on the last day does not, 00:00:00 does."""
        return require_aware(at) >= self.ends_at

    def days_left(self, at: datetime) -> int:
        """Return the days in Taipei until the last day: 0 on it, negative once it is over."""
        return (self.last_day - taipei(at).date()).days


@dataclass(frozen=True, slots=True)
class Step:
    """One step of counting a limit: a code (`event`, `first`, `counted`, `rest`, `last`) and the day it is about."""

    code: str
    day: date


def steps(event: datetime, days: int, calendar: Calendar) -> list[Step]:
    """Return how `last_day` gets there, step by step, for a page that shows it. Raises ValueError as `last_day`."""
    last = last_day(event, days, calendar)
    begin = taipei(event).date()
    counted = begin + days * _DAY
    rests = [Step("rest", counted + n * _DAY) for n in range((last - counted).days)]
    return [Step("event", begin), Step("first", begin + _DAY), Step("counted", counted), *rests, Step("last", last)]


def _days(year: int, *listed: tuple[int, int]) -> Iterable[date]:
    return (date(year, month, day) for month, day in listed)


# Weekdays on which the government's offices rest. 2025: office calendar as changed in May by the Act on Commemorative
# Days and Holidays (118 rest days; one Saturday made up for a day before the Lunar New Year).
# 2026: office calendar of the Executive Yuan, letter 院授人培字第
# 11430248312號 of 2025-06-13 (120 rest days, no make-up workday). 2027: counted from the Act on Commemorative Days and
# Holidays of 2025 (a Saturday moves to the workday before, a Sunday to the one after), with the substitutes for the
# Lunar New Year after it, as that can only lengthen a limit; to be replaced by the published calendar.
TAIWAN_OFFICE = Calendar(
    edition="tw-office-2025+2026+2027p",
    rest_days=frozenset(
        [
            *_days(2025, (1, 1), (1, 27), (1, 28), (1, 29), (1, 30), (1, 31), (2, 28), (4, 3), (4, 4), (5, 30)),
            *_days(2025, (9, 29), (10, 6), (10, 10), (10, 24), (12, 25)),
            *_days(2026, (1, 1), (2, 16), (2, 17), (2, 18), (2, 19), (2, 20), (2, 27), (4, 3), (4, 6), (5, 1)),
            *_days(2026, (6, 19), (9, 25), (9, 28), (10, 9), (10, 26), (12, 25)),
            *_days(2027, (1, 1), (2, 4), (2, 5), (2, 8), (2, 9), (2, 10), (3, 1), (4, 5), (4, 6), (4, 30)),
            *_days(2027, (6, 9), (9, 15), (9, 28), (10, 11), (10, 25), (12, 24), (12, 31)),
        ]
    ),
    workdays=frozenset(_days(2025, (2, 8))),
)
