"""Tiles: the numbers of the specification, every boundary, and batches of any size giving the same tree."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.audit.domain.merkle import (
    consistency_ranges,
    inclusion_ranges,
    leaf_hash,
    verify_consistency,
    verify_inclusion,
)
from services.audit.domain.tiles import Edge, TileKey, append, range_hash, range_hashes, tiles_of
from tests.support import merkle_reference as reference

ENTRIES = [number.to_bytes(4) for number in range(70_000)]
LEAVES = [leaf_hash(entry) for entry in ENTRIES]
EDGE, FILLED = append(Edge(), LEAVES)


def test_seventy_thousand_leaves_give_the_tiles_that_the_specification_names() -> None:
    """C2SP tlog-tiles: 273 full level-0 tiles and one of 112, a full level-1 tile and one of 17, a level-2 tile of 1."""
    assert sorted(FILLED) == [*((0, index) for index in range(273)), (1, 0)]
    assert {key: len(hashes) // 32 for key, hashes in EDGE.tiles().items()} == {(0, 273): 112, (1, 1): 17, (2, 0): 1}


@pytest.mark.parametrize("size", [0, 1, 255, 256, 257, 511, 512, 65_535, 65_536, 65_537])
def test_the_root_at_each_tile_boundary_equals_the_rfc(size: int) -> None:
    edge, _ = append(Edge(), LEAVES[:size])

    assert edge.size == size
    assert edge.root() == reference.tree_hash(ENTRIES[:size])


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 600), max_size=8))
def test_batches_of_any_size_give_the_same_tree(batches: list[int]) -> None:
    edge, filled, place = Edge(), dict[TileKey, bytes](), 0
    for batch in batches:
        edge, new = append(edge, LEAVES[place : place + batch])
        assert not filled.keys() & new.keys()
        filled |= new
        place += batch

    assert (edge, filled) == append(Edge(), LEAVES[:place])


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 70_000).flatmap(lambda size: st.tuples(st.just(size), st.integers(1, size))))
def test_proofs_at_any_earlier_size_come_out_of_the_tiles_they_name(sizes: tuple[int, int]) -> None:
    """The tree has gone on growing; proofs at an earlier size read only the tiles that `tiles_of` names."""
    size, old = sizes
    every = {**FILLED, **EDGE.tiles()}
    index = old - 1
    root, old_root = range_hash((0, size), every), range_hash((0, old), every)

    inclusion, consistency = inclusion_ranges(index, size), consistency_ranges(old, size)
    needed = {key: every[key] for key in tiles_of([*inclusion, *consistency])}
    assert len(needed) <= 3 * 3
    verify_inclusion(leaf=LEAVES[index], index=index, size=size, proof=range_hashes(inclusion, needed), root=root)
    proof = range_hashes(consistency, needed)
    verify_consistency(old=old, new=size, proof=proof, old_root=old_root, new_root=root)


def test_a_tile_that_is_too_short_is_named() -> None:
    with pytest.raises(KeyError, match="ends before subtree 1 of level 0"):
        range_hash((1, 2), {(0, 0): LEAVES[0]})
