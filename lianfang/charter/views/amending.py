"""The staff's pages of documents: the list, the draft of the next version with its editor, approval, publication."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from lianfang.accounts.doors import door, may
from lianfang.accounts.forms import refuse
from lianfang.accounts.signing import confirm
from lianfang.accounts.views.asked import asked
from lianfang.charter import actions, forms, providers, queries, reading, text
from lianfang.charter.lifecycle import AMENDMENT
from lianfang.charter.models import Amendment, DocumentVersion
from lianfang.kernel.refusal import Refusal
from lianfang.kernel.text import Bilingual
from lianfang.policy.facts import Right

TONES = {
    "draft": "line", "proposed": "warn", "approved": "info", "issuing": "warn", "issued": "good", "discarded": "line",
}  # fmt: skip


@require_safe
@door.staff
def listing(request: HttpRequest) -> HttpResponse:
    """Every document with its versions, whom each was told, who acknowledged it, and what is being written."""
    subject, at = asked(request).subject, asked(request).at
    context = {
        "documents": [_document(kind, request) for kind in queries.DOCUMENTS],
        "may_edit": may(subject=subject, right=Right.EDIT_CHARTER, at=at),
    }
    return render(request, "charter/staff/documents.html", context)


def _document(kind: str, request: HttpRequest) -> dict[str, Any]:
    at = asked(request).at
    now, found = queries.in_force(kind=kind, at=at), queries.open_amendment(kind)
    return {
        "kind": kind,
        "name": queries.DOCUMENTS[kind],
        "now": now,
        "versions": [_version(one, now, request) for one in queries.every(kind=kind)],
        "amendment": found,
        "state": _state(found) if found else None,
        "acknowledged": queries.acknowledgements(now, at) if now and kind == "charter" else None,
    }


def _version(version: DocumentVersion, now: DocumentVersion | None, request: HttpRequest) -> dict[str, Any]:
    if now is not None and version.pk == now.pk:
        state = (_("In force now"), "good")
    elif version.effective_at > asked(request).at:
        state = (_("Not in force yet"), "info")
    else:
        state = (_("Earlier version"), "line")
    told = queries.delivered(version) if version.origin == "amended" else None
    return {"version": version, "state": state, "told": told, "page": f"{version.document_id}_version"}


def _state(amendment: Amendment) -> tuple[Bilingual, str]:
    return AMENDMENT.states[amendment.state], TONES[amendment.state]


# The draft


@require_POST
@door(Right.EDIT_CHARTER)
def begin(request: HttpRequest, kind: str) -> HttpResponseBase:
    """Begin the next version as a copy of the latest."""
    try:
        actions.begin_amendment(kind=kind, by=asked(request).subject, at=asked(request).at)
    except Refusal as refusal:
        messages.error(request, refusal.reason.in_language(get_language() or "zh-hant"))
        return redirect("staff_charter")
    return redirect("amendment", kind=kind)


@require_safe
@door.staff
def draft(request: HttpRequest, kind: str) -> HttpResponseBase:
    """The draft of the next version on one page, and how far it is from being in force."""
    found = queries.open_amendment(kind)
    if found is None:
        return redirect("staff_charter")
    subject, at = asked(request).subject, asked(request).at
    edits = may(subject=subject, right=Right.EDIT_CHARTER, at=at)
    faulty: dict[str, list[Bilingual]] = {}
    for one in actions.faults_of(found):
        faulty.setdefault(one.clause, []).append(one.reason)
    differs = set(text.changed(found.base.clauses, found.clauses))
    context = {
        "kind": kind,
        "name": queries.DOCUMENTS[kind],
        "amendment": found,
        "state": _state(found),
        "clauses": [
            (
                one,
                text.key(one["id"]) if text.NUMBER.match(one["id"]) else (),
                one["id"] in differs,
                one["id"] in faulty,
            )
            for one in found.clauses
        ],
        "faults": [(number, reason) for number, reasons in faulty.items() for reason in reasons],
        "changed": len(differs),
        "may_edit": edits and found.state == "draft",
        "may_discard": edits and AMENDMENT.why_not(found, "discard") is None,
        "may_decide": found.state == "proposed" and may(subject=subject, right=Right.APPROVE, at=at),
        "may_publish": edits and found.state == "approved",
    }
    return render(request, "charter/staff/draft.html", context)


@require_safe
@door.staff
def compare(request: HttpRequest, kind: str) -> HttpResponse:
    """The draft beside the version that it was copied from."""
    found = _open(kind)
    rows = text.compare(found.base.clauses, _readable(found.clauses))
    context = {
        "kind": kind,
        "amendment": found,
        "name": queries.DOCUMENTS[kind],
        "rows": [row for row in rows if row.kind != "same"],
        "same": sum(row.kind == "same" for row in rows),
    }
    return render(request, "charter/staff/compare.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@door(Right.EDIT_CHARTER)
def title(request: HttpRequest, kind: str) -> HttpResponseBase:
    """The name of the document."""
    found = _open(kind)
    initial = {"title_zh": found.title_zh, "title_en": found.title_en, "revision": found.revision}
    form = forms.TitleForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        titles = Bilingual(zh=form.cleaned_data["title_zh"], en=form.cleaned_data["title_en"])
        if _saved(request, form, found, found.clauses, "title", titles=titles):
            return redirect("amendment", kind=kind)
    return _form(request, form, found, _("Title of the document"))


@require_http_methods(["GET", "HEAD", "POST"])
@door(Right.EDIT_CHARTER)
def clause(request: HttpRequest, kind: str, number: str = "") -> HttpResponseBase:
    """One clause in both languages; without a number, a new one. It may be taken out here, too."""
    found = _open(kind)
    old = next((one for one in found.clauses if one["id"] == number), None)
    if number and old is None:
        raise Http404
    initial = {"revision": found.revision, "number": number, **({"zh": old["zh"], "en": old["en"]} if old else {})}
    removing = request.method == "POST" and old is not None and request.POST.get("act") == "remove"
    form: Any = (forms.RevisionForm if removing else forms.ClauseForm)(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        if removing:
            clauses: list[Any] = [one for one in found.clauses if one["id"] != number]
        else:
            words = (given[name].replace("\r\n", "\n").strip() for name in ("zh", "en"))
            clauses = reading.placed(found.clauses, given["number"].strip(), *words, before=number)
        if _saved(request, form, found, clauses, number or given["number"]):
            return redirect("amendment", kind=kind)
    before = next((one for one in found.base.clauses if one["id"] == number), None)
    heading = _("Edit a clause") if old else _("Add a clause")
    return _form(request, form, found, heading, about=number, old=old, before=before)


@require_http_methods(["GET", "HEAD", "POST"])
@door(Right.EDIT_CHARTER)
def import_text(request: HttpRequest, kind: str) -> HttpResponseBase:
    """A whole text from a file or pasted: first what it gives clause by clause, then into the draft."""
    found = _open(kind)
    form = forms.TextFileForm(request.POST or None, request.FILES or None, initial={"revision": found.revision})
    looked: dict[str, Any] = {}
    if request.method == "POST" and form.is_valid():
        try:
            given = form.cleaned_data["file"]
            written = reading.decode(given.read()) if given else form.cleaned_data["pasted"]
            got = reading.read(written)
            clauses = reading.merged(found.clauses, got, language=form.cleaned_data["language"])
            if request.POST.get("act") == "keep" and _saved(request, form, found, clauses, "import"):
                return redirect("amendment", kind=kind)
            titles = Bilingual(zh=found.title_zh, en=found.title_en)
            looked = {
                "clauses": clauses,
                "loose": got.loose,
                "faults": text.faults(titles, clauses),
                "lost": [one for one in found.clauses if one["id"] not in {row["id"] for row in clauses}],
            }
            # What was read from a file is sent again as text when it is taken over.
            form.data = {**request.POST.dict(), "pasted": written}
        except Refusal as refusal:
            refuse(form, refusal)
    context = {"kind": kind, "amendment": found, "form": form, "name": queries.DOCUMENTS[kind], **looked}
    return render(request, "charter/staff/import.html", context, status=422 if form.errors else 200)


@require_POST
@door(Right.EDIT_CHARTER)
def discard(request: HttpRequest, kind: str) -> HttpResponseBase:
    """Give the draft up."""
    actions.discard_amendment(amendment=_open(kind), by=asked(request).subject, at=asked(request).at)
    messages.success(request, _("Discarded. The draft stays on record."))
    return redirect("staff_charter")


# Approval and publication


@require_http_methods(["GET", "HEAD", "POST"])
@door(Right.EDIT_CHARTER)
def propose(request: HttpRequest, kind: str) -> HttpResponseBase:
    """Send the draft to the approvers."""
    found = _open(kind)
    initial = {"summary_zh": found.summary_zh, "summary_en": found.summary_en, "effective_at": found.effective_at}
    form = forms.ProposeForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            actions.propose_amendment(
                amendment=found,
                summary=Bilingual(zh=given["summary_zh"], en=given["summary_en"]),
                effective_at=given["effective_at"],
                by=asked(request).subject,
                at=asked(request).at,
            )
        except Refusal as refusal:
            refuse(form, refusal)
        else:
            messages.success(request, _("Sent. Two approvers who did not write it have to agree."))
            return redirect("amendment", kind=kind)
    context = {
        "kind": kind,
        "amendment": found,
        "name": queries.DOCUMENTS[kind],
        "form": form,
        "rows": _changes(found),
    }
    return render(request, "charter/staff/propose.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@door(Right.APPROVE)
def decide(request: HttpRequest, kind: str) -> HttpResponseBase:
    """Approve the draft, signed; or send it back."""
    found = queries.open_amendment(kind)
    if found is None or found.state not in ("proposed", "approved"):
        return redirect("staff_charter")
    problem: Refusal | None = None
    if request.method == "POST":
        try:
            return _decided(request, found)
        except Refusal as refusal:
            problem = refusal
    context = {
        "kind": kind,
        "amendment": found,
        "name": queries.DOCUMENTS[kind],
        "rows": _changes(found),
        "author": str(asked(request).person.pk) in found.authors,
        "mine": found.first_approver_id == asked(request).person.pk,
        "refusal": problem,
    }
    return render(request, "charter/staff/decide.html", context, status=422 if problem else 200)


def _decided(request: HttpRequest, found: Amendment) -> HttpResponseBase:
    by, at = asked(request).subject, asked(request).at
    if request.POST.get("act") == "decline":
        actions.return_amendment(amendment=found, by=by, at=at)
        messages.success(request, _("Sent back to its authors."))
    else:
        confirm(request)
        approved = actions.approve_amendment(amendment=found, by=by, at=at)
        done = approved.state == "approved"
        messages.success(
            request,
            _("Approved. Now it is published and mailed.") if done else _("Your approval is kept. One more is needed."),
        )
    return redirect("amendment", kind=found.document_id)


@require_http_methods(["GET", "HEAD", "POST"])
@door(Right.EDIT_CHARTER)
def website(request: HttpRequest, kind: str) -> HttpResponseBase:
    """Record the publication on the coordinator's own website."""
    found = _open(kind)
    form = forms.WebsiteForm(request.POST or None, initial={"url": found.site_url, "published_at": found.site_at})
    if request.method == "POST" and form.is_valid():
        try:
            actions.record_website(
                amendment=found, **form.cleaned_data, by=asked(request).subject, at=asked(request).at
            )
        except Refusal as refusal:
            refuse(form, refusal)
        else:
            messages.success(request, _("Recorded."))
            return redirect("amendment_issue", kind=kind)
    return _form(request, form, found, _("Publication on the website"))


@require_http_methods(["GET", "HEAD", "POST"])
@door(Right.EDIT_CHARTER)
def issue(request: HttpRequest, kind: str) -> HttpResponseBase:
    """Publish here and mail to every member, at one instant; before that, whom it reaches and whom not."""
    found = queries.open_amendment(kind)
    if found is None or found.state not in ("approved", "issuing"):
        return redirect("staff_charter")
    problem: Refusal | None = None
    if request.method == "POST":
        try:
            actions.order_issue(amendment=found, by=asked(request).subject, at=asked(request).at)
            messages.success(
                request, _("Ordered. The mails are being prepared; this takes a moment with many members.")
            )
            return redirect("amendment", kind=kind)
        except Refusal as refusal:
            problem = refusal
    members = providers.members(asked(request).at)
    context = {
        "kind": kind,
        "amendment": found,
        "name": queries.DOCUMENTS[kind],
        "members": len(members),
        "mails": sum(len(one.people) for one in members),
        "bare": [one.name for one in members if not one.people],
        "off": AMENDMENT.why_not(found, "issue", on_the_website=found.site_at is not None),
        "refusal": problem,
    }
    return render(request, "charter/staff/issue.html", context, status=422 if problem else 200)


# Shared


def _open(kind: str) -> Amendment:
    found = queries.open_amendment(kind)
    if found is None:
        raise Http404
    return found


def _readable(clauses: list[Any]) -> list[Any]:
    """Clauses with a number, each once: what a comparison can place while a draft has faults."""
    kept: dict[str, Any] = {}
    for one in clauses:
        if text.NUMBER.match(one["id"]):
            kept.setdefault(one["id"], one)
    return list(kept.values())


def _changes(found: Amendment) -> list[text.Row]:
    return [row for row in text.compare(found.base.clauses, _readable(found.clauses)) if row.kind != "same"]


def _saved(
    request: HttpRequest, form: Any, found: Amendment, clauses: list[Any], what: str, *, titles: Bilingual | None = None
) -> bool:
    """Keep a changed text; a refusal stands in the form, with everything that was typed."""
    try:
        actions.save_amendment(
            amendment=found,
            titles=titles or Bilingual(zh=found.title_zh, en=found.title_en),
            clauses=clauses,
            revision=form.cleaned_data["revision"],
            what=what,
            by=asked(request).subject,
            at=asked(request).at,
        )
    except Refusal as refusal:
        refuse(form, refusal)
        if refusal.rule == "amendment-stale":
            # Saved again after a look at what the colleague did, it counts.
            form.data = {**request.POST.dict(), "revision": str(found.revision)}
        return False
    return True


def _form(request: HttpRequest, form: Any, found: Amendment, heading: str, **more: Any) -> HttpResponse:
    context = {"form": form, "amendment": found, "kind": found.document_id, "heading": heading, **more}
    context["name"] = queries.DOCUMENTS[found.document_id]
    return render(request, "charter/staff/form.html", context, status=422 if form.errors else 200)
