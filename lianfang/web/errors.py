"""Pages for what went wrong and for every no: in words, with the way out; or the one page that says nothing (404)."""

from __future__ import annotations

import logging
import secrets
import sys

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.views.decorators.csrf import requires_csrf_token

from lianfang.audit.outages import Outage, outage
from lianfang.kernel.refusal import Refusal
from lianfang.kernel.text import Bilingual

log = logging.getLogger("lianfang.web")
# Without I, L, O and U: read out over the telephone, no character is mistaken for another.
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_LAST_RESORT = (
    '<!doctype html><html lang="zh-Hant-TW"><meta charset="utf-8"><title>聯防</title><h1>系統暫時無法處理</h1>'
    '<p>事件編號 {event}</p><p lang="en">We cannot process this now. Event {event}</p></html>'
)


def event_number() -> str:
    """Return a new number such as `E-7K3M2Q` under which an error is found in the log."""
    return "E-" + "".join(secrets.choice(_ALPHABET) for _ in range(6))


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """400: the request itself cannot be read. What it held is not repeated."""
    del exception
    return render(request, "web/bad_request.html", status=400)


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """403 without a rule of the policy (raised by a library)."""
    del exception
    return render(request, "web/forbidden.html", status=403)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """404: one page for what does not exist and for what this reader may not see.

    The page holds nothing of the address (no path, no form token), so that both are byte for byte the same.
    """
    del exception
    return render(request, "web/not_found.html", status=404)


@requires_csrf_token
def server_error(request: HttpRequest) -> HttpResponse:
    """500 with an event number, which the log holds too; 503 for what passes by itself. Must itself never fail."""
    event = event_number()
    # Django calls this while it handles the exception, and does not hand it over.
    passing = outage(sys.exc_info()[1])
    if passing is not None:
        return unavailable(request, passing, event=event)
    log.error("event %s at %s %s", event, request.method, request.path)
    try:
        html: str = render_to_string("web/server_error.html", {"event": event}, request=request)
    except Exception:
        log.exception("event %s: its page could not be made", event)
        html = _LAST_RESORT.format(event=event)
    return HttpResponse(html, status=500)


def unavailable(request: HttpRequest, passing: Outage, *, event: str) -> HttpResponse:
    """503: the database is busy or away, or a disk is full. When to ask again, and that it is safe to. Never fails."""
    log.warning("event %s at %s %s: %s", event, request.method, request.path, passing.name)
    try:
        html: str = render_to_string("web/unavailable.html", {"event": event, "passing": passing}, request=request)
    except Exception:
        html = _LAST_RESORT.format(event=event)
    response = HttpResponse(html, status=503)
    response.headers["Retry-After"] = str(passing.seconds)
    return response


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403 when a form came without its token (an old tab, cookies off): what to do, nothing was changed."""
    log.info("form token refused at %s: %s", request.path, reason)
    return render(request, "web/csrf.html", status=403)


def no_role(
    request: HttpRequest, *, role: Bilingual, holders: list[str] | None = None, status: int = 403
) -> HttpResponse:
    """The thing is known, the role is missing: say which role, and which of the reader's colleagues hold it."""
    return render(request, "web/no_role.html", {"role": role, "holders": holders or []}, status=status)


def refused(request: HttpRequest, refusal: Refusal) -> HttpResponse:
    """403 in words: what speaks against it, the clause, the rule."""
    return render(request, "web/refused.html", {"refusal": refusal}, status=403)
