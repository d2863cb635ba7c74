"""The relay: publishes a service's outbox in commit order, one relay at a time, and never from the wrong database.

A crash between sending and saving the cursor sends the same rows again with the same numbers: consumers see a
duplicate, never a gap. It refuses to publish, loudly, when the cursor belongs to another database or when Kafka has
less than it once acknowledged: then somebody restored or replaced one of the two, and a person must say what is true.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Final

import structlog

from services.kit import metrics
from services.kit.cursor import Cursor, OtherDatabase, OutboxRow, Position
from services.kit.errors import Unavailable, is_own_end, summary
from services.kit.faults import faultpoint
from services.kit.fence import Place
from services.kit.health import Heartbeat
from services.kit.logging import where
from services.kit.publisher import SEND_TIMEOUT_S, Outgoing, Publisher
from services.kit.restored import Behind, compare

_log = structlog.get_logger("services.kit.relay")

BATCH_ROWS: Final = 1_000
"""At most so many are published at once; after a failure half as many, for all of them have to be sent in the time that one send may take."""
POLL_FIRST_S: Final = 0.02
REST_S: Final = 0.01  # after a publication, unless much is waiting: commits of one moment share the next
POLL_LAST_S: Final = 0.25
STANDBY_S: Final = 1.0
RETRY_CAP_S: Final = 10.0
STUCK_AFTER_S: Final = 120.0  # longer than one send and one start of a producer may take
COMPARE_S: Final = 5.0  # how long a writer waits until it is known whether this database may be written to


class Refusing(RuntimeError):
    """Publishing would contradict what was published before."""


class Relay:
    """Publishes one service's outbox."""

    def __init__(
        self, service: str, cursor: Cursor, publisher: Publisher, committed: asyncio.Event, rest_s: float = REST_S
    ) -> None:
        self._service = service
        self._cursor = cursor
        self._publisher = publisher
        self._committed = committed
        self._rest_s = rest_s
        self._most = BATCH_ROWS
        self._stop = asyncio.Event()
        self._heartbeat = Heartbeat(STUCK_AFTER_S)
        self._refusal: str | None = None
        self._stale: str | None = None  # why nothing may be written
        self._compared = asyncio.Event()
        self._server: datetime | None = None  # which was compared, or would have been if Kafka were there
        self._hurry = asyncio.Event()

    async def run(self) -> None:
        """Publish until `stop`."""
        failures = 0
        while not self._stop.is_set():
            self._heartbeat.beat()
            try:
                if await self._lead():
                    failures = 0
                    continue
                delay = STANDBY_S
            except (OtherDatabase, Behind, Refusing) as refusal:
                self._refuse(refusal)
                await self._let_go()  # the command that puts it right needs the place
                delay = RETRY_CAP_S  # somebody may put it right
            except (Exception, asyncio.CancelledError) as error:  # the top of the loop: publishing must go on
                if is_own_end(error):
                    raise
                failures += 1
                if isinstance(error, Unavailable):
                    self._compared.set()  # without Kafka there is nothing to compare with, and reports are still taken
                else:
                    self._compared.clear()  # the database was away: it may not be the same when it is back
                delay = min(RETRY_CAP_S, POLL_LAST_S * 2**failures)
                metrics.RELAY_FAILURES.inc()
                _log.warning(
                    "relay.retry",
                    attempt=failures,
                    delay_ms=round(delay * 1000),
                    error=summary(error),
                    where=where(error),
                )
            finally:
                metrics.RELAY_LEADER.set(0)
            self._hurry.clear()
            await self._wait(self._stop if self._compared.is_set() else self._hurry, delay)
        await self._publisher.close()
        await self._cursor.release()

    def stop(self) -> None:
        """Finish what is being sent, and end."""
        self._stop.set()
        self._hurry.set()
        self._committed.set()

    def wrong(self) -> str | None:
        """Return why the relay is dead, or nothing."""
        return self._heartbeat.wrong()

    async def unready(self) -> str | None:
        """Return why the relay refuses to publish, or nothing."""
        return self._refusal

    async def admit(self, server: datetime | None = None) -> None:
        """Return if this database may be written to: it is the one that published, and Kafka has nothing that it lacks.

        Args:
            server: When the server that is about to be written to was started, once that is known: connections are made
                anew without a word, and it may be another than the one that was compared.

        Raises:
            Unavailable: It may not, or that is not known yet.
        """
        if server is not None:  # in a transaction: nobody waits
            if server != self._server:
                self._compared.clear()
        elif not self._compared.is_set():
            self._hurry.set()
            await self._wait(self._compared, COMPARE_S)
        if self._stale or not self._compared.is_set():
            raise Unavailable(self._stale or "it is not known yet whether this database was restored from a backup")

    async def measure(self) -> None:
        """Measure the outbox."""
        count, age_s = await self._cursor.backlog()
        metrics.OUTBOX_DEPTH.set(count)
        metrics.OUTBOX_AGE.set(age_s)

    async def _lead(self) -> bool:
        """Be the relay until told to stop; return false if somebody else is."""
        position = await self._cursor.acquire()
        if position is None:
            if self._refusal or not self._compared.is_set():
                await self._check(await self._cursor.look())
            return False
        await self._check(position)
        metrics.RELAY_LEADER.set(1)
        _log.info("relay.leading", epoch=position.epoch, producer_seq=position.producer_seq)
        idle_s = POLL_FIRST_S
        while self._compared.is_set() and not self._stop.is_set():
            self._heartbeat.beat()
            self._committed.clear()  # before reading: a commit after the read must wake us
            most = self._most
            rows = await self._cursor.read(position, most)
            if rows:
                position = await self._publish(rows, position)
                idle_s = POLL_FIRST_S
                if len(rows) == most:
                    continue
                await self._wait(self._stop, self._rest_s)
            await self._wait(self._committed, idle_s)
            # A commit can be waiting for an older transaction, so what woke us may need another look.
            idle_s = POLL_FIRST_S if self._committed.is_set() else min(POLL_LAST_S, idle_s * 1.5)
        return True

    async def _check(self, position: Position) -> None:
        """See whether database and Kafka have what the position says, and no more of each other."""
        self._server = position.server
        await self._check_topics(position.acknowledged or {})
        await compare(self._service, position, self._cursor, self._publisher, alive=self._heartbeat.beat)
        self._refusal = self._stale = None
        metrics.RELAY_REFUSED.set(0)
        self._compared.set()

    async def _publish(self, rows: Sequence[OutboxRow], position: Position) -> Position:
        fresh = [row for row in rows if not row.published]
        numbered, producer_seq = _number(fresh, position.producer_seq)
        began_s = time.monotonic()
        try:
            offsets = await self._publisher.publish(numbered)
        except Unavailable:
            self._most = max(1, min(self._most, len(rows)) // 2)
            raise
        if time.monotonic() - began_s < SEND_TIMEOUT_S / 4:
            self._most = min(BATCH_ROWS, self._most * 2)
        faultpoint("relay.sent")
        acknowledged = dict(position.acknowledged or {})
        for place, (first, last) in offsets.items():
            if first < 0:
                continue  # Kafka had these already and did not say where
            if first <= acknowledged.get(place, -1):
                raise Refusing(_shorter(self._service, place, first, acknowledged[place]))
            acknowledged[place] = last
        position = replace(
            position,
            xid=rows[-1].xid,
            id=rows[-1].id,
            producer_seq=producer_seq,
            acknowledged=acknowledged,
        )
        await self._cursor.save(position, [row.event_id for row in rows if row.published])
        for topic, count in _count(fresh).items():
            metrics.RELAY_PUBLISHED.labels(topic).inc(count)
        return position

    async def _check_topics(self, acknowledged: Mapping[Place, int]) -> None:
        if not acknowledged:
            return
        ends = await self._publisher.ends(acknowledged)
        for place, offset in acknowledged.items():
            if ends.get(place, 0) <= offset:
                raise Refusing(_shorter(self._service, place, ends.get(place, 0), offset))

    def _refuse(self, refusal: Exception) -> None:
        metrics.RELAY_REFUSED.set(1)
        self._refusal = (
            f"{OtherDatabase.__doc__} To take over what Kafka has from before, and go on: "
            f"handrail relay catch-up {self._service}"
            if isinstance(refusal, OtherDatabase)
            else str(refusal)
        )
        self._stale = None if isinstance(refusal, Refusing) else self._refusal
        self._compared.set()
        _log.critical("relay.refuses", reason=self._refusal)

    async def _let_go(self) -> None:
        with suppress(Exception):  # the next attempt to lead says what is wrong with the database
            await self._cursor.release()

    async def _wait(self, event: asyncio.Event, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await event.wait()
        except TimeoutError:
            return


def _number(rows: Sequence[OutboxRow], last: int) -> tuple[list[Outgoing], int]:
    """Return the records of these rows, numbered from the one after `last`, and the last number given."""
    numbered = []
    for row in rows:
        payload, last = (
            (b'{"producerseq":%d,%b' % (last + 1, row.payload[1:]), last + 1)
            if row.producer_seq is None
            else (row.payload, max(last, row.producer_seq))
        )
        numbered.append(Outgoing(row.topic, row.key.encode(), payload))
    return numbered, last


def _count(rows: Sequence[OutboxRow]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for row in rows:
        counts[row.topic] = counts.get(row.topic, 0) + 1
    return counts


def _shorter(service: str, place: Place, found: int, acknowledged: int) -> str:
    return (
        f"{place.topic}/{place.partition} is shorter than what was published there (found offset {found}, once had "
        f"{acknowledged}): it was deleted or restored. Make it again, empty, because the last messages may stand on it before "
        f"those that it lost; then publish the whole outbox again: handrail relay rewind {service}"
    )
