"""`/healthz`: this process answers. `/readyz`: what it stands on works. For the operator's monitor and the proxy.

Both are answered before sessions and subjects are looked up, so that they tell the truth when the database is away;
they name no person, organisation or item.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path
from django.views.decorators.http import require_safe

from lianfang.accounts.doors import door

__all__ = ["Check", "HealthMiddleware", "checks", "urlpatterns"]

WORKER_SECONDS = 60
SEQUENCER_SECONDS = 120
OUTBOX_SECONDS = 600
MAILBOX_SECONDS = 3600


@dataclass(frozen=True)
class Check:
    """One thing looked at; `said` is a number with its unit or one sentence.

    `aloud` is what anybody may read of it, where that is less: how long ago something was done tells of what is done.
    """

    name: str
    ok: bool
    said: str
    aloud: str = ""


@require_safe
@door.public
def healthz(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """Liveness: touches nothing but this process."""
    return HttpResponse("ok\n", content_type="text/plain; charset=utf-8")


@require_safe
@door.public
def readyz(request: HttpRequest) -> JsonResponse:  # noqa: ARG001
    """Readiness: 200 when every check passes, else 503 with the same body."""
    found = checks()
    ready = all(check.ok for check in found)
    body = {
        "ready": ready,
        "checks": {check.name: {"ok": check.ok, "said": check.aloud or check.said} for check in found},
    }
    return JsonResponse(body, status=200 if ready else 503)


def checks() -> list[Check]:
    """Look at the database, its migrations, the worker, the sequencer and the outbox, in this order."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        first = [Check("database", ok=True, said="answers"), _migrations()]
        if not first[-1].ok:
            return first
        return [
            *first,
            _age("worker", _WORKER, WORKER_SECONDS, empty=False),
            _age("sequencer", _SEQUENCER, SEQUENCER_SECONDS, empty=True),
            _age("outbox", _OUTBOX, OUTBOX_SECONDS, empty=True),
            *_mailbox(),
            *_standby(),
        ]
    except DatabaseError as error:
        # A broken connection must not be kept for the next question.
        connection.close()
        return [Check("database", ok=False, said=f"does not answer ({type(error).__name__})")]


# Seconds since a worker was last heard of.
_WORKER = "SELECT extract(epoch FROM now() - max(last_heartbeat)) FROM procrastinate_workers"
# Age of the oldest entry without a place in the tree. Entries are numbered nearly in order, so the search may begin at
# the newest numbered one, a hundred back for those that were then still open.
_SEQUENCER = """
    SELECT extract(epoch FROM now() - min(entry.at)) FROM audit_entry entry
    WHERE entry.id > coalesce((SELECT entry_id - 100 FROM audit_leaf ORDER BY seq DESC LIMIT 1), 0)
      AND NOT EXISTS (SELECT 1 FROM audit_leaf leaf WHERE leaf.entry_id = entry.id)
"""
# How long the oldest due mail has been waiting.
_OUTBOX = """
    SELECT extract(epoch FROM now() - min(not_before)) FROM outbox_delivery
    WHERE state = 'queued' AND not_before <= now()
"""


_MAILBOX = "SELECT extract(epoch FROM now() - coalesce(succeeded_at, asked_at)) FROM mailroom_mailboxstate"


def hosts() -> int:
    """How many servers DATABASE_URL names: a primary, and its standbys."""
    return len(str(connection.settings_dict["HOST"]).split(","))


def synchronous() -> str:
    """The standbys for which a commit waits on the server we are connected to; empty for none."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('synchronous_standby_names'), current_setting('synchronous_commit')")
        names, waits = cursor.fetchone()
    return str(names) if waits in ("on", "remote_apply") else ""


def _standby() -> Iterator[Check]:
    """Only a warning, since taking every node out of service would help nobody: `lianfang check --deploy` refuses."""
    if hosts() > 1:
        names = synchronous()
        said = f"commits wait for {names}" if names else "warning: commits wait for no standby, one server holds all"
        yield Check("replication", ok=True, said=said)


def _mailbox() -> Iterator[Check]:
    """How long ago the centre's mailbox was last asked with success, where one is set up."""
    if settings.IMAP is not None:
        yield _age("mailbox", _MAILBOX, MAILBOX_SECONDS, empty=True)


def _age(name: str, statement: str, limit: int, *, empty: bool) -> Check:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        (seconds,) = cursor.fetchone() or (None,)
    ok = empty if seconds is None else seconds <= limit
    said = f"{int(seconds)} s (limit {limit} s)" if seconds is not None else "nothing waits"
    if seconds is None and not empty:
        said = "none was ever heard of"
    return Check(name, ok=ok, said=said, aloud=f"within {limit} s" if ok else f"more than {limit} s")


def _migrations() -> Check:
    waiting = _unapplied()
    if waiting:
        _unapplied.cache_clear()
        return Check("migrations", ok=False, said=f"not applied: {', '.join(waiting)}")
    return Check("migrations", ok=True, said="all applied")


@lru_cache(maxsize=1)
def _unapplied() -> tuple[str, ...]:
    """Once all are applied they stay so for the life of this process."""
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return tuple(f"{migration.app_label}.{migration.name}" for migration, _ in plan)


class HealthMiddleware:
    """Answers the two paths before anything that needs the database."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        self.views = {"/healthz": healthz, "/readyz": readyz}

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        view = self.views.get(request.path_info)
        if view is not None and request.method in ("GET", "HEAD"):
            return view(request)
        return self.get_response(request)


urlpatterns: list[URLPattern] = [path("healthz", healthz, name="healthz"), path("readyz", readyz, name="readyz")]
