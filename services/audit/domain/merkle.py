"""The Merkle tree of RFC 6962 section 2.1 and RFC 9162 section 2.1: hashes, the ranges a proof is made of, both verifiers.

A proof is described here as ranges of leaves; `services.audit.domain.tiles` turns ranges into hashes. The verifiers follow
the numbered steps of RFC 9162 and see nothing but what a stranger would be given.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from hashlib import sha256

HASH_BYTES = 32
EMPTY_ROOT = sha256(b"").digest()

Range = tuple[int, int]
"""Leaves from the first number up to, but not including, the second."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step up the tree: the hash so far joined with its sibling gives `found`."""

    sibling: bytes
    on_the_left: bool
    found: bytes


class BadProof(Exception):
    """A proof does not show what it is said to show. The message says what was expected."""


def leaf_hash(entry: bytes) -> bytes:
    """Return the hash of one leaf: SHA-256(0x00 || entry)."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of an inner node: SHA-256(0x01 || left || right)."""
    return sha256(b"\x01" + left + right).digest()


def fold(hashes: Sequence[bytes]) -> bytes:
    """Return the root over complete subtrees given left to right, widest first; the empty root for none."""
    if not hashes:
        return EMPTY_ROOT
    return reduce(lambda right, left: node_hash(left, right), reversed(hashes))


def complete_root(hashes: Sequence[bytes]) -> bytes:
    """Return the root over a power of two of neighbouring hashes."""
    row = list(hashes)
    while len(row) > 1:
        row = [node_hash(left, right) for left, right in zip(row[::2], row[1::2], strict=True)]
    return row[0]


def inclusion_ranges(index: int, size: int) -> list[Range]:
    """Return the ranges whose hashes prove that leaf `index` is in the tree of `size` leaves, leaf upwards.

    Raises:
        ValueError: There is no such leaf.

    Source: RFC 9162 section 2.1.3.1.
    """
    if not 0 <= index < size:
        message = f"expected an index from 0 to {size - 1}, got {index}"
        raise ValueError(message)
    low, high = 0, size
    siblings: list[Range] = []
    while high - low > 1:
        middle = low + _split(high - low)
        if index < middle:
            siblings.append((middle, high))
            high = middle
        else:
            siblings.append((low, middle))
            low = middle
    return siblings[::-1]


def consistency_ranges(old: int, new: int) -> list[Range]:
    """Return the ranges whose hashes prove that the tree of `old` leaves is a prefix of that of `new`.

    Raises:
        ValueError: `old` is 0 (nothing is proved about an empty tree) or greater than `new`.

    Source: RFC 9162 section 2.1.4.1.
    """
    if not 0 < old <= new:
        message = f"expected 0 < old <= new, got {old} and {new}"
        raise ValueError(message)
    low, high, from_left = 0, new, True
    siblings: list[Range] = []
    while old != high:
        middle = low + _split(high - low)
        if old <= middle:
            siblings.append((middle, high))
            high = middle
        else:
            siblings.append((low, middle))
            low, from_left = middle, False
    if not from_left:
        siblings.append((low, high))
    return siblings[::-1]


def verify_inclusion(*, leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """Check that the leaf with hash `leaf` stands at `index` in the tree of `size` leaves with root `root`.

    Raises:
        BadProof: It does not, or the proof is not well formed.

    Source: RFC 9162 section 2.1.3.2.
    """
    if not 0 <= index < size:
        message = f"expected an index below {size}, got {index}"
        raise BadProof(message)
    _check_hashes(leaf, root, *proof)
    steps = climb(leaf, index, size, proof)
    _check_root("root", root, steps[-1].found if steps else leaf)


def climb(leaf: bytes, index: int, size: int, proof: Sequence[bytes]) -> list[Step]:
    """Return the steps from the hash of leaf `index` up to the root that a proof gives, one for each of its hashes.

    Raises:
        BadProof: The proof is too long or too short for a tree of `size` leaves.
    """
    steps: list[Step] = []
    found = leaf
    for sibling, on_the_left in _walk(index, size - 1, proof):
        found = node_hash(sibling, found) if on_the_left else node_hash(found, sibling)
        steps.append(Step(sibling, on_the_left, found))
    return steps


def verify_consistency(*, old: int, new: int, proof: Sequence[bytes], old_root: bytes, new_root: bytes) -> None:
    """Check that the tree of `old` leaves is a prefix of the tree of `new` leaves.

    Raises:
        BadProof: It is not, the proof is not well formed, or `old` is 0, about which nothing can be proved.

    Source: RFC 9162 section 2.1.4.2.
    """
    if not 0 < old <= new:
        message = f"expected 0 < old size <= new size, got {old} and {new}"
        raise BadProof(message)
    if old == new:
        if proof:
            message = f"expected no proof for equal sizes, got {len(proof)} hashes"
            raise BadProof(message)
        _check_root("root", old_root, new_root)
        return
    _check_hashes(old_root, new_root, *proof)
    path = [old_root, *proof] if old & (old - 1) == 0 else list(proof)
    if not path:
        message = f"expected a proof from {old} to {new}, got none"
        raise BadProof(message)
    node, last = old - 1, new - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    found_old = found_new = path[0]
    for sibling, on_the_left in _walk(node, last, path[1:]):
        if on_the_left:
            found_old = node_hash(sibling, found_old)
        found_new = node_hash(sibling, found_new) if on_the_left else node_hash(found_new, sibling)
    _check_root("old root", old_root, found_old)
    _check_root("new root", new_root, found_new)


def _walk(node: int, last: int, proof: Sequence[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Yield each hash of a proof and whether it stands to the left, from `node` up to the root of a tree ending at `last`."""
    for sibling in proof:
        if last == 0:
            message = f"expected a shorter proof, got {len(proof)} hashes"
            raise BadProof(message)
        on_the_left = bool(node & 1) or node == last
        yield sibling, on_the_left
        while on_the_left and node and not node & 1:
            node, last = node >> 1, last >> 1
        node, last = node >> 1, last >> 1
    if last != 0:
        message = f"expected a longer proof, got {len(proof)} hashes"
        raise BadProof(message)


def _split(width: int) -> int:
    """Return the largest power of two below `width` (> 1)."""
    return 1 << ((width - 1).bit_length() - 1)


def _check_hashes(*hashes: bytes) -> None:
    for candidate in hashes:
        if len(candidate) != HASH_BYTES:
            message = f"expected hashes of {HASH_BYTES} bytes, got one of {len(candidate)}"
            raise BadProof(message)


def _check_root(what: str, expected: bytes, found: bytes) -> None:
    if expected != found:
        message = f"expected {what} {expected.hex()}, the proof gives {found.hex()}"
        raise BadProof(message)
