"""The fence: where each consumer stands in each partition, kept in the transaction that has the effects.

Kafka's own offsets are a hint. The fence sees what Kafka and the client library do not: a consumer that was overtaken
while it slept, records that were skipped, and a topic that was deleted and made again (the same offsets, other
records). `judge` is the decision, as a pure function; the classes around it read and move the fence.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, Protocol
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection


class Place(NamedTuple):
    """One partition of one topic."""

    topic: str
    partition: int


REWOUND: Final = -1
"""The next offset of a partition that is to be read again from wherever it begins: lower than any, so that nothing is skipped."""


class Mark(NamedTuple):
    """Where a record stood, and the id under which the inbox knows it."""

    place: Place
    offset: int
    record_id: UUID


@dataclass(frozen=True)
class Verdict:
    """What may be done with a batch.

    `gaps`: partitions whose records were skipped; drop theirs and read again from the offset given here.
    `below`: marks under the fence. The inbox must know every one of them; if it does not, the topic is not the one
    that was read before. `advance`: the new next offset of each partition that may go on.
    """

    gaps: Mapping[Place, int]
    below: Sequence[Mark]
    advance: Mapping[Place, int]


def firsts(marks: Iterable[Mark]) -> dict[Place, int]:
    """Return the first offset of each partition; the records of each are in their order."""
    found: dict[Place, int] = {}
    for mark in marks:
        found.setdefault(mark.place, mark.offset)
    return found


def judge(marks: Sequence[Mark], next_offsets: Mapping[Place, int], known_holes: Mapping[Place, int]) -> Verdict:
    """Compare a batch with the fence.

    Args:
        marks: The records of the batch, in the order of each partition.
        next_offsets: The fence; a partition that was never read is absent.
        known_holes: Partition -> next offset from which the consumer has already read again without finding anything
            nearer: control records of a producer's transaction also take offsets, so this is a hole and not a gap.
    """
    last: dict[Place, int] = {}
    for mark in marks:
        last[mark.place] = max(mark.offset, last.get(mark.place, -1))
    gaps = {
        place: next_offsets[place]
        for place, offset in firsts(marks).items()
        if place in next_offsets and offset > next_offsets[place] and known_holes.get(place) != next_offsets[place]
    }
    below = [mark for mark in marks if mark.offset < next_offsets.get(mark.place, 0)]
    advance = {
        place: max(offset + 1, next_offsets.get(place, 0)) for place, offset in last.items() if place not in gaps
    }
    return Verdict(gaps, below, advance)


class Fence(Protocol):
    """Reads and moves the fence inside a transaction."""

    async def hold(self, consumer: str, places: Sequence[Place]) -> dict[Place, int]:
        """Lock the partitions' rows, in a fixed order, until the end of the transaction; return their next offsets."""
        ...

    async def look(self, consumer: str) -> dict[Place, int]:
        """Return the next offset of each partition that a consumer has had; locks nothing."""
        ...

    async def advance(self, consumer: str, next_offsets: Mapping[Place, int]) -> None:
        """Move the fence forward; it never goes back."""
        ...


_HOLD: Final = text("""
    SELECT o.topic, o.partition, o.next_offset
    FROM consumer_offset AS o
    JOIN unnest(CAST(:topics AS text[]), CAST(:partitions AS int[])) AS b(topic, partition) USING (topic, partition)
    WHERE o.consumer = :consumer
    ORDER BY o.topic, o.partition
    FOR UPDATE OF o
""")

_ADVANCE: Final = text("""
    INSERT INTO consumer_offset (consumer, topic, partition, next_offset)
    SELECT :consumer, topic, partition, next_offset
    FROM unnest(CAST(:topics AS text[]), CAST(:partitions AS int[]), CAST(:next_offsets AS bigint[]))
        AS b(topic, partition, next_offset)
    ORDER BY topic, partition
    ON CONFLICT (consumer, topic, partition)
        DO UPDATE SET next_offset = greatest(consumer_offset.next_offset, EXCLUDED.next_offset)
""")


class PostgresFence:
    """The fence in `consumer_offset`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def hold(self, consumer: str, places: Sequence[Place]) -> dict[Place, int]:
        """Lock the partitions' rows, in a fixed order, until the end of the transaction; return their next offsets."""
        rows = await self._connection.execute(
            _HOLD,
            {
                "consumer": consumer,
                "topics": [place.topic for place in places],
                "partitions": [place.partition for place in places],
            },
        )
        return {Place(row.topic, row.partition): row.next_offset for row in rows}

    async def look(self, consumer: str) -> dict[Place, int]:
        """Return the next offset of each partition that a consumer has had; locks nothing."""
        return await stand(self._connection, consumer)

    async def advance(self, consumer: str, next_offsets: Mapping[Place, int]) -> None:
        """Move the fence forward; it never goes back."""
        if not next_offsets:
            return
        await self._connection.execute(
            _ADVANCE,
            {
                "consumer": consumer,
                "topics": [place.topic for place in next_offsets],
                "partitions": [place.partition for place in next_offsets],
                "next_offsets": list(next_offsets.values()),
            },
        )


_STAND: Final = text("SELECT topic, partition, next_offset FROM consumer_offset WHERE consumer = :consumer")


async def stand(connection: AsyncConnection, consumer: str) -> dict[Place, int]:
    """Return the next offset of each partition that a consumer has had; locks nothing."""
    rows = await connection.execute(_STAND, {"consumer": consumer})
    return {Place(row.topic, row.partition): row.next_offset for row in rows}


_REWIND: Final = text("""
    UPDATE consumer_offset SET next_offset = :rewound WHERE consumer = :consumer AND topic = :topic
""")


async def rewind(connection: AsyncConnection, consumer: str, topic: str) -> None:
    """Let a consumer read a topic from its beginning; what its inbox knows has no second effect.

    For `handrail consumer rewind`, after the topic was made again or the database was restored. A consumer that runs meanwhile
    finds a gap before the next record, or sees at its next look that it was set back, and goes back.
    """
    await connection.execute(_REWIND, {"consumer": consumer, "topic": topic, "rewound": REWOUND})
