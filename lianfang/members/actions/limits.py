"""Editions of the office calendar, the limits that a new one lengthens, and the secret link of a calendar feed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from django.db import IntegrityError, transaction

from lianfang.accounts.doors import require
from lianfang.accounts.queries import keyed_digest
from lianfang.audit.actions import action, record
from lianfang.audit.tags import Tag
from lianfang.kernel.deadlines import Calendar, Deadline
from lianfang.kernel.ids import digest, new_secret
from lianfang.kernel.refusal import Refusal
from lianfang.kernel.text import Bilingual
from lianfang.members.actions.applying import log_event
from lianfang.members.actors import person_of
from lianfang.members.calendar_file import read
from lianfang.members.calendars import calendar_at
from lianfang.members.models import CalendarEdition, FeedLink, Revocation, deadline_fields
from lianfang.policy.facts import Right, Subject

_EDITION = Bilingual(zh="請寫版次，40字以內。", en="Name the edition, 40 characters at most.")
_SOURCE = Bilingual(zh="請寫來源，例如公告的文號。", en="Name the source, such as the number of the announcement.")
_KNOWN = Bilingual(zh="已有這個版次。", en="There is an edition of this name.")


@dataclass(frozen=True, slots=True)
class Difference:
    """What a file would change: days that begin to rest, days that cease to, and limits that become longer."""

    calendar: Calendar
    added: tuple[date, ...]
    removed: tuple[date, ...]
    longer: tuple[tuple[str, date, date], ...]
    """Case, last day as notified, last day by the new edition."""


def compare_calendar(*, content: bytes, edition: str, at: datetime) -> Difference:
    """Return what importing this file would change. Years that it does not hold stay as they are. Raises Refusal."""
    now, found = calendar_at(at), read(content)
    years = set(found.years)
    rest = frozenset(day for day in now.rest_days if day.year not in years) | found.rest_days
    work = frozenset(day for day in now.workdays if day.year not in years) | found.workdays
    calendar = Calendar(edition=edition.strip() or "?", rest_days=rest, workdays=work)
    added = (rest - now.rest_days) | (now.workdays - work)
    removed = (now.rest_days - rest) | (work - now.workdays)
    longer = [(name, limit.last_day, again.last_day) for _, name, limit, again in _longer(calendar, at)]
    return Difference(calendar, tuple(sorted(added)), tuple(sorted(removed)), tuple(longer))


@action(Tag.MEMBERS_CALENDAR_IMPORT)
def import_calendar(*, content: bytes, edition: str, source: str, by: Subject, at: datetime) -> CalendarEdition:
    """Keep a new edition. Limits that run become longer by it where it gives more time, and never shorter."""
    require(subject=by, right=Right.IMPORT_LIST, at=at)
    if not edition.strip() or len(edition.strip()) > 40:
        raise Refusal(_EDITION, rule="calendar-edition", field="edition")
    if not source.strip() or len(source.strip()) > 200:
        raise Refusal(_SOURCE, rule="calendar-source", field="source")
    difference = compare_calendar(content=content, edition=edition, at=at)
    calendar = difference.calendar
    if calendar_at(at).edition == calendar.edition:
        raise Refusal(_KNOWN, rule="calendar-edition", field="edition")
    try:
        with transaction.atomic():
            made = CalendarEdition.objects.create(
                edition=calendar.edition,
                source=source.strip(),
                rest_days=sorted(day.isoformat() for day in calendar.rest_days),
                workdays=sorted(day.isoformat() for day in calendar.workdays),
                file_sha256=digest(content.hex()),
                imported_by_id=person_of(by),
                imported_at=at,
            )
    except IntegrityError:
        raise Refusal(_KNOWN, rule="calendar-edition", field="edition") from None
    for case, name, _, again in _longer(calendar, at):
        prefix = "notice" if name.endswith("notice") else "appeal"
        for column, value in deadline_fields(again, prefix=prefix).items():
            setattr(case, column, value)
        case.save()
        log_event(case=case.number, event="lengthened", by=None, at=at, detail={"last_day": again.last_day.isoformat()})
    record(
        by=by,
        at=at,
        about=made,
        detail={
            "edition": calendar.edition,
            "file": made.file_sha256.hex(),
            "added": [day.isoformat() for day in difference.added],
            "removed": [day.isoformat() for day in difference.removed],
            "longer": [name for name, _, _ in difference.longer],
        },
    )
    return made


def _longer(calendar: Calendar, at: datetime) -> list[tuple[Revocation, str, Deadline, Deadline]]:
    """Return every notified limit that runs and that this calendar lengthens."""
    found = []
    rows = Revocation.objects.select_for_update(of=("self",)).select_related("vault_key").order_by("number")
    with transaction.atomic():
        for case in rows.filter(state__in=["under_review", "proposed", "revoked"]):
            decided = case.state == "revoked"
            limit, name = (case.deadline, case.number) if decided else (case.notice, f"{case.number} notice")
            if limit is None or limit.is_late(at):
                continue
            again = limit.recounted(calendar)
            if again.last_day > limit.last_day:
                found.append((case, name, limit, again))
    return found


@action(Tag.MEMBERS_FEED_MAKE)
def make_feed(*, by: Subject, at: datetime) -> str:
    """Make a secret link to the running limits and return its secret; the one before ends."""
    require(subject=by, right=Right.ENTER_STAFF_PLANE, at=at)
    FeedLink.objects.filter(person=by.person, ended_at__isnull=True).update(ended_at=at)
    secret = new_secret()
    made = FeedLink.objects.create(person_id=person_of(by), secret_digest=keyed_digest(secret), made_at=at)
    record(by=by, at=at, about=made)
    return secret


@action(Tag.MEMBERS_FEED_END)
def end_feed(*, by: Subject, at: datetime) -> None:
    """End one's own link at once."""
    require(subject=by, right=Right.ENTER_STAFF_PLANE, at=at)
    ended = FeedLink.objects.filter(person=by.person, ended_at__isnull=True).update(ended_at=at)
    record(by=by, at=at, about=("accounts.person", str(by.person)), detail={"links": ended})
