from __future__ import annotations

import time

import pytest

from tests import world


@pytest.mark.django_db
@pytest.mark.parametrize("turn", range(4))
def test_the_cast_stands_as_it_should(turn: int) -> None:
    began = time.monotonic()
    made = world.build()
    print(f"built in {time.monotonic() - began:.2f}s")
    assert made.jia.admin.subject().standing == "active"
