"""Guessing ends: by address however it is typed and whatever the request says of itself, and by network address."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from django.conf import settings as django_settings
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from hypothesis import given, settings
from hypothesis import strategies as st

from lianfang.accounts import actions
from lianfang.accounts.models import Account, Person
from lianfang.accounts.queries import canonical_address, person_by_email
from lianfang.kernel.refusal import Refusal
from lianfang.outbox.models import Delivery
from lianfang.policy.facts import Role
from tests.accounts.cast import Few
from tests.accounts.test_pages import browser
from tests.world import PASSWORD, SYSTEM

pytestmark = pytest.mark.django_db
calm = settings(deadline=None, max_examples=150)
ADDRESS = "member@m1.example"


@pytest.fixture(autouse=True)
def _fresh_limits(db: None) -> None:
    cache.clear()


def try_(password: str, *, login: str = ADDRESS, client: str = "203.0.113.1", host: str = "localhost") -> str:
    """One attempt with a browser of its own: `in` (to the second factor), `wrong`, `wait`."""
    fresh = Client(HTTP_HOST=host, REMOTE_ADDR=client)
    answer = fresh.post(reverse("account_login"), {"login": login, "password": password})
    if answer.status_code == 302:
        return "in"
    if answer.status_code == 429:
        return "wait"
    said = str(answer.context["form"].errors)
    return "wait" if "太多" in said or "稍" in said else "wrong"


def lock(login: str = ADDRESS) -> None:
    """Five wrong passwords, each from another network address."""
    assert [try_(f"wrong {n}", login=login, client=f"198.51.100.{n}") for n in range(5)] == ["wrong"] * 5


def test_after_five_wrong_passwords_the_right_one_must_wait_too(cast: Few) -> None:
    lock()
    assert try_(PASSWORD) == "wait"
    assert try_(PASSWORD, login="admin@m1.example") == "in", "nobody else waits"


@pytest.mark.parametrize(
    "typed",
    ["MEMBER@m1.example", "Member@M1.Example", " member@m1.example ", "\tmember@m1.example", "member@m1.example\n"],
)
def test_no_other_spelling_of_an_address_has_a_count_of_its_own(cast: Few, typed: str) -> None:
    assert try_(PASSWORD, login=typed) == "in", "it is the same address"
    lock(login=typed)
    assert try_(PASSWORD) == "wait"
    cache.clear()
    lock()
    assert try_(PASSWORD, login=typed) == "wait"


@pytest.mark.parametrize(
    "typed",
    ["ｍember@m1.example", "member@ｍ1.example", "ｍｅｍｂｅｒ＠m1.example", "member@m1。example", "member@m1.example.",
     "member+x@m1.example", '"member"@m1.example', "member@m1.example\x00", "ｍember@m1．example"],
)  # fmt: skip
def test_what_only_looks_like_an_address_opens_nothing(cast: Few, typed: str) -> None:
    assert try_(PASSWORD, login=typed) == "wrong"


@pytest.mark.parametrize("typed", ["adm\u0131n@m1.example", "ADM\u0130N@m1.example", "adm\u00edn@m1.example"])
def test_letters_that_a_database_takes_for_others_open_nothing(cast: Few, typed: str) -> None:
    assert try_(PASSWORD, login="admin@m1.example") == "in"
    assert try_(PASSWORD, login=typed) == "wrong"


@pytest.mark.parametrize("host", ["localhost:1", "localhost:65000", "127.0.0.1", "127.0.0.1:8443", "LOCALHOST"])
def test_the_host_that_a_request_claims_buys_no_further_attempt(cast: Few, host: str) -> None:
    lock()
    assert try_(PASSWORD, host=host) == "wait"


@pytest.mark.parametrize(
    "header", ["HTTP_X_FORWARDED_FOR", "HTTP_X_REAL_IP", "HTTP_FORWARDED", "HTTP_CF_CONNECTING_IP", "HTTP_CLIENT_IP"]
)
def test_no_header_is_believed_about_where_a_request_comes_from(cast: Few, header: str) -> None:
    answers = []
    for number in range(22):
        client = Client(HTTP_HOST="localhost", REMOTE_ADDR="203.0.113.1", **{header: f"192.0.2.{number}"})
        typed = {"login": f"nobody{number}@m1.example", "password": "wrong"}
        answers.append(client.post(reverse("account_login"), typed))
    assert [answer.status_code for answer in answers[:20]] == [200] * 20
    last = answers[-1]
    assert last.status_code == 429 or "form" in last.context
    assert try_(PASSWORD) == "wait", "one network address has had its twenty"
    assert try_(PASSWORD, client="203.0.113.2") == "in"


def test_other_methods_do_not_sign_in_and_do_not_pass_the_limit(cast: Few) -> None:
    lock()
    client = Client(HTTP_HOST="localhost")
    typed = {"login": ADDRESS, "password": PASSWORD}
    for method in (client.put, client.patch, client.delete):
        answer = method(reverse("account_login"), typed, content_type="application/x-www-form-urlencoded")
        assert answer.status_code in (200, 405)
    client.get(reverse("account_login"), typed)
    client.post(reverse("account_login"), typed, content_type="application/json")
    client.post(reverse("account_login"), typed, headers={"Accept": "application/json"})
    client.post(reverse("account_login"), typed, headers={"X-Requested-With": "XMLHttpRequest"})
    assert client.get("/me").status_code == 302
    assert client.get(reverse("mfa_authenticate"))["Location"].startswith("/account/login/")


def test_basic_authentication_with_a_password_opens_no_machine_door(cast: Few) -> None:
    import base64

    given_ = base64.b64encode(f"{ADDRESS}:{PASSWORD}".encode()).decode()
    answer = Client(HTTP_HOST="localhost").get("/taxii2/", headers={"Authorization": f"Basic {given_}"})
    assert answer.status_code == 401


@pytest.mark.parametrize("hours", [-1, 1])
def test_the_lock_lasts_a_quarter_of_an_hour_whatever_the_database_clock_says(
    cast: Few, monkeypatch: pytest.MonkeyPatch, hours: int
) -> None:
    from lianfang.members import middleware

    lock()
    real = middleware.database_clock()
    from datetime import timedelta

    monkeypatch.setattr(middleware, "database_clock", lambda: real + timedelta(hours=hours))
    assert try_(PASSWORD) == "wait"


@pytest.mark.parametrize(("minutes", "answer"), [(14, "wait"), (16, "in")])
def test_the_lock_ends_by_itself(cast: Few, monkeypatch: pytest.MonkeyPatch, minutes: int, answer: str) -> None:
    now = time.time()
    # The wrong attempts are put into the past, as entries of the cache run out by the real clock.
    for number in range(5):
        monkeypatch.setattr(time, "time", lambda number=number: now - minutes * 60 + number)
        try_(f"wrong {number}", client=f"198.51.100.{number}")
    monkeypatch.setattr(time, "time", lambda: now)
    assert try_(PASSWORD) == answer


def test_a_right_password_does_not_open_the_count_for_a_guesser(cast: Few) -> None:
    # Somebody who owns one account cannot sign in with it in between to go on guessing another.
    for number in range(5):
        assert try_(f"wrong {number}", client=f"198.51.100.{number}") == "wrong"
        assert try_(PASSWORD, login="admin@m1.example", client=f"198.51.100.{number}") == "in"
    assert try_(PASSWORD) == "wait"


def test_nobody_unlocks_an_address_by_filling_the_cache(cast: Few) -> None:
    lock()
    assert django_settings.CACHES["default"]["OPTIONS"]["MAX_ENTRIES"] >= 100_000
    for number in range(330):
        cache.set(f"somebody-{number}", number, 600)
    assert try_(PASSWORD) == "wait"
    assert sum(cache.get(f"somebody-{number}") is not None for number in range(330)) == 330


@pytest.mark.parametrize("name", ["account_reset_password", "accounts_lost_factor"])
def test_links_are_mailed_to_an_address_only_so_often(cast: Few, name: str) -> None:
    spellings = ("member@m1.example", "MEMBER@m1.example", "Member@M1.EXAMPLE")
    answers = []
    for number in range(8):
        client = Client(HTTP_HOST=f"localhost:{1000 + number}", REMOTE_ADDR=f"198.51.100.{number}")
        answers.append(client.post(reverse(name), {"email": spellings[number % 3]}).status_code)
    kind = "password_reset" if name == "account_reset_password" else "lost_factor"
    assert Delivery.objects.filter(kind=kind).count() == answers.count(answers[0]) <= 5
    assert answers[-1] == 429


def test_the_limit_of_links_is_the_same_for_an_address_that_nobody_has(cast: Few) -> None:
    for name in ("account_reset_password", "accounts_lost_factor"):
        seen: dict[str, list[int]] = {}
        for address in (ADDRESS, "nobody@m1.example"):
            cache.clear()
            seen[address] = [
                Client(HTTP_HOST="localhost", REMOTE_ADDR=f"198.51.100.{number}")
                .post(reverse(name), {"email": address})
                .status_code
                for number in range(8)
            ]
        assert seen[ADDRESS] == seen["nobody@m1.example"], name


# One form of an address


@calm
@given(st.text(max_size=40))
def test_an_address_has_one_form(typed: str) -> None:
    found = canonical_address(typed)
    assert canonical_address(f"  {typed}\n") == found
    assert canonical_address(canonical_address(typed)) == canonical_address(found)


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("Lin@Member.Example", "lin@member.example"),
        ("  lin@member.example\t", "lin@member.example"),
        ("lin＠member．example", "lin@member.example"),
        ("ｌｉｎ@ｍember.example", "lin@member.example"),
        ("lin@xn--fiq228c.example", "lin@xn--fiq228c.example"),
    ],
)
def test_a_person_is_kept_under_that_form(cast: Few, typed: str, kept: str) -> None:
    person = actions.person_enter(name="林樣本", email=typed, by=SYSTEM, at=cast.clock.tick())
    assert person.email == kept
    assert person_by_email(typed) == person_by_email(kept) == person


@pytest.mark.parametrize(
    "typed",
    ["", " ", "@", "lin", "lin@", "@m1.example", "a@b@m1.example", "lin@m1..example", "lin @m1.example",
     "adm\u0131n@m1.example", "lin@m\u0131.example", "lín@m1.example", "lin@中文.example", "林@m1.example",
     "lin@m1.example\r\nBcc: x@x.example", "x" * 250 + "@m1.example", "lin@" + "a." * 130 + "example",
     "lin@m1.example,wu@m1.example", "林樣本 <lin@m1.example>", "lin\x00@m1.example"],
)  # fmt: skip
def test_an_address_that_could_be_taken_for_another_or_gets_no_mail_is_refused(cast: Few, typed: str) -> None:
    before = Person.objects.count()
    with pytest.raises(Refusal) as refused:
        actions.person_enter(name="林樣本", email=typed, by=SYSTEM, at=cast.clock.tick())
    assert refused.value.field == "email"
    assert Person.objects.count() == before


def test_the_longest_address_joins_and_one_letter_more_is_told_at_the_form(cast: Few) -> None:
    client = browser(cast.admin)
    for length, status in ((254, 302), (255, 422)):
        address = "lin@" + ("a" * 58 + ".") * 4
        address += "b" * (length - len(address) - len(".example")) + ".example"
        typed = {"organization": str(cast.organization.pk), "name": "林樣本", "email": address, "role": "member"}
        answer = client.post(reverse("invite"), typed)
        assert (len(address), answer.status_code) == (length, status)
        if status == 422:
            assert "email" in answer.context["form"].errors
    person = next(one for one in Person.objects.order_by("-created_at")[:3] if len(one.email) == 254)
    _, path = actions.resend(
        invitation=person.affiliations.get().invitations.get(), by=cast.admin.subject(), at=cast.clock.tick()
    )
    assert Account.objects.filter(person=person).count() == 0
    from tests.world import join

    assert join(cast.clock, path).account.email == person.email


def test_two_accounts_never_differ_by_their_capital_letters(cast: Few) -> None:
    person = actions.person_enter(name="林", email="MEMBER@M1.example", by=SYSTEM, at=cast.clock.tick())
    assert person == cast.member.person
    with pytest.raises(Refusal, match="already acts"):
        actions.invite(
            person=person, organization=cast.organization, group=cast.organization, role=Role.MEMBER, by=SYSTEM,
            at=cast.clock.tick(),
        )  # fmt: skip
    found = [account.email for account in Account.objects.all()]
    assert len({address.lower() for address in found}) == len(found)


@pytest.mark.parametrize("turned", [str.upper, str.title, lambda text: f" {text}\u3000"])
def test_the_first_two_are_two_people(cast: Few, turned: Callable[[str], str]) -> None:
    with pytest.raises(Refusal) as refused:
        actions.bootstrap(emails=("a@x.example", turned("a@x.example")), at=cast.clock.tick())
    assert refused.value.rule in {"bootstrap-two", "bootstrap-once"}
