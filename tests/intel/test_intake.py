"""Intake: what becomes of each object."""

from __future__ import annotations

from pathlib import Path

import pytest
import stix2validator

from lianfang.intel import intake
from lianfang.policy.facts import Channel
from tests.intel.cast import AT, BUNDLES, EVERYONE, ids, indicator, member, outcomes, submit, taxii

pytestmark = pytest.mark.django_db

REPORTS = Path(stix2validator.__file__).parent / BUNDLES


@pytest.mark.parametrize(("name", "count"), [("apt1", 76), ("poisonivy", 155)])
def test_published_reports_come_in_whole(name: str, count: int) -> None:
    by, reader = member("甲電子"), member("乙銀行")
    body = (REPORTS / f"{name}.json").read_bytes()
    made = intake.submit(by=by, at=AT, body=body, form=EVERYONE, channel=Channel.TAXII)
    assert outcomes(made) == ["accepted"] * count
    assert len(taxii(reader, limit=1000).items) == count


def test_a_reader_gets_the_stored_bytes() -> None:
    by, reader = member("甲電子"), member("乙銀行")
    one = indicator()
    submit(by, one)
    page = taxii(reader)
    assert ids(page) == [one["id"]]
