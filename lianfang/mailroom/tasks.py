"""Jobs of the mailroom. They may run twice: a mail is taken once."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection
from procrastinate.contrib.django import app

from lianfang.kernel.clock import utcnow
from lianfang.mailroom import actions, fetch, queries
from lianfang.mailroom.models import MailboxState
from lianfang.policy.facts import Subject

log = logging.getLogger(__name__)
MOST_WAITING = timedelta(minutes=30)
# Any constant that no other advisory lock of this database uses.
_ONE_AT_A_TIME = 0x6C66_0027


@app.periodic(cron="* * * * *", periodic_id="mailroom.fetch")
@app.task(name="mailroom.fetch", queue="default", queueing_lock="mailroom.fetch")
def fetch_mail(timestamp: int) -> None:  # noqa: ARG001 - the scheduler gives it
    """Ask the mailbox, unless it is not set up or was away lately."""
    run(clock=utcnow)


@app.periodic(cron="50 2 * * *", periodic_id="mailroom.forget")
@app.task(name="mailroom.forget", queue="default", queueing_lock="mailroom.forget")
def forget(timestamp: int) -> None:  # noqa: ARG001 - the scheduler gives it
    """Destroy the content of mails that were rejected long ago."""
    actions.forget_rejected(by=Subject.system("mailroom.forget"), at=utcnow())


def run(*, clock: Callable[[], datetime]) -> fetch.Round | None:
    """Fetch until nothing waits, one worker at a time; after each failure the next try is twice as far away.

    Returns what was done, None when nothing was tried. Never raises for a mailbox that is away.
    """
    account, at = settings.IMAP, clock()
    if account is None:
        return None
    state = queries.mailbox()
    if state.not_before is not None and at < state.not_before:
        return None
    if not _locked():
        return None
    try:
        done = fetch.fetch(account, clock=clock)
    except fetch.Unavailable as away:
        failures = state.failures + 1
        wait = min(timedelta(minutes=2 ** min(failures - 1, 8)), MOST_WAITING)
        log.warning("mailroom: the mailbox cannot be used (%s); the next try is in %s", away, wait)
        _note(asked_at=at, failures=failures, not_before=at + wait, said=str(away)[:200])
        return None
    finally:
        _unlock()
    _note(asked_at=at, succeeded_at=at, failures=0, not_before=None, said="", stuck=done.stuck)
    return done


def _note(**fields: object) -> None:
    MailboxState.objects.update_or_create(pk=1, defaults=fields)


def _locked() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [_ONE_AT_A_TIME])
        (got,) = cursor.fetchone()
    return bool(got)


def _unlock() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_unlock(%s)", [_ONE_AT_A_TIME])
