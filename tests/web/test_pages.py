"""The pages of this app, as a visitor meets them."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client, RequestFactory, override_settings
from django.urls import get_resolver

from lianfang.policy.decide import RULES
from lianfang.policy.facts import Duty, Kind, Pair, Right, Role, Standing, Subject
from lianfang.web import context, queries, views

AT = datetime(2026, 11, 23, 6, 32, tzinfo=UTC)
PAGES = ["/about", "/policy", "/accessibility", "/sitemap", "/help", "/styleguide"]


def somebody(**facts: Any) -> Subject:
    """A person with every step behind it."""
    organization = uuid4()
    whole: dict[str, Any] = {
        "kind": Kind.PERSON, "person": uuid4(), "pair": Pair(organization, organization), "standing": Standing.ACTIVE,
        "acknowledged": True, "mfa": True, "role": Role.MEMBER_ADMIN,
    }  # fmt: skip
    return Subject(**{**whole, **facts})


def request_of(subject: Subject, path: str = "/x") -> Any:
    """A request as the subject middleware leaves it."""
    request: Any = RequestFactory().get(path)
    request.subject, request.at, request.affiliations = subject, AT, []
    request.person = SimpleNamespace(name="林樣本")
    names = SimpleNamespace(name_zh="第九象限電子", name_en="Ninth Quadrant")
    request.affiliation = SimpleNamespace(organization=names)
    return request


@pytest.mark.parametrize("language", ["zh-hant", "en"])
@pytest.mark.parametrize("path", PAGES)
def test_each_page_has_one_heading_and_its_landmarks(client: Client, path: str, language: str) -> None:
    client.cookies["language"] = language
    page = client.get(path)
    assert page.status_code == 200
    assert len(re.findall(r"<h1[ >]", page.text)) == 1 + ("無重力" in page.text and path == "/styleguide") * 2
    for mark in ('<main id="main"', 'class="skip" href="#main"', "<footer", "<title>"):
        assert page.text.count(mark) == 1


@pytest.mark.parametrize("path", PAGES)
def test_english_pages_hold_no_chinese_words_of_ours(client: Client, path: str) -> None:
    client.cookies["language"] = "en"
    text = re.sub(r"<[^>]+>", " ", client.get(path).text)
    if path == "/styleguide":
        pytest.skip("shows invented Chinese names")
    assert set(re.findall(r"[\u4e00-\u9fff]+", text)) <= {"中文"}


@pytest.mark.django_db
def test_home_shows_the_charter_in_force_and_no_count_of_members(client: Client) -> None:
    page = client.get("/")
    assert page.status_code == 200
    assert "還沒有施行中的規章。" in page.text
    assert "團體會員</dt>" not in page.text


def test_home_names_version_and_date(monkeypatch: pytest.MonkeyPatch, client: Client) -> None:
    charter = SimpleNamespace(number=3, effective_at=datetime(2026, 8, 31, 16, tzinfo=UTC))
    monkeypatch.setattr(queries, "charter_in_force", lambda at: charter)
    assert "第3版，自中華民國115年9月1日施行。" in client.get("/").text
    client.cookies["language"] = "en"
    assert "Version 3, in force since 2026-09-01." in client.get("/").text


def test_the_policy_page_prints_every_rule_and_every_right(client: Client) -> None:
    page = client.get("/policy").text
    for rule in RULES.values():
        assert f">{rule.id}</span>" in page, rule.id
    shown = [right.right for question in queries.policy_by_question() for right in question.rights]
    assert sorted(shown) == sorted(Right)


def test_the_style_guide_is_of_the_demo_only(client: Client) -> None:
    with override_settings(DEMO=False):
        assert client.get("/styleguide").status_code == 404
        assert "示範資料" not in client.get("/about").text
    assert "示範資料" in client.get("/about").text


def test_security_txt_says_whom_to_tell_and_until_when(client: Client) -> None:
    answer = client.get("/.well-known/security.txt")
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    fields = dict(line.split(": ", 1) for line in answer.text.splitlines())
    assert fields["Contact"].startswith("mailto:")
    assert datetime.fromisoformat(fields["Expires"]) > datetime.now(UTC)


def test_every_page_of_this_app_has_a_door() -> None:
    for pattern in get_resolver("lianfang.web.urls").url_patterns:
        assert pattern.callback.lianfang_door.name in ("public", "signed_in", "member"), pattern.name  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("subject", "goal"),
    [
        (Subject.public(), ("",)),
        (somebody(is_coordinator=True), ("inbox",)),
        (somebody(), ("overview",)),
        (somebody(standing=Standing.UNDER_REVIEW), ("overview",)),
        (somebody(standing=Standing.REVOKED), ("exit",)),
        (somebody(standing=Standing.TERMINATED), ("exit",)),
        (somebody(pair=None, standing=Standing.NONE), ("my_account",)),
    ],
)
def test_everybody_is_led_to_his_plane(subject: Subject, goal: tuple[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(context, "path_of", lambda name: f"<{name}>")
    led = views._own_plane(subject, signed_in=subject.kind is Kind.PERSON)
    assert led == {"": "/", "my_account": "/me"}.get(goal[0], f"<{goal[0]}>")


def test_navigation_shows_only_pages_that_exist_and_may_be_entered() -> None:
    public = context.Shell(RequestFactory().get("/about"))
    names = [entry.name for entry in public.public]
    assert "about" in names
    assert "warnings" not in names
    assert [entry.current for entry in public.public if entry.name == "about"] == [True]
    assert public.staff == []
    nobody = context.Shell(request_of(somebody(is_coordinator=True)))
    operator = context.Shell(request_of(somebody(is_coordinator=True, duties=frozenset({Duty.OPERATOR}))))
    shown = {entry.name for group in operator.staff for entry in group.entries}
    assert {entry.name for group in nobody.staff for entry in group.entries} <= shown


def test_a_step_still_to_be_done_does_not_hide_an_item() -> None:
    whole = context.Shell(request_of(somebody()))
    stepless = context.Shell(request_of(somebody(acknowledged=False, mfa=False)))
    assert [entry.name for entry in stepless.member] == [entry.name for entry in whole.member]


@pytest.mark.parametrize(
    ("path", "subject", "plane"),
    [
        ("/member/x", somebody(), "member"),
        ("/staff/x", somebody(is_coordinator=True), "staff"),
        ("/exit", somebody(standing=Standing.REVOKED), "exit"),
        ("/staff/x", somebody(), "public"),
        ("/member/x", somebody(is_coordinator=True), "public"),
        ("/charter", somebody(), "public"),
    ],
)
def test_the_plane_goes_by_address_and_reader(path: str, subject: Subject, plane: str) -> None:
    assert context.Shell(request_of(subject, path)).plane == plane


def test_nobody_signed_in_sees_the_public_frame_everywhere() -> None:
    assert context.Shell(RequestFactory().get("/staff/inbox")).plane == "public"


def test_the_organisation_is_named_in_the_language_of_the_page(client: Client) -> None:
    from django.utils import translation

    shell = context.Shell(request_of(somebody()))
    assert shell.organization_name == "第九象限電子"
    with translation.override("en"):
        assert context.Shell(request_of(somebody())).organization_name == "Ninth Quadrant"


def test_pages_below_an_item_mark_it() -> None:
    shell = context.Shell(request_of(somebody(), "/member/organisation/roster"))
    assert [entry.name for entry in shell.member if entry.current] == ["people"]


def test_counts_come_from_registered_functions_and_never_break_a_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(context, "_COUNTS", {})
    context.count("about", lambda request: 41)
    shell = context.Shell(RequestFactory().get("/x"))
    assert [entry.count for entry in shell.public if entry.name == "about"] == [41]
    context.count("about", lambda request: 1 // 0)
    assert [e.count for e in context.Shell(RequestFactory().get("/x")).public if e.name == "about"] == [None]


def test_the_switch_keeps_the_question_and_drops_its_own_old_answer() -> None:
    shell = context.Shell(RequestFactory().get("/member/intel?q=a%26b&lang=en"))
    assert shell.switch("lang", "en") == "?q=a%26b&lang=en"
