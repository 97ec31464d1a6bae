"""Connections of machines: tokens and how to set them up."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from lianfang.accounts import actions, letters, queries, words
from lianfang.accounts.doors import door
from lianfang.accounts.forms import TokenForm, refuse
from lianfang.accounts.models import Token
from lianfang.accounts.products import settings_for
from lianfang.accounts.providers import collections
from lianfang.accounts.views.asked import asked, pair
from lianfang.kernel.refusal import Refusal
from lianfang.policy.facts import Right

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise as StrOrPromise

DISCOVERY = "/taxii2/"
API_ROOT = "/taxii2/alliance/"


@require_safe
@door(Right.MAKE_TOKEN)
def connections(request: HttpRequest) -> HttpResponse:
    """Every token of our people, with its reach and last use."""
    mine = pair(request)
    tokens = queries.tokens_of(organization=mine.organization, group=mine.group, at=asked(request).at)
    rows = [{"token": one, "live": one.is_live(asked(request).at), "rights": _rights(one)} for one in tokens]
    return render(request, "accounts/connections.html", {"rows": rows})


@require_http_methods(["GET", "HEAD", "POST"])
@door(Right.MAKE_TOKEN)
def new_connection(request: HttpRequest) -> HttpResponseBase:
    """Make a token; its secret stands on the answer and nowhere else."""
    form = TokenForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            token, secret = actions.make_token(
                affiliation=asked(request).affiliation,
                scope=form.scope(),
                by=asked(request).subject,
                at=asked(request).at,
            )
        except Refusal as refusal:
            refuse(form, refusal)
        else:
            return _shown_once(request, token, secret)
    return render(request, "accounts/connection_new.html", {"form": form}, status=422 if form.is_bound else 200)


@require_safe
@door(Right.MAKE_TOKEN)
def connection(request: HttpRequest, token_id: UUID) -> HttpResponse:
    """One connection: what it may get, how to set it up, its keys."""
    return _page(request, _token(request, token_id), secret="")


@require_POST
@door(Right.MAKE_TOKEN)
def rotate_connection(request: HttpRequest, token_id: UUID) -> HttpResponseBase:
    """Make the successor; old and new work side by side until the old one is revoked."""
    try:
        token, secret = actions.rotate_token(
            token=_token(request, token_id), by=asked(request).subject, at=asked(request).at
        )
    except Refusal as refusal:
        return _page(request, _token(request, token_id), secret="", refusal=refusal)
    return _shown_once(request, token, secret)


@require_POST
@door(Right.MAKE_TOKEN)
def revoke_connection(request: HttpRequest, token_id: UUID) -> HttpResponseBase:
    """End a token at once."""
    try:
        actions.revoke_token(token=_token(request, token_id), by=asked(request).subject, at=asked(request).at)
    except Refusal as refusal:
        return _page(request, _token(request, token_id), secret="", refusal=refusal)
    messages.success(request, _("The key has ended."))
    return HttpResponseRedirect(reverse("connections"))


def _shown_once(request: HttpRequest, token: Token, secret: str) -> HttpResponse:
    response = _page(request, token, secret=secret)
    response.headers["Cache-Control"] = "no-store"
    return response


def _page(request: HttpRequest, token: Token, *, secret: str, refusal: Refusal | None = None) -> HttpResponse:
    at = asked(request).at
    context = {
        "token": token,
        "live": token.is_live(at),
        "rights": _rights(token),
        "collections": [one for one in collections() if one.name in token.views],
        "reached": [one for one in collections() if not token.views or one.name in token.views],
        "sentence": _sentence(token),
        "products": settings_for(
            token=token, secret=secret, discovery=letters.link(DISCOVERY), api_root=letters.link(API_ROOT)
        ),
        "replaced_live": token.replaces is not None and token.replaces.is_live(at),
        "secret": secret,
        "refusal": refusal,
        "discovery": letters.link(DISCOVERY),
        "api_root": letters.link(API_ROOT),
        "owner_is_me": token.affiliation.person_id == asked(request).person.pk,
        "successor": Token.objects.filter(replaces=token).first(),
    }
    return render(request, "accounts/connection.html", context, status=422 if refusal else 200)


def _rights(token: Token) -> list[StrOrPromise]:
    return [words.TOKEN_RIGHTS[Right(name)] for name in token.rights]


def _sentence(token: Token) -> str:
    """What this connection can get, in one sentence."""
    facts = {"tlp": token.max_tlp, "networks": ", ".join(token.networks)}
    if token.networks:
        return _("It gets at most TLP:%(tlp)s, only from %(networks)s, and never what its owner cannot see.") % facts
    return _("It gets at most TLP:%(tlp)s, from anywhere, and never what its owner cannot see.") % facts


def _token(request: HttpRequest, token_id: UUID) -> Token:
    found = (
        Token.objects.select_related("affiliation__person", "affiliation__organization", "replaces", "use")
        .filter(queries.managed(by=asked(request).subject, prefix="affiliation__"), pk=token_id)
        .first()
    )
    if found is None:
        raise Http404
    return found
