"""allauth's step that asks for the second factor, with the one case in which it is left out."""

from __future__ import annotations

from allauth.account.authentication import get_authentication_records
from allauth.mfa.stages import AuthenticateStage
from django.http import HttpRequest

from lianfang.accounts.sign_on import METHOD


class SecondFactor(AuthenticateStage):  # type: ignore[misc]  # allauth has no types
    """Ask, unless the operator takes a provider's word for a second factor and the provider gave it just now."""

    def _should_handle(self, request: HttpRequest) -> bool:
        records = get_authentication_records(request, self.login.user)
        # The last record is the sign-in that goes on here: an earlier one of the same browser does not count.
        if records and records[-1].get("method") == METHOD and records[-1].get("factor"):
            return False
        asked: bool = super()._should_handle(request)
        return asked
