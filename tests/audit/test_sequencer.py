"""Entries become leaves once each; the head is signed; proofs hold against an independent check."""

from __future__ import annotations

import base64
import json
import os
import threading

import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.conf import settings
from django.db import connection, connections, transaction

from lianfang.audit import sequencer, signing
from lianfang.audit.leaves import hash_of
from lianfang.audit.models import Checkpoint, Entry, Leaf, Node
from lianfang.audit.sequencer import Horizon, checkpoint, number
from lianfang.audit.signing import SigningKeyUnusable, parse_vkey, signing_key
from lianfang.kernel.merkle import Tree, consistency_proof, inclusion_proof, verify_consistency, verify_inclusion
from tests.audit.deeds import AT, deed, ledger
from tests.database import CLUSTER

pytestmark = pytest.mark.django_db(transaction=True)


def test_every_entry_becomes_one_leaf_in_order() -> None:
    entries = ledger(21)
    assert list(Leaf.objects.order_by("seq").values_list("seq", "entry_id")) == [
        (seq, entry.pk) for seq, entry in enumerate(entries)
    ]
    tree = Tree()
    nodes = [node for entry in entries for node in tree.append(hash_of(entry))]
    stored = {
        (level, index): bytes(value) for level, index, value in Node.objects.values_list("level", "index", "hash")
    }
    assert stored == {(node.level, node.index): node.hash for node in nodes if node.level}
    assert number(wait=True, horizon=Horizon()) == 0


def test_batches_join_to_one_tree(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sequencer, "BATCH", 4)
    entries = ledger(11)
    tree = Tree()
    for entry in entries:
        tree.append(hash_of(entry))
    signed = checkpoint(at=AT)
    assert signed is not None
    assert (signed.size, bytes(signed.root)) == (11, tree.root())


def test_an_entry_committed_late_is_taken_although_later_ones_went_first() -> None:
    horizon = Horizon()
    with psycopg.connect(CLUSTER.url("lf_app")) as slow:
        slow.execute(
            "INSERT INTO audit_entry (at, tx, happened_at, tag, actor, acting_for, about_type, about_id, detail)"
            " VALUES (now(), 0, now(), 'x', 'x', '', 'x', 'x', '{}')"
        )
        quick = deed(1)
        assert number(wait=True, horizon=horizon) == 1
        assert number(wait=True, horizon=horizon) == 0
        slow.commit()
    assert number(wait=True, horizon=horizon) == 1
    late = Entry.objects.exclude(pk=quick.pk).get()
    assert late.pk < quick.pk
    assert [leaf.entry_id for leaf in Leaf.objects.order_by("seq")] == [quick.pk, late.pk]


def test_a_second_sequencer_waits_or_leaves() -> None:
    deed(1)
    seen: list[int] = []

    def other() -> None:
        seen.append(number(wait=False, horizon=Horizon()))
        connections.close_all()

    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [sequencer._LOCK])
        thread = threading.Thread(target=other)
        thread.start()
        thread.join(10)
    assert seen == [0]
    assert number(wait=False, horizon=Horizon()) == 1


def test_concurrent_sequencers_number_each_entry_once() -> None:
    for index in range(40):
        deed(index)

    def run() -> None:
        number(wait=True, horizon=Horizon())
        connections.close_all()

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(Leaf.objects.values_list("seq", flat=True)) == list(range(40))


def test_the_note_can_be_checked_without_our_code() -> None:
    ledger(5)
    signed = checkpoint(at=AT)
    assert signed is not None
    vkey = signing_key(may_create=False).public.vkey
    name, key_id, encoded = vkey.split("+", 2)
    body, _, signature_line = signed.note.partition("\n\n")
    origin, size, root, instant = body.split("\n")
    assert (origin, size, base64.b64decode(root)) == (name, "5", bytes(signed.root))
    assert instant == "at 2026-11-23T06:00:00.000000+00:00"
    dash, signer, signature = signature_line.strip().split(" ")
    assert (dash, signer) == ("—", name)
    raw = base64.b64decode(signature)
    assert raw[:4].hex() == key_id == signed.key_id
    public = Ed25519PublicKey.from_public_bytes(base64.b64decode(encoded)[1:])
    public.verify(raw[4:], (body + "\n").encode())


def test_a_tree_that_did_not_grow_keeps_its_checkpoint() -> None:
    assert checkpoint(at=AT) is None
    ledger(3)
    first = checkpoint(at=AT)
    assert first is not None
    assert checkpoint(at=AT.replace(hour=7)) == first
    deed(4)
    assert checkpoint(at=AT) != first
    assert Checkpoint.objects.count() == 2


def test_proofs_hold_at_every_size() -> None:
    ledger(3)
    first = checkpoint(at=AT)
    ledger(14)
    second = checkpoint(at=AT)
    assert first is not None
    assert second is not None
    for seq, leaf in Leaf.objects.order_by("seq").values_list("seq", "hash"):
        path = inclusion_proof(seq, second.size, sequencer.stored_node)
        assert verify_inclusion(leaf=bytes(leaf), index=seq, size=17, proof=path, root=bytes(second.root))
    proof = consistency_proof(first.size, second.size, sequencer.stored_node)
    assert verify_consistency(
        old_size=3, new_size=17, old_root=bytes(first.root), new_root=bytes(second.root), proof=proof
    )


def test_the_key_is_made_once_and_never_again_after_a_signature() -> None:
    ledger(1)
    checkpoint(at=AT)
    assert signing.path().stat().st_mode & 0o777 == 0o600
    signing.path().unlink()
    deed(2)
    with pytest.raises(SigningKeyUnusable, match="missing, and checkpoints exist"):
        checkpoint(at=AT)
    assert not signing.path().exists()


def test_a_key_file_that_others_can_read_or_that_is_damaged_is_refused() -> None:
    signing_key(may_create=True)
    signing.path().chmod(0o640)
    with pytest.raises(SigningKeyUnusable, match="can be read by others"):
        signing_key(may_create=True)
    signing.path().write_text("PRIVATE+KEY+x+y+z")
    signing.path().chmod(0o600)
    with pytest.raises(SigningKeyUnusable, match="damaged"):
        signing_key(may_create=True)


@pytest.mark.parametrize(
    "text", ["", "a+b", "a+b+!", "a+b+AA==", "x+00000000+" + base64.b64encode(b"\x01" * 33).decode()]
)
def test_a_false_verifier_key_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="verifier key"):
        parse_vkey(text)


def test_a_verifier_key_survives_its_own_form() -> None:
    public = signing_key(may_create=True).public
    assert parse_vkey(public.vkey) == public
    assert not public.verifies(signature=os.urandom(64), content=b"x")
    assert json.dumps(public.vkey)
    assert settings.BASE_URL.partition("://")[2] in public.name
