"""The page of the write profile. The doors of machines have their own package, `lianfang.exchange.taxii`."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from lianfang.accounts.doors import door
from lianfang.accounts.forms import refuse
from lianfang.accounts.views.asked import asked, pair
from lianfang.exchange.actions import set_profile
from lianfang.exchange.forms import ProfileForm
from lianfang.exchange.queries import form_of, profile_of
from lianfang.intel.labelling import LabelForm
from lianfang.intel.preview import preview_audience
from lianfang.kernel.refusal import Refusal
from lianfang.policy.facts import AudienceKind, NameSource, Right


@require_http_methods(["GET", "HEAD", "POST"])
@door(Right.MAKE_TOKEN)
def write_profile(request: HttpRequest) -> HttpResponseBase:
    """Show under what label the organisation's machines share, and decide it anew."""
    form = ProfileForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            set_profile(
                by=asked(request).subject,
                at=asked(request).at,
                audience=AudienceKind(form.cleaned_data["audience"]),
                name_source=NameSource(form.cleaned_data["name_source"]),
                warranted=form.warranted,
            )
        except Refusal as refusal:
            refuse(form, refusal)
        else:
            messages.success(request, _("What our systems share from now on stands under this."))
            return HttpResponseRedirect(reverse("write_profile"))
    return _page(request, form)


def _page(request: HttpRequest, form: ProfileForm) -> HttpResponseBase:
    profile = profile_of(pair(request))
    context = {
        "form": form,
        "profile": profile,
        "preview": preview_audience(
            form=form_of(profile) if profile else LabelForm(), subject=asked(request).subject, at=asked(request).at
        ),
    }
    return render(request, "exchange/write_profile.html", context, status=422 if form.is_bound else 200)
