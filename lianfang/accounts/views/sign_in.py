"""Getting in: the invitation, the second factor, and the way back after losing it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, cast
from uuid import UUID

from allauth.account.internal.flows.login import record_authentication
from allauth.account.utils import perform_login
from allauth.core import ratelimit
from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.internal import auth as webauthn
from django.core import signing
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import get_language
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from lianfang.accounts import actions, letters, queries, words
from lianfang.accounts.doors import CONFIDENTIALITY, door
from lianfang.accounts.factors import MALFORMED
from lianfang.accounts.forms import AddressForm, PasskeyForm, PasswordForm, VouchForm
from lianfang.accounts.models import Account, FactorReset, Invitation
from lianfang.accounts.signing import confirm
from lianfang.accounts.views.asked import asked
from lianfang.kernel.ids import new_id
from lianfang.kernel.refusal import Refusal
from lianfang.kernel.text import Bilingual
from lianfang.policy.facts import Role

AFTER_FACTOR = "accounts_after_factor"
_PASSKEY_ACCOUNT = "accounts_passkey_account"
_PROOF_SALT = "lianfang.accounts.lost-factor"
_PROOF_HOURS = 2


# Invitations


@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
@door.public
def invitation(request: HttpRequest, secret: str) -> HttpResponseBase:
    """Join by a mailed link: a password or a passkey, or the account one has already."""
    found = queries.invitation_by_secret(secret)
    if found is None:
        raise Http404
    if not found.is_open(asked(request).at):
        return render(request, "accounts/invitation_closed.html", _shown(found), status=410)
    account = Account.objects.filter(person=found.affiliation.person).first()
    if account is not None and found.kind == Invitation.Kind.JOIN:
        return _join_with_account(request, found, account)
    return _join_anew(request, found, account)


def _shown(found: Invitation) -> dict[str, Any]:
    organization = found.affiliation.organization
    zh = (get_language() or "zh").startswith("zh")
    return {
        "invitation": found,
        "organization": organization.name_zh if zh else organization.name_en or organization.name_zh,
        "role": words.ROLE_NAMES[Role(found.affiliation.role)],
    }


def _join_with_account(request: HttpRequest, found: Invitation, account: Account) -> HttpResponseBase:
    mine = request.user.is_authenticated and request.user.pk == account.pk
    if request.method == "POST" and mine:
        actions.accept_invitation(invitation=found, at=asked(request).at)
        request.session["affiliation"] = str(found.affiliation_id)
        return HttpResponseRedirect(CONFIDENTIALITY)
    context = {**_shown(found), "mine": mine, "here": request.path}
    return render(request, "accounts/invitation_known.html", context)


def _join_anew(request: HttpRequest, found: Invitation, account: Account | None) -> HttpResponseBase:
    email = found.affiliation.person.email
    password = PasswordForm(email=email)
    problem: Refusal | None = None
    if request.method == "POST":
        password = PasswordForm(request.POST, email=email) if "password" in request.POST else password
        try:
            if (accepted := _accept(request, found, password)) is not None:
                return accepted
        except Refusal as refusal:
            problem = refusal
    context = {
        **_shown(found),
        "email": email,
        "form": password,
        "refusal": problem,
        "passkey": PasskeyForm(),
        "js_data": {"creation_options": _creation_options(request, email, account)},
    }
    bad = request.method == "POST"
    return render(request, "accounts/invitation.html", context, status=422 if bad else 200)


def _accept(request: HttpRequest, found: Invitation, password: PasswordForm) -> HttpResponseBase | None:
    at = asked(request).at
    if "credential" in request.POST:
        credential = _credential(request)
        account = actions.accept_invitation(
            invitation=found, credential=credential, account_id=_passkey_account(request), at=at
        )
        return _enter(request, account, passkey=True)
    if not password.is_valid():
        return None
    account = actions.accept_invitation(invitation=found, password=password.cleaned_data["password"], at=at)
    return _enter(request, account, passkey=False)


def _enter(request: HttpRequest, account: Account, *, passkey: bool) -> HttpResponseBase:
    """Open the session: with a passkey the second factor is there already, with a password it comes next."""
    if passkey:
        made = Authenticator.objects.filter(user=account, type=Authenticator.Type.WEBAUTHN).latest("created_at")
        record_authentication(
            request, account, "mfa", id=made.pk, type=made.type, passwordless=True, reauthenticated=True
        )
    else:
        record_authentication(request, account, "password", reauthenticated=True)
    step = "mfa_view_recovery_codes" if passkey else "accounts_factor_setup"
    request.session[AFTER_FACTOR] = CONFIDENTIALITY
    return cast(HttpResponse, perform_login(request, account, redirect_url=reverse(step)))


def _creation_options(request: HttpRequest, email: str, account: Account | None) -> dict[str, Any]:
    """The passkey is bound to the id that the account has, or will have; the session keeps it until the answer."""
    future = account or Account(id=_passkey_account(request) or new_id(), email=email)
    request.session[_PASSKEY_ACCOUNT] = str(future.pk)
    options: dict[str, Any] = webauthn.begin_registration(future, passwordless=True)
    return options


def _passkey_account(request: HttpRequest) -> UUID | None:
    kept = request.session.get(_PASSKEY_ACCOUNT)
    return UUID(kept) if kept else None


def _credential(request: HttpRequest) -> dict[str, Any]:
    form = PasskeyForm(request.POST)
    try:
        if not form.is_valid() or not isinstance(form.cleaned_data["credential"], dict):
            raise _no_passkey()
        credential: dict[str, Any] = form.cleaned_data["credential"]
        webauthn.parse_registration_response(credential)
        if not webauthn.complete_registration(credential).is_user_verified():
            raise _no_passkey()
    except (ValidationError, *MALFORMED):
        raise _no_passkey() from None
    return credential


def _no_passkey() -> Refusal:
    reason = Bilingual(zh="通行金鑰沒有建立成功，請再試一次。", en="The passkey was not made. Try again.")
    return Refusal(reason, rule="invitation-means", field="password")


# The second factor


@require_safe
@door.signed_in
def factor_setup(request: HttpRequest) -> HttpResponseBase:
    """Why a second factor, and the choice between an app and a passkey; afterwards back to where one was going."""
    wanted = request.GET.get("next", "")
    if wanted and url_has_allowed_host_and_scheme(wanted, allowed_hosts=None):
        request.session[AFTER_FACTOR] = wanted
    if queries.session_has_second_factor(request):
        return HttpResponseRedirect(request.session.pop(AFTER_FACTOR, "/home"))
    return render(request, "accounts/factor_setup.html")


@require_safe
@door.signed_in
def sign_options(request: HttpRequest) -> HttpResponse:
    """What the browser's passkey dialogue needs to sign a decision; JSON for the page's script."""
    account = queries.as_account(request.user)
    return JsonResponse({"request_options": webauthn.begin_authentication(account)})


# Lost second factor


@require_http_methods(["GET", "HEAD", "POST"])
@door.public
def lost_factor(request: HttpRequest) -> HttpResponseBase:
    """Say that the second factor is lost. The answer is the same whether or not the address is known."""
    form = AddressForm(request.POST if request.method == "POST" else None)
    if request.method != "POST" or not form.is_valid():
        return render(request, "accounts/lost_factor.html", {"form": form}, status=422 if form.is_bound else 200)
    email = queries.canonical_address(form.cleaned_data["email"])
    if not ratelimit.consume(request, action="lost_factor", key=email):
        return cast(HttpResponse, ratelimit.respond_429(request))
    account = Account.objects.select_related("person").filter(email__iexact=email, is_active=True).first()
    if account is not None and queries.has_second_factor(account=account):
        _mail_proof(request, account)
    return render(request, "accounts/lost_factor_sent.html", {"email": email})


def _mail_proof(request: HttpRequest, account: Account) -> None:
    at = asked(request).at
    proof = signing.dumps(str(account.pk), salt=_PROOF_SALT)
    context = {
        "link": letters.link(reverse("accounts_lost_factor_proof", args=[proof])),
        "expires_at": at + timedelta(hours=_PROOF_HOURS),
    }
    letters.send(notice="lost_factor", to_person=account.person, context=context, by=actions.acting(account), at=at)


@require_http_methods(["GET", "HEAD", "POST"])
@door.public
def lost_factor_proof(request: HttpRequest, proof: str) -> HttpResponseBase:
    """The mailed link: confirm that one has asked. Opening it changes nothing, so a mail scanner cannot ask."""
    try:
        account_id = signing.loads(proof, salt=_PROOF_SALT, max_age=timedelta(hours=_PROOF_HOURS))
    except signing.BadSignature:
        raise Http404 from None
    account = get_object_or_404(Account, pk=account_id, is_active=True)
    if request.method == "POST":
        actions.ask_factor_reset(account=account, at=asked(request).at)
    context = {"account": account, "asked": request.method == "POST"}
    return render(request, "accounts/lost_factor_proof.html", context)


@require_safe
@door.signed_in
def helping(request: HttpRequest) -> HttpResponse:
    """People who wait for somebody to vouch for them, as far as the reader may."""
    subject, at = asked(request).subject, asked(request).at
    waiting = [
        reset for reset in queries.open_resets() if actions.may_vouch(by=subject, person=reset.account.person, at=at)
    ]
    return render(request, "accounts/helping.html", {"waiting": waiting})


@require_http_methods(["GET", "HEAD", "POST"])
@door.signed_in
def help_one(request: HttpRequest, reset_id: UUID) -> HttpResponseBase:
    """Vouch for somebody, or confirm as the second person, or decline; signed."""
    subject, at = asked(request).subject, asked(request).at
    reset = get_object_or_404(FactorReset.objects.select_related("account__person", "vouched_by"), pk=reset_id)
    if not actions.may_vouch(by=subject, person=reset.account.person, at=at):
        raise Http404
    form = VouchForm(request.POST if request.method == "POST" and reset.state == "asked" else None)
    problem: Refusal | None = None
    if request.method == "POST":
        try:
            if _helped(request, reset, form):
                return HttpResponseRedirect(reverse("accounts_helping"))
        except Refusal as refusal:
            problem = refusal
    context = {"reset": reset, "form": form, "refusal": problem}
    return render(request, "accounts/help_one.html", context, status=422 if request.method == "POST" else 200)


def _helped(request: HttpRequest, reset: FactorReset, form: VouchForm) -> bool:
    subject, at = asked(request).subject, asked(request).at
    if request.POST.get("act") == "decline":
        actions.decline_factor_reset(reset=reset, by=subject, at=at)
        return True
    if reset.state == "asked" and not form.is_valid():
        return False
    confirm(request)
    if reset.state == "asked":
        actions.vouch(reset=reset, how=form.cleaned_data["how"], by=subject, at=at)
    else:
        actions.confirm_factor_reset(reset=reset, by=subject, at=at)
    return True
