"""Receipts: one a response, exact versions for ever, and nothing leaves under a policy that moved."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import DatabaseError, transaction

from lianfang.audit.receipts import batch_all, proof
from lianfang.intel import actions, receipts, recipients
from lianfang.intel.models import Receipt, Version
from lianfang.intel.queries import Page
from lianfang.kernel.refusal import Refusal
from lianfang.policy import store
from lianfang.policy.facts import Audience, Channel, Request, Subject, Tlp
from lianfang.policy.words import FEW
from tests.intel.cast import AT, analyst, ids, indicator, later, member, submit, taxii, token

pytestmark = pytest.mark.django_db

TAXII = Request(channel=Channel.TAXII, view="all")


def deliver(reader: Subject, **more: Any) -> Page:
    return receipts.deliver(by=reader, request=TAXII, at=AT, make=lambda: taxii(reader, **more))


def test_one_row_a_response_expands_to_exact_versions() -> None:
    by, reader = member("甲電子"), member("乙銀行")
    submit(by, *[indicator() for _ in range(5)])
    page = deliver(token(reader), limit=3)
    receipt = Receipt.objects.get()
    assert reader.pair is not None
    assert (receipt.person, receipt.organization) == (reader.person, reader.pair.organization)
    assert (receipt.lo, receipt.hi, receipt.channel, receipt.view) == (1, 3, "taxii", "all")
    before = set(receipts.versions_of(receipt).values_list("pk", flat=True))
    assert before == {found.version_id for found in page.items}
    for version in Version.objects.all():
        actions.tighten(by=by, at=AT, version=version, tlp=Tlp.AMBER, audience=Audience.coordinator_only())
    assert set(receipts.versions_of(receipt).values_list("pk", flat=True)) == before


def test_an_empty_answer_needs_no_receipt() -> None:
    reader = member("乙銀行")
    assert not ids(deliver(reader))
    assert not Receipt.objects.exists()


def test_nothing_leaves_under_a_policy_that_moved() -> None:
    by, reader = member("甲電子"), member("乙銀行")
    submit(by, indicator())
    made: list[Page] = []

    def make() -> Page:
        page = taxii(reader)
        if not made:
            actions.tighten(
                by=by, at=AT, version=Version.objects.get(), tlp=Tlp.AMBER, audience=Audience.coordinator_only()
            )
        made.append(page)
        return page

    page = receipts.deliver(by=reader, request=TAXII, at=AT, make=make)
    assert len(made) == 2
    assert ids(made[0])
    assert not ids(page)
    assert not Receipt.objects.exists()


def test_a_policy_that_never_holds_still_is_a_refusal() -> None:
    by, reader = member("甲電子"), member("乙銀行")
    submit(by, indicator())

    def make() -> Page:
        page = taxii(reader)
        store.bump_policy()
        return page

    with pytest.raises(Refusal):
        receipts.deliver(by=reader, request=TAXII, at=AT, make=make)


def test_receipts_are_never_changed() -> None:
    by, reader = member("甲電子"), member("乙銀行")
    submit(by, indicator())
    deliver(reader)
    with pytest.raises(DatabaseError), transaction.atomic():
        Receipt.objects.update(channel="page")
    with pytest.raises(DatabaseError), transaction.atomic():
        Receipt.objects.all().delete()


def test_receipts_enter_the_tree() -> None:
    by, reader = member("甲電子"), member("乙銀行")
    submit(by, indicator())
    deliver(reader)
    receipt = Receipt.objects.get()
    assert proof(name="intel", receipt=receipt) is None
    assert batch_all(at=later()) == 1
    found = proof(name="intel", receipt=receipt)
    assert found is not None
    assert found.holds


def test_the_source_sees_classes_and_few_the_analyst_names() -> None:
    by, reader = member("甲電子"), member("乙銀行")
    submit(by, indicator())
    version = Version.objects.get()
    assert recipients.of(version=version, subject=by, at=AT) == []
    deliver(reader)
    deliver(by)
    (row,) = recipients.of(version=version, subject=by, at=AT)
    assert row.count == FEW
    assert row.names == ()
    (row,) = recipients.of(version=version, subject=analyst(), at=AT)
    assert row.count == 1
    assert [name.zh for name in row.names] == ["乙銀行"]
