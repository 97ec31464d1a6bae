"""Every limit that runs, the office calendar, the calendar feed, and legal holds: pages of the staff."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from lianfang.accounts import paging
from lianfang.accounts.doors import door, may
from lianfang.accounts.views.asked import asked
from lianfang.kernel.refusal import Refusal
from lianfang.members import actions, case_kinds, feeds, queries, running
from lianfang.members.calendars import calendar_at
from lianfang.members.forms import CalendarForm, HoldForm, as_errors
from lianfang.policy.facts import Right


@require_safe
@door.staff
def deadlines(request: HttpRequest) -> HttpResponse:
    """Every limit that runs, how each was counted, and the table of rules."""
    at = asked(request).at
    rows = running.running(at)
    page = paging.part(rows, request.GET.dict())
    context = {
        "rows": [(one, one.days_left(at), -one.days_left(at), one.steps()) for one in page.rows],
        "page": page,
        "count": len(rows),
        "rules": running.rules(at),
        "calendar": calendar_at(at),
        "link": feeds.link_of(asked(request).subject.person),
        "secret": request.session.pop("feed", ""),
        "may_import": may(subject=asked(request).subject, right=Right.IMPORT_LIST, at=at),
    }
    return render(request, "members/staff/deadlines.html", context)


@require_POST
@door.staff
def feed_change(request: HttpRequest) -> HttpResponseBase:
    """Make one's secret link to the limits, shown once; or end it."""
    if "end" in request.POST:
        actions.end_feed(by=asked(request).subject, at=asked(request).at)
        messages.success(request, _("The link is dead."))
    else:
        secret = actions.make_feed(by=asked(request).subject, at=asked(request).at)
        request.session["feed"] = request.build_absolute_uri(reverse("deadline_feed", args=[secret]))
    return redirect("deadlines")


@require_safe
@door.public
def feed(request: HttpRequest, secret: str) -> HttpResponse:
    """The limits as a calendar, for whoever holds a live link of somebody who still is of the staff."""
    at = asked(request).at
    if not feeds.opens(secret, at):
        raise Http404
    answer = HttpResponse(running.ics(running.running(at), at), content_type="text/calendar; charset=utf-8")
    answer["Content-Disposition"] = 'attachment; filename="limits.ics"'
    answer["Cache-Control"] = "no-store"
    return answer


@require_http_methods(["GET", "HEAD", "POST"])
@door(Right.IMPORT_LIST)
def calendar(request: HttpRequest) -> HttpResponseBase:
    """Import an edition of the office calendar: what changes is shown before it is kept."""
    form = CalendarForm(request.POST or None)
    at, difference = asked(request).at, None
    if request.method == "POST" and form.is_valid():
        content = form.cleaned_data["text"].encode()
        try:
            difference = actions.compare_calendar(content=content, edition=form.cleaned_data["edition"], at=at)
            if "keep" in request.POST:
                actions.import_calendar(
                    content=content,
                    edition=form.cleaned_data["edition"],
                    source=form.cleaned_data["source"],
                    by=asked(request).subject,
                    at=at,
                )
                messages.success(request, _("The edition is in use from now on."))
                return redirect("deadlines")
        except Refusal as refusal:
            difference = None
            as_errors(form, refusal)
    context = {"form": form, "difference": difference, "calendar": calendar_at(at)}
    return render(request, "members/staff/calendar.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@door.staff
def holds(request: HttpRequest) -> HttpResponseBase:
    """Cases under legal hold; placing one."""
    form = HoldForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            actions.place_hold(**form.cleaned_data, by=asked(request).subject, at=asked(request).at)
        except Refusal as refusal:
            as_errors(form, refusal)
        else:
            messages.success(request, _("Held. Nothing of the case is purged."))
            return redirect("holds")
    held = [(one, case_kinds.staff_page(one.case)) for one in queries.holds()]
    context = {"form": form, "holds": held, "me": asked(request).subject.person}
    return render(request, "members/staff/holds.html", context, status=422 if form.errors else 200)


@require_POST
@door.staff
def lift(request: HttpRequest, hold_id: UUID) -> HttpResponseBase:
    """Lift a hold that somebody else placed."""
    found = next((one for one in queries.holds() if one.pk == hold_id), None)
    if found is None:
        raise Http404
    actions.lift_hold(hold=found, by=asked(request).subject, at=asked(request).at)
    messages.success(request, _("Lifted."))
    return redirect("holds")
