from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.exchange.stage import Stage


@pytest.fixture(scope="module")
def alliance(django_db_setup: None, django_db_blocker: Any) -> Iterator[Stage]:
    """One world at one server for a module; each test leaves it as it found it, but for what it added."""
    from tests.exchange.stage import stage  # models can only be imported once Django stands

    with django_db_blocker.unblock(), stage() as found:
        yield found
