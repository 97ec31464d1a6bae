"""The same bundles once or five times, in any order, early or late: one final state, one effect in the ledger (F07).

What a source sends again is known by its bytes, what it sends in another wrapping by identity and version; an older
version after a newer one is a version, and the newest stays the newest.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lianfang.audit.models import Entry
from lianfang.intel import intake, queries
from lianfang.intel.models import LogEntry, Submission, Version
from lianfang.intel.positions import INDEX, Versions
from lianfang.policy import sql, store
from lianfang.policy.facts import Channel, Request, Subject
from tests.exchange.stage import GREEN
from tests.intel.cast import EVERYONE, indicator, later, malware, member

pytestmark = pytest.mark.django_db
LAST = queries.Filters(versions=frozenset({Versions.LAST}))
Object = dict[str, Any]


@st.composite
def histories(draw: st.DrawFn) -> list[list[Object]]:
    """What a source wrote, in the order of writing, cut into bundles: versions of a few objects, some revoked last."""
    written: list[Object] = []
    for number in range(draw(st.integers(1, 4))):
        first = draw(st.sampled_from([indicator, malware]))(object_marking_refs=[GREEN])
        first["id"] = f"{first['type']}--{UUID(int=draw(st.integers(1, 2**100)) * 16 + number, version=4)}"
        count = draw(st.integers(1, 4))
        for version in range(count):
            changed = {"modified": f"2026-11-0{version + 1}T00:00:00.000Z", "name": f"第{version}版"}
            if version and version == count - 1 and draw(st.booleans()):
                changed["revoked"] = True
            written.append(first | changed)
    draw(st.randoms()).shuffle(written)
    cut = draw(st.integers(1, len(written)))
    return [written[start : start + cut] for start in range(0, len(written), cut)]


def deliver(by: Subject, bodies: list[bytes]) -> list[Submission]:
    """Hand them in one after another, as a machine that knows no keys does."""
    return [
        intake.submit(by=by, at=later(number), body=body, form=EVERYONE, channel=Channel.TAXII)
        for number, body in enumerate(bodies)
    ]


def final(reader: Subject) -> tuple[Any, ...]:
    """Everything that can be seen afterwards, but for the order of coming in."""
    rows = Version.objects.values_list("item__stix_id", "version", "revoked", "label_id", "original")
    # What this process remembers of the log was rolled back under its feet.
    INDEX.clear()
    sql.forget()
    # Labels as they are, not by number: a number is given up with the transaction that gave it.
    labels = store.labels(set(Version.objects.values_list("label_id", flat=True)))
    kept = {(*row[:3], labels[row[3]], bytes(row[4])) for row in rows}
    assert len(kept) == Version.objects.count()
    lines = Counter(LogEntry.objects.values_list("version__item__stix_id", "version__version"))
    page = queries.page(subject=reader, at=later(600), request=Request(channel=Channel.TAXII), filters=LAST, limit=100)
    return kept, lines, {(one.stix_id, bytes(one.body)) for one in page.items}


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=histories(), seed=st.integers(0, 2**32), wrapped=st.booleans())
def test_one_final_state(history: list[list[Object]], seed: int, wrapped: bool) -> None:
    dice = random.Random(seed)

    def body(objects: list[Object]) -> bytes:
        # Another wrapping each time (the bundle's own id) is another body, whose objects are known all the same.
        return json.dumps({"type": "bundle", "id": f"bundle--{uuid4()}", "objects": objects}).encode()

    with transaction.atomic():
        by, reader = member("甲電子"), member("乙銀行")
        once = [body(objects) for objects in history]
        point = transaction.savepoint()
        deliver(by, once)
        expected = final(reader)
        transaction.savepoint_rollback(point)

        again = [each for each, objects in zip(once, history, strict=True) for _ in range(dice.randint(1, 5))]
        if wrapped:
            again += [body(dice.sample(objects, len(objects))) for objects in history]
        dice.shuffle(again)
        before = Entry.objects.count()
        made = deliver(by, again)
        assert final(reader) == expected
        # One entry a body, however often it came; and each got the answer that the first of it got.
        different = len(set(again))
        assert Submission.objects.count() == different
        assert Entry.objects.filter(tag="intel:submission:accept").count() == different
        assert Entry.objects.count() == before + different
        answers = {}
        for each, submission in zip(again, made, strict=True):
            assert answers.setdefault(each, submission.pk) == submission.pk
        outcomes = Counter(
            row["outcome"] for row in Submission.objects.values_list("results", flat=True) for row in row
        )
        written = sum(len(objects) for objects in history)
        assert outcomes["accepted"] + outcomes["new_version"] == written
        assert set(outcomes) <= {"accepted", "new_version", "duplicate"}
        transaction.set_rollback(True)


def test_a_body_that_comes_again_after_days_changes_nothing() -> None:
    """The day within which bytes are remembered is over: each object is known by itself."""
    by, reader = member("甲電子"), member("乙銀行")
    one = indicator(object_marking_refs=[GREEN])
    body = json.dumps({"objects": [one]}).encode()
    newer = json.dumps({"objects": [one | {"modified": "2026-11-09T00:00:00.000Z"}]}).encode()
    deliver(by, [body, newer])
    before = final(reader)
    late = intake.submit(by=by, at=later(9 * 86_400), body=body, form=EVERYONE, channel=Channel.TAXII)
    assert [row["outcome"] for row in late.results] == ["duplicate"]
    assert final(reader) == before
