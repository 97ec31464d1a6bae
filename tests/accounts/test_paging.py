"""Pages by key: every row once, forth and back, whatever ties there are; what is no key shows the first page."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import parse_qsl

import pytest
from django.db import transaction

from lianfang.accounts import paging
from lianfang.accounts.models import Organization
from tests.world import BEGIN

ORDERS = (("name_zh", "id"), ("-created_at", "id"), ("created_at", "-name_zh", "id"))


@pytest.fixture
def scratch(db: None) -> Iterator[None]:
    """Rows that no action made are gone before the guard of the ledger looks."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.mark.usefixtures("scratch")
@pytest.mark.parametrize("order", ORDERS, ids=" ".join)
def test_every_row_is_met_once_forth_and_back(order: tuple[str, ...]) -> None:
    rows = [
        Organization(kind="twse", name_zh=f"第{place % 7}號", created_at=BEGIN.replace(day=1 + place % 3))
        for place in range(58)
    ]
    Organization.objects.bulk_create(rows)
    wanted = list(Organization.objects.order_by(*order))
    met, pages, asked = [], [], {"view": "all"}
    while True:
        page = paging.page(Organization.objects.all(), order, asked, size=20)
        met += page.rows
        pages.append(page)
        if not page.older:
            break
        asked = dict(parse_qsl(page.older[1:]))
        assert asked["view"] == "all", "what else was asked stays"
    assert met == wanted
    assert [len(page.rows) for page in pages] == [20, 20, 18]
    assert not pages[0].newer
    back = paging.page(Organization.objects.all(), order, dict(parse_qsl(pages[2].newer[1:])), size=20)
    assert back.rows == pages[1].rows
    first = paging.page(Organization.objects.all(), order, dict(parse_qsl(back.newer[1:])), size=20)
    assert first.rows == pages[0].rows
    assert not first.newer


@pytest.mark.usefixtures("scratch")
@pytest.mark.parametrize("written", ["x", "W10", "WyJhIiwiYiJd", "é", "A" * 3000, "bnVsbA"])
def test_what_is_no_key_shows_the_first_page(written: str) -> None:
    Organization.objects.bulk_create([Organization(kind="twse", name_zh="甲", created_at=BEGIN) for _ in range(3)])
    for side in ("after", "before"):
        page = paging.page(Organization.objects.all(), ("name_zh", "id"), {side: written}, size=2)
        assert page.rows == list(Organization.objects.order_by("name_zh", "id")[:2])
        assert page.older
        assert not page.newer


def test_a_part_of_a_list_without_keys() -> None:
    rows = list(range(7))
    first = paging.part(rows, {"view": "x"}, size=3)
    assert (first.rows, first.newer, first.older) == ([0, 1, 2], "", "?view=x&after=3")
    last = paging.part(rows, {"after": "6"}, size=3)
    assert (last.rows, last.newer, last.older) == ([6], "?after=3", "")
    assert paging.part(rows, {"after": "²"}, size=3).rows == [0, 1, 2]
    assert paging.part(rows, {"after": "999999"}, size=3).rows == []
