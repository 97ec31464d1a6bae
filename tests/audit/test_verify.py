"""Whoever edits, deletes, inserts or truncates, in ledger or tree, is found, and the first bad entry is named."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from lianfang.audit.checkpoints import BadCheckpoint, Head, read_checkpoint
from lianfang.audit.leaves import hash_of
from lianfang.audit.models import Checkpoint, Entry, Leaf
from lianfang.audit.sequencer import Horizon, checkpoint, number
from lianfang.audit.verify import Report, verify
from lianfang.kernel.clock import utcnow
from lianfang.kernel.merkle import Tree
from tests.audit.deeds import deed, ledger

pytestmark = pytest.mark.django_db(transaction=True)

SIZE = 40
Tamper = Callable[[psycopg.Connection, int], int]


def sealed_ledger() -> Head:
    """40 entries, signed at 16 and 40; the last checkpoint is what somebody keeps."""
    ledger(16)
    checkpoint(at=utcnow())
    ledger(SIZE - 16)
    kept = checkpoint(at=utcnow())
    assert kept is not None
    return read_checkpoint(kept.note)


def edit(db: psycopg.Connection, seq: int) -> int:
    db.execute(
        "UPDATE audit_entry SET actor = 'person:x' WHERE id = (SELECT entry_id FROM audit_leaf WHERE seq = %s)", [seq]
    )
    return seq


def edit_detail(db: psycopg.Connection, seq: int) -> int:
    db.execute(
        "UPDATE audit_entry SET detail = jsonb_set(detail, '{index}', '0.5')"
        " WHERE id = (SELECT entry_id FROM audit_leaf WHERE seq = %s)", [seq],
    )  # fmt: skip
    return seq


def edit_time(db: psycopg.Connection, seq: int) -> int:
    db.execute(
        "UPDATE audit_entry SET at = at + interval '1 us'"
        " WHERE id = (SELECT entry_id FROM audit_leaf WHERE seq = %s)", [seq],
    )  # fmt: skip
    return seq


def delete_entry(db: psycopg.Connection, seq: int) -> int:
    db.execute("DELETE FROM audit_entry WHERE id = (SELECT entry_id FROM audit_leaf WHERE seq = %s)", [seq])
    return seq


def delete_leaf(db: psycopg.Connection, seq: int) -> int:
    db.execute("DELETE FROM audit_leaf WHERE seq = %s", [seq])
    return seq


def delete_both(db: psycopg.Connection, seq: int) -> int:
    delete_entry(db, seq)
    return delete_leaf(db, seq)


def delete_and_close_the_gap(db: psycopg.Connection, seq: int) -> int:
    delete_both(db, seq)
    db.execute("UPDATE audit_leaf SET seq = -seq - 1 WHERE seq > %s", [seq])
    db.execute("UPDATE audit_leaf SET seq = -seq - 2 WHERE seq < 0")
    return seq


def swap(db: psycopg.Connection, seq: int) -> int:
    other = seq - 1 if seq else 1
    db.execute(
        "UPDATE audit_leaf a SET entry_id = -b.entry_id FROM audit_leaf b"
        " WHERE (a.seq, b.seq) IN ((%s, %s), (%s, %s))", [seq, other, other, seq],
    )  # fmt: skip
    db.execute("UPDATE audit_leaf SET entry_id = -entry_id WHERE entry_id < 0")
    return min(seq, other)


def truncate_tail(db: psycopg.Connection, seq: int) -> int:
    db.execute("DELETE FROM audit_entry WHERE id IN (SELECT entry_id FROM audit_leaf WHERE seq >= %s)", [seq])
    db.execute("DELETE FROM audit_leaf WHERE seq >= %s", [seq])
    return seq


def change_node(db: psycopg.Connection, seq: int) -> int:
    row = db.execute(
        "UPDATE audit_node SET hash = sha256(hash) WHERE (level, index) = (1, %s) RETURNING index", [seq // 2]
    ).fetchone()
    assert row is not None
    return int(row[0]) * 2


def delete_node(db: psycopg.Connection, seq: int) -> int:
    db.execute("DELETE FROM audit_node WHERE (level, index) = (1, %s)", [seq // 2])
    return seq // 2 * 2


def edit_with_its_leaf(db: psycopg.Connection, seq: int) -> int:
    edit(db, seq)
    entry = Leaf.objects.select_related("entry").get(seq=seq).entry
    db.execute("UPDATE audit_leaf SET hash = %s WHERE seq = %s", [hash_of(entry), seq])
    return seq // 2 * 2


TAMPERS: list[Tamper] = [
    edit, edit_detail, edit_time, delete_entry, delete_leaf, delete_both, delete_and_close_the_gap, swap,
    truncate_tail, change_node, delete_node, edit_with_its_leaf,
]  # fmt: skip


def test_an_untouched_ledger_is_in_order() -> None:
    kept = sealed_ledger()
    for head in (None, kept):
        report = verify(kept=head)
        assert report.ok, report.problems
        assert (report.size, report.root, report.checkpoints, report.unnumbered) == (SIZE, kept.root, 2, 0)
    assert "40筆紀錄" in report.summary().zh


def test_an_empty_ledger_is_in_order() -> None:
    report = verify()
    assert report.ok
    assert report.size == 0


@pytest.mark.parametrize("tamper", TAMPERS, ids=lambda tamper: tamper.__name__)
@pytest.mark.parametrize("seq", [0, 17, SIZE - 1])
def test_found_and_named(tamper: Tamper, seq: int, superuser: psycopg.Connection) -> None:
    kept = sealed_ledger()
    expected = tamper(superuser, seq)
    _found(verify(kept=kept), expected)
    _found(verify(), expected)


def _found(report: Report, expected: int) -> None:
    assert not report.ok
    first = report.first_bad
    assert first is not None
    assert first.seq <= expected < first.until, report.problems
    assert first.until - first.seq <= 2, report.problems


def test_random_edits_are_each_found(superuser: psycopg.Connection) -> None:
    sealed_ledger()
    columns = ["tag", "actor", "acting_for", "about_type", "about_id"]
    random_ = random.Random(9162)
    for _ in range(40):
        seq, column = random_.randrange(SIZE), random_.choice(columns)
        pk = Leaf.objects.get(seq=seq).entry_id
        row = superuser.execute(f"SELECT {column} FROM audit_entry WHERE id = %s", [pk]).fetchone()
        assert row is not None
        superuser.execute(f"UPDATE audit_entry SET {column} = {column} || 'x' WHERE id = %s", [pk])
        first = verify().first_bad
        assert first is not None
        assert (first.kind, first.seq, first.entry) == ("changed", seq, pk)
        superuser.execute(f"UPDATE audit_entry SET {column} = %s WHERE id = %s", [row[0], pk])
    assert verify().ok


def _rebuild(db: psycopg.Connection) -> None:
    """Make tree and roots agree with the entries as they are now, as somebody with all rights on the database can."""
    db.execute("DELETE FROM audit_leaf")
    db.execute("DELETE FROM audit_node")
    number(wait=True, horizon=Horizon())
    hashes = [bytes(value) for value in Leaf.objects.order_by("seq").values_list("hash", flat=True)]
    for size in Checkpoint.objects.values_list("size", flat=True):
        tree = Tree()
        for value in hashes[:size]:
            tree.append(value)
        db.execute("UPDATE audit_checkpoint SET root = %s WHERE size = %s", [tree.root(), size])


def test_a_rewritten_past_cannot_be_signed_without_the_key(superuser: psycopg.Connection) -> None:
    sealed_ledger()
    edit(superuser, 20)
    _rebuild(superuser)
    problems = verify().problems
    assert [(problem.kind, problem.until) for problem in problems] == [("signature", SIZE)]


def test_even_with_the_key_a_kept_checkpoint_finds_a_rewritten_past(superuser: psycopg.Connection) -> None:
    kept = sealed_ledger()
    edit(superuser, 20)
    superuser.execute("DELETE FROM audit_checkpoint")
    _rebuild(superuser)
    checkpoint(at=utcnow())
    assert verify().ok
    first = verify(kept=kept).first_bad
    assert first is not None
    assert (first.kind, first.seq, first.until) == ("rewritten", 0, SIZE)
    assert "第0至39號" in first.words.zh


def test_a_wiped_ledger_is_found_by_the_kept_checkpoint(superuser: psycopg.Connection) -> None:
    kept = sealed_ledger()
    for table in ("audit_leaf", "audit_node", "audit_checkpoint", "audit_entry"):
        superuser.execute(f"DELETE FROM {table}")
    assert verify().ok
    first = verify(kept=kept).first_bad
    assert first is not None
    assert (first.kind, first.seq, first.until) == ("truncated", 0, SIZE)


def _insert(db: psycopg.Connection, ago: timedelta) -> int:
    row = db.execute(
        "INSERT INTO audit_entry (tx, at, happened_at, tag, actor, acting_for, about_type, about_id, detail)"
        " VALUES (1, now() - %s, now() - %s, 'x', 'x', '', 'x', 'x', '{}') RETURNING id", [ago, ago],
    ).fetchone()  # fmt: skip
    assert row is not None
    return int(row[0])


def test_an_entry_slipped_in_for_an_earlier_day_is_found_before_and_after_it_is_numbered(
    superuser: psycopg.Connection,
) -> None:
    kept = sealed_ledger()
    slipped = _insert(superuser, timedelta(hours=2))
    report = verify(kept=kept)
    assert report.first_bad is not None
    assert (report.first_bad.kind, report.first_bad.entry, report.unnumbered) == ("inserted", slipped, 1)
    number(wait=True, horizon=Horizon())
    report = verify(kept=kept)
    assert report.first_bad is not None
    assert (report.first_bad.kind, report.first_bad.seq, report.first_bad.entry) == ("inserted", SIZE, slipped)


def test_a_leaf_put_into_the_middle_is_found(superuser: psycopg.Connection) -> None:
    kept = sealed_ledger()
    slipped = _insert(superuser, timedelta())
    superuser.execute("UPDATE audit_leaf SET seq = -seq - 1 WHERE seq >= 10")
    superuser.execute("UPDATE audit_leaf SET seq = -seq WHERE seq < 0")
    entry = Entry.objects.get(pk=slipped)
    superuser.execute("INSERT INTO audit_leaf (seq, entry_id, hash) VALUES (10, %s, %s)", [slipped, hash_of(entry)])
    first = verify(kept=kept).first_bad
    assert first is not None
    assert first.seq <= 10 < first.until <= 12


def test_superfluous_nodes_are_found(superuser: psycopg.Connection) -> None:
    sealed_ledger()
    superuser.execute("INSERT INTO audit_node (level, index, hash) VALUES (1, 20, '\\x00'), (9, 0, '\\x00')")
    assert {(problem.kind, problem.seq) for problem in verify().problems} == {("node", 40), ("node", 0)}


def test_many_problems_end_at_a_hundred(superuser: psycopg.Connection) -> None:
    ledger(300)
    checkpoint(at=utcnow())
    superuser.execute("UPDATE audit_node SET hash = '\\x00'")
    report = verify()
    assert len(report.problems) == 100
    assert report.first_bad is not None
    assert report.first_bad.seq == 0


def test_entries_that_wait_for_their_number_are_no_fault() -> None:
    sealed_ledger()
    deed(99)
    report = verify()
    assert (report.ok, report.unnumbered) == (True, 1)


def test_a_checkpoint_is_read_from_the_note_and_from_json(tmp_path: Any) -> None:
    kept = sealed_ledger()
    assert read_checkpoint(json.dumps({"note": kept.note})) == kept


@pytest.mark.parametrize(
    "text", ["", "x", "{}", "[1]", '{"note": 3}', "o\nx\ny\n", "o\n5\nAAAA\n", "o\n0\n" + "A" * 43 + "=\n", '{"note"']
)
def test_what_is_no_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(BadCheckpoint):
        read_checkpoint(text)


def test_a_checkpoint_that_another_key_signed_or_that_was_changed_is_refused() -> None:
    kept = sealed_ledger()
    for note in (
        kept.note.replace("\n40\n", "\n39\n"),
        kept.note.partition("\n\n")[0] + "\n\n",
        kept.note.replace("—", "-x"),
    ):
        with pytest.raises(BadCheckpoint, match="not signed by this system"):
            verify(kept=read_checkpoint(note))


def test_a_changed_stored_signature_is_found(superuser: psycopg.Connection) -> None:
    sealed_ledger()
    superuser.execute("UPDATE audit_checkpoint SET note = replace(note, 'at 2', 'at 3') WHERE size = 16")
    first = verify().first_bad
    assert first is not None
    assert (first.kind, first.seq) == ("signature", 15)
