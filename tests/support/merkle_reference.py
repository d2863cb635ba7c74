"""RFC 9162 section 2.1, word for word and slow: what the fast code is compared with."""

from collections.abc import Sequence
from hashlib import sha256


def split(width: int) -> int:
    """Return k, "the largest power of two smaller than n"."""
    power = 1
    while power * 2 < width:
        power *= 2
    return power


def tree_hash(entries: Sequence[bytes]) -> bytes:
    """MTH(D_n), section 2.1.1."""
    if not entries:
        return sha256(b"").digest()
    if len(entries) == 1:
        return sha256(b"\x00" + entries[0]).digest()
    k = split(len(entries))
    return sha256(b"\x01" + tree_hash(entries[:k]) + tree_hash(entries[k:])).digest()


def path(index: int, entries: Sequence[bytes]) -> list[bytes]:
    """PATH(m, D_n), section 2.1.3.1."""
    if len(entries) == 1:
        return []
    k = split(len(entries))
    if index < k:
        return [*path(index, entries[:k]), tree_hash(entries[k:])]
    return [*path(index - k, entries[k:]), tree_hash(entries[:k])]


def consistency(old: int, entries: Sequence[bytes]) -> list[bytes]:
    """PROOF(m, D_n), section 2.1.4.1."""
    return _subproof(old, entries, known=True)


def _subproof(old: int, entries: Sequence[bytes], *, known: bool) -> list[bytes]:
    if old == len(entries):
        return [] if known else [tree_hash(entries)]
    k = split(len(entries))
    if old <= k:
        return [*_subproof(old, entries[:k], known=known), tree_hash(entries[k:])]
    return [*_subproof(old - k, entries[k:], known=False), tree_hash(entries[:k])]
