"""New administrators where the former are gone: a contact asks, the staff reviews and decides, a contact objects."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from lianfang.accounts.doors import door, may
from lianfang.accounts.signing import confirm
from lianfang.accounts.views.asked import asked, pair
from lianfang.kernel.refusal import Refusal
from lianfang.members import actions, changes, queries, recovery_queries, uploads
from lianfang.members import shown_recoveries as shown
from lianfang.members.forms import ConflictForm, as_errors
from lianfang.members.forms_people import (
    DecideRecoveryForm,
    ObjectionForm,
    RecommendRecoveryForm,
    RecoveryForm,
    RecoveryLetterForm,
)
from lianfang.members.models import Recovery
from lianfang.members.views.parts import declared, download
from lianfang.policy.facts import Right, Role

# A remaining contact


@require_http_methods(["GET", "HEAD", "POST"])
@door.member
def ask(request: HttpRequest) -> HttpResponseBase:
    """Ask for new administrators, as a contact who is left; an administrator invites by himself."""
    mine = pair(request)
    held = changes.membership_of(mine.group) if mine.organization == mine.group else None
    if held is None or asked(request).subject.role is Role.MEMBER_ADMIN:
        raise Http404
    case = recovery_queries.open_recovery(held.pk)
    form = RecoveryForm(request.POST or None)
    if request.method == "POST" and case is None and form.is_valid():
        try:
            actions.ask_recovery(
                membership=held, reason=form.cleaned_data["reason"], people=form.people(),
                files=_files(request), by=asked(request).subject, at=asked(request).at,
            )  # fmt: skip
        except Refusal as refusal:
            as_errors(form, refusal)
        else:
            messages.success(request, _("Your request is with us. Two people decide; then all contacts are told."))
            return redirect("recovery_ask")
    context = {"case": case, "state": shown.state_of(case) if case else None, "form": form}
    return render(request, "members/recovery.html", context, status=422 if form.errors and case is None else 200)


def _files(request: HttpRequest) -> list[uploads.Upload]:
    given = request.FILES.getlist("scan")[:10]
    return [uploads.read(name=one.name or "", content=one.read(), field="scan") for one in given]


@require_http_methods(["GET", "HEAD", "POST"])
@door.public
@cache_control(private=True, no_store=True)
def objection(request: HttpRequest, secret: str) -> HttpResponseBase:
    """What is about to happen, for somebody told by mail. A look changes nothing; a closed link tells nothing."""
    found, at = recovery_queries.notice_by_secret(secret), asked(request).at
    if found is None:
        return render(request, "members/recovery_closed.html", status=404)
    case = found.recovery
    if case.state != "waiting" or found.sent_at != case.decided_at or (case.waits_until and at >= case.waits_until):
        return render(request, "members/recovery_closed.html", status=410)
    form = ObjectionForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            actions.object_recovery(notice=found, text=form.cleaned_data["text"], by=asked(request).subject, at=at)
        except Refusal:  # objected to or finished meanwhile
            return render(request, "members/recovery_closed.html", status=410)
        return render(request, "members/recovery_objected.html")
    context = {"case": case, "form": form}
    return render(request, "members/recovery_object.html", context, status=422 if form.errors else 200)


# The staff


@require_safe
@door.staff
def listing(request: HttpRequest) -> HttpResponse:
    """Cases about new administrators, open ones first by due date."""
    everything = request.GET.get("view") == "all"
    rows = [(case, shown.state_of(case)) for case in recovery_queries.recoveries(open_only=not everything)]
    return render(
        request, "members/staff/recoveries.html", {"rows": rows, "tabs": shown.tabs(everything, request.path)}
    )


@require_http_methods(["GET", "HEAD", "POST"])
@door(Right.REVIEW)
def entry(request: HttpRequest, membership_id: UUID) -> HttpResponseBase:
    """Enter a request that came by letter, with its scan."""
    held = queries.membership(membership_id)
    if held is None:
        raise Http404
    form = RecoveryLetterForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            case = actions.ask_recovery(
                membership=held, reason=form.cleaned_data["reason"], people=form.people(), files=_files(request),
                origin=form.cleaned_data["origin"], received_on=form.cleaned_data["received_on"],
                by=asked(request).subject, at=asked(request).at,
            )  # fmt: skip
        except Refusal as refusal:
            as_errors(form, refusal)
        else:
            return redirect("recovery", number=case.number)
    context = {"membership": held, "form": form}
    return render(request, "members/staff/recovery_entry.html", context, status=422 if form.errors else 200)


@require_safe
@door.staff
def recovery(request: HttpRequest, number: str) -> HttpResponse:
    """One case on one screen; its people are shown to those who work on it."""
    subject, at = asked(request).subject, asked(request).at
    people = any(may(subject=subject, right=right, at=at) for right in (Right.REVIEW, Right.APPROVE))
    return render(request, "members/staff/recovery.html", shown.recovery(_case(number), subject, at, people=people))


@require_safe
@door.staff
def file(request: HttpRequest, number: str, file_id: UUID) -> HttpResponseBase:
    """A file that came with a case, as a download; opening it stands in the ledger."""
    by, at = asked(request).subject, asked(request).at
    return download(actions.read_recovery_file(case=_case(number), file_id=file_id, by=by, at=at))


@require_http_methods(["GET", "HEAD", "POST"])
@door.staff
def conflict(request: HttpRequest, number: str) -> HttpResponseBase:
    """Declare whether there is a conflict of interest."""
    case, form = _case(number), ConflictForm(request.POST or None)
    if declared(request, case, form):
        return redirect("recovery", number=number)
    return _step(request, case, form, shown.CONFLICT)


@require_http_methods(["GET", "HEAD", "POST"])
@door(Right.REVIEW)
def recommend(request: HttpRequest, number: str) -> HttpResponseBase:
    """Write how the authority was verified, and send the case for decision."""
    case = _case(number)
    form = RecommendRecoveryForm(request.POST or None, initial={"findings": case.findings})
    if request.method == "POST" and form.is_valid():
        try:
            actions.recommend_recovery(
                case=case, **form.cleaned_data, by=asked(request).subject, at=asked(request).at
            )  # fmt: skip
        except Refusal as refusal:
            as_errors(form, refusal)
        else:
            messages.success(request, _("The case waits for another person's decision."))
            return redirect("recovery", number=number)
    return _step(request, case, form, shown.RECOMMEND)


@require_POST
@door(Right.APPROVE)
def send_back(request: HttpRequest, number: str) -> HttpResponseBase:
    """Send a case back to its reviewer."""
    actions.return_recovery(case=_case(number), by=asked(request).subject, at=asked(request).at)
    return redirect("recovery", number=number)


@require_http_methods(["GET", "HEAD", "POST"])
@door(Right.APPROVE)
def decide(request: HttpRequest, number: str, what: str) -> HttpResponseBase:
    """Approve, which begins the waiting time, or refuse; signed."""
    case, at = _case(number), asked(request).at
    if what not in ("approve", "refuse"):
        raise Http404
    held = [(str(row.pk), f"{row.person.name} {row.person.email}") for row in recovery_queries.administrators(case, at)]
    form = DecideRecoveryForm(request.POST or None, held=held if what == "approve" else None)
    signing: Refusal | None = None
    if request.method == "POST" and form.is_valid():
        try:
            confirm(request)
            _decide(case, what, form.cleaned_data, request)
        except Refusal as refusal:
            signing = refusal if refusal.rule == "signature" else None
            if signing is None:
                as_errors(form, refusal)
        else:
            return redirect("recovery", number=number)
    context = {"case": case, "what": what, "form": form, "signing": signing, **shown.decision(case, what, request)}
    failed = request.method == "POST"
    return render(request, "members/staff/recovery_decide.html", context, status=422 if failed else 200)


def _decide(case: Recovery, what: str, given: dict[str, Any], request: HttpRequest) -> None:
    by, at = asked(request).subject, asked(request).at
    if what == "refuse":
        actions.refuse_recovery(case=case, text=given["text"], by=by, at=at)
        messages.success(request, _("Refused."))
        return
    actions.approve_recovery(case=case, ends=[UUID(one) for one in given["ends"]], text=given["text"], by=by, at=at)
    messages.success(request, _("Approved. Every contact is told and may object."))


def _step(request: HttpRequest, case: Recovery, form: Any, words: Any) -> HttpResponse:
    context = {"case": case, "form": form, "title": words[0], "act": words[1], "intro": words[2]}
    failed = bool(form.errors) and request.method == "POST"
    return render(request, "members/staff/recovery_step.html", context, status=422 if failed else 200)


def _case(number: str) -> Recovery:
    found = recovery_queries.recovery(number)
    if found is None:
        raise Http404
    return found
