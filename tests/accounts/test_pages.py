"""Every page of the app, in both languages, for those who may open it."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse

from lianfang.accounts import actions
from lianfang.accounts.models import DutyGrant, FactorReset, SettingDecision
from lianfang.kernel.clock import utcnow
from lianfang.policy.facts import Duty, Role
from tests.accounts.cast import Few
from tests.world import SYSTEM, Actor, confirm_factor, token

pytestmark = pytest.mark.django_db
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


def browser(actor: Actor | None, *, language: str = "zh-hant", mfa: bool = True) -> Client:
    client = Client(HTTP_HOST="localhost")
    client.cookies["language"] = language
    if actor is not None:
        client.force_login(actor.account, backend=BACKEND)
        confirm_factor(client, actor.account, mfa=mfa)
    return client


@pytest.mark.parametrize("language", ["zh-hant", "en"])
def test_every_page_of_an_administrator(cast: Few, language: str) -> None:
    made, _ = token(cast.clock, cast.admin)
    actions.ask_factor_reset(account=cast.member.account, at=cast.clock.tick())
    reset = FactorReset.objects.get()
    client = browser(cast.admin, language=language)
    pages = [
        reverse("people"), reverse("invite"), reverse("change_role", args=[cast.member.affiliation.pk]),
        reverse("person_leaves", args=[cast.deputy.affiliation.pk]), reverse("connections"),
        reverse("new_connection"), reverse("connection", args=[made.pk]), reverse("accounts_helping"),
        reverse("accounts_help_one", args=[reset.pk]), reverse("confidentiality"), reverse("mfa_index"),
        reverse("account_change_password"), reverse("usersessions_list"), reverse("mfa_list_webauthn"),
        reverse("mfa_add_webauthn"), reverse("mfa_generate_recovery_codes"), reverse("mfa_view_recovery_codes"),
        reverse("mfa_deactivate_totp"), reverse("account_reauthenticate"), reverse("mfa_reauthenticate"),
        reverse("account_logout"),
    ]  # fmt: skip
    for path in pages:
        answer = client.get(path)
        assert answer.status_code == 200, (path, answer.status_code)
        _is_clean(path, answer.content.decode(), language)


@pytest.mark.parametrize("language", ["zh-hant", "en"])
def test_every_page_of_a_duty_granter_and_an_approver(cast: Few, language: str) -> None:
    first, approver = cast.staff["granter1"], cast.staff["approver"]
    proposal = actions.propose_duty(
        person=cast.staff["reviewer"].person, duty=Duty.LEGAL, reason="代理", by=first.subject(), at=cast.clock.tick()
    )
    held = DutyGrant.objects.filter(duty="analyst", state="granted").get()
    actions.propose_setting(
        name="invitation_days", value=10, effective_at=cast.clock.at, reason="連假", by=approver.subject(),
        at=cast.clock.at,
    )  # fmt: skip
    setting = SettingDecision.objects.get()
    visits = {
        "granter2": [reverse("duties"), reverse("add_colleague"), reverse("decide_duty", args=[proposal.pk]),
                     reverse("leave_duty", args=[held.pk]), reverse("accounts_helping")],
        "approver2": [reverse("settings"), reverse("setting", args=["invitation_days"]),
                      reverse("setting", args=["collecting_entity"]), reverse("decide_setting", args=[setting.pk])],
    }  # fmt: skip
    for name, pages in visits.items():
        client = browser(cast.staff[name], language=language)
        for path in pages:
            answer = client.get(path)
            assert answer.status_code == 200, (path, answer.status_code)
            _is_clean(path, answer.content.decode(), language)


@pytest.mark.parametrize("language", ["zh-hant", "en"])
def test_every_page_of_a_stranger(cast: Few, language: str) -> None:
    person = actions.person_enter(name="新人", email="new@m1.example", by=SYSTEM, at=cast.clock.tick())
    _, path = actions.invite(
        person=person, organization=cast.organization, group=cast.organization, role=Role.MEMBER, by=SYSTEM,
        at=utcnow(),
    )  # fmt: skip
    client = browser(None, language=language)
    pages = [
        path, reverse("account_login"), reverse("account_reset_password"), reverse("account_reset_password_done"),
        reverse("account_reset_password_from_key_done"), reverse("account_inactive"), reverse("accounts_lost_factor"),
        reverse("charter"), reverse("charter_article", args=[3]), reverse("charter_version", args=[1]),
        reverse("privacy_notice"),
    ]  # fmt: skip
    for page in pages:
        answer = client.get(page)
        assert answer.status_code == 200, (page, answer.status_code)
        _is_clean(page, answer.content.decode(), language)


def _is_clean(path: str, html: str, language: str) -> None:
    assert " style=" not in html, path
    assert "<style" not in html, path
    assert " onclick=" not in html, path
    assert html.count("<h1") == 1, path
    assert f'lang="{"en" if language == "en" else "zh-Hant-TW"}"' in html, path


@pytest.mark.parametrize("name", ["people", "invite", "connections", "new_connection"])
def test_a_member_without_the_role_is_told_which_and_who(cast: Few, name: str) -> None:
    answer = browser(cast.member).get(reverse(name))
    assert answer.status_code == 403
    assert "林樣本" in answer.content.decode()


@pytest.mark.parametrize("name", ["duties", "settings"])
def test_staff_pages_do_not_exist_for_members(cast: Few, name: str) -> None:
    assert browser(cast.admin).get(reverse(name)).status_code == 404


@pytest.mark.parametrize("name", ["people", "duties", "connections", "settings", "mfa_index", "confidentiality"])
def test_a_stranger_is_led_to_sign_in_and_back(cast: Few, name: str) -> None:
    answer = browser(None).get(reverse(name))
    assert answer.status_code == 302
    assert answer["Location"].startswith("/account/login/?next=%2F")


def test_what_does_not_exist_is_not_found(cast: Few) -> None:
    client = browser(cast.admin)
    for name in ("change_role", "person_leaves", "connection"):
        assert client.get(reverse(name, args=[uuid4()])).status_code == 404
    assert client.get("/invite/nosuchsecret").status_code == 404
    assert client.get(reverse("charter_article", args=[9])).status_code == 404
    assert client.get(reverse("charter_version", args=[9])).status_code == 404
