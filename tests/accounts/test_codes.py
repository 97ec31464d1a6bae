"""Codes of the second factor: each opens or signs one thing, once, within its window, and guessing ends."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, generate_totp_secret, hotp_value
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from lianfang.accounts.models import DutyGrant, SettingDecision, SignIn
from lianfang.audit.models import Entry
from lianfang.policy.facts import Duty
from tests.accounts.cast import Few
from tests.accounts.test_governance import propose
from tests.accounts.test_governance import setting as proposed_setting
from tests.accounts.test_pages import browser
from tests.world import PASSWORD, Actor

pytestmark = pytest.mark.django_db
STEP = 30


@pytest.fixture(autouse=True)
def _fresh_limits(db: None) -> None:
    cache.clear()


@pytest.fixture
def secret(cast: Few) -> str:
    """The administrator's app, whose secret the test knows."""
    Authenticator.objects.filter(user=cast.admin.account, type="totp").delete()
    made = generate_totp_secret()
    TOTP.activate(cast.admin.account, made)
    return made


def code(secret: str, *, steps: int = 0, at: float | None = None) -> str:
    """The code that the app shows now, or so many steps from now."""
    now = time.time() if at is None else at
    return format_hotp_value(hotp_value(secret, int(now) // STEP + steps))


def half_way(actor: Actor, address: str = "203.0.113.1") -> Client:
    """A browser at the question for the code: the password was right."""
    client = Client(HTTP_HOST="localhost", REMOTE_ADDR=address)
    answer = client.post(reverse("account_login"), {"login": actor.account.email, "password": PASSWORD})
    assert answer["Location"].startswith(reverse("mfa_authenticate"))
    return client


def enters(client: Client, typed: str) -> bool:
    """Whether a code opens the session."""
    return client.post(reverse("mfa_authenticate"), {"code": typed}).status_code == 302


@pytest.mark.parametrize(("steps", "opens"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_a_clock_may_be_off_by_one_step(
    cast: Few, secret: str, monkeypatch: pytest.MonkeyPatch, steps: int, opens: bool
) -> None:
    # The middle of a step, so that the test does not run over its edge.
    middle = int(time.time()) // STEP * STEP + STEP // 2
    monkeypatch.setattr(time, "time", lambda: float(middle))
    client = half_way(cast.admin)
    assert enters(client, code(secret, steps=steps, at=middle)) is opens
    assert (client.get("/me").status_code == 200) is opens
    assert SignIn.objects.filter(account=cast.admin.account).exists() is opens


@pytest.mark.parametrize("written", ["{0}{1}", "{0} {1}", " {0}{1} ", "{0}-{1}", "{0}\t{1}"])
def test_a_code_is_the_same_however_it_is_spaced(cast: Few, secret: str, written: str) -> None:
    shown = code(secret)
    assert enters(half_way(cast.admin), written.format(shown[:3], shown[3:]))


@pytest.mark.parametrize(
    ("first", "again"), [("{0}{1}", "{0}{1}"), ("{0}{1}", "{0} {1}"), ("{0} {1}", "{0}{1}"), ("{0}-{1}", " {0}{1}")]
)
def test_a_used_code_opens_nothing_more_however_it_is_spaced(cast: Few, secret: str, first: str, again: str) -> None:
    shown = code(secret)
    assert enters(half_way(cast.admin), first.format(shown[:3], shown[3:]))
    assert not enters(half_way(cast.admin, "203.0.113.2"), again.format(shown[:3], shown[3:]))


@pytest.mark.parametrize("later", [31, 45, 59])
def test_a_used_code_stays_used_for_as_long_as_it_would_be_accepted(
    cast: Few, secret: str, monkeypatch: pytest.MonkeyPatch, later: int
) -> None:
    # What lies in the cache runs out by the real clock, so the first use is put into the past.
    now = time.time()
    used = (now - later) // STEP * STEP + STEP - 1 if later < 45 else now - later
    monkeypatch.setattr(time, "time", lambda: used)
    shown = code(secret, steps=1, at=used)
    assert enters(half_way(cast.admin), shown)
    monkeypatch.setattr(time, "time", lambda: now)
    if shown in {code(secret, steps=steps, at=now) for steps in (-1, 0, 1)}:
        assert not enters(half_way(cast.admin, "203.0.113.2"), shown)
    assert enters(half_way(cast.admin, "203.0.113.3"), code(secret, steps=1, at=now))


def test_what_opened_the_session_signs_nothing_and_the_other_way_round(cast: Few, secret: str) -> None:
    shown = code(secret)
    client = half_way(cast.admin)
    assert enters(client, shown)
    leaves = reverse("person_leaves", args=[cast.deputy.affiliation.pk])
    assert client.post(leaves, {"second_factor_code": shown}).status_code == 422
    after = code(secret, steps=1)
    assert client.post(leaves, {"second_factor_code": after}).status_code == 302
    assert not enters(half_way(cast.admin, "203.0.113.2"), after)


def test_a_recovery_code_works_once_and_the_others_remain(cast: Few) -> None:
    codes = list(cast.admin.codes)
    assert enters(half_way(cast.admin), codes[0])
    assert not enters(half_way(cast.admin, "203.0.113.2"), codes[0])
    spaced = f"{codes[1][:4]} {codes[1][4:]}"
    assert enters(half_way(cast.admin, "203.0.113.3"), spaced)
    left = RecoveryCodes(Authenticator.objects.get(user=cast.admin.account, type="recovery_codes")).get_unused_codes()
    assert set(left) == set(codes) - set(codes[:2])


def test_new_recovery_codes_end_the_old_ones(cast: Few) -> None:
    old = list(cast.admin.codes)
    client = browser(cast.admin)
    answer = client.post(reverse("mfa_generate_recovery_codes"))
    assert answer.status_code == 302
    assert not enters(half_way(cast.admin), old[0])
    made = RecoveryCodes(Authenticator.objects.get(user=cast.admin.account, type="recovery_codes")).get_unused_codes()
    assert set(made).isdisjoint(old)
    assert enters(half_way(cast.admin, "203.0.113.2"), made[0])


def test_somebody_elses_code_opens_nothing(cast: Few, secret: str) -> None:
    for typed in (cast.deputy.codes[0], cast.member.codes[0]):
        assert not enters(half_way(cast.admin), typed)
    assert enters(half_way(cast.deputy, "203.0.113.2"), cast.deputy.codes[0])


def test_five_wrong_codes_close_the_question_from_every_address(cast: Few, secret: str) -> None:
    clients = [half_way(cast.admin, f"203.0.113.{number}") for number in range(1, 8)]
    for client in clients[:5]:
        assert not enters(client, "000000")
    for typed in (code(secret), cast.admin.codes[0]):
        assert not enters(clients[5], typed), "even the right one must wait"
    assert enters(half_way(cast.deputy, "203.0.113.9"), cast.deputy.codes[0]), "nobody else waits"


def test_wrong_signatures_count_with_wrong_codes_at_sign_in(cast: Few, secret: str) -> None:
    client = browser(cast.admin)
    leaves = reverse("person_leaves", args=[cast.deputy.affiliation.pk])
    for number in range(5):
        assert client.post(leaves, {"second_factor_code": f"00000{number}"}).status_code == 422
    assert client.post(leaves, {"second_factor_code": code(secret)}).status_code == 422
    assert not enters(half_way(cast.admin), code(secret, steps=1))
    cast.deputy.affiliation.refresh_from_db()
    assert cast.deputy.affiliation.left_at is None


def test_a_right_code_forgives_the_wrong_ones_before_it(cast: Few, secret: str) -> None:
    for number in range(4):
        assert not enters(half_way(cast.admin, f"203.0.113.{number}"), "000000")
    assert enters(half_way(cast.admin, "203.0.113.8"), code(secret))
    for number in range(4):
        assert not enters(half_way(cast.admin, f"203.0.113.1{number}"), "000000")
    assert enters(half_way(cast.admin, "203.0.113.20"), code(secret, steps=1))


def test_trying_a_used_code_counts_as_wrong(cast: Few, secret: str) -> None:
    shown = code(secret)
    assert enters(half_way(cast.admin), shown)
    for number in range(5):
        assert not enters(half_way(cast.admin, f"203.0.113.3{number}"), shown)
    assert not enters(half_way(cast.admin, "203.0.113.40"), code(secret, steps=1))


@pytest.mark.parametrize(
    "typed", ["", " ", "0", "12345", "1234567", "abcdef", "１２３４５６", "000000\x00", "9" * 100_000]
)
def test_what_is_no_code_is_told_at_its_field(cast: Few, secret: str, typed: str) -> None:
    client = half_way(cast.admin)
    answer = client.post(reverse("mfa_authenticate"), {"code": typed})
    assert answer.status_code == 200
    assert answer.context["form"].errors["code"]
    assert client.get("/me").status_code == 302


def test_the_question_for_the_code_needs_the_password_first(cast: Few, secret: str) -> None:
    client = Client(HTTP_HOST="localhost")
    answer = client.post(reverse("mfa_authenticate"), {"code": code(secret)})
    assert answer["Location"].startswith("/account/login/")
    assert client.get("/me").status_code == 302


def test_a_password_alone_is_half_a_session(cast: Few, secret: str) -> None:
    client = half_way(cast.admin)
    for page in ("/me", "/member", reverse("people"), reverse("mfa_index"), reverse("account_change_password")):
        assert client.get(page)["Location"].startswith("/account/login/"), page


# What is signed


def signed(cast: Few) -> dict[str, tuple[Actor, str, dict[str, str]]]:
    """Every page of this app on which a decision is signed: who decides, where, and what else is typed."""
    grant = propose(cast, Duty.LEGAL)
    held = DutyGrant.objects.get(duty="analyst", state="granted")
    proposal = proposed_setting(cast, 10)
    return {
        "grant a duty": (cast.staff["granter2"], reverse("decide_duty", args=[grant.pk]), {"act": "grant"}),
        "end a duty": (cast.staff["granter1"], reverse("leave_duty", args=[held.pk]), {}),
        "approve a setting": (
            cast.staff["approver2"], reverse("decide_setting", args=[proposal.pk]), {"act": "approve"},
        ),
        "let somebody leave": (cast.admin, reverse("person_leaves", args=[cast.deputy.affiliation.pk]), {}),
    }  # fmt: skip


def test_every_decision_asks_for_a_code_of_the_one_who_decides(cast: Few) -> None:
    before = Entry.objects.filter(tag="accounts:factor:confirm").count()
    for deed, (actor, path, typed) in signed(cast).items():
        client = browser(actor)
        other = cast.member.codes[0]
        for wrong in ({}, {"second_factor_code": ""}, {"second_factor_code": other}):
            answer = client.post(path, {**typed, **wrong})
            assert answer.status_code == 422, deed
            assert answer.context["refusal"].rule == "signature", deed
        assert client.post(path, {**typed, "second_factor_code": actor.code()}).status_code == 302, deed
    assert SettingDecision.objects.get().state == "approved"
    assert Entry.objects.filter(tag="accounts:factor:confirm").count() == before + 4


def test_a_code_spent_on_a_decision_that_is_refused_is_spent(cast: Few) -> None:
    grant = propose(cast, Duty.LEGAL)
    first, spent = browser(cast.staff["granter1"]), cast.staff["granter1"].code()
    path = reverse("decide_duty", args=[grant.pk])
    answer = first.post(path, {"act": "grant", "second_factor_code": spent})
    assert answer.status_code == 422, "who proposed does not grant"
    held = DutyGrant.objects.get(duty="analyst", state="granted")
    assert first.post(reverse("leave_duty", args=[held.pk]), {"second_factor_code": spent}).status_code == 422
    held.refresh_from_db()
    assert held.state == "granted"


def test_a_session_without_the_second_factor_is_led_to_it_before_it_can_sign(cast: Few) -> None:
    client = browser(cast.admin, mfa=False)
    path = reverse("person_leaves", args=[cast.deputy.affiliation.pk])
    answer = client.post(path, {"second_factor_code": cast.admin.code()})
    assert answer["Location"].startswith(reverse("mfa_reauthenticate"))
    cast.deputy.affiliation.refresh_from_db()
    assert cast.deputy.affiliation.left_at is None


def test_confirming_again_opens_the_planes_for_this_session_alone(cast: Few) -> None:
    client, other = browser(cast.admin, mfa=False), browser(cast.admin, mfa=False)
    assert client.get(reverse("people")).status_code == 302
    answer = client.post(f"{reverse('mfa_reauthenticate')}?next=/member/connections", {"code": cast.admin.code()})
    assert answer["Location"] == "/member/connections"
    assert client.get(reverse("people")).status_code == 200
    assert other.get(reverse("people")).status_code == 302


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:1"])
def test_confirming_again_leads_nowhere_else(cast: Few, elsewhere: str) -> None:
    client = browser(cast.admin, mfa=False)
    answer = client.post(reverse("mfa_reauthenticate"), {"code": cast.admin.code(), "next": elsewhere})
    assert answer.status_code == 302
    assert "evil" not in answer["Location"]
    assert not answer["Location"].startswith("javascript")


def test_a_session_whose_factor_was_taken_away_is_no_longer_strong(cast: Few) -> None:
    client = browser(cast.admin)
    assert client.get(reverse("people")).status_code == 200
    Authenticator.objects.filter(user=cast.admin.account).delete()
    assert client.get(reverse("people"))["Location"].startswith("/account/second-factor")
    RecoveryCodes.activate(cast.admin.account)
    assert client.get(reverse("people")).status_code == 302, "recovery codes alone are no second factor"


def test_a_sign_in_is_kept_by_the_minute_it_happened_and_without_the_address(cast: Few) -> None:
    before = cast.clock.at
    assert enters(half_way(cast.admin, "203.0.113.77"), cast.admin.code())
    kept = SignIn.objects.get(account=cast.admin.account)
    assert kept.second_factor
    assert kept.at > before - timedelta(days=36_500)
    entry = Entry.objects.get(tag="accounts:session:open")
    assert "203.0.113.77" not in str(entry.detail)
    assert {field.name for field in SignIn._meta.fields} == {"id", "account", "at", "second_factor"}
