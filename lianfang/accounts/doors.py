"""Doors of views: what each page needs, said where the page is defined and listed by a test.

    @door.public                  anybody
    @door.signed_in               any person who has signed in
    @door.member                  the members' plane: standing in force, then the steps below
    @door.staff                   the coordinator's people, with a second factor
    @door(Right.REVIEW)           a right of the policy on no case

Whoever would be let in but for a step is led to the step and back: sign-in, then the duty of confidentiality, then the
second factor. Who lacks a role on his own plane is told so; everybody else gets the 404 of what does not exist.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import wraps
from typing import Any, Protocol, TypeVar, cast
from urllib.parse import urlencode

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse

from lianfang.accounts import queries
from lianfang.kernel.refusal import Refusal
from lianfang.policy.decide import RULES, Decision, decide
from lianfang.policy.facts import Case, Channel, Kind, Label, Request, Right, Role, Standing, Subject
from lianfang.policy.registry import Effect

View = TypeVar("View", bound=Callable[..., HttpResponseBase])

CONFIDENTIALITY = "/member/confidentiality"
EXIT = "/exit"
_ENDED = (Standing.REVOKED, Standing.TERMINATED)
_PAGE = Request(channel=Channel.PAGE)


@dataclass(frozen=True, slots=True)
class Door:
    """What a view needs; `view.lianfang_door` holds one. `right` is None for the public and the merely signed in."""

    name: str
    right: Right | None = None


class Asked(Protocol):
    """A request that the subject middleware has prepared."""

    subject: Subject
    at: datetime


class _Doors:
    """The object `door`: called with a right, or used by one of its four names."""

    def __call__(self, right: Right) -> Callable[[View], View]:
        """Require a right of the policy, asked on no case, at the instant of the request."""
        return lambda view: _hang(view, Door("right", right), _ask)

    def public(self, view: View) -> View:
        """Anybody may enter."""
        return _hang(view, Door("public"), _open)

    def signed_in(self, view: View) -> View:
        """Any person who has signed in, whatever his standing."""
        return _hang(view, Door("signed_in"), _signed_in)

    def member(self, view: View) -> View:
        """The members' plane."""
        return _hang(view, Door("member", Right.ENTER_MEMBERS_PLANE), _ask)

    def staff(self, view: View) -> View:
        """The staff plane."""
        return _hang(view, Door("staff", Right.ENTER_STAFF_PLANE), _ask)


door = _Doors()


def require(
    *, subject: Subject, right: Right, target: Label | Case | None = None, at: datetime, request: Request = _PAGE
) -> None:
    """Raise Refusal, with the rule that speaks and its clause, unless the policy allows the right.

    `request` says how it is asked for, where that is limited: a key's networks and collections.
    """
    decision = decide(subject=subject, right=right, target=target, at=at, request=request)
    if not decision.allowed:
        raise refusal(right=right, decision=decision)


def refusal(*, right: Right, decision: Decision) -> Refusal:
    """Return a denial of the policy in the words of the rule that speaks: a forbid, else who alone holds the right."""
    holding = [rule for rule in RULES.values() if rule.effect is Effect.PERMIT and right in rule.rights]
    rule = RULES[decision.forbids[0]] if decision.forbids else holding[0]
    return Refusal(rule.sentence, rule=rule.id, clause=rule.clause)


def may(*, subject: Subject, right: Right, target: Label | Case | None = None, at: datetime) -> bool:
    """Return whether the policy allows the right; for buttons and navigation, which are absent without it."""
    return decide(subject=subject, right=right, target=target, at=at, request=_PAGE).allowed


def _hang(view: View, door_: Door, check: Callable[[HttpRequest, Door], HttpResponseBase | None]) -> View:
    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        answer = check(request, door_)
        return view(request, *args, **kwargs) if answer is None else answer

    guarded.lianfang_door = door_  # type: ignore[attr-defined]
    return cast(View, guarded)


def _open(_request: HttpRequest, _door: Door) -> HttpResponseBase | None:
    return None


def _signed_in(request: HttpRequest, _door: Door) -> HttpResponseBase | None:
    return None if request.user.is_authenticated else _to_sign_in(request)


def _ask(request: HttpRequest, door_: Door) -> HttpResponseBase | None:
    asked = cast(Asked, request)
    subject, at = asked.subject, asked.at
    right = cast(Right, door_.right)
    if may(subject=subject, right=right, at=at):
        return _step_of_plane(request, subject)
    if not request.user.is_authenticated:
        return _to_sign_in(request)
    if may(subject=replace(subject, acknowledged=True, mfa=True), right=right, at=at):
        return _next_step(request, subject)
    if not subject.is_coordinator and subject.standing in _ENDED and _was_his(subject, right, at):
        return HttpResponseRedirect(EXIT)
    if _lacks_only_a_role(subject, right, at):
        return _no_role(request, right)
    raise Http404


def _step_of_plane(request: HttpRequest, subject: Subject) -> HttpResponseBase | None:
    """Both planes need the duty and the second factor, whatever the single right asks for."""
    return None if subject.acknowledged and subject.mfa else _next_step(request, subject)


def _next_step(request: HttpRequest, subject: Subject) -> HttpResponseBase:
    """The duty is asked first, then the second factor; each leads back to the same address."""
    back = {"next": request.get_full_path() if request.method in ("GET", "HEAD") else request.path}
    if not subject.acknowledged:
        return HttpResponseRedirect(f"{CONFIDENTIALITY}?{urlencode(back)}")
    has_factor = queries.has_second_factor(account=request.user)
    step = reverse("mfa_reauthenticate" if has_factor else "accounts_factor_setup")
    return HttpResponseRedirect(f"{step}?{urlencode(back)}")


def _to_sign_in(request: HttpRequest) -> HttpResponseBase:
    back = request.get_full_path() if request.method in ("GET", "HEAD") else "/home"
    return HttpResponseRedirect(f"{settings.LOGIN_URL}?{urlencode({'next': back})}")


def _was_his(subject: Subject, right: Right, at: datetime) -> bool:
    """Whether a member in force could enter: what never was for members does not exist for those who left either."""
    before = replace(subject, acknowledged=True, mfa=True, role=Role.MEMBER_ADMIN, standing=Standing.ACTIVE)
    return may(subject=before, right=right, at=at)


def _lacks_only_a_role(subject: Subject, right: Right, at: datetime) -> bool:
    """Whether the page is one of the subject's own plane, so that he may know that it exists."""
    if subject.kind is not Kind.PERSON:
        return False
    whole = replace(subject, acknowledged=True, mfa=True)
    if subject.is_coordinator:
        plane, better = Right.ENTER_STAFF_PLANE, replace(whole, duties=frozenset(queries.ALL_DUTIES))
    else:
        plane, better = Right.ENTER_MEMBERS_PLANE, replace(whole, role=Role.MEMBER_ADMIN)
    return may(subject=whole, right=plane, at=at) and may(subject=better, right=right, at=at)


def _no_role(request: HttpRequest, right: Right) -> HttpResponse:
    asked = cast(Asked, request)
    holders = queries.holders(subject=asked.subject, right=right, at=asked.at)
    return render(request, "web/no_role.html", {"right": right, "holders": holders}, status=403)
