"""Whom a version was told: the report of the mails, and what is done about those that did not arrive (4.1)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from lianfang.accounts import paging
from lianfang.accounts.doors import door, may
from lianfang.accounts.forms import refuse
from lianfang.accounts.models import Organization
from lianfang.accounts.views.asked import asked
from lianfang.charter import actions, forms, queries
from lianfang.charter.models import DocumentVersion, Told
from lianfang.kernel.refusal import Refusal
from lianfang.kernel.text import Bilingual
from lianfang.outbox.lifecycle import DELIVERY
from lianfang.policy.facts import Right

_BARS = (
    ("sent", Bilingual(zh="信已寄出", en="Mail sent")),
    ("waiting", Bilingual(zh="等待寄送", en="Waiting to be sent")),
    ("post", Bilingual(zh="以掛號郵寄", en="By registered post")),
    ("exceptions", Bilingual(zh="沒有送達", en="Not reached")),
)


@require_safe
@door.staff
def telling(request: HttpRequest, kind: str, number: int) -> HttpResponse:
    """How many members a version was told, and every one that was not."""
    version = _version(kind, number)
    report = queries.delivered(version)
    left = queries.exceptions(version)
    page = paging.part(left, request.GET.dict())
    named, mailed = Organization.objects.in_bulk(page.rows), queries.mailed(version, page.rows)
    amendment = queries.amendment_of(version)
    context = {
        "version": version,
        "kind": kind,
        "name": queries.DOCUMENTS[kind],
        "amendment": amendment,
        "report": report,
        "bars": [(words.in_language(get_language() or "zh-hant"), getattr(report, name)) for name, words in _BARS],
        "rows": [(named[one], one in mailed) for one in page.rows],
        "page": page,
        "sha256": bytes(version.sha256).hex(),
    }
    return render(request, "charter/staff/telling.html", context)


@require_safe
@door.staff
def member_told(request: HttpRequest, kind: str, number: int, organization_id: UUID) -> HttpResponse:
    """What was done to tell one member, and what can still be done."""
    return _member(request, _version(kind, number), organization_id)


@require_POST
@door(Right.EDIT_CHARTER)
def tell(request: HttpRequest, kind: str, number: int, organization_id: UUID) -> HttpResponseBase:
    """Mail it to somebody else of the member."""
    form = forms.AnotherForm(request.POST, people=queries.people_of(organization_id, asked(request).at))
    done = _done(request, kind, number, organization_id, form, actions.tell_another, _("The mail is on its way."))
    return done or _member(request, _version(kind, number), organization_id, another=form)


@require_POST
@door(Right.EDIT_CHARTER)
def post(request: HttpRequest, kind: str, number: int, organization_id: UUID) -> HttpResponseBase:
    """Record a letter by registered post."""
    form = forms.PostForm(request.POST)
    done = _done(request, kind, number, organization_id, form, actions.record_post, _("Recorded."))
    return done or _member(request, _version(kind, number), organization_id, letter=form)


def _done(
    request: HttpRequest,
    kind: str,
    number: int,
    organization_id: UUID,
    form: Form,
    act: Callable[..., None],
    said: str,
) -> HttpResponseBase | None:
    """Do what a form asks about one member, and go back to its page; a refusal stands in the form."""
    version = _version(kind, number)
    organization = _rows(version, organization_id)[0].organization
    if not form.is_valid():
        return None
    try:
        act(
            version=version,
            organization=organization,
            **form.cleaned_data,
            by=asked(request).subject,
            at=asked(request).at,
        )
    except Refusal as refusal:
        refuse(form, refusal)
        return None
    messages.success(request, said)
    return redirect("version_told_member", kind=kind, number=number, organization_id=organization_id)


@require_POST
@door(Right.EDIT_CHARTER)
def resend(request: HttpRequest, told_id: UUID) -> HttpResponseBase:
    """Send a mail again that failed, or whose fate is unknown."""
    told = Told.objects.select_related("version", "delivery").filter(pk=told_id).first()
    if told is None:
        raise Http404
    try:
        actions.resend_to(told=told, by=asked(request).subject, at=asked(request).at)
        messages.success(request, _("The mail is on its way."))
    except Refusal as refusal:
        messages.error(request, refusal.reason.in_language(get_language() or "zh-hant"))
    version = told.version
    return redirect("version_told_member", version.document_id, version.number, told.organization_id)


def _version(kind: str, number: int) -> DocumentVersion:
    found = next((one for one in queries.every(kind=kind) if one.number == number), None)
    if found is None or found.origin != "amended":
        raise Http404
    return found


def _rows(version: DocumentVersion, organization_id: UUID) -> list[Told]:
    rows = queries.told(version, organization_id)
    if not rows:
        raise Http404
    return rows


def _member(
    request: HttpRequest, version: DocumentVersion, organization_id: UUID, *, another: Any = None, letter: Any = None
) -> HttpResponse:
    subject, at = asked(request).subject, asked(request).at
    rows = _rows(version, organization_id)
    written = {one.person_id for one in rows}
    people = [one for one in queries.people_of(organization_id, at) if one.pk not in written]
    edits = may(subject=subject, right=Right.EDIT_CHARTER, at=at)
    context = {
        "version": version,
        "kind": version.document_id,
        "name": queries.DOCUMENTS[version.document_id],
        "organization": rows[0].organization,
        "rows": [_row(one, edits) for one in rows],
        "reached": queries.reached(version, organization_id),
        "another": another or (forms.AnotherForm(people=people) if people else None),
        "letter": letter or forms.PostForm(),
        "may_edit": edits,
    }
    failed = any(form is not None and form.errors for form in (another, letter))
    return render(request, "charter/staff/telling_member.html", context, status=422 if failed else 200)


def _row(told: Told, edits: bool) -> dict[str, Any]:
    delivery = told.delivery
    state = DELIVERY.states[delivery.state] if delivery else None
    again = edits and delivery is not None and DELIVERY.why_not(delivery, "resend") is None
    tones = {"sent": "good", "queued": "info", "sending": "info"}
    return {
        "told": told,
        "state": state,
        "tone": tones.get(delivery.state, "bad") if delivery else "line",
        "again": again,
        "said": delivery.last_answer if delivery and delivery.vault_key.wrapped is not None else "",
    }
