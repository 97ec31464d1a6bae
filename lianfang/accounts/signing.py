"""Signing a decision: the second factor, confirmed again for exactly this request."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol, cast

from django.http import HttpRequest

from lianfang.accounts import actions
from lianfang.accounts.factors import Reauthenticate, ReauthenticatePasskey
from lianfang.kernel.refusal import Refusal
from lianfang.kernel.text import Bilingual
from lianfang.policy.facts import Subject

CODE = "second_factor_code"
CREDENTIAL = "second_factor_credential"

_MISSING = Bilingual(
    zh="這個決定要簽署：請輸入驗證碼，或使用通行金鑰。",
    en="This decision is signed: enter a code, or use your passkey.",
)
_WRONG = Bilingual(
    zh="驗證碼不符或已用過。請等下一組驗證碼再試。",
    en="The code is wrong or was used already. Wait for the next one and try again.",
)


class Asked(Protocol):
    """A request that the subject middleware has prepared."""

    subject: Subject
    at: datetime


def confirm(request: HttpRequest) -> None:
    """Raise Refusal unless the POST carries a valid code of the app, a recovery code, or a fresh answer of a passkey.

    Each code works once; wrong ones are counted, and after too many the account must wait.
    """
    code = request.POST.get(CODE, "").strip().replace(" ", "")
    credential = request.POST.get(CREDENTIAL, "").strip()
    if not request.user.is_authenticated or not (code or credential):
        raise Refusal(_MISSING, rule="signature", clause="2.3", field=CODE)
    form = (
        Reauthenticate(user=request.user, data={"code": code})
        if code
        else ReauthenticatePasskey(user=request.user, data={"credential": credential})
    )
    if not form.is_valid():
        raise Refusal(_WRONG, rule="signature", clause="2.3", field=CODE)
    form.save()
    asked = cast(Asked, request)
    actions.confirm_factor(account=request.user, by=asked.subject, at=asked.at)
