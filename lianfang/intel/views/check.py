"""A check of STIX before it is sent: pasted or from a file, told object by object, kept nowhere."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from lianfang.accounts.doors import door
from lianfang.intel import checker, words
from lianfang.intel.forms import CheckForm
from lianfang.kernel.refusal import Refusal

_MOST = 500


@require_http_methods(["GET", "HEAD", "POST"])
@door.member
def member(request: HttpRequest) -> HttpResponseBase:
    """The page of the members' plane."""
    return _page(request)


@require_http_methods(["GET", "HEAD", "POST"])
@door.staff
def staff(request: HttpRequest) -> HttpResponseBase:
    """The same for the coordinator's people."""
    return _page(request)


def _page(request: HttpRequest) -> HttpResponse:
    form = CheckForm(request.POST, request.FILES) if request.method == "POST" else CheckForm()
    context: dict[str, Any] = {"form": form}
    if form.is_bound and form.is_valid():
        try:
            report = checker.check(form.body())
        except Refusal as refusal:
            form.add_error("file" if form.cleaned_data.get("file") else "text", _told(refusal, request))
        else:
            context |= _shown(report)
    return render(request, "intel/check.html", context, status=422 if form.errors else 200)


def _shown(report: checker.Report) -> dict[str, Any]:
    """What needs a change first, then what could be better, then what is fine."""
    rows = sorted(report.objects, key=lambda each: (each.outcome != checker.REFUSED, not each.advice, each.place))
    return {
        "report": report,
        "rows": [
            {"each": each, "type": words.type_words(each.type or "—"), "words": words.CHECKED[each.outcome]}
            for each in rows[:_MOST]
        ],
        "counts": [(words.CHECKED[name], report.count(name), name) for name in words.CHECKED if report.count(name)],
        "left": max(len(rows) - _MOST, 0),
    }


def _told(refusal: Refusal, request: HttpRequest) -> str:
    return f"{refusal.reason.in_language(request.LANGUAGE_CODE)} ({refusal.rule}, {refusal.clause})"
