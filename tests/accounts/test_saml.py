"""SAML: what an honest answer says, and every answer that must count for nothing, by the word of its refusal."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree
from onelogin.saml2.constants import OneLogin_Saml2_Constants as Names
from onelogin.saml2.utils import OneLogin_Saml2_Utils

from lianfang.accounts.federation import fetch, saml
from lianfang.accounts.federation.answers import REASONS, Asserted, Rejected
from tests.accounts.saml_idp import MAIL_FORMAT, OTHER, OURS, Request, SamlProvider, pair

US = saml.Us(
    entity_id="http://localhost:8000/sign-in/org/a/metadata", acs_url="http://localhost:8000/sign-in/org/a/answer"
)
REQUEST = Request("_request-1", US.entity_id, US.acs_url, "state")
IDP = SamlProvider()
IDP.entity_id, IDP.sso_url = "https://login.m1.example/idp", "https://login.m1.example/sso"
PEER = saml.Peer(entity_id=IDP.entity_id, sso_url=IDP.sso_url, certificates=(OURS.inner,))


def read(answer: str, *, at: datetime | None = None, peer: saml.Peer = PEER) -> Asserted:
    return saml.asserted(answer=answer, peer=peer, us=US, request_id=REQUEST.id, at=at or datetime.now(UTC))


def code_of(answer: str, **more: Any) -> str:
    with pytest.raises(Rejected) as rejected:
        read(answer, **more)
    assert rejected.value.reason.zh
    return rejected.value.code


def test_an_honest_answer_is_read() -> None:
    said = read(IDP.answer(REQUEST))
    assert (said.issuer, said.subject, said.email) == (IDP.entity_id, "u-1", "admin@m1.example")
    assert said.strength == {"urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"}
    named = read(IDP.answer(REQUEST, format=MAIL_FORMAT, subject="B@m1.example", emails=[]))
    assert (named.subject, named.email) == ("B@m1.example", "b@m1.example")
    assert read(IDP.answer(REQUEST, emails=["a@m1.example", "b@m1.example"])).email == "", "which of them is not said"
    both = saml.Peer(entity_id=IDP.entity_id, sso_url=IDP.sso_url, certificates=(OTHER.inner, OURS.inner))
    assert read(IDP.answer(REQUEST), peer=both).subject == "u-1", "two certificates while one replaces the other"
    assert (
        code_of(IDP.answer(REQUEST), peer=saml.Peer(**{**fields(PEER), "certificates": (OTHER.inner,)})) == "signature"
    )


def fields(peer: saml.Peer) -> dict[str, Any]:
    return {"entity_id": peer.entity_id, "sso_url": peer.sso_url, "certificates": peer.certificates}


@pytest.mark.parametrize(
    ("lie", "code"),
    [
        ({"issuer": "https://evil.example/idp"}, "issuer"),
        ({"audience": "https://another.example"}, "audience"),
        ({"audience": ""}, "audience"),
        ({"destination": "https://another.example/answer"}, "audience"),
        ({"recipient": US.acs_url + "/more"}, "nonce"),
        ({"recipient": "http://localhost:8000/sign-in/org/b/answer"}, "nonce"),
        ({"answers": "_another"}, "nonce"),
        ({"answers": ""}, "nonce"),
        ({"confirms": "_another"}, "nonce"),
        ({"confirms": ""}, "nonce"),
        ({"confirmation": "urn:oasis:names:tc:SAML:2.0:cm:sender-vouches"}, "nonce"),
        ({"status": "AuthnFailed"}, "denied"),
        ({"format": "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"}, "subject"),
        ({"subject": ""}, "subject"),
        ({"subject": "x" * 300}, "subject"),
        ({"signed": False}, "signature"),
        ({"method": Names.RSA_SHA1}, "algorithm"),
        ({"digest": Names.SHA1}, "algorithm"),
    ],
    ids=str,
)  # fmt: skip
def test_a_lie_is_refused_even_under_a_right_signature(lie: dict[str, Any], code: str) -> None:
    assert code_of(IDP.answer(REQUEST, **lie)) == code


def test_time_has_a_minute_for_clocks_and_no_more() -> None:
    at = datetime.now(UTC).replace(microsecond=0)
    tick, minute = timedelta(microseconds=1), timedelta(minutes=1)
    answer = IDP.answer(REQUEST, at=at, ends=at + timedelta(minutes=2))
    assert read(answer, at=at + 3 * minute - tick).subject == "u-1"
    assert code_of(answer, at=at + 3 * minute) == "expired"
    ahead = IDP.answer(REQUEST, at=at, made=at + minute, begins=at, ends=at + 5 * minute)
    assert read(ahead, at=at).subject == "u-1"
    assert code_of(ahead, at=at - tick) == "early"
    long_lived = IDP.answer(REQUEST, at=at, ends=at + timedelta(days=30))
    assert read(long_lived, at=at + 11 * minute - tick).subject == "u-1"
    assert code_of(long_lived, at=at + 11 * minute) == "expired", "made too long ago, whatever it allows itself"
    assert code_of(IDP.answer(REQUEST, at=at, made=at - timedelta(days=1), ends=at - timedelta(hours=1))) == "expired"


# Signature wrapping: what is signed is not what is read


def evil(xml: str) -> str:
    """The same assertion about somebody else, without its signature."""
    assertion = re.search(r"<saml:Assertion.*</saml:Assertion>", xml, re.S)
    assert assertion
    stripped = re.sub(r"<ds:Signature.*?</ds:Signature>", "", assertion[0], flags=re.S)
    return stripped.replace("u-1", "admin").replace('ID="_', 'ID="_evil', 1)


def signature_of(xml: str) -> str:
    found = re.search(r"<ds:Signature.*?</ds:Signature>", xml, re.S)
    assert found
    return found[0]


def with_evil(place: Callable[[str, str, str], str]) -> Callable[[str], str]:
    def twist(xml: str) -> str:
        signed = re.search(r"<saml:Assertion.*</saml:Assertion>", xml, re.S)
        assert signed
        return place(xml, signed[0], evil(xml))

    return twist


WRAPPED: dict[str, Callable[[str], str]] = {
    "evil first": with_evil(lambda xml, signed, other: xml.replace(signed, other + signed)),
    "evil last": with_evil(lambda xml, signed, other: xml.replace(signed, signed + other)),
    "signed within evil": with_evil(
        lambda xml, signed, other: xml.replace(
            signed, other.replace("</saml:Assertion>", f"<saml:Advice>{signed}</saml:Advice></saml:Assertion>")
        )
    ),
    "signed within extensions": with_evil(
        lambda xml, signed, other: xml.replace(signed, other).replace(
            "<samlp:Status>", f"<samlp:Extensions>{signed}</samlp:Extensions><samlp:Status>"
        )
    ),
    "signature moved to evil": with_evil(
        lambda xml, signed, other: xml.replace(
            signed,
            other.replace("<saml:Subject>", signature_of(signed) + "<saml:Subject>"),
        )
    ),
    "signed within the signature's object": with_evil(
        lambda xml, signed, other: xml.replace(
            signed,
            other.replace(
                "<saml:Subject>",
                signature_of(signed).replace(
                    "</ds:Signature>", f"<ds:Object>{signed}</ds:Object></ds:Signature>"
                )
                + "<saml:Subject>",
            ),
        )
    ),
    "same id twice": with_evil(
        lambda xml, signed, other: xml.replace(
            signed, re.sub(r'ID="[^"]+"', f'ID="{re.findall("ID=.([^ ]+).", signed)[0]}"', other, count=1) + signed
        )
    ),
    "two responses": lambda xml: f"<x>{xml}{xml}</x>",
    "reference to the whole": lambda xml: re.sub(r'URI="#[^"]+"', 'URI=""', xml),
    "no reference": lambda xml: re.sub(r"<ds:Reference.*?</ds:Reference>", "", xml, flags=re.S),
    "a second reference": lambda xml: re.sub(r"(<ds:Reference.*?</ds:Reference>)", r"\1\1", xml, flags=re.S),
}  # fmt: skip


@pytest.mark.parametrize("way", WRAPPED)
def test_what_is_read_is_what_was_signed(way: str) -> None:
    assert code_of(IDP.answer(REQUEST, twist=WRAPPED[way])) in ("signature", "malformed", "issuer"), way


TWISTS: dict[str, tuple[Callable[[str], str], str]] = {
    "comment in the name": (lambda xml: xml.replace("u-1", "u<!-- -->-1"), "malformed"),
    "instruction in the name": (lambda xml: xml.replace("u-1", "u<?x y?>-1"), "malformed"),
    "document type": (lambda xml: "<!DOCTYPE x []>" + xml, "malformed"),
    "entity bomb": (
        lambda xml: '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">'
        + "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 12))
        + "]>"
        + xml.replace("u-1", "&a11;"),
        "malformed",
    ),
    "file as an entity": (
        lambda xml: '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>' + xml.replace("u-1", "&a;"),
        "malformed",
    ),
    "undefined entity": (lambda xml: xml.replace("u-1", "&a;"), "malformed"),
    "section": (lambda xml: xml.replace("u-1", "<![CDATA[u-1]]>"), "malformed"),
    "another character set": (lambda xml: '<?xml version="1.0" encoding="UTF-16"?>' + xml, "malformed"),
    "stylesheet as a transform": (
        lambda xml: xml.replace(
            '<ds:Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/>',
            '<ds:Transform Algorithm="http://www.w3.org/TR/1999/REC-xslt-19991116"/>',
        ),
        "algorithm",
    ),
    "many transforms": (
        lambda xml: xml.replace(
            "<ds:Transforms>",
            "<ds:Transforms>" + '<ds:Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/>' * 50,
        ),
        "algorithm",
    ),
    "secret key as a method": (
        lambda xml: xml.replace(Names.RSA_SHA256, "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256"),
        "algorithm",
    ),
    "encrypted": (
        lambda xml: re.sub("(</?saml:)Assertion", r"\1EncryptedAssertion", xml),
        "encrypted",
    ),
    "another version": (lambda xml: xml.replace('Version="2.0"', 'Version="1.1"', 1), "malformed"),
    "another name": (lambda xml: xml.replace("u-1", "u-2"), "signature"),
    "another address": (lambda xml: xml.replace("admin@m1", "root@m1"), "signature"),
    "very deep": (lambda xml: "<a>" * 5000 + xml + "</a>" * 5000, "malformed"),
    "very long": (lambda xml: xml + " " * 400_000, "malformed"),
    "not XML": (lambda xml: xml[:-20], "malformed"),
    "nothing": (lambda xml: "", "malformed"),
}  # fmt: skip


@pytest.mark.parametrize("way", TWISTS)
def test_a_document_that_no_honest_provider_writes_is_refused(way: str) -> None:
    twist, code = TWISTS[way]
    assert code_of(IDP.answer(REQUEST, twist=twist)) == code, way


def test_a_key_that_comes_with_the_answer_is_not_believed() -> None:
    """Signed by another key, whose certificate lies within the signature."""
    liar = SamlProvider(OTHER)
    liar.entity_id, liar.sso_url = IDP.entity_id, IDP.sso_url
    assert code_of(liar.answer(REQUEST)) == "signature"
    unsigned = IDP.answer(REQUEST, signed=False)
    xml = base64.b64decode(unsigned).decode()
    whole = OneLogin_Saml2_Utils.add_sign(xml, OURS.key, OURS.certificate, False, Names.RSA_SHA256, Names.SHA256)
    assert code_of(base64.b64encode(whole if isinstance(whole, bytes) else whole.encode()).decode()) == "signature", (
        "the assertion itself is not signed"
    )
    for answer in ("", "%%%", "é", "A" * 300_000, base64.b64encode(b"\xff\xfe").decode()):
        assert code_of(answer) == "malformed"


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_an_answer_with_any_byte_changed_says_the_same_or_nothing(data: st.DataObject) -> None:
    xml = base64.b64decode(ANSWER)
    place = data.draw(st.integers(0, len(xml) - 1))
    changed = xml[:place] + bytes([data.draw(st.integers(1, 255))]) + xml[place + 1 :]
    assert judged(base64.b64encode(changed).decode()) in (None, judged(ANSWER))


ANSWER = IDP.answer(REQUEST)


def judged(answer: str) -> Asserted | None:
    try:
        return read(answer)
    except Rejected as rejected:
        if rejected.code in REASONS:
            return None
        raise


# Metadata, both ways


def test_metadata_are_read_and_ours_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    peer = saml.read_metadata(IDP.metadata(OTHER).encode())
    assert peer == saml.Peer(entity_id=IDP.entity_id, sso_url=IDP.sso_url, certificates=(OURS.inner, OTHER.inner))
    weak, xml = pair(1024), IDP.metadata()
    for wrong, code in (
        (xml.replace(OURS.inner, weak.inner), "metadata"),
        (xml.replace(OURS.inner, "AAAA"), "metadata"),
        (xml.replace("IDPSSODescriptor", "SPSSODescriptor"), "metadata"),
        (xml.replace("HTTP-Redirect", "HTTP-POST"), "metadata"),
        (xml.replace('entityID="' + IDP.entity_id, 'entityID="'), "metadata"),
        (xml.replace("https://login.m1.example/sso", "http://login.m1.example/sso"), "address"),
        (xml.replace("https://login.m1.example/sso", "javascript:alert(1)"), "address"),
        ("<!DOCTYPE x [<!ENTITY a 'b'>]>" + xml.partition("?>")[2], "malformed"),
        (xml[:100], "malformed"),
        ("", "malformed"),
        (f"<x>{xml.partition('?>')[2] * 2}</x>", "metadata"),
    ):
        with pytest.raises(Rejected) as rejected:
            saml.read_metadata(wrong.encode())
        assert rejected.value.code == code, wrong[:300]
    told = etree.fromstring(saml.our_metadata(US))
    assert told.get("entityID") == US.entity_id
    assert told.xpath("//@Location") == [US.acs_url]
    assert told.xpath("//@WantAssertionsSigned") == ["true"]
    monkeypatch.setattr(fetch, "usable", lambda url: url)
    at = datetime.now(UTC)
    strange = saml.Peer(entity_id="x", sso_url="https://x.example/?a=%22%3C&b='1", certificates=(OURS.inner,))
    asked = Request.of(saml.address(peer=strange, us=US, request_id="_1", state="s&t=u", at=at))
    assert (asked.id, asked.issuer, asked.acs, asked.state) == ("_1", US.entity_id, US.acs_url, "s&t=u")
