"""One cast for all tests of a module: each test gets it as it was built, since its changes are rolled back."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.world import World


@pytest.fixture(scope="module")
def cast(django_db_setup: None, django_db_blocker: Any) -> Iterator[World]:
    # Imported late: models can only be imported once Django stands.
    from django.db import transaction

    from tests import world

    with django_db_blocker.unblock(), transaction.atomic():
        yield world.build()
        transaction.set_rollback(True)


@pytest.fixture
def made(cast: World, db: None) -> World:
    return copy.deepcopy(cast)
