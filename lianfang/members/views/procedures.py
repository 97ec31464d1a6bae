"""Editions of the procedure: the list, one edition, the draft with its editor, preview, and approval by two."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from lianfang.accounts.doors import door, may
from lianfang.accounts.signing import confirm
from lianfang.accounts.views.asked import asked
from lianfang.kernel.refusal import Refusal
from lianfang.members import actions, procedure_edits, procedure_rules, queries
from lianfang.members import shown_procedures as shown
from lianfang.members.forms import as_errors, said
from lianfang.members.models import Procedure, ProcedureDraft
from lianfang.members.procedure import Spec
from lianfang.members.procedure_forms import DraftForm, GeneralForm, ProposeForm, QuestionForm, StepHeadForm, pair_words
from lianfang.policy.facts import Right


@require_safe
@door.staff
def listing(request: HttpRequest) -> HttpResponse:
    """Every edition with the cases that keep it, and the draft of the next one."""
    subject, at = asked(request).subject, asked(request).at
    drafts, cases = shown.on_old_editions(at)
    context = {
        "editions": shown.editions(at),
        "draft": queries.open_procedure_draft(),
        "old_drafts": drafts,
        "old_cases": cases,
        "may_begin": may(subject=subject, right=Right.EDIT_CHARTER, at=at),
    }
    return render(request, "members/staff/procedures.html", context)


@require_safe
@door.staff
def edition(request: HttpRequest, version: int) -> HttpResponse:
    """One edition: its pages, who wrote and approved it, and how it differs from another."""
    found = _edition(version)
    other = queries.procedure(_number(request.GET.get("against", "")) or version - 1)
    context = {
        "edition": found,
        "digest": bytes(found.sha256).hex(),
        "pages": shown.pages(found.spec),
        "general": Spec(found.spec),
        "title": pair_words(found.spec["title"]),
        "other": other,
        "others": [one for one in queries.procedures() if one.pk != found.pk],
        "changes": shown.changes(other.spec, found.spec) if other else [],
        "draft": queries.draft_of_procedure(found),
    }
    return render(request, "members/staff/procedure.html", context)


@require_POST
@door(Right.EDIT_CHARTER)
def begin(request: HttpRequest) -> HttpResponseBase:
    """Begin the next edition as a copy of the latest."""
    try:
        actions.begin_procedure(by=asked(request).subject, at=asked(request).at)
    except Refusal as refusal:
        messages.error(request, said(refusal.reason))
    return redirect("procedure_draft")


@require_safe
@door.staff
def draft(request: HttpRequest) -> HttpResponseBase:
    """The draft of the next edition on one page."""
    found = queries.open_procedure_draft()
    if found is None:
        return redirect("procedures")
    context = shown.draft_page(found, asked(request).subject, asked(request).at)
    return render(request, "members/staff/procedure_draft.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@door(Right.EDIT_CHARTER)
def general(request: HttpRequest) -> HttpResponseBase:
    """What holds for the whole procedure: title, periods, number of approvers."""
    found, raw = _draft()
    initial = {
        **_halves("title", raw["title"]), **_halves("note", raw.get("note", {})), **raw["periods"],
        "approvers": raw.get("approvers", 1), "revision": found.revision,
    }  # fmt: skip
    form = GeneralForm(request.POST or None, initial=initial)
    if _saved(request, form, found, lambda: (procedure_edits.general(raw, **form.values()), "general")):
        return redirect("procedure_draft")
    return _form(request, form, found, _("Title, periods and approvers"))


@require_http_methods(["GET", "HEAD", "POST"])
@door(Right.EDIT_CHARTER)
def step(request: HttpRequest, step: str = "") -> HttpResponseBase:
    """The heading of a page, and why it asks; without a code, a new page."""
    found, raw = _draft()
    old = next((one for one in raw["steps"] if one["id"] == step), None)
    if step and old is None:
        raise Http404
    initial: dict[str, Any] = {"revision": found.revision}
    if old is not None:
        why = {f"why_{one}": "\n".join(line[one] for line in old["why"]) for one in ("zh", "en")}
        initial |= {**_halves("title", old["title"]), **why}
    form = StepHeadForm(request.POST or None, initial=initial)

    def change() -> tuple[procedure_rules.Raw, str]:
        if old is not None:
            return procedure_edits.set_step(raw, step, **form.values()), step
        return procedure_edits.add_step(raw, **form.values())

    if _saved(request, form, found, change):
        return redirect("procedure_draft")
    title = pair_words(old["title"]) if old else None
    return _form(request, form, found, _("A page of the form"), about=title)


@require_http_methods(["GET", "HEAD", "POST"])
@door(Right.EDIT_CHARTER)
def field(request: HttpRequest, step: str, name: str = "") -> HttpResponseBase:
    """One question: its kind, words, help, need and options; without a code, a new question."""
    found, raw = _draft()
    page = next((one for one in raw["steps"] if one["id"] == step), None)
    if page is None or (name and not any(one["name"] == name for one in page["fields"])):
        raise Http404
    if not name and not procedure_rules.takes_questions(step):
        raise Http404
    form = QuestionForm(request.POST or None, raw=raw, step=step, name=name)
    form.fields["revision"].initial = found.revision

    def change() -> tuple[procedure_rules.Raw, str]:
        if name:
            return procedure_edits.set_field(raw, step, name, form.question()), f"{step}.{name}"
        made, code = procedure_edits.add_field(raw, step, form.question())
        return made, f"{step}.{code}"

    if _saved(request, form, found, change):
        return redirect(f"{reverse('procedure_draft')}#s-{step}")
    need = procedure_rules.needed().get((step, name))
    return _form(request, form, found, _("A question"), about=pair_words(page["title"]), need=need, template="field")


@require_POST
@door(Right.EDIT_CHARTER)
def change(request: HttpRequest) -> HttpResponseBase:
    """Move or remove a page or a question; the buttons of the draft's page."""
    found, raw = _draft()
    where, name = request.POST.get("step", ""), request.POST.get("name", "")
    acts: dict[str, Callable[[], procedure_rules.Raw]] = {
        "step-up": lambda: procedure_edits.move_step(raw, where, -1),
        "step-down": lambda: procedure_edits.move_step(raw, where, 1),
        "step-remove": lambda: procedure_edits.remove_step(raw, where),
        "up": lambda: procedure_edits.move_field(raw, where, name, -1),
        "down": lambda: procedure_edits.move_field(raw, where, name, 1),
        "remove": lambda: procedure_edits.remove_field(raw, where, name),
    }
    act = acts.get(request.POST.get("act", ""))
    form = DraftForm(request.POST)
    if act is None or not form.is_valid():
        raise Http404
    if not _saved(request, form, found, lambda: (act(), f"{where}.{name}")):
        for error in form.non_field_errors():
            messages.error(request, str(error))
    return redirect("procedure_draft")


@require_http_methods(["GET", "HEAD", "POST"])
@door(Right.EDIT_CHARTER)
def propose(request: HttpRequest) -> HttpResponseBase:
    """Send the draft for approval: what changes, why, from when on."""
    found, _raw = _draft()
    form = ProposeForm(request.POST or None, initial={"revision": found.revision, "reason": found.reason})
    if request.method == "POST" and form.is_valid():
        at = asked(request).at
        try:
            actions.propose_procedure(
                draft=found,
                reason=form.cleaned_data["reason"],
                effective_at=form.cleaned_data["effective_at"] or at,
                by=asked(request).subject,
                at=at,
            )
        except Refusal as refusal:
            as_errors(form, refusal)
        else:
            messages.success(request, _("Sent. Two approvers who did not write it have to agree."))
            return redirect("procedure_draft")
    context = {"form": form, "draft": found, "changes": shown.changes(found.base.spec, found.spec)}
    return render(request, "members/staff/procedure_propose.html", context, status=422 if form.errors else 200)


@require_POST
@door(Right.EDIT_CHARTER)
def discard(request: HttpRequest) -> HttpResponseBase:
    """Give the draft up."""
    found, _raw = _draft()
    actions.discard_procedure(draft=found, by=asked(request).subject, at=asked(request).at)
    messages.success(request, _("Discarded. The draft stays on record."))
    return redirect("procedures")


@require_http_methods(["GET", "HEAD", "POST"])
@door(Right.APPROVE)
def decide(request: HttpRequest) -> HttpResponseBase:
    """Approve the draft, signed; the second approval publishes. Or send it back."""
    found = queries.open_procedure_draft()
    if found is None or found.state != "proposed":
        return redirect("procedures")
    problem: Refusal | None = None
    if request.method == "POST":
        try:
            return _decided(request, found)
        except Refusal as refusal:
            problem = refusal
    drafts, cases = shown.on_old_editions(asked(request).at)
    context = {
        "draft": found,
        "changes": shown.changes(found.base.spec, found.spec),
        "faults": shown.fault_rows(found.spec),
        "first_page": found.spec["steps"][0]["id"],
        "author": str(asked(request).person.pk) in found.authors,
        "mine": found.first_approver_id == asked(request).person.pk,
        "old_drafts": drafts,
        "old_cases": cases,
        "refusal": problem,
    }
    return render(request, "members/staff/procedure_decide.html", context, status=422 if problem else 200)


def _decided(request: HttpRequest, found: ProcedureDraft) -> HttpResponseBase:
    by, at = asked(request).subject, asked(request).at
    if request.POST.get("act") == "decline":
        actions.return_procedure(draft=found, by=by, at=at)
        messages.success(request, _("Sent back to its authors."))
        return redirect("procedure_draft")
    confirm(request)
    published = actions.approve_procedure(draft=found, by=by, at=at)
    if published is None:
        messages.success(request, _("Your approval is kept. Another approver publishes it."))
        return redirect("procedure_draft")
    messages.success(request, _("Published. Cases that are open keep their edition."))
    return redirect("procedure", version=published.version)


@require_http_methods(["GET", "HEAD", "POST"])
@door.staff
def preview(request: HttpRequest, step: str, version: int = 0) -> HttpResponseBase:
    """A page of the form exactly as the applicant sees it, of the draft or of an edition; nothing is kept."""
    if version:
        raw, name, fixed = _edition(version).spec, "procedure_preview", [version]
    else:
        raw, name, fixed = _draft()[1], "procedure_draft_preview", []
    spec = Spec(raw)
    try:
        page = spec.step(step)
    except KeyError:
        raise Http404 from None
    urls = {one.id: reverse(name, args=[*fixed, one.id]) for one in spec.steps}
    answers = shown.assumed(spec, request.GET.getlist("as"))
    data = request.POST if request.method == "POST" else None
    template, context = shown.preview(spec, page, data, answers, urls, asked(request).at)
    context["leave"] = reverse("procedure", args=[version]) if version else reverse("procedure_draft")
    context["sound"] = data is not None and not context["form"].errors
    return render(request, template, context, status=422 if context["form"].errors else 200)


# Shared


def _draft() -> tuple[ProcedureDraft, procedure_rules.Raw]:
    found = queries.open_procedure_draft()
    if found is None:
        raise Http404
    return found, found.spec


def _saved(
    request: HttpRequest, form: Any, found: ProcedureDraft, change: Callable[[], tuple[procedure_rules.Raw, str]]
) -> bool:
    """Make a change and keep it; a refusal stands in the form, with everything that was typed."""
    if request.method != "POST" or not form.is_valid():
        return False
    try:
        spec, what = change()
        actions.save_procedure(
            draft=found,
            spec=spec,
            revision=form.cleaned_data["revision"],
            what=what,
            by=asked(request).subject,
            at=asked(request).at,
        )
    except Refusal as refusal:
        as_errors(form, refusal)
        if refusal.rule == "procedure-stale" and "revision" in form.fields:
            # Saved again after a look at what the colleague did, it counts.
            form.data = {**form.data.dict(), "revision": str(found.revision)}
        return False
    return True


def _form(
    request: HttpRequest, form: Any, found: ProcedureDraft, title: str, *, template: str = "form", **more: Any
) -> HttpResponse:
    context = {"form": form, "draft": found, "title": title, **more}
    return render(request, f"members/staff/procedure_{template}.html", context, status=422 if form.errors else 200)


def _edition(version: int) -> Procedure:
    found = queries.procedure(version)
    if found is None:
        raise Http404
    return found


def _halves(name: str, pair: Any) -> dict[str, str]:
    return {f"{name}_{language}": pair.get(language, "") for language in ("zh", "en")}


def _number(written: str) -> int:
    return int(written) if written.isdecimal() and len(written) < 6 else 0
