"""allauth's forms for second factors, with what they leave open: codes that work once, and answers of any depth."""

from __future__ import annotations

import struct
from collections.abc import Callable
from hashlib import sha256
from typing import Any

from allauth.core.internal.cryptokit import normalize_user_code
from allauth.mfa import app_settings
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base import forms as codes
from allauth.mfa.base.internal.flows import check_rate_limit
from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn import forms as passkeys
from django import forms
from django.core.cache import cache
from django.core.exceptions import ValidationError

# A code is accepted in its own step and in as many before and after it as a clock may be off.
_WINDOW = app_settings.TOTP_PERIOD * (2 * app_settings.TOTP_TOLERANCE + 1)


MALFORMED = (LookupError, TypeError, ValueError, AttributeError, RecursionError, OverflowError, struct.error)
"""What the libraries for passkeys raise for an answer that no browser gives."""


class CredentialField(forms.JSONField):
    """What a browser answers for a passkey: a JSON object, of which only small and shallow ones are read."""

    def to_python(self, value: Any) -> Any:
        """Read the JSON. Raises ValidationError."""
        try:
            return super().to_python(value)
        except MALFORMED:
            raise ValidationError(self.error_messages["invalid"], code="invalid", params={"value": ""}) from None

    def bound_data(self, data: Any, initial: Any) -> Any:
        """What a form that is shown again holds; an answer is of no use twice."""
        del data
        return initial


class _Answered:
    """A form with what a browser answered; whatever is wrong with it, it is a wrong code."""

    def clean_credential(self) -> Any:
        """Let allauth judge. Raises ValidationError."""
        return _judged(super().clean_credential)  # type: ignore[misc]


def _judged(judge: Callable[[], Any]) -> Any:
    try:
        return judge()
    except MALFORMED:
        raise get_adapter().validation_error("incorrect_code") from None


def _credential() -> CredentialField:
    return CredentialField(required=True, widget=forms.HiddenInput)


class _Once(codes.BaseAuthenticateForm):  # type: ignore[misc]  # allauth has no types
    """A code of the app works once for as long as it is accepted; allauth forgets it after one step of its window."""

    def clean_code(self) -> str:
        """Judge the code. Raises ValidationError, also for one that was used."""
        typed = normalize_user_code(self.cleaned_data["code"])
        used = f"lianfang.code.used:{self.user.pk}:{sha256(typed.encode(errors='replace')).hexdigest()}"
        if cache.get(used) is not None:
            check_rate_limit(self.user)
            raise get_adapter().validation_error("incorrect_code")
        code: str = super().clean_code()
        if self.authenticator.type == Authenticator.Type.TOTP and not cache.add(used, True, timeout=_WINDOW):
            raise get_adapter().validation_error("incorrect_code")
        return code


class Authenticate(_Once, codes.AuthenticateForm):  # type: ignore[misc]
    """At sign-in."""


class Reauthenticate(_Once, codes.ReauthenticateForm):  # type: ignore[misc]
    """To confirm again, and to sign a decision."""


class AddPasskey(passkeys.AddWebAuthnForm):  # type: ignore[misc]
    """A passkey to be kept."""

    credential = _credential()

    def clean(self) -> Any:
        """Let allauth judge. Raises ValidationError."""
        return _judged(super().clean)


class AuthenticatePasskey(_Answered, passkeys.AuthenticateWebAuthnForm):  # type: ignore[misc]
    """As the second factor at sign-in."""

    credential = _credential()


class LoginPasskey(_Answered, passkeys.LoginWebAuthnForm):  # type: ignore[misc]
    """Instead of address and password."""

    credential = _credential()


class ReauthenticatePasskey(_Answered, passkeys.ReauthenticateWebAuthnForm):  # type: ignore[misc]
    """To confirm again, and to sign a decision."""

    credential = _credential()
