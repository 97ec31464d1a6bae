"""A worker killed between the commit and the move on the server, or before the commit: nothing lost, nothing twice."""

from __future__ import annotations

import multiprocessing
import os
import signal
from pathlib import Path

import pytest
from django.db import connections

from lianfang.kernel.clock import utcnow
from lianfang.mailroom import fetch, tasks
from lianfang.mailroom.models import Mail
from tests.mailroom import mails
from tests.mailroom.conftest import Box

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(("place", "taken"), [("mailroom.take.before-commit", 0), ("mailroom.take.after-commit", 1)])
def test_killed_at_a_failpoint(box: Box, tmp_path: Path, place: str, taken: int) -> None:
    box.put(mails.mail(), mails.mail(message_id="<2@x.example>"))

    def work() -> None:
        os.environ.update(LIANFANG_FAILPOINT=place, LIANFANG_FAILPOINT_DIR=str(tmp_path))
        tasks.run(clock=utcnow)

    connections.close_all()
    process = multiprocessing.get_context("fork").Process(target=work)
    process.start()
    process.join(60)
    assert process.exitcode == -signal.SIGKILL
    assert (Mail.objects.count(), len(box.holds())) == (taken, 2)
    assert tasks.run(clock=utcnow) == fetch.Round(2, 0)
    assert (Mail.objects.count(), len(box.holds()), len(box.holds("Lianfang-taken"))) == (2, 0, 2)
