"""Pages on which an organisation sets up its identity provider, and the list that staff sees."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from lianfang.accounts import actions, letters, queries, registry
from lianfang.accounts.doors import door
from lianfang.accounts.federation import flow
from lianfang.accounts.federation.answers import Rejected
from lianfang.accounts.forms import refuse
from lianfang.accounts.models import IdentityProvider, ProviderLink
from lianfang.accounts.sign_on_forms import EmergencyForm, OidcForm, SamlForm
from lianfang.accounts.signing import confirm
from lianfang.accounts.views.asked import asked, pair
from lianfang.accounts.views.sign_on import leaving, refused
from lianfang.kernel.refusal import Refusal
from lianfang.policy.facts import Right


def _mine(request: HttpRequest) -> IdentityProvider | None:
    return queries.provider_of(organization=pair(request).organization)


@require_safe
@door(Right.MANAGE_PEOPLE)
def sign_on_page(request: HttpRequest) -> HttpResponse:
    """How people of the organisation sign in: its provider, who can always get in here, whose accounts are linked."""
    provider, at = _mine(request), asked(request).at
    if provider is None:
        return render(request, "accounts/sign_on.html", {"provider": None})
    context = {
        "provider": provider,
        "emergency": queries.emergency_of(provider=provider, at=at),
        "least": queries.LEAST_EMERGENCY,
        "links": queries.links_of(provider=provider),
        "sign_in": letters.link(reverse("sign_in_org", args=[provider.address])),
        "callback": flow.callback(provider),
        "believed": registry.value("provider_factor", at),
        "us": flow.us_for(provider.address),
        "said": request.session.pop("sign_on_said", None),
    }
    return render(request, "accounts/sign_on.html", context)


@sensitive_post_parameters("client_secret")
@require_http_methods(["GET", "HEAD", "POST"])
@door(Right.MANAGE_PEOPLE)
def set_up(request: HttpRequest) -> HttpResponseBase:
    """Set up the provider, or change it; signed. It is off afterwards until it was tried."""
    provider = _mine(request)
    was_saml = provider is not None and provider.protocol == IdentityProvider.Protocol.SAML
    by_saml = request.GET.get("protocol", "saml" if was_saml else "oidc") == "saml"
    form: OidcForm | SamlForm
    if by_saml:
        form = SamlForm(request.POST or None, request.FILES or None, initial=_typed(provider))
    else:
        form = OidcForm(request.POST or None, initial=_typed(provider) if not was_saml else {})
        form.fields["client_secret"].required = provider is None or was_saml
    problem: Refusal | None = None
    if request.method == "POST" and form.is_valid():
        try:
            confirm(request)
            actions.set_up_provider(given=form.connection(), by=asked(request).subject, at=asked(request).at)
        except Refusal as refusal:
            problem = refusal if refusal.rule == "signature" else None
            if problem is None:
                refuse(form, refusal)
        else:
            messages.success(request, _("Set up. Try it now; it stays off until that has worked."))
            return HttpResponseRedirect(reverse("sign_on"))
    context = {"form": form, "signing": problem, "provider": provider, "by_saml": by_saml}
    return render(request, "accounts/sign_on_set_up.html", context, status=422 if form.errors or problem else 200)


def _typed(provider: IdentityProvider | None) -> dict[str, Any]:
    if provider is None:
        return {}
    return {
        "issuer": provider.issuer,
        "client_id": provider.client_id,
        "factor_values": ", ".join(provider.factor_values),
    }


@require_POST
@door(Right.MANAGE_PEOPLE)
def try_provider(request: HttpRequest) -> HttpResponseBase:
    """Go to the provider and back, as its people will; nothing is opened by it."""
    provider = _mine(request)
    if provider is None or provider.held_at is not None:
        raise Http404
    try:
        where = flow.begin(request, provider, purpose=flow.TRIAL, next_url="", at=asked(request).at)
    except Rejected as rejected:
        return refused(request, provider, rejected, said=None)
    return leaving(request, provider, where)


@require_http_methods(["GET", "HEAD", "POST"])
@door(Right.MANAGE_PEOPLE)
def switch_provider(request: HttpRequest) -> HttpResponseBase:
    """Switch the provider on or off; signed."""
    provider = _mine(request)
    if provider is None:
        raise Http404
    problem: Refusal | None = None
    if request.method == "POST":
        turn = actions.turn_provider_off if request.POST.get("to") == "off" else actions.turn_provider_on
        try:
            confirm(request)
            turn(by=asked(request).subject, at=asked(request).at)
        except Refusal as refusal:
            problem = refusal
        else:
            return HttpResponseRedirect(reverse("sign_on"))
    context = {"provider": provider, "refusal": problem, "to": "off" if provider.on_at else "on"}
    return render(request, "accounts/sign_on_switch.html", context, status=422 if problem else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@door(Right.MANAGE_PEOPLE)
def emergency(request: HttpRequest) -> HttpResponseBase:
    """Name who can always sign in here, and say whether all others must come by the provider; signed."""
    provider, mine, at = _mine(request), pair(request), asked(request).at
    if provider is None:
        raise Http404
    able = queries.administrators_able(organization=mine.organization, group=mine.group, at=at)
    named = [str(one.pk) for one in queries.emergency_of(provider=provider, at=at)]
    form = EmergencyForm(request.POST or None, able=able, initial={"affiliations": named, "only": provider.only})
    problem: Refusal | None = None
    if request.method == "POST" and form.is_valid():
        try:
            confirm(request)
            actions.name_emergency(**form.cleaned_data, by=asked(request).subject, at=at)
        except Refusal as refusal:
            problem = refusal if refusal.rule == "signature" else None
            if problem is None:
                refuse(form, refusal)
        else:
            return HttpResponseRedirect(reverse("sign_on"))
    context = {"form": form, "signing": problem, "able": able, "least": queries.LEAST_EMERGENCY}
    return render(request, "accounts/sign_on_emergency.html", context, status=422 if form.errors or problem else 200)


@require_POST
@door(Right.MANAGE_PEOPLE)
def unlink(request: HttpRequest, link_id: UUID) -> HttpResponseBase:
    """End the link of somebody's account: the next sign-in by the provider is confirmed anew."""
    provider = _mine(request)
    links = ProviderLink.objects.select_related("account__person__vault_key")
    link = get_object_or_404(links, pk=link_id, provider=provider, ended_at__isnull=True)
    actions.end_link(link=link, by=asked(request).subject, at=asked(request).at)
    messages.success(request, _("The link has ended."))
    return HttpResponseRedirect(reverse("sign_on"))


@require_safe
@door(Right.PLACE_HOLD)
def staff_providers(request: HttpRequest) -> HttpResponse:
    """Every provider that was set up: whose, which, and whether it works; each can be put on hold."""
    return render(request, "accounts/staff_sign_on.html", {"rows": queries.providers_set_up()})
