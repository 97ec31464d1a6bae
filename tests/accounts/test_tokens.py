"""Keys of machines: what a secret opens, when, from where, and for whom."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lianfang.accounts import actions
from lianfang.accounts.models import Token, TokenUse, TokenWarning
from lianfang.accounts.queries import authenticate_token, in_networks
from lianfang.kernel.refusal import Refusal
from lianfang.outbox.models import Delivery
from lianfang.policy.facts import Right, Subject
from tests.accounts.cast import Few
from tests.accounts.test_pages import browser
from tests.world import token

pytestmark = pytest.mark.django_db
TICK = timedelta(microseconds=1)
BOT = Subject.system("test")


def scope(**changed: object) -> actions.Scope:
    plain = {"name": "SIEM", "purpose": "偵測", "max_tlp": "AMBER", "rights": frozenset({Right.READ}), "days": 30}
    return actions.Scope(**{**plain, **changed})  # type: ignore[arg-type]


def test_a_secret_opens_as_bearer_and_as_basic(cast: Few) -> None:
    made, secret = token(cast.clock, cast.admin)
    assert ":" not in secret
    at = cast.clock.tick()
    for user in ("", str(made.pk), "anything", "taxii"):
        assert authenticate_token(user=user, secret=secret, at=at, network="203.0.113.9") == made
    assert authenticate_token(user=str(uuid4()), secret=secret, at=at, network=None) is None


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(guess=st.text(max_size=80))
def test_no_other_text_opens_anything(cast: Few, guess: str) -> None:
    at = cast.clock.at
    assert authenticate_token(user=guess, secret=guess, at=at, network=None) is None


def test_only_a_keyed_digest_is_kept(cast: Few) -> None:
    made, secret = token(cast.clock, cast.admin)
    made.refresh_from_db()
    kept = " ".join(str(getattr(made, field.attname)) for field in Token._meta.concrete_fields)
    assert secret not in kept
    assert len(bytes(made.secret_digest)) == 32


@pytest.mark.parametrize(("step", "opens"), [(-TICK, True), (0 * TICK, False), (TICK, False)])
def test_the_instant_of_expiry(cast: Few, step: timedelta, opens: bool) -> None:
    made, secret = token(cast.clock, cast.admin)
    found = authenticate_token(secret=secret, at=made.expires_at + step, network=None)
    assert (found is not None) is opens


@pytest.mark.parametrize(("step", "opens"), [(-TICK, True), (0 * TICK, False), (TICK, False)])
def test_the_instant_of_revocation_and_of_leaving(cast: Few, step: timedelta, opens: bool) -> None:
    made, secret = token(cast.clock, cast.admin)
    _, left = token(cast.clock, cast.deputy)
    end = cast.clock.tick()
    actions.revoke_token(token=made, by=cast.admin.subject(), at=end)
    actions.leave(affiliation=cast.deputy.affiliation, by=cast.admin.subject(), at=end)
    for one in (secret, left):
        assert (authenticate_token(secret=one, at=end + step, network=None) is not None) is opens


def test_a_closed_account_closes_its_tokens(cast: Few) -> None:
    _, secret = token(cast.clock, cast.admin)
    account = cast.admin.account
    account.is_active = False
    account.save(update_fields=["is_active"])
    assert authenticate_token(secret=secret, at=cast.clock.tick(), network=None) is None


@given(address=st.ip_addresses(v=4))
def test_a_network_holds_its_addresses_alone(address: object) -> None:
    assert in_networks(str(address), ["203.0.113.0/24"]) is str(address).startswith("203.0.113.")
    assert in_networks(str(address), [])


@pytest.mark.parametrize("address", [None, "", "somewhere", "203.0.113.1, 198.51.100.1"])
def test_an_unreadable_address_is_in_no_network(address: str | None) -> None:
    assert not in_networks(address, ["0.0.0.0/0", "::/0"])
    assert in_networks(address, [])


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"name": " "}, "name"), ({"purpose": ""}, "purpose"), ({"max_tlp": "RED"}, "max_tlp"),
        ({"max_tlp": "PURPLE"}, "max_tlp"), ({"days": 0}, "days"), ({"days": 366}, "days"),
        ({"rights": frozenset()}, "rights"), ({"rights": frozenset({Right.APPROVE})}, "rights"),
        ({"networks": ("203.0.113.0/99",)}, "networks"), ({"networks": ("x",)}, "networks"),
    ],
)  # fmt: skip
def test_what_a_token_cannot_be_made_for(cast: Few, changed: dict[str, object], field: str) -> None:
    with pytest.raises(Refusal) as refused:
        actions.make_token(
            affiliation=cast.admin.affiliation, scope=scope(**changed), by=cast.admin.subject(), at=cast.clock.tick()
        )
    assert refused.value.field == field


@pytest.mark.parametrize("who", ["member", "granter1"])
def test_only_an_administrator_of_a_member_makes_tokens(cast: Few, who: str) -> None:
    actor = cast.staff.get(who) or cast.member
    with pytest.raises(Refusal) as refused:
        actions.make_token(affiliation=actor.affiliation, scope=scope(), by=actor.subject(), at=cast.clock.tick())
    assert refused.value.rule == "G-make_token"


def test_two_keys_work_side_by_side_and_never_three(cast: Few) -> None:
    old, old_secret = token(cast.clock, cast.admin)
    new, new_secret = actions.rotate_token(token=old, by=cast.admin.subject(), at=cast.clock.tick())
    assert (new.replaces, new.rights, new.max_tlp) == (old, old.rights, old.max_tlp)
    at = cast.clock.tick()
    for secret in (old_secret, new_secret):
        assert authenticate_token(secret=secret, at=at, network=None)
    for one in (old, new):
        with pytest.raises(Refusal, match="Two keys"):
            actions.rotate_token(token=one, by=cast.admin.subject(), at=cast.clock.tick())
    actions.revoke_token(token=old, by=cast.admin.subject(), at=cast.clock.tick())
    actions.rotate_token(token=new, by=cast.admin.subject(), at=cast.clock.tick())


def test_a_colleague_takes_over_a_connection_but_not_its_secret(cast: Few) -> None:
    old, secret = token(cast.clock, cast.deputy)
    new, fresh = actions.rotate_token(token=old, by=cast.admin.subject(), at=cast.clock.tick())
    assert new.affiliation == cast.admin.affiliation
    assert fresh != secret


def test_the_last_use_is_kept_to_the_minute(cast: Few) -> None:
    made, _ = token(cast.clock, cast.admin)
    first = cast.clock.tick()
    for seconds, kept in ((0, 0), (30, 0), (61, 61), (5, 61)):
        actions.note_token_use(token=made, at=first + timedelta(seconds=seconds))
        assert TokenUse.objects.get(token=made).last_used_at == first + timedelta(seconds=kept)


def test_an_owner_is_warned_at_each_number_of_days_once(cast: Few) -> None:
    made, _ = token(cast.clock, cast.admin)
    for days, expected in ((15, 0), (14, 1), (13, 0), (3, 1), (1, 0)):
        at = made.expires_at - timedelta(days=days)
        assert actions.warn_all(by=BOT, at=at) == expected, days
    assert list(TokenWarning.objects.order_by("id").values_list("days_before", flat=True)) == [14, 3]
    assert Delivery.objects.filter(kind="token_expiry").count() == 2


def test_the_secret_stands_on_one_answer_alone(cast: Few) -> None:
    client: Client = browser(cast.admin)
    typed = {"name": "SIEM", "purpose": "偵測", "rights": ["read", "submit"], "max_tlp": "AMBER", "days": "90"}
    answer = client.post(reverse("new_connection"), {**typed, "networks": "203.0.113.0/24\n2001:db8::/32"})
    made = Token.objects.get()
    shown = answer.context["secret"]
    assert answer.status_code == 200
    assert answer["Cache-Control"] == "no-store"
    assert shown in answer.content.decode()
    assert made.networks == ["203.0.113.0/24", "2001:db8::/32"]
    assert shown not in client.get(reverse("connection", args=[made.pk])).content.decode()


def test_a_refused_form_keeps_what_was_typed(cast: Few) -> None:
    typed = {"name": "防火牆", "purpose": "偵測", "rights": ["read"], "max_tlp": "AMBER", "days": "90", "networks": "x"}
    answer = browser(cast.admin).post(reverse("new_connection"), typed)
    assert answer.status_code == 422
    assert "防火牆" in answer.content.decode()
    assert not Token.objects.exists()


def test_pages_rotate_and_revoke(cast: Few) -> None:
    made, _ = token(cast.clock, cast.admin)
    client = browser(cast.admin)
    assert client.post(reverse("rotate_connection", args=[made.pk])).context["secret"]
    assert client.post(reverse("rotate_connection", args=[made.pk])).status_code == 422
    assert client.post(reverse("revoke_connection", args=[made.pk])).status_code == 302
    made.refresh_from_db()
    assert made.revoked_at is not None
