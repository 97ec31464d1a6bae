"""The way of a machine before Django's own: the same middleware and views, without what a page needs around them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from django.core.handlers.wsgi import WSGIRequest
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.log import log_response

from lianfang.exchange.middleware import MachineMiddleware, is_machines

Environment = dict[str, Any]
Application = Callable[..., Any]
"""A WSGI application; Django's stubs give its own an answer that is not said to be bytes."""
Answer = Callable[[HttpRequest], HttpResponseBase]


class MachineDoor:
    """A WSGI application in front of Django's: below /taxii2/ it answers, everything else is handed on.

    `protected` is the middleware that puts the protective headers on every answer. Django's chain holds the same
    `MachineMiddleware`, so that what is asked without this door is answered byte for byte alike.
    """

    def __init__(self, django: Application, *, protected: Callable[[Answer], Answer]) -> None:
        self.django = django
        self.answer = protected(MachineMiddleware(_never))

    def __call__(self, environ: Environment, start_response: Callable[..., object]) -> Iterable[bytes]:
        request = WSGIRequest(environ)
        if not is_machines(request.path_info):
            page: Iterable[bytes] = self.django(environ, start_response)
            return page
        # What Django's signal of a new request does: a connection that broke or grew too old is not used again.
        connection.close_if_unusable_or_obsolete()
        response = self.answer(request)
        assert isinstance(response, HttpResponse)
        if response.status_code >= 400:
            # As Django's own handler does, so that an operator reads of refusals in the same place.
            log_response("%s: %s", response.reason_phrase, request.path, response=response, request=request)
        start_response(f"{response.status_code} {response.reason_phrase}", list(response.items()))
        return [response.content]


def _never(request: HttpRequest) -> HttpResponseBase:
    raise LookupError(f"{request.path_info} is not a machine's")
