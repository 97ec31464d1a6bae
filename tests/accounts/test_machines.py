"""Keys of machines at the door: how they are sent, from where they work, for whom, and what they never open."""

from __future__ import annotations

import base64
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from hypothesis import given, settings
from hypothesis import strategies as st

from lianfang.accounts import actions, registry
from lianfang.accounts.models import Token, TokenUse, TokenWarning
from lianfang.accounts.queries import authenticate_token, in_networks, tokens_of
from lianfang.audit.models import Entry
from lianfang.kernel.ids import new_secret
from lianfang.kernel.refusal import Refusal
from lianfang.members.subjects import subject_for_token
from lianfang.outbox.models import Delivery
from lianfang.policy.facts import Kind, Right, Subject
from tests.accounts.cast import Few
from tests.accounts.test_governance import setting as proposed
from tests.accounts.test_pages import browser
from tests.accounts.test_tokens import scope
from tests.world import Actor, token

TICK = timedelta(microseconds=1)
BOT = Subject.system("test")
calm = settings(deadline=None, max_examples=150)


def basic(user: str, secret: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{secret}".encode()).decode()


def discovery(authorization: str | None, *, address: str = "203.0.113.9", **more: str) -> int:
    """What the machine door answers."""
    headers = {"Accept": "application/taxii+json;version=2.1", **more}
    if authorization is not None:
        headers["Authorization"] = authorization
    client = Client(HTTP_HOST="localhost", REMOTE_ADDR=address)
    return client.get("/taxii2/", headers=headers).status_code


def now(actor: Actor, **changed: object) -> tuple[Token, str]:
    """A key that works at this very moment, made with this reach."""
    from lianfang.kernel.clock import utcnow

    at = utcnow()
    return actions.make_token(affiliation=actor.affiliation, scope=scope(**changed), by=actor.subject(at), at=at)


# Secrets


def test_a_secret_fits_every_way_to_send_it() -> None:
    made = {new_secret() for _ in range(200)}
    assert len(made) == 200
    for secret in made:
        assert len(secret) == 43
        assert secret.isascii()
        assert not set(secret) & set(":@/ \t\r\n\"'%&+=\\")


@pytest.mark.django_db
def test_no_two_keys_share_a_secret_and_none_is_found_by_its_digest(cast: Few) -> None:
    made = [token(cast.clock, cast.admin) for _ in range(3)]
    assert len({secret for _, secret in made}) == 3
    at = cast.clock.tick()
    for one, secret in made:
        digest = bytes(one.secret_digest)
        near = (secret[:-1], secret + "A", secret.swapcase(), f" {secret}", f"{secret}\n")
        for guess in (digest.hex(), str(one.pk), *near):
            assert authenticate_token(secret=guess, at=at, network=None) is None
    with pytest.raises(IntegrityError), transaction.atomic():
        Token.objects.filter(pk=made[0][0].pk).update(secret_digest=made[1][0].secret_digest)


@pytest.mark.django_db
def test_the_secret_is_in_no_table_no_entry_no_mail_and_no_later_page(cast: Few) -> None:
    from tests.accounts.test_dump import dump

    client = browser(cast.admin)
    typed = {"name": "SIEM", "purpose": "偵測", "rights": ["read"], "max_tlp": "AMBER", "days": "90"}
    shown = client.post(reverse("new_connection"), typed).context["secret"]
    rotated = client.post(reverse("rotate_connection", args=[Token.objects.get().pk])).context["secret"]
    for secret in (shown, rotated):
        for table, text in dump(("accounts_", "audit_", "outbox_", "django_session", "web_")).items():
            assert secret not in text, table
            assert secret.encode().hex() not in text, table
        for page in (reverse("connections"), *(reverse("connection", args=[one.pk]) for one in Token.objects.all())):
            assert secret not in client.get(page).content.decode()
    assert shown != rotated


# At the door


@pytest.mark.django_db
def test_bearer_and_basic_open_the_same_door(cast: Few) -> None:
    made, secret = now(cast.admin)
    assert discovery(None) == 401
    for authorization in (
        f"Bearer {secret}", f"bearer {secret}", f"BEARER  {secret}", basic(str(made.pk), secret), basic("", secret),
        basic("taxii", secret), basic("林", secret), basic(str(made.pk).upper(), secret),
    ):  # fmt: skip
        assert discovery(authorization) in (200, 401), authorization
    assert discovery(f"Bearer {secret}") == 200
    assert discovery(basic(str(made.pk), secret)) == 200
    assert discovery(basic("anything", secret)) == 200


@pytest.mark.django_db
def test_the_id_of_another_key_with_this_secret_opens_nothing(cast: Few) -> None:
    (first, secret), (second, _) = now(cast.admin), now(cast.deputy)
    assert discovery(basic(str(second.pk), secret)) == 401
    assert discovery(basic(str(uuid4()), secret)) == 401
    assert discovery(basic(str(first.pk), secret)) == 200
    assert discovery(basic("{" + str(second.pk) + "}", secret)) == 401, "however the id is written"
    assert discovery(basic(second.pk.hex, secret)) == 401


@pytest.mark.django_db
@pytest.mark.parametrize(
    "authorization",
    ["", "Bearer", "Bearer ", "Basic", "Basic !!!", "Basic " + base64.b64encode(b"no colon").decode(), "Digest x",
     "Basic " + base64.b64encode(b"\xff\xfe:\xff").decode(), "Bearer " + "x" * 5000, "Token abc", "Bearer \x00",
     "Basic " + base64.b64encode(b"::").decode(), "Negotiate abc"],
)  # fmt: skip
def test_what_is_no_key_is_told_alike(cast: Few, authorization: str) -> None:
    assert discovery(authorization) == 401


@pytest.mark.django_db
def test_a_key_in_an_address_a_cookie_or_a_session_is_none(cast: Few) -> None:
    _, secret = now(cast.admin)
    client = Client(HTTP_HOST="localhost")
    client.cookies["token"] = client.cookies["Authorization"] = secret
    for question in (f"token={secret}", f"access_token={secret}", f"Authorization=Bearer+{secret}"):
        assert client.get(f"/taxii2/?{question}").status_code == 401
    signed_in = browser(cast.admin)
    assert signed_in.get("/taxii2/").status_code == 401, "a person is no machine"


@pytest.mark.django_db
def test_a_key_opens_no_page_of_people(cast: Few) -> None:
    made, secret = now(cast.admin)
    for authorization in (f"Bearer {secret}", basic(str(made.pk), secret)):
        client = Client(HTTP_HOST="localhost", headers={"Authorization": authorization})
        for page in ("/member", reverse("people"), reverse("connections"), "/me", "/staff/inbox", reverse("settings")):
            assert client.get(page).status_code == 302, page
        assert client.post(reverse("new_connection"), {"name": "x"}).status_code == 302


# Networks


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("networks", "address", "opens"),
    [
        (("203.0.113.0/24",), "203.0.113.9", True), (("203.0.113.0/24",), "203.0.114.9", False),
        (("203.0.113.0/24",), "::ffff:203.0.113.9", True), (("203.0.113.0/24",), "::ffff:203.0.114.9", False),
        (("203.0.113.0/24",), "::ffff:cb00:7109", True), (("203.0.113.0/24",), "2001:db8::1", False),
        (("2001:db8::/32",), "2001:db8::1", True), (("2001:db8::/32",), "203.0.113.9", False),
        (("203.0.113.9/32", "198.51.100.0/24"), "198.51.100.200", True), (("::/0",), "203.0.113.9", False),
        (("0.0.0.0/0",), "203.0.113.9", True), (("0.0.0.0/0",), "::ffff:203.0.113.9", True),
    ],
)  # fmt: skip
def test_a_key_works_from_its_networks_alone(cast: Few, networks: tuple[str, ...], address: str, opens: bool) -> None:
    _, secret = now(cast.admin, networks=networks)
    assert discovery(f"Bearer {secret}", address=address) == (200 if opens else 401)


@pytest.mark.django_db
def test_no_header_says_from_where_a_key_is_used(cast: Few) -> None:
    _, secret = now(cast.admin, networks=("203.0.113.0/24",))
    for header in ("X-Forwarded-For", "X-Real-IP", "Forwarded", "True-Client-IP"):
        assert discovery(f"Bearer {secret}", address="198.51.100.1", **{header: "203.0.113.9"}) == 401, header


@calm
@given(st.ip_addresses(v=4), st.integers(0, 32))
def test_an_address_is_in_its_network_however_a_socket_writes_it(address: object, length: int) -> None:
    network = f"{address}/{length}"
    from ipaddress import ip_network

    kept = str(ip_network(network, strict=False))
    assert in_networks(str(address), [kept])
    assert in_networks(f"::ffff:{address}", [kept])


@calm
@given(st.text(max_size=30))
def test_no_text_is_in_a_network(address: str) -> None:
    from ipaddress import ip_address

    try:
        ip_address(address)
    except ValueError:
        assert not in_networks(address, ["0.0.0.0/0", "::/0"])


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("203.0.113.7/24", ["203.0.113.0/24"]), ("203.0.113.7", ["203.0.113.7/32"]),
        (" 203.0.113.0/24 \n\n 2001:DB8::1/32 ", ["203.0.113.0/24", "2001:db8::/32"]), ("", []), ("\n \n", []),
    ],
)  # fmt: skip
def test_networks_are_kept_in_one_form(cast: Few, typed: str, kept: list[str]) -> None:
    form = {"name": "SIEM", "purpose": "偵測", "rights": ["read"], "max_tlp": "AMBER", "days": "90", "networks": typed}
    assert browser(cast.admin).post(reverse("new_connection"), form).status_code == 200
    assert Token.objects.get().networks == kept


# Caveats


@pytest.mark.django_db
def test_a_key_is_never_more_than_its_owner_and_its_scope(cast: Few) -> None:
    made, _ = now(cast.admin, rights=frozenset({Right.READ}), max_tlp="GREEN")
    machine = subject_for_token(token=made, at=made.created_at, network=None)
    owner = cast.admin.subject(made.created_at)
    assert machine.kind is Kind.TOKEN
    assert machine.caveats is not None
    assert machine.caveats.rights == {Right.READ}
    assert machine.caveats.max_tlp.label == "TLP:GREEN"
    assert machine.caveats.expires_at == made.expires_at
    from lianfang.accounts.doors import may

    for right in Right:
        if may(subject=machine, right=right, at=made.created_at):
            assert may(subject=owner, right=right, at=made.created_at), right
    assert not may(subject=machine, right=Right.SUBMIT, at=made.created_at)


@pytest.mark.django_db
@pytest.mark.parametrize("right", sorted(set(Right) - set(actions.TOKEN_RIGHTS)))
def test_what_people_decide_is_given_to_no_machine(cast: Few, right: Right) -> None:
    with pytest.raises(Refusal) as refused:
        actions.make_token(
            affiliation=cast.admin.affiliation, scope=scope(rights=frozenset({Right.READ, right})),
            by=cast.admin.subject(), at=cast.clock.tick(),
        )  # fmt: skip
    assert refused.value.field == "rights"
    assert not Token.objects.exists()


@pytest.mark.django_db
def test_the_longest_life_of_a_key_is_the_setting_at_its_making(cast: Few) -> None:
    proposal = proposed(cast, 10, name="token_max_days")
    actions.approve_setting(proposal=proposal, by=cast.staff["approver2"].subject(), at=cast.clock.tick())
    proposal.refresh_from_db()
    assert registry.value("token_max_days", proposal.effective_at) == 10
    for days, made in ((10, True), (11, False)):
        at = cast.clock.tick()
        try:
            found, _ = actions.make_token(
                affiliation=cast.admin.affiliation, scope=scope(days=days), by=cast.admin.subject(), at=at
            )
        except Refusal as refusal:
            assert (refusal.field, made) == ("days", False)  # noqa: PT017 - one of the two is refused
        else:
            assert made
            assert found.expires_at == at + timedelta(days=days)


@pytest.mark.django_db
def test_a_successor_lives_no_longer_than_the_setting_allows_now(cast: Few) -> None:
    old, _ = actions.make_token(
        affiliation=cast.admin.affiliation, scope=scope(days=300), by=cast.admin.subject(), at=cast.clock.tick()
    )
    proposal = proposed(cast, 30, name="token_max_days")
    actions.approve_setting(proposal=proposal, by=cast.staff["approver2"].subject(), at=cast.clock.tick())
    at = cast.clock.tick()
    new, _ = actions.rotate_token(token=old, by=cast.admin.subject(), at=at)
    assert new.expires_at == at + timedelta(days=30)
    assert (new.name, new.purpose, new.rights, new.networks) == (old.name, old.purpose, old.rights, old.networks)
    entry = Entry.objects.get(tag="accounts:token:rotate")
    assert entry.detail["replaces"] == str(old.pk)


# Two at once, and the end


@pytest.mark.django_db
def test_of_a_connection_two_keys_work_at_once_and_each_is_replaced_once(cast: Few) -> None:
    old, first = now(cast.admin)
    client = browser(cast.admin)
    page = client.post(reverse("rotate_connection", args=[old.pk]))
    second, new = page.context["secret"], page.context["token"]
    assert [discovery(f"Bearer {secret}") for secret in (first, second)] == [200, 200]
    for one in (old, new):
        refused = client.post(reverse("rotate_connection", args=[one.pk]))
        assert refused.status_code == 422
        assert refused.context["refusal"].rule == "token-two-live"
    assert client.post(reverse("revoke_connection", args=[new.pk])).status_code == 302
    assert [discovery(f"Bearer {secret}") for secret in (first, second)] == [200, 401]
    assert client.post(reverse("rotate_connection", args=[old.pk])).context["refusal"].rule == "token-replaced-once"
    assert client.post(reverse("revoke_connection", args=[new.pk])).context["refusal"].rule == "token-live"
    assert client.post(reverse("revoke_connection", args=[old.pk])).status_code == 302
    assert discovery(f"Bearer {first}") == 401


@pytest.mark.django_db
@pytest.mark.parametrize(("step", "shown"), [(-TICK, True), (0 * TICK, False)])
def test_ended_keys_are_listed_for_a_month(cast: Few, step: timedelta, shown: bool) -> None:
    made, _ = token(cast.clock, cast.admin)
    ended = cast.clock.tick()
    actions.revoke_token(token=made, by=cast.admin.subject(), at=ended)
    listed = tokens_of(
        organization=cast.organization.pk, group=cast.organization.pk, at=ended + timedelta(days=30) + step
    )
    assert (made in listed) is shown


@pytest.mark.django_db
@pytest.mark.parametrize("who", ["member", "reviewer", "stranger"])
def test_somebody_elses_keys_do_not_exist(cast: Few, who: str) -> None:
    from tests.accounts.test_roles import others

    made, secret = now(cast.admin)
    actor = {"member": cast.member, "reviewer": cast.staff["reviewer"]}.get(who) or others(cast)
    client = browser(actor)
    for name in ("connection", "rotate_connection", "revoke_connection"):
        path = reverse(name, args=[made.pk])
        answer = client.get(path) if name == "connection" else client.post(path)
        none = reverse(name, args=[uuid4()])
        missing = client.get(none) if name == "connection" else client.post(none)
        assert answer.status_code == missing.status_code in (403, 404)
        assert answer.content == missing.content
    assert discovery(f"Bearer {secret}") == 200
    for deed in (actions.rotate_token, actions.revoke_token):
        with pytest.raises(Refusal):
            deed(token=made, by=actor.subject(), at=cast.clock.tick())


# Use and reminders


@pytest.mark.django_db
def test_the_page_tells_when_a_key_was_last_used_and_nothing_of_from_where(cast: Few) -> None:
    made, secret = now(cast.admin)
    client = browser(cast.admin)
    assert not TokenUse.objects.exists()
    assert discovery(f"Bearer {secret}", address="203.0.113.77") == 200
    assert discovery("Bearer wrong", address="203.0.113.77") == 401
    assert TokenUse.objects.filter(token=made).count() == 1
    page = client.get(reverse("connection", args=[made.pk])).content.decode()
    assert "203.0.113.77" not in page
    assert {field.name for field in TokenUse._meta.fields} == {"token", "last_used_at"}


@pytest.mark.django_db
def test_an_older_use_never_takes_back_a_newer_one(cast: Few) -> None:
    made, _ = token(cast.clock, cast.admin)
    at = cast.clock.tick()
    for seconds in (0, 600, 300, 601, -5000):
        actions.note_token_use(token=made, at=at + timedelta(seconds=seconds))
    assert TokenUse.objects.get(token=made).last_used_at == at + timedelta(seconds=600)


@pytest.mark.django_db
@pytest.mark.parametrize(("step", "warned"), [(TICK, 0), (0 * TICK, 1), (-TICK, 1)])
def test_a_reminder_leaves_at_its_instant(cast: Few, step: timedelta, warned: int) -> None:
    made, _ = token(cast.clock, cast.admin)
    assert actions.warn_all(by=BOT, at=made.expires_at - timedelta(days=14) - step) == warned


@pytest.mark.django_db
def test_reminders_go_to_owners_who_can_still_do_something(cast: Few) -> None:
    made = {name: token(cast.clock, actor)[0] for name, actor in (("kept", cast.admin), ("left", cast.deputy))}
    made["revoked"], _ = token(cast.clock, cast.admin)
    actions.revoke_token(token=made["revoked"], by=cast.admin.subject(), at=cast.clock.tick())
    actions.leave(affiliation=cast.deputy.affiliation, by=cast.admin.subject(), at=cast.clock.tick())
    at = made["kept"].expires_at - timedelta(days=3)
    assert actions.warn_all(by=BOT, at=at) >= 1
    assert set(TokenWarning.objects.values_list("token", flat=True)) == {made["kept"].pk}
    mail = Delivery.objects.filter(kind="token_expiry").latest("created_at")
    assert mail.to == cast.admin.account.email
    assert "http://localhost:8000/member/connections" in mail.body_text
    assert actions.warn_all(by=BOT, at=at) == 0
    assert actions.warn_all(by=BOT, at=made["kept"].expires_at) == 0, "what has ended is not about to"


@pytest.mark.django_db
def test_the_days_of_reminders_are_a_setting(cast: Few) -> None:
    made, _ = token(cast.clock, cast.admin)
    proposal = proposed(cast, [30, 1], name="token_warning_days")
    actions.approve_setting(proposal=proposal, by=cast.staff["approver2"].subject(), at=cast.clock.tick())
    found = [actions.warn_all(by=BOT, at=made.expires_at - timedelta(days=days)) for days in (31, 30, 14, 3, 1)]
    assert found == [0, 1, 0, 0, 1]
