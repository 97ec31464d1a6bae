"""Home and the other public pages, the way to one's own plane, one's account, and the style guide of the demo."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from lianfang.accounts.doors import door
from lianfang.kernel.clock import UTC
from lianfang.policy.facts import Kind, Standing, Subject
from lianfang.web import context, guide, queries

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
    return render(request, "web/policy.html", {"questions": queries.policy_by_question(), "always": queries.always_forbidden()})


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
    return HttpResponseRedirect(_own_plane(shell.subject, signed_in=shell.signed_in))


@require_safe
@door.signed_in
def my_account(request: HttpRequest) -> HttpResponse:
    """Ways to sign in, devices, language and colours, the organisations one acts for, sign out."""
    return render(request, "web/my_account.html")


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
