"""The tree against RFC 9162 §2.1 written down a second time, naively, from its text."""

import hashlib
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lianfang.kernel import merkle

LARGEST = 70
DATA = tuple(f"entry {n}".encode() for n in range(LARGEST))

# The example log of Certificate Transparency's own tests: eight entries and the root after each.
CT_ENTRIES = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
CT_ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def sha(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def largest_power_below(n: int) -> int:
    k = 1
    while k * 2 < n:
        k *= 2
    return k


@cache
def mth(d: tuple[bytes, ...]) -> bytes:
    """§2.1.1 Definition of the Merkle Tree."""
    n = len(d)
    if n == 0:
        return sha(b"")
    if n == 1:
        return sha(b"\x00" + d[0])
    k = largest_power_below(n)
    return sha(b"\x01" + mth(d[:k]) + mth(d[k:]))


def path(m: int, d: tuple[bytes, ...]) -> list[bytes]:
    """§2.1.3.1 Generating an Inclusion Proof."""
    n = len(d)
    if n == 1:
        return []
    k = largest_power_below(n)
    if m < k:
        return [*path(m, d[:k]), mth(d[k:])]
    return [*path(m - k, d[k:]), mth(d[:k])]


def subproof(m: int, d: tuple[bytes, ...], b: bool) -> list[bytes]:
    """§2.1.4.1 Generating a Consistency Proof."""
    n = len(d)
    if m == n:
        return [] if b else [mth(d)]
    k = largest_power_below(n)
    if m <= k:
        return [*subproof(m, d[:k], b), mth(d[k:])]
    return [*subproof(m - k, d[k:], False), mth(d[:k])]


class Store:
    """The nodes that `Tree.append` gave out, as a table would keep them."""

    def __init__(self, entries: tuple[bytes, ...]) -> None:
        self.rows: dict[tuple[int, int], bytes] = {}
        self.tree = merkle.Tree()
        for entry in entries:
            for made in self.tree.append(merkle.leaf_hash(entry)):
                assert (made.level, made.index) not in self.rows, "a node is written once"
                self.rows[made.level, made.index] = made.hash

    def node(self, level: int, index: int) -> bytes:
        return self.rows[level, index]


STORE = Store(DATA)


def test_hashes_separate_leaves_from_nodes() -> None:
    left, right = sha(b"l"), sha(b"r")
    assert merkle.leaf_hash(b"x") == sha(b"\x00x")
    assert merkle.node_hash(left, right) == sha(b"\x01" + left + right)
    assert merkle.leaf_hash(left + right) != merkle.node_hash(left, right)
    assert merkle.empty_root().hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_roots_of_the_certificate_transparency_example() -> None:
    tree = merkle.Tree()
    roots = []
    for entry in CT_ENTRIES:
        tree.append(merkle.leaf_hash(bytes.fromhex(entry)))
        roots.append(tree.root().hex())
    assert roots == CT_ROOTS


def test_every_size_has_the_root_of_the_definition() -> None:
    tree = merkle.Tree()
    assert tree.root() == mth(()) == merkle.root_at(0, STORE.node)
    for size, entry in enumerate(DATA, start=1):
        tree.append(merkle.leaf_hash(entry))
        assert tree.size == size
        assert tree.root() == mth(DATA[:size]) == merkle.root_at(size, STORE.node)


def test_state_is_size_and_peaks_alone() -> None:
    for size in range(LARGEST):
        before = Store(DATA[:size]).tree
        taken_up = merkle.Tree(before.size, before.peaks)
        taken_up.append(merkle.leaf_hash(DATA[size]))
        assert taken_up.root() == mth(DATA[: size + 1])
        assert before.root() == mth(DATA[:size]), "the other tree is not touched"


def test_append_gives_each_complete_node_once_and_no_other() -> None:
    expected = {(level, index) for level in range(7) for index in range(LARGEST >> level)}
    assert set(STORE.rows) == expected
    for (level, index), value in STORE.rows.items():
        assert value == mth(DATA[index << level : (index + 1) << level])


@pytest.mark.parametrize(("size", "peaks"), [(1, []), (0, [b"x" * 32]), (3, [b"x" * 32]), (-1, []), (1, [b"short"])])
def test_a_state_that_cannot_be_is_refused(size: int, peaks: list[bytes]) -> None:
    with pytest.raises(ValueError, match=r"peaks|bytes"):
        merkle.Tree(size, peaks)


def test_only_a_hash_can_be_appended() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        merkle.Tree().append(b"the entry itself")


def test_every_leaf_of_every_size_has_the_proof_of_the_definition_and_it_verifies() -> None:
    for size in range(1, LARGEST + 1):
        entries, root = DATA[:size], mth(DATA[:size])
        for index in range(size):
            proof = merkle.inclusion_proof(index, size, STORE.node)
            assert proof == path(index, entries)
            leaf = merkle.leaf_hash(DATA[index])
            assert merkle.verify_inclusion(leaf=leaf, index=index, size=size, proof=proof, root=root)


def test_every_pair_of_sizes_has_the_proof_of_the_definition_and_it_verifies() -> None:
    for new in range(1, LARGEST + 1):
        for old in range(1, new + 1):
            proof = merkle.consistency_proof(old, new, STORE.node)
            assert proof == subproof(old, DATA[:new], True)
            assert merkle.verify_consistency(
                old_size=old, new_size=new, old_root=mth(DATA[:old]), new_root=mth(DATA[:new]), proof=proof
            )


@pytest.mark.parametrize(("index", "size"), [(0, 0), (5, 5), (-1, 5), (6, 5)])
def test_no_inclusion_proof_for_what_is_not_there(index: int, size: int) -> None:
    with pytest.raises(ValueError, match="not in a tree"):
        merkle.inclusion_proof(index, size, STORE.node)
    assert not merkle.verify_inclusion(leaf=bytes(32), index=index, size=size, proof=[], root=bytes(32))


@pytest.mark.parametrize(("old", "new"), [(0, 5), (6, 5), (-1, 5)])
def test_no_consistency_proof_for_sizes_that_make_no_sense(old: int, new: int) -> None:
    with pytest.raises(ValueError, match="no consistency proof"):
        merkle.consistency_proof(old, new, STORE.node)


def test_a_tree_size_below_zero_is_refused() -> None:
    with pytest.raises(ValueError, match="negative"):
        merkle.root_at(-1, STORE.node)


def test_every_tree_begins_with_the_empty_one() -> None:
    root = mth(DATA[:5])
    empty = merkle.empty_root()
    assert merkle.verify_consistency(old_size=0, new_size=5, old_root=empty, new_root=root, proof=[])
    assert not merkle.verify_consistency(old_size=0, new_size=5, old_root=root, new_root=root, proof=[])
    assert not merkle.verify_consistency(old_size=0, new_size=5, old_root=empty, new_root=root, proof=[root])
    assert merkle.verify_consistency(old_size=0, new_size=0, old_root=empty, new_root=empty, proof=[])


def test_equal_sizes_need_equal_roots_and_no_proof() -> None:
    a, b = mth(DATA[:5]), mth(DATA[1:6])
    assert merkle.verify_consistency(old_size=5, new_size=5, old_root=a, new_root=a, proof=[])
    assert not merkle.verify_consistency(old_size=5, new_size=5, old_root=a, new_root=b, proof=[])
    assert not merkle.verify_consistency(old_size=5, new_size=5, old_root=a, new_root=a, proof=[a])


def flip(value: bytes, bit: int) -> bytes:
    changed = bytearray(value)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


SIZES = st.integers(1, LARGEST)


@given(size=SIZES, data=st.data())
@settings(deadline=None, max_examples=200)
def test_any_change_to_an_inclusion_proof_is_detected(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    leaf, root = merkle.leaf_hash(DATA[index]), mth(DATA[:size])
    good = merkle.inclusion_proof(index, size, STORE.node)
    bit = data.draw(st.integers(0, 255))

    def accepted(leaf: bytes = leaf, index: int = index, proof: list[bytes] = good, root: bytes = root) -> bool:
        return merkle.verify_inclusion(leaf=leaf, index=index, size=size, proof=proof, root=root)

    assert accepted()
    assert not accepted(leaf=flip(leaf, bit))
    assert not accepted(root=flip(root, bit))
    assert not accepted(proof=[*good, root])
    for place in range(len(good)):
        assert not accepted(proof=[*good[:place], flip(good[place], bit), *good[place + 1 :]])
        assert not accepted(proof=good[:place] + good[place + 1 :])
        assert not accepted(proof=[*good[:place], good[place][:31], *good[place + 1 :]])
    for other in range(size):
        assert accepted(index=other) == (other == index)


@given(new=SIZES, data=st.data())
@settings(deadline=None, max_examples=200)
def test_any_change_to_a_consistency_proof_is_detected(new: int, data: st.DataObject) -> None:
    old = data.draw(st.integers(1, new))
    old_root, new_root = mth(DATA[:old]), mth(DATA[:new])
    good = merkle.consistency_proof(old, new, STORE.node)
    bit = data.draw(st.integers(0, 255))

    def accepted(old_root: bytes = old_root, new_root: bytes = new_root, proof: list[bytes] = good) -> bool:
        return merkle.verify_consistency(old_size=old, new_size=new, old_root=old_root, new_root=new_root, proof=proof)

    assert accepted()
    assert not accepted(old_root=flip(old_root, bit))
    assert not accepted(new_root=flip(new_root, bit))
    assert not accepted(proof=[*good, new_root])
    for place in range(len(good)):
        assert not accepted(proof=[*good[:place], flip(good[place], bit), *good[place + 1 :]])
        assert not accepted(proof=good[:place] + good[place + 1 :])


@given(new=st.integers(2, LARGEST), data=st.data())
@settings(deadline=None, max_examples=200)
def test_a_history_rewritten_before_the_checkpoint_never_proves_consistent(new: int, data: st.DataObject) -> None:
    old = data.draw(st.integers(1, new - 1))
    edited = data.draw(st.integers(0, old - 1))
    rewritten = (*DATA[:edited], b"something else", *DATA[edited + 1 : new])
    proof = merkle.consistency_proof(old, new, Store(rewritten).node)
    assert not merkle.verify_consistency(
        old_size=old, new_size=new, old_root=mth(DATA[:old]), new_root=mth(rewritten), proof=proof
    )


@given(
    proof=st.lists(st.binary(min_size=30, max_size=33), max_size=9),
    old=st.integers(-2, 10**20),
    new=st.integers(-2, 10**20),
    root=st.binary(min_size=31, max_size=32),
)
@settings(deadline=None)
def test_hostile_proofs_are_false_and_never_crash(proof: list[bytes], old: int, new: int, root: bytes) -> None:
    assert not merkle.verify_inclusion(leaf=bytes(32), index=old, size=new, proof=proof, root=root)
    if old != new:
        assert not merkle.verify_consistency(old_size=old, new_size=new, old_root=root, new_root=bytes(32), proof=proof)


def test_a_place_outside_the_tree_proves_nothing_even_where_the_hashes_meet() -> None:
    only = merkle.leaf_hash(b"only")
    assert merkle.verify_inclusion(leaf=only, index=0, size=1, proof=[], root=only)
    assert not merkle.verify_inclusion(leaf=only, index=1, size=1, proof=[], root=only)


@pytest.mark.parametrize("wrong", ["x" * 32, None, 7, [0] * 32, b"short", bytearray(32)])
def test_what_is_not_a_hash_proves_nothing(wrong: bytes) -> None:
    leaf, root = merkle.leaf_hash(DATA[0]), mth(DATA[:2])
    assert not merkle.verify_inclusion(leaf=leaf, index=0, size=2, proof=[wrong], root=root)
    assert not merkle.verify_inclusion(leaf=wrong, index=0, size=1, proof=[], root=wrong)
    assert not merkle.verify_consistency(old_size=1, new_size=2, old_root=leaf, new_root=root, proof=[wrong])
    assert not merkle.verify_consistency(old_size=2, new_size=2, old_root=wrong, new_root=wrong, proof=[])


def test_a_tree_is_never_consistent_with_a_larger_past() -> None:
    root = mth(DATA[:4])
    assert not merkle.verify_consistency(old_size=4, new_size=2, old_root=root, new_root=root, proof=[root])


def test_a_million_leaves_need_twenty_hashes() -> None:
    asked: list[tuple[int, int]] = []

    def node(level: int, index: int) -> bytes:
        asked.append((level, index))
        return bytes(32)

    assert len(merkle.inclusion_proof(123_456, 1_000_000, node)) == 20
    assert len(asked) <= 2 * 20, "stored nodes are used, nothing is hashed again from the leaves"
