"""How long a session lasts: an hour without use, twelve hours in all; and it changes its name when its owner confirms.

Times stand in the session itself and are written once a minute at most.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Final

from allauth.account.authentication import get_authentication_records
from allauth.usersessions.models import UserSession
from django.contrib.auth import logout
from django.http import HttpRequest
from django.http.response import HttpResponseBase

__all__ = ["IDLE", "LONGEST", "SessionLimits", "begin"]

IDLE: Final = 3600
LONGEST: Final = 12 * 3600
_MINUTE: Final = 60
_BEGAN: Final = "began"
_SEEN: Final = "seen"


def begin(request: HttpRequest) -> None:
    """Note in the session of whoever has just signed in when that was."""
    request.session[_BEGAN] = request.session[_SEEN] = int(time.time())


class SessionLimits:
    """Behind authentication: ends what is over, before anything is decided for it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return self.get_response(request)
        now = int(time.time())
        if _over(request.session, now):
            logout(request)
            return self.get_response(request)
        request.session.setdefault(_BEGAN, now)
        if now - request.session.get(_SEEN, 0) >= _MINUTE:
            request.session[_SEEN] = now
        before, name = _confirmations(request), request.session.session_key
        response = self.get_response(request)
        # A session that was signed in anew meanwhile has its new name already; one that was ended needs none.
        same = request.user.is_authenticated and request.session.session_key == name
        if same and _confirmations(request) > before:
            request.session.cycle_key()
            UserSession.objects.purge_and_list(request.user)
            UserSession.objects.create_from_request(request)
        return response


def _over(session: Any, now: int) -> bool:
    seen, began = int(session.get(_SEEN, now)), int(session.get(_BEGAN, now))
    return now - seen >= IDLE or now - began >= LONGEST


def _confirmations(request: HttpRequest) -> int:
    return sum(1 for one in get_authentication_records(request, request.user) if one.get("reauthenticated"))
