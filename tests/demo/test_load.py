"""The demonstration is made by the real actions and tells its story to each of its people."""

from __future__ import annotations

import base64
import json
import stat
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value
from django.apps import apps
from django.contrib.auth import authenticate
from django.test import Client

from lianfang.accounts.models import Affiliation, DutyGrant, Organization, Token
from lianfang.audit.models import Entry
from lianfang.demo import cast
from lianfang.demo.cast import Company
from lianfang.demo.load import PASSWORD, Stage, load, write_accounts
from lianfang.intel import queries
from lianfang.kernel import ubn
from lianfang.mailroom import queries as mailroom
from lianfang.members import directory_queries, recovery_queries
from lianfang.members import queries as members
from lianfang.members.lifecycle import APPLICATION
from lianfang.members.models import Application, ChangeRequest, Decision, Membership, ScreeningFinding
from lianfang.policy.facts import Channel, Duty, Request, Right, Standing
from tests.world import confirm_factor

NOW = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def loaded(django_db_setup: None, django_db_blocker: Any) -> Iterator[Stage]:
    """Loaded once: the tests only read, and what they do change is rolled back."""
    from django.db import transaction

    with django_db_blocker.unblock(), transaction.atomic():
        yield load(at=NOW)
        transaction.set_rollback(True)


@pytest.fixture
def stage(loaded: Stage, db: None) -> Stage:
    return loaded


def _names(stage: Stage, email: str) -> set[str]:
    subject = stage.actors[email].subject(NOW)
    page = queries.page(subject=subject, at=NOW, request=Request(channel=Channel.LIST), limit=1000)
    return {json.loads(item.body).get("name", "") for item in page.items}


def test_everybody_sees_what_the_label_says(stage: Stage) -> None:
    quadrant, observatory = _names(stage, "contact@quadrant.example"), _names(stage, "admin@observatory.example")
    banker, mirror = _names(stage, cast.BANKER.email), _names(stage, "admin@mirror.example")
    assert "VPN閘道器漏洞遭利用" in quadrant
    assert "偽冒報稅軟體" in banker, "AMBER reaches constituents by the association's relay"
    assert "VPN閘道器漏洞遭利用" not in banker, "AMBER+STRICT never does"
    assert "尚待確認的回連位址" not in quadrant | observatory, "the coordinator alone"
    assert "韌體更新伺服器的憑證檢查缺失" in quadrant, "its own embargoed item"
    assert "韌體更新伺服器的憑證檢查缺失" not in observatory
    assert not mirror, "a revoked member reads nothing"


def test_cases_stand_at_every_stage(stage: Stage) -> None:
    assert Membership.objects.filter(state="active").count() == 4
    assert Membership.objects.filter(state="revoked").count() == 1
    assert sorted(Application.objects.exclude(state="approved").values_list("state", flat=True)) == [
        "submitted",
        "under_review",
    ]


def test_the_file_of_accounts_is_private_and_complete(stage: Stage, tmp_path: Path) -> None:
    path = tmp_path / "demo.json"
    write_accounts(stage, path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    told = json.loads(path.read_text(encoding="utf-8"))
    assert {account["password"] for account in told["accounts"]} == {PASSWORD}
    assert told["machines"][0]["scopes"] == ["read", "write", "recall"]
    assert {"role", "organisation", "email", "password", "totp_secret"} == set(told["accounts"][0])


# What README and handbooks promise

COMPANIES = [value for value in vars(cast).values() if isinstance(value, Company)]
IN_FORCE = [cast.QUADRANT, cast.OBSERVATORY, cast.GRAVITY, cast.ORIGAMI]


def _browser(stage: Stage, email: str, language: str = "zh-hant") -> Client:
    """A browser in which this account is signed in with both factors."""
    account = stage.actors[email].account
    client = Client(HTTP_HOST="localhost")
    client.cookies["language"] = language
    client.force_login(account, backend="allauth.account.auth_backends.AuthenticationBackend")
    confirm_factor(client, account)
    return client


def test_everybody_and_everything_is_invented() -> None:
    teams = [company.team for company in COMPANIES]
    players = [player for team in teams for player in (team.admin, team.deputy, team.contact)]
    players += [*cast.GRANTERS, cast.BANKER, *(player for _, player in cast.STAFF)]
    addresses = [player.email for player in players]
    assert len(set(addresses)) == len(addresses)
    assert all(address.endswith(".example") for address in addresses)
    numbers = [company.ubn for company in COMPANIES] + [n for company in COMPANIES for _, n in company.constituents]
    assert len(set(numbers)) == len(numbers)
    assert all(ubn.is_valid(number) for number in numbers)
    for company in COMPANIES:
        assert bool(company.stock_code) == (company.kind in ("twse", "tpex"))
        assert bool(company.certificate_number and company.authority) == (company.kind == "association")


def test_each_duty_of_the_policy_is_held_by_somebody_who_can_sign_in(stage: Stage) -> None:
    held = set(DutyGrant.objects.filter(granted_at__isnull=False, ended_at__isnull=True).values_list("duty", flat=True))
    assert held == {duty.value for duty in Duty}
    roles = {actor.role for actor in stage.actors.values()}
    assert roles == {duty.value for duty in Duty} | {"member_admin", "security_contact", "constituent"}
    approvers = [actor for actor in stage.actors.values() if actor.role == "approver"]
    assert len(approvers) == 2, "one who revokes and another for the appeal"


def test_every_account_of_the_list_signs_in_with_its_password_and_its_code(stage: Stage) -> None:
    for email, actor in stage.actors.items():
        held = Authenticator.objects.get(user=actor.account, type=Authenticator.Type.TOTP)
        code = format_hotp_value(hotp_value(actor.totp_secret, int(time.time()) // 30))
        assert TOTP(held).validate_code(code), email
        assert Authenticator.objects.filter(user=actor.account, type=Authenticator.Type.RECOVERY_CODES).exists()
    for email in ("reviewer@centre.example", "admin@quadrant.example", cast.BANKER.email):
        assert authenticate(email=email, password=PASSWORD) == stage.actors[email].account
        assert authenticate(email=email, password=PASSWORD + "x") is None


def test_each_organisation_stands_as_its_story_says(stage: Stage) -> None:
    for company in COMPANIES:
        organization = Organization.objects.filter(ubn=company.ubn).first()
        standing = members.standing(organization.pk, NOW) if organization else Standing.NONE
        expected = Standing.ACTIVE if company in IN_FORCE else Standing.NONE
        assert standing is (Standing.REVOKED if company is cast.MIRROR else expected), company.name_en
    for membership in Membership.objects.all():
        told = Decision.objects.get(membership=membership, kind="approve")
        assert told.reviewed_by_id != told.decided_by_id
        assert membership.organization.name_zh in told.letter_zh


def test_each_member_has_two_administrators_and_a_contact_who_joined(stage: Stage) -> None:
    for company in [*IN_FORCE, cast.MIRROR]:
        rows = Affiliation.objects.filter(organization__ubn=company.ubn, started_at__isnull=False)
        assert sorted(rows.values_list("role", flat=True)) == ["member_admin", "member_admin", "security_contact"]
    banker = stage.of(cast.BANKER).subject(NOW)
    assert banker.is_constituent
    assert banker.constituent_ok


def test_a_case_waits_for_a_person_to_judge_a_name(stage: Stage) -> None:
    case = Application.objects.get(ubn=cast.DAYDREAM.ubn)
    ready = members.readiness(case, NOW)
    assert (case.state, ready.unjudged_name_hits, ready.screened, ready.rows) == ("under_review", 1, 3, 3)
    assert ScreeningFinding.objects.filter(application=case, result="name_hit").count() == 1
    waiting = Application.objects.get(ubn=cast.TEACUP.ubn)
    assert (waiting.state, waiting.reviewer) == ("submitted", None)
    for one in (case, waiting):
        assert one.due_at is not None
        assert one.due_at > NOW, "nothing of the demonstration is late on its first day"
        assert one.state not in APPLICATION.final


def test_mails_lie_on_their_case_and_wait_to_be_sorted(stage: Stage) -> None:
    waits = ChangeRequest.objects.get(membership__organization__ubn=cast.GRAVITY.ubn, state="submitted")
    assert [one.mail.subject for one in mailroom.unread() if one.case == waits.number] == ["名冊更新補充說明"]
    assert [one.mail.kind for one in mailroom.of_case(waits.number)] == ["auto", "mail"]
    sorting = mailroom.listing(view="triage")
    assert len(sorting) == 3
    (by_mail,) = [one for one in sorting if one.route == "changes"]
    assert by_mail.known_person is not None, "the member of this address is offered on its page"
    assert [one.media_type for one in by_mail.files.all()] == ["application/pdf"]


def test_the_revoked_member_can_still_appeal_in_time(stage: Stage) -> None:
    organization = Organization.objects.get(ubn=cast.MIRROR.ubn)
    case = members.last_revocation(organization.pk)
    assert case is not None
    assert case.deadline is not None
    assert not case.deadline.is_late(NOW)
    assert case.ground == "1.4b"
    told = Decision.objects.get(revocation=case)
    appealing = [actor for actor in stage.actors.values() if actor.role == "approver"]
    assert sum(actor.affiliation.person_id == told.decided_by_id for actor in appealing) == 1
    assert not Token.objects.filter(affiliation__group=organization, revoked_at__isnull=True).exists()


def test_the_story_ends_before_the_present_and_in_its_order(stage: Stage) -> None:
    assert stage.at <= NOW
    last = Entry.objects.order_by("-happened_at").values_list("happened_at", flat=True).first()
    assert last is not None
    assert NOW - timedelta(days=1) < last <= NOW
    assert Entry.objects.order_by("happened_at").values_list("happened_at", flat=True)[0] >= NOW - timedelta(days=151)


def test_the_machines_read_and_the_first_may_write_and_recall(stage: Stage) -> None:
    assert [machine["scopes"] for machine in stage.machines] == [["read", "write", "recall"], ["read"], ["read"]]
    rights = {"read": Right.READ, "write": Right.SUBMIT, "recall": Right.RECALL}
    for machine in stage.machines:
        token = Token.objects.get(pk=machine["user"])
        assert token.expires_at > NOW
        for scope, right in rights.items():
            assert (right.value in token.rights) == (scope in machine["scopes"])
        secret = base64.b64encode(f"{machine['user']}:{machine['secret']}".encode()).decode()
        given = {"HTTP_AUTHORIZATION": f"Basic {secret}", "HTTP_ACCEPT": "application/taxii+json;version=2.1"}
        answer = Client(HTTP_HOST="localhost").get("/taxii2/", **given)
        assert answer.status_code == 200
        wrong = {**given, "HTTP_AUTHORIZATION": "Basic " + base64.b64encode(b"x:y").decode()}
        assert Client(HTTP_HOST="localhost").get("/taxii2/", **wrong).status_code == 401


@pytest.mark.parametrize(
    ("email", "pages"),
    [
        ("admin@quadrant.example", ["/member", "/member/organisation/roster"]),
        ("security@chopping-board.example", ["/member", "/member/organisation/roster"]),
        ("reviewer@centre.example", ["/staff/inbox", "/staff/applications", "/staff/members", "/staff/revocations"]),
        ("admin@mirror.example", ["/exit", "/exit/letter", "/exit/appeal"]),
    ],
)
def test_its_people_open_their_pages(stage: Stage, email: str, pages: list[str]) -> None:
    client = _browser(stage, email)
    for page in pages:
        assert client.get(page).status_code == 200, page


def test_the_staff_finds_its_cases_in_the_inbox(stage: Stage) -> None:
    page = _browser(stage, "reviewer@centre.example").get("/staff/applications").content.decode()
    assert cast.DAYDREAM.name_zh in page
    assert cast.TEACUP.name_zh in page
    assert cast.QUADRANT.name_zh not in page


def test_loading_twice_changes_nothing(stage: Stage) -> None:
    def counts() -> dict[str, int]:
        return {model._meta.label: model._default_manager.count() for model in apps.get_models()}

    before = counts()
    with pytest.raises(Exception):  # noqa: B017 - whatever stands against it first
        load(at=NOW)
    assert counts() == before


def test_accounts_are_written_anew_over_what_was_there(stage: Stage, tmp_path: Path) -> None:
    path = tmp_path / "demo.json"
    path.write_text("x" * 100_000, encoding="utf-8")
    path.chmod(0o600)
    write_accounts(stage, path)
    told = json.loads(path.read_text(encoding="utf-8"))
    assert [account["email"] for account in told["accounts"]] == list(stage.actors)
    assert {machine["kind"] for machine in told["machines"]} == {"taxii"}
    assert all(machine["url"].endswith("/taxii2/") for machine in told["machines"])


def test_members_that_chose_so_see_each_other_and_a_case_of_new_administrators_waits(stage: Stage) -> None:
    def seen(email: str) -> set[str]:
        found = directory_queries.entries(subject=stage.actors[email].subject(NOW), at=NOW)
        return {one.organization.name_zh for one in found}

    three = {one.name_zh for one in (cast.QUADRANT, cast.GRAVITY, cast.OBSERVATORY)}
    assert seen("admin@quadrant.example") == three
    assert seen(cast.ORIGAMI.team.admin.email) == set()
    (case,) = recovery_queries.recoveries(open_only=True)
    assert (case.state, case.membership.organization.name_zh) == ("requested", cast.ORIGAMI.name_zh)
