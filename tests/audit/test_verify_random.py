"""Ledgers of any size, damaged anywhere and in several places: the first bad entry lies in what is named first."""

from __future__ import annotations

import random
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from lianfang.audit import signing
from lianfang.audit.checkpoints import BadCheckpoint, Head, read_checkpoint
from lianfang.audit.leaves import hash_of
from lianfang.audit.models import Entry
from lianfang.audit.sequencer import checkpoint
from lianfang.audit.verify import verify
from lianfang.kernel.clock import utcnow
from tests.audit.deeds import ledger
from tests.audit.test_verify import (
    Tamper,
    change_node,
    delete_and_close_the_gap,
    delete_both,
    delete_entry,
    delete_leaf,
    edit,
    edit_detail,
    edit_time,
    edit_with_its_leaf,
    swap,
    truncate_tail,
)

pytestmark = pytest.mark.django_db(transaction=True)

TABLES = ("audit_entry", "audit_leaf", "audit_node", "audit_checkpoint")
SINGLE: list[Tamper] = [edit, edit_detail, edit_time, delete_entry, delete_leaf, delete_both, swap, edit_with_its_leaf]
LAST: list[Tamper] = [truncate_tail, delete_and_close_the_gap, change_node, *SINGLE]


def _keep(db: psycopg.Connection) -> None:
    for table in TABLES:
        db.execute(f"CREATE TEMP TABLE keep_{table} AS TABLE {table}")


def _restore(db: psycopg.Connection) -> None:
    for table in TABLES:
        db.execute(f"DELETE FROM {table}")
        db.execute(f"INSERT INTO {table} SELECT * FROM keep_{table}")


def _heads(sizes: list[int]) -> list[Head]:
    made: list[Head] = []
    before = 0
    for size in sizes:
        ledger(size - before)
        before = size
        point = checkpoint(at=utcnow())
        assert point is not None
        made.append(read_checkpoint(point.note))
    return made


@pytest.mark.parametrize("seed", range(3))
def test_one_damage_anywhere_in_a_ledger_of_any_size(superuser: psycopg.Connection, seed: int) -> None:
    dice = random.Random(seed)
    sizes = sorted(dice.sample(range(2, 45), 3))
    heads = _heads(sizes)
    _keep(superuser)
    assert all(verify(kept=head).ok for head in heads)
    for _ in range(25):
        tamper = dice.choice(LAST)
        place = tamper(superuser, dice.randrange(sizes[-1]))
        first = verify(kept=heads[-1]).first_bad
        assert first is not None, (tamper.__name__, place)
        assert first.seq <= place < first.until, (tamper.__name__, place, first)
        assert first.words.zh
        _restore(superuser)
    assert verify(kept=heads[-1]).ok


@pytest.mark.parametrize("seed", range(2))
def test_of_several_damages_the_first_is_named_first(superuser: psycopg.Connection, seed: int) -> None:
    dice = random.Random(100 + seed)
    sizes = [8, 21, 32]
    heads = _heads(sizes)
    _keep(superuser)
    for _ in range(20):
        places = sorted(dice.sample(range(0, sizes[-1], 2), 3), reverse=True)
        tampers = [dice.choice([edit, edit_detail, edit_time, delete_entry]) for _ in places]
        for tamper, place in zip(tampers, places, strict=True):
            tamper(superuser, place)
        report = verify(kept=heads[-1])
        assert report.first_bad is not None
        assert (report.first_bad.seq, report.first_bad.until) == (places[-1], places[-1] + 1)
        # And the others are not hidden by it.
        assert {problem.seq for problem in report.problems if problem.entry is not None} == set(places)
        _restore(superuser)


def test_what_lies_after_the_kept_checkpoint_may_grow_and_what_lies_before_may_not_change(
    superuser: psycopg.Connection,
) -> None:
    old, middle, new = _heads([5, 12, 20])
    for head in (old, middle, new):
        assert verify(kept=head).ok
    edit(superuser, 15)
    for head in (None, old, middle, new):
        first = verify(kept=head).first_bad
        assert first is not None
        assert (first.kind, first.seq) == ("changed", 15)


def test_a_ledger_put_back_to_a_backup_and_grown_again_is_a_fork(superuser: psycopg.Connection) -> None:
    """The database alone looks in order; whoever kept a checkpoint of what is gone proves it."""
    _heads([10])
    _keep(superuser)
    (kept,) = _heads([15])[-1:]
    _restore(superuser)
    assert verify().ok
    lost = verify(kept=kept).first_bad
    assert lost is not None
    assert (lost.kind, lost.seq, lost.until) == ("truncated", 10, kept.size)
    ledger(20)
    checkpoint(at=utcnow())
    assert verify().ok
    forked = verify(kept=kept).first_bad
    assert forked is not None
    assert forked.kind == "rewritten"
    assert (forked.seq, forked.until) == (10, kept.size)


def test_a_checkpoint_of_the_same_size_that_the_same_key_signed_over_another_tree(
    superuser: psycopg.Connection,
) -> None:
    (kept,) = _heads([9])
    for table in TABLES:
        superuser.execute(f"DELETE FROM {table}")
    (other,) = _heads([9])
    assert kept.root != other.root
    first = verify(kept=kept).first_bad
    assert first is not None
    assert (first.kind, first.until) == ("rewritten", 9)


# -- what seemed to have its place -----------------------------------------------------------------------------------


def _slip_in(db: psycopg.Connection, seq: int) -> int:
    row = db.execute(
        "INSERT INTO audit_entry (tx, at, happened_at, tag, actor, acting_for, about_type, about_id, detail)"
        " VALUES (1, now(), now(), 'x', 'x', '', 'x', 'x', '{}') RETURNING id"
    ).fetchone()
    assert row is not None
    digest = hash_of(Entry.objects.get(pk=row[0]))
    db.execute("INSERT INTO audit_leaf (seq, entry_id, hash) VALUES (%s, %s, %s)", [seq, row[0], digest])
    return int(row[0])


@pytest.mark.parametrize("seq", [-1, -(2**62)])
def test_a_leaf_below_nought_is_no_place(superuser: psycopg.Connection, seq: int) -> None:
    """Such an entry would stand on the pages, be numbered by no sequencer and be hashed by no verification."""
    (kept,) = _heads([6])
    slipped = _slip_in(superuser, seq)
    for head in (None, kept):
        report = verify(kept=head)
        assert report.first_bad is not None
        assert (report.first_bad.kind, report.first_bad.entry) == ("inserted", slipped)
        assert report.size == 6


@pytest.mark.parametrize("seq", [6, 7, 10_000, 2**62])
def test_a_leaf_past_the_end_is_found(superuser: psycopg.Connection, seq: int) -> None:
    (kept,) = _heads([6])
    _slip_in(superuser, seq)
    report = verify(kept=kept)
    if seq == 6:
        # It continues the tree as the sequencer would have done, but for the nodes, which it forgot.
        assert [problem.kind for problem in report.problems] in (["node"], [])
    else:
        assert report.first_bad is not None
        assert (report.first_bad.kind, report.first_bad.seq) == ("missing", 6)


def test_late_entries_are_a_matter_of_minutes(superuser: psycopg.Connection) -> None:
    _heads([4])
    point = superuser.execute("SELECT at FROM audit_checkpoint").fetchone()
    assert point is not None
    for ago, bad in ((timedelta(minutes=9), False), (timedelta(minutes=11), True)):
        row = superuser.execute(
            "INSERT INTO audit_entry (tx, at, happened_at, tag, actor, acting_for, about_type, about_id, detail)"
            " VALUES (1, %s, now(), 'x', 'x', '', 'x', 'x', '{}') RETURNING id", [point[0] - ago],
        ).fetchone()  # fmt: skip
        assert row is not None
        report = verify()
        assert report.ok is not bad
        superuser.execute("DELETE FROM audit_entry WHERE id = %s", [row[0]])


# -- keys ------------------------------------------------------------------------------------------------------------


def test_checkpoints_of_another_key_are_named_and_a_kept_one_is_refused(tmp_path: Path) -> None:
    (kept,) = _heads([5])
    signing.path().unlink()
    signing._read.cache_clear()
    signing.signing_key(may_create=True)
    report = verify()
    assert [problem.kind for problem in report.problems] == ["signature"]
    with pytest.raises(BadCheckpoint, match="not signed by this system"):
        verify(kept=kept)


def test_without_the_key_nothing_is_said_to_be_in_order() -> None:
    _heads([3])
    signing.path().unlink()
    signing._read.cache_clear()
    with pytest.raises(signing.SigningKeyUnusable, match="missing"):
        verify()


@pytest.mark.parametrize("change", [
    lambda note: note.replace("\n4\n", "\n5\n", 1), lambda note: note.replace("at 2", "at 3"), lambda note: note + "x",
    lambda note: note.replace("\n\n", "\n"), lambda note: note.replace("\N{EM DASH}", "-"), lambda note: note[:-20],
    lambda note: "x" + note, lambda note: note.replace("\n", "\r\n"), lambda note: note.partition("\n\n")[0] + "\n",
])  # fmt: skip
def test_a_checkpoint_that_was_touched_anywhere_is_refused(change: Any) -> None:
    (kept,) = _heads([4])
    touched = change(kept.note)
    if touched == kept.note + "x":
        # Behind the signature line nothing is signed, and nothing is read.
        return
    with pytest.raises(BadCheckpoint):
        verify(kept=read_checkpoint(touched))
