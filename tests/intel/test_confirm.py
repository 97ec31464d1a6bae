"""The receipt that confirms an answer: none where the connection broke, whatever had been done on it before."""

from __future__ import annotations

import psycopg
import pytest
from django.db import connection
from pyroaring import BitMap

from lianfang.intel.confirm import _prepared, confirm
from lianfang.policy.facts import Channel, Request, Subject
from lianfang.policy.store import epoch
from tests.database import CLUSTER

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("before", ["nothing was prepared on it", "it was used"])
def test_a_broken_connection_confirms_nothing_and_the_next_one_does(before: str) -> None:
    def confirmed() -> bool:
        asked = Request(channel=Channel.TAXII, view="all", stop=False)
        return confirm(by=Subject.public(), request=asked, positions=BitMap([1]), epoch=epoch()) is not None

    # Under the epoch that stands, on a connection that is there.
    assert confirmed()
    now = epoch()
    if before == "nothing was prepared on it":
        _prepared.discard(connection.connection)
    with psycopg.connect(CLUSTER.url("postgres"), autocommit=True) as admin:
        admin.execute("SELECT pg_terminate_backend(%s)", [connection.connection.info.backend_pid])
    asked = Request(channel=Channel.TAXII, view="all", stop=False)
    assert confirm(by=Subject.public(), request=asked, positions=BitMap([1]), epoch=now) is None
    assert confirmed()
