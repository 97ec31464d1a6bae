"""The Merkle tree of RFC 9162 (Certificate Transparency 2.0) §2.1, over SHA-256.

Nodes are addressed as (level, index): level 0 holds the leaf hashes, `node(level, index)` is the root of the complete
subtree over leaves `index * 2**level` up to `(index + 1) * 2**level`. Such a node never changes once it is complete, so
it can be stored in a table that nothing updates.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

HASH_SIZE = 32

Node = Callable[[int, int], bytes]


def leaf_hash(data: bytes) -> bytes:
    """Return SHA-256(0x00 || data)."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return SHA-256(0x01 || left || right)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def empty_root() -> bytes:
    """Return the root of the tree without leaves: SHA-256 of nothing."""
    return hashlib.sha256(b"").digest()


@dataclass(frozen=True, slots=True)
class NewNode:
    """A node that has just become complete and can be stored for good."""

    level: int
    index: int
    hash: bytes


class Tree:
    """The head of an append-only tree: its size and the roots of its complete subtrees, largest first.

    That is all the state an appender needs: one hash for each 1-bit of `size`.
    """

    __slots__ = ("_peaks", "_size")

    def __init__(self, size: int = 0, peaks: Sequence[bytes] = ()) -> None:
        """Take up a tree where it was left. Raises ValueError when the peaks do not fit the size."""
        if size < 0 or len(peaks) != size.bit_count():
            raise ValueError(f"a tree of size {size} has {max(size, 0).bit_count()} peaks, not {len(peaks)}")
        for peak in peaks:
            _require_hash(peak)
        self._size = size
        self._peaks = list(peaks)

    @property
    def size(self) -> int:
        """The number of leaves."""
        return self._size

    @property
    def peaks(self) -> tuple[bytes, ...]:
        """The roots of the complete subtrees, from the largest (oldest leaves) to the smallest."""
        return tuple(self._peaks)

    def append(self, leaf: bytes) -> list[NewNode]:
        """Add one leaf hash; return the nodes that became complete by it, level 0 (the leaf itself) first."""
        _require_hash(leaf)
        made = [NewNode(0, self._size, leaf)]
        level, index, current = 0, self._size, leaf
        while index & 1:
            current = node_hash(self._peaks.pop(), current)
            level, index = level + 1, index >> 1
            made.append(NewNode(level, index, current))
        self._peaks.append(current)
        self._size += 1
        return made

    def root(self) -> bytes:
        """Return the tree hash over all leaves (RFC 9162 §2.1.1)."""
        return _fold(self._peaks) if self._peaks else empty_root()


def root_at(size: int, node: Node) -> bytes:
    """Return the root of the tree's first `size` leaves, from stored nodes."""
    if size < 0:
        raise ValueError(f"tree size {size} is negative")
    return _range_hash(0, size, node) if size else empty_root()


def inclusion_proof(index: int, size: int, node: Node) -> list[bytes]:
    """Return the audit path of leaf `index` in the tree of `size` leaves (RFC 9162 §2.1.3.1), leaf's sibling first.

    Asks `node` only for complete subtrees. Raises ValueError unless 0 <= index < size.
    """
    if not 0 <= index < size:
        raise ValueError(f"leaf {index} is not in a tree of size {size}")
    path: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append(_range_hash(middle, end, node))
            end = middle
        else:
            path.append(_range_hash(start, middle, node))
            start = middle
    return path[::-1]


def consistency_proof(old_size: int, new_size: int, node: Node) -> list[bytes]:
    """Return the proof that the first `old_size` leaves are a prefix of the `new_size` leaves (RFC 9162 §2.1.4.1).

    Empty when the sizes are equal. Raises ValueError unless 0 < old_size <= new_size.
    """
    if not 0 < old_size <= new_size:
        raise ValueError(f"no consistency proof from size {old_size} to size {new_size}")
    path: list[bytes] = []
    start, end = 0, new_size
    whole = True  # the old tree's own root is still a node of the part looked at
    while old_size < end:
        middle = start + _split(end - start)
        if old_size <= middle:
            path.append(_range_hash(middle, end, node))
            end = middle
        else:
            path.append(_range_hash(start, middle, node))
            start, whole = middle, False
    if not whole:
        path.append(_range_hash(start, end, node))
    return path[::-1]


def verify_inclusion(*, leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Return whether `proof` shows that leaf hash `leaf` is number `index` of the tree (size, root).

    The algorithm of RFC 9162 §2.1.3.2. Never raises on hostile input: what does not prove is False.
    """
    if not 0 <= index < size or not _all_hashes([leaf, root, *proof]):
        return False
    fn, sn, current = index, size - 1, leaf
    for sibling in proof:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            current = node_hash(sibling, current)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            current = node_hash(current, sibling)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and hmac.compare_digest(current, root)


def verify_consistency(
    *, old_size: int, new_size: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]
) -> bool:
    """Return whether `proof` shows that the tree (new_size, new_root) begins with the tree (old_size, old_root).

    The algorithm of RFC 9162 §2.1.4.2; equal sizes need equal roots and an empty proof. Every tree begins with the
    empty one, for which there is nothing to prove. Never raises on hostile input: what does not prove is False.
    """
    if not 0 <= old_size <= new_size or not _all_hashes([old_root, new_root, *proof]):
        return False
    if old_size == new_size:
        return not proof and hmac.compare_digest(old_root, new_root)
    if old_size == 0:
        return not proof and hmac.compare_digest(old_root, empty_root())
    if not proof:
        return False
    # A complete old tree is itself a node of the new one, which the proof therefore leaves out.
    path = [old_root, *proof] if old_size & (old_size - 1) == 0 else list(proof)
    return _consistent(old_size - 1, new_size - 1, path, old_root, new_root)


def _consistent(fn: int, sn: int, path: list[bytes], old_root: bytes, new_root: bytes) -> bool:
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    old = new = path[0]
    for sibling in path[1:]:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            new = node_hash(new, sibling)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and hmac.compare_digest(old, old_root) and hmac.compare_digest(new, new_root)


def complete_subtrees(start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield (level, index) of the complete subtrees that cover leaves start..end, largest first.

    `start` must be a multiple of the largest power of two that fits, as it is for every range these proofs ask for.
    """
    while start < end:
        level = (end - start).bit_length() - 1
        yield level, start >> level
        start += 1 << level


def _range_hash(start: int, end: int, node: Node) -> bytes:
    return _fold([node(level, index) for level, index in complete_subtrees(start, end)])


def _fold(peaks: Sequence[bytes]) -> bytes:
    root = peaks[-1]
    for peak in reversed(peaks[:-1]):
        root = node_hash(peak, root)
    return root


def _split(size: int) -> int:
    """Return the largest power of two smaller than `size` (size > 1)."""
    return 1 << ((size - 1).bit_length() - 1)


def _require_hash(value: bytes) -> None:
    if len(value) != HASH_SIZE:
        raise ValueError(f"a hash has {HASH_SIZE} bytes, not {len(value)}")


def _all_hashes(values: Sequence[bytes]) -> bool:
    return all(isinstance(value, bytes) and len(value) == HASH_SIZE for value in values)
