"""Participation: the staff's list and records, entries and their corrections, and the member's own record."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from lianfang.accounts.doors import door
from lianfang.accounts.views.asked import asked, pair
from lianfang.kernel.refusal import Refusal
from lianfang.members import actions, participation_queries, queries, shown_participation, shown_staff, uploads
from lianfang.members.forms import as_errors
from lianfang.members.forms_participation import (
    AnswerForm,
    CorrectionForm,
    FactForm,
    ObjectionForm,
    ReviewForm,
    TableForm,
)
from lianfang.members.models import Membership, ParticipationFact, ParticipationImport
from lianfang.members.shown_staff import searched
from lianfang.members.views.parts import download
from lianfang.policy.facts import Right

# The staff


@require_safe
@door.staff
def listing(request: HttpRequest) -> HttpResponse:
    """Members whose record is to be looked at, then all; objections that wait."""
    wanted = searched(request.GET.get("q"))
    context = shown_participation.listing(request.GET.get("view", ""), wanted, request.path, asked(request).at)
    context["may_enter"] = shown_staff.may_review(asked(request).subject, asked(request).at)
    return render(request, "members/staff/participation.html", context)


@require_safe
@door.staff
def record(request: HttpRequest, membership_id: UUID) -> HttpResponse:
    """The record of one member."""
    held = _membership(membership_id)
    return render(request, "members/staff/participation_record.html", _shown(request, held))


@require_http_methods(["GET", "HEAD", "POST"])
@door(Right.REVIEW)
def enter(request: HttpRequest, membership_id: UUID) -> HttpResponseBase:
    """Enter a fact."""
    held = _membership(membership_id)
    form = FactForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        try:
            actions.enter_fact(membership=held, **_given(form), by=asked(request).subject, at=asked(request).at)
        except Refusal as refusal:
            as_errors(form, refusal)
        else:
            messages.success(request, _("Entered."))
            return redirect("participation_record", membership_id=held.pk)
    context = {"membership": held, "form": form, "fact": None}
    return render(request, "members/staff/participation_form.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@door(Right.REVIEW)
def correct(request: HttpRequest, fact_id: UUID) -> HttpResponseBase:
    """Put a later entry in the place of one that was wrong."""
    fact = _fact(fact_id)
    began = {name: getattr(fact, name) for name in ("kind", "outcome", "occurred_on", "text", "evidence")}
    form = CorrectionForm(request.POST or None, request.FILES or None, initial=began)
    if request.method == "POST" and form.is_valid():
        try:
            actions.correct_fact(fact=fact, **_given(form), by=asked(request).subject, at=asked(request).at)
        except Refusal as refusal:
            as_errors(form, refusal)
        else:
            messages.success(request, _("Corrected. The earlier entry can still be read."))
            return redirect("participation_record", membership_id=fact.membership_id)
    context = {"membership": fact.membership, "form": form, "fact": fact}
    return render(request, "members/staff/participation_form.html", context, status=422 if form.errors else 200)


def _given(form: FactForm) -> dict[str, Any]:
    given = dict(form.cleaned_data)
    file = given.pop("file", None)
    kept = None
    if file is not None:
        kept = uploads.read(name=file.name or "", content=file.read(uploads.MOST_BYTES + 1), field="file")
    return {**given, "file": kept}


@require_safe
@door.staff
def evidence(request: HttpRequest, fact_id: UUID) -> HttpResponseBase:
    """The file that proves a fact, as a download; opening it stands in the ledger."""
    found = actions.read_evidence(fact=_fact(fact_id), by=asked(request).subject, at=asked(request).at)
    return download(shown_participation.Proof(found) if found is not None else None)


@require_http_methods(["GET", "HEAD", "POST"])
@door(Right.REVIEW)
def answer(request: HttpRequest, objection_id: UUID) -> HttpResponseBase:
    """Answer what a member objects to."""
    found = participation_queries.objection(objection_id)
    if found is None:
        raise Http404
    form = AnswerForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            actions.answer_objection(
                objection=found, text=form.cleaned_data["text"], by=asked(request).subject, at=asked(request).at
            )
        except Refusal as refusal:
            as_errors(form, refusal)
        else:
            messages.success(request, _("Answered. The member reads it on its record."))
            return redirect("participation_record", membership_id=found.fact.membership_id)
    context = {"objection": found, "fact": shown_participation.one(found.fact), "form": form}
    return render(request, "members/staff/participation_answer.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@door(Right.REVIEW)
def read_table(request: HttpRequest) -> HttpResponseBase:
    """Read a table of facts; nothing is recorded before its preview."""
    form = TableForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        try:
            kept = actions.read_participation(
                name=file.name or "", content=file.read(), by=asked(request).subject, at=asked(request).at
            )
        except Refusal as refusal:
            as_errors(form, refusal)
        else:
            return redirect("participation_import_one", import_id=kept.pk)
    context = {"form": form}
    return render(request, "members/staff/participation_file.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@door(Right.REVIEW)
def table(request: HttpRequest, import_id: UUID) -> HttpResponseBase:
    """The preview of a table: what would be recorded, what is known already, what is wrong; then the import."""
    kept = participation_queries.import_(import_id, asked(request).at)
    if kept is None:
        raise Http404
    refusal: Refusal | None = None
    if request.method == "POST":
        refusal = _import(request, kept)
        if refusal is None:
            return redirect("participation")
    context = {**shown_participation.table(kept), "refusal": refusal}
    return render(request, "members/staff/participation_import.html", context, status=422 if refusal else 200)


def _import(request: HttpRequest, kept: ParticipationImport) -> Refusal | None:
    try:
        new = actions.import_participation(read=kept, by=asked(request).subject, at=asked(request).at)
    except Refusal as refusal:
        return refusal
    messages.success(request, _("Imported: %(n)s new entries.") % {"n": new})
    return None


@require_http_methods(["GET", "HEAD", "POST"])
@door(Right.REVIEW)
def review(request: HttpRequest, membership_id: UUID) -> HttpResponseBase:
    """Open a review under 1.4 by hand; the record is attached as it stands."""
    held = _membership(membership_id)
    form = ReviewForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            case = actions.open_participation_review(
                membership=held, facts=form.cleaned_data["facts"], by=asked(request).subject, at=asked(request).at
            )
        except Refusal as refusal:
            as_errors(form, refusal)
        else:
            messages.success(request, _("The review is open. Access goes on until a decision."))
            return redirect("revocation", number=case.number)
    context = {**_shown(request, held), "form": form}
    return render(request, "members/staff/participation_review.html", context, status=422 if form.errors else 200)


def _shown(request: HttpRequest, held: Membership) -> dict[str, Any]:
    context = shown_participation.record(held, asked(request).at)
    return {**context, "may_enter": shown_staff.may_review(asked(request).subject, asked(request).at)}


# The member


@require_safe
@door(Right.MANAGE_PEOPLE)
def own(request: HttpRequest) -> HttpResponse:
    """The record of the reader's own organisation."""
    context = shown_participation.record(_own(request), asked(request).at)
    return render(request, "members/participation.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@door(Right.MANAGE_PEOPLE)
def object_to(request: HttpRequest, fact_id: UUID) -> HttpResponseBase:
    """Object to a fact of one's own record."""
    held = _own(request)
    fact = participation_queries.fact_of(fact_id, held.pk)
    if fact is None:
        raise Http404
    form = ObjectionForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            actions.object_to_fact(
                fact=fact, text=form.cleaned_data["text"], by=asked(request).subject, at=asked(request).at
            )
        except Refusal as refusal:
            as_errors(form, refusal)
        else:
            messages.success(request, _("Your objection is with us. The answer will stand beside it."))
            return redirect("own_participation")
    context = {"fact": shown_participation.one(fact), "form": form}
    return render(request, "members/participation_object.html", context, status=422 if form.errors else 200)


def _own(request: HttpRequest) -> Membership:
    """The membership of the reader's own organisation; a constituent, and the centre, have none."""
    held = getattr(request, "membership", None)
    if held is None or asked(request).subject.is_constituent or pair(request).group != held.organization_id:
        raise Http404
    return _membership(held.pk)


def _membership(membership_id: UUID) -> Membership:
    found = queries.membership(membership_id)
    if found is None:
        raise Http404
    return found


def _fact(fact_id: UUID) -> ParticipationFact:
    found = participation_queries.fact(fact_id)
    if found is None:
        raise Http404
    return found
