from __future__ import annotations

import time

import pytest

from tests import world


@pytest.mark.django_db
def test_the_cast_is_made_by_real_actions() -> None:
    began = time.monotonic()
    made = world.build()
    print(f"built in {time.monotonic() - began:.2f}s")
    assert made.jia.admin.subject().standing == "active"
