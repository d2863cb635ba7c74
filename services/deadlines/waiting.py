"""Lets timers fire only once what was said before has been read.

A duty that was met while deadlines was away must not be breached because a timer is faster than the message. So after a
start, and after the database was away, the timers wait for what stands unread then; but not for ever: a Kafka that does
not answer must not make a deadline pass in silence. While the database may not be written to (a restore), nobody reads and
no timer fires: the wait begins after that.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import structlog

from services.kit.errors import Unavailable, is_infrastructure

MOST_WAIT_S: Final = 120.0
LOOK_EVERY_S: Final = 0.1

_log = structlog.get_logger("services.deadlines.waiting")

IsRead = Callable[[], Awaitable[bool]]
"""Says whether one backlog has been read; raises while the database is away or refuses (`services.kit.backlog`)."""


class Waiting:
    """The steps of the firing loop, each after what it has to wait for.

    `backlog` returns the question about what is unread from now on.
    """

    def __init__(self, step: Callable[[], Awaitable[bool]], backlog: Callable[[], IsRead]) -> None:
        self._step = step
        self._backlog = backlog
        self._is_read: IsRead | None = backlog()
        self._since: float | None = None
        self._late = False  # the wait ran out, and what was waited for is still unread: it does not begin anew

    async def step(self) -> bool:
        """Make a step, or look whether it may be made."""
        try:
            if self._is_read and not await self._over(self._is_read):
                await asyncio.sleep(LOOK_EVERY_S)
                return False
            return await self._step()
        except Exception as error:
            if is_infrastructure(error):  # nobody knows what was said meanwhile
                self._is_read = self._backlog()
                if isinstance(error, Unavailable) or not self._late:
                    self._since, self._late = None, False
            raise

    async def _over(self, is_read: IsRead) -> bool:
        now = asyncio.get_running_loop().time()
        self._since = now if self._since is None else self._since
        if await is_read():
            self._is_read, self._late = None, False
            return True
        if now - self._since < MOST_WAIT_S:
            return False
        if not self._late:
            _log.warning(
                "firing.unread", reason="what was said before is not read yet; timers fire without waiting longer"
            )
        self._late = True
        return True
