"""Every class of answer: what it carries, what it says, and what it keeps to itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse
from django.test import Client, override_settings
from django.urls import path

from config import urls as product
from lianfang.accounts.doors import door
from lianfang.kernel.refusal import Refusal
from lianfang.kernel.text import Bilingual
from lianfang.web import middleware
from tests.world import World, build

HEADERS = {
    "Content-Security-Policy", "X-Content-Type-Options", "Referrer-Policy", "Permissions-Policy",
    "Cross-Origin-Opener-Policy", "Cross-Origin-Resource-Policy", "Cache-Control",
}  # fmt: skip
NO = Bilingual(zh="不能<b>。", en="No <b>.")
SECRET = "postgresql://lf_owner:hunter2@db/lianfang"


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: Any) -> Iterator[World]:
    """One world for the module."""
    from django.db import transaction

    with django_db_blocker.unblock(), transaction.atomic():
        yield build()
        transaction.set_rollback(True)


# Pages that go wrong, as any page of the product could


def _raise(exception: Exception) -> Any:
    @door.public
    def view(request: HttpRequest) -> HttpResponse:
        raise exception

    return view


class _Wrong:
    """The product's routes with some that go wrong."""

    urlpatterns = [
        path("member/breaks", _raise(ValueError(SECRET)), name="breaks"),
        path("staff/breaks", _raise(RuntimeError(SECRET)), name="breaks2"),
        path("breaks", _raise(ZeroDivisionError(SECRET)), name="breaks3"),
        path("member/gone", _raise(Http404(SECRET)), name="gone"),
        path("denied", _raise(PermissionDenied(SECRET)), name="denied"),
        path("suspicious", _raise(SuspiciousOperation(SECRET)), name="suspicious"),
        path(
            "refuses",
            _raise(Refusal(Bilingual(zh="不能<b>。", en="No <b>."), rule="F-x", clause="2.1")),
            name="refuses",
        ),
        *product.urlpatterns,
    ]
    handler400, handler403 = product.handler400, product.handler403
    handler404, handler500 = product.handler404, product.handler500


@pytest.fixture
def wrong(settings: Any) -> None:
    """Let some pages go wrong."""
    settings.ROOT_URLCONF = _Wrong


def visit(client: Client, where: str, method: str = "get", **more: Any) -> HttpResponse:
    client.raise_request_exception = False
    return getattr(client, method)(where, **more)


@pytest.mark.parametrize("where", ["/breaks", "/member/breaks", "/staff/breaks"])
@pytest.mark.parametrize("who", ["stranger", "admin", "reviewer"])
@pytest.mark.parametrize("language", ["zh-hant", "en"])
@pytest.mark.django_db
def test_a_broken_page_has_a_number_in_two_places_and_no_word_of_why(
    world: World, wrong: None, caplog: pytest.LogCaptureFixture, where: str, who: str, language: str
) -> None:
    actor = {"stranger": None, "admin": world.jia.admin, "reviewer": world.reviewer}[who]
    answer = visit(world.client(actor, language=language), where)
    page = answer.content.decode()
    assert answer.status_code == 500
    number = re.search(r"E-[0-9A-Z]{6}", page)
    assert number is not None
    assert number.group() in caplog.text
    for trace in (
        "hunter2",
        "lf_owner",
        "Traceback",
        "ValueError",
        "RuntimeError",
        "ZeroDivision",
        ".py",
        "/member/breaks",
    ):
        assert trace not in page
    assert answer.headers.keys() >= HEADERS
    assert ("系統暫時無法處理" in page) is (language == "zh-hant")
    assert "<form" not in page or "csrf" in page


@pytest.mark.django_db
def test_every_event_has_a_number_of_its_own(wrong: None) -> None:
    numbers = [re.findall(r"E-[0-9A-Z]{6}", visit(Client(), "/breaks").content.decode())[0] for _ in range(5)]
    assert len(set(numbers)) == 5


@pytest.mark.parametrize(("where", "status"), [("/denied", 403), ("/suspicious", 400), ("/member/gone", 404)])
@pytest.mark.django_db
def test_what_a_library_says_is_not_repeated(world: World, wrong: None, where: str, status: int) -> None:
    for client in (Client(), world.client(world.jia.admin)):
        answer = visit(client, where)
        assert answer.status_code == status
        assert "hunter2" not in answer.content.decode()
        assert answer.headers.keys() >= HEADERS


@pytest.mark.django_db
def test_a_refusal_is_told_in_words_with_rule_and_clause_and_escaped(world: World, wrong: None) -> None:
    for language, words in (("zh-hant", "不能&lt;b&gt;。"), ("en", "No &lt;b&gt;.")):
        answer = visit(world.client(world.jia.admin, language=language), "/refuses")
        page = answer.content.decode()
        assert answer.status_code == 403
        for part in (words, "F-x", "2.1"):
            assert part in page
        assert "<b>。" not in page


# What is not there


@pytest.mark.django_db
def test_what_is_not_there_and_what_is_not_for_one_are_the_same_to_the_byte(world: World) -> None:
    readers = {
        "stranger": None, "admin": world.jia.admin, "member": world.jia.member, "former": world.former.admin,
        "reviewer": world.reviewer, "operator": world.operator,
    }  # fmt: skip
    number = world.applicant.number
    hidden = {
        "admin": ["/staff/inbox", "/staff/duties", "/staff/settings", f"/staff/cases/{number}", "/staff/audit"],
        "member": ["/staff/inbox", "/staff/settings/appeal_days"],
        "former": ["/staff/inbox", "/staff/settings"],
        "reviewer": ["/member", "/member/connections", "/member/organisation/people"],
        "operator": ["/member", "/member/organisation/people"],
        "stranger": [],
    }
    for name, actor in readers.items():
        client = world.client(actor)
        plane = {}
        for where in [*hidden[name], "/nowhere", "/member/nothing", "/staff/nothing", "/exit/nothing/at/all"]:
            answer = client.get(where)
            assert answer.status_code == 404, (name, where)
            body = answer.content
            headers = {key: value for key, value in answer.headers.items() if key != "Content-Length"}
            first = where.split("/")[1]
            kept = plane.setdefault(first, (body, headers))
            assert kept == (body, headers), (name, where)
            assert number not in body.decode()


@pytest.mark.parametrize("method", ["head", "post", "put", "delete", "options"])
@pytest.mark.django_db
def test_what_is_not_there_is_not_there_by_any_method(world: World, method: str) -> None:
    client = world.client(world.jia.admin)
    for where in ("/staff/inbox", "/nowhere", "/staff/nowhere"):
        answer = getattr(client, method)(where)
        assert answer.status_code in (404, 405), where
        assert answer.headers.keys() >= HEADERS
    hidden, none = getattr(client, method)("/staff/duties"), getattr(client, method)("/staff/nothing")
    if hidden.status_code == none.status_code:
        assert hidden.content == none.content


# Methods, sizes, forms from elsewhere


@pytest.mark.parametrize(
    ("where", "method", "allowed"),
    [
        ("/about", "post", "GET, HEAD"), ("/policy", "delete", "GET, HEAD"), ("/charter", "put", "GET, HEAD"),
        ("/", "post", "GET, HEAD"), ("/.well-known/security.txt", "post", "GET, HEAD"),
    ],
)  # fmt: skip
@pytest.mark.django_db
def test_another_method_is_told_which_ones_there_are(where: str, method: str, allowed: str) -> None:
    answer = getattr(Client(), method)(where)
    assert answer.status_code == 405
    assert answer["Allow"] == allowed
    assert answer.headers.keys() >= HEADERS


@pytest.mark.django_db
def test_a_form_larger_than_the_limit_is_refused_and_nothing_is_kept(world: World, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    client = world.client(world.jia.admin)
    client.raise_request_exception = False
    answer = client.post("/me", {"theme": "dark", "language": "en", "more": "x" * 2000})
    assert answer.status_code in (400, 413)
    assert answer.headers.keys() >= HEADERS
    assert "x" * 50 not in answer.content.decode()
    world.jia.admin.account.refresh_from_db()
    assert world.jia.admin.account.theme == "system"


@pytest.mark.django_db
def test_more_fields_than_any_form_has_are_refused(world: World, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_NUMBER_FIELDS = 50
    client = world.client(world.jia.admin)
    client.raise_request_exception = False
    answer = client.post("/me", {f"field{number}": "x" for number in range(60)})
    assert answer.status_code == 400


@pytest.mark.parametrize("body", [b"\xff\xfe", b"--x\r\nbroken", b"a=%zz&b", b"\x00" * 50, b"=&=&="])
@pytest.mark.parametrize(
    "kind", ["multipart/form-data", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded; charset=x",
             "application/json", "text/xml", ""],
)  # fmt: skip
@pytest.mark.django_db
def test_a_body_that_cannot_be_read_breaks_nothing(world: World, body: bytes, kind: str) -> None:
    client = world.client(world.jia.admin)
    client.raise_request_exception = False
    answer = client.generic("POST", "/me", body, content_type=kind)
    assert answer.status_code in (400, 415, 422), answer.status_code
    assert answer.headers.keys() >= HEADERS


@pytest.mark.parametrize(
    ("where", "typed"),
    [
        ("/me", {"theme": "dark", "language": "en"}), ("/account/login/", {"login": "a@b.example", "password": "x"}),
        ("/account/logout/", {}), ("/member/switch", {"affiliation": "x"}),
        ("/account/lost-factor", {"email": "a@b.c"}),
        ("/member/organisation/people/invite", {"name": "x"}), ("/account/2fa/webauthn/login/", {"credential": "{}"}),
    ],
)  # fmt: skip
@pytest.mark.django_db
def test_a_form_without_its_token_changes_nothing_and_says_what_to_do(
    world: World, where: str, typed: dict[str, str]
) -> None:
    client = world.client(world.jia.admin)
    client.handler.enforce_csrf_checks = True
    for cookie in ("", "x" * 32, "a" * 64):
        if cookie:
            client.cookies["csrftoken"] = cookie
        answer = client.post(where, {**typed, "csrfmiddlewaretoken": "b" * 32 + "c" * 32})
        page = answer.content.decode()
        assert answer.status_code == 403
        assert "請再送一次表單" in page
        assert "CSRF" not in page
        assert answer.headers.keys() >= HEADERS
    assert client.get("/me").status_code == 200, "still signed in"


@override_settings(CSRF_TRUSTED_ORIGINS=["http://localhost:8000"])
@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://localhost.evil.example", "http://localhost:9"]
)
@pytest.mark.django_db
def test_a_form_from_another_site_is_refused_even_with_its_token(world: World, origin: str) -> None:
    client = world.client(world.jia.admin)
    client.handler.enforce_csrf_checks = True
    page = client.get("/me").content.decode()
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    assert token is not None
    typed = {"theme": "dark", "language": "en", "csrfmiddlewaretoken": token[1]}
    assert client.post("/me", typed, headers={"Origin": origin}).status_code == 403
    assert client.post("/me", typed).status_code == 302, "from here it is taken"


ELSEWHERE = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}


@pytest.mark.parametrize("site", ["cross-site", "same-site", "whatever"])
@pytest.mark.django_db
def test_no_form_of_another_site_is_taken_whatever_it_brings(world: World, site: str) -> None:
    client = world.client(world.jia.admin)
    typed = {"theme": "dark", "language": "en"}
    answer = client.post("/me", typed, headers={**ELSEWHERE, "Sec-Fetch-Site": site})
    assert answer.status_code == 403
    assert "請再送一次表單" in answer.content.decode()
    world.jia.admin.account.refresh_from_db()
    assert world.jia.admin.account.theme == "system"
    for own in ("same-origin", "none"):
        assert client.post("/me", typed, headers={"Sec-Fetch-Site": own}).status_code == 302


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({}, 200),  # a link in a mail or on another page
        ({"Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}, 403),
        ({"Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "script"}, 403),
        ({"Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"}, 403),
        ({"Sec-Fetch-Dest": "iframe"}, 403),
        ({"Sec-Fetch-Dest": "object"}, 403),
    ],
)
@pytest.mark.django_db
def test_another_site_may_link_here_and_build_nothing_of_ours_in(
    world: World, more: dict[str, str], status: int
) -> None:
    client = world.client(world.jia.admin)
    for where in ("/about", "/member", "/me", "/audit/checkpoint"):
        answer = client.get(where, headers=ELSEWHERE | more)
        assert answer.status_code == status or (where == "/audit/checkpoint" and status == 200), where
        assert client.head(where, headers=ELSEWHERE | more).status_code == answer.status_code


@override_settings(SECURE=True)
@pytest.mark.django_db
def test_on_a_secure_site_no_cookie_can_be_planted_by_another_host() -> None:
    client = Client()
    assert set(client.get("/about?lang=en&theme=dark").cookies) == {"__Host-language", "__Host-theme"}
    page = client.get("/about").content.decode()
    assert '<html lang="en"' in page
    assert 'data-bs-theme="dark"' in page
    planted = Client()
    planted.cookies["language"] = "en"
    assert '<html lang="en"' not in planted.get("/about").content.decode()


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "localhost@evil.example", "local host", ""])
@pytest.mark.django_db
def test_a_host_that_is_not_ours_is_answered_with_nothing_of_it(host: str) -> None:
    client = Client(HTTP_HOST=host)
    client.raise_request_exception = False
    answer = client.get("/about")
    if host:
        assert answer.status_code == 400
        assert "evil" not in answer.content.decode()
        assert answer.headers.keys() >= HEADERS


# Headers


@pytest.mark.parametrize(
    ("where", "status", "kept"),
    [
        ("/", 200, "private, no-cache"), ("/about?lang=en", 302, "private, no-cache"),
        ("/nowhere", 404, "private, no-cache"),
        ("/me", 302, "no-store"), ("/home", 302, "no-store"), ("/member/nowhere", 404, "no-store"),
        ("/account/login/", 200, "no-store"), ("/invite/x", 404, "no-store"), ("/healthz", 200, "private, no-cache"),
    ],
)  # fmt: skip
@pytest.mark.django_db
def test_every_class_of_answer_carries_the_headers(where: str, status: int, kept: str) -> None:
    answer = Client().get(where)
    assert answer.status_code == status
    assert answer.headers.keys() >= HEADERS
    assert answer["Cache-Control"] == kept
    assert "unsafe" not in answer["Content-Security-Policy"]
    assert "Server" not in answer.headers
    assert "X-Powered-By" not in answer.headers


@pytest.mark.parametrize("where", ["/static/web/tokens.css", "/static/web/nothing.css", "/static/../settings.py"])
@pytest.mark.django_db
def test_static_files_carry_them_too_and_nothing_else_is_served(where: str) -> None:
    answer = Client().get(where)
    assert answer.status_code == (200 if where.endswith("tokens.css") else 404)
    assert answer.headers.keys() >= HEADERS - {"Cache-Control"}
    if answer.status_code == 200:
        assert answer["Content-Type"].startswith("text/css")
        assert "no-store" not in answer["Cache-Control"]


def test_the_policy_of_content_lets_nothing_in_from_outside() -> None:
    parts = dict(part.strip().split(" ", 1) for part in middleware.CSP.split(";"))
    assert parts["default-src"] == "'none'"
    assert parts["frame-ancestors"] == parts["base-uri"] == "'none'"
    assert {value for name, value in parts.items() if name.endswith("-src")} == {"'none'", "'self'"}


# Language and colours by one link


@pytest.mark.parametrize(
    "where",
    ["//evil.example/about", "/\\evil.example", "/%09/evil.example", "/%5Cevil.example", "///evil.example//x",
     "/%2F%2Fevil.example", "/;//evil.example", "/.//evil.example", "/https://evil.example"],
)  # fmt: skip
@pytest.mark.django_db
def test_no_address_makes_the_switch_lead_elsewhere(where: str) -> None:
    from urllib.parse import urljoin, urlsplit

    client = Client()
    answer = client.get(f"{where}?lang=en")
    assert answer.status_code == 302
    assert "\n" not in answer["Location"]
    # As a browser does: backslashes are slashes, tabs and line breaks are nothing.
    plain = re.sub(r"[\t\r\n]", "", answer["Location"].replace("\\", "/"))
    assert urlsplit(urljoin("http://localhost/x/y", plain)).netloc == "localhost", answer["Location"]


@pytest.mark.parametrize(
    "more", ["next=https://evil.example", "lang=xx", "theme=dark", "a=%0d%0aSet-Cookie:x", "a=%E9"]
)
@pytest.mark.django_db
def test_whatever_stood_beside_the_switch_stays_a_question_of_this_page(more: str) -> None:
    answer = Client().get(f"/about?{more}&lang=en")
    assert answer["Location"].startswith("/about")
    assert set(answer.cookies) <= {"language", "theme"}
    assert "\r" not in answer["Location"]
    again = Client().get(answer["Location"])
    assert again.status_code == 200


@pytest.mark.parametrize("method", ["post", "put"])
@pytest.mark.django_db
def test_only_looking_switches(method: str) -> None:
    answer = getattr(Client(), method)("/about?lang=en&theme=dark")
    assert answer.status_code == 405
    assert not answer.cookies


@pytest.mark.django_db
def test_one_readers_choice_never_reaches_another_and_every_answer_says_that_it_differs(world: World) -> None:
    first, second = world.client(world.jia.admin, language="en"), world.client(world.yi.admin)
    for _ in range(2):
        english, chinese = first.get("/me"), second.get("/me")
        assert (english["Content-Language"], chinese["Content-Language"]) == ("en", "zh-Hant-TW")
        assert "Cookie" in english["Vary"]
        assert world.yi.organization.name_zh not in english.content.decode()
