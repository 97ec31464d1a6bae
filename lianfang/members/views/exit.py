"""離會專區: what is left to an organisation whose membership ended."""

from __future__ import annotations

import re
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from lianfang.accounts.doors import door, may
from lianfang.accounts.views.asked import asked
from lianfang.kernel.ids import new_secret
from lianfang.kernel.refusal import Refusal
from lianfang.members import actions, queries, uploads, words
from lianfang.members.forms import AppealForm, as_errors
from lianfang.members.models import Appeal, Decision, Revocation
from lianfang.members.shown import short_date
from lianfang.policy.facts import Right, Standing

_KEY = re.compile(r"[A-Za-z0-9_-]{1,64}")
_ENDED = (Standing.REVOKED, Standing.TERMINATED)


@require_safe
@door.signed_in
def exit_page(request: HttpRequest) -> HttpResponseBase:
    """The decision, the clock of the appeal, the duties that remain. For whoever is in force: its own plane."""
    case = _ended(request)
    if case is None:
        return redirect("own_plane") if asked(request).subject.standing not in _ENDED else _plain(request)
    context = {**_about(request, case), "form": AppealForm(), "key": new_secret()}
    return render(request, "members/exit.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@door.signed_in
def appeal(request: HttpRequest) -> HttpResponseBase:
    """File an appeal, text and files at once; its time is stamped when it arrives."""
    case = _ended(request)
    if case is None:
        raise Http404
    form = AppealForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            filed = _file(request, case, form)
        except Refusal as refusal:
            as_errors(form, refusal)
        else:
            return redirect("exit_appeal_receipt", number=filed.number)
    context = {**_about(request, case), "form": form, "key": _key(request)}
    return render(request, "members/exit_appeal.html", context, status=422 if form.errors else 200)


def _file(request: HttpRequest, case: Revocation, form: AppealForm) -> Appeal:
    files = [
        uploads.read(name=file.name or "", content=file.read(uploads.MOST_BYTES + 1), field="files")
        for file in request.FILES.getlist("files")
    ]
    return actions.file_appeal(
        case=case,
        text=form.cleaned_data["text"],
        files=files,
        key=_key(request),
        by=asked(request).subject,
        at=asked(request).at,
    )


def _key(request: HttpRequest) -> str:
    """The one-use key of the form that was sent; what is none of ours is as good as no key."""
    key = request.POST.get("key", "")
    return key if _KEY.fullmatch(key) else new_secret()


@require_safe
@door.signed_in
def receipt(request: HttpRequest, number: str) -> HttpResponse:
    """The receipt of an appeal, for the people of the organisation that filed it."""
    filed = queries.appeal(number)
    pair = asked(request).subject.pair
    if filed is None or pair is None or filed.revocation.membership.organization_id != pair.organization:
        raise Http404
    return render(request, "members/appeal_receipt.html", {"appeal": filed, "files": filed.files.all()})


@require_http_methods(["GET", "HEAD", "POST"])
@door.signed_in
def letter(request: HttpRequest) -> HttpResponse:
    """The letter of the revocation or termination, for the administrators to whom it was sent."""
    case = _ended(request)
    decision = _decision(request, case)
    if decision is None or not _may(request, Right.VIEW_EXIT):
        raise Http404
    if case is not None and case.awaits_arrival:
        if request.method != "POST":
            # Looking changes nothing: the button is the proof of arrival, and says what it sets running.
            return render(request, "members/letter_open.html", {"days": case.appeal_days})
        actions.open_letter(case=case, by=asked(request).subject, at=asked(request).at)
    return render(request, "members/letter.html", {"decision": decision, "back": "/exit"})


def _decision(request: HttpRequest, case: Revocation | None) -> Decision | None:
    """The decision by which this reader's own organisation lost its membership, or left."""
    if case is not None:
        return next(iter(queries.decisions(revocation=case, kind="revoke")), None)
    subject = asked(request).subject
    if subject.pair is None or subject.standing is not Standing.TERMINATED:
        return None
    found = queries.decisions(membership__organization=subject.pair.group, kind="terminate")
    return found[-1] if found else None


def _ended(request: HttpRequest) -> Revocation | None:
    """The case by which this reader's own organisation lost its membership, while it is lost."""
    subject = asked(request).subject
    # Whoever left by a decision on its own request has nothing to appeal, whatever came before.
    if subject.pair is None or subject.standing is not Standing.REVOKED:
        return None
    return queries.last_revocation(subject.pair.group)


def _about(request: HttpRequest, case: Revocation) -> dict[str, Any]:
    at = asked(request).at
    return {
        "case": case,
        "ground": words.GROUNDS[case.ground],
        "deadline": case.deadline,
        "late": case.is_late(at),
        "waits": case.awaits_arrival,
        "days_left": case.deadline.days_left(at) if case.deadline else 0,
        "days_late": -case.deadline.days_left(at) if case.deadline else 0,
        "last": short_date(case.deadline.last_day) if case.deadline else None,
        "decision": next(iter(queries.decisions(revocation=case, kind="revoke")), None),
        "appeals": queries.appeals([case]).get(case.pk, []) if _may(request, Right.VIEW_EXIT) else [],
        "may_view": _may(request, Right.VIEW_EXIT),
        "may_appeal": _may(request, Right.FILE_APPEAL),
        "role": asked(request).subject.role,
        "mfa": asked(request).subject.mfa,
    }


def _plain(request: HttpRequest) -> HttpResponse:
    """A membership that ended otherwise than by revocation: the duties that remain, nothing to appeal."""
    decision = _decision(request, None)
    context = {
        "case": None,
        "decision": decision,
        "handling": words.HANDLING[decision.termination.handling] if decision and decision.termination else None,
        "may_view": _may(request, Right.VIEW_EXIT),
    }
    return render(request, "members/exit.html", context)


def _may(request: HttpRequest, right: Right) -> bool:
    return may(subject=asked(request).subject, right=right, at=asked(request).at)
