"""The charter, the privacy notice, and the step of acknowledging confidentiality."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods, require_safe

from lianfang.accounts.doors import door
from lianfang.accounts.views.asked import asked
from lianfang.charter import actions, queries, text
from lianfang.charter.forms import ConfidentialityForm
from lianfang.charter.models import DocumentVersion
from lianfang.kernel.refusal import Refusal

# Clauses of the charter that say what is confidential, and for how long.
_DUTY_CLAUSES = ("3.1", "3.2", "3.3")


@require_safe
@door.public
def charter(request: HttpRequest) -> HttpResponse:
    """The charter in force."""
    return _document(request, _in_force("charter", asked(request).at), article="")


@require_safe
@door.public
def charter_article(request: HttpRequest, article: int) -> HttpResponse:
    """One article of the charter in force, under an address that can be quoted."""
    return _document(request, _in_force("charter", asked(request).at), article=str(article))


@require_safe
@door.public
def document_version(request: HttpRequest, kind: str, number: int) -> HttpResponse:
    """One version word for word: an earlier one, or one that is published and not in force yet."""
    return _document(request, _published(request, kind, number), article="")


@require_safe
@door.public
def document_compare(request: HttpRequest, kind: str, number: int) -> HttpResponse:
    """A version beside the one before it, or beside another: what was struck, what was added."""
    version = _published(request, kind, number)
    asked_for = request.GET.get("against", "")
    other = int(asked_for) if asked_for.isdecimal() and len(asked_for) < 6 else number - 1
    against = queries.published(kind=kind, number=other, at=asked(request).at)
    if against is None:
        raise Http404
    rows = text.compare(against.clauses, version.clauses)
    context = {
        "version": version,
        "against": against,
        "name": queries.DOCUMENTS[kind],
        "rows": [row for row in rows if row.kind != "same"],
        "same": sum(row.kind == "same" for row in rows),
        "others": [one for one in queries.versions(kind=kind, at=asked(request).at) if one.pk != version.pk],
        "is_charter": kind == "charter",
    }
    return render(request, "charter/compare.html", context)


@require_safe
@door.public
def privacy_notice(request: HttpRequest) -> HttpResponse:
    """What is told about personal data (PDPA articles 8 and 9)."""
    return _document(request, _in_force("privacy", asked(request).at), article="")


@require_http_methods(["GET", "HEAD", "POST"])
@door.signed_in
def confidentiality(request: HttpRequest) -> HttpResponseBase:
    """Read the duty, tick, go on to where one was going. Members and staff alike."""
    at, affiliation = asked(request).at, asked(request).affiliation
    version = _in_force("charter", at)
    if affiliation is None:
        raise Http404
    form = ConfidentialityForm(request.POST if request.method == "POST" else None)
    problem: Refusal | None = None
    if form.is_valid():
        try:
            actions.acknowledge(affiliation=affiliation, by=asked(request).subject, at=at)
            return HttpResponseRedirect(_back(request))
        except Refusal as refusal:
            problem = refusal
    context = {
        "form": form,
        "refusal": problem,
        "version": version,
        "clauses": [clause for clause in queries.clauses(version, at=at) if clause.id in _DUTY_CLAUSES],
        "next": _back(request),
        "done": queries.acknowledged(affiliation=affiliation, version=version),
    }
    return render(request, "charter/confidentiality.html", context, status=422 if form.is_bound else 200)


def _back(request: HttpRequest) -> str:
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    return wanted if wanted and url_has_allowed_host_and_scheme(wanted, allowed_hosts=None) else "/home"


def _in_force(kind: str, at: datetime) -> DocumentVersion:
    version = queries.in_force(kind=kind, at=at)
    if version is None:
        raise Http404
    return version


def _published(request: HttpRequest, kind: str, number: int) -> DocumentVersion:
    found = queries.published(kind=kind, number=number, at=asked(request).at)
    if found is None:
        raise Http404
    return found


def _document(request: HttpRequest, version: DocumentVersion, *, article: str) -> HttpResponse:
    at = asked(request).at
    every = queries.clauses(version, at=at)
    shown = [clause for clause in every if not article or clause.article == article]
    if not shown:
        raise Http404
    listed = queries.versions(kind=version.document_id, at=at)
    before = queries.published(kind=version.document_id, number=version.number - 1, at=at)
    context: dict[str, Any] = {
        "version": version,
        "current": bool(listed) and listed[0].pk == version.pk,
        "clauses": shown,
        "article": article,
        "articles": [clause for clause in every if clause.depth == 0 and clause.id != "0"],
        "versions": listed,
        "coming": version.effective_at > at,
        "upcoming": queries.upcoming(kind=version.document_id, at=at),
        "compare": reverse(f"{version.document_id}_compare", args=[version.number]) if before else "",
        "here": f"{version.document_id}_version",
        "sha256": bytes(version.sha256).hex(),
        "is_charter": version.document_id == "charter",
    }
    return render(request, "charter/document.html", context)
