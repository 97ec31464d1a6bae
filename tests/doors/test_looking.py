"""Looking at a page changes nothing: not one row outside of what notes that somebody looked."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from lianfang.audit.exempt import EXEMPT
from tests.doors.routes import routes
from tests.doors.test_foreign_ids import samples
from tests.doors.things import make
from tests.world import Actor, World

_WRITES = re.compile(r'^\s*(?:INSERT\s+INTO|UPDATE|DELETE\s+FROM|TRUNCATE)\s+"?(\w+)"?', re.I)
# Sessions, caches, receipts of what was read, the queue: each with its reason in `audit.exempt`.
SAID = {
    "mfa_view_recovery_codes": "codes are shown once, so that they were shown is kept",
    "case_file": "that a file was asked for stands in the ledger, found or not",
    "appeal_file": "likewise",
    "statement_file": "likewise",
}
NOTED = frozenset(EXEMPT) - {"audit_entry", "intel_draft", "mfa_authenticator", "policy_epoch"}


@pytest.fixture(scope="module")
def paths(world: World) -> dict[str, str]:
    """Every route, with things behind it that are really there."""
    number, revoked = world.applicant.number, world.revocation.number
    token, item = world.tokens["jia"][0].pk, make(world).of
    of = {
        **item,
        ("case_note", "number"): number,
        **{(f"{name}_connection", "token_id"): token for name in ("rotate",)},
    }
    for route in routes(samples(item)):
        if "/staff/cases/" in route.path:
            of[route.name, "number"] = number
        if "/staff/revocations/" in route.path or "/staff/appeals/" in route.path:
            of[route.name, "number"] = revoked
        if "/staff/members/" in route.path:
            of[route.name, "membership_id"] = world.jia.membership.pk
        for what, value in (("recommend", "approve"), ("decide", "approve")):
            if f"/{what}/" in route.path:
                of[route.name, "what"] = value
    return {route.name: route.path for route in routes(samples(of))}


def readers(world: World, path: str) -> list[Actor | None]:
    """Who opens a page of this plane; of the staff, those whose duties differ."""
    if path.startswith("/staff"):
        return [world.reviewer, world.approver, world.auditor if "/audit" in path else world.granter1]
    if path.startswith("/exit"):
        return [world.former.admin]
    closed = path.startswith(("/member", "/me", "/home", "/account"))
    return [world.yi.admin] if closed else [world.yi.admin, None]


def test_looking_changes_nothing(world: World, paths: dict[str, str]) -> None:
    written: list[str] = []

    def watch(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        found = _WRITES.match(sql)
        if found and found[1] not in NOTED and name not in SAID:
            written.append(f"{now}: {sql[:80]}")
        return execute(sql, params, many, context)

    seen = set()
    clients: dict[Any, Client] = {}
    for name, path in paths.items():
        for reader in readers(world, path):
            who = reader and reader.account.pk
            if who not in clients:
                clients[who] = world.client(reader)
                clients[who].raise_request_exception = False
            now = f"{reader and reader.account.email} GET {path}"
            with connection.execute_wrapper(watch):
                if clients[who].get(path).status_code == 200:
                    seen.add(name)
    assert not written, "\n".join(written)
    # Pages that really opened, or nothing was looked at.
    assert {"case", "case_decide", "membership", "intel_item", "intel_recall", "connection", "people", "duties"} <= seen


@pytest.mark.parametrize(
    "where", ["/static/", "/static/web/", "/static", "/files/", "/.git/config", "/.env", "/media/"]
)
@pytest.mark.django_db
def test_no_folder_is_listed_and_nothing_is_traced(where: str) -> None:
    assert Client().get(where).status_code == 404
    for path in ("/", "/about", "/healthz", "/account/login/", "/taxii2/", "/charter", "/member", where):
        answer = Client().generic("TRACE", path, headers={"X-Told": "a-secret-of-the-client"})
        assert answer.status_code in (401, 404, 405, 302), path
        assert b"a-secret-of-the-client" not in answer.content
