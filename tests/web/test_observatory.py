"""The scorer that every answer of every test goes through: each rule costs what it costs; ours reach 115."""

from __future__ import annotations

from http.cookies import SimpleCookie

import pytest
from django.http import HttpResponse
from django.test import Client, RequestFactory, override_settings

from lianfang.web import middleware
from tests import scored
from tests.web.observatory import ENOUGH, Score, judge, score

RIGHT = {name.lower(): value for name, value in middleware.HEADERS.items()} | {
    "strict-transport-security": middleware.HSTS
}


def given(cookie: str = "", body: bytes = b"", *, https: bool = True, **changed: str | None) -> Score:
    named = {name.replace("_", "-"): value for name, value in changed.items()}
    headers = {name: value for name, value in (RIGHT | named).items() if value is not None}
    return score(headers, SimpleCookie(cookie).values(), body, https=https, host="here.example")


def test_the_headers_of_the_product_are_worth_120_and_125_with_its_cookies() -> None:
    assert given().points == 120
    assert given("__Host-session=x; Secure; HttpOnly; SameSite=Lax").points == 125


CSP = middleware.CSP


@pytest.mark.parametrize(
    ("policy", "points"),
    [
        (None, 55),  # nothing holds frames either, and below 90 no bonus counts
        ("", 55),
        (CSP + "; default-src *", 55),  # said twice, nobody knows what is meant
        (CSP.replace("script-src 'self'", "script-src 'self' 'unsafe-inline'"), 80),
        (CSP.replace("script-src 'self'", "script-src https:"), 80),
        (CSP.replace("script-src 'self'", "script-src data:"), 80),
        (CSP.replace("script-src 'self'", "script-src 'nonce-abc' 'unsafe-inline'"), 120),
        (CSP.replace("script-src 'self'", "script-src http://cdn.example"), 80),
        (CSP.replace("img-src 'self'", "img-src http://cdn.example"), 100),
        (CSP.replace("script-src 'self'", "script-src 'self' 'unsafe-eval'"), 100),
        (CSP.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'"), 110),
        (CSP.replace("default-src 'none'", "default-src 'self'"), 115),
        (CSP.replace("; frame-ancestors 'none'", ""), 80),
        ("script-src 'self'; frame-ancestors 'none'", 80),  # objects from anywhere
    ],
)
def test_a_weaker_policy_of_content_costs_points(policy: str | None, points: int) -> None:
    assert given(content_security_policy=policy).points == points


@pytest.mark.parametrize(
    ("changed", "points"),
    [
        ({"strict_transport_security": None}, 80),
        ({"strict_transport_security": "max-age=86400"}, 110),
        ({"x_content_type_options": None}, 115),
        ({"referrer_policy": None}, 115),
        ({"referrer_policy": "unsafe-url"}, 110),
        ({"referrer_policy": "whatever"}, 110),
        ({"cross_origin_resource_policy": "whatever"}, 115),
        ({"access_control_allow_origin": "*"}, 120),
        ({"access_control_allow_origin": "https://a.example", "access_control_allow_credentials": "true"}, 50),
    ],
)
def test_each_header_counts(changed: dict[str, str | None], points: int) -> None:
    assert given(**changed).points == points  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("cookie", "points"),
    [
        ("session=x; HttpOnly; SameSite=Lax", 110),
        ("language=x; SameSite=Lax", 115),
        ("session=x; Secure; SameSite=Lax", 70),
        ("csrftoken=x; Secure", 80),
        ("language=x; Secure; SameSite=None", 80),
        ("language=x; Secure", 120),
        ('session=""; Max-Age=0; Path=/', 120),
    ],
)
def test_the_worst_cookie_counts(cookie: str, points: int) -> None:
    assert given(cookie).points == points


@pytest.mark.parametrize(
    ("body", "points"),
    [
        (b'<script src="/static/a.js"></script>', 120),
        (b'<script src="https://here.example/a.js"></script>', 120),
        (b'<script src="https://cdn.example/a.js"></script>', 115),
        (b'<script src="https://cdn.example/a.js" integrity="sha384-x"></script>', 120),
        (b'<script src="//cdn.example/a.js"></script>', 50),
        (b"<script defer src=http://cdn.example/a.js integrity=x></script>", 80),
    ],
)
def test_scripts_of_others_count(body: bytes, points: int) -> None:
    assert given(body=body).points == points


def test_without_tls_neither_transport_nor_the_flag_is_asked_for() -> None:
    found = given("session=x; HttpOnly; SameSite=Lax", https=False, strict_transport_security=None)
    assert found.points == 125
    assert not found.wrong


@pytest.mark.parametrize(
    ("where", "status"),
    [
        ("/", 200), ("/about?lang=en", 302), ("/nowhere", 404), ("/me", 302), ("/member/nowhere", 404),
        ("/account/login/", 200), ("/account/password/reset/", 200), ("/healthz", 200),
        ("/.well-known/security.txt", 200), ("/static/web/tokens.css", 200), ("/static/web/nothing.css", 404),
        ("/taxii2/", 401), ("/taxii2/nothing", 404), ("/about", 405),
    ],
)  # fmt: skip
@override_settings(SECURE=True, SESSION_COOKIE_SECURE=True, CSRF_COOKIE_SECURE=True)
@pytest.mark.django_db
def test_every_class_of_answer_of_a_secure_site_reaches_115(where: str, status: int) -> None:
    answer = Client().post(where) if status == 405 else Client().get(where)
    assert answer.status_code in (status, 401) if where.startswith("/taxii2") else answer.status_code == status
    found = judge(answer, https=True)
    assert found.points >= ENOUGH, found.wrong


def test_an_answer_that_is_too_weak_is_told_at_the_test_that_got_it() -> None:
    request = RequestFactory().get("/somewhere")
    scored.look(request.META, HttpResponse("bare"))
    assert ["/somewhere" in said and "no content security policy" in said for said in scored.take()] == [True]
    assert scored.take() == []
