"""Requests to end a membership: the staff's list and cases, and the member's own page (charter 2.5)."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from lianfang.accounts import paging
from lianfang.accounts.doors import door
from lianfang.accounts.signing import confirm
from lianfang.accounts.views.asked import asked, pair
from lianfang.kernel.refusal import Refusal
from lianfang.members import actions, queries, shown_staff, words
from lianfang.members import shown_terminations as shown
from lianfang.members.forms import (
    ConflictForm,
    DecisionForm,
    NoteForm,
    RecommendTerminationForm,
    TerminationForm,
    as_errors,
)
from lianfang.members.models import Membership, Termination
from lianfang.members.views.parts import declared, noted
from lianfang.policy.facts import Right

# The staff


@require_safe
@door.staff
def listing(request: HttpRequest) -> HttpResponse:
    """Requests to end a membership, open ones first by due date."""
    everything = request.GET.get("view") == "all"
    page = paging.page(queries.terminations(open_only=not everything), queries.BY_DUE, request.GET.dict())
    rows = [(case, shown.state_of(case)) for case in page.rows]
    context = {"rows": rows, "page": page, "tabs": shown.tabs(everything, request.path)}
    return render(request, "members/staff/terminations.html", context)


@require_safe
@door.staff
def termination(request: HttpRequest, number: str) -> HttpResponse:
    """One request on one screen."""
    context = shown.termination(_case(number), asked(request).subject, asked(request).at)
    return render(request, "members/staff/termination.html", {**context, "note_form": NoteForm()})


@require_POST
@door.staff
def note(request: HttpRequest, number: str) -> HttpResponseBase:
    """Add an internal note or, by the other button, a message that the member sees."""
    case, form = _case(number), NoteForm(request.POST)
    if noted(request, case, form):
        return redirect("termination", number=number)
    context = shown.termination(case, asked(request).subject, asked(request).at)
    return render(request, "members/staff/termination.html", {**context, "note_form": form}, status=422)


@require_http_methods(["GET", "HEAD", "POST"])
@door.staff
def conflict(request: HttpRequest, number: str) -> HttpResponseBase:
    """Declare whether there is a conflict of interest in this case."""
    case, form = _case(number), ConflictForm(request.POST or None)
    if declared(request, case, form):
        return redirect("termination", number=number)
    context = {"case": case, "form": form}
    return render(request, "members/staff/termination_conflict.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@door(Right.REVIEW)
def recommend(request: HttpRequest, number: str) -> HttpResponseBase:
    """Write what the review found, and send the request for decision."""
    case = _case(number)
    form = RecommendTerminationForm(request.POST or None, initial={"findings": case.findings})
    if request.method == "POST" and form.is_valid():
        try:
            actions.recommend_termination(
                case=case, **form.cleaned_data, by=asked(request).subject, at=asked(request).at
            )
        except Refusal as refusal:
            as_errors(form, refusal)
        else:
            messages.success(request, _("The case waits for another person's decision."))
            return redirect("termination", number=number)
    context = {"case": case, "form": form}
    return render(request, "members/staff/termination_recommend.html", context, status=422 if form.errors else 200)


@require_POST
@door(Right.APPROVE)
def send_back(request: HttpRequest, number: str) -> HttpResponseBase:
    """Send a request back to its reviewer."""
    actions.return_termination(case=_case(number), by=asked(request).subject, at=asked(request).at)
    return redirect("termination", number=number)


@require_http_methods(["GET", "HEAD", "POST"])
@door(Right.APPROVE)
def decide(request: HttpRequest, number: str, what: str) -> HttpResponseBase:
    """Grant or refuse: what ends, the letter as it will be sent, then the signature."""
    case = _case(number)
    if what not in ("grant", "refuse"):
        raise Http404
    form = DecisionForm(request.POST or None)
    signing: Refusal | None = None
    if request.method == "POST" and form.is_valid() and "sign" in request.POST:
        try:
            confirm(request)
            act = actions.grant_termination if what == "grant" else actions.refuse_termination
            act(case=case, **form.cleaned_data, by=asked(request).subject, at=asked(request).at)
        except Refusal as refusal:
            signing = refusal if refusal.rule == "signature" else None
            if signing is None:
                as_errors(form, refusal)
        else:
            done = _("Granted. The membership ended at this instant.") if what == "grant" else _("Refused.")
            messages.success(request, done)
            return redirect("termination", number=number)
    case = _case(number)
    given = form.cleaned_data if form.is_bound and form.is_valid() else {"text": "", "basis": ""}
    letter = actions.preview_termination(case=case, what=what, **given, at=asked(request).at)
    context: dict[str, Any] = {"case": case, "what": what, "form": form, "signing": signing, "letter": letter}
    context |= shown.decision(case, what, asked(request).subject, asked(request).at)
    failed = request.method == "POST" and (form.errors or signing)
    return render(request, "members/staff/termination_decide.html", context, status=422 if failed else 200)


# The member


@require_http_methods(["GET", "HEAD", "POST"])
@door(Right.MANAGE_PEOPLE)
def leave(request: HttpRequest) -> HttpResponseBase:
    """Ask that the membership ends: what ends, what stays, why, and what becomes of what was received."""
    held = _own(request)
    case = queries.open_termination(held.pk)
    form = TerminationForm(request.POST or None)
    if request.method == "POST" and case is None and form.is_valid():
        try:
            actions.request_termination(
                membership=held, **form.cleaned_data, by=asked(request).subject, at=asked(request).at
            )
        except Refusal as refusal:
            as_errors(form, refusal)
        else:
            messages.success(request, _("Your request is with us. Everything goes on until it is decided."))
            return redirect("leave_alliance")
    context = {
        "membership": held,
        "case": case,
        "handling": words.HANDLING[case.handling] if case else None,
        "notes": queries.notes(case.number, to_applicant=True) if case else [],
        "form": form,
        "losses": shown_staff.losses(held, asked(request).at),
        "earlier": [row for row in shown.of_member(held.organization_id) if case is None or row[0].pk != case.pk],
    }
    return render(request, "members/leave.html", context, status=422 if form.errors and case is None else 200)


@require_POST
@door(Right.MANAGE_PEOPLE)
def withdraw(request: HttpRequest) -> HttpResponseBase:
    """Take the request back."""
    case = queries.open_termination(_own(request).pk)
    if case is None:
        messages.info(request, _("There is no request that could be taken back."))
    else:
        actions.withdraw_termination(case=case, by=asked(request).subject, at=asked(request).at)
        messages.success(request, _("Taken back. The membership goes on."))
    return redirect("leave_alliance")


def _own(request: HttpRequest) -> Membership:
    """The membership of the reader's own organisation; a constituent, and the centre, have none to end."""
    held = getattr(request, "membership", None)
    if held is None or asked(request).subject.is_constituent or pair(request).group != held.organization_id:
        raise Http404
    found = queries.membership(held.pk)
    if found is None:
        raise Http404
    return found


def _case(number: str) -> Termination:
    found = queries.termination(number)
    if found is None:
        raise Http404
    return found
