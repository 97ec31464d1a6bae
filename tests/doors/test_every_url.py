"""Every route, by every method, by everybody: let in exactly by what the policy says, and never a broken page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.http import HttpResponse
from django.test import Client

from lianfang.accounts import actions as accounts
from lianfang.policy.facts import Role
from tests.doors.routes import EVERYBODY, WHO, Route, routes
from tests.world import PASSWORD, Actor, World

METHODS = ("GET", "POST")
RARE_METHODS = ("HEAD", "PUT", "PATCH", "DELETE", "OPTIONS")
TRY_ALL = {"stranger", "admin", "former", "reviewer"}
"""Who tries every method: one of each plane. The check of a door comes before the method is looked at."""
PARTS = 6
"""The walk is cut up so that several processes can take their share of it."""
STEPS = ("/account/", "/member/confidentiality", "/exit")


@pytest.fixture(scope="module")
def cast(world: World) -> dict[str, Client]:
    """Everybody who walks, signed in."""
    actors = {
        "admin": world.jia.admin,
        "contact": world.jia.contact,
        "member": world.jia.member,
        "other_admin": world.bing.admin,
        "constituent": world.wu,
        "unscreened": world.ji,
        "former": world.former.admin,
        "granter": world.granter1,
        **{name: actor for name, actor in world.staff.items() if name not in ("granter1", "granter2", "approver2")},
    }
    clients = {name: world.client(actor) for name, actor in actors.items()}
    clients["no_factor"] = world.client(world.yi.admin, mfa=False)
    clients["no_duty"] = world.client(_newcomer(world))
    clients["left"] = world.client(world.yi.member)
    _leave(world)
    clients["stranger"] = world.client(None)
    for client in clients.values():
        client.raise_request_exception = False
    return clients


def _newcomer(world: World) -> Actor:
    """Somebody who accepted an invitation, has a second factor, and has not yet acknowledged the duty."""
    admin = world.yi.admin
    by, at = admin.subject(), world.clock.tick()
    person = accounts.person_enter(name="新進員", email="newcomer@m2.example", by=by, at=at)
    invitation, _ = accounts.invite(
        person=person, organization=admin.organization, group=admin.organization, role=Role.MEMBER, by=by, at=at
    )
    account = accounts.accept_invitation(invitation=invitation, password=PASSWORD, at=world.clock.tick())
    TOTP.activate(account, generate_totp_secret())
    return Actor(invitation.affiliation, account, world.clock)


def _leave(world: World) -> None:
    accounts.leave(affiliation=world.yi.member.affiliation, by=world.yi.admin.subject(), at=world.clock.tick())


def samples(world: World) -> dict[tuple[str, str], Any]:
    """Values by which a route finds something."""
    return {
        ("account_reset_password_from_key", "*"): "/account/password/reset/key/0-set-password/",
        ("taxii_elsewhere", "*"): "/taxii2/nothing",
        ("charter_article", "article"): 1,
        ("case", "number"): world.applicant.number,
        ("write_profile", "alias"): "all",
    }


def test_every_route_has_a_name_and_a_door(world: World) -> None:
    wrong = {route.name or route.path: route.missing for route in routes(samples(world)) if route.missing}
    assert not wrong


def test_every_door_is_known(world: World) -> None:
    unknown = {route.door for route in routes(samples(world))} - WHO.keys()
    assert not unknown, f"say in tests/doors/routes.py who holds {sorted(unknown)}"


@pytest.mark.timeout(600)
@pytest.mark.parametrize("part", range(PARTS))
def test_everybody_at_every_door(world: World, cast: dict[str, Client], part: int) -> None:
    assert set(cast) == EVERYBODY
    faults: list[str] = []
    for route in routes(samples(world))[part::PARTS]:
        for name, client in cast.items():
            faults += [f"{name} {method} {route.path}: {fault}" for method, fault in _try(client, route, name)]
    assert not faults, "\n".join(faults[:60])


def _try(client: Client, route: Route, name: str) -> Iterator[tuple[str, str]]:
    methods = METHODS + (RARE_METHODS if name in TRY_ALL else ())
    if route.path.startswith("/account/"):
        # These pages change the very session that walks: they end it, or take its second factor away.
        methods = ("GET",)
    for method in methods:
        response = client.generic(method, route.path, content_type="application/x-www-form-urlencoded")
        fault = _fault(response, route, entering=name in WHO[route.door], method=method)
        if fault:
            yield method, fault


def _fault(response: HttpResponse, route: Route, *, entering: bool, method: str) -> str:
    if response.status_code >= 500 and route.name != "readyz":
        return f"{response.status_code}"
    if route.door == "machine":
        return "" if response.status_code in (401, 405, 404, 308) else f"a browser got {response.status_code}"
    if response.status_code == 405 or (method not in ("GET", "HEAD", "POST") and response.status_code == 403):
        return ""  # that a page takes no such method tells nothing of what is behind it
    shut = _is_shut(response)
    if entering and shut and not _may_lead_on(route, response):
        return f"kept out ({response.status_code} {response.headers.get('Location', '')})"
    if not entering and not shut:
        return f"let in ({response.status_code})"
    return ""


def _is_shut(response: HttpResponse) -> bool:
    """Kept out: a step, a missing role, or the 404 of what does not exist."""
    if response.status_code == 302:
        return response.headers["Location"].startswith(STEPS)
    return response.status_code in (403, 404)


def _may_lead_on(route: Route, response: HttpResponse) -> bool:
    """Let in, and yet nothing there: the sample names nothing, or the page itself leads to a sign-in step."""
    nothing_there = response.status_code == 404 or route.name == "audit_acknowledge"  # no fault to take note of
    return nothing_there or route.door in ("public", "signed_in") or route.path.startswith("/account/")


def test_the_cast_is_what_it_says(world: World) -> None:
    assert Authenticator.objects.filter(user=world.yi.admin.account).exists()
    assert world.former.membership.state == "revoked"
