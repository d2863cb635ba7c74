"""What must hold of the log: each message is one entry, and what was signed of it once is signed of it for ever."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator
from itertools import pairwise
from typing import Any

import orjson

from services.audit.domain.merkle import (
    BadProof,
    consistency_ranges,
    inclusion_ranges,
    leaf_hash,
    verify_consistency,
    verify_inclusion,
)
from services.audit.domain.tiles import range_hashes
from tests.simulation.invariants import outbox
from tests.simulation.road import Road
from tests.support.audit_memory import entries_of, head_of, tiles_of
from tests.support.merkle_reference import tree_hash


def each_message_is_one_entry(road: Road) -> Iterator[str]:
    """Nothing lost, nothing twice: what services committed and partners sent, and each record that nobody can read."""
    said = {message["id"] for service in road.services for message in outbox(service.store)}
    sent = {body["id"] for one in road.script.sent if (body := _read(one.value))}
    unreadable = [
        (record.topic, record.partition, record.offset)
        for topic in road.log.topics
        for record in road.broker.of(topic)
        if not _read(record.value)
    ]
    expected = Counter[Hashable]([*said, *sent, *unreadable])
    found = Counter(map(_of, _entries(road)))
    if found != expected:
        yield f"expected {expected.total()} entries, got {found.total()}: {expected - found} missing, {found - expected} more"


def _of(text: bytes) -> Hashable:
    """Return what an entry is about: a message, or the place of a record. A conflict is neither."""
    entry = orjson.loads(text)
    place = entry["record"]
    match entry["kind"]:
        case "message":
            return str(entry["event"]["id"])
        case "poison":
            return place["topic"], place["partition"], place["offset"]
        case kind:
            return f"a {kind}", *place.values()


def the_log_verifies(road: Road) -> Iterator[str]:
    """Numbers without a gap, the root of the RFC, and each checkpoint the head of what is a prefix of the next one's."""
    tx = road.audit.store.opened()
    texts, head = _entries(road), head_of(tx)
    if head is None:
        return
    tiles = head.edge.tiles() | tiles_of(tx)
    numbers = sorted(entries_of(tx))
    if numbers != list(range(head.size)):
        yield f"expected the numbers 0 to {head.size - 1}, got {numbers}"
        return
    signed = [one for one, _ in sorted(road.log.folder.notes.values(), key=lambda one: one[0].size) if one.size]
    for one in signed:
        if one.root != tree_hash(texts[: one.size]):
            yield f"the checkpoint of {one.size} entries is not of the first {one.size} entries"
    if not signed or (signed[-1].size, signed[-1].root) != (head.size, head.root):
        yield f"the log of {head.size} entries is not signed as it stands"
        return
    try:
        last = head.size - 1
        proof = range_hashes(inclusion_ranges(last, head.size), tiles)
        verify_inclusion(leaf=leaf_hash(texts[last]), index=last, size=head.size, proof=proof, root=head.root)
        for old, new in pairwise(signed):
            proof = range_hashes(consistency_ranges(old.size, new.size), tiles)
            verify_consistency(old=old.size, new=new.size, proof=proof, old_root=old.root, new_root=new.root)
    except BadProof as error:
        yield str(error)


def nobody_refuses_to_sign(road: Road) -> Iterator[str]:
    """No false alarm: the log was never rewritten, and no older copy of it restored."""
    yield from dict.fromkeys(road.log.refusals)


def _entries(road: Road) -> list[bytes]:
    return [entry.text for _, entry in sorted(entries_of(road.audit.store.opened()).items())]


def _read(value: bytes) -> dict[str, Any]:
    try:
        found: dict[str, Any] = orjson.loads(value)
    except orjson.JSONDecodeError:
        return {}
    return found


AT_THE_END = (each_message_is_one_entry, the_log_verifies, nobody_refuses_to_sign)
