"""Jobs: search rows after a submission, embargoes at their instant, the hour of an unconfirmed stop, old drafts."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import orjson
from django.db import connection, transaction
from django.db.models import QuerySet
from procrastinate.contrib.django import app

from lianfang.accounts import registry
from lianfang.audit.failpoints import failpoint
from lianfang.intel import actions, stix, telling
from lianfang.intel.fold import terms, words_of
from lianfang.intel.models import Draft, Embargo, Stop, Version
from lianfang.kernel.clock import utcnow

_BATCH = 1000


@app.task(name="intel.index", queue="default")
def index(submission: str) -> None:
    """Write the search rows and references of one submission. A second run finds nothing left to do."""
    write_search_rows(Version.objects.filter(submission_id=UUID(submission)))


@app.periodic(cron="* * * * *", periodic_id="intel.sweep")
@app.task(name="intel.sweep", queue="default", queueing_lock="intel.sweep")
def sweep(timestamp: int) -> None:  # noqa: ARG001 - procrastinate says when
    """Do what a lost job left behind, forget old drafts, raise alarms, write to those concerned."""
    at = utcnow()
    write_search_rows(Version.objects.all())
    Draft.objects.filter(created_at__lt=at - timedelta(days=1)).delete()
    confirm_within = timedelta(minutes=registry.value("stop_confirm_minutes", at))
    late = Stop.objects.filter(confirmed_at=None, ended_at=None, alarmed_at=None, started_at__lte=at - confirm_within)
    for stop in late:
        actions.alarm_unconfirmed(stop=stop, at=at)
    telling.tell(at=at)


@app.periodic(cron="* * * * * */2", periodic_id="intel.embargoes")
@app.task(name="intel.open_embargoes", queue="default", queueing_lock="intel.open_embargoes")
def open_embargoes(timestamp: int = 0) -> None:  # noqa: ARG001 - procrastinate says when
    """Open embargoes within seconds of their instant."""
    at = utcnow()
    if Embargo.objects.filter(not_before__lte=at, opened_at=None).exists():
        actions.open_due_embargoes(at=at)


def write_search_rows(versions: QuerySet[Version]) -> int:
    """Write the search rows and references that are missing of these versions; return how many versions that were."""
    total = 0
    missing = versions.filter(search=None).order_by("id").values_list("id", "original", "served")
    while rows := list(missing[:_BATCH]):
        with transaction.atomic():
            _write([(number, bytes(served if served is not None else original)) for number, original, served in rows])
            failpoint("intel.index.before-commit")
        total += len(rows)
    return total


def _write(bodies: list[tuple[int, bytes]]) -> None:
    """Of a body served without its source, because a search must not find what the reader does not get."""
    words, named = [], []
    for number, body in bodies:
        value = orjson.loads(body)
        text = words_of(value)
        words.append((number, text, terms(text)))
        named += [(number, name, target) for name, target in dict.fromkeys(stix.references(value))]
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO intel_searchrow (version_id, folded, tsv) VALUES (%s, %s, array_to_tsvector(%s::text[]))"
            " ON CONFLICT DO NOTHING",
            words,
        )
        cursor.executemany(
            "INSERT INTO intel_reference (version_id, property, target) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
            named,
        )


__all__ = ["index", "open_embargoes", "sweep", "write_search_rows"]
