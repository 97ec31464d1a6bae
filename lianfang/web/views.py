"""Home and the other public pages, the way to one's own plane, one's account, and the style guide of the demo."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import cast

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from lianfang.accounts.doors import door
from lianfang.accounts.models import Account
from lianfang.kernel.clock import UTC
from lianfang.policy.facts import Kind, Standing, Subject
from lianfang.web import actions, context, guide, queries
from lianfang.web.forms import PreferencesForm
from lianfang.web.middleware import LANGUAGE_COOKIE, THEME_COOKIE, cookie_name, set_preference

_ENDED = (Standing.REVOKED, Standing.TERMINATED)


@require_safe
@door.public
def home(request: HttpRequest) -> HttpResponse:
    """What the alliance is, a sample with its sentence, three doors, the charter in force."""
    at = context.shell(request)["shell"].at
    return render(request, "web/home.html", {"charter": queries.charter_in_force(at=at)})


@require_safe
@door.public
def about(request: HttpRequest) -> HttpResponse:
    """What the alliance is and does, who can join, how it decides."""
    return render(request, "web/about.html")


@require_safe
@door.public
def policy(request: HttpRequest) -> HttpResponse:
    """The rules of disclosure, printed from the code that decides, by question."""
    return render(
        request, "web/policy.html", {"questions": queries.policy_by_question(), "always": queries.always_forbidden()}
    )


@require_safe
@door.public
def accessibility(request: HttpRequest) -> HttpResponse:
    """The accessibility statement."""
    return render(request, "web/accessibility.html")


@require_safe
@door.public
def sitemap(request: HttpRequest) -> HttpResponse:
    """All public pages by name; one's own plane besides, when signed in."""
    return render(request, "web/sitemap.html")


@require_safe
@door.public
def help_page(request: HttpRequest) -> HttpResponse:
    """Help, the same on every plane: whom to call, and the answers most asked for."""
    return render(request, "web/help.html")


@require_safe
@door.public
def own_plane(request: HttpRequest) -> HttpResponse:
    """Lead to the plane on which the reader works; after sign-in, and behind the product's mark."""
    shell = context.shell(request)["shell"]
    response = HttpResponseRedirect(_own_plane(shell.subject, signed_in=shell.signed_in))
    if request.user.is_authenticated:
        # What this device has not chosen yet, it takes from the account.
        return _with_preferences(response, request.user, known=request.COOKIES.keys())
    return response


@require_http_methods(["GET", "HEAD", "POST"])
@door.signed_in
def my_account(request: HttpRequest) -> HttpResponse:
    """Ways to sign in, devices, language and colours, the organisations one acts for, sign out."""
    shell = context.shell(request)["shell"]
    account = cast(Account, request.user)
    if request.method != "POST":
        form = PreferencesForm(initial={"theme": shell.theme, "language": "zh-hant" if shell.chinese else "en"})
        return render(request, "web/my_account.html", {"form": form})
    form = PreferencesForm(request.POST)
    if not form.is_valid():
        return render(request, "web/my_account.html", {"form": form}, status=422)
    kept = actions.keep_preferences(account=account, by=shell.subject, at=shell.at, **form.cleaned_data)
    return _with_preferences(HttpResponseRedirect(reverse("my_account")), kept)


@require_safe
@door.public
def styleguide(request: HttpRequest) -> HttpResponse:
    """Every component in its states, for those who build pages; exists in the demo only."""
    if not settings.DEMO:
        raise Http404
    return render(request, "web/styleguide.html", guide.samples())


@require_safe
@door.public
def security_txt(request: HttpRequest) -> HttpResponse:
    """Where to report a weakness of this site (RFC 9116). Valid for a year from the first of this month."""
    at: datetime = context.shell(request)["shell"].at.astimezone(UTC)
    first = at.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    lines = [
        f"Contact: mailto:{settings.SERVICE_MAILBOX}",
        f"Expires: {(first + timedelta(days=365)).strftime('%Y-%m-%dT%H:%M:%SZ')}",
        "Preferred-Languages: zh-TW, en",
        f"Canonical: {settings.BASE_URL}{reverse('security_txt')}",
        f"Policy: {settings.BASE_URL}{reverse('help')}#report",
    ]
    return HttpResponse("\n".join(lines) + "\n", content_type="text/plain; charset=utf-8")


def _with_preferences(response: HttpResponse, account: Account, *, known: Collection[str] = ()) -> HttpResponse:
    for cookie, value in ((LANGUAGE_COOKIE, account.language), (THEME_COOKIE, account.theme)):
        if cookie_name(cookie) not in known:
            set_preference(response, cookie=cookie, value=value)
    return response


def _own_plane(subject: Subject, *, signed_in: bool) -> str:
    if not signed_in:
        return "/"
    if subject.is_coordinator:
        return context.path_of("inbox") or "/me"
    if subject.standing in _ENDED:
        return context.path_of("exit") or "/me"
    if subject.kind is Kind.PERSON and subject.pair is not None and subject.standing is not Standing.NONE:
        return context.path_of("overview") or "/me"
    return "/me"
