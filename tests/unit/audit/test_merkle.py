"""Merkle proofs: published vectors, the RFC's own recursion, and every small change refused."""

import json
from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.audit.domain.merkle import (
    EMPTY_ROOT,
    BadProof,
    consistency_ranges,
    inclusion_ranges,
    leaf_hash,
    node_hash,
    verify_consistency,
    verify_inclusion,
)
from services.audit.domain.tiles import Edge, append, range_hashes
from tests.support import merkle_reference as reference

VECTORS = Path(__file__).parents[2] / "vectors/merkle"
PROOFS = json.loads((VECTORS / "transparency-dev-merkle-proofs.json").read_text("utf-8"))
FACTS = json.loads((VECTORS / "rfc6962-8leaf.json").read_text("utf-8"))
Vector = dict[str, Any]


def hashes(texts: list[str] | None) -> list[bytes]:
    return [b64decode(text) for text in texts or []]


def case_id(vector: Vector) -> str:
    return str(vector["file"])


def check_inclusion(vector: Vector) -> None:
    verify_inclusion(
        leaf=b64decode(vector["leafHash"]),
        index=vector["leafIdx"],
        size=vector["treeSize"],
        proof=hashes(vector["proof"]),
        root=b64decode(vector["root"]),
    )


def check_consistency(vector: Vector) -> None:
    verify_consistency(
        old=vector["size1"],
        new=vector["size2"],
        proof=hashes(vector["proof"]),
        old_root=b64decode(vector["root1"]),
        new_root=b64decode(vector["root2"]),
    )


def good(kind: str) -> list[Vector]:
    return [vector for vector in PROOFS[kind] if not vector["wantErr"]]


def bad(kind: str) -> list[Vector]:
    return [vector for vector in PROOFS[kind] if vector["wantErr"]]


def test_the_vectors_are_all_there() -> None:
    assert {kind: (len(good(kind)), len(bad(kind))) for kind in ("inclusion", "consistency")} == {
        "inclusion": (6, 92),
        "consistency": (6, 92),
    }


@pytest.mark.parametrize("vector", good("inclusion"), ids=case_id)
def test_published_inclusion_proof_is_accepted(vector: Vector) -> None:
    check_inclusion(vector)


@pytest.mark.parametrize("vector", bad("inclusion"), ids=case_id)
def test_published_bad_inclusion_proof_is_refused(vector: Vector) -> None:
    with pytest.raises(BadProof):
        check_inclusion(vector)


@pytest.mark.parametrize("vector", good("consistency"), ids=case_id)
def test_published_consistency_proof_is_accepted(vector: Vector) -> None:
    check_consistency(vector)


@pytest.mark.parametrize("vector", bad("consistency"), ids=case_id)
def test_published_bad_consistency_proof_is_refused(vector: Vector) -> None:
    """Among them those from an empty tree (size1 = 0): nothing can be proved about it, so it is refused."""
    with pytest.raises(BadProof):
        check_consistency(vector)


def test_published_hashes_and_roots_of_eight_leaves() -> None:
    leaves = [bytes.fromhex(text) for text in FACTS["leaves_hex"]]
    edge = Edge()
    roots = []
    for leaf in leaves:
        edge, _ = append(edge, [leaf_hash(leaf)])
        roots.append(edge.root().hex())

    assert roots == FACTS["roots_hex"]
    assert Edge().root().hex() == EMPTY_ROOT.hex() == FACTS["empty_root_hex"]
    assert leaf_hash(b"L123456").hex() == FACTS["leaf_L123456"]
    assert node_hash(b"N123", b"N456").hex() == FACTS["node_N123_N456"]


@pytest.mark.parametrize("size", range(1, 71))
def test_every_proof_of_a_small_tree_equals_the_rfc_and_verifies(size: int) -> None:
    entries = [bytes([number]) for number in range(size)]
    edge, filled = append(Edge(), map(leaf_hash, entries))
    tiles = {**filled, **edge.tiles()}
    root = reference.tree_hash(entries)
    assert edge.root() == root

    for index in range(size):
        proof = range_hashes(inclusion_ranges(index, size), tiles)
        assert proof == reference.path(index, entries)
        verify_inclusion(leaf=leaf_hash(entries[index]), index=index, size=size, proof=proof, root=root)
    for old in range(1, size + 1):
        proof = range_hashes(consistency_ranges(old, size), tiles)
        assert proof == reference.consistency(old, entries)
        old_root = reference.tree_hash(entries[:old])
        verify_consistency(old=old, new=size, proof=proof, old_root=old_root, new_root=root)


trees = st.integers(1, 40).flatmap(lambda size: st.tuples(st.just(size), st.integers(0, size - 1)))


@given(trees, st.data())
def test_any_flipped_bit_or_shifted_number_breaks_an_inclusion_proof(
    tree: tuple[int, int], data: st.DataObject
) -> None:
    size, index = tree
    entries = [bytes([number]) for number in range(size)]
    parts = [reference.tree_hash(entries), leaf_hash(entries[index]), *reference.path(index, entries)]
    broken = [bytearray(part) for part in parts]
    place = data.draw(st.integers(0, len(parts) * 256 - 1), label="bit")
    broken[place // 256][place % 256 // 8] ^= 1 << place % 8

    root, leaf, *proof = map(bytes, broken)
    with pytest.raises(BadProof):
        verify_inclusion(leaf=leaf, index=index, size=size, proof=proof, root=root)
    root, leaf, *proof = parts
    for shift in (-1, 1):
        with pytest.raises(BadProof):
            verify_inclusion(leaf=leaf, index=index + shift, size=size, proof=proof, root=root)


@given(st.integers(2, 40).flatmap(lambda new: st.tuples(st.integers(1, new - 1), st.just(new))), st.data())
def test_any_flipped_bit_breaks_a_consistency_proof(sizes: tuple[int, int], data: st.DataObject) -> None:
    old, new = sizes
    entries = [bytes([number]) for number in range(new)]
    parts = [reference.tree_hash(entries[:old]), reference.tree_hash(entries), *reference.consistency(old, entries)]
    broken = [bytearray(part) for part in parts]
    place = data.draw(st.integers(0, len(parts) * 256 - 1), label="bit")
    broken[place // 256][place % 256 // 8] ^= 1 << place % 8

    old_root, new_root, *proof = map(bytes, broken)
    with pytest.raises(BadProof):
        verify_consistency(old=old, new=new, proof=proof, old_root=old_root, new_root=new_root)


@pytest.mark.parametrize(("index", "size"), [(-1, 3), (3, 3), (0, 0)])
def test_there_is_no_proof_for_a_leaf_that_is_not_there(index: int, size: int) -> None:
    with pytest.raises(ValueError, match="expected an index"):
        inclusion_ranges(index, size)


@pytest.mark.parametrize(("old", "new"), [(0, 3), (4, 3), (-1, 3)])
def test_there_is_no_proof_from_an_empty_or_larger_tree(old: int, new: int) -> None:
    with pytest.raises(ValueError, match="expected 0 < old <= new"):
        consistency_ranges(old, new)


def test_a_hash_of_the_wrong_length_is_refused() -> None:
    with pytest.raises(BadProof, match="got one of 31"):
        verify_inclusion(leaf=b"x" * 31, index=0, size=1, proof=[], root=b"x" * 31)
