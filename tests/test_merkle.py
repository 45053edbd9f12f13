"""Merkle trees hash as RFC 6962 does: Certificate Transparency's published vectors, and every small tree by definition.

The vectors are those of the Certificate Transparency project's own implementation (MerkleTreeTest).
"""

import hashlib
import random
from itertools import pairwise

import pytest

from privacy.evidence import merkle

LEAVES = [
    bytes.fromhex(leaf)
    for leaf in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
HASHES = [merkle.leaf_hash(leaf) for leaf in LEAVES]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
PATHS = [  # leaf and size, counted from one, as they were published
    (1, 1, []),
    (
        *(1, 8),
        [
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ],
    ),
    (
        *(6, 8),
        [
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
    ),
    (3, 3, ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"]),
    (
        *(2, 5),
        [
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        ],
    ),
]
CONSISTENT = [
    (1, 1, []),
    (
        *(1, 8),
        [
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ],
    ),
    (
        *(6, 8),
        [
            "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
    ),
    (
        *(2, 5),
        [
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        ],
    ),
]


def as_bytes(path: list[str]) -> list[bytes]:
    return [bytes.fromhex(node) for node in path]


# --- Published vectors ----------------------------------------------------------


def test_the_empty_tree():
    assert merkle.root([]).hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


@pytest.mark.parametrize("size", range(1, 9))
def test_roots(size):
    assert merkle.root(HASHES[:size]).hex() == ROOTS[size - 1]


@pytest.mark.parametrize(("leaf", "size", "path"), PATHS)
def test_inclusion(leaf, size, path):
    assert [node.hex() for node in merkle.inclusion_path(leaf - 1, HASHES[:size])] == path
    assert merkle.verify_inclusion(HASHES[leaf - 1], leaf - 1, size, as_bytes(path), bytes.fromhex(ROOTS[size - 1]))


@pytest.mark.parametrize(("earlier", "size", "path"), CONSISTENT)
def test_consistency(earlier, size, path):
    assert [node.hex() for node in merkle.consistency_path(earlier, HASHES[:size])] == path
    roots = (bytes.fromhex(ROOTS[earlier - 1]), bytes.fromhex(ROOTS[size - 1]))
    assert merkle.verify_consistency(earlier, size, *roots, as_bytes(path))


# --- By definition --------------------------------------------------------------

MANY = [merkle.leaf_hash(str(number).encode()) for number in range(70)]


def defined_root(hashes: list[bytes]) -> bytes:
    """MTH of RFC 6962, 2.1, word for word."""
    if not hashes:
        return hashlib.sha256(b"").digest()
    if len(hashes) == 1:
        return hashes[0]
    split = max(1 << bit for bit in range(10) if 1 << bit < len(hashes))
    return hashlib.sha256(b"\x01" + defined_root(hashes[:split]) + defined_root(hashes[split:])).digest()


def test_roots_are_as_defined():
    for size in range(len(MANY) + 1):
        assert merkle.root(MANY[:size]) == defined_root(MANY[:size])


def test_every_leaf_of_every_small_tree_is_proved_and_no_other():
    for size in range(1, 34):
        root = defined_root(MANY[:size])
        for index in range(size):
            path = merkle.inclusion_path(index, MANY[:size])
            assert merkle.verify_inclusion(MANY[index], index, size, path, root)
            assert not merkle.verify_inclusion(MANY[-1], index, size, path, root)
            assert not merkle.verify_inclusion(MANY[index], index, size, [*path, root], root)
            for other in {*range(-1, size + 1)} - {index}:
                assert not merkle.verify_inclusion(MANY[index], other, size, path, root)
            for spoilt in spoilings(path):
                assert not merkle.verify_inclusion(MANY[index], index, size, spoilt, root)


def test_every_earlier_tree_is_proved_and_no_other():
    for size in range(1, 34):
        root = defined_root(MANY[:size])
        for earlier in range(1, size + 1):
            path, before = merkle.consistency_path(earlier, MANY[:size]), defined_root(MANY[:earlier])
            assert merkle.verify_consistency(earlier, size, before, root, path)
            assert not merkle.verify_consistency(earlier, size, MANY[-1], root, path)
            assert not merkle.verify_consistency(earlier, size, before, MANY[-1], path)
            assert not merkle.verify_consistency(earlier, size, before, root, [*path, root])
            for spoilt in spoilings(path):
                assert not merkle.verify_consistency(earlier, size, before, root, spoilt)


def spoilings(path: list[bytes]) -> list[list[bytes]]:
    """The path with each node missing, bent or exchanged with the next."""
    spoilt = [path[:at] + path[at + 1 :] for at in range(len(path))]
    spoilt += [[*path[:at], bytes([path[at][0] ^ 1]) + path[at][1:], *path[at + 1 :]] for at in range(len(path))]
    for at, (this, following) in enumerate(pairwise(path)):
        spoilt.append([*path[:at], following, this, *path[at + 2 :]])
    return spoilt


def test_a_leaf_that_is_not_there_has_no_path():
    for index, size in ((0, 0), (3, 3), (-1, 3)):
        with pytest.raises(ValueError, match="no leaf"):
            merkle.inclusion_path(index, MANY[:size])
    for earlier, size in ((0, 3), (4, 3)):
        with pytest.raises(ValueError, match="no beginning"):
            merkle.consistency_path(earlier, MANY[:size])


# --- Complete subtrees ------------------------------------------------------------


def test_proofs_from_complete_subtrees_are_the_same():
    stored = {}
    for number, hashed in enumerate(MANY):
        stored[0, number] = hashed
    frontier = merkle.Frontier()
    for hashed in MANY:
        stored.update(frontier.append(hashed))

    def from_stored(stretches: list[merkle.Stretch]) -> list[bytes]:
        return [merkle.joined(stored[node] for node in merkle.subtrees(*stretch)) for stretch in stretches]

    for size in range(1, len(MANY) + 1):
        assert merkle.joined(stored[node] for node in merkle.subtrees(0, size)) == merkle.root(MANY[:size])
        for index in range(size):
            stretches = merkle.inclusion_stretches(index, size)
            assert from_stored(stretches) == merkle.inclusion_path(index, MANY[:size])
            assert from_stored(merkle.consistency_stretches(index + 1, size)) == merkle.consistency_path(
                index + 1, MANY[:size]
            )


def test_a_proof_takes_few_subtrees_of_a_large_tree():
    size = 1_000_003
    for index in (0, 1, 524_288, 999_999, size - 1, *random.Random(1).sample(range(size), 50)):
        for stretches in (merkle.inclusion_stretches(index, size), merkle.consistency_stretches(index + 1, size)):
            assert sum(len(merkle.subtrees(*stretch)) for stretch in stretches) <= 2 * size.bit_length()


def test_a_tree_goes_on_growing_from_its_complete_subtrees():
    for size in range(len(MANY)):
        nodes = merkle.subtrees(0, size)
        hashes = [merkle.root(MANY[index << level : (index + 1) << level]) for level, index in nodes]
        frontier = merkle.Frontier(size, hashes)
        assert frontier.root() == merkle.root(MANY[:size])
        frontier.append(MANY[size])
        assert frontier.root() == merkle.root(MANY[: size + 1])
    with pytest.raises(ValueError, match="complete subtrees"):
        merkle.Frontier(3, MANY[:1])
