"""The member's page of a notice of intent to revoke: what is alleged, until when to answer, and the answer."""

from __future__ import annotations

import re

from django.contrib import messages
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from lianfang.accounts.doors import door
from lianfang.accounts.views.asked import asked, pair
from lianfang.kernel.ids import new_secret
from lianfang.kernel.refusal import Refusal
from lianfang.members import actions, participation_queries, queries, uploads, words
from lianfang.members.forms import StatementForm, as_errors
from lianfang.members.models import Revocation
from lianfang.members.shown import short_date
from lianfang.policy.facts import Right

_KEY = re.compile(r"[A-Za-z0-9_-]{1,64}")


@require_http_methods(["GET", "HEAD", "POST"])
@door(Right.MANAGE_PEOPLE)
def hearing(request: HttpRequest) -> HttpResponseBase:
    """Answer a notice of intent, with files; its time is stamped when it arrives."""
    case = _open(request)
    form = StatementForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            _file(request, case, form)
        except Refusal as refusal:
            as_errors(form, refusal)
        else:
            messages.success(request, _("Your statement is with us."))
            return redirect("hearing")
    limit, at = case.notice, asked(request).at
    context = {
        "case": case,
        "ground": words.GROUNDS.get(case.notice_ground),
        "limit": limit,
        "late": limit is not None and limit.is_late(at),
        "days_left": limit.days_left(at) if limit else 0,
        "days_late": -limit.days_left(at) if limit else 0,
        "last": short_date(limit.last_day) if limit else None,
        "statements": queries.statements(case),
        "attached": participation_queries.shown_snapshot(case),
        "form": form,
        "key": _key(request),
    }
    return render(request, "members/hearing.html", context, status=422 if form.errors else 200)


def _file(request: HttpRequest, case: Revocation, form: StatementForm) -> None:
    files = [
        uploads.read(name=file.name or "", content=file.read(uploads.MOST_BYTES + 1), field="files")
        for file in request.FILES.getlist("files")
    ]
    actions.file_statement(
        case=case,
        text=form.cleaned_data["text"],
        files=files,
        key=_key(request),
        by=asked(request).subject,
        at=asked(request).at,
    )


def _open(request: HttpRequest) -> Revocation:
    """The open review of the reader's own organisation, once there is a notice."""
    held = getattr(request, "membership", None)
    if held is None or asked(request).subject.is_constituent or pair(request).group != held.organization_id:
        raise Http404
    found = queries.open_revocation(held.pk)
    if found is None or found.notice is None:
        raise Http404
    return found


def _key(request: HttpRequest) -> str:
    """The one-use key of the form that was sent; what is none of ours is as good as no key."""
    key = request.POST.get("key", "")
    return key if _KEY.fullmatch(key) else new_secret()
