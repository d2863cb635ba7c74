"""The tree kept as tiles of 256 neighbouring hashes, as C2SP tlog-tiles lays it out.

Level 0 holds leaf hashes, level 1 the roots of full level-0 tiles, and so on. Full tiles never change; the part that still
grows is the `Edge`, one unfinished tile a level. Any hash of any proof lies in at most one tile a level, so a proof in a
log of millions reads three or four rows.

Source: https://c2sp.org/tlog-tiles
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from services.audit.domain.merkle import HASH_BYTES, Range, complete_root, fold

HEIGHT = 8  # tree levels in a tile
WIDTH = 1 << HEIGHT  # hashes in a full tile

TileKey = tuple[int, int]
"""Tile level (0 = leaf hashes) and index."""


@dataclass(frozen=True, slots=True)
class Edge:
    """The growing right side of a tree of `size` leaves: the hashes of the unfinished tile of each level, concatenated."""

    size: int = 0
    partial: tuple[bytes, ...] = ()

    def tiles(self) -> dict[TileKey, bytes]:
        """Return the unfinished tiles by their place."""
        return {(level, self.size >> HEIGHT * (level + 1)): hashes for level, hashes in enumerate(self.partial)}

    def root(self) -> bytes:
        """Return the root of the whole tree: every subtree it folds lies in the edge."""
        return range_hash((0, self.size), self.tiles())


def append(edge: Edge, leaves: Iterable[bytes]) -> tuple[Edge, dict[TileKey, bytes]]:
    """Return the edge after `leaves` (leaf hashes, in order) and the tiles that they filled."""
    size, filled = edge.size, dict[TileKey, bytes]()
    rows = [bytearray(hashes) for hashes in edge.partial]
    for leaf in leaves:
        size += 1
        level, carried = 0, leaf
        while True:
            if level == len(rows):
                rows.append(bytearray())
            rows[level] += carried
            if len(rows[level]) < WIDTH * HASH_BYTES:
                break
            full = bytes(rows[level])
            filled[level, (size >> HEIGHT * (level + 1)) - 1] = full
            rows[level].clear()
            level, carried = level + 1, complete_root(_hashes(full))
    return Edge(size, tuple(bytes(row) for row in rows)), filled


def tiles_of(ranges: Iterable[Range]) -> set[TileKey]:
    """Return the tiles that hold the hashes of `ranges`."""
    return {_tile(level, index) for wanted in ranges for level, index in _subtrees(wanted)}


def range_hash(wanted: Range, tiles: Mapping[TileKey, bytes]) -> bytes:
    """Return the Merkle hash over the leaves of a range that a proof or a root asks for.

    Raises:
        KeyError: A tile is missing that `tiles_of` named.
    """
    return fold([_subtree_hash(level, index, tiles) for level, index in _subtrees(wanted)])


def range_hashes(wanted: Sequence[Range], tiles: Mapping[TileKey, bytes]) -> list[bytes]:
    """Return the hash of each range, in order: a proof."""
    return [range_hash(one, tiles) for one in wanted]


def _subtrees(wanted: Range) -> list[tuple[int, int]]:
    """Return the complete subtrees (level, index) that make up a range, widest first."""
    low, high = wanted
    found: list[tuple[int, int]] = []
    while low < high:
        level = (high - low).bit_length() - 1
        found.append((level, low >> level))
        low += 1 << level
    return found


def _tile(level: int, index: int) -> TileKey:
    return level // HEIGHT, index >> HEIGHT - level % HEIGHT


def _subtree_hash(level: int, index: int, tiles: Mapping[TileKey, bytes]) -> bytes:
    width = 1 << level % HEIGHT
    start = index * width % WIDTH
    hashes = tiles[_tile(level, index)][start * HASH_BYTES : (start + width) * HASH_BYTES]
    if len(hashes) < width * HASH_BYTES:
        message = f"tile {_tile(level, index)} ends before subtree {index} of level {level}"
        raise KeyError(message)
    return complete_root(_hashes(hashes))


def _hashes(joined: bytes) -> list[bytes]:
    return [joined[start : start + HASH_BYTES] for start in range(0, len(joined), HASH_BYTES)]
