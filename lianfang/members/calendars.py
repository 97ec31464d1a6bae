"""The office calendar in force: the edition imported last, else the one that ships."""

from __future__ import annotations

from datetime import date, datetime

from lianfang.kernel.deadlines import TAIWAN_OFFICE, Calendar
from lianfang.members.models import CalendarEdition


def calendar_at(at: datetime) -> Calendar:
    """Return the edition by which a limit is counted that begins to run at that instant."""
    latest = CalendarEdition.objects.filter(imported_at__lte=at).order_by("-imported_at").first()
    return TAIWAN_OFFICE if latest is None else calendar_of(latest)


def calendar_of(edition: CalendarEdition) -> Calendar:
    """Return a stored edition as the calendar that counts."""
    return Calendar(edition=edition.edition, rest_days=_days(edition.rest_days), workdays=_days(edition.workdays))


def named(edition: str) -> Calendar | None:
    """Return the calendar of that edition, for counting a limit again from what was kept; None for an unknown one."""
    if edition == TAIWAN_OFFICE.edition:
        return TAIWAN_OFFICE
    found = CalendarEdition.objects.filter(edition=edition).first()
    return None if found is None else calendar_of(found)


def _days(listed: list[str]) -> frozenset[date]:
    return frozenset(date.fromisoformat(day) for day in listed)
