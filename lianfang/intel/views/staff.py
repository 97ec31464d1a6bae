"""Pages of the coordinator's people: the quarantine, and the stop of disclosure."""

from __future__ import annotations

from typing import Any

import orjson
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from lianfang.accounts.doors import door, may
from lianfang.accounts.signing import confirm
from lianfang.accounts.views.asked import asked
from lianfang.intel import actions, queries, shown, words
from lianfang.intel.forms import StopForm
from lianfang.intel.intake import QUARANTINES
from lianfang.intel.models import Stop
from lianfang.kernel.refusal import Refusal
from lianfang.policy.facts import Channel, Right, Tlp

_MOST = 200


@require_safe
@door(Right.SUBMIT)
def quarantine(request: HttpRequest) -> HttpResponse:
    """What waits in quarantine, oldest first. Of a RED one analysts see the fact, not the content."""
    subject, at = asked(request).subject, asked(request).at
    if not subject.is_coordinator:
        raise Http404
    asking = queries.asked(Channel.PAGE)
    rows: list[dict[str, Any]] = []
    for version, label in queries.waiting(limit=_MOST):
        seen = queries.get_visible(subject=subject, stix_id=version.item.stix_id, at=at, request=asking)
        readable = seen is not None and seen.version.pk == version.pk
        rows.append({
            "version": version, "label": label, "readable": readable,
            "type": words.type_words(version.item.type),
            "title": shown.title(orjson.loads(bytes(version.original))) if readable else "",
            "source": shown.source_words(subject=subject, label=label, at=at, request=asking),
            "findings": [words.FINDINGS[code] for code in version.findings if code in QUARANTINES],
            "red": label.tlp is Tlp.RED,
        })  # fmt: skip
    return render(request, "intel/quarantine.html", {"rows": rows})


@require_http_methods(["GET", "HEAD", "POST"])
@door(Right.START_STOP)
def stop(request: HttpRequest) -> HttpResponseBase:
    """Start, confirm, and end the stop of disclosure; each step is signed."""
    subject, at = asked(request).subject, asked(request).at
    running = queries.running_stop()
    form = StopForm(request.POST if request.POST.get("act") == "start" else None)
    refusal: Refusal | None = None
    if request.method == "POST":
        try:
            _act(request, running, form)
        except Refusal as refused:
            refusal = refused
        else:
            if not form.errors:
                return redirect("stop")
    context = {
        "running": running, "form": form, "refusal": refusal,
        "can_end": may(subject=subject, right=Right.END_STOP, at=at),
        "own_start": running is not None and running.started_by_id == subject.person,
        "own_ask": running is not None and running.end_asked_by_id == subject.person,
        "past": queries.past_stops(),
    }  # fmt: skip
    return render(request, "intel/stop.html", context, status=422 if refusal or form.errors else 200)


def _act(request: HttpRequest, running: Stop | None, form: StopForm) -> None:
    by, at = asked(request).subject, asked(request).at
    act = request.POST.get("act")
    if act == "start":
        if form.is_valid():
            confirm(request)
            actions.start_stop(by=by, at=at, reason=form.cleaned_data["reason"], drill=form.cleaned_data["drill"])
            messages.success(request, _("Disclosure is stopped. A second person confirms within 60 minutes."))
    elif running is not None and act == "confirm":
        confirm(request)
        actions.confirm_stop(by=by, at=at, stop=running)
        messages.success(request, _("The stop is confirmed."))
    elif running is not None and act == "ask":
        confirm(request)
        actions.ask_to_end_stop(by=by, at=at, stop=running)
        messages.success(request, _("A second person can now end the stop."))
    elif running is not None and act == "end":
        confirm(request)
        actions.end_stop(by=by, at=at, stop=running)
        messages.success(request, _("The stop has ended."))
