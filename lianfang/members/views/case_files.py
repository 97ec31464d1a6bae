"""Reading a case out into one signed file: the staff's page for any case, and the member's for its own."""

from __future__ import annotations

import tempfile
from functools import partial
from typing import Any

from django.http import FileResponse, Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_http_methods

from lianfang.accounts.doors import door, may
from lianfang.accounts.signing import confirm
from lianfang.accounts.views.asked import asked
from lianfang.kernel.refusal import Refusal
from lianfang.members import actions, case_file, case_kinds, case_parts
from lianfang.members.actions.reading_out import MEMBER, STAFF
from lianfang.members.case_kinds import Case
from lianfang.members.forms import ReadOutForm, as_errors
from lianfang.policy.facts import Right


@require_http_methods(["GET", "HEAD", "POST"])
@door.staff
@cache_control(private=True, no_store=True)
def staffs(request: HttpRequest, number: str) -> HttpResponseBase:
    """Read out a whole case: why, then the signature, then the file."""
    case = case_file.find(number)
    if case is None:
        raise Http404
    return _answer(request, case, STAFF, "web/staff.html", case_kinds.staff_page(number))


@require_http_methods(["GET", "HEAD", "POST"])
@door.signed_in
@cache_control(private=True, no_store=True)
def members(request: HttpRequest, number: str) -> HttpResponseBase:
    """Read out a case of one's own organisation, for its administrators: in force, or on the exit page."""
    subject, at = asked(request).subject, asked(request).at
    if subject.pair is None or subject.pair.organization != subject.pair.group:
        raise Http404
    case = case_file.find_own(number, organization=subject.pair.group)
    if case is None:
        raise Http404
    in_force = may(subject=subject, right=Right.MANAGE_PEOPLE, at=at)
    if not in_force and not may(subject=subject, right=Right.VIEW_EXIT, at=at):
        raise Http404
    base, back = ("web/member.html", reverse("overview")) if in_force else ("web/public.html", reverse("exit"))
    return _answer(request, case, MEMBER, base, back)


def _answer(request: HttpRequest, case: Case, audience: str, base: str, back: str) -> HttpResponseBase:
    form = ReadOutForm(request.POST or None)
    signing: Refusal | None = None
    if request.method == "POST" and form.is_valid():
        target: Any = tempfile.TemporaryFile()  # noqa: SIM115 - the answer closes it once it has gone
        try:
            confirm(request)
            actions.read_out(
                case=case,
                why=form.cleaned_data["why"],
                audience=audience,
                gather=partial(
                    case_parts.gathered,
                    case,
                    audience=audience,
                    by=asked(request).person.name,
                    why=form.cleaned_data["why"].strip(),
                    at=asked(request).at,
                ),
                target=target,
                by=asked(request).subject,
                at=asked(request).at,
            )
        except Refusal as refusal:
            target.close()
            signing = refusal if refusal.rule == "signature" else None
            if signing is None:
                as_errors(form, refusal)
        else:
            target.seek(0)
            return FileResponse(
                target, as_attachment=True, filename=f"{case.number}.zip", content_type="application/zip"
            )
    context: dict[str, Any] = {
        "case": case,
        "kind": case_kinds.KINDS[(case.number or "")[0]].words,
        "form": form,
        "signing": signing,
    }
    context |= {"base_page": base, "back": back, "staff": audience == STAFF}
    failed = request.method == "POST"
    return render(request, "members/case_file.html", context, status=422 if failed else 200)
