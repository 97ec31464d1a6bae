"""The way of a machine: past sessions, languages and forms, so that nothing below /taxii2/ ever answers with a page."""

from __future__ import annotations

import logging
from collections.abc import Callable

from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import Resolver404, ResolverMatch, resolve

from lianfang.audit.outages import outage
from lianfang.exchange.taxii.errors import TaxiiError, answer, not_found
from lianfang.exchange.taxii.media import TAXII

log = logging.getLogger("lianfang.exchange")
_ROUTES = "lianfang.exchange.urls"
_ELSEWHERE = "taxii_elsewhere"
_PASSING = "This cannot be done at this moment. Sending the same body again is safe: it is taken once."


def is_machines(path: str) -> bool:
    """Return whether a path is one of the doors of machines."""
    return path == "/taxii2" or path.startswith("/taxii2/")


class MachineMiddleware:
    """Answers everything below /taxii2/ itself: it stands behind the protective headers and before all the rest.

    A machine has no session, no language and no form token; and whatever goes wrong, it is told in the standard's own
    form (TAXII 2.1 §3.6.1), a failure of ours without a word about its cause but the number under which it is logged.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not is_machines(request.path_info):
            return self.get_response(request)
        response = _answer(request)
        response.headers["Content-Length"] = str(len(response.content))
        if request.method == "HEAD":
            response.content = b""
        return response


def _answer(request: HttpRequest) -> HttpResponse:
    try:
        request.get_host()
        match = _route(request)
        if match is None:
            raise not_found()
        if isinstance(match, HttpResponse):
            return match
        request.resolver_match = match
        found: HttpResponse = match.func(request, *match.args, **match.kwargs)
        return found
    except TaxiiError as error:
        return answer(error)
    except DisallowedHost:
        return answer(TaxiiError(400, "Bad request", "This host name is not served here."))
    except Exception as error:
        if (passing := outage(error)) is not None:
            busy = TaxiiError(503, "Try again", _PASSING, retry_after=passing.seconds)
            log.warning("error_id %s at %s %s: %s", busy.number, request.method, request.path_info, passing.name)
            return answer(busy)
        failure = TaxiiError(500, "Internal error", "The request failed on our side; name error_id to the operator.")
        log.exception("error_id %s at %s %s", failure.number, request.method, request.path_info)
        return answer(failure)


def _route(request: HttpRequest) -> ResolverMatch | HttpResponse | None:
    """Find the endpoint. A path without its last slash is led there (GET, HEAD) or taken as it is meant (the rest)."""
    path = request.path_info
    match = _match(path)
    if match is None and not path.endswith("/") and (meant := _match(path + "/")) is not None:
        if request.method not in ("GET", "HEAD"):
            return meant
        headers = {"Location": request.get_full_path(force_append_slash=True)}
        return HttpResponse(status=308, content_type=TAXII, headers=headers)
    return match or _resolved(path)


def _match(path: str) -> ResolverMatch | None:
    found = _resolved(path)
    return None if found is None or found.url_name == _ELSEWHERE else found


def _resolved(path: str) -> ResolverMatch | None:
    try:
        return resolve(path, urlconf=_ROUTES)
    except Resolver404:
        return None
