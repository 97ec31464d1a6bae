"""The demo's mailbox. Outside a demo none of these pages exists."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from lianfang.outbox import mailbox


def _demo_only(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    @wraps(view)
    def guarded(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        if not settings.DEMO:
            raise Http404
        return view(request, *args, **kwargs)

    return guarded


@require_safe
@_demo_only
def mails(request: HttpRequest) -> HttpResponse:
    """All mails, newest first."""
    return render(request, "outbox/mails.html", {"mails": mailbox.newest(), "most": mailbox.MOST})


@require_safe
@_demo_only
def mail(request: HttpRequest, mail_id: str) -> HttpResponse:
    """One mail as text, its links to be followed; the HTML part is shown as source, never rendered."""
    found = mailbox.find(mail_id)
    if found is None:
        raise Http404
    return render(request, "outbox/mail.html", {"mail": found})


@require_safe
@_demo_only
def mails_json(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """All mails for programs that play the demo."""
    found = [
        {"id": m.id, "to": m.to, "subject": m.subject, "text": m.text, "html": m.html, "at": m.at.isoformat()}
        for m in mailbox.newest()
    ]
    return JsonResponse(found, safe=False, json_dumps_params={"ensure_ascii": False})
