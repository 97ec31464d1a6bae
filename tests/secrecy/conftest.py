from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.secrecy.twins import Beginning, Twins

# Models can only be imported once Django stands: hence the imports inside.


@pytest.fixture(scope="session")
def beginning(django_db_setup: None, django_db_blocker: Any) -> Beginning:
    """What both worlds begin as, built once a process."""
    from tests.secrecy.twins import begin

    with django_db_blocker.unblock():
        return begin()


@pytest.fixture(scope="module")
def twin_worlds(beginning: Beginning, django_db_blocker: Any) -> Iterator[Twins]:
    """Copies of the beginning, with time and chance given while the tests of a module run."""
    from tests.secrecy.twins import twins

    with django_db_blocker.unblock(), twins(beginning) as found:
        yield found


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture) -> None:
    """Hundreds of answers are 404: what is expected is not worth a line each."""
    caplog.set_level("ERROR", logger="django.request")
