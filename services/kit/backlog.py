"""What a consumer group had still to read at one moment, for work that must not run ahead of it.

Any copy of a service may have read it: where a group stands is in the fence, and how far its topics go is asked of Kafka.
"""

from __future__ import annotations

from collections.abc import Mapping

from services.kit.consume import Worker
from services.kit.database import Database
from services.kit.fence import Place, stand


class Backlog:
    """What a group has not read of its topics when `is_read` is first asked."""

    def __init__(self, database: Database, worker: Worker) -> None:
        self._database = database
        self._worker = worker
        self._ends: Mapping[Place, int] | None = None

    async def is_read(self) -> bool:
        """Say whether all of it has been read; it has not while Kafka does not say how much it is.

        Raises:
            Unavailable: The database may not be written to now, so that nobody reads.
            Exception: It does not answer.
        """
        if self._database.admit:
            await self._database.admit(None)
        if self._ends is None:
            self._ends = await self._worker.subscriber.ends()
        if self._ends is None:
            return False
        async with self._database.connect() as connection:
            next_offsets = await stand(connection, self._worker.consumer.group_id)
        return all(next_offsets.get(place, 0) >= end for place, end in self._ends.items() if end)
