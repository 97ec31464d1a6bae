"""The staff's pages of mails that came in; and in the demonstration a page on which a mail to the centre is written."""

from __future__ import annotations

from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from lianfang.accounts.doors import door, may
from lianfang.accounts.forms import refuse
from lianfang.accounts.views.asked import asked
from lianfang.kernel.ids import new_id
from lianfang.kernel.refusal import Refusal
from lianfang.mailroom import actions, parse, queries, routes, shown
from lianfang.mailroom.forms import EndForm, PlaceForm, WriteForm
from lianfang.mailroom.models import Mail
from lianfang.outbox.reply import service_address
from lianfang.policy.facts import Right


@require_safe
@door(Right.REVIEW)
def listing(request: HttpRequest) -> HttpResponse:
    """Mails by what became of them, the newest first; who sorts begins with those that wait."""
    view = request.GET.get("view", "triage")
    view = view if view in queries.VIEWS else "triage"
    context = shown.listing(view, request.GET.dict())
    context |= {"tabs": shown.tabs(view, request.path), "connected": settings.IMAP is not None}
    return render(request, "mailroom/mails.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@door(Right.REVIEW)
def mail(request: HttpRequest, letter_id: UUID) -> HttpResponseBase:
    """One mail: what could be read of it, and what is done with it."""
    found = _mail(letter_id)
    place, end = PlaceForm(request.POST if "place" in request.POST else None), _end_form(request)
    if request.method == "POST":
        try:
            if _done(request, found, place, end):
                return redirect("mail", letter_id=letter_id) if "reopen" in request.POST else redirect("mailroom")
        except Refusal as refusal:
            refuse(place if "place" in request.POST else end, refusal)
    context = {**shown.mail(found, asked(request).at), "place": place, "end": end}
    failed = request.method == "POST"
    return render(request, "mailroom/mail.html", context, status=422 if failed else 200)


def _end_form(request: HttpRequest) -> EndForm:
    return EndForm(request.POST if {"reject", "settle"} & request.POST.keys() else None)


def _done(request: HttpRequest, found: Mail, place: PlaceForm, end: EndForm) -> bool:
    by, at = asked(request).subject, asked(request).at
    if "place" in request.POST and place.is_valid():
        placed = actions.place(mail=found, case=place.cleaned_data["case"], by=by, at=at)
        messages.success(request, _("The mail lies with case %(number)s now.") % {"number": placed.case})
        return True
    if "reopen" in request.POST:
        actions.reopen(mail=found, by=by, at=at)
        return True
    if "reject" in request.POST and end.is_valid():
        actions.reject(mail=found, why=end.cleaned_data["why"], by=by, at=at)
        messages.success(request, _("Rejected. Nobody is told."))
        return True
    if "settle" in request.POST and end.is_valid():
        actions.settle(mail=found, why=end.cleaned_data["why"], by=by, at=at)
        messages.success(request, _("Settled."))
        return True
    return False


@require_safe
@door.staff
def file(request: HttpRequest, letter_id: UUID, file_id: UUID | None = None) -> HttpResponseBase:
    """An attachment, or the mail as it came: a download that no browser shows; opening it stands in the ledger.

    Of a mail that lies with a case for all of the staff; else only who sorts learns that it exists.
    """
    found, subject, at = _mail(letter_id), asked(request).subject, asked(request).at
    if not found.placements.exists() and not may(subject=subject, right=Right.REVIEW, at=at):
        raise Http404
    stored = actions.read_file(mail=found, file_id=file_id, by=subject, at=at)
    if stored is None:
        raise Http404
    return FileResponse(stored.open(), as_attachment=True, filename=stored.name, content_type=parse.OTHER)


@require_POST
@door(Right.REVIEW)
def read(request: HttpRequest, number: str) -> HttpResponseBase:
    """Say that the mails of a case were read."""
    url = routes.case_url(number)
    if not url:
        raise Http404
    actions.mark_read(case=number, by=asked(request).subject, at=asked(request).at)
    return redirect(url)


@require_http_methods(["GET", "HEAD", "POST"])
@door.public
def write(request: HttpRequest) -> HttpResponseBase:
    """The demonstration: write a mail to the centre. It comes in as one from outside would."""
    if not settings.DEMO:
        raise Http404
    given = {"to": request.GET.get("to", "") or service_address(""), "sender": "somebody@outside.example"}
    form = WriteForm(request.POST or None, initial=given)
    if request.method == "POST" and form.is_valid():
        attached = request.FILES.get("file")
        content = attached.read(parse.MOST_FILE_BYTES + 1) if attached else b""
        raw = composed(form.cleaned_data, attached.name or "file" if attached else "", content, asked(request).at)
        actions.take(raw=raw, at=asked(request).at)
        messages.success(
            request, _("The mail came in. Whoever reviews finds it under Mail, or on the page of its case.")
        )
        return redirect("demo_mailbox")
    return render(request, "mailroom/write.html", {"form": form}, status=422 if form.errors else 200)


def composed(given: dict[str, Any], name: str, content: bytes, at: datetime) -> bytes:
    """Return a mail as a mail program would write it."""
    message = EmailMessage(policy=SMTP)
    message["From"], message["To"] = given["sender"], " ".join(given["to"].split())
    message["Subject"] = " ".join(given["subject"].split())
    message["Date"], message["Message-ID"] = format_datetime(at), f"<{new_id()}@outside.example>"
    message.set_content(given["text"])
    if name:
        message.add_attachment(content, maintype="application", subtype="octet-stream", filename=name)
    return message.as_bytes()


def _mail(letter_id: UUID) -> Mail:
    found = queries.mail(letter_id)
    if found is None:
        raise Http404
    return found
