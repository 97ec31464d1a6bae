"""The cast is made once a module; what a test changes is rolled back to it."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.accounts.cast import Few


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
