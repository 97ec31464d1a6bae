"""An identity provider of our own on loopback: OpenID Connect over real HTTP, with keys that rotate and lies on demand.

    with Provider() as idp:
        idp.person = {"sub": "u-1", "email": "admin@m1.example", "email_verified": True}
        idp.lie = {"nonce": "another"}            # claims to be changed; None removes one
        idp.sign = lambda header, claims: "..."   # a token of one's own making
        idp.broken = "redirect"                   # an answer that is none

`/authorize` shows a page with one button, as a browser finds it, and answers a program's `?auto=1` with the redirect.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import secrets
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

CLIENT_ID, SECRET = "lianfang-client", "a secret: of the client/%"
Claims = dict[str, Any]
_RSA = [rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in range(2)]


class Key:
    """A signing key with its name."""

    def __init__(self, kid: str, private: Any, algorithm: str) -> None:
        self.kid, self.private, self.algorithm = kid, private, algorithm

    @property
    def public(self) -> Claims:
        """The published half."""
        kind: Any = RSAAlgorithm if self.algorithm.startswith(("RS", "PS")) else ECAlgorithm
        jwk: Claims = kind.to_jwk(self.private.public_key(), as_dict=True)
        return {**jwk, "kid": self.kid, "use": "sig", "alg": self.algorithm}

    def sign(self, claims: Claims, **header: Any) -> str:
        """A token of this key."""
        return jwt.encode(claims, self.private, algorithm=self.algorithm, headers={"kid": self.kid, **header})


def rsa_key(number: int = 0, kid: str = "rsa") -> Key:
    """One of two keys, made once a process: making one takes long."""
    return Key(kid, _RSA[number], "RS256")


def ec_key(kid: str = "ec") -> Key:
    """A new key on a curve."""
    return Key(kid, ec.generate_private_key(ec.SECP256R1()), "ES256")


class Provider:
    """The server; use it as a context."""

    def __init__(self) -> None:
        self.keys = [rsa_key()]
        self.person: Claims = {}
        self.lie: Claims = {}
        self.sign: Callable[[Claims], str] | None = None
        self.broken = ""
        self.metadata: Claims = {}
        self.asked: list[str] = []
        self.seen: list[Claims] = []
        self.codes: dict[str, Claims] = {}

    def __enter__(self) -> Self:
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                provider._get(self)

            def do_POST(self) -> None:
                provider._post(self)

            def log_message(self, *_: Any) -> None:
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.issuer = f"http://localhost:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()

    def rotate(self, key: Key) -> None:
        """Sign with another key from now on, and publish that one alone."""
        self.keys = [key]

    def announced(self) -> Claims:
        """What it says about itself."""
        return {
            "issuer": self.issuer,
            "authorization_endpoint": self.issuer + "/authorize",
            "token_endpoint": self.issuer + "/token",
            "jwks_uri": self.issuer + "/keys",
            "id_token_signing_alg_values_supported": ["RS256", "ES256"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic"],
            **self.metadata,
        }

    def authorize(self, address: str) -> str:
        """What a browser gets back that agrees: the address of the redirect."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        self.seen.append(asked)
        code = secrets.token_urlsafe(16)
        self.codes[code] = asked
        return asked["redirect_uri"] + "?" + urlencode({"code": code, "state": asked["state"], "iss": self.issuer})

    def token(self, asked: Claims) -> str:
        """An ID token for what was asked."""
        now = int(time.time())
        claims = {
            "iss": self.issuer, "aud": asked["client_id"], "exp": now + 300, "iat": now, "nonce": asked["nonce"],
            **self.person, **self.lie,
        }  # fmt: skip
        claims = {name: value for name, value in claims.items() if value is not None}
        return self.sign(claims) if self.sign else self.keys[0].sign(claims)

    def _get(self, handler: BaseHTTPRequestHandler) -> None:
        parts = urlsplit(handler.path)
        self.asked.append(parts.path)
        if self.broken and parts.path != "/authorize":
            return self._break(handler)
        if parts.path == "/.well-known/openid-configuration":
            return _answer(handler, self.announced())
        if parts.path == "/keys":
            return _answer(handler, {"keys": [key.public for key in self.keys]})
        if parts.path == "/authorize":
            back = self.authorize(handler.path)
            page = f"<!doctype html><title>IdP</title><h1>IdP</h1><a id=go href='{html.escape(back)}'>Sign in</a>"
            return _send(handler, 200, page.encode(), "text/html; charset=utf-8")
        return _send(handler, 404, b"{}")

    def _post(self, handler: BaseHTTPRequestHandler) -> None:
        self.asked.append(handler.path)
        form = {
            name: values[0]
            for name, values in parse_qs(
                handler.rfile.read(int(handler.headers.get("Content-Length", 0))).decode()
            ).items()
        }
        if self.broken:
            return self._break(handler)
        asked = self.codes.pop(form.get("code", ""), None)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
        right = asked is not None and challenge.rstrip(b"=").decode() == asked["code_challenge"]
        if not right or not self._knows(handler, form) or form.get("redirect_uri") != (asked or {}).get("redirect_uri"):
            return _send(handler, 400, b'{"error": "invalid_grant"}')
        assert asked is not None
        return _answer(handler, {"id_token": self.token(asked), "access_token": "x", "token_type": "Bearer"})

    def _knows(self, handler: BaseHTTPRequestHandler, form: Claims) -> bool:
        if form.get("client_secret"):
            return (form.get("client_id"), form["client_secret"]) == (CLIENT_ID, SECRET)
        given = base64.b64decode(handler.headers.get("Authorization", "Basic ")[6:]).decode()
        named, _, secret = given.partition(":")
        from urllib.parse import unquote

        return (unquote(named), unquote(secret)) == (CLIENT_ID, SECRET)

    def _break(self, handler: BaseHTTPRequestHandler) -> None:
        if self.broken == "redirect":
            handler.send_response(302)
            handler.send_header("Location", "http://169.254.169.254/latest/meta-data/")
            handler.send_header("Content-Length", "0")
            handler.end_headers()
        elif self.broken == "large":
            _send(handler, 200, b'{"x": "' + b"x" * 400_000 + b'"}')
        elif self.broken == "text":
            _send(handler, 200, b"<html>not json", "text/html")
        elif self.broken == "deep":
            _send(handler, 200, b"[" * 100_000)
        else:
            _send(handler, 500, b"{}")


def _answer(handler: BaseHTTPRequestHandler, content: Claims) -> None:
    _send(handler, 200, json.dumps(content).encode())


def _send(handler: BaseHTTPRequestHandler, status: int, body: bytes, kind: str = "application/json") -> None:
    handler.send_response(status)
    handler.send_header("Content-Type", kind)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    try:
        handler.wfile.write(body)
    except OSError:
        return
