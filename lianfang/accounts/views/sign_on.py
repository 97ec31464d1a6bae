"""Signing in by an organisation's own provider: out to it, back from it, and the confirmation of the first time.

An address that nobody has, and one whose provider is off or on hold, are answered alike.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final, cast
from urllib.parse import urlencode

from allauth.account.internal.flows.login import record_authentication
from allauth.account.utils import perform_login
from allauth.core import ratelimit
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from lianfang.accounts import actions, letters, queries, registry, sign_on
from lianfang.accounts.doors import door
from lianfang.accounts.federation import flow, saml
from lianfang.accounts.federation.answers import Asserted, Rejected
from lianfang.accounts.forms import AddressForm
from lianfang.accounts.models import Account, IdentityProvider
from lianfang.accounts.views.asked import asked
from lianfang.kernel.refusal import Refusal

_UNREACHABLE: Final = ("unreachable", "address", "malformed")


@require_http_methods(["GET", "HEAD", "POST"])
@door.public
def sign_in_org(request: HttpRequest, address: str) -> HttpResponseBase:
    """The organisation's sign-in address: one button that leads to its provider."""
    provider = queries.provider_by_address(address)
    if provider is None or not provider.works:
        return _closed(request)
    if request.user.is_authenticated:
        return HttpResponseRedirect("/home")
    if request.method == "POST":
        if not ratelimit.consume(request, action="provider"):
            return cast(HttpResponse, ratelimit.respond_429(request))
        try:
            where = flow.begin(
                request, provider, purpose=flow.SIGN_IN, next_url=request.POST.get("next", ""), at=asked(request).at
            )
        except Rejected as rejected:
            return refused(request, provider, rejected, said=None)
        return leaving(request, provider, where)
    context = {"provider": provider, "only": request.GET.get("only") == "1", "next": request.GET.get("next", "")}
    return render(request, "accounts/sign_in_org.html", context)


@require_safe
@door.public
def sign_in_back(request: HttpRequest, address: str) -> HttpResponseBase:
    """Where the provider sends the browser back to."""
    provider = queries.provider_by_address(address)
    # One that is off is only tried, by a session that began it.
    if provider is None or not (provider.works or flow.FLOW in request.session):
        return _closed(request)
    if not ratelimit.consume(request, action="provider"):
        return cast(HttpResponse, ratelimit.respond_429(request))
    at, said = asked(request).at, None
    try:
        answer, state = "", request.GET.get("state", "")
        if provider.protocol == IdentityProvider.Protocol.SAML:
            answer, state = flow.posted(provider, request.GET.get("ticket", ""))
        begun = flow.take(request, provider, state=state, at=at)
        trial = begun["purpose"] == flow.TRIAL
        if not flow.is_about(begun, provider) or not (provider.works or trial):
            raise Rejected("closed")
        said = flow.finish(request, provider, begun, answer=answer, at=at)
        if trial:
            return _tried(request, provider, begun, said)
        return _recognised(request, provider, said, begun["next"], at)
    except Rejected as rejected:
        return refused(request, provider, rejected, said=said)


@csrf_exempt
@require_POST
@door.public
def sign_in_answer(request: HttpRequest, address: str) -> HttpResponseBase:
    """Where a provider of SAML lets the browser post its answer to. Nothing is judged here: no cookie comes with it."""
    provider = queries.provider_by_address(address)
    if provider is None or provider.protocol != IdentityProvider.Protocol.SAML:
        return _closed(request)
    answer, state = request.POST.get("SAMLResponse", ""), request.POST.get("RelayState", "")
    if not ratelimit.consume(request, action="provider"):
        return cast(HttpResponse, ratelimit.respond_429(request))
    if len(answer) > saml.LARGEST or len(state) > 200:
        return refused(request, provider, Rejected("malformed"), said=None)
    ticket = flow.keep_posted(address, answer=answer, state=state)
    back = f"{reverse('sign_in_back', args=[address])}?{urlencode({'ticket': ticket})}"
    return HttpResponse(status=303, headers={"Location": back})


@require_safe
@door.public
def sign_in_metadata(request: HttpRequest, address: str) -> HttpResponseBase:  # noqa: ARG001 - a view's signature
    """What a provider of SAML wants to know of us. It follows from the address alone, whoever has it."""
    content = saml.our_metadata(flow.us_for(address[:60]))
    return HttpResponse(content, content_type="application/samlmetadata+xml")


def _tried(request: HttpRequest, provider: IdentityProvider, begun: dict[str, Any], said: Asserted) -> HttpResponseBase:
    """An administrator tried the set-up: it is right when the provider says that it is he."""
    person = asked(request).person
    if person is None:
        raise Rejected("state")
    digest = sign_on.subject_digest(issuer=said.issuer, subject=said.subject)
    match = queries.match(provider=provider, digest=digest, email=said.email, at=asked(request).at)
    if match.account is None or match.account.person_id != person.pk:
        raise Rejected("nobody")
    actions.record_trial(
        provider=provider,
        set_at=datetime.fromisoformat(begun["set_at"]),
        by=asked(request).subject,
        at=asked(request).at,
    )
    request.session["sign_on_said"] = {"email": said.email, "strength": sorted(said.strength)[:20]}
    return HttpResponseRedirect(reverse("sign_on"))


def _recognised(
    request: HttpRequest, provider: IdentityProvider, said: Asserted, next_url: str, at: datetime
) -> HttpResponseBase:
    if request.user.is_authenticated:
        return HttpResponseRedirect("/home")
    digest = sign_on.subject_digest(issuer=said.issuer, subject=said.subject)
    match = queries.match(provider=provider, digest=digest, email=said.email, at=at)
    if match.linked and match.account is not None:
        strong = bool(said.strength & set(provider.factor_values)) and registry.value("provider_factor", at)
        return _enter(request, provider, match.account, strong=strong, next_url=next_url)
    request.session[sign_on.CLAIM] = {
        "provider": str(provider.pk),
        "set_at": provider.set_at.isoformat(),
        "digest": digest.hex(),
        "email": said.email,
        "began": int(at.timestamp()),
        "next": next_url,
    }
    return HttpResponseRedirect(reverse("sign_in_confirm", args=[provider.address]))


@require_http_methods(["GET", "HEAD", "POST"])
@door.public
def sign_in_confirm(request: HttpRequest, address: str) -> HttpResponseBase:
    """The first time: say that this identity and this account are the same person. Nothing is linked before."""
    provider = queries.provider_by_address(address)
    if provider is None or not provider.works:
        return _closed(request)
    at, claim = asked(request).at, request.session.get(sign_on.CLAIM)
    if not isinstance(claim, dict) or not _is_fresh(claim, provider, at):
        return HttpResponseRedirect(reverse("sign_in_org", args=[address]))
    try:
        digest = bytes.fromhex(claim["digest"])
        match = queries.match(provider=provider, digest=digest, email=claim["email"], at=at)
        if request.method != "POST":
            joining = match.account is None
            context = {"provider": provider, "email": claim["email"], "joining": joining}
            return render(request, "accounts/sign_in_confirm.html", context)
        account = match.account
        if account is None and match.invitation is not None:
            account = actions.join_by_provider(provider=provider, invitation=match.invitation, digest=digest, at=at)
            del request.session[sign_on.CLAIM]
        elif account is not None:
            # Linked when the sign-in is complete: what the account keeps as its second factor is asked for first.
            request.session[sign_on.CLAIM] = {**claim, "account": str(account.pk)}
    except Rejected as rejected:
        return refused(request, provider, rejected, said=None)
    assert account is not None
    return _enter(request, provider, account, strong=False, next_url=claim["next"])


def _is_fresh(claim: dict[str, Any], provider: IdentityProvider, at: datetime) -> bool:
    same = claim.get("provider") == str(provider.pk) and claim.get("set_at") == provider.set_at.isoformat()
    return same and 0 <= at.timestamp() - claim["began"] + 1 <= flow.MINUTES * 60


def _enter(
    request: HttpRequest, provider: IdentityProvider, account: Account, *, strong: bool, next_url: str
) -> HttpResponseBase:
    record_authentication(
        request,
        account,
        sign_on.METHOD,
        provider=str(provider.pk),
        factor=str(provider.organization_id) if strong else None,
    )
    return cast(HttpResponse, perform_login(request, account, redirect_url=next_url or "/home"))


@require_http_methods(["GET", "HEAD", "POST"])
@door.public
def my_organisation(request: HttpRequest) -> HttpResponseBase:
    """Ask for one's organisation's sign-in address by mail. The answer is the same whoever asks."""
    form = AddressForm(request.POST if request.method == "POST" else None)
    if request.method != "POST" or not form.is_valid():
        status = 422 if form.is_bound else 200
        return render(request, "accounts/sign_in_organisation.html", {"form": form}, status=status)
    email = queries.canonical_address(form.cleaned_data["email"])
    if not ratelimit.consume(request, action="provider_address", key=email):
        return cast(HttpResponse, ratelimit.respond_429(request))
    at = asked(request).at
    account = Account.objects.select_related("person__vault_key").filter(email__iexact=email, is_active=True).first()
    pairs = queries.live_affiliations(person=account.person, at=at) if account is not None else []
    for pair in pairs:
        provider = queries.provider_of(organization=pair.organization_id)
        if account is not None and provider is not None and provider.works:
            link = letters.link(reverse("sign_in_org", args=[provider.address]))
            by = actions.acting(account)
            letters.send(notice="sign_in_address", to_person=account.person, context={"link": link}, by=by, at=at)
    return render(request, "accounts/sign_in_organisation_sent.html")


# What this and the pages of setting up have in common


def leaving(request: HttpRequest, provider: IdentityProvider, where: str) -> HttpResponse:
    """Lead to the provider, by a page: a form may only be answered by pages of this site, and this one has a link."""
    response = render(request, "accounts/sign_in_leaving.html", {"provider": provider, "where": where})
    response.headers["Refresh"] = f"0; url={where}"
    return response


def refused(
    request: HttpRequest, provider: IdentityProvider, rejected: Rejected | Refusal, *, said: Asserted | None
) -> HttpResponse:
    """Say what is wrong, keep it in the ledger, and offer the way in that is always there."""
    code = rejected.code if isinstance(rejected, Rejected) else rejected.rule
    actions.record_refused(provider=provider, code=code, said=said, at=asked(request).at)
    context = {"provider": provider, "reason": rejected.reason, "code": code, "works": provider.works}
    status = 503 if code in _UNREACHABLE else 403
    return render(request, "accounts/sign_in_refused.html", context, status=status)


def _closed(request: HttpRequest) -> HttpResponse:
    return render(request, "accounts/sign_in_closed.html", status=404)
