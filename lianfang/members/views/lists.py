"""Official lists on the staff's side: editions, what a file would change, and the cases that editions opened."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from lianfang.accounts.doors import door
from lianfang.accounts.views.asked import asked
from lianfang.kernel.refusal import Refusal
from lianfang.members import actions, queries_lists, shown_lists
from lianfang.members.forms import ConflictForm, as_errors
from lianfang.members.forms_lists import ListCaseForm, ListForm
from lianfang.members.models import ListCase, ListEdition
from lianfang.members.views.parts import declared
from lianfang.policy.facts import Right


@require_safe
@door.staff
def listing(request: HttpRequest) -> HttpResponse:
    """Every list with its editions."""
    return render(request, "members/staff/lists.html", shown_lists.listing(asked(request).subject, asked(request).at))


@require_http_methods(["GET", "HEAD", "POST"])
@door(Right.IMPORT_LIST)
def upload(request: HttpRequest) -> HttpResponseBase:
    """Upload a file; it is read and shown, nothing is imported."""
    form = ListForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        try:
            edition_ = actions.read_list(
                kind=form.cleaned_data["kind"],
                list_date=form.cleaned_data["list_date"],
                source=form.cleaned_data["source"],
                file_name=file.name,
                content=file.read(),
                by=asked(request).subject,
                at=asked(request).at,
            )
        except Refusal as refusal:
            as_errors(form, refusal)
        else:
            return redirect("list_edition", edition_id=edition_.pk)
    failed = request.method == "POST"
    return render(request, "members/staff/list_new.html", {"form": form}, status=422 if failed else 200)


@require_safe
@door.staff
def edition(request: HttpRequest, edition_id: UUID) -> HttpResponse:
    """One edition: its faults, or how it differs from the one before; the buttons to import or discard it."""
    return _edition_page(request, _edition(edition_id))


def _edition_page(request: HttpRequest, found: ListEdition, refusal: Refusal | None = None) -> HttpResponse:
    part = request.GET.get("part", "")
    context = shown_lists.edition(found, part, asked(request).subject, asked(request).at)
    status = 409 if refusal else 200
    return render(request, "members/staff/list_edition.html", {**context, "refusal": refusal}, status=status)


@require_POST
@door(Right.IMPORT_LIST)
def import_(request: HttpRequest, edition_id: UUID) -> HttpResponseBase:
    """Import an edition whole."""
    found = _edition(edition_id)
    try:
        actions.import_list(edition=found, by=asked(request).subject, at=asked(request).at)
    except Refusal as refusal:
        return _edition_page(request, _edition(edition_id), refusal)
    messages.success(request, gettext("Imported. Every roster is being compared with it."))
    return redirect("list_edition", edition_id=found.pk)


@require_POST
@door(Right.IMPORT_LIST)
def discard(request: HttpRequest, edition_id: UUID) -> HttpResponseBase:
    """Put a file that was read aside."""
    found = _edition(edition_id)
    try:
        actions.discard_list(edition=found, by=asked(request).subject, at=asked(request).at)
    except Refusal as refusal:
        return _edition_page(request, _edition(edition_id), refusal)
    messages.success(request, gettext("Discarded. Nothing was imported."))
    return redirect("lists")


@require_safe
@door.staff
def file(_: HttpRequest, edition_id: UUID) -> HttpResponseBase:
    """The file as it was uploaded, as a download that no browser runs."""
    found = _edition(edition_id)
    return FileResponse(
        found.file.open(), as_attachment=True, filename=found.file_name, content_type="application/octet-stream"
    )


@require_safe
@door.staff
def cases(request: HttpRequest) -> HttpResponse:
    """What editions gave against members in force."""
    context = shown_lists.cases(request.GET.dict(), request.path)
    return render(request, "members/staff/list_cases.html", context)


@require_safe
@door.staff
def case(request: HttpRequest, number: str) -> HttpResponse:
    """One case: the strings side by side, the edition, what is still so."""
    context = shown_lists.case(_case(number), asked(request).subject, asked(request).at)
    return render(request, "members/staff/list_case.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@door.staff
def conflict(request: HttpRequest, number: str) -> HttpResponseBase:
    """Declare whether there is a conflict of interest in this case."""
    found, form = _case(number), ConflictForm(request.POST or None)
    if declared(request, found, form):
        return redirect("list_case", number=number)
    context = {"case": found, "form": form}
    return render(request, "members/staff/list_case_conflict.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@door(Right.REVIEW)
def judge(request: HttpRequest, number: str) -> HttpResponseBase:
    """Judge a case in writing."""
    found = _case(number)
    form = ListCaseForm(request.POST or None, case=found)
    if request.method == "POST" and form.is_valid():
        try:
            actions.close_list_case(
                case=found,
                outcome=form.cleaned_data["outcome"],
                note=form.cleaned_data["note"],
                by=asked(request).subject,
                at=asked(request).at,
            )
        except Refusal as refusal:
            as_errors(form, refusal)
        else:
            messages.success(request, gettext("Your judgement is recorded."))
            return redirect("list_case", number=number)
    context = {**shown_lists.case(found, asked(request).subject, asked(request).at), "form": form}
    failed = request.method == "POST"
    return render(request, "members/staff/list_judge.html", context, status=422 if failed else 200)


def _edition(edition_id: UUID) -> ListEdition:
    found = queries_lists.edition(edition_id)
    if found is None:
        raise Http404
    return found


def _case(number: str) -> ListCase:
    found = queries_lists.case(number)
    if found is None:
        raise Http404
    return found
