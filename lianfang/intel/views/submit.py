"""Submitting in three steps: the file, who may see it, the result of each object."""

from __future__ import annotations

from collections import Counter
from typing import Any
from uuid import UUID

import orjson
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from lianfang.accounts.doors import door
from lianfang.accounts.views.asked import asked
from lianfang.intel import drafts, intake, queries, words
from lianfang.intel.forms import FileForm, WhoForm
from lianfang.intel.models import Draft, Submission
from lianfang.intel.preview import Preview, preview_audience
from lianfang.intel.stix.advice import advice
from lianfang.intel.views.items import on_own_plane
from lianfang.kernel.refusal import Refusal
from lianfang.policy.facts import Channel, Right, Tlp

_MOST = 1000


@require_http_methods(["GET", "HEAD", "POST"])
@door(Right.SUBMIT)
def choose_file(request: HttpRequest) -> HttpResponseBase:
    """First step: a file, read and checked at once, kept for a day."""
    on_own_plane(request)
    form = FileForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        try:
            draft = drafts.keep(by=asked(request).subject, at=asked(request).at, name=file.name, body=file.read())
        except Refusal as refusal:
            form.add_error("file", str(refusal.reason.in_language(request.LANGUAGE_CODE)))
        else:
            return redirect("submit_who", draft=draft.pk)
    return render(request, "intel/submit_file.html", {"form": form}, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@door(Right.SUBMIT)
def choose_who(request: HttpRequest, draft: UUID) -> HttpResponseBase:
    """Second step: the label form. The draft's id is the one-use key: sent twice, the first result is shown."""
    on_own_plane(request)
    sent = _sent(request, draft)
    if sent is not None:
        return redirect("submission", submission=sent.pk)
    kept = _draft(request, draft)
    form = WhoForm(request.POST or None)
    refusal: Refusal | None = None
    if request.method == "POST" and form.is_valid() and "explain" not in request.POST:
        try:
            made = intake.submit(
                by=asked(request).subject, at=asked(request).at, body=bytes(kept.body),
                form=form.label_form(at=asked(request).at), channel=Channel.PAGE, key=kept.pk,
            )  # fmt: skip
        except Refusal as refused:
            refusal = refused
        else:
            drafts.forget(draft=kept)
            return redirect("submission", submission=made.pk)
    explained = "explain" in request.POST
    context = {
        "form": form, "draft": kept, "counts": _counts(kept), "refusal": refusal, "preview": _preview(request, form),
        "explained": explained,
    }  # fmt: skip
    wrong = refusal is not None or (bool(form.errors) and not explained)
    return render(request, "intel/submit_who.html", context, status=422 if wrong else 200)


@require_POST
@door(Right.SUBMIT)
def preview(request: HttpRequest) -> HttpResponse:
    """The box beside the form, made anew for what is chosen now."""
    on_own_plane(request)
    form = WhoForm(request.POST)
    form.is_valid()
    context = {"preview": _preview(request, form), "form": form, "good": _number(request.POST.get("good", ""))}
    return render(request, "intel/_preview.html", context)


@require_safe
@door(Right.SUBMIT)
def submission(request: HttpRequest, submission: UUID) -> HttpResponse:
    """Third step: what became of each object. Only its own organisation finds it."""
    on_own_plane(request)
    made = queries.submission_of(subject=asked(request).subject, number=submission)
    if made is None:
        raise Http404
    brought = queries.brought_by(submission=made, limit=_MOST)
    results = [_told(result, brought.get((result["id"], result["version"]))) for result in made.results[:_MOST]]
    counts = Counter(result["outcome"] for result in made.results)
    context = {
        "submission": made,
        "results": results,
        "counts": [(words.OUTCOMES[name], counts[name], name) for name in words.OUTCOMES if counts[name]],
        "quarantined": sum(1 for result in made.results if result.get("state") == "quarantined"),
    }
    return render(request, "intel/submission.html", context)


def _told(result: dict[str, Any], original: bytes | None) -> dict[str, Any]:
    """Recommendations are made when they are looked at: they change with the rules, and the object stays as it came."""
    return {
        **result,
        "advice": [] if original is None else advice(orjson.loads(original)),
        "words": words.OUTCOMES[result["outcome"]],
        "type": words.type_words(result["id"].partition("--")[0] or "—"),
        "told": [words.FINDINGS[code] for code in result.get("findings", ()) if code in words.FINDINGS],
    }


def _preview(request: HttpRequest, form: WhoForm) -> Preview | None:
    """Nothing is said before an audience is chosen; what does not go together is said by the form."""
    if not form.is_bound or not getattr(form, "cleaned_data", {}).get("audience"):
        return None
    chosen = form.label_form(at=asked(request).at)
    if chosen.audience is not None and chosen.audience.members and chosen.tlp is not Tlp.RED:
        return None
    return preview_audience(form=chosen, subject=asked(request).subject, at=asked(request).at)


def _counts(draft: Draft) -> dict[str, int]:
    candidates, refused = intake.examine(bytes(draft.body))
    return {"all": len(candidates) + len(refused), "good": len(candidates), "refused": len(refused)}


def _draft(request: HttpRequest, draft: UUID) -> Draft:
    found = drafts.of(subject=asked(request).subject, draft=draft)
    if found is None:
        raise Http404
    return found


def _sent(request: HttpRequest, key: UUID) -> Submission | None:
    return queries.submission_of(subject=asked(request).subject, key=key)


def _number(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 6 else 0
