"""One row of an applicant's roster: what the list gave, character by character, a written judgement, its holdings."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from lianfang.accounts.doors import door
from lianfang.accounts.views.asked import asked
from lianfang.kernel.refusal import Refusal
from lianfang.members import actions, holdings, queries, queries_lists, roster, shown_lists, shown_staff
from lianfang.members.forms import as_errors
from lianfang.members.forms_lists import HOLDING_ROWS, CircleForm, HitForm, HoldingForm
from lianfang.members.models import Application, ScreeningFinding
from lianfang.policy.facts import Right


@require_http_methods(["GET", "HEAD", "POST"])
@door(Right.REVIEW)
def row(request: HttpRequest, number: str, row_key: str) -> HttpResponseBase:
    """What the list gave for one row, and the page on which a name hit is judged in writing."""
    application, listed = _row(number, row_key)
    finding = queries.findings(application).get(row_key)
    may_judge = finding is not None and finding.result == "name_hit" and application.state == "under_review"
    form = HitForm(request.POST or None) if may_judge else None
    if request.method == "POST":
        if form is None or finding is None:
            raise Http404
        if form.is_valid():
            try:
                _judge(request, application, finding, form)
            except Refusal as refusal:
                as_errors(form, refusal)
            else:
                messages.success(request, _("Your judgement is recorded."))
                return redirect("case", number=number)
    context = {
        "application": application,
        "row": listed,
        "finding": finding,
        "result": shown_staff.result_words(finding),
        "hits": shown_lists.hits(listed.name, finding.matches) if finding else [],
        "ownership": shown_lists.ownership(queries_lists.ownerships(application).get(row_key), listed.name),
        "may_state": application.state == "under_review",
        "form": form,
    }
    failed = request.method == "POST"
    return render(request, "members/staff/hit.html", context, status=422 if failed else 200)


def _judge(request: HttpRequest, application: Application, finding: ScreeningFinding, form: HitForm) -> None:
    """The very enterprise is what a number would have told: it blocks as an id hit does."""
    other = form.cleaned_data["judged"] == "other"
    judged = actions.Finding(
        row_key=finding.row_key,
        result="name_hit" if other else "id_hit",
        source=finding.source,
        list_date=finding.list_date,
        note=form.cleaned_data["note"],
        other_entity=other,
    )
    actions.record_findings(application=application, findings=[judged], by=asked(request).subject, at=asked(request).at)


@require_http_methods(["GET", "HEAD", "POST"])
@door(Right.REVIEW)
def state_holdings(request: HttpRequest, number: str, row_key: str) -> HttpResponseBase:
    """Enter the declared holdings behind one row."""
    application, listed = _row(number, row_key)
    back = reverse("case_row", args=[number, row_key])
    return holdings_page(request, application, listed, partial(actions.state_ownership, application=application), back)


def holdings_page(
    request: HttpRequest,
    application: Application,
    listed: roster.Row,
    act: Callable[..., object],
    back: str,
) -> HttpResponseBase:
    """The page on which holdings behind a row are entered, of an application or of a change; `back` is where it was."""
    statement = queries_lists.ownerships(application).get(listed.key)
    forms = _forms(request, statement.holdings if statement else None, listed)
    circle = CircleForm(request.POST or None)
    refusal: Refusal | None = None
    if request.method == "POST" and all([circle.is_valid(), *[form.is_valid() for form in forms]]):
        try:
            act(
                row_key=listed.key,
                rows=[form.cleaned_data for form in forms],
                judged=circle.cleaned_data["judged"],
                note=circle.cleaned_data["note"],
                by=asked(request).subject,
                at=asked(request).at,
            )
        except Refusal as caught:
            refusal = caught
        else:
            messages.success(request, _("The holdings are recorded."))
            return redirect(back)
    wrong = (refusal.field or "").rpartition("-")[2] if refusal else ""
    context = {
        "back": back,
        "row": listed,
        "forms": [(place, form, str(place - 1) == wrong) for place, form in enumerate(forms, start=1)],
        "circle": circle,
        "refusal": refusal,
    }
    failed = request.method == "POST"
    return render(request, "members/staff/holdings.html", context, status=422 if failed else 200)


def _forms(request: HttpRequest, stored: Any, listed: roster.Row) -> list[HoldingForm]:
    known = holdings.from_kept(stored) if stored else None
    given: list[dict[str, Any]] = [
        {
            "owner": one.owner, "owned": one.owned, "share": format(one.share.normalize(), "f") if one.share else "",
            "control": one.control, "mainland": one.owner in known.mainland,
        }
        for one in known.holdings
    ] if known else [{"owned": listed.name}]  # fmt: skip
    many = max(HOLDING_ROWS, len(given) + 4)
    posted = request.POST or None
    return [
        HoldingForm(posted, prefix=str(place), initial=given[place] if place < len(given) else {})
        for place in range(many)
    ]


def _row(number: str, row_key: str) -> tuple[Application, roster.Row]:
    application = queries.submitted(number)
    found = None
    if application is not None:
        found = next((one for one in queries.all_rows(application) if one.key == row_key), None)
    if application is None or found is None:
        raise Http404
    return application, found
