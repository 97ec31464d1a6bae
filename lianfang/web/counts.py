"""The numbers beside the navigation of the staff plane; each speaks only of what its reader may see whole."""

from __future__ import annotations

from typing import cast

from django.http import HttpRequest

from lianfang.intel.models import Version
from lianfang.members import queries
from lianfang.policy import store
from lianfang.policy.facts import State
from lianfang.web.context import count, shell


def register() -> None:
    """Tell the navigation what to count; called once, when the apps are ready."""
    count("inbox", _mine)
    count("applications", _applications)
    count("revocations", _revocations)
    count("quarantine", _quarantined)


def _mine(request: HttpRequest) -> int:
    return _view(request, "mine")


def _applications(request: HttpRequest) -> int:
    return _view(request, "open")


def _revocations(_: HttpRequest) -> int:
    return len(queries.revocations(open_only=True))


def _quarantined(_: HttpRequest) -> int:
    waiting = [number for number, label in store.all_labels().items() if label.state is State.QUARANTINED]
    return Version.objects.filter(label_id__in=waiting).count() if waiting else 0


def _view(request: HttpRequest, name: str) -> int:
    reader = shell(request)["shell"]
    views = queries.inbox_views(person_id=reader.subject.person, at=reader.at)
    return cast(int, next(view for view in views if view.name == name).rows.count())
