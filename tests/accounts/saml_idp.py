"""A SAML 2.0 identity provider of our own: real signatures, on loopback over HTTP, and every lie that a test wants.

    with SamlProvider() as idp:
        idp.email = "admin@m1.example"
        answer = idp.answer(request)                        # base64, as a browser posts it
        answer = idp.answer(request, audience="another")    # a lie under a right signature
        answer = idp.answer(request, twist=lambda xml: …)   # the document changed after it was signed

`/sso` shows a page with one button that posts the answer, as a browser finds it.
"""

from __future__ import annotations

import base64
import html
import secrets
import threading
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from lxml import etree
from onelogin.saml2.constants import OneLogin_Saml2_Constants as Names
from onelogin.saml2.utils import OneLogin_Saml2_Utils

MAIL_FORMAT = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"
PERSISTENT = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"
PASSWORD = "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"


@dataclass
class Pair:
    """A key and its certificate, both PEM."""

    key: str
    certificate: str

    @property
    def inner(self) -> str:
        """The certificate's base64 alone."""
        return "".join(self.certificate.strip().splitlines()[1:-1])


def pair(bits: int = 2048) -> Pair:
    """A new key with a certificate that it signed itself."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=bits)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "idp.example")])
    now = datetime.now(UTC)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(x509.random_serial_number()).not_valid_before(now - timedelta(days=1))
    signed = made.not_valid_after(now + timedelta(days=30)).sign(key, hashes.SHA256())
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return Pair(pem, signed.public_bytes(Encoding.PEM).decode())


OURS, OTHER = pair(), pair()


@dataclass
class Request:
    """What a browser brought: who asks, where the answer goes, and what it must name."""

    id: str
    issuer: str
    acs: str
    state: str

    @classmethod
    def of(cls, address: str) -> Self:
        """Read the address that a browser was sent to."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        root = etree.fromstring(zlib.decompress(base64.b64decode(asked["SAMLRequest"]), -15))
        issuer = root.findtext("{urn:oasis:names:tc:SAML:2.0:assertion}Issuer")
        return cls(root.get("ID"), issuer, root.get("AssertionConsumerServiceURL"), asked["RelayState"])


def instant(at: datetime) -> str:
    """As SAML writes it."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class SamlProvider:
    """The server; use it as a context."""

    def __init__(self, pair: Pair = OURS) -> None:
        self.pair = pair
        self.subject, self.format, self.email = "u-1", PERSISTENT, "admin@m1.example"
        self.context = PASSWORD

    def __enter__(self) -> Self:
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                request = Request.of(self.path)
                page = (
                    "<!doctype html><title>IdP</title><h1>IdP</h1>"
                    f"<form method=post action='{html.escape(request.acs)}'>"
                    f"<input type=hidden name=SAMLResponse value='{provider.answer(request)}'>"
                    f"<input type=hidden name=RelayState value='{html.escape(request.state)}'>"
                    "<button>Sign in</button></form>"
                ).encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.send_header("Content-Length", str(len(page)))
                self.end_headers()
                self.wfile.write(page)

            def log_message(self, *_: Any) -> None:
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        # Not `localhost`: to a browser this is another site, whose form brings no cookie of ours.
        self.entity_id = f"http://127.0.0.1:{self.server.server_port}/idp"
        self.sso_url = f"http://127.0.0.1:{self.server.server_port}/sso"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()

    def metadata(self, *more: Pair) -> str:
        """What it says about itself."""
        keys = "".join(
            f'<md:KeyDescriptor use="signing"><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data>'
            f"<ds:X509Certificate>{one.inner}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>"
            for one in (self.pair, *more)
        )
        return (
            f'<?xml version="1.0"?><md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" '
            f'entityID="{self.entity_id}"><md:IDPSSODescriptor '
            f'protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">{keys}<md:SingleSignOnService '
            f'Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="{self.sso_url}"/>'
            f"</md:IDPSSODescriptor></md:EntityDescriptor>"
        )

    def answer(
        self,
        request: Request,
        *,
        at: datetime | None = None,
        signed: bool = True,
        method: str = Names.RSA_SHA256,
        digest: str = Names.SHA256,
        twist: Callable[[str], str] = lambda xml: xml,
        **lies: Any,
    ) -> str:
        """An answer to what was asked, with lies, signed; then twisted."""
        assertion = self.assertion(request, at=at or datetime.now(UTC), **lies)
        if signed:
            made = OneLogin_Saml2_Utils.add_sign(assertion, self.pair.key, self.pair.certificate, False, method, digest)
            assertion = made.decode() if isinstance(made, bytes) else made
        xml = self.around(request, assertion, at=at or datetime.now(UTC), **lies)
        return base64.b64encode(twist(xml).encode()).decode()

    def around(self, request: Request, assertion: str, *, at: datetime, **lies: Any) -> str:
        """The response about an assertion."""
        answers = lies.get("answers", request.id)
        status = lies.get("status", "Success")
        return (
            '<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" '
            'xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" '
            f'ID="_{secrets.token_hex(12)}" Version="2.0" IssueInstant="{instant(at)}" '
            f'Destination="{lies.get("destination", request.acs)}"'
            + (f' InResponseTo="{answers}"' if answers else "")
            + f"><saml:Issuer>{lies.get('issuer', self.entity_id)}</saml:Issuer><samlp:Status><samlp:StatusCode "
            f'Value="urn:oasis:names:tc:SAML:2.0:status:{status}"/></samlp:Status>{assertion}</samlp:Response>'
        )

    def assertion(self, request: Request, *, at: datetime, **lies: Any) -> str:
        """The assertion alone, unsigned."""
        made = lies.get("made", at)
        ends, begins = lies.get("ends", made + timedelta(minutes=5)), lies.get("begins", made - timedelta(seconds=5))
        audience = lies.get("audience", request.issuer)
        restricted = (
            f"<saml:AudienceRestriction><saml:Audience>{audience}</saml:Audience></saml:AudienceRestriction>"
            if audience
            else ""
        )
        answers = lies.get("confirms", lies.get("answers", request.id))
        mail = "".join(
            f'<saml:AttributeValue xmlns:xs="http://www.w3.org/2001/XMLSchema">{one}</saml:AttributeValue>'
            for one in lies.get("emails", [self.email])
        )
        attributes = (
            f'<saml:AttributeStatement><saml:Attribute Name="email">{mail}</saml:Attribute></saml:AttributeStatement>'
            if mail
            else ""
        )
        return (
            '<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" '
            f'ID="_{secrets.token_hex(12)}" Version="2.0" IssueInstant="{instant(made)}">'
            f"<saml:Issuer>{lies.get('issuer', self.entity_id)}</saml:Issuer><saml:Subject>"
            f'<saml:NameID Format="{lies.get("format", self.format)}">{lies.get("subject", self.subject)}</saml:NameID>'
            f'<saml:SubjectConfirmation Method="{lies.get("confirmation", "urn:oasis:names:tc:SAML:2.0:cm:bearer")}">'
            "<saml:SubjectConfirmationData "
            + (f'InResponseTo="{answers}" ' if answers else "")
            + f'Recipient="{lies.get("recipient", request.acs)}" NotOnOrAfter="{instant(ends)}"/>'
            f'</saml:SubjectConfirmation></saml:Subject><saml:Conditions NotBefore="{instant(begins)}" '
            f'NotOnOrAfter="{instant(ends)}">{restricted}</saml:Conditions>'
            f'<saml:AuthnStatement AuthnInstant="{instant(made)}"><saml:AuthnContext><saml:AuthnContextClassRef>'
            f"{lies.get('context', self.context)}</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement>"
            f"{attributes}</saml:Assertion>"
        )
