"""Pages of the staff with many members and cases cost what they cost with few: the same statements, bounded time."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests import world
from tests.goals import goal
from tests.members import many

pytestmark = pytest.mark.django_db(transaction=True)
MOST_STATEMENTS = 20
LISTS = {
    "inbox": "/staff/inbox",
    "inbox, all open": "/staff/inbox?view=open",
    "inbox, closed": "/staff/inbox?view=closed",
    "applications": "/staff/applications",
    "changes": "/staff/changes",
    "all changes": "/staff/changes?view=all",
    "revocations": "/staff/revocations",
    "all revocations": "/staff/revocations?view=all",
    "terminations": "/staff/terminations",
    "all terminations": "/staff/terminations?view=all",
    "members": "/staff/members",
    "members by name": "/staff/members?q=%E7%A4%BA%E7%AF%84",
    "deadlines": "/staff/deadlines",
    "contacts": "/staff/contacts",
    "lists": "/staff/lists",
    "cases of lists": "/staff/list-cases",
    "procedures": "/staff/procedures",
    "legal holds": "/staff/holds",
    "security holds": "/staff/security-holds",
}
AUDIT = {"audit": "/staff/audit"}


def asked(client: Client, pages: Mapping[str, str], *, times: int) -> dict[str, tuple[int, float]]:
    """Statements and milliseconds (the best of so many) of each page."""
    found = {}
    for name, path in pages.items():
        client.get(path)
        with CaptureQueriesContext(
            connection,
        ) as seen:
            answer = client.get(path)
        assert answer.status_code == 200, (name, answer.status_code)
        took = []
        for _ in range(times):
            began = time.perf_counter()
            client.get(path)
            took.append((time.perf_counter() - began) * 1000)
        found[name] = (len(seen), min(took))
    return found


def over(found: Mapping[str, tuple[int, float]]) -> list[str]:
    return [f"{name}: {number} statements" for name, (number, _) in found.items() if number > MOST_STATEMENTS]


@pytest.mark.timeout(900)
def test_no_page_of_the_staff_asks_more_than_twenty_statements() -> None:
    made = world.build()
    pages = many.fill(made, many.Size(members=20, constituents=60, cases=300))
    client = made.client(made.reviewer)
    found = asked(client, {**LISTS, **pages}, times=1)
    audit = asked(made.client(made.auditor), AUDIT, times=1)
    assert not over({**found, **audit}), (over({**found, **audit}), found)


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_staff_pages_with_a_hundred_thousand_cases() -> None:
    """Time beside a database of the cast alone: at most twice. `LIANFANG_CASES` seeds fewer, in the same proportion."""
    number = int(os.environ.get("LIANFANG_CASES", str(many.WHOLE.cases)))
    size = many.Size(number * 3 // 100, number // 5, number)
    made = world.build()
    clients = {"reviewer": made.client(made.reviewer), "auditor": made.client(made.auditor)}
    before = asked(clients["reviewer"], LISTS, times=5) | asked(clients["auditor"], AUDIT, times=5)
    with goal(f"staff pages with {number} cases") as counted:
        pages = many.fill(made, size)
        after = asked(clients["reviewer"], {**LISTS, **pages}, times=5) | asked(clients["auditor"], AUDIT, times=5)
        ratios = {name: took / before[name][1] for name, (_, took) in after.items() if name in before}
        slow = {name: round(ratio, 2) for name, ratio in ratios.items() if ratio > 2}
        counted.count = len(after)
        counted.also = (
            f"most statements {max(one for one, _ in after.values())}, worst ratio {max(ratios.values()):.2f}"
        )
        assert not over(after), over(after)
        assert not slow, slow
