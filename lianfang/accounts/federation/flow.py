"""One sign-in by a provider, from the browser's leaving to its coming back: what the session keeps in between."""

from __future__ import annotations

import hmac
import re
import secrets
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.core.cache import cache
from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from lianfang.accounts import letters, sign_on
from lianfang.accounts.federation import oidc, saml
from lianfang.accounts.federation.answers import Asserted, Rejected
from lianfang.accounts.models import IdentityProvider

FLOW: Final = "sign_on_flow"
MINUTES: Final = 10
TRIAL: Final = "trial"
SIGN_IN: Final = "sign_in"
_POSTED: Final = "lianfang.saml.posted:"
_TICKET: Final = re.compile(r"[A-Za-z0-9_-]{43}")


def callback(provider: IdentityProvider) -> str:
    """Return the address to which the provider sends the browser back; every provider has one of its own."""
    return letters.link(reverse("sign_in_back", args=[provider.address]))


def begin(request: HttpRequest, provider: IdentityProvider, *, purpose: str, next_url: str, at: datetime) -> str:
    """Remember in the session what is begun, and return where the browser goes. Raises Rejected."""
    flow: dict[str, Any] = {
        "provider": str(provider.pk),
        "purpose": purpose,
        "state": secrets.token_urlsafe(32),
        # Also the id of a request of SAML, which begins with a letter or a low line.
        "nonce": "_" + secrets.token_urlsafe(32),
        "verifier": secrets.token_urlsafe(48),
        "began": int(at.timestamp()),
        "set_at": provider.set_at.isoformat(),
        "next": next_url if url_has_allowed_host_and_scheme(next_url, allowed_hosts=None) else "",
    }
    if provider.protocol == IdentityProvider.Protocol.SAML:
        where = saml.address(
            peer=peer_of(provider), us=us_for(provider.address), request_id=flow["nonce"], state=flow["state"], at=at
        )
    else:
        where = _by_oidc(provider, flow)
    request.session[FLOW] = flow
    return where


def _by_oidc(provider: IdentityProvider, flow: dict[str, Any]) -> str:
    client = client_of(provider)
    if flow["purpose"] == TRIAL:
        oidc.forget(client.issuer)
    return oidc.address(
        client=client,
        metadata=oidc.discover(client.issuer),
        state=flow["state"],
        nonce=flow["nonce"],
        verifier=flow["verifier"],
    )


def keep_posted(address: str, *, answer: str, state: str) -> str:
    """Keep an answer of SAML for a minute and return the ticket for it.

    It is posted by the provider's page, with which the browser sends no cookie of ours; behind a redirect it does.
    """
    ticket = secrets.token_urlsafe(32)
    cache.set(_POSTED + ticket, [address, answer, state], 60)
    return ticket


def posted(provider: IdentityProvider, ticket: str) -> tuple[str, str]:
    """Return (answer, state) of a ticket, which ends it. Raises Rejected."""
    found = cache.get(_POSTED + ticket) if _TICKET.fullmatch(ticket) else None
    if not isinstance(found, list) or found[0] != provider.address:
        raise Rejected("state")
    cache.delete(_POSTED + ticket)
    return str(found[1]), str(found[2])


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


def finish(
    request: HttpRequest, provider: IdentityProvider, flow: dict[str, Any], *, answer: str, at: datetime
) -> Asserted:
    """Return what the provider says; `answer` is what was posted, for SAML. Raises Rejected."""
    if provider.protocol == IdentityProvider.Protocol.SAML:
        said = saml.asserted(
            answer=answer, peer=peer_of(provider), us=us_for(provider.address), request_id=flow["nonce"], at=at
        )
        if not cache.add(sign_on.once_key(said.id), True, 3600):
            raise Rejected("replayed")
        return said
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


def peer_of(provider: IdentityProvider) -> saml.Peer:
    """Return a provider of SAML as it was set up."""
    return saml.Peer(entity_id=provider.issuer, sso_url=provider.sso_url, certificates=tuple(provider.certificates))


def us_for(address: str) -> saml.Us:
    """Return us as the provider of that sign-in address knows us."""
    return saml.Us(
        entity_id=letters.link(reverse("sign_in_metadata", args=[address])),
        acs_url=letters.link(reverse("sign_in_answer", args=[address])),
    )


def is_about(flow: dict[str, Any], provider: IdentityProvider) -> bool:
    """Return whether the provider is still set up as it was when this began."""
    return bool(flow["set_at"] == provider.set_at.isoformat()) and UUID(flow["provider"]) == provider.pk
