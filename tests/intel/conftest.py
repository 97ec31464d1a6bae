from __future__ import annotations

from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def _nothing_remembered() -> Iterator[None]:
    """Each test rolls its rows back; a process that lives on would not know."""
    # Imported late: models can only be imported once Django stands.
    from lianfang.intel.positions import INDEX
    from lianfang.policy import sql

    INDEX.clear()
    sql.forget()
    yield
    INDEX.clear()
    sql.forget()
