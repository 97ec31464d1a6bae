"""Where a person is signed in, and when it was last seen there: what the page of devices shows."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock

from allauth.usersessions.models import UserSession
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from lianfang.kernel.clock import utcnow

_KEPT = 10_000


class ActivityMiddleware:
    """Keep where and when a session was last used, once a minute and at every change of address or browser.

    allauth's own middleware does so at every request: four statements and a write before each page. The page of
    devices shows minutes.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        self.lock = Lock()
        self.noted: OrderedDict[str, tuple[str, str, str]] = OrderedDict()
        """Of each session: the minute in which it was last noted, address and browser."""

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        key = request.session.session_key
        if key and request.user.is_authenticated and self._is_news(key, request):
            UserSession.objects.create_from_request(request)
        return self.get_response(request)

    def _is_news(self, key: str, request: HttpRequest) -> bool:
        seen = (
            utcnow().isoformat(timespec="minutes"),
            request.META.get("REMOTE_ADDR", ""),
            request.headers.get("User-Agent", ""),
        )
        with self.lock:
            if self.noted.get(key) == seen:
                return False
            self.noted[key] = seen
            self.noted.move_to_end(key)
            if len(self.noted) > _KEPT:
                self.noted.popitem(last=False)
        return True
