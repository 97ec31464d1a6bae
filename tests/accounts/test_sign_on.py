"""Signing in by an organisation's own provider, over real HTTP: who gets in, for what, and what is refused and kept."""

from __future__ import annotations

import copy
import html
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.core.cache import cache
from django.test import Client

from lianfang.accounts import actions, queries
from lianfang.accounts.models import Account, Affiliation, DutyGrant, IdentityProvider, Organization, ProviderLink
from lianfang.kernel.clock import taipei, utcnow
from lianfang.kernel.refusal import Refusal
from lianfang.policy.facts import Role
from tests import world
from tests.accounts.idp import CLIENT_ID, SECRET, Provider, ec_key, rsa_key
from tests.accounts.saml_idp import Request, SamlProvider
from tests.members.cases import Ledger, mails


@pytest.fixture
def made(whole: world.World, db: None, settings: Any) -> world.World:
    settings.LOOPBACK_PROVIDERS = True
    cache.clear()
    return copy.deepcopy(whole)


@pytest.fixture
def idp() -> Iterator[Provider]:
    with Provider() as found:
        yield found


def set_up(made: world.World, idp: Provider, *, only: bool = False, on: bool = True, **more: Any) -> IdentityProvider:
    """甲's provider, set up, tried and switched on by its administrator."""
    by = made.jia.admin.subject()
    given = actions.Connection(
        protocol="oidc", issuer=idp.issuer, client_id=CLIENT_ID, client_secret=SECRET, factor_values=("mfa",), **more
    )
    found = actions.set_up_provider(given=given, by=by, at=made.clock.tick())
    named = [made.jia.admin.affiliation.pk, made.jia.deputy.affiliation.pk]
    actions.name_emergency(affiliations=named, only=only, by=by, at=made.clock.tick())
    if on:
        actions.record_trial(provider=found, set_at=found.set_at, by=by, at=made.clock.tick())
        actions.turn_provider_on(by=by, at=made.clock.tick())
    found.refresh_from_db()
    return found


def who(actor: world.Actor, **more: Any) -> dict[str, Any]:
    return {"sub": f"sub-of-{actor.person.pk}", "email": actor.person.email, "email_verified": True, **more}


def sent(out: Any) -> str:
    """Where a page leads: to the provider, by a link and at once."""
    assert out.status_code == 200, out.content.decode()
    where = str(out.headers["Refresh"]).removeprefix("0; url=")
    assert f'href="{html.escape(where)}"' in out.content.decode()
    return where


def come_back(client: Client, idp: Provider, provider: IdentityProvider) -> Any:
    """Press the button, agree at the provider, and follow its redirect."""
    out = client.post(f"/sign-in/org/{provider.address}")
    back = idp.authorize(sent(out))
    return client.get(back.removeprefix("http://localhost:8000"))


def enter(client: Client, idp: Provider, provider: IdentityProvider, actor: world.Actor) -> Any:
    """The whole first sign-in, with the second factor that is kept here."""
    idp.person = who(actor)
    back = come_back(client, idp, provider)
    assert back.status_code == 302, back.content.decode()
    if back.headers["Location"].endswith("/confirm"):
        back = client.post(back.headers["Location"])
    if back.headers["Location"].startswith("/account/2fa/authenticate"):
        back = client.post("/account/2fa/authenticate/", {"code": actor.code()})
    return back


def browser() -> Client:
    return Client(HTTP_HOST="localhost:8000")


def refused(answer: Any) -> str:
    """The word under which a page says that an answer was refused."""
    assert answer.status_code in (403, 503), answer.status_code
    text = answer.content.decode()
    assert 'href="/account/login/"' in text or "/member" in text, "the way in here is offered"
    found = re.search(r'class="rid">([a-z_]+)<', text)
    assert found, text
    return found[1]


def standing() -> list[Any]:
    """What no provider may ever change."""
    return [
        list(Organization.objects.order_by("pk").values_list("pk", "name_zh")),
        list(Affiliation.objects.order_by("pk").values_list("pk", "organization", "group", "role", "left_at")),
        list(DutyGrant.objects.order_by("pk").values_list("pk", "state")),
    ]


def test_the_first_time_is_confirmed_and_the_second_factor_stays_ours(made: world.World, idp: Provider) -> None:
    provider, client, before = set_up(made, idp), browser(), standing()
    page = client.get(f"/sign-in/org/{provider.address}")
    assert made.jia.organization.name_zh in page.content.decode()
    assert idp.asked == [], "looking at the page asks nobody"
    idp.person = who(made.jia.contact, organization="乙", roles=["member_admin"], duties=["approver"], amr=["mfa"])
    back = come_back(client, idp, provider)
    confirm = f"/sign-in/org/{provider.address}/confirm"
    assert back.headers["Location"] == confirm
    assert not ProviderLink.objects.exists()
    asked = client.get(confirm).content.decode()
    assert made.jia.contact.person.email in asked
    assert client.get("/member").status_code == 302, "nobody is signed in before the confirmation"
    with Ledger() as ledger:
        second = client.post(confirm)
        assert second.headers["Location"].startswith("/account/2fa/authenticate")
        assert not ProviderLink.objects.exists(), "linked only when the sign-in is complete"
        done = client.post("/account/2fa/authenticate/", {"code": made.jia.contact.code()})
        assert done.status_code == 302
    assert ledger.tags().count("accounts:provider:link") == 1
    assert client.get("/member").status_code == 200
    link = ProviderLink.objects.get()
    assert (link.account_id, link.provider_id) == (made.jia.contact.account.pk, provider.pk)
    assert [one.to for one in mails() if one.kind == "account_changed"] == [made.jia.contact.person.email]
    assert standing() == before
    # Afterwards the subject alone says who it is: the address may change there, and another may take it over.
    again = browser()
    idp.person = {"sub": who(made.jia.contact)["sub"], "email": made.jia.member.person.email, "email_verified": False}
    step = come_back(again, idp, provider)
    assert step.headers["Location"].startswith("/account/2fa/authenticate")
    taken = browser()
    idp.person = who(made.jia.contact, sub="somebody else who got the address")
    assert refused(come_back(taken, idp, provider)) == "other_subject"


def test_an_invited_person_joins_by_it_and_sets_up_a_second_factor_here(made: world.World, idp: Provider) -> None:
    provider = set_up(made, idp)
    by, at = made.jia.admin.subject(), utcnow()
    person = actions.person_enter(name="吳新人", email="new@m1.example", by=by, at=at)
    jia = made.jia.organization
    actions.invite(person=person, organization=jia, group=jia, role=Role.MEMBER, by=by, at=at)
    idp.person = {"sub": "new", "email": "New@m1.example", "email_verified": True}
    client = browser()
    confirm = come_back(client, idp, provider).headers["Location"]
    assert not Account.objects.filter(person=person).exists(), "looking makes no account"
    done = client.post(confirm)
    account = Account.objects.get(person=person)
    assert not account.has_usable_password()
    assert done.headers["Location"] == "/home"
    led = client.get("/member", follow=True)
    assert "second-factor" in led.redirect_chain[-1][0] or "confidentiality" in led.redirect_chain[-1][0]
    affiliation = Affiliation.objects.get(person=person)
    assert (affiliation.role, affiliation.organization_id) == ("member", jia.pk), "as invited, nothing more"


def test_whoever_is_not_of_the_organisation_is_refused_and_it_is_kept(made: world.World, idp: Provider) -> None:
    provider, before = set_up(made, idp), standing()
    accounts = Account.objects.count()
    gone = actions.person_enter(name="離開者", email="gone@m1.example", by=world.SYSTEM, at=made.clock.tick())
    jia = made.jia.organization
    actions.invite(person=gone, organization=jia, group=jia, role=Role.MEMBER, by=world.SYSTEM, at=made.clock.tick())
    before = standing()
    cases = [
        ({"sub": "x", "email": "nobody@m1.example", "email_verified": True}, "nobody"),
        (who(made.yi.admin), "nobody"),
        (who(made.former.admin), "nobody"),
        (who(made.approver), "centre"),
        (who(made.jia.contact, email_verified=False), "unverified"),
        (who(made.jia.contact, email_verified="true"), "unverified"),
        (who(made.jia.contact, email=None), "unverified"),
        (who(made.jia.contact, sub=None), "subject"),
        (who(made.jia.contact, sub=""), "subject"),
    ]
    for person, code in cases:
        idp.person = {name: value for name, value in person.items() if value is not None}
        client = browser()
        with Ledger() as ledger:
            assert refused(come_back(client, idp, provider)) == code, person
        assert ledger.tags() == ["accounts:provider:refuse"]
        assert client.get("/member").status_code == 302
    late = made.clock.at + timedelta(days=400)
    with pytest.raises(Exception, match="nobody"):
        queries.match(provider=provider, digest=b"x", email="gone@m1.example", at=late)
    assert (standing(), Account.objects.count()) == (before, accounts)
    assert not ProviderLink.objects.exists()


def test_lies_of_the_answer_are_refused(made: world.World, idp: Provider) -> None:
    provider = set_up(made, idp)
    idp.person = who(made.jia.contact)
    now = int(utcnow().timestamp())
    other = rsa_key(1, "other")
    lies: list[tuple[dict[str, Any], str]] = [
        ({"iss": "https://evil.example"}, "issuer"),
        ({"aud": "another"}, "audience"),
        ({"aud": [CLIENT_ID, "another"]}, "audience"),
        ({"azp": "another"}, "audience"),
        ({"nonce": "another"}, "nonce"),
        ({"nonce": None}, "nonce"),
        ({"exp": now - 120}, "expired"),
        ({"iat": now - 3600}, "expired"),
        ({"iat": now + 300}, "early"),
        ({"nbf": now + 300}, "early"),
        ({"exp": None}, "malformed"),
        ({"iat": "now"}, "malformed"),
    ]
    for lie, code in lies:
        idp.lie = lie
        assert refused(come_back(browser(), idp, provider)) == code, lie
    idp.lie = {}
    for sign, code in (
        (lambda claims: other.sign(claims), "key"),
        (lambda claims: other.sign(claims, kid="rsa"), "signature"),
        (lambda claims: "", "malformed"),
    ):
        idp.sign = sign
        assert refused(come_back(browser(), idp, provider)) == code
    idp.sign = None
    assert come_back(browser(), idp, provider).status_code == 302, "the same, honestly"


def test_an_answer_belongs_to_the_browser_that_asked_and_counts_once(made: world.World, idp: Provider) -> None:
    provider, client = set_up(made, idp), browser()
    idp.person = who(made.jia.contact)
    out = client.post(f"/sign-in/org/{provider.address}")
    back = idp.authorize(sent(out)).removeprefix("http://localhost:8000")
    assert refused(browser().get(back)) == "state", "another browser brings the answer"
    assert refused(client.get(back.replace("state=", "state=x"))) == "state"
    assert refused(client.get(back + "&state=twice")) == "state"
    assert client.get(back).status_code == 302, "what others tried did not end it"
    assert refused(client.get(back)) == "state", "used"
    client.post(f"/sign-in/org/{provider.address}")
    state = client.session["sign_on_flow"]["state"]
    here = f"/sign-in/org/{provider.address}/back?state={state}"
    assert refused(client.get(f"{here}&iss=https://evil.example&code=x")) == "issuer"
    for query, code in (("&error=access_denied", "denied"), ("&code=never-given", "unreachable"), ("", "malformed")):
        client.post(f"/sign-in/org/{provider.address}")
        session = client.session
        state = session["sign_on_flow"]["state"]
        assert refused(client.get(f"/sign-in/org/{provider.address}/back?state={state}{query}")) == code
    client.post(f"/sign-in/org/{provider.address}")
    session = client.session
    session["sign_on_flow"] = {**session["sign_on_flow"], "began": int(utcnow().timestamp()) - 601}
    session.save()
    assert refused(client.get(f"{here}&state={session['sign_on_flow']['state']}")) == "state", "ten minutes are over"


def test_keys_rotate_and_a_provider_that_fails_leads_to_the_local_way(made: world.World, idp: Provider) -> None:
    provider = set_up(made, idp)
    idp.person = who(made.jia.contact)
    assert come_back(browser(), idp, provider).status_code == 302
    idp.rotate(ec_key("second"))
    assert come_back(browser(), idp, provider).status_code == 302, "an unknown key is looked for once"
    asked = idp.asked.count("/keys")
    idp.sign = lambda claims: rsa_key(1, "unpublished").sign(claims)
    for _ in range(3):
        assert refused(come_back(browser(), idp, provider)) == "key"
    assert idp.asked.count("/keys") == asked, "not again within a minute, whatever comes"
    idp.sign = None
    for broken, code in (("redirect", "unreachable"), ("large", "unreachable"), ("text", "malformed"),
                         ("deep", "malformed"), ("error", "unreachable")):  # fmt: skip
        cache.clear()
        idp.broken = ""
        client = browser()
        out = client.post(f"/sign-in/org/{provider.address}")
        idp.broken = broken
        back = idp.authorize(sent(out)).removeprefix("http://localhost:8000")
        assert refused(client.get(back)) == code, broken
        cache.clear()
        page = client.post(f"/sign-in/org/{provider.address}")
        assert refused(page) == code
        assert page.status_code == 503
    idp.broken = ""
    cache.clear()
    assert not [one for one in idp.asked if "meta-data" in one]
    assert made.client(made.jia.admin).get("/member").status_code == 200


def test_addresses_that_nobody_has_are_answered_like_those_that_are_off(made: world.World, idp: Provider) -> None:
    provider = set_up(made, idp, on=False)
    unknown = browser().get("/sign-in/org/nothing-of-this-name")
    off = browser().get(f"/sign-in/org/{provider.address}")
    assert (unknown.status_code, off.status_code) == (404, 404)
    assert unknown.content.replace(b"nothing-of-this-name", b"") == off.content.replace(provider.address.encode(), b"")
    assert browser().post(f"/sign-in/org/{provider.address}").status_code == 404
    by = made.jia.admin.subject()
    actions.record_trial(provider=provider, set_at=provider.set_at, by=by, at=made.clock.tick())
    actions.turn_provider_on(by=by, at=made.clock.tick())
    answers = []
    for email in (made.jia.member.person.email, made.yi.member.person.email, "nobody@x.example"):
        answers.append(browser().post("/account/organisation", {"email": email}))
    assert {one.status_code for one in answers} == {200}
    assert len({re.sub(rb'value="[^"]+"', b"", one.content) for one in answers}) == 1
    assert [one.to for one in mails() if one.kind == "sign_in_address"] == [made.jia.member.person.email]


def test_a_session_by_a_provider_acts_for_its_organisation_alone(made: world.World, idp: Provider) -> None:
    """Somebody of two organisations: 甲's provider must not open what is 乙's."""
    provider, contact, yi = set_up(made, idp), made.jia.contact, made.yi.organization
    _, path = actions.invite(
        person=contact.person, organization=yi, group=yi, role=Role.MEMBER_ADMIN, by=world.SYSTEM, at=utcnow()
    )
    invitation = queries.invitation_by_secret(path.rsplit("/", 1)[1])
    assert invitation is not None
    actions.accept_invitation(invitation=invitation, at=utcnow())
    client = browser()
    enter(client, idp, provider, contact)
    assert client.get("/member").status_code == 200
    session = client.session
    session["affiliation"] = str(invitation.affiliation_id)
    session.save()
    page = client.get("/member", follow=True).content.decode()
    assert made.yi.organization.name_zh not in page
    assert client.get("/member/organisation/people").status_code == 403, "an administrator of 乙, a contact of 甲"
    client.post("/account/reauthenticate/", {"password": world.PASSWORD})
    assert str(invitation.affiliation_id) in client.get("/member/switch").content.decode(), "signed in here as well"


def test_a_provider_that_is_held_or_off_ends_its_sessions_at_once(made: world.World, idp: Provider) -> None:
    provider = set_up(made, idp)
    client = browser()
    enter(client, idp, provider, made.jia.contact)
    local = made.client(made.jia.admin)
    assert client.get("/member").status_code == 200
    review = taipei(made.clock.at).date() + timedelta(days=7)
    analyst = made.analyst.subject()
    held = actions.place_hold(
        thing=provider, reason="身分提供者遭入侵", review_on=review, by=analyst, at=made.clock.tick()
    )
    assert client.get("/member").status_code == 302
    assert client.get("/member").status_code == 302
    assert local.get("/member/organisation/sign-on").status_code == 200
    assert "安全保全" in local.get("/member/organisation/sign-on").content.decode()
    assert browser().get(f"/sign-in/org/{provider.address}").status_code == 404
    assert local.post("/member/organisation/sign-on/try").status_code == 404
    with pytest.raises(Refusal, match="hold"):
        actions.turn_provider_on(by=made.jia.admin.subject(), at=made.clock.tick())
    told = {one.to for one in mails() if one.kind == "security_hold"}
    assert told == {made.jia.admin.person.email, made.jia.deputy.person.email}
    listed = made.client(made.analyst).get("/staff/security-holds").content.decode()
    assert made.jia.organization.name_zh in listed
    actions.lift_hold(hold=held, reason="已更換", by=made.approver.subject(), at=made.clock.tick())
    assert client.get("/member").status_code == 302, "what was ended stays ended"
    assert enter(browser(), idp, provider, made.jia.contact).status_code == 302
    actions.turn_provider_off(by=made.jia.admin.subject(), at=made.clock.tick())
    assert browser().get(f"/sign-in/org/{provider.address}").status_code == 404
    told = [one for one in mails() if one.kind == "provider_changed"]
    assert {one.to for one in told} == {made.jia.admin.person.email, made.jia.deputy.person.email}


def test_only_by_the_provider_save_those_named_for_emergencies(made: world.World, idp: Provider) -> None:
    signed_in = made.client(made.jia.member)
    assert signed_in.get("/member").status_code == 200
    provider = set_up(made, idp, only=True)
    assert signed_in.get("/member").status_code == 302, "from now on by the provider"

    def local(actor: world.Actor) -> Any:
        client = browser()
        client.post("/account/login/", {"login": actor.account.email, "password": world.PASSWORD})
        return client.get("/account/2fa/authenticate/"), client

    page, client = local(made.jia.member)
    assert page.status_code == 302
    answer = browser().post("/account/login/", {"login": made.jia.member.account.email, "password": world.PASSWORD})
    assert answer.headers["Location"] == f"/sign-in/org/{provider.address}?only=1"
    for actor in (made.jia.admin, made.jia.deputy, made.yi.member, made.approver):
        page, client = local(actor)
        assert page.status_code == 200, actor.person.name
        client.post("/account/2fa/authenticate/", {"code": actor.code()})
        assert client.get("/account/2fa/").status_code == 200
    # An emergency is an emergency: with fewer than two who can get in, nobody is kept out.
    Authenticator.objects.filter(user=made.jia.deputy.account).delete()
    page, _ = local(made.jia.member)
    assert page.status_code == 200


def test_what_a_set_up_asks_for(made: world.World, idp: Provider) -> None:
    admin, at = made.jia.admin.subject(), made.clock.tick()
    connection = actions.Connection(protocol="oidc", issuer=idp.issuer, client_id=CLIENT_ID, client_secret=SECRET)
    for by in (made.jia.member.subject(), made.jia.contact.subject(), made.approver.subject()):
        with pytest.raises(Refusal):
            actions.set_up_provider(given=connection, by=by, at=at)
    provider = actions.set_up_provider(given=connection, by=admin, at=at)
    sealed = IdentityProvider.objects.filter(pk=provider.pk).values_list("client_secret")[0][0]
    assert SECRET.encode() not in bytes(sealed)
    rules = []
    for attempt in (
        lambda: actions.turn_provider_on(by=admin, at=at),
        lambda: actions.name_emergency(affiliations=[made.jia.admin.affiliation.pk], only=False, by=admin, at=at),
        lambda: actions.name_emergency(
            affiliations=[made.jia.admin.affiliation.pk, made.jia.member.affiliation.pk], only=False, by=admin, at=at
        ),
        lambda: actions.record_trial(provider=provider, set_at=at, by=made.yi.admin.subject(), at=at),
        lambda: actions.record_trial(provider=provider, set_at=at - timedelta(seconds=1), by=admin, at=at),
    ):
        with pytest.raises(Refusal) as refusal:
            attempt()
        rules.append(refusal.value.rule)
    assert rules == ["provider-tried", *["provider-emergency"] * 2, *["provider-tried"] * 2]
    actions.record_trial(provider=provider, set_at=at, by=admin, at=made.clock.tick())
    with pytest.raises(Refusal) as nobody_named:
        actions.turn_provider_on(by=admin, at=made.clock.tick())
    assert nobody_named.value.rule == "provider-emergency"
    # Another issuer is another provider: the secret of the former is not handed to it, and links end.
    moved = actions.Connection(protocol="oidc", issuer="https://other.example", client_id=CLIENT_ID)
    with pytest.raises(Refusal) as secret:
        actions.set_up_provider(given=moved, by=admin, at=made.clock.tick())
    assert secret.value.field == "client_secret"
    for issuer in ("http://login.example.com", "https://user@login.example.com", "ftp://x.example", "https://"):
        wrong = actions.Connection(protocol="oidc", issuer=issuer, client_id="x", client_secret="x")
        with pytest.raises(Refusal) as bad:
            actions.set_up_provider(given=wrong, by=admin, at=made.clock.tick())
        assert bad.value.field == "issuer"


def test_the_pages_of_setting_up(made: world.World, idp: Provider) -> None:
    admin = made.client(made.jia.admin)
    base = "/member/organisation/sign-on"
    assert "還沒有設定" in admin.get(base).content.decode()
    typed = {"issuer": idp.issuer, "client_id": CLIENT_ID, "client_secret": SECRET, "factor_values": "mfa, phr"}
    assert admin.post(f"{base}/set-up", typed).status_code == 422, "nothing is set up unsigned"
    unsecret = admin.post(f"{base}/set-up", {**typed, "client_secret": ""}).content.decode()
    assert 'href="#id_client_secret"' in unsecret, "the first time it is needed"
    done = admin.post(f"{base}/set-up", {**typed, "second_factor_code": made.jia.admin.code()})
    assert done.status_code == 302, done.content.decode()
    shown = admin.get(base).content.decode()
    assert "不採信" in shown, "what the operator does not take is said to whoever named it"
    assert SECRET not in shown + admin.get(f"{base}/set-up").content.decode()
    provider = IdentityProvider.objects.get()
    assert f"http://localhost:8000/sign-in/org/{provider.address}/back" in shown
    idp.person = who(made.jia.deputy)
    out = admin.post(f"{base}/try")
    back = admin.get(idp.authorize(sent(out)).removeprefix("http://localhost:8000"))
    assert refused(back) == "nobody", "the provider says that it is somebody else"
    idp.person = who(made.jia.admin, amr=["pwd", "mfa"])
    out = admin.post(f"{base}/try")
    admin.get(idp.authorize(sent(out)).removeprefix("http://localhost:8000"))
    assert "mfa" in admin.get(base).content.decode()
    assert not ProviderLink.objects.exists()
    named = [str(made.jia.admin.affiliation.pk), str(made.jia.deputy.affiliation.pk)]
    assert admin.post(f"{base}/emergency", {"affiliations": named}).status_code == 422
    code = made.jia.admin.code()
    assert admin.post(f"{base}/emergency", {"affiliations": named, "second_factor_code": code}).status_code == 302
    assert admin.post(f"{base}/switch", {"to": "on"}).status_code == 422
    signed = {"to": "on", "second_factor_code": made.jia.admin.code()}
    assert admin.post(f"{base}/switch", signed).status_code == 302
    provider.refresh_from_db()
    assert provider.works
    person = browser()
    enter(person, idp, provider, made.jia.contact)
    link = ProviderLink.objects.get()
    assert made.client(made.yi.admin).post(f"{base}/links/{link.pk}/end").status_code == 404
    assert admin.post(f"{base}/links/{link.pk}/end").status_code == 302
    assert "尚未有人" in admin.get(base).content.decode()
    staff = made.client(made.analyst).get("/staff/sign-on").content.decode()
    assert made.jia.organization.name_zh in staff
    assert str(provider.pk) in staff
    assert made.client(made.jia.member).get(base).status_code == 403
    assert made.client(made.approver).get(base).status_code == 404


def test_the_word_for_a_second_factor_is_taken_where_the_operator_says_so(made: world.World, idp: Provider) -> None:
    provider, contact = set_up(made, idp), made.jia.contact
    enter(browser(), idp, provider, contact)
    idp.person = who(contact, amr=["pwd", "mfa"])
    asked = come_back(browser(), idp, provider)
    assert asked.headers["Location"].startswith("/account/2fa/authenticate"), "not by default"
    at = made.clock.tick()
    proposal = actions.propose_setting(
        name="provider_factor", value=True, reason="試行", effective_at=at, by=made.approver.subject(), at=at
    )
    actions.approve_setting(proposal=proposal, by=made.approver2.subject(), at=made.clock.tick())
    client = browser()
    assert come_back(client, idp, provider).headers["Location"] == "/home"
    assert client.get("/member").status_code == 200
    assert client.get("/account/2fa/webauthn/add/").status_code == 302, "that asks for what is kept here"
    idp.person = who(contact, amr=["pwd"])
    weak = come_back(browser(), idp, provider)
    assert weak.headers["Location"].startswith("/account/2fa/authenticate")
    idp.person = who(made.jia.member, amr=["mfa"])
    fresh = browser()
    first = come_back(fresh, idp, provider)
    assert fresh.post(first.headers["Location"]).headers["Location"].startswith("/account/2fa/authenticate"), (
        "the first time our own is asked for"
    )


def saml_back(client: Client, saml: SamlProvider, provider: IdentityProvider, **lies: Any) -> Any:
    """Press the button, agree at the provider; its page posts the answer without our cookies, then a redirect."""
    request = Request.of(sent(client.post(f"/sign-in/org/{provider.address}")))
    form = {"SAMLResponse": saml.answer(request, **lies), "RelayState": request.state}
    posted = Client(HTTP_HOST="localhost:8000", enforce_csrf_checks=True).post(
        f"/sign-in/org/{provider.address}/answer", form, headers={"Sec-Fetch-Site": "cross-site"}
    )
    assert posted.status_code == 303, posted.content.decode()
    return client.get(posted.headers["Location"])


def test_by_saml_the_same_people_get_in_and_no_others(made: world.World) -> None:
    admin, contact = made.client(made.jia.admin), made.jia.contact
    base, before = "/member/organisation/sign-on", standing()
    with SamlProvider() as saml:
        typed = {"metadata": saml.metadata(), "factor_values": "mfa"}
        assert admin.post(f"{base}/set-up?protocol=saml", typed).status_code == 422, "nothing is set up unsigned"
        bomb = {"metadata": "<!DOCTYPE x [<!ENTITY a 'b'>]><x/>", "second_factor_code": made.jia.admin.code()}
        assert admin.post(f"{base}/set-up?protocol=saml", bomb).status_code == 422
        signed = {**typed, "second_factor_code": made.jia.admin.code()}
        done = admin.post(f"{base}/set-up?protocol=saml", signed)
        assert done.status_code == 302, done.content.decode()
        provider = IdentityProvider.objects.get()
        assert (provider.issuer, provider.sso_url) == (saml.entity_id, saml.sso_url)
        shown = admin.get(base).content.decode()
        ours = f"/sign-in/org/{provider.address}/metadata"
        assert f"http://localhost:8000{ours}" in shown
        assert f"/sign-in/org/{provider.address}/answer" in browser().get(ours).content.decode()
        saml.email = made.jia.admin.person.email
        request = Request.of(sent(admin.post(f"{base}/try")))
        form = {"SAMLResponse": saml.answer(request), "RelayState": request.state}
        ticket = browser().post(f"/sign-in/org/{provider.address}/answer", form).headers["Location"]
        assert admin.get(ticket).headers["Location"] == base
        by, named = made.jia.admin.subject(), [made.jia.admin.affiliation.pk, made.jia.deputy.affiliation.pk]
        actions.name_emergency(affiliations=named, only=False, by=by, at=made.clock.tick())
        actions.turn_provider_on(by=by, at=made.clock.tick())

        saml.email, client = contact.person.email.upper(), browser()
        assert saml_back(client, saml, provider).headers["Location"].endswith("/confirm")
        second = client.post(f"/sign-in/org/{provider.address}/confirm")
        assert second.headers["Location"].startswith("/account/2fa/authenticate")
        client.post("/account/2fa/authenticate/", {"code": contact.code()})
        assert client.get("/member").status_code == 200
        for email, code in (
            (made.yi.admin.person.email, "nobody"), (made.approver.person.email, "centre"), ("x@x.example", "nobody"),
        ):  # fmt: skip
            saml.email, saml.subject = email, email
            with Ledger() as ledger:
                assert refused(saml_back(browser(), saml, provider)) == code
            assert ledger.tags() == ["accounts:provider:refuse"]
        saml.email, saml.subject = contact.person.email, "u-1"
        lies: tuple[tuple[dict[str, Any], str], ...] = (
            ({"signed": False}, "signature"), ({"audience": "x"}, "audience"), ({"answers": "_x"}, "nonce"),
            ({"issuer": "https://evil.example"}, "issuer"), ({"emails": [], "subject": "new"}, "unverified"),
        )  # fmt: skip
        for lie, code in lies:
            assert refused(saml_back(browser(), saml, provider, **lie)) == code, lie

        # One answer, another browser; the same answer twice; a ticket twice.
        first, other = browser(), browser()
        request = Request.of(sent(first.post(f"/sign-in/org/{provider.address}")))
        form = {"SAMLResponse": saml.answer(request), "RelayState": request.state}
        where = f"/sign-in/org/{provider.address}/answer"
        assert refused(other.get(other.post(where, form).headers["Location"])) == "state"
        ticket = first.post(where, form).headers["Location"]
        assert first.get(ticket).status_code == 302
        assert refused(first.get(ticket)) == "state"
        assert refused(first.get(first.post(where, form).headers["Location"])) == "state"
        assert refused(browser().post(where, {"SAMLResponse": "A" * 300_000})) == "malformed"
    assert standing() == before
    assert browser().post("/sign-in/org/nothing-of-this-name/answer", {}).status_code == 404
    away = browser().post("/account/login/", {}, headers={"Sec-Fetch-Site": "cross-site"})
    assert away.status_code == 403, "no other door takes a form of another site"
