"""Labels as rows, the epoch, and what is visible over the real table."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from django.db import IntegrityError, connection, transaction

from lianfang.audit.actions import record
from lianfang.audit.tags import Tag
from lianfang.policy import codec, models, sql, store
from lianfang.policy.facts import Right, Subject, Tlp, Upstream, UpstreamKind
from tests.policy.cast import PAGE, SOON, item, own, person, red
from tests.policy.ground import AT, TICK
from tests.policy.oracle import evaluate
from tests.policy.worlds import world

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _entry(db: None) -> Iterator[None]:
    """The ledger's guard asks for an entry of whoever writes; here it is the test."""
    record(by=Subject.system("test"), at=datetime.now(UTC), about=("test", "policy"), tag=Tag.AUDIT_LEDGER_VERIFY)
    yield
    sql.forget()


def test_a_label_has_one_row_for_ever() -> None:
    first = store.intern(item())
    assert store.intern(item()) == first
    assert store.intern(item(tlp=Tlp.GREEN)) != first
    assert store.label(first) == item()
    assert models.Label.objects.filter(pk__gte=first).count() == 2


def test_the_row_holds_what_is_asked_for_by_time() -> None:
    upstream = Upstream(UpstreamKind.PERMITTED, until=SOON)
    row = models.Label.objects.get(pk=store.intern(item(not_before=SOON, upstream=upstream)))
    assert (row.tlp, row.not_before, row.until) == (Tlp.AMBER, SOON, SOON)
    assert bytes(row.digest) == codec.digest(row.facts)
    assert str(row) == f"label {row.pk}"


def test_a_label_of_a_rolled_back_transaction_is_made_again() -> None:
    with transaction.atomic():
        gone = store.intern(red())
        transaction.set_rollback(True)
    made = store.intern(red())
    assert made != gone
    assert models.Label.objects.filter(pk=made).exists()


def test_a_label_without_a_row_is_an_error() -> None:
    with pytest.raises(KeyError):
        store.label(0)


def test_the_epoch_moves_with_policy_and_head() -> None:
    before = store.epoch()
    store.bump_policy()
    store.bump_head(before.head + 7)
    store.bump_head(before.head + 3)
    after = store.epoch()
    assert (after.head, after.policy) == (before.head + 7, before.policy + 1)


def test_there_is_one_epoch() -> None:
    assert str(models.Epoch.objects.get()).startswith("epoch ")
    with pytest.raises(IntegrityError), transaction.atomic():
        models.Epoch.objects.create(pk=2)


def test_an_unknown_tlp_is_refused_by_the_database() -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        models.Label.objects.create(digest=b"x" * 32, facts={}, tlp=5)


@pytest.mark.parametrize("seed", range(4))
def test_rows_from_visible_are_those_that_the_second_evaluation_allows(seed: int) -> None:
    made = world(seed)
    rows = {store.intern(label): label for label in made.labels.values()}
    store.bump_policy()
    for subject, right, request in made.asking:
        for at in (AT, AT + TICK):
            found = sql.visible(subject=subject, right=right, at=at, request=request)
            expected = {row for row, label in rows.items() if evaluate(subject, right, label, at, request).allowed}
            assert found.ids & rows.keys() == expected
            assert found.epoch == store.epoch()


def test_visible_says_until_when_it_is_good() -> None:
    label_id = store.intern(item(not_before=SOON))
    before = sql.visible(subject=person(), right=Right.READ, at=AT, request=PAGE)
    assert label_id not in before.ids
    assert before.valid_until == SOON
    assert label_id in sql.visible(subject=person(), right=Right.READ, at=SOON, request=PAGE).ids


def test_a_label_made_in_this_transaction_is_seen_at_once() -> None:
    sql.visible(subject=person(), right=Right.READ, at=AT, request=PAGE)
    label_id = store.intern(own())
    assert label_id in sql.visible(subject=person(), right=Right.READ, at=AT, request=PAGE).ids


def test_a_new_connection_forgets_what_was_read() -> None:
    store.labels([store.intern(item())])
    assert store._cache.labels
    from django.db.backends.signals import connection_created

    connection_created.send(sender=type(connection), connection=connection)
    assert not store._cache.labels
