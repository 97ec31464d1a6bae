"""Contact data: the page of a mailed link, and the staff's overview with its tasks."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_http_methods, require_safe

from lianfang.accounts import paging
from lianfang.accounts.doors import door, may
from lianfang.accounts.views.asked import asked
from lianfang.kernel.refusal import Refusal
from lianfang.members import actions, contact_queries
from lianfang.members.forms import NoteForm, as_errors
from lianfang.members.lifecycle import CONTACT_CHECK
from lianfang.members.models import ContactCheck
from lianfang.members.purposes import PURPOSES
from lianfang.members.words import STATE_TONES
from lianfang.policy.facts import Right


@require_http_methods(["GET", "HEAD", "POST"])
@door.public
@cache_control(private=True, no_store=True)
def contact_check(request: HttpRequest, secret: str) -> HttpResponseBase:
    """The facts and two buttons. A look changes nothing; a used or old link shows no data, only where to sign in."""
    check, at = contact_queries.check_by_secret(secret), asked(request).at
    if check is None:
        raise Http404
    if check.state != "asked" or at >= check.answer_until:
        return render(request, "members/contact_closed.html", {}, status=410)
    if request.method == "POST":
        return _answered(request, check)
    context = {
        "person": check.person,
        "organizations": contact_queries.organizations_of(check.person, at),
        "purposes": [(PURPOSES[row.purpose], row) for row in contact_queries.purposes_of(check.person, at)],
        "answer_until": check.answer_until,
    }
    return render(request, "members/contact_check.html", context)


def _answered(request: HttpRequest, check: ContactCheck) -> HttpResponseBase:
    right = request.POST.get("answer")
    if right not in ("right", "change"):
        raise Http404
    at = asked(request).at
    try:
        actions.answer_contact(check=check, right=right == "right", by=actions.holder_of(check, at), at=at)
    except Refusal:  # answered by another click meanwhile
        return render(request, "members/contact_closed.html", {}, status=410)
    return render(request, "members/contact_thanks.html", {"change": right == "change"})


@require_safe
@door.staff
def contacts(request: HttpRequest) -> HttpResponse:
    """How fresh the contacts of each member are, and what is left to the staff."""
    subject, at = asked(request).subject, asked(request).at
    context = {
        "page": paging.part(contact_queries.freshness(at=at), request.GET.dict()),
        "tasks": [
            (one, CONTACT_CHECK.states[one.state], STATE_TONES[one.state], organizations)
            for one, organizations in contact_queries.tasks()
        ],
        "may_settle": may(subject=subject, right=Right.REVIEW, at=at),
    }
    return render(request, "members/staff/contacts.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@door(Right.REVIEW)
def settle(request: HttpRequest, check_id: UUID) -> HttpResponseBase:
    """Close a task with what was done about it."""
    check = contact_queries.task(check_id)
    if check is None:
        raise Http404
    form = NoteForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            actions.settle_contact(
                check=check, how=form.cleaned_data["text"], by=asked(request).subject, at=asked(request).at
            )
        except Refusal as refusal:
            as_errors(form, refusal)
        else:
            messages.success(request, _("Settled."))
            return redirect("contacts")
    context = {"check": check, "form": form, "state": CONTACT_CHECK.states[check.state]}
    return render(request, "members/staff/contact_settle.html", context, status=422 if form.errors else 200)
