"""Passwords and sessions: what a password must be, when a session gets a new name, and what ends it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from config import settings as product
from lianfang.accounts import actions
from lianfang.accounts.models import Account, SignIn
from lianfang.audit.models import Entry
from lianfang.kernel.clock import utcnow
from lianfang.outbox.models import Delivery
from lianfang.policy.facts import Role
from tests.accounts.cast import Few
from tests.accounts.test_pages import browser
from tests.accounts.test_sign_in import signed_in
from tests.world import PASSWORD, SYSTEM

pytestmark = pytest.mark.django_db
NEW = "quite another long sentence"


@pytest.fixture(autouse=True)
def _fresh_limits(db: None) -> None:
    cache.clear()


def at_password_page(cast: Few) -> Client:
    """The administrator's own browser."""
    return signed_in(cast.admin)


def change(client: Client, new: str, *, old: str = PASSWORD, again: str | None = None) -> int:
    """Post the form of one's own password."""
    typed = {"oldpassword": old, "password1": new, "password2": new if again is None else again}
    return client.post(reverse("account_change_password"), typed).status_code


# Passwords

BAD = {
    "too short": "kurz-1234-x", "eleven": "x" * 5 + "Y7-q2t", "common word": "password1234",
    "one's address": "admin@m1.example", "empty": "", "blank": "            ",
}  # fmt: skip


@pytest.mark.parametrize("why", sorted(BAD))
def test_a_password_that_can_be_guessed_is_refused_on_every_page_that_sets_one(cast: Few, why: str) -> None:
    bad = BAD[why]
    if why == "blank":
        # Blanks are characters like others; only their number is asked for.
        assert change(at_password_page(cast), bad) in (200, 302)
        return
    client = at_password_page(cast)
    answer = client.post(
        reverse("account_change_password"), {"oldpassword": PASSWORD, "password1": bad, "password2": bad}
    )
    assert answer.status_code == 200
    assert {"password1", "password2"} & set(answer.context["form"].errors)
    person = actions.person_enter(name="吳新人", email="admin2@m1.example", by=SYSTEM, at=utcnow())
    _, path = actions.invite(
        person=person, organization=cast.organization, group=cast.organization, role=Role.MEMBER, by=SYSTEM, at=utcnow()
    )
    answer = browser(None).post(path, {"password": bad})
    assert answer.status_code == 422
    assert "password" in answer.context["form"].errors
    assert not Account.objects.filter(person=person).exists()
    cast.admin.account.refresh_from_db()
    assert cast.admin.account.check_password(PASSWORD)


@pytest.mark.parametrize(
    "good",
    ["x7Rq-pl0w-Zk", "這是一句很長但容易記得的話喔", " leading and trailing ", "пароль-длинный-7", "🔑🔑🔑 keys keys",
     "a" * 4000 + "7"],
)  # fmt: skip
def test_any_characters_make_a_password_and_none_is_cut(cast: Few, good: str) -> None:
    assert change(at_password_page(cast), good) == 302
    cast.admin.account.refresh_from_db()
    assert cast.admin.account.check_password(good)
    assert not cast.admin.account.check_password(good[:-1])
    assert not cast.admin.account.check_password(good.strip() + "x")


def test_the_old_password_is_asked_for_and_both_new_ones_agree(cast: Few) -> None:
    client = at_password_page(cast)
    assert change(client, NEW, old="not the old one") == 200
    assert change(client, NEW, again=f"{NEW}x") == 200
    cast.admin.account.refresh_from_db()
    assert cast.admin.account.check_password(PASSWORD)
    assert not Entry.objects.filter(tag="accounts:password:change").exists()


def test_passwords_are_kept_by_argon2_and_never_in_clear(cast: Few) -> None:
    assert product.PASSWORD_HASHERS == ["django.contrib.auth.hashers.Argon2PasswordHasher"]
    made = Argon2PasswordHasher().encode("a long sentence", "saltsaltsalt")
    assert made.startswith("argon2$argon2id$")
    assert change(at_password_page(cast), NEW) == 302
    assert NEW not in str(list(Account.objects.values())) + str(list(Entry.objects.values()))
    assert all(NEW not in mail.body_text for mail in Delivery.objects.filter(kind="account_changed"))


def test_looking_at_a_password_writes_nothing(cast: Few) -> None:
    # Django's own comparison would store a stronger hash, outside of every action.
    account = cast.admin.account
    stale = "pbkdf2_sha256$1$salt$x"
    account.password = stale
    assert not account.check_password("anything")
    assert account.password == stale
    assert "last_login" not in {field.name for field in Account._meta.fields}


# Sessions


def test_signing_in_gives_the_session_a_new_name_each_time(cast: Few) -> None:
    client = Client(HTTP_HOST="localhost")
    client.get(reverse("account_login"))
    session = client.session
    session["planted"] = "by somebody else"
    session.save()
    client.cookies["session"] = session.session_key
    planted = session.session_key
    client.post(reverse("account_login"), {"login": cast.admin.account.email, "password": PASSWORD})
    half = client.session.session_key
    client.post(reverse("mfa_authenticate"), {"code": cast.admin.code()})
    whole = client.session.session_key
    assert whole not in (planted, half)
    assert client.get(reverse("people")).status_code == 200
    for old in {planted, half}:
        thief = Client(HTTP_HOST="localhost")
        thief.cookies["session"] = old
        assert thief.get("/me").status_code == 302


def test_a_session_of_somebody_else_is_not_taken_over(cast: Few) -> None:
    client = browser(cast.member)
    before = client.session.session_key
    client.logout()
    client.post(reverse("account_login"), {"login": cast.admin.account.email, "password": PASSWORD})
    client.post(reverse("mfa_authenticate"), {"code": cast.admin.code()})
    assert client.session.session_key != before
    assert client.session["_auth_user_id"] == str(cast.admin.account.pk)


def test_the_cookie_of_a_session_is_for_this_site_alone_and_not_for_scripts(cast: Few) -> None:
    client = signed_in(cast.admin)
    cookie = client.cookies["session"]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert not cookie["domain"]
    assert cookie["path"] == "/"
    assert not cookie["max-age"], "it ends with the browser"
    assert product.SESSION_COOKIE_AGE <= 8 * 3600


def test_signing_out_ends_the_session_on_this_side_too(cast: Few) -> None:
    client = signed_in(cast.admin)
    key = client.session.session_key
    assert client.get(reverse("account_logout")).status_code == 200, "a link alone signs nobody out"
    assert client.get("/me").status_code == 200
    assert client.post(reverse("account_logout")).status_code == 302
    assert not Session.objects.filter(session_key=key).exists()
    thief = Client(HTTP_HOST="localhost")
    thief.cookies["session"] = key
    assert thief.get("/me").status_code == 302


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:1"])
def test_signing_in_and_out_leads_nowhere_else(cast: Few, elsewhere: str) -> None:
    client = Client(HTTP_HOST="localhost")
    typed = {"login": cast.admin.account.email, "password": PASSWORD, "next": elsewhere}
    answer = client.post(reverse("account_login"), typed)
    assert "evil" not in answer["Location"]
    answer = client.post(reverse("mfa_authenticate"), {"code": cast.admin.code()})
    assert answer["Location"] == "/home"
    assert "evil" not in client.post(reverse("account_logout"), {"next": elsewhere})["Location"]


def test_signing_in_leads_back_to_where_one_was_going(cast: Few) -> None:
    client = Client(HTTP_HOST="localhost")
    step = client.get(reverse("connections"))["Location"]
    client.post(step, {"login": cast.admin.account.email, "password": PASSWORD, "next": reverse("connections")})
    answer = client.post(reverse("mfa_authenticate"), {"code": cast.admin.code()})
    assert answer["Location"] == reverse("connections")


def test_a_new_password_ends_every_other_session_and_keeps_this_one(cast: Few) -> None:
    others = [signed_in(cast.admin) for _ in range(2)]
    client = at_password_page(cast)
    before = client.session.session_key
    assert change(client, NEW) == 302
    assert client.get("/me").status_code == 200
    assert client.session.session_key != before
    assert all(other.get("/me").status_code == 302 for other in others)


def test_a_password_reset_by_mail_ends_every_session_and_signs_nobody_in(cast: Few) -> None:
    client = browser(cast.member)
    assert client.get("/me").status_code == 200
    stranger = Client(HTTP_HOST="localhost")
    stranger.post(reverse("account_reset_password"), {"email": cast.member.account.email})
    path = Delivery.objects.get(kind="password_reset").body_text.split("http://localhost:8000")[1].split()[0]
    where = stranger.get(path, follow=True).redirect_chain[-1][0]
    assert path.rsplit("-", 1)[1].strip("/") not in where, "the key does not stand in the address of the form"
    assert stranger.post(where, {"password1": "short", "password2": "short"}).status_code == 200
    assert stranger.post(where, {"password1": NEW, "password2": NEW}).status_code == 302
    assert stranger.get("/me").status_code == 302, "the mailbox alone is not enough to be let in"
    assert client.get("/me").status_code == 302
    assert Entry.objects.filter(tag="accounts:password:change").count() == 1
    told = [mail.body_text for mail in Delivery.objects.filter(kind="account_changed")]
    assert any("密碼已重設" in text for text in told)


def test_a_reset_link_dies_with_the_next_change_and_with_every_other_one(cast: Few) -> None:
    paths = []
    for number in range(2):
        Client(HTTP_HOST="localhost", REMOTE_ADDR=f"203.0.113.{number}").post(
            reverse("account_reset_password"), {"email": cast.member.account.email}
        )
    for mail in Delivery.objects.filter(kind="password_reset"):
        paths.append(mail.body_text.split("http://localhost:8000")[1].split()[0])
    assert len(paths) == 2
    actions.change_password(
        account=cast.member.account, password=NEW, by=actions.acting(cast.member.account), at=cast.clock.tick()
    )
    for path in paths:
        assert "這個連結已失效" in Client(HTTP_HOST="localhost").get(path, follow=True).content.decode()


def test_a_reset_link_of_one_account_is_none_of_another(cast: Few) -> None:
    Client(HTTP_HOST="localhost").post(reverse("account_reset_password"), {"email": cast.member.account.email})
    path = Delivery.objects.get(kind="password_reset").body_text.split("http://localhost:8000")[1].split()[0]
    swapped = path.replace(cast.member.account.pk.hex, cast.admin.account.pk.hex)
    assert swapped != path
    assert "這個連結已失效" in Client(HTTP_HOST="localhost").get(swapped, follow=True).content.decode()


@pytest.mark.parametrize("tail", ["0-x", "zz-set-password", "0" * 200 + "-x", "9a-%00", "x-y-z", "0-%ED%A0%80"])
def test_a_reset_link_of_nobody_is_told_in_words(cast: Few, tail: str) -> None:
    client = Client(HTTP_HOST="localhost")
    answer = client.get(f"/account/password/reset/key/{tail}/", follow=True)
    assert answer.status_code in (200, 404)
    if answer.status_code == 200:
        assert "這個連結已失效" in answer.content.decode()


def test_devices_are_listed_and_ended_by_their_owner_alone(cast: Few) -> None:
    mine, other, theirs = signed_in(cast.admin), signed_in(cast.admin), signed_in(cast.deputy)
    for client in (mine, other, theirs):
        client.get("/me")
    page = mine.get(reverse("usersessions_list"))
    assert page.status_code == 200
    assert len(page.context["sessions"]) == 2
    assert mine.post(reverse("usersessions_list")).status_code == 302
    assert mine.get("/me").status_code == 200
    assert other.get("/me").status_code == 302
    assert theirs.get("/me").status_code == 200
    assert UserSession.objects.filter(user=cast.deputy.account).count() == 1


def test_a_closed_account_is_out_at_the_next_request_and_does_not_come_in(cast: Few) -> None:
    client = browser(cast.member)
    assert client.get("/me").status_code == 200
    account = cast.member.account
    account.is_active = False
    account.save(update_fields=["is_active"])
    assert client.get("/me").status_code == 302
    answer = Client(HTTP_HOST="localhost").post(
        reverse("account_login"), {"login": account.email, "password": PASSWORD}
    )
    assert answer["Location"] == reverse("account_inactive")
    before = Delivery.objects.count()
    for name in ("account_reset_password", "accounts_lost_factor"):
        Client(HTTP_HOST="localhost").post(reverse(name), {"email": account.email})
    assert Delivery.objects.count() == before
    assert not SignIn.objects.filter(account=account).exists()


def test_adding_and_removing_a_factor_is_mailed_and_recorded(
    cast: Few, django_capture_on_commit_callbacks: Any
) -> None:
    client = signed_in(cast.admin)
    assert client.post(reverse("mfa_deactivate_totp")).status_code == 302
    page = client.get(reverse("mfa_activate_totp")).content.decode()
    secret = re.search(r"data-copy-text>\s*([A-Z2-7]+)", page)
    assert secret is not None
    assert client.post(reverse("mfa_activate_totp"), {"code": "000000"}).status_code == 200
    from tests.accounts.test_codes import code

    with django_capture_on_commit_callbacks(execute=True):
        assert client.post(reverse("mfa_activate_totp"), {"code": code(secret[1])}).status_code == 302
    told = "".join(mail.body_text for mail in Delivery.objects.filter(kind="account_changed"))
    for words in ("已移除驗證器App", "已新增驗證器App"):
        assert words in told
    tags = Entry.objects.filter(tag__startswith="accounts:factor:").values_list("tag", flat=True)
    assert {"accounts:factor:add", "accounts:factor:remove"} <= set(tags)
    kept = Authenticator.objects.get(user=cast.admin.account, type="totp")
    assert secret[1] not in str(kept.data)


@pytest.mark.parametrize("name", ["mfa_activate_totp", "mfa_deactivate_totp", "mfa_generate_recovery_codes",
                                  "mfa_add_webauthn", "account_change_password"])  # fmt: skip
def test_what_changes_the_way_in_asks_again_after_a_while(cast: Few, name: str) -> None:
    client = browser(cast.admin)
    if name == "mfa_activate_totp":
        Authenticator.objects.filter(user=cast.admin.account, type="totp").delete()
    assert client.get(reverse(name)).status_code == 200
    session = client.session
    records = session["account_authentication_methods"]
    session["account_authentication_methods"] = [{**one, "at": one["at"] - 3600} for one in records]
    session.save()
    answer = client.get(reverse(name))
    if name == "account_change_password":
        assert answer.status_code == 200, "the old password itself is asked for"
    else:
        assert answer.status_code == 302
        assert "reauthenticate" in answer["Location"]
