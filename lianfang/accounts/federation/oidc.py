"""OpenID Connect, authorization code flow with PKCE: where to send the browser, and what the answer says.

Of a token only what its signature covers counts, signed by a key that the provider publishes, with a public-key method
that it announced. Keys are kept for an hour and asked for anew when an unknown one signs, once a minute at most.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import quote, urlencode

import jwt
from django.core.cache import cache
from jwt.types import Options

from lianfang.accounts.federation.answers import Asserted, Rejected
from lianfang.accounts.federation.fetch import fetch, usable

LEEWAY: Final = timedelta(seconds=60)
FRESH: Final = timedelta(minutes=10)
_KEPT: Final = 3600
_AGAIN: Final = 60
_PAUSE: Final = 15
_DOWN: Final = "down"
_LONGEST: Final = 16 * 1024
_FAMILIES: Final = {
    "RS256": "RSA", "RS384": "RSA", "RS512": "RSA", "PS256": "RSA", "PS384": "RSA", "PS512": "RSA",
    "ES256": "EC", "ES384": "EC", "ES512": "EC", "EdDSA": "OKP",
}  # fmt: skip
_SMALLEST_RSA: Final = 2048


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """We, as the provider knows us."""

    issuer: str
    client_id: str
    client_secret: str
    redirect_uri: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """What a provider announces about itself."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    algorithms: frozenset[str]
    posts_secret: bool
    names_itself: bool


def discover(issuer: str) -> Metadata:
    """Return what the provider announces, kept for an hour. Raises Rejected."""
    kept = f"lianfang.oidc.metadata:{_digest(issuer)}"
    found = cache.get(kept)
    if found == _DOWN:
        raise Rejected("unreachable")
    if found is None:
        try:
            found = _object(fetch(issuer.rstrip("/") + "/.well-known/openid-configuration"))
        except Rejected as rejected:
            if rejected.code == "unreachable":
                # A page that anybody may open asks this: a provider that is down must not hold one thread for each.
                cache.set(kept, _DOWN, _PAUSE)
            raise
        metadata = read_metadata(found, issuer=issuer)
        cache.set(kept, found, _KEPT)
        return metadata
    return read_metadata(found, issuer=issuer)


def read_metadata(found: Mapping[str, Any], *, issuer: str) -> Metadata:
    """Read an announcement. Raises Rejected for one of another issuer, or with an address that may not be asked."""
    if found.get("issuer") != issuer:
        raise Rejected("issuer")
    for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
        if not isinstance(found.get(name), str):
            raise Rejected("malformed")
        usable(found[name])
    announced = found.get("id_token_signing_alg_values_supported", ["RS256"])
    algorithms = frozenset(announced if isinstance(announced, list) else ()) & _FAMILIES.keys()
    if not algorithms:
        raise Rejected("algorithm")
    ways = found.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
    return Metadata(
        issuer=issuer,
        authorization_endpoint=found["authorization_endpoint"],
        token_endpoint=found["token_endpoint"],
        jwks_uri=found["jwks_uri"],
        algorithms=algorithms,
        posts_secret=isinstance(ways, list) and "client_secret_basic" not in ways,
        names_itself=found.get("authorization_response_iss_parameter_supported") is True,
    )


def keys(metadata: Metadata, *, anew: bool = False) -> list[Mapping[str, Any]]:
    """Return the provider's published keys; `anew` asks again, though not twice within a minute. Raises Rejected."""
    name = _digest(metadata.jwks_uri)
    kept = cache.get(f"lianfang.oidc.keys:{name}")
    if kept is not None and not (anew and cache.add(f"lianfang.oidc.again:{name}", True, _AGAIN)):
        return list(kept)
    listed = _object(fetch(metadata.jwks_uri)).get("keys")
    if not isinstance(listed, list):
        raise Rejected("malformed")
    found = [one for one in listed[:50] if isinstance(one, dict)]
    cache.set(f"lianfang.oidc.keys:{name}", found, _KEPT)
    return list(found)


def forget(issuer: str) -> None:
    """Ask the provider anew at the next use, after its settings were changed or when they are tried."""
    cache.delete(f"lianfang.oidc.metadata:{_digest(issuer)}")


def address(*, client: Client, metadata: Metadata, state: str, nonce: str, verifier: str) -> str:
    """Return where the browser is sent."""
    asked = {
        "response_type": "code",
        "client_id": client.client_id,
        "redirect_uri": client.redirect_uri,
        "scope": "openid email",
        "state": state,
        "nonce": nonce,
        "code_challenge": _url64(hashlib.sha256(verifier.encode()).digest()),
        "code_challenge_method": "S256",
    }
    joint = "&" if "?" in metadata.authorization_endpoint else "?"
    return metadata.authorization_endpoint + joint + urlencode(asked)


def redeem(*, client: Client, metadata: Metadata, code: str, verifier: str) -> str:
    """Return the ID token for a code. Raises Rejected. The access token that comes with it is not even looked at."""
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": client.redirect_uri,
        "code_verifier": verifier,
    }
    authorization = ""
    if metadata.posts_secret:
        form |= {"client_id": client.client_id, "client_secret": client.client_secret}
    else:
        pair = f"{quote(client.client_id, safe='')}:{quote(client.client_secret, safe='')}"
        authorization = "Basic " + base64.b64encode(pair.encode()).decode()
    token = _object(fetch(metadata.token_endpoint, form=form, authorization=authorization)).get("id_token")
    if not isinstance(token, str):
        raise Rejected("malformed")
    return token


def asserted(*, client: Client, metadata: Metadata, token: str, nonce: str, at: datetime) -> Asserted:
    """Return what a token says. Raises Rejected. Asks for the provider's keys anew when it is signed by an unknown."""
    try:
        return read(
            token=token, client=client, algorithms=metadata.algorithms, published=keys(metadata), nonce=nonce, at=at
        )
    except Rejected as rejected:
        if rejected.code not in ("key", "signature"):
            raise
    fresh = keys(metadata, anew=True)
    return read(token=token, client=client, algorithms=metadata.algorithms, published=fresh, nonce=nonce, at=at)


def read(
    *,
    token: str,
    client: Client,
    algorithms: frozenset[str],
    published: Sequence[Mapping[str, Any]],
    nonce: str,
    at: datetime,
) -> Asserted:
    """Check an ID token against the provider's keys, our name, this sign-in and this instant. Raises Rejected."""
    if len(token) > _LONGEST or token.count(".") != 2 or not token.isascii():
        raise Rejected("malformed")
    try:
        header = jwt.get_unverified_header(token)
    except (jwt.PyJWTError, ValueError, TypeError, RecursionError):
        raise Rejected("malformed") from None
    algorithm = header.get("alg")
    if not isinstance(algorithm, str) or algorithm not in algorithms or algorithm not in _FAMILIES:
        raise Rejected("algorithm")
    if "crit" in header:
        raise Rejected("malformed")
    return _said(_verified(token, _key(published, algorithm, header.get("kid")), algorithm), client, nonce, at)


def _key(published: Sequence[Mapping[str, Any]], algorithm: str, kid: object) -> jwt.PyJWK:
    """The one published key that fits; a token that does not name one is read only where there is but one."""
    fitting = [
        one
        for one in published
        if one.get("kty") == _FAMILIES[algorithm]
        and one.get("use", "sig") == "sig"
        and one.get("alg", algorithm) == algorithm
        and (kid is None or one.get("kid") == kid)
    ]
    if len(fitting) != 1:
        raise Rejected("key")
    try:
        key = jwt.PyJWK(dict(fitting[0]), algorithm=algorithm)
        size = getattr(key.key, "key_size", _SMALLEST_RSA)
    except (jwt.PyJWTError, ValueError, TypeError, KeyError, AttributeError, OverflowError):
        raise Rejected("key") from None
    if _FAMILIES[algorithm] == "RSA" and size < _SMALLEST_RSA:
        raise Rejected("key")
    return key


def _verified(token: str, key: jwt.PyJWK, algorithm: str) -> Mapping[str, Any]:
    """The claims under a right signature. Their meaning is judged by `_said`, at an instant that is an argument."""
    unjudged: Options = {
        "verify_signature": True, "verify_exp": False, "verify_nbf": False, "verify_iat": False, "verify_aud": False,
        "verify_iss": False, "verify_sub": False, "verify_jti": False,
    }  # fmt: skip
    try:
        claims = jwt.decode(token, key, algorithms=[algorithm], options=unjudged)
    except jwt.InvalidSignatureError:
        raise Rejected("signature") from None
    except (jwt.PyJWTError, ValueError, TypeError, RecursionError):
        raise Rejected("malformed") from None
    if not isinstance(claims, dict):
        raise Rejected("malformed")
    return claims


def _said(claims: Mapping[str, Any], client: Client, nonce: str, at: datetime) -> Asserted:
    if claims.get("iss") != client.issuer:
        raise Rejected("issuer")
    named = claims.get("aud")
    audience = [named] if isinstance(named, str) else named
    if not isinstance(audience, list) or client.client_id not in audience:
        raise Rejected("audience")
    if claims.get("azp", client.client_id) != client.client_id or (len(audience) > 1 and "azp" not in claims):
        raise Rejected("audience")
    given = claims.get("nonce")
    if not isinstance(given, str) or not nonce or not hmac.compare_digest(given.encode(), nonce.encode()):
        raise Rejected("nonce")
    _timely(claims, at)
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= 255:
        raise Rejected("subject")
    email = claims.get("email")
    vouched = isinstance(email, str) and claims.get("email_verified") is True
    return Asserted(
        issuer=client.issuer,
        subject=subject,
        email=str(email) if vouched else "",
        strength=_strength(claims),
        id=f"nonce:{nonce}",
    )


def _timely(claims: Mapping[str, Any], at: datetime) -> None:
    now, leeway = at.timestamp(), LEEWAY.total_seconds()
    ends, made = _number(claims.get("exp")), _number(claims.get("iat"))
    begins = _number(claims.get("nbf", made))
    if now >= ends + leeway or now - made > FRESH.total_seconds() + leeway:
        raise Rejected("expired")
    if made - leeway > now or begins - leeway > now:
        raise Rejected("early")


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Rejected("malformed")
    try:
        found = float(value)
    except OverflowError:
        raise Rejected("malformed") from None
    if not math.isfinite(found):
        raise Rejected("malformed")
    return found


def _strength(claims: Mapping[str, Any]) -> frozenset[str]:
    methods = claims.get("amr")
    found = [one for one in methods if isinstance(one, str)] if isinstance(methods, list) else []
    level = claims.get("acr")
    return frozenset([*found, level] if isinstance(level, str) else found)


def _object(content: bytes) -> dict[str, Any]:
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        raise Rejected("malformed") from None
    if not isinstance(found, dict):
        raise Rejected("malformed")
    return found


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _url64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
