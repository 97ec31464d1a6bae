"""Tokens and addresses that somebody with time would try: each is refused, by name, and nothing crashes."""

from __future__ import annotations

import base64
import hmac
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jwt.algorithms import ECAlgorithm

from config import env
from lianfang.accounts.federation import fetch as fetching
from lianfang.accounts.federation import oidc
from lianfang.accounts.federation.answers import REASONS, Asserted, Rejected
from tests.accounts.idp import ec_key, rsa_key

AT = datetime(2026, 11, 25, 3, 0, tzinfo=UTC)
NOW = int(AT.timestamp())
NONCE = "n-0123456789"
CLIENT = oidc.Client(
    issuer="https://login.m1.example/tenant", client_id="lianfang", client_secret="s", redirect_uri="https://x/back"
)
RIGHT: dict[str, Any] = {
    "iss": CLIENT.issuer, "aud": "lianfang", "exp": NOW + 300, "iat": NOW, "nonce": NONCE, "sub": "u-1",
    "email": "a@m1.example", "email_verified": True,
}  # fmt: skip
RSA, EC, OTHER = rsa_key(), ec_key(), rsa_key(1, "rsa")
BOTH = frozenset({"RS256", "ES256"})


def read(token: str, *, published: list[dict[str, Any]] | None = None, at: datetime = AT, **more: Any) -> Asserted:
    keys = [RSA.public, EC.public] if published is None else published
    given = {"algorithms": BOTH, "nonce": NONCE, **more}
    return oidc.read(token=token, client=CLIENT, published=keys, at=at, **given)


def code_of(token: str, **more: Any) -> str:
    with pytest.raises(Rejected) as rejected:
        read(token, **more)
    assert rejected.value.reason.zh
    return rejected.value.code


def judged(token: str) -> Asserted | None:
    """What it says, None when it is refused for a reason that has words; anything else is a fault."""
    try:
        return read(token)
    except Rejected as rejected:
        if rejected.code in REASONS:
            return None
        raise


def b64(content: Any) -> str:
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def test_an_honest_token_is_read_by_either_kind_of_key() -> None:
    for key in (RSA, EC):
        said = read(key.sign({**RIGHT, "amr": ["pwd", "mfa", 7], "acr": "phr"}))
        assert (said.subject, said.email, said.strength) == ("u-1", "a@m1.example", {"pwd", "mfa", "phr"})
    assert read(RSA.sign({**RIGHT, "aud": ["lianfang", "x"], "azp": "lianfang"})).subject == "u-1"
    assert read(RSA.sign({**RIGHT, "email_verified": False})).email == ""


def test_the_method_of_signing_is_the_providers_own_public_one() -> None:
    """alg none, HMAC with the public key as its secret, keys brought along in the header."""
    header, body = b64({"alg": "none", "kid": "rsa"}), b64(RIGHT)
    assert code_of(f"{header}.{body}.") == "algorithm"
    for name in ("HS256", "hs256", "None", "NONE", "", None, 5, ["RS256"], "RS512"):
        secret = json.dumps(RSA.public).encode()
        head = b64({"alg": name, "kid": "rsa"})
        mac = b64(hmac.digest(secret, f"{head}.{body}".encode(), "sha256"))
        assert code_of(f"{head}.{body}.{mac}") in ("algorithm", "malformed"), name
    pem = RSA.private.public_key()
    pem = pem.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    head = b64({"alg": "HS256", "typ": "JWT", "kid": "rsa"})
    mac = b64(hmac.new(pem, f"{head}.{body}".encode(), sha256).digest())
    assert code_of(f"{head}.{body}.{mac}", algorithms=frozenset({"HS256", "RS256"})) == "algorithm"
    assert code_of(OTHER.sign(RIGHT, kid="brought", jwk=OTHER.public)) == "key"
    assert code_of(OTHER.sign(RIGHT, jku="https://evil.example/keys")) == "signature"
    assert code_of(RSA.sign(RIGHT, crit=["x"], x=1)) == "malformed"


def test_the_key_is_a_published_one_for_signing() -> None:
    token = RSA.sign(RIGHT)
    for published in (
        [],
        [{**RSA.public, "use": "enc"}],
        [{**RSA.public, "kid": "another"}],
        [{**RSA.public, "alg": "PS256"}],
        [{**RSA.public, "kty": "oct"}],
        [{"kty": "RSA", "kid": "rsa"}],
        [{"kty": "RSA", "kid": "rsa", "n": "AQAB", "e": "AQAB"}],
        [{"kty": "RSA", "kid": "rsa", "n": 5, "e": None}],
        [RSA.public, RSA.public],
    ):
        assert code_of(token, published=published) == "key", published
    unnamed = jwt.encode(RIGHT, RSA.private, algorithm="RS256")
    assert read(unnamed).subject == "u-1"
    assert code_of(unnamed, published=[RSA.public, OTHER.public]) == "key", "which of them is not said"


@pytest.mark.parametrize(("name", "until"), [("exp", 60), ("iat", -660)])
def test_time_counts_to_the_second_with_a_minute_for_clocks(name: str, until: int) -> None:
    tick = timedelta(microseconds=1)
    claims = {**RIGHT, "exp": NOW} if name == "exp" else {**RIGHT, "iat": NOW, "exp": NOW + 10_000}
    edge = AT + timedelta(seconds=abs(until))
    token = RSA.sign(claims)
    assert read(token, at=edge - tick).subject == "u-1"
    if name == "exp":
        assert code_of(token, at=edge) == "expired"
    assert code_of(token, at=edge + tick) == "expired"
    ahead = RSA.sign({**RIGHT, name: NOW + 60, "exp": NOW + 900} if name == "iat" else {**RIGHT, "nbf": NOW + 60})
    assert read(ahead).subject == "u-1"
    assert code_of(ahead, at=AT - tick) == "early"


odd = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=30), st.just(10**400),
    st.lists(st.text(max_size=8), max_size=3), st.dictionaries(st.text(max_size=5), st.integers(), max_size=2),
)  # fmt: skip


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(st.sampled_from([*sorted(RIGHT), "azp", "nbf", "amr", "acr"]), odd, max_size=4))
def test_whatever_is_claimed_it_is_read_rightly_or_refused(changed: dict[str, Any]) -> None:
    claims = {**RIGHT, **changed}
    body = f"{b64({'alg': 'ES256', 'kid': 'ec'})}.{b64(claims)}"
    token = f"{body}.{b64(ECAlgorithm(ECAlgorithm.SHA256).sign(body.encode(), EC.private))}"
    said = judged(token)
    if said is None:
        return
    assert (claims["iss"], claims["nonce"]) == (RIGHT["iss"], NONCE)
    assert claims["aud"] == "lianfang" or "lianfang" in claims["aud"]
    assert said.subject == claims["sub"] != ""
    vouched = isinstance(claims["email"], str) and claims["email_verified"] is True
    assert said.email == (claims["email"] if vouched else "")


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_a_token_with_any_byte_changed_counts_for_nothing(data: st.DataObject) -> None:
    token = RSA.sign(RIGHT)
    place = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.sampled_from("AZaz09-_.+/= \x00é"))
    changed = token[:place] + other + token[place + 1 :]
    # The last character of a part has bits that mean nothing.
    assert judged(changed) in (None, judged(token))


@settings(max_examples=40, deadline=None)
@given(st.one_of(st.text(max_size=80), st.binary(max_size=60).map(b64), st.just("." * 9000), st.just("a." * 9000)))
def test_what_is_no_token_is_refused(text: str) -> None:
    assert code_of(text) in ("malformed", "algorithm")
    assert code_of(f"{b64({'alg': 'RS256'})}.{text}.x") in REASONS


def test_an_announcement_is_of_the_issuer_that_was_set_up() -> None:
    right = {
        "issuer": CLIENT.issuer,
        "authorization_endpoint": "https://login.m1.example/a",
        "token_endpoint": "https://login.m1.example/t",
        "jwks_uri": "https://login.m1.example/k",
    }
    assert oidc.read_metadata(right, issuer=CLIENT.issuer).algorithms == {"RS256"}
    for changed, code in (
        ({"issuer": CLIENT.issuer + "/"}, "issuer"),
        ({"issuer": None}, "issuer"),
        ({"jwks_uri": "http://login.m1.example/k"}, "address"),
        ({"token_endpoint": "file:///etc/passwd"}, "address"),
        ({"authorization_endpoint": "javascript:alert(1)"}, "address"),
        ({"authorization_endpoint": "https://x.example/a\r\nSet-Cookie: a=b"}, "address"),
        ({"token_endpoint": 5}, "malformed"),
        ({"id_token_signing_alg_values_supported": ["none", "HS256"]}, "algorithm"),
        ({"id_token_signing_alg_values_supported": "RS256"}, "algorithm"),
    ):
        with pytest.raises(Rejected) as rejected:
            oidc.read_metadata({**right, **changed}, issuer=CLIENT.issuer)
        assert rejected.value.code == code, changed


# Where this server asks


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
     "255.255.255.255", "::1", "::", "fe80::1%eth0", "fc00::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1",
     "64:ff9b::a00:1", "2002:7f00:1::", "2001::1", "::127.0.0.1", "192.0.2.1", "198.18.0.1"],
)  # fmt: skip
def test_an_address_of_no_public_network_is_never_asked(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not fetching.is_public(address)

    def looked_up(*_: Any, **__: Any) -> list[Any]:
        return [(2, 1, 6, "", ("93.184.216.34", 443)), (2, 1, 6, "", (address, 443))]

    def connected(*_: Any, **__: Any) -> None:
        raise AssertionError("connected")

    monkeypatch.setattr(socket, "getaddrinfo", looked_up)
    monkeypatch.setattr(socket, "create_connection", connected)
    with pytest.raises(Rejected) as rejected:
        fetching.fetch("https://inside.example/")
    assert rejected.value.code == "address"
    assert fetching.is_public("93.184.216.34")
    assert fetching.is_public("2606:2800:220:1:248:1893:25c8:1946")


@pytest.mark.parametrize(
    "url",
    ["http://login.example.com/", "http://localhost/", "https://a:b@login.example.com/", "https://x.example/#f", "//x",
     "https://", "https://x.example:0/", "https://x.example:99999/", "https://x.example/ a", "https://例.example/",
     "https://[::1", "gopher://x.example/", "https://x.example/" + "a" * 2000],
)  # fmt: skip
def test_only_plain_https_addresses_are_asked(url: str) -> None:
    with pytest.raises(Rejected) as rejected:
        fetching.fetch(url)
    assert rejected.value.code == "address"


def test_loopback_is_for_the_demonstration_alone(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.LOOPBACK_PROVIDERS = True
    for url in ("http://127.0.0.1.evil.example/", "http://10.0.0.1/", "http://login.example.com/"):
        with pytest.raises(Rejected):
            fetching.usable(url)
    assert fetching.usable("http://localhost:1/").port == 1
    monkeypatch.setenv("LIANFANG_LOOPBACK_PROVIDERS", "yes")
    assert env.loopback_providers("LIANFANG_LOOPBACK_PROVIDERS", demo=True)
    with pytest.raises(SystemExit, match="demonstration"):
        env.loopback_providers("LIANFANG_LOOPBACK_PROVIDERS", demo=False)


@contextmanager
def listening(*, drip: bytes) -> Iterator[str]:
    """A server that answers with a byte now and then, for ever."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        ended = threading.Event()

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                while not ended.wait(0.05):
                    try:
                        connection.sendall(drip)
                    except OSError:
                        return

        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/"
        ended.set()


@pytest.mark.parametrize("drip", [b"H", b"HTTP/1.1 200 OK\r\nX: y\r\n", b"HTTP/1.1 200 OK\r\n\r\nx"])
def test_who_drips_is_cut_off(drip: bytes, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.LOOPBACK_PROVIDERS = True
    monkeypatch.setattr(fetching, "SECONDS", 0.4)
    with listening(drip=drip) as url:
        began = time.monotonic()
        with pytest.raises(Rejected) as rejected:
            fetching.fetch(url)
        assert rejected.value.code == "unreachable"
        assert time.monotonic() - began < 3
