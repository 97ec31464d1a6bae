"""Instants are stored in UTC and shown in Taipei; a datetime without a zone is refused everywhere."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

__all__ = ["TAIPEI", "UTC", "require_aware", "roc_date", "show", "show_date", "taipei", "utc", "utcnow", "weekday_zh"]

TAIPEI = ZoneInfo("Asia/Taipei")

_ROC_EPOCH = 1911
_WEEKDAYS_ZH = ("一", "二", "三", "四", "五", "六", "日")


def utcnow() -> datetime:
    """Return this instant, aware, in UTC. Only doors call it; everything below takes `at`."""
    return datetime.now(UTC)


def require_aware(at: datetime) -> datetime:
    """Return `at` unchanged; raises ValueError when it names no offset from UTC."""
    if at.utcoffset() is None:
        raise ValueError(f"naive datetime {at.isoformat()}: an instant needs a time zone")
    return at


def utc(at: datetime) -> datetime:
    """Return the same instant in UTC. Raises ValueError for a naive datetime."""
    return require_aware(at).astimezone(UTC)


def taipei(at: datetime) -> datetime:
    """Return the same instant on the wall clock of Taipei. Raises ValueError for a naive datetime.

    The last hours of the calendar, which stand for "no end", have no later wall clock: they stay as they are.
    """
    try:
        return require_aware(at).astimezone(TAIPEI)
    except OverflowError:
        return at.replace(tzinfo=TAIPEI)


def show(at: datetime) -> str:
    """Return `2026-11-23 14:32`, Taipei time, to the minute (cut, not rounded)."""
    return taipei(at).strftime("%Y-%m-%d %H:%M")


def show_date(at: datetime | date) -> str:
    """Return `2026-11-23`: the day in Taipei of an instant, or a calendar day as it is."""
    return _day(at).isoformat()


def roc_date(at: datetime | date) -> str:
    """Return `中華民國115年11月23日`, the form of official letters. Raises ValueError before ROC year 1 (1912)."""
    day = _day(at)
    year = day.year - _ROC_EPOCH
    if year < 1:
        raise ValueError(f"{day.isoformat()} lies before year 1 of the Republic (1912)")
    return f"中華民國{year}年{day.month}月{day.day}日"


def weekday_zh(at: datetime | date) -> str:
    """Return `星期一` ... `星期日` for the day in Taipei."""
    return "星期" + _WEEKDAYS_ZH[_day(at).weekday()]


def _day(at: datetime | date) -> date:
    return taipei(at).date() if isinstance(at, datetime) else at
