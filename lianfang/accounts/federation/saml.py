"""SAML 2.0, web browser profile: a request by redirect, an answer by form, and what its signed assertion says.

python3-saml and xmlsec check the signature and the profile. Around them stands what they leave open: no document type,
no entity, no comment, no instruction; one assertion, signed itself, by one reference to its own id, with methods of a
short list; an audience, a recipient and a request that must be named and be ours; and time by the instant given.
"""

from __future__ import annotations

import base64
import binascii
import codecs
import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from lxml import etree
from onelogin.saml2.errors import OneLogin_Saml2_Error, OneLogin_Saml2_ValidationError
from onelogin.saml2.response import OneLogin_Saml2_Response
from onelogin.saml2.settings import OneLogin_Saml2_Settings
from onelogin.saml2.xml_utils import OneLogin_Saml2_XML

from lianfang.accounts.federation.answers import Asserted, Rejected
from lianfang.accounts.federation.fetch import usable

LARGEST: Final = 200_000
LEEWAY: Final = timedelta(seconds=60)
FRESH: Final = timedelta(minutes=10)
_REDIRECT: Final = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
_POST: Final = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"
_BEARER: Final = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
_MAIL_FORMAT: Final = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"
_TRANSIENT: Final = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"
_NS: Final = {
    "saml": "urn:oasis:names:tc:SAML:2.0:assertion",
    "samlp": "urn:oasis:names:tc:SAML:2.0:protocol",
    "md": "urn:oasis:names:tc:SAML:2.0:metadata",
    "ds": "http://www.w3.org/2000/09/xmldsig#",
}
_MAIL: Final = (
    "email", "mail", "emailaddress", "urn:oid:0.9.2342.19200300.100.1.3",
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress",
)  # fmt: skip
_METHODS: Final = "http://schemas.microsoft.com/claims/authnmethodsreferences"
_MORE: Final = "http://www.w3.org/2001/04/xmldsig-more#"
_ENC: Final = "http://www.w3.org/2001/04/xmlenc#"
_EXCLUSIVE: Final = "http://www.w3.org/2001/10/xml-exc-c14n#"
_ALLOWED: Final = {
    "SignatureMethod": {f"{_MORE}{kind}-sha{size}" for kind in ("rsa", "ecdsa") for size in (256, 384, 512)},
    "DigestMethod": {f"{_ENC}sha256", f"{_MORE}sha384", f"{_ENC}sha512"},
    "CanonicalizationMethod": {_EXCLUSIVE, "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"},
    "Transform": {_EXCLUSIVE, "http://www.w3.org/2000/09/xmldsig#enveloped-signature"},
}
_CODES: Final = {
    OneLogin_Saml2_ValidationError.INVALID_SIGNATURE: "signature",
    OneLogin_Saml2_ValidationError.NO_SIGNATURE_FOUND: "signature",
    OneLogin_Saml2_ValidationError.NO_SIGNED_ASSERTION: "signature",
    OneLogin_Saml2_ValidationError.NO_SIGNED_MESSAGE: "signature",
    OneLogin_Saml2_ValidationError.WRONG_ISSUER: "issuer",
    OneLogin_Saml2_ValidationError.WRONG_AUDIENCE: "audience",
    OneLogin_Saml2_ValidationError.WRONG_DESTINATION: "audience",
    OneLogin_Saml2_ValidationError.WRONG_INRESPONSETO: "nonce",
    OneLogin_Saml2_ValidationError.WRONG_SUBJECTCONFIRMATION: "nonce",
    OneLogin_Saml2_ValidationError.ASSERTION_EXPIRED: "expired",
    OneLogin_Saml2_ValidationError.SESSION_EXPIRED: "expired",
    OneLogin_Saml2_ValidationError.ASSERTION_TOO_EARLY: "early",
    OneLogin_Saml2_ValidationError.STATUS_CODE_IS_NOT_SUCCESS: "denied",
    OneLogin_Saml2_ValidationError.NO_NAMEID: "subject",
    OneLogin_Saml2_ValidationError.EMPTY_NAMEID: "subject",
}
_DECLARATION: Final = re.compile(rb"\A\s*<\?xml[^<>?]*\?>")
_INSTANT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """A provider: its entity id, where the browser goes, and the certificates (base64) that its answers verify by."""

    entity_id: str
    sso_url: str
    certificates: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Us:
    """We, as the provider knows us: our entity id, and where answers are posted."""

    entity_id: str
    acs_url: str


def read_metadata(content: bytes) -> Peer:
    """Read a provider's metadata. Raises Rejected unless it describes one provider that we could speak to."""
    root = _tree(content)
    found = root.xpath("//md:EntityDescriptor[md:IDPSSODescriptor]", namespaces=_NS)
    if len(found) != 1:
        raise Rejected("metadata")
    entity = found[0]
    entity_id = entity.get("entityID") or ""
    urls = entity.xpath(f"md:IDPSSODescriptor/md:SingleSignOnService[@Binding='{_REDIRECT}']/@Location", namespaces=_NS)
    keys = entity.xpath(
        "md:IDPSSODescriptor/md:KeyDescriptor[not(@use) or @use='signing']//ds:X509Certificate/text()", namespaces=_NS
    )
    certificates = tuple(dict.fromkeys(_certificate("".join(str(one).split())) for one in keys))
    if not 0 < len(entity_id) <= 500 or not urls or not 0 < len(certificates) <= 10:
        raise Rejected("metadata")
    usable(str(urls[0]))
    return Peer(entity_id=entity_id, sso_url=str(urls[0]), certificates=certificates)


def _certificate(text: str) -> str:
    """A certificate with a key that is strong enough; whether it has expired is not looked at, as few renew theirs."""
    try:
        key = x509.load_der_x509_certificate(base64.b64decode(text, validate=True)).public_key()
    except (ValueError, TypeError, binascii.Error):
        raise Rejected("metadata") from None
    if isinstance(key, ec.EllipticCurvePublicKey) or (isinstance(key, rsa.RSAPublicKey) and key.key_size >= 2048):
        return text
    raise Rejected("metadata")


def address(*, peer: Peer, us: Us, request_id: str, state: str, at: datetime) -> str:
    """Return where the browser is sent; the answer must name `request_id`."""
    request = etree.Element(
        etree.QName(_NS["samlp"], "AuthnRequest"),
        {
            "ID": request_id,
            "Version": "2.0",
            "IssueInstant": at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "Destination": peer.sso_url,
            "ProtocolBinding": _POST,
            "AssertionConsumerServiceURL": us.acs_url,
        },
        nsmap={"samlp": _NS["samlp"], "saml": _NS["saml"]},
    )
    etree.SubElement(request, etree.QName(_NS["saml"], "Issuer")).text = us.entity_id
    # Raw deflate, as the binding asks: without zlib's own two bytes before and four behind.
    packed = zlib.compress(etree.tostring(request))[2:-4]
    asked = urlencode({"SAMLRequest": base64.b64encode(packed).decode(), "RelayState": state})
    return peer.sso_url + ("&" if "?" in peer.sso_url else "?") + asked


def our_metadata(us: Us) -> bytes:
    """Return what a provider wants to know of us."""
    root = etree.Element(
        etree.QName(_NS["md"], "EntityDescriptor"), {"entityID": us.entity_id}, nsmap={"md": _NS["md"]}
    )
    role = etree.SubElement(
        root,
        etree.QName(_NS["md"], "SPSSODescriptor"),
        {
            "AuthnRequestsSigned": "false",
            "WantAssertionsSigned": "true",
            "protocolSupportEnumeration": _NS["samlp"],
        },
    )
    etree.SubElement(
        role,
        etree.QName(_NS["md"], "AssertionConsumerService"),
        {"Binding": _POST, "Location": us.acs_url, "index": "0", "isDefault": "true"},
    )
    written: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8")
    return written


def asserted(*, answer: str, peer: Peer, us: Us, request_id: str, at: datetime) -> Asserted:
    """Return what an answer says. Raises Rejected."""
    if len(answer) > LARGEST:
        raise Rejected("malformed")
    try:
        content = base64.b64decode("".join(answer.split()), validate=True)
    except (ValueError, binascii.Error):
        raise Rejected("malformed") from None
    _look_over(_tree(content))
    response = _verified(base64.b64encode(content).decode(), peer, us, request_id)
    # From here on only what the signature covers is read, which the library finds by the reference's own id.
    assertion = response._query_assertion("")[0]
    if response.get_in_response_to() != request_id:
        raise Rejected("nonce")
    if us.entity_id not in response.get_audiences():
        raise Rejected("audience")
    _confirmed(assertion, us, request_id, at)
    _timely(assertion, at)
    return _said(response, assertion, peer)


def _tree(content: bytes) -> Any:
    """The document, if it is plain: UTF-8, no document type, entities, comments or instructions. Raises Rejected."""
    body = _DECLARATION.sub(b"", content.removeprefix(codecs.BOM_UTF8), count=1)
    # In text a "<" is always written otherwise: these begin nothing else, wherever they stand.
    if len(content) > LARGEST or b"\x00" in body or b"<!" in body or b"<?" in body:
        raise Rejected("malformed")
    try:
        body.decode("utf-8")
        return OneLogin_Saml2_XML.to_etree(body)
    except (ValueError, etree.LxmlError):
        raise Rejected("malformed") from None


def _look_over(root: Any) -> None:
    """Refuse, before anything is computed, what no honest answer has: other methods, or references elsewhere."""
    if root.tag != f"{{{_NS['samlp']}}}Response":
        raise Rejected("malformed")
    if root.xpath("//*[local-name()='EncryptedAssertion' or local-name()='EncryptedID']"):
        raise Rejected("encrypted")
    ids = root.xpath("//@ID | //@Id | //@id")
    if len(set(ids)) != len(ids):
        raise Rejected("malformed")
    for name, allowed in _ALLOWED.items():
        if any(method not in allowed for method in root.xpath(f"//ds:{name}/@Algorithm", namespaces=_NS)):
            raise Rejected("algorithm")
    for signature in root.xpath("//ds:Signature", namespaces=_NS):
        references = signature.xpath(".//ds:Reference/@URI", namespaces=_NS)
        if references != ["#" + (signature.getparent().get("ID") or "")] or len(references[0]) < 2:
            raise Rejected("signature")
        if len(signature.xpath(".//ds:Reference", namespaces=_NS)) != 1:
            raise Rejected("signature")
        if len(signature.xpath(".//ds:Transform", namespaces=_NS)) > 2:
            raise Rejected("algorithm")


def _verified(answer: str, peer: Peer, us: Us, request_id: str) -> OneLogin_Saml2_Response:
    secure, host, path = _parts(us.acs_url)
    asked: dict[str, Any] = {"https": "on" if secure else "off", "http_host": host, "script_name": path, "get_data": {}}
    try:
        response = OneLogin_Saml2_Response(_settings(peer, us), answer)
        response.is_valid(asked, request_id=request_id, raise_exceptions=True)
    except OneLogin_Saml2_ValidationError as refused:
        raise Rejected(_CODES.get(refused.code, "malformed")) from None
    except (OneLogin_Saml2_Error, etree.LxmlError, ValueError, TypeError, AttributeError, KeyError, IndexError):
        raise Rejected("malformed") from None
    return response


def _parts(url: str) -> tuple[bool, str, str]:
    scheme, _, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    return scheme == "https", host, slash + path


def _settings(peer: Peer, us: Us) -> OneLogin_Saml2_Settings:
    return OneLogin_Saml2_Settings(
        {
            "strict": True,
            "debug": False,
            "sp": {
                "entityId": us.entity_id,
                "assertionConsumerService": {"url": us.acs_url, "binding": _POST},
                "NameIDFormat": "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified",
            },
            "idp": {
                "entityId": peer.entity_id,
                "singleSignOnService": {"url": peer.sso_url, "binding": _REDIRECT},
                "x509certMulti": {"signing": list(peer.certificates)},
            },
            "security": {
                "wantAssertionsSigned": True,
                "wantAttributeStatement": False,
                "rejectDeprecatedAlgorithm": True,
                "requestedAuthnContext": False,
                "allowSingleLabelDomains": True,
            },
        }
    )


def _confirmed(assertion: Any, us: Us, request_id: str, at: datetime) -> None:
    """Of the confirmations by bearer one must name us, this request, and a time that is not over."""
    late = False
    for one in assertion.xpath("saml:Subject/saml:SubjectConfirmation", namespaces=_NS):
        data = one.find("saml:SubjectConfirmationData", namespaces=_NS)
        if one.get("Method") != _BEARER or data is None:
            continue
        if data.get("Recipient") != us.acs_url or data.get("InResponseTo") != request_id:
            continue
        if at < _instant(data.get("NotOnOrAfter")) + LEEWAY:
            return
        late = True
    raise Rejected("expired" if late else "nonce")


def _timely(assertion: Any, at: datetime) -> None:
    made = _instant(assertion.get("IssueInstant"))
    begins = [made, *map(_instant, assertion.xpath("saml:Conditions/@NotBefore", namespaces=_NS))]
    ends = [
        made + FRESH,
        *map(_instant, assertion.xpath("saml:Conditions/@NotOnOrAfter", namespaces=_NS)),
        *map(_instant, assertion.xpath("saml:AuthnStatement/@SessionNotOnOrAfter", namespaces=_NS)),
    ]
    if at >= min(ends) + LEEWAY:
        raise Rejected("expired")
    if at < max(begins) - LEEWAY:
        raise Rejected("early")


def _instant(written: str | None) -> datetime:
    if written is None or not _INSTANT.fullmatch(written):
        raise Rejected("malformed")
    try:
        return datetime.strptime(written[:19], "%Y-%m-%dT%H:%M:%S").replace(tzinfo=UTC)
    except ValueError:
        raise Rejected("malformed") from None


def _said(response: OneLogin_Saml2_Response, assertion: Any, peer: Peer) -> Asserted:
    try:
        named = response.get_nameid_data()
        attributes: dict[str, list[Any]] = response.get_attributes()
        contexts = _texts(response.get_authn_contexts())
    except OneLogin_Saml2_ValidationError as refused:
        raise Rejected(_CODES.get(refused.code, "malformed")) from None
    subject, format_ = str(named.get("Value") or ""), named.get("Format", "")
    # A transient name is another one each time: nobody can be known by it.
    if not 0 < len(subject) <= 255 or format_ == _TRANSIENT:
        raise Rejected("subject")
    return Asserted(
        issuer=peer.entity_id,
        subject=subject,
        email=_email(attributes, subject if format_ == _MAIL_FORMAT else ""),
        strength=frozenset(one[:200] for one in [*contexts, *_texts(attributes.get(_METHODS, []))]),
        id=f"assertion:{peer.entity_id}:{assertion.get('ID')}",
    )


def _email(attributes: dict[str, list[Any]], named: str) -> str:
    """The one address that is told. The provider is the organisation's own: what it asserts, it vouches for."""
    told = {str(value).lower() for name, values in attributes.items() if name.lower() in _MAIL for value in values}
    found = told or ({named.lower()} if named else set())
    return found.pop() if len(found) == 1 else ""


def _texts(values: Sequence[Any]) -> list[str]:
    return [one for one in values if isinstance(one, str)]
