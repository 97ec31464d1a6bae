"""The pages of the write profiles. The doors of machines have their own package, `lianfang.exchange.taxii`."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from lianfang.accounts.doors import door
from lianfang.accounts.forms import refuse
from lianfang.accounts.views.asked import asked, pair
from lianfang.exchange.actions import set_profile
from lianfang.exchange.forms import ProfileForm
from lianfang.exchange.models import WriteProfile
from lianfang.exchange.queries import form_of, profile_of, profiles_of
from lianfang.exchange.taxii.collections import WRITABLE, Collection
from lianfang.intel.preview import Preview, preview_audience
from lianfang.kernel.refusal import Refusal
from lianfang.policy.facts import AudienceKind, NameSource, Right


@require_safe
@door(Right.MAKE_TOKEN)
def write_profiles(request: HttpRequest) -> HttpResponse:
    """Every collection that machines add to, and with whom they share what they add there."""
    decided = profiles_of(pair(request))
    rows = [
        {"collection": one, "profile": decided[one.alias], "preview": _preview(request, one, decided[one.alias])}
        for one in WRITABLE
    ]
    return render(request, "exchange/write_profiles.html", {"rows": rows})


@require_http_methods(["GET", "HEAD", "POST"])
@door(Right.MAKE_TOKEN)
def write_profile(request: HttpRequest, alias: str) -> HttpResponseBase:
    """Show with whom the organisation's machines share what they add to one collection, and decide it anew."""
    collection = next((one for one in WRITABLE if one.alias == alias), None)
    if collection is None:
        raise Http404
    form = ProfileForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            set_profile(
                by=asked(request).subject,
                at=asked(request).at,
                collection=collection.alias,
                audience=AudienceKind(form.cleaned_data["audience"]),
                name_source=NameSource(form.cleaned_data["name_source"]),
                warranted=form.warranted,
            )
        except Refusal as refusal:
            refuse(form, refusal)
        else:
            messages.success(request, _("What our systems add to this collection from now on stands under this."))
            return HttpResponseRedirect(reverse("write_profiles"))
    profile = profile_of(pair(request), collection.alias)
    context = {
        "form": form,
        "collection": collection,
        "profile": profile,
        "preview": _preview(request, collection, profile),
    }
    return render(request, "exchange/write_profile.html", context, status=422 if form.is_bound else 200)


def _preview(request: HttpRequest, collection: Collection, profile: WriteProfile | None) -> Preview:
    form = form_of(profile, tlp=collection.tlp)
    return preview_audience(form=form, subject=asked(request).subject, at=asked(request).at)
