"""Where allauth meets the product: no open sign-up, mails through the notices, secrets sealed, writes audited."""

from __future__ import annotations

import base64
import hmac
import io
import logging
import os
import time
from datetime import datetime
from typing import Any
from uuid import UUID

import segno
from allauth.account import app_settings
from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.authentication import get_authentication_records
from allauth.account.internal.flows.login import record_authentication
from allauth.account.signals import user_logged_in
from allauth.core import context as allauth_context
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.mfa.signals import authenticator_added, authenticator_removed, authenticator_reset
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.contrib.auth import logout
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.signals import user_login_failed
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe

from lianfang.accounts import actions, letters, queries, sessions, sign_on
from lianfang.accounts.federation.answers import Rejected
from lianfang.accounts.models import Account
from lianfang.kernel.clock import utcnow
from lianfang.kernel.refusal import Refusal
from lianfang.kernel.text import Bilingual
from lianfang.vault.keys import keyring

log = logging.getLogger("lianfang.accounts")
_NONCE = 12
_STAGES = {"allauth.mfa.stages.AuthenticateStage": "lianfang.accounts.stages.SecondFactor"}
_LINKED = {"account/email/password_reset_key": "password_reset"}
_CHANGES = {
    "account/email/password_changed": Bilingual(zh="密碼已變更", en="The password was changed"),
    "account/email/password_reset": Bilingual(zh="密碼已重設", en="The password was reset"),
    "account/email/password_set": Bilingual(zh="密碼已設定", en="A password was set"),
    "mfa/email/recovery_codes_generated": Bilingual(zh="已產生新的復原碼", en="New recovery codes were made"),
    "mfa/email/totp_activated": Bilingual(zh="已新增驗證器App", en="An authenticator app was added"),
    "mfa/email/totp_deactivated": Bilingual(zh="已移除驗證器App", en="The authenticator app was removed"),
    "mfa/email/webauthn_added": Bilingual(zh="已新增通行金鑰", en="A passkey was added"),
    "mfa/email/webauthn_removed": Bilingual(zh="已移除通行金鑰", en="A passkey was removed"),
}


def instant(request: HttpRequest | None) -> datetime:
    """Return the instant of the request, as the subject middleware read it."""
    return getattr(request, "at", None) or utcnow()


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth has no types
    """Sign-in and passwords."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:  # noqa: ARG002 - allauth's signature
        """Accounts come from invitations and applications alone."""
        return False

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        """Whoever signed in within the last minutes has just proved who it is and is not asked again at once.

        A provider's word is no such proof: it must not be enough to add means by which one gets in without it.
        """
        request = allauth_context.request
        records = [
            one for one in get_authentication_records(request, request.user) if one.get("method") != sign_on.METHOD
        ]
        fresh = records and time.time() - records[-1]["at"] < app_settings.REAUTHENTICATION_TIMEOUT
        return not fresh and super().is_reauthentication_required(app=app, **kwargs)

    def get_login_stages(self) -> list[str]:
        """Ask for the second factor as allauth does, unless a provider's word for it was taken."""
        return [_STAGES.get(one, one) for one in super().get_login_stages()]

    def pre_login(self, request: HttpRequest, user: AbstractBaseUser, **kwargs: Any) -> HttpResponse | None:
        """Lead whoever signs in here to his organisation's provider, where it asks that of its people."""
        answer: HttpResponse | None = super().pre_login(request, user, **kwargs)
        if answer is not None or sign_on.provider_of_session(request, user) is not None:
            return answer
        account, at = queries.as_account(user), instant(request)
        pairs = queries.live_affiliations(person=account.person, at=at)
        asking = queries.asks_for_provider(pairs)
        if not asking or sign_on.acting_for(request, pairs, asking=asking, at=at, user=user):
            return None
        provider = queries.provider_of(organization=asking[0].organization_id)
        assert provider is not None
        return HttpResponseRedirect(reverse("sign_in_org", args=[provider.address]) + "?only=1")

    def set_password(self, user: AbstractBaseUser, password: str) -> None:
        """Write the new password through its action."""
        account = queries.as_account(user)
        actions.change_password(
            account=account, password=password, by=actions.acting(account), at=instant(allauth_context.request)
        )
        user.password = account.password

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:  # noqa: ARG002
        """Count wrong passwords by address alone.

        allauth's own key names the host and port that the request claimed, so that each port would have a count of its
        own.
        """
        return f"address:{queries.canonical_address(str(credentials.get('email', '')))}"

    def get_reset_password_from_key_url(self, key: str) -> str:
        """Links in mails name this installation, never the host that a request claimed."""
        uid, _, rest = key.partition("-")
        return letters.link(reverse("account_reset_password_from_key", kwargs={"uidb36": uid, "key": rest}))

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Send through the notices. Raises LookupError for a mail that the product does not send."""
        account = Account.objects.select_related("person").get(email__iexact=email)
        at = instant(allauth_context.request)
        if template_prefix in _LINKED:
            notice, facts = _LINKED[template_prefix], {"link": context["password_reset_url"]}
        else:
            notice, facts = "account_changed", {"what": _CHANGES[template_prefix], "at": at}
        letters.send(notice=notice, to_person=account.person, context=facts, by=actions.acting(account), at=at)


class MfaAdapter(DefaultMFAAdapter):  # type: ignore[misc]  # allauth has no types
    """Second factors: secrets are sealed under a key outside the database, codes are drawn as plain SVG."""

    def encrypt(self, text: str) -> str:
        """Seal a secret of an app or of recovery codes."""
        nonce = os.urandom(_NONCE)
        return base64.b64encode(nonce + _cipher().encrypt(nonce, text.encode(), b"mfa")).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """Open what `encrypt` sealed. Raises cryptography's InvalidTag for anything else."""
        sealed = base64.b64decode(encrypted_text)
        return _cipher().decrypt(sealed[:_NONCE], sealed[_NONCE:], b"mfa").decode()

    def build_totp_svg(self, url: str) -> SafeString:
        """Draw the QR code on white, whatever the page's colours, without any style attribute."""
        drawn = io.BytesIO()
        segno.make(url).save(drawn, kind="svg", xmldecl=False, svgns=True, scale=5, border=4, light="#fff")
        # Drawn here from an address of our own making; nothing of it is a reader's.
        return mark_safe(drawn.getvalue().decode())  # noqa: S308

    def get_public_key_credential_user_entity(self, user: AbstractBaseUser) -> dict[str, Any]:
        """Name the account by its address: what a passkey manager shows."""
        entity: dict[str, Any] = super().get_public_key_credential_user_entity(user)
        return {**entity, "display_name": entity["name"]}


def _cipher() -> AESGCM:
    # The blind index's key survives a rotation of the master key, as these secrets must.
    return AESGCM(hmac.digest(keyring().blind, b"second factors", "sha256"))


def connect() -> None:
    """Listen to allauth; called once at start."""
    user_logged_in.connect(_signed_in, dispatch_uid="lianfang.signed_in")
    user_login_failed.connect(_refused, dispatch_uid="lianfang.refused")
    authenticator_added.connect(_added, dispatch_uid="lianfang.factor_added")
    authenticator_reset.connect(_added, dispatch_uid="lianfang.factor_reset")
    authenticator_removed.connect(_removed, dispatch_uid="lianfang.factor_removed")


def _signed_in(*, request: HttpRequest, user: AbstractBaseUser, **_: Any) -> None:
    sessions.begin(request)
    account, at = queries.as_account(user), instant(request)
    provider = sign_on.provider_of_session(request, user)
    second = queries.session_has_second_factor(request)
    actions.record_sign_in(account=account, second_factor=second, provider=provider, at=at)
    claim = request.session.pop(sign_on.CLAIM, None)
    if claim is not None and provider is not None and claim.get("account") == str(account.pk):
        _link(request, account, claim, at)


def _link(request: HttpRequest, account: Account, claim: dict[str, str], at: datetime) -> None:
    """Link an account that was there before: only now, as its own second factor was asked for in between."""
    provider = queries.provider(UUID(claim["provider"]))
    try:
        if provider is None or not provider.works:
            raise Rejected("closed")
        digest = bytes.fromhex(claim["digest"])
        match = queries.match(provider=provider, digest=digest, email=claim["email"], at=at)
        if match.account != account:
            raise Rejected("other_subject")
        if match.invitation is not None:
            actions.accept_invitation(invitation=match.invitation, at=at)
        if not match.linked:
            actions.link_account(provider=provider, account=account, digest=digest, at=at)
    except (Rejected, Refusal) as refused:
        logout(request)
        raise Refusal(refused.reason, rule="provider-link") from None


def _refused(*, credentials: dict[str, Any], **_: Any) -> None:
    """Say that a sign-in failed: of several, that they were tried on one address, and not on which."""
    address = queries.canonical_address(str(credentials.get("email") or credentials.get("username") or ""))
    log.warning("sign-in refused for %s", queries.keyed_digest(f"sign-in:{address}").hex()[:12])


def _added(*, request: HttpRequest, user: AbstractBaseUser, authenticator: Authenticator, **_: Any) -> None:
    account = queries.as_account(user)
    actions.record_factor_added(
        account=account, kind=authenticator.type, by=actions.acting(account), at=instant(request)
    )
    if authenticator.type != Authenticator.Type.RECOVERY_CODES:
        # Setting it up proved possession: this session counts as opened with it.
        record_authentication(request, user, "mfa", id=authenticator.pk, type=authenticator.type, reauthenticated=True)


def _removed(*, request: HttpRequest, user: AbstractBaseUser, authenticator: Authenticator, **_: Any) -> None:
    account = queries.as_account(user)
    actions.record_factor_removed(
        account=account, kind=authenticator.type, by=actions.acting(account), at=instant(request)
    )
