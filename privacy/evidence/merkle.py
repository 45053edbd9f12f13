"""Merkle trees as RFC 6962 hashes them, with proofs of inclusion and of consistency. Pure.

A tree over n leaves splits at the largest power of two below n, so it is made of *complete subtrees*: (level, index) is
the one over leaves index·2^level up to (index + 1)·2^level. Once complete it never changes, which is why storing these
is enough: every proof is a handful of stretches of leaves, and every stretch a handful of complete subtrees.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence

Node = tuple[int, int]  # level, index
Stretch = tuple[int, int]  # first leaf, the one after the last
EMPTY = hashlib.sha256(b"").digest()


def leaf_hash(content: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + content).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def root(hashes: Sequence[bytes]) -> bytes:
    """The root over these leaf hashes; SHA-256 of nothing over none."""
    frontier = Frontier()
    for hashed in hashes:
        frontier.append(hashed)
    return frontier.root()


# --- Proofs ---------------------------------------------------------------------


def inclusion_path(index: int, hashes: Sequence[bytes]) -> list[bytes]:
    """That the leaf at `index` is in the tree over all these leaf hashes: PATH of RFC 6962, 2.1.1."""
    return [root(hashes[first:end]) for first, end in inclusion_stretches(index, len(hashes))]


def consistency_path(earlier: int, hashes: Sequence[bytes]) -> list[bytes]:
    """That the tree over the first `earlier` of these is a beginning of the whole: PROOF of RFC 6962, 2.1.2."""
    return [root(hashes[first:end]) for first, end in consistency_stretches(earlier, len(hashes))]


def inclusion_stretches(index: int, size: int) -> list[Stretch]:
    """The stretches of leaves whose roots make an inclusion proof, from the leaf upwards."""
    if not 0 <= index < size:
        raise ValueError(f"there is no leaf {index} in a tree of {size}")
    first, end, stretches = 0, size, []
    while end - first > 1:
        split = first + _split(end - first)
        if index < split:
            stretches.append((split, end))
            end = split
        else:
            stretches.append((first, split))
            first = split
    return stretches[::-1]


def consistency_stretches(earlier: int, size: int) -> list[Stretch]:
    """The stretches of leaves whose roots make a consistency proof."""
    if not 0 < earlier <= size:
        raise ValueError(f"a tree of {earlier} is no beginning of one of {size}")
    first, end, stretches = 0, size, []
    while earlier < end:
        split = first + _split(end - first)
        if earlier <= split:
            stretches.append((split, end))
            end = split
        else:
            stretches.append((first, split))
            first = split
    if first > 0:  # else the earlier tree is complete, and its root is known to whoever checks
        stretches.append((first, end))
    return stretches[::-1]


def subtrees(first: int, end: int) -> list[Node]:
    """The complete subtrees that make up a stretch of a proof, or a whole tree, from left to right."""
    nodes = []
    while first < end:
        level = _split(end - first + 1).bit_length() - 1  # the largest power of two that is not above the width
        nodes.append((level, first >> level))
        first += 1 << level
    return nodes


def joined(hashes: Iterable[bytes]) -> bytes:
    """The root over neighbouring complete subtrees, given from left to right and never growing."""
    right = b""
    for left in reversed(list(hashes)):
        right = node_hash(left, right) if right else left
    return right or EMPTY


# --- Checking them --------------------------------------------------------------


def verify_inclusion(hashed: bytes, index: int, size: int, path: Sequence[bytes], expected: bytes) -> bool:
    """Whether `path` proves that this leaf hash stands at `index` under the root `expected` (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    here, last, found = index, size - 1, hashed
    for sibling in path:
        if last == 0:
            return False
        if here & 1 or here == last:
            found = node_hash(sibling, found)
            while here and not here & 1:
                here, last = here >> 1, last >> 1
        else:
            found = node_hash(found, sibling)
        here, last = here >> 1, last >> 1
    return last == 0 and found == expected


def verify_consistency(earlier: int, size: int, earlier_root: bytes, expected: bytes, path: Sequence[bytes]) -> bool:
    """Whether `path` proves that the tree of `earlier` leaves is a beginning of the other (RFC 9162, 2.1.4.2)."""
    if not 0 < earlier <= size:
        return False
    if earlier == size:
        return not path and earlier_root == expected
    nodes = list(path)
    if earlier & (earlier - 1) == 0:
        nodes.insert(0, earlier_root)
    if not nodes:
        return False
    here, last = earlier - 1, size - 1
    while here & 1:
        here, last = here >> 1, last >> 1
    before = after = nodes[0]
    for node in nodes[1:]:
        if last == 0:
            return False
        if here & 1 or here == last:
            before, after = node_hash(node, before), node_hash(node, after)
            while here and not here & 1:
                here, last = here >> 1, last >> 1
        else:
            after = node_hash(after, node)
        here, last = here >> 1, last >> 1
    return last == 0 and before == earlier_root and after == expected


# --- Growing --------------------------------------------------------------------


class Frontier:
    """A tree that grows to the right, as the complete subtrees that it is made of: never more than log n hashes."""

    def __init__(self, size: int = 0, hashes: Iterable[bytes] = ()) -> None:
        """Empty, or the tree of `size` leaves whose `subtrees(0, size)` have these hashes."""
        self.size = size
        self._hashes = list(hashes)
        if len(self._hashes) != size.bit_count():
            raise ValueError(f"a tree of {size} leaves is made of {size.bit_count()} complete subtrees")

    def append(self, hashed: bytes) -> Iterator[tuple[Node, bytes]]:
        """Add a leaf hash; returns the subtrees above it that are complete now, from the lowest up."""
        index, level, completed = self.size, 0, []
        while index & 1:
            hashed = node_hash(self._hashes.pop(), hashed)
            index, level = index >> 1, level + 1
            completed.append(((level, index), hashed))
        self._hashes.append(hashed)
        self.size += 1
        return iter(completed)

    def root(self) -> bytes:
        return joined(self._hashes)


def _split(width: int) -> int:
    """The largest power of two below `width`."""
    return 1 << (width - 1).bit_length() - 1
