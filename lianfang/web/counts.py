"""The numbers beside the navigation of the staff plane; each speaks only of what its reader may see whole."""

from __future__ import annotations

from django.http import HttpRequest

from lianfang.intel import queries as intel
from lianfang.mailroom import queries as mailroom
from lianfang.members import changes, queries
from lianfang.web.context import count, shell


def register() -> None:
    """Tell the navigation what to count; called once, when the apps are ready."""
    count("inbox", _mine)
    count("mailroom", _mails)
    count("applications", _applications)
    count("changes", _changes)
    count("revocations", _revocations)
    count("terminations", _terminations)
    count("quarantine", _quarantined)


def _mine(request: HttpRequest) -> int:
    return _view(request, "mine")


def _mails(_: HttpRequest) -> int:
    return mailroom.waiting_count()


def _applications(request: HttpRequest) -> int:
    return _view(request, "open")


def _changes(_: HttpRequest) -> int:
    return changes.open_count()


def _revocations(_: HttpRequest) -> int:
    return queries.open_revocations()


def _terminations(_: HttpRequest) -> int:
    return queries.open_terminations()


def _quarantined(_: HttpRequest) -> int:
    return intel.waiting_count()


def _view(request: HttpRequest, name: str) -> int:
    reader = shell(request)["shell"]
    views = queries.inbox_views(person_id=reader.subject.person, at=reader.at)
    return next(view for view in views if view.name == name).rows.count()
