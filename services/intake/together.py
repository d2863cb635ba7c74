"""Requests that wait at the same moment share one transaction: one commit, and each statement once for all of them.

So submissions are kept, and so it is asked whose tokens are. While one batch is being kept the next gathers: under load
batches grow, and each costs hardly more than a small one. A batch never waits long for a case that somebody else holds, and
if it fails, for whatever reason, each of its submissions is kept alone: nobody's event depends on a neighbour's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Generic, TypeVar

import structlog

from services.kit.errors import summary
from services.kit.logging import where

MOST: Final = 64
_log = structlog.get_logger("services.intake.together")

One = TypeVar("One")
Result = TypeVar("Result")


class Together(Generic[One, Result]):
    """Calls `keep` with what waits; returns to each its own result, after the commit.

    Args:
        keep: Keeps a batch in a transaction of its own, all of it or nothing, and returns one result each, in order.
        keep_alone: Keeps one; called when the batch that it was in failed.
    """

    def __init__(
        self,
        keep: Callable[[Sequence[One]], Awaitable[Sequence[Result]]],
        keep_alone: Callable[[One], Awaitable[Result]],
    ) -> None:
        self._keep = keep
        self._keep_alone = keep_alone
        self._waiting: list[tuple[One, asyncio.Future[tuple[Result] | None]]] = []
        self._work: asyncio.Task[None] | None = None

    async def take(self, one: One) -> Result:
        """Keep one, with whatever else waits now."""
        kept: asyncio.Future[tuple[Result] | None] = asyncio.get_running_loop().create_future()
        self._waiting.append((one, kept))
        if self._work is None:
            self._work = asyncio.create_task(self._keep_waiting())
        result = await kept
        return result[0] if result else await self._keep_alone(one)

    async def _keep_waiting(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
                for (_, kept), result in zip(batch, await self._results([one for one, _ in batch]), strict=True):
                    if not kept.done():  # its caller may have gone
                        kept.set_result(result)
        finally:  # at once: who comes before this task's callbacks run must not take it for one that still looks
            self._work = None

    async def _results(self, batch: Sequence[One]) -> Sequence[tuple[Result] | None]:
        try:
            return [(result,) for result in await self._keep(batch)]
        except Exception as error:  # noqa: BLE001 - each is tried again alone, where its own error shows
            _log.warning("intake.batch_failed", count=len(batch), error=summary(error), where=where(error))
            return [None] * len(batch)
