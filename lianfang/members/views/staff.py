"""The staff's queue, the page of a case, and the page of each step of a review."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from lianfang.accounts.doors import door
from lianfang.accounts.signing import confirm
from lianfang.accounts.views.asked import asked
from lianfang.kernel.refusal import Refusal
from lianfang.kernel.text import Bilingual
from lianfang.members import actions, queries, shown_changes, shown_staff, words
from lianfang.members.forms import (
    AuthorityForm,
    ConflictForm,
    FindingForm,
    NoteForm,
    ReasonForm,
    ScreeningForm,
    SignedReasonForm,
    as_errors,
    cleaned_date,
)
from lianfang.members.models import Application, ChangeRequest
from lianfang.members.views.parts import declared, download, noted
from lianfang.policy.facts import Right

_CHANGES_SHOWN = 20


@require_safe
@door.staff
def inbox(request: HttpRequest, view: str = "") -> HttpResponse:
    """The queue: saved views as tabs, filters, 50 rows by due date."""
    chosen = request.GET.get("view", view)
    views = queries.inbox_views(person_id=asked(request).subject.person, at=asked(request).at)
    current = next((one for one in views if one.name == chosen), views[0])
    wanted = {name: shown_staff.searched(request.GET.get(name)) for name in ("q", "kind", "state")}
    rows = queries.filtered(current.rows, words=wanted["q"], kind=wanted["kind"], state=wanted["state"])
    page = queries.queue_page(rows, after=request.GET.get("after", ""), before=request.GET.get("before", ""))
    kept = {"view": current.name, **{name: value for name, value in wanted.items() if value}}
    context = {
        "tabs": shown_staff.tabs(views, current, request.path),
        "page": page,
        "rows": shown_staff.rows(page.rows, asked(request).at),
        "count": queries.capped(rows),
        "wanted": wanted,
        "chips": shown_staff.chips(wanted, kept, request.path),
        "current": current.name,
        "older": f"?{urlencode({**kept, 'after': page.older})}" if page.older else "",
        "newer": f"?{urlencode({**kept, 'before': page.newer})}" if page.newer else "",
        "kinds": {name: words.KINDS[name] for name in ("twse", "tpex", "association")},
        "states": shown_staff.states(),
        "ages": shown_staff.ageing(asked(request).at),
        "changes": _changes(request, current.name) if not any(wanted.values()) else [],
    }
    return render(request, "members/staff/queue.html", context)


def _changes(request: HttpRequest, view: str) -> list[tuple[ChangeRequest, tuple[Bilingual, str]]]:
    """Members' change requests of this view; the page of changes has them all with their filters."""
    found = queries.inbox_changes(view=view, person_id=asked(request).subject.person, at=asked(request).at)
    return [(one, shown_changes.state_of(one)) for one in found[:_CHANGES_SHOWN]]


@require_safe
@door.staff
def applications(request: HttpRequest) -> HttpResponseBase:
    """The queue with everything that is open."""
    return inbox(request, view="open")


@require_safe
@door.staff
def case(request: HttpRequest, number: str) -> HttpResponse:
    """One case on one screen."""
    application = _application(number)
    context = shown_staff.case(application, asked(request).subject, asked(request).at)
    return render(request, "members/staff/case.html", {**context, "note_form": NoteForm()})


@require_POST
@door.staff
def note(request: HttpRequest, number: str) -> HttpResponseBase:
    """Add an internal note or, by the other button, a message to the applicant."""
    application = _application(number)
    form = NoteForm(request.POST)
    if noted(request, application, form):
        return redirect("case", number=number)
    context = shown_staff.case(application, asked(request).subject, asked(request).at)
    return render(request, "members/staff/case.html", {**context, "note_form": form}, status=422)


@require_safe
@door.staff
def file(request: HttpRequest, number: str, file_id: UUID) -> HttpResponseBase:
    """An attachment, as a download that no browser runs; opening it stands in the ledger."""
    attachment = actions.read_attachment(
        application=_application(number), attachment_id=file_id, by=asked(request).subject, at=asked(request).at
    )
    return download(attachment)


@require_http_methods(["GET", "HEAD", "POST"])
@door.staff
def conflict(request: HttpRequest, number: str) -> HttpResponseBase:
    """Declare whether there is a conflict of interest."""
    application = _application(number)
    form = ConflictForm(request.POST or None)
    if declared(request, application, form):
        return redirect("case", number=number)
    return _page(request, "conflict", application, form)


@require_POST
@door(Right.TAKE_UP)
def take_up(request: HttpRequest, number: str) -> HttpResponseBase:
    """Become the reviewer of a case."""
    actions.take_up(application=_application(number), by=asked(request).subject, at=asked(request).at)
    messages.success(request, _("You are the reviewer of this case."))
    return redirect("case", number=number)


@require_http_methods(["GET", "HEAD", "POST"])
@door(Right.REVIEW)
def authority(request: HttpRequest, number: str) -> HttpResponseBase:
    """Record how the authority to sign was checked."""
    application = _application(number)
    form = AuthorityForm(request.POST or None, spec=queries.spec_of(application))
    if request.method == "POST" and form.is_valid():
        try:
            actions.check_authority(
                application=application,
                method=form.cleaned_data["method"],
                note=form.cleaned_data["note"],
                by=asked(request).subject,
                at=asked(request).at,
            )
        except Refusal as refusal:
            as_errors(form, refusal)
        else:
            return redirect("case", number=number)
    return _page(request, "authority", application, form, attestation=queries.attestation(application))


@require_http_methods(["GET", "HEAD", "POST"])
@door(Right.REVIEW)
def screening(request: HttpRequest, number: str) -> HttpResponseBase:
    """Record what the official list gave, row by row."""
    application = _application(number)
    rows = queries.all_rows(application)
    form = ScreeningForm(request.POST or None)
    lines = [
        (row, FindingForm(request.POST or None, prefix=row.key[:16]), found)
        for row, found in shown_staff.screened(application, rows)
    ]
    if request.method == "POST" and all([form.is_valid(), *[line.is_valid() for _row, line, _found in lines]]):
        try:
            findings = chosen_findings(form, lines)
            actions.record_findings(
                application=application, findings=findings, by=asked(request).subject, at=asked(request).at
            )
        except Refusal as refusal:
            as_errors(form, refusal)
        else:
            return redirect("case", number=number)
    shown = [(*line, shown_staff.result_words(line[2])) for line in lines]
    return _page(request, "screening", application, form, lines=shown)


def chosen_findings(form: ScreeningForm, lines: list[Any]) -> list[actions.Finding]:
    """The rows that were chosen; with the tick, also those without a finding yet, as clear."""
    found = []
    for row, line, known in lines:
        given = line.cleaned_data
        result = given["result"] or ("clear" if form.cleaned_data["rest_clear"] and known is None else "")
        if result:
            found.append(
                actions.Finding(
                    row.key, result, form.cleaned_data["source"], cleaned_date(form.cleaned_data["list_date"]),
                    given["note"], given["judged"] and result == "name_hit",
                )
            )  # fmt: skip
    if not found:
        raise Refusal(words.NO_FINDING, rule="finding-none")
    return found


@require_http_methods(["GET", "HEAD", "POST"])
@door(Right.REVIEW)
def correct(request: HttpRequest, number: str) -> HttpResponseBase:
    """Ask for corrections, each bound to a field of the form."""
    application = _application(number)
    places = range(1, 7)
    given = [
        {"choice": request.POST.get(f"field{n}", ""), "message": request.POST.get(f"message{n}", "").strip()}
        for n in places
    ]
    refusal: Refusal | None = None
    if request.method == "POST":
        items = [
            dict(zip(("step", "field"), one["choice"].partition(".")[::2], strict=True), message=one["message"])
            for one in given
            if one["choice"] or one["message"]
        ]
        try:
            actions.request_correction(
                application=application, items=items, by=asked(request).subject, at=asked(request).at
            )
        except Refusal as caught:
            refusal = caught
        else:
            messages.success(request, _("The applicant has been asked to correct."))
            return redirect("case", number=number)
    context = {
        "application": application,
        "given": list(zip(places, given, strict=True)),
        "choices": shown_staff.fields(application),
        "refusal": refusal,
    }
    return render(request, "members/staff/correct.html", context, status=422 if refusal else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@door(Right.REVIEW)
def recommend(request: HttpRequest, number: str, what: str) -> HttpResponseBase:
    """Recommend approval or rejection, with coded reasons."""
    application = _application(number)
    form = ReasonForm(request.POST or None, spec=queries.spec_of(application), kind=_kind(what))
    if request.method == "POST" and form.is_valid():
        try:
            actions.recommend(
                application=application,
                what=what,
                reasons=form.cleaned_data["reasons"],
                text=form.cleaned_data["text"],
                by=asked(request).subject,
                at=asked(request).at,
            )
        except Refusal as refusal:
            as_errors(form, refusal)
        else:
            messages.success(request, _("Your recommendation waits for another person's decision."))
            return redirect("case", number=number)
    return _page(request, "recommend", application, form, what=what)


@require_http_methods(["GET", "HEAD", "POST"])
@door(Right.APPROVE)
def decide(request: HttpRequest, number: str, what: str) -> HttpResponseBase:
    """Approve or reject: reasons, the letter as it will be sent, what follows, then the signature."""
    application = _application(number)
    data = request.POST or {"reasons": application.recommendation_reasons, "text": application.recommendation_text}
    form = SignedReasonForm(data if _has_reasons(application, what, request) else None,
                            spec=queries.spec_of(application), kind=_kind(what))  # fmt: skip
    signing: Refusal | None = None
    if request.method == "POST" and form.is_valid() and "sign" in request.POST:
        try:
            confirm(request)
            _decide(request, application, what, form)
        except Refusal as refusal:
            signing = refusal if refusal.rule == "signature" else None
            if signing is None:
                as_errors(form, refusal)
        else:
            return redirect("case", number=number)
    letter = _letter(application, what, form, asked(request).at)
    context = shown_staff.decision(application, what, asked(request).subject, asked(request).at)
    return _page(request, "decide", application, form, letter=letter, signing=signing, **context)


def _has_reasons(application: Application, what: str, request: HttpRequest) -> bool:
    """The reviewer's reasons are proposed to whoever decides the same way; a choice of his own otherwise."""
    return request.method == "POST" or application.recommendation == what


def _decide(request: HttpRequest, application: Application, what: str, form: SignedReasonForm) -> None:
    act: Any = actions.approve if what == "approve" else actions.reject
    done = _("Approved. The membership has begun.") if what == "approve" else _("Rejected. The letter is on its way.")
    if what == "approve" and queries.wants_first_approval(application):
        act, done = actions.approve_first, _("Your approval is kept. Another approver decides.")
    act(
        application=application,
        reasons=form.cleaned_data["reasons"],
        text=form.cleaned_data["text"],
        basis=form.cleaned_data["basis"],
        by=asked(request).subject,
        at=asked(request).at,
    )
    messages.success(request, done)


def _letter(application: Application, what: str, form: SignedReasonForm, at: Any) -> Any:
    if not form.is_bound or not form.is_valid():
        return None
    try:
        return actions.preview_letter(
            application=application,
            what=what,
            reasons=form.cleaned_data["reasons"],
            text=form.cleaned_data["text"],
            basis=form.cleaned_data["basis"],
            at=at,
        )
    except Refusal as refusal:
        as_errors(form, refusal)
        return None


@require_http_methods(["GET", "HEAD", "POST"])
@door(Right.APPROVE)
def return_to_review(request: HttpRequest, number: str) -> HttpResponseBase:
    """Send a case back to its reviewer, with a note."""
    application = _application(number)
    form = NoteForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            actions.return_to_review(
                application=application, text=form.cleaned_data["text"], by=asked(request).subject, at=asked(request).at
            )
        except Refusal as refusal:
            as_errors(form, refusal)
        else:
            messages.success(request, _("The case is with its reviewer again."))
            return redirect("case", number=number)
    return _page(request, "return", application, form)


@require_safe
@door.staff
def letter(request: HttpRequest, number: str) -> HttpResponse:
    """A letter of decision as it was sent, to be printed."""
    decision = queries.decision(number)
    if decision is None:
        raise Http404
    context = {"decision": decision, "back": _case_of(decision)}
    return render(request, "members/letter.html", context)


def _case_of(decision: Any) -> str:
    if decision.application_id:
        return reverse("case", args=[decision.application.number])
    if decision.termination_id:
        return reverse("termination", args=[decision.termination.number])
    if decision.change_id:
        return reverse("change_case", args=[decision.change.number])
    return reverse("revocation", args=[decision.revocation.number])


def _page(request: HttpRequest, name: str, application: Application, form: Any, **more: Any) -> HttpResponse:
    context = {"application": application, "form": form, "state": shown_staff.state_of(application), **more}
    failed = bool(form.errors) and request.method == "POST"
    status = 422 if failed or more.get("signing") else 200
    return render(request, f"members/staff/{name}.html", context, status=status)


def _application(number: str) -> Application:
    application = queries.submitted(number)
    if application is None:
        raise Http404
    return application


def _kind(what: str) -> str:
    if what not in ("approve", "reject"):
        raise Http404
    return what
