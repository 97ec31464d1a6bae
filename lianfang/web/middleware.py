"""What every answer carries, whatever made it: protective headers, the reader's language, a refusal in words."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.utils import translation
from django.utils.cache import patch_vary_headers

from lianfang.kernel.refusal import Refusal
from lianfang.web import errors

Answer = Callable[[HttpRequest], HttpResponseBase]

CSP: Final = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
HEADERS: Final = {
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": (
        "accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), magnetometer=(), "
        "microphone=(), midi=(), payment=(), usb=(), publickey-credentials-get=(self), "
        "publickey-credentials-create=(self)"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
HSTS: Final = "max-age=31536000; includeSubDomains"
# Planes whose pages hold what only their reader may see: nothing of them stays in a cache, the browser's included.
CLOSED: Final = re.compile(r"^/(member|staff|exit|account|sign-in|invite|apply|home|me|demo)(/|$)")
# Where the page of a member's identity provider posts its answer: that is judged by its signature and its request.
ANSWERS: Final = re.compile(r"/sign-in/org/[A-Za-z0-9_-]+/answer\Z")
LANGUAGES: Final = {"zh-hant": "zh-hant", "en": "en"}
THEMES: Final = ("system", "light", "dark")
LANGUAGE_COOKIE: Final = "language"
THEME_COOKIE: Final = "theme"
_YEAR: Final = 365 * 24 * 3600


class HeadersMiddleware:
    """Outermost: also the answers of errors, static files and TAXII pass through here."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        for name, value in HEADERS.items():
            response.headers[name] = value
        if settings.SECURE:
            response.headers["Strict-Transport-Security"] = HSTS
        if response.headers.get("Content-Type") == "text/html":
            # A library's bare answer: left to guess, a browser might read it as something else.
            response.headers["Content-Type"] = "text/html; charset=utf-8"
        if CLOSED.match(request.path):
            response.headers["Cache-Control"] = "no-store"
        elif not request.path.startswith(settings.STATIC_URL):
            # A public page differs by cookie (language, theme, whether signed in): kept, but asked for again each time.
            response.headers.setdefault("Cache-Control", "private, no-cache")
        return response


class CrossSiteMiddleware:
    """Refuses what the page of another site asks for: an image, a frame, a script, a form (W3C Fetch Metadata).

    Whether such an answer comes, how long it takes and how big it is would tell that page what its visitor may see. A
    link that is followed is let through, since it leaves that page. What says nothing of where it comes from is no
    browser of today: there the cookies (SameSite) and the headers of `HeadersMiddleware` protect alone.
    """

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        here = request.headers.get("Sec-Fetch-Site", "none") in ("none", "same-origin")
        if here or _is_followed(request) or (request.method == "POST" and ANSWERS.match(request.path)):
            return self.get_response(request)
        # Outermost, so that it takes as long and is as big for everybody. Only who sent a form reads the answer.
        unsafe = request.method not in ("GET", "HEAD")
        return errors.csrf_failure(request, "another site") if unsafe else HttpResponse(status=403)


def _is_followed(request: HttpRequest) -> bool:
    followed = request.headers.get("Sec-Fetch-Mode") == "navigate" and request.method in ("GET", "HEAD")
    return followed and request.headers.get("Sec-Fetch-Dest", "document") == "document"


class LanguageMiddleware:
    """The reader's language and theme: kept in cookies, Traditional Chinese and the system's theme at first.

    `?lang=en` or `?theme=dark` on any page sets the cookie and comes back to the same address without it, so that one
    link, without a script or a form, is enough. What the browser says it prefers is not looked at: Chinese is the
    language of the charter, and English is one click away.
    """

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.method in ("GET", "HEAD") and (answer := _switch(request)) is not None:
            return answer
        language = LANGUAGES.get(request.COOKIES.get(cookie_name(LANGUAGE_COOKIE), ""), settings.LANGUAGE_CODE)
        translation.activate(language)
        request.LANGUAGE_CODE = translation.get_language() or settings.LANGUAGE_CODE
        try:
            response = self.get_response(request)
        finally:
            # A thread serves many readers: the next one must not meet the language of the last.
            translation.deactivate()
        if response.headers.get("Content-Type", "").startswith("text/html"):
            response.headers.setdefault("Content-Language", "en" if language == "en" else "zh-Hant-TW")
            patch_vary_headers(response, ("Cookie",))
        return response


class RefusalMiddleware:
    """Innermost: a refusal that no view met is told in words with its rule and clause, not as an error."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Django's hook for an exception that left a view."""
        if isinstance(exception, Refusal):
            return errors.refused(request, exception)
        return None


def cookie_name(cookie: str) -> str:
    """What a preference's cookie is called: on a secure site by a name that no other host and no plain page can set."""
    return f"__Host-{cookie}" if settings.SECURE else cookie


def set_preference(response: HttpResponseBase, *, cookie: str, value: str) -> None:
    """Keep one preference of the reader for a year in a cookie of this site."""
    name = cookie_name(cookie)
    response.set_cookie(name, value, max_age=_YEAR, secure=settings.SECURE, httponly=True, samesite="Lax")


def _switch(request: HttpRequest) -> HttpResponse | None:
    wanted = [
        (LANGUAGE_COOKIE, request.GET.get("lang"), tuple(LANGUAGES)),
        (THEME_COOKIE, request.GET.get("theme"), THEMES),
    ]
    chosen = [(cookie, value) for cookie, value, known in wanted if value is not None and value in known]
    if not chosen:
        return None
    rest = [(name, value) for name, values in request.GET.lists() if name not in ("lang", "theme") for value in values]
    # Only ever this same path, with the double slash folded that a browser would read as another host.
    path = "/" + request.path.lstrip("/\\")
    response = HttpResponseRedirect(path + ("?" + urlencode(rest) if rest else ""))
    for cookie, value in chosen:
        set_preference(response, cookie=cookie, value=value)
    return response
