"""Security holds: the list, placing one, lifting one; both signed."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from lianfang.accounts import actions, doors, queries
from lianfang.accounts.doors import door
from lianfang.accounts.forms import HoldForm, LiftForm, refuse
from lianfang.accounts.models import SecurityHold
from lianfang.accounts.signing import confirm
from lianfang.accounts.views.asked import asked
from lianfang.kernel.clock import taipei
from lianfang.kernel.refusal import Refusal
from lianfang.kernel.text import Bilingual
from lianfang.policy.facts import Right

_UNKNOWN = Bilingual(zh="找不到這個帳號、金鑰或身分提供者。", en="There is no such account, key or provider.")


@require_safe
@door(Right.PLACE_HOLD)
def holds(request: HttpRequest) -> HttpResponse:
    """The holds in force by day of review, and those that were lifted."""
    everything = request.GET.get("view") == "all"
    subject, at = asked(request).subject, asked(request).at
    rows = queries.holds(open_only=not everything)
    context = {
        "rows": rows,
        "today": taipei(at).date(),
        "everything": everything,
        "may_lift": doors.may(subject=subject, right=Right.LIFT_HOLD, at=at),
    }
    return render(request, "accounts/holds.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@door(Right.PLACE_HOLD)
def place_hold(request: HttpRequest) -> HttpResponseBase:
    """Put an account or a key on hold, at once."""
    form = HoldForm(request.POST or None, initial={"thing": request.GET.get("thing", "")[:254]})
    problem: Refusal | None = None
    if request.method == "POST" and form.is_valid():
        try:
            thing = queries.thing_to_hold(form.cleaned_data["thing"])
            if thing is None:
                raise Refusal(_UNKNOWN, rule="hold-thing", field="thing")
            confirm(request)
            actions.place_hold(
                thing=thing,
                reason=form.cleaned_data["reason"],
                review_on=form.cleaned_data["review_on"],
                by=asked(request).subject,
                at=asked(request).at,
            )
        except Refusal as refusal:
            problem = refusal if refusal.rule == "signature" else None
            if problem is None:
                refuse(form, refusal)
        else:
            messages.success(request, _("On hold from this moment. The organisation's administrators are told."))
            return HttpResponseRedirect(reverse("security_holds"))
    status = 422 if form.errors or problem else 200
    return render(request, "accounts/hold_new.html", {"form": form, "signing": problem}, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@door(Right.LIFT_HOLD)
def lift_hold(request: HttpRequest, hold_id: UUID) -> HttpResponseBase:
    """Lift a hold that somebody else placed."""
    rows = SecurityHold.objects.select_related(
        "vault_key", "placed_by__vault_key", "account__person__vault_key", "token__affiliation__person__vault_key",
        "provider__organization",
    )  # fmt: skip
    hold = get_object_or_404(rows, pk=hold_id, lifted_at__isnull=True)
    form = LiftForm(request.POST or None)
    problem: Refusal | None = None
    if request.method == "POST" and form.is_valid():
        try:
            confirm(request)
            actions.lift_hold(
                hold=hold, reason=form.cleaned_data["reason"], by=asked(request).subject, at=asked(request).at
            )
        except Refusal as refusal:
            problem = refusal if refusal.rule == "signature" else None
            if problem is None:
                refuse(form, refusal)
        else:
            messages.success(request, _("Lifted. What was ended stays ended: they sign in anew."))
            return HttpResponseRedirect(reverse("security_holds"))
    context = {
        "form": form,
        "hold": hold,
        "signing": problem,
        "mine": hold.placed_by_id == asked(request).person.pk,
    }
    return render(request, "accounts/hold_lift.html", context, status=422 if form.errors or problem else 200)
