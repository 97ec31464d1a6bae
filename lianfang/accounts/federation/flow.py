"""One sign-in by a provider, from the browser's leaving to its coming back: what the session keeps in between."""

from __future__ import annotations

import hmac
import secrets
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.core.cache import cache
from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from lianfang.accounts import letters, sign_on
from lianfang.accounts.federation import oidc
from lianfang.accounts.federation.answers import Asserted, Rejected
from lianfang.accounts.models import IdentityProvider

FLOW: Final = "sign_on_flow"
MINUTES: Final = 10
TRIAL: Final = "trial"
SIGN_IN: Final = "sign_in"


def callback(provider: IdentityProvider) -> str:
    """Return the address to which the provider sends the browser back; every provider has one of its own."""
    return letters.link(reverse("sign_in_back", args=[provider.address]))


def begin(request: HttpRequest, provider: IdentityProvider, *, purpose: str, next_url: str, at: datetime) -> str:
    """Remember in the session what is begun, and return where the browser goes. Raises Rejected."""
    flow: dict[str, Any] = {
        "provider": str(provider.pk),
        "purpose": purpose,
        "state": secrets.token_urlsafe(32),
        "nonce": secrets.token_urlsafe(32),
        "verifier": secrets.token_urlsafe(48),
        "began": int(at.timestamp()),
        "set_at": provider.set_at.isoformat(),
        "next": next_url if url_has_allowed_host_and_scheme(next_url, allowed_hosts=None) else "",
    }
    client = client_of(provider)
    if purpose == TRIAL:
        oidc.forget(client.issuer)
    metadata = oidc.discover(client.issuer)
    where = oidc.address(
        client=client, metadata=metadata, state=flow["state"], nonce=flow["nonce"], verifier=flow["verifier"]
    )
    request.session[FLOW] = flow
    return where


def take(request: HttpRequest, provider: IdentityProvider, *, state: str, at: datetime) -> dict[str, Any]:
    """Return what was begun in this session, which ends it. Raises Rejected for any other answer than the awaited."""
    flow = request.session.get(FLOW)
    if not isinstance(flow, dict) or flow.get("provider") != str(provider.pk):
        raise Rejected("state")
    if not hmac.compare_digest(str(flow["state"]).encode(), state.encode(errors="replace")):
        raise Rejected("state")
    if not 0 <= at.timestamp() - flow["began"] + 1 <= MINUTES * 60:
        raise Rejected("state")
    # Only now: a link that somebody else made must not end what is going on here.
    del request.session[FLOW]
    # Two answers at once would both find the session as it was.
    if not cache.add(sign_on.once_key(f"state:{flow['state']}"), True, MINUTES * 120):
        raise Rejected("replayed")
    return flow


def finish(request: HttpRequest, provider: IdentityProvider, flow: dict[str, Any], *, at: datetime) -> Asserted:
    """Return what the provider says. Raises Rejected."""
    client = client_of(provider)
    metadata = oidc.discover(client.issuer)
    named = request.GET.get("iss")
    if (named is not None or metadata.names_itself) and named != client.issuer:
        raise Rejected("issuer")
    if "error" in request.GET:
        raise Rejected("denied")
    code = request.GET.get("code", "")
    if not code or len(code) > 4000:
        raise Rejected("malformed")
    token = oidc.redeem(client=client, metadata=metadata, code=code, verifier=flow["verifier"])
    return oidc.asserted(client=client, metadata=metadata, token=token, nonce=flow["nonce"], at=at)


def client_of(provider: IdentityProvider) -> oidc.Client:
    """Return us as this provider knows us."""
    return oidc.Client(
        issuer=provider.issuer,
        client_id=provider.client_id,
        client_secret=provider.client_secret,
        redirect_uri=callback(provider),
    )


def is_about(flow: dict[str, Any], provider: IdentityProvider) -> bool:
    """Return whether the provider is still set up as it was when this began."""
    return bool(flow["set_at"] == provider.set_at.isoformat()) and UUID(flow["provider"]) == provider.pk
