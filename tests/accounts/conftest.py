"""The cast is made once a module; what a test changes is rolled back to it."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.accounts.cast import Few
    from tests.world import World


@pytest.fixture(scope="module")
def _made(django_db_setup: None, django_db_blocker: Any) -> Iterator[Few]:
    # Named here: this file is read before Django is set up.
    from django.db import transaction

    from tests.accounts.cast import few

    with django_db_blocker.unblock(), transaction.atomic():
        yield few()
        transaction.set_rollback(True)


@pytest.fixture
def cast(_made: Few, db: None) -> Few:
    return copy.deepcopy(_made)


@pytest.fixture(scope="module")
def whole(django_db_setup: None, django_db_blocker: Any) -> Iterator[World]:
    """Everybody of the alliance, for what concerns more than a few people."""
    from django.db import transaction

    from tests import world

    with django_db_blocker.unblock(), transaction.atomic():
        yield world.build()
        transaction.set_rollback(True)


@pytest.fixture
def made(whole: World, db: None) -> World:
    return copy.deepcopy(whole)
