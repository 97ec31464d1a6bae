"""The application: seven pages that save, a receipt, and the applicant's page of its case."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.cache import cache
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from lianfang.accounts.doors import door, require
from lianfang.accounts.views.asked import asked
from lianfang.charter.queries import in_force
from lianfang.kernel.ids import digest
from lianfang.kernel.refusal import Refusal
from lianfang.kernel.text import Bilingual
from lianfang.members import actions, queries, queries_lists, shown, uploads
from lianfang.members.forms import NoteForm, StepForm, as_errors, initial_of
from lianfang.members.models import Application
from lianfang.members.procedure import Field, Spec, Step
from lianfang.policy.facts import Right, Subject

SESSION = "application"
_MAILS_AN_HOUR = 6
_OFTEN = Bilingual(
    zh="寄到這個信箱的信太多了，請一小時後再試。", en="Too many mails to this address; try again in an hour."
)
_NO_KEY = Bilingual(zh="請從檢查頁送出。", en="Send it from the page where you check it.")
_FIRST = "eligibility"


@require_http_methods(["GET", "HEAD", "POST"])
@door.public
def apply(request: HttpRequest) -> HttpResponseBase:
    """The first page; with a draft in this browser, the page at which it stands."""
    own = draft_of(request)
    if own is not None and request.method != "POST":
        return redirect("apply_step", step=_next_open(own))
    spec = queries.procedure_in_force(asked(request).at)
    step = Spec(spec.spec).step(_FIRST)
    form = StepForm(request.POST or None, step=step, answers={}, files={})
    if request.method == "POST" and form.is_valid():
        try:
            _not_too_often(form.raw["email"])
            application = actions.start(
                values=form.raw,
                language=get_language() or "zh-hant",
                by=asked(request).subject,
                at=asked(request).at,
            )
        except Refusal as refusal:
            as_errors(form, refusal)
        else:
            request.session[SESSION] = str(application.pk)
            messages.success(request, _("We have mailed you the link with which you can go on later."))
            return _onward(Spec(spec.spec), step)
    context = {"form": form, "step": step, "spec": Spec(spec.spec), "steps": shown.steps(Spec(spec.spec), None, _FIRST)}
    return render(request, "members/apply/step.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@door.public
def step(request: HttpRequest, step: str) -> HttpResponseBase:
    """One page of a draft. Everything typed is kept, right or wrong."""
    application = draft_of(request)
    if application is None:
        return redirect("apply")
    spec = queries.spec_of(application)
    try:
        page = spec.step(step)
    except KeyError:
        raise Http404 from None
    if step == "review":
        return _review(request, application, spec, page)
    if step == "attachments":
        return _attachments(request, application, spec, page)
    return _fields(request, application, spec, page)


def _fields(request: HttpRequest, application: Application, spec: Spec, page: Step) -> HttpResponseBase:
    files = queries.file_counts(application)
    if request.method == "POST":
        form = StepForm(request.POST, step=page, answers=application.answers, files=files)
        complete = form.is_valid()
        moved = complete and form.raw.get("email", "").lower() not in ("", application.email)
        try:
            if moved:
                _not_too_often(form.raw["email"])
        except Refusal as refusal:
            as_errors(form, refusal)
            kept = complete = moved = False
        else:
            kept = True
            actions.save_step(
                application=application, step=page.id, values=form.raw, by=asked(request).subject, at=asked(request).at
            )
        if moved:
            messages.success(request, _("We have mailed you the link with which you can go on later."))
        if "later" in request.POST and kept:
            messages.success(request, _("Saved. Go on whenever you like."))
            return redirect("apply_step", step=page.id)
        if complete:
            return _onward(spec, page)
        application = _reread(application)
    else:
        form = StepForm(
            step=page, answers=application.answers, files=files, initial=initial_of(page, application.answers)
        )
    context = {
        **_frame(application, spec, page, asked(request).at),
        "form": form,
        "groups": shown.groups(form),
        "faults": shown.roster_faults(form),
        "rows": shown.kept_rows(application) if page.id == "roster" else [],
        "charter": in_force(kind="charter", at=asked(request).at),
    }
    return render(request, "members/apply/step.html", context, status=422 if form.errors else 200)


def _attachments(request: HttpRequest, application: Application, spec: Spec, page: Step) -> HttpResponseBase:
    refusal: Refusal | None = None
    if request.method == "POST":
        try:
            _take_files(request, application, page)
        except Refusal as caught:
            refusal = caught
        if refusal is None:
            actions.save_step(
                application=application, step=page.id, values={}, by=asked(request).subject, at=asked(request).at
            )
            if "next" not in request.POST:
                return redirect("apply_step", step=page.id)
            refusal = shown.first_fault(spec, page, _reread(application))
            if refusal is None:
                return _onward(spec, page)
    context = {
        **_frame(application, spec, page, asked(request).at),
        "proofs": shown.proofs(page, application),
        "refusal": refusal,
    }
    return render(request, "members/apply/attachments.html", context, status=422 if refusal else 200)


def _take_files(request: HttpRequest, application: Application, page: Step) -> None:
    by, at = asked(request).subject, asked(request).at
    if removed := request.POST.get("remove"):
        actions.remove_attachment(application=application, attachment_id=_uuid(removed), by=by, at=at)
    for field in page.fields:
        for file in request.FILES.getlist(field.name):
            upload = uploads.read(name=file.name or "", content=file.read(uploads.MOST_BYTES + 1), field=field.name)
            actions.add_attachment(application=application, proof=field.name, upload=upload, by=by, at=at)


def _review(request: HttpRequest, application: Application, spec: Spec, page: Step) -> HttpResponseBase:
    at = asked(request).at
    files = queries.file_counts(application)
    form = StepForm(request.POST or None, step=page, answers=application.answers, files=files)
    refusal: Refusal | None = None
    if request.method == "POST" and form.is_valid():
        try:
            sent = _send(request, application, form)
        except Refusal as caught:
            refusal = caught
        else:
            return redirect("apply_receipt", number=sent.number)
    context = {
        **_frame(application, spec, page, asked(request).at),
        "form": form,
        "refusal": refusal,
        "sections": shown.sections(spec, application),
        "missing": queries.missing_of(application, but=frozenset({"review"})),
        "charter": in_force(kind="charter", at=at),
        "privacy": in_force(kind="privacy", at=at),
        "documents": shown.documents(at),
        "key": _key(application),
    }
    return render(request, "members/apply/review.html", context, status=422 if form.errors or refusal else 200)


def _send(request: HttpRequest, application: Application, form: StepForm) -> Application:
    key = request.POST.get("key", "")
    if key != _key(application):
        raise Refusal(_NO_KEY, rule="application-key")
    return actions.submit(
        application=application,
        key=key,
        values=form.changes(),
        charter_id=_uuid(request.POST.get("charter", "")),
        privacy_id=_uuid(request.POST.get("privacy", "")),
        by=asked(request).subject,
        at=asked(request).at,
    )


def _key(application: Application) -> str:
    """One key a draft: whichever copy of the page is sent, however often, it is one application."""
    return digest(f"submit {application.pk} {application.secret}").hex()


@require_http_methods(["GET", "HEAD", "POST"])
@door.public
def resume(request: HttpRequest, secret: str) -> HttpResponseBase:
    """The mailed link of a draft. A look proves nothing (mail scanners look, too): a button does."""
    application = queries.application_by_secret(secret)
    if application is None:
        raise Http404
    if application.state not in ("draft", "expired"):
        return redirect("apply_case", secret=secret)
    if application.state == "expired" or asked(request).at >= application.expires_at:
        return render(request, "members/apply/expired.html", shown.expired(application), status=410)
    if request.method != "POST":
        return render(request, "members/apply/resume.html", {"application": application})
    actions.prove_email(application=application, by=asked(request).subject, at=asked(request).at)
    request.session[SESSION] = str(application.pk)
    return redirect("apply_step", step=_next_open(_reread(application)))


@require_POST
@door.public
def link(request: HttpRequest) -> HttpResponseBase:
    """Mail the link of this browser's draft again."""
    application = draft_of(request)
    if application is None:
        return redirect("apply")
    _not_too_often(application.email)
    actions.send_link(application=application, by=asked(request).subject, at=asked(request).at)
    messages.success(request, _("Mailed again. Open the link in that mail to prove the address."))
    return redirect("apply_step", step=_next_open(application))


@require_safe
@door.public
def receipt(request: HttpRequest, number: str) -> HttpResponse:
    """The receipt, for the browser that sent the application or opened its link; for anybody else there is none."""
    application = queries.application_by_id(str(request.session.get(SESSION, "")))
    if application is None or application.number != number:
        raise Http404
    return render(request, "members/apply/receipt.html", shown.receipt(application))


@require_http_methods(["GET", "HEAD", "POST"])
@door.public
def case(request: HttpRequest, secret: str) -> HttpResponseBase:
    """The applicant's case: state, clock, what waits for it, letters, messages."""
    application = case_of(request, secret)
    form = NoteForm(request.POST or None)
    if request.method == "POST":
        answer = _case_post(request, application, form)
        if answer is not None:
            return answer
    context = {**shown.applicants_case(application), "form": form, "secret": secret}
    return render(request, "members/apply/case.html", context, status=422 if form.errors else 200)


def _case_post(request: HttpRequest, application: Application, form: NoteForm) -> HttpResponseBase | None:
    by, at = link_holder(application, request), asked(request).at
    if "withdraw" in request.POST:
        actions.withdraw(application=application, by=by, at=at)
        messages.success(request, _("The application is withdrawn."))
        return redirect("apply_case", secret=application.secret)
    if not form.is_valid():
        return None
    actions.write_to_staff(application=application, text=form.cleaned_data["text"], by=by, at=at)
    messages.success(request, _("Your message is in the case."))
    return redirect("apply_case", secret=application.secret)


@require_http_methods(["GET", "HEAD", "POST"])
@door.public
def correct(request: HttpRequest, secret: str) -> HttpResponseBase:
    """Answer what was asked for, on the same fields as in the form."""
    application = case_of(request, secret)
    items = queries.open_corrections(application)
    if not items:
        return redirect("apply_case", secret=secret)
    require(
        subject=link_holder(application, request),
        right=Right.ANSWER_CORRECTION,
        target=queries.case_of(application),
        at=asked(request).at,
    )
    pages = shown.correction_pages(application, items, request.POST if request.method == "POST" else None)
    refusal: Refusal | None = None
    if request.method == "POST":
        try:
            _take_correction_files(request, application, items)
            # Every form is asked, so that all faults are shown at once.
            valid = [page.form.is_valid() for page in pages]
            if "remove" not in request.POST and all(valid):
                _answer(request, application, items, pages)
                messages.success(request, _("Your corrections are with the reviewer."))
                return redirect("apply_case", secret=secret)
        except Refusal as caught:
            refusal = caught
    context = {
        "application": application,
        "items": items,
        "pages": pages,
        "forms": [page.form for page in pages],
        "proofs": shown.asked_proofs(application, items),
        "refusal": refusal,
        "secret": secret,
    }
    return render(request, "members/apply/correct.html", context, status=422 if request.method == "POST" else 200)


def _take_correction_files(request: HttpRequest, application: Application, items: list[Any]) -> None:
    wanted = {item.field for item in items if item.step == "attachments"}
    page = queries.spec_of(application).step("attachments")
    fields = [field for field in page.fields if field.name in wanted]
    _take_files(request, application, _Only(fields))  # type: ignore[arg-type]


class _Only:
    """The asked-for fields of a step, for `_take_files`."""

    def __init__(self, fields: list[Field]) -> None:
        self.fields = fields


def _answer(request: HttpRequest, application: Application, items: list[Any], pages: list[Any]) -> None:
    actions.answer_corrections(
        application=application,
        answers={item.pk: request.POST.get(f"answer-{item.pk}", "") for item in items},
        changes={page.step.id: page.form.changes() for page in pages},
        by=link_holder(application, request),
        at=asked(request).at,
    )


# Shared


def _frame(application: Application, spec: Spec, page: Step, at: datetime) -> dict[str, Any]:
    before = spec.before(page.id)
    organization = application.answers.get("organization", {})
    return {
        "application": application,
        "against": queries_lists.eligibility_of(application, at) if organization else None,
        "spec": spec,
        "step": page,
        "number": spec.number(page.id),
        "back": reverse("apply_step", args=[before.id]) if before else "",
        "steps": shown.steps(spec, application, page.id),
        "short": shown.draft_number(application),
    }


def _onward(spec: Spec, page: Step) -> HttpResponseRedirect:
    following = spec.after(page.id) or page
    return redirect("apply_step", step=following.id)


def draft_of(request: HttpRequest) -> Application | None:
    """The draft of this browser, unless it was sent or has expired."""
    application = queries.application_by_id(str(request.session.get(SESSION, "")))
    if application is None or application.state != "draft" or asked(request).at >= application.expires_at:
        return None
    return application


def _next_open(application: Application) -> str:
    """The first page that is not complete."""
    steps = queries.spec_of(application).steps
    return next((step.id for step in steps if step.id not in application.steps_done), steps[-1].id)


def _reread(application: Application) -> Application:
    return queries.application_by_id(str(application.pk)) or application


def case_of(request: HttpRequest, secret: str) -> Application:
    application = queries.application_by_secret(secret)
    if application is None or application.state in ("draft", "expired"):
        raise Http404
    request.session[SESSION] = str(application.pk)
    return application


def link_holder(application: Application, request: HttpRequest) -> Subject:
    """The holder of the mailed link: what it names, on this one case, for this request."""
    return Subject.link(
        case=application.number or "",
        rights=frozenset({Right.ANSWER_CORRECTION}),
        expires_at=asked(request).at + timedelta(minutes=1),
    )


def _not_too_often(email: str) -> None:
    """Anybody can type anybody's address: at most a few mails an hour go to one. Raises Refusal."""
    key = "apply-mail-" + digest(email.strip().lower()).hex()
    cache.add(key, 0, timeout=3600)
    if cache.incr(key) > _MAILS_AN_HOUR:
        raise Refusal(_OFTEN, rule="mail-often", field="email")


def _uuid(written: str) -> UUID:
    """A posted id; one that is none becomes an id that nothing has."""
    try:
        return UUID(written)
    except ValueError:
        return UUID(bytes=secrets.token_bytes(16), version=4)
