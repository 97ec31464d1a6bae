"""Headers on every answer; language and theme by one link."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory, override_settings
from django.utils import translation

from lianfang.kernel.refusal import Refusal
from lianfang.kernel.text import Bilingual
from lianfang.web import middleware

CSP = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)


def _through(answer: Callable[[HttpRequest], HttpResponse], path: str = "/about") -> HttpResponse:
    return middleware.HeadersMiddleware(answer)(RequestFactory().get(path))  # type: ignore[return-value]


def _fine(request: HttpRequest) -> HttpResponse:
    return HttpResponse("fine")


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/about", 200),
        ("/policy", 200),
        ("/nowhere", 404),
        ("/member/nowhere", 404),
        ("/staff/nowhere", 404),
        ("/me", 302),
        ("/.well-known/security.txt", 200),
        ("/static/web/tokens.css", 200),
        ("/taxii2/nowhere", 404),
    ],
)
def test_every_answer_carries_the_protective_headers(client: Client, path: str, status: int) -> None:
    answer = client.get(path)
    assert answer.status_code == status or (path.startswith("/taxii2") and answer.status_code >= 400)
    assert answer["Content-Security-Policy"] == CSP
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Referrer-Policy"] == "same-origin"
    assert "camera=()" in answer["Permissions-Policy"]
    assert answer["Cross-Origin-Opener-Policy"] == answer["Cross-Origin-Resource-Policy"] == "same-origin"


def test_an_answer_to_a_crash_carries_them_too(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    from lianfang.web import views

    client.raise_request_exception = False
    monkeypatch.setattr(views.render, "__code__", (lambda request, name, context=None, status=None: 1 / 0).__code__)
    answer = client.get("/accessibility")
    assert answer.status_code == 500
    assert answer["Content-Security-Policy"] == CSP


def test_a_view_cannot_loosen_the_policy() -> None:
    def loose(request: HttpRequest) -> HttpResponse:
        return HttpResponse(headers={"Content-Security-Policy": "default-src *"})

    assert _through(loose)["Content-Security-Policy"] == CSP


@pytest.mark.parametrize(
    "path", ["/member", "/member/intel", "/staff/inbox", "/exit", "/account/login/", "/apply/x", "/me"]
)
def test_closed_planes_are_never_kept(path: str) -> None:
    assert _through(lambda r: HttpResponse(headers={"Cache-Control": "public"}), path)["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", ["/", "/about", "/memberships", "/applyx"])
def test_public_pages_are_asked_for_again(path: str) -> None:
    assert _through(_fine, path)["Cache-Control"] == "private, no-cache"


def test_static_files_keep_their_own_caching() -> None:
    assert (
        _through(lambda r: HttpResponse(headers={"Cache-Control": "max-age=1"}), "/static/x")["Cache-Control"]
        == "max-age=1"
    )


def test_strict_transport_only_where_the_site_is_secure() -> None:
    assert "Strict-Transport-Security" not in _through(_fine)
    with override_settings(SECURE=True):
        assert _through(_fine)["Strict-Transport-Security"].startswith("max-age=31536000")


def test_chinese_first_whatever_the_browser_asks_for(client: Client) -> None:
    answer = client.get("/about", headers={"Accept-Language": "en"})
    assert 'lang="zh-Hant-TW"' in answer.text
    assert "關於聯盟" in answer.text
    assert answer["Content-Language"] == "zh-Hant-TW"


def test_english_is_one_link_away_and_stays(client: Client) -> None:
    answer = client.get("/about?x=1&lang=en&x=2")
    assert answer.status_code == 302
    assert answer["Location"] == "/about?x=1&x=2"
    cookie = answer.cookies["language"]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    page = client.get("/about")
    assert '<html lang="en"' in page.text
    assert "About the alliance" in page.text
    assert client.get("/about?lang=zh-hant").cookies["language"].value == "zh-hant"


def test_the_language_of_one_reader_does_not_reach_the_next(client: Client) -> None:
    client.get("/about?lang=en")
    client.get("/about")
    assert translation.get_language() == "zh-hant"
    assert "關於聯盟" in Client().get("/about").text


@pytest.mark.parametrize("value", ["fr", "", "en'", "../en"])
def test_an_unknown_language_is_ignored(client: Client, value: str) -> None:
    answer = client.get("/about", {"lang": value})
    assert answer.status_code == 200
    assert "language" not in answer.cookies


def test_a_broken_cookie_is_ignored(client: Client) -> None:
    client.cookies["language"] = "xx"
    client.cookies["theme"] = '"><script>'
    page = client.get("/about").text
    assert 'lang="zh-Hant-TW"' in page
    assert 'data-bs-theme="system"' in page


@pytest.mark.parametrize("theme", ["light", "dark", "system"])
def test_the_theme_is_chosen_by_a_link(client: Client, theme: str) -> None:
    assert client.get(f"/about?theme={theme}").status_code == 302
    assert f'data-bs-theme="{theme}"' in client.get("/about").text


def test_the_switch_never_leads_to_another_host() -> None:
    request = RequestFactory().get("/x?lang=en")
    request.path = "//elsewhere.example/x"
    answer = middleware.LanguageMiddleware(_fine)(request)
    assert answer["Location"] == "/elsewhere.example/x"


@pytest.mark.django_db
def test_posts_are_never_redirected_by_the_switch(client: Client) -> None:
    assert client.post("/about?lang=en").status_code == 405


def test_a_refusal_that_nobody_met_is_told_in_words() -> None:
    refusal = Refusal(Bilingual(zh="不能匯出。", en="Cannot export."), rule="F-red", clause="2.1")
    request = RequestFactory().get("/about")
    answer = middleware.RefusalMiddleware(_fine).process_exception(request, refusal)
    assert answer is not None
    assert answer.status_code == 403
    for words in ("不能匯出。", "規章 2.1", "F-red"):
        assert words in answer.content.decode()


def test_other_exceptions_pass() -> None:
    assert middleware.RefusalMiddleware(_fine).process_exception(RequestFactory().get("/"), ValueError()) is None
