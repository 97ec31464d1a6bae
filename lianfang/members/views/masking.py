"""Masking a picture of an application: the page shows it, and black rectangles take the place of what is under them."""

from __future__ import annotations

from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from lianfang.accounts.doors import door
from lianfang.accounts.views.asked import asked
from lianfang.kernel.refusal import Refusal
from lianfang.members import actions, pictures, queries
from lianfang.members.forms import MaskForm, as_errors
from lianfang.members.models import Application, Attachment
from lianfang.members.views.apply import case_of, draft_of, link_holder
from lianfang.policy.facts import Subject


@require_http_methods(["GET", "HEAD", "POST"])
@door.public
def mask(request: HttpRequest, file_id: UUID, secret: str = "") -> HttpResponseBase:
    """Rectangles by numbers or, with a script, by dragging; they are shown first and burned in by the second button."""
    application, attachment = _found(request, file_id, secret)
    form = MaskForm(request.POST or None)
    refusal: Refusal | None = None
    try:
        pictures.look(content=attachment.file.open().read(), media_type=attachment.media_type)
    except Refusal as caught:
        refusal = caught
    boxes = form.boxes() if form.is_bound and form.is_valid() else ()
    if refusal is None and "burn" in request.POST and form.is_valid():
        try:
            actions.mask_attachment(
                application=application,
                attachment_id=attachment.pk,
                boxes=boxes,
                by=_by(request, application, secret),
                at=asked(request).at,
            )
        except Refusal as caught:
            as_errors(form, caught)
        else:
            messages.success(request, _("Masked. The original picture is erased."))
            return redirect(_path("mask", secret, file_id))
    shown = urlencode([("box", f"{box.left},{box.top},{box.width},{box.height}") for box in boxes])
    context = {
        "form": form,
        "refusal": refusal,
        "file": attachment,
        "picture": _path("picture", secret, file_id) + (f"?{shown}" if shown else ""),
        "back": reverse("apply_correct", args=[secret]) if secret else reverse("apply_step", args=["attachments"]),
    }
    return render(request, "members/apply/mask.html", context, status=422 if form.errors or refusal else 200)


@require_safe
@door.public
def picture(request: HttpRequest, file_id: UUID, secret: str = "") -> HttpResponse:
    """The picture as it would look with the rectangles of the query, made small and anew: never the uploaded bytes."""
    _application, attachment = _found(request, file_id, secret)
    boxes = [_box(text) for text in request.GET.getlist("box")[: pictures.MOST_BOXES]]
    try:
        made = pictures.preview(
            content=attachment.file.open().read(),
            media_type=attachment.media_type,
            boxes=tuple(box for box in boxes if box is not None),
        )
    except Refusal:
        raise Http404 from None
    return HttpResponse(made, content_type="image/png")


def _found(request: HttpRequest, file_id: UUID, secret: str) -> tuple[Application, Attachment]:
    application = case_of(request, secret) if secret else draft_of(request)
    attachment = queries.picture(application, file_id) if application is not None else None
    if application is None or attachment is None:
        raise Http404
    return application, attachment


def _by(request: HttpRequest, application: Application, secret: str) -> Subject:
    return link_holder(application, request) if secret else asked(request).subject


def _path(what: str, secret: str, file_id: UUID) -> str:
    return reverse(f"apply_case_{what}", args=[secret, file_id]) if secret else reverse(f"apply_{what}", args=[file_id])


def _box(text: str) -> pictures.Box | None:
    try:
        sides = [float(part) for part in text.split(",")]
    except ValueError:
        return None
    return pictures.Box(*sides) if len(sides) == 4 and all(0 <= side <= 100 for side in sides) else None
