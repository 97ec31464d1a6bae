"""The id of somebody else's thing, wherever it is put, is answered like the id of nothing, and no row changes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.urls import URLResolver, get_resolver

from lianfang.audit.exempt import EXEMPT
from tests.doors.routes import routes
from tests.doors.things import Things, make, nothing_like, shared
from tests.world import World, answers, draft

# What is written about whoever asks, and decides nothing: sessions, counts, who received what.
TYPED = b"second_factor_code=000000&reason=x&act=go&how=video&role=member&purpose=research"
PASSING = set(EXEMPT) - {"audit_entry", "intel_draft", "mfa_authenticator"}


@pytest.fixture(scope="module")
def things(world: World) -> Things:
    return make(world)


def state() -> dict[str, Any]:
    """A digest of every table that matters."""
    with connection.cursor() as cursor:
        names = sorted(set(connection.introspection.table_names(cursor)) - PASSING)
        parts = [f"SELECT '{name}', md5(string_agg(t::text, '|' ORDER BY t::text)) FROM \"{name}\" t" for name in names]
        cursor.execute(" UNION ALL ".join(parts))
        return dict(cursor.fetchall())


def addresses(things: Things) -> list[tuple[str, str, str]]:
    """(route, address with 乙's thing, the same with the id of nothing)."""
    theirs = {(route.name, route.path) for route in routes(samples(things.of))}
    nobody = dict(routes_by_name(samples({key: nothing_like(value) for key, value in things.of.items()})))
    wanted = {name for name, _ in things.of}
    return sorted((name, path, nobody[name]) for name, path in theirs if name in wanted)


def routes_by_name(given: dict[tuple[str, str], Any]) -> Iterator[tuple[str, str]]:
    for route in routes(given):
        yield route.name, route.path


def samples(of: dict[tuple[str, str], Any]) -> dict[tuple[str, str], Any]:
    return {
        ("account_reset_password_from_key", "*"): "/account/password/reset/key/0-set-password/",
        ("taxii_elsewhere", "*"): "/taxii2/nothing",
        **{(name, "collection"): "5b7c1f0a-6f2e-4d0b-9a57-0d6b6f3a9e01" for name in ("taxii_object", "taxii_versions")},
        **of,
    }


def with_parameters(resolver: URLResolver) -> Iterator[str]:
    for entry in resolver.url_patterns:
        if isinstance(entry, URLResolver):
            yield from with_parameters(entry)
        elif entry.pattern.regex.groups:
            yield str(entry.name)


def test_every_route_with_a_parameter_is_somebodys_or_says_why_not(things: Things) -> None:
    owned = {name for name, _ in things.of}
    named = set(with_parameters(get_resolver()))
    assert owned <= named
    assert not [name for name in owned if shared(name)]
    unsaid = sorted(name for name in named - owned if not shared(name))
    assert not unsaid, f"say in tests/doors/things.py whose these are: {unsaid}"


def intruders(world: World) -> dict[str, Client]:
    """Others of every kind: another group's administrator and people, staff, a former member, a stranger."""
    found = {
        "admin of another member": world.client(world.jia.admin),
        "reviewer": world.client(world.reviewer), "former": world.client(world.former.admin),
        "stranger": world.client(None),
    }  # fmt: skip
    for client in found.values():
        client.raise_request_exception = False
    return found


def told(answer: HttpResponse, path: str) -> tuple[int, bytes, dict[str, str]]:
    """The answer without what it repeats of the address."""
    last = path.rstrip("/").split("/")
    body = answer.content
    for part in last:
        if len(part) > 8:
            body = body.replace(part.encode(), b"?")
    body = re.sub(rb'name="csrfmiddlewaretoken" value="[^"]+"', b"", body)
    body = re.sub(rb'"error_id":\s*"[^"]+"', b"", body)
    headers = {name: re.sub(r"=.*", "", value) for name, value in answer.headers.items() if name != "Content-Length"}
    headers.pop("Location", None)
    return answer.status_code, body, headers


def test_the_id_of_somebody_elses_thing_is_that_of_nothing(world: World, things: Things) -> None:
    before = state()
    machine = {"Authorization": f"Bearer {world.tokens['jia'][1]}", "Accept": "application/taxii+json;version=2.1"}
    wrong = []
    tried = 0
    for who, client in intruders(world).items():
        for name, theirs, nothing in addresses(things):
            by_machine = name.startswith("taxii")
            owns = (name.startswith("exit") and who == "former") or (name == "accounts_help_one" and who == "reviewer")
            if owns or (by_machine and who != "admin of another member"):
                continue  # the centre's people may vouch for anybody who lost a factor
            for method in ("GET", "POST", *(("DELETE",) if by_machine else ())):
                answers_ = []
                for path in (theirs, nothing):
                    answer = client.generic(
                        method, path, TYPED, content_type="application/x-www-form-urlencoded",
                        headers=machine if by_machine else None,
                    )  # fmt: skip
                    answers_.append(told(answer, path))
                tried += 1
                if answers_[0] != answers_[1] or answers_[0][0] not in (302, 403, 404, 405):
                    wrong.append(f"{who} {method} {theirs}: {answers_[0][0]}, and of nothing {answers_[1][0]}")
    assert not wrong, "\n".join(wrong)
    assert tried >= 150
    assert {name: value for name, value in state().items() if before[name] != value} == {}


def test_the_owner_finds_what_others_do_not(world: World, things: Things) -> None:
    """Or the test above would compare nothing with nothing."""
    client = world.client(world.yi.admin)
    found = [name for name, theirs, _ in addresses(things) if client.get(theirs).status_code in (200, 405)]
    assert {"change_role", "connection", "intel_item", "submission", "submit_who", "invite_again"} <= set(found), found


@pytest.mark.parametrize(
    "what", ["invite for them", "act for them", "their file", "their person", "their draft's file", "their charter key"]
)
def test_an_id_within_a_form_reaches_nothing_of_others(world: World, things: Things, what: str) -> None:
    jia, yi = world.client(world.jia.admin), world.yi
    applicant = world.client(None)
    others = things.of[("apply_mask", "file_id")]
    if "draft" in what or "file" in what or "key" in what:
        own = draft(world.clock, answers(name="子示範股份有限公司", place=62, people="m62.example"))
        applicant.post(f"/apply/resume/{own.secret}")
    ask = {
        "invite for them": lambda: jia.post(
            "/member/organisation/people/invite",
            {"name": "林", "email": "x@m1.example", "organization": str(yi.organization.pk), "role": "member_admin"},
        ),
        "act for them": lambda: jia.post("/member/switch", {"affiliation": str(yi.admin.affiliation.pk)}),
        "their person": lambda: world.client(world.granter1).post(
            "/staff/duties", {"person": str(yi.admin.person.pk), "duty": "analyst", "reason": "x"}
        ),
        "their file": lambda: applicant.post("/apply/step/attachments", {"remove": str(others)}),
        "their draft's file": lambda: applicant.post(
            "/apply/step/attachments",
            {"registration": SimpleUploadedFile("a.exe", b"MZ"), "application": "x", "file_id": str(others)},
        ),
        "their charter key": lambda: applicant.post(
            "/apply/step/review", {"key": f"key-{world.applicant.pk}", "accept_charter": "on", "charter": str(others)}
        ),
    }  # fmt: skip
    before = state()
    answer = ask[what]()
    assert answer.status_code in (302, 400, 403, 404, 422) or what == "act for them", answer.status_code
    changed = {name for name, value in state().items() if before[name] != value}
    # One's own draft is saved with whatever page was sent.
    assert changed <= ({"audit_entry", "members_application"} if what == "their file" else set()), changed
    if what == "act for them":
        assert yi.organization.name_zh not in jia.get("/member").content.decode()
