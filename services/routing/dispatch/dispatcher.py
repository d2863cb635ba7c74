"""The dispatcher: claims what is due, checks it, signs it, sends it outside any transaction, and settles the results.

Claiming and settling are the steps of two supervised loops; requests run between them, as tasks of their own. Killed at
any point, it loses nothing: the lease runs out, the row is sent again under the same id, and the recipient sees a repeat.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from typing import Final

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy.ext.asyncio import AsyncConnection

from schemas import topics
from schemas.calendar import london_date
from services.kit.clock import Clock, since_boot_s
from services.kit.database import Database
from services.kit.faults import faultpoint, register
from services.routing.dispatch import rows, settling
from services.routing.dispatch.body import Composer
from services.routing.dispatch.breaker import Breakers
from services.routing.dispatch.endpoints import Endpoints
from services.routing.dispatch.rows import Claimed
from services.routing.dispatch.schedule import DELAYS_S
from services.routing.dispatch.sender import TIMEOUT_S, Answer, Channel
from services.routing.dispatch.settling import NO_ADDRESS, Attempt
from services.routing.dispatch.sign import sign
from services.routing.store import texts
from services.routing.store.saving import insert_history

MOST_IN_FLIGHT: Final = 128
MOST_SETTLED: Final = 200
FIRST_SERVER_ERROR: Final = 500
ADDRESSED: Final = "an address was registered"
BEGINS_WITHIN_S: Final = rows.LEASE_S - TIMEOUT_S
"""How long after its claim a request may begin, so that it ends before somebody else can send the same.

Asked once, right before it begins: if the machine sleeps after that, two may be sent, with one id."""
_log = structlog.get_logger("services.routing.dispatch")

register("dispatch.claimed", "dispatch.sent")


class Dispatcher:
    """Sends delivery rows. `claim_step` and `settle_step` are for supervised loops."""

    def __init__(
        self,
        database: Database,
        channel: Channel,
        composer: Composer,
        *,
        endpoints: Endpoints,
        keys: Sequence[Ed25519PrivateKey],
        clock: Clock,
        breakers: Breakers | None = None,
        delays_s: tuple[float, ...] = DELAYS_S,
    ) -> None:
        self._database = database
        self._channel = channel
        self._composer = composer
        self._endpoints = endpoints
        self._keys = keys
        self._clock = clock
        self._breakers = breakers or Breakers()
        self._delays_s = delays_s
        self._sending: set[asyncio.Task[None]] = set()
        self._done: list[Attempt] = []
        self._draining = False
        self._claiming: Final = asyncio.Lock()
        self.after_attempt: Callable[[], object] = lambda: None
        """Called when there is a result to settle."""

    async def claim_step(self) -> bool:
        """Claim what is due and start sending it; return whether there was anything."""
        async with self._claiming:
            return await self._claim()

    async def _claim(self) -> bool:
        free = MOST_IN_FLIGHT - len(self._sending)
        if self._draining or free <= 0 or len(self._done) > MOST_SETTLED:
            return False
        self._endpoints.look(time.monotonic())
        rooms = self._breakers.rooms(time.monotonic())
        begins_by_s = since_boot_s() + BEGINS_WITHIN_S
        async with self._database.begin() as tx:
            claimed = await rows.claim(tx.connection, tx.now, most=free, cap=self._breakers.cap, rooms=rooms)
            if claimed:
                claimed = await self._for_the_guard(claimed, tx.connection)
            today = london_date(tx.now)
        if claimed:
            faultpoint("dispatch.claimed")
        for each in claimed:
            self._breakers.started(each.recipient)
            task = asyncio.create_task(self._attempt(each, today, begins_by_s))
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)
        return bool(claimed)

    async def _for_the_guard(self, claimed: Sequence[Claimed], connection: AsyncConnection) -> list[Claimed]:
        """Let the guard read the rulebooks that it lacks, and return what was claimed with the facts that it needs to see."""
        if lacking := self._composer.lacking(claimed):
            self._composer.check_by(await texts.read(connection, lacking))
        return await rows.stated(connection, claimed, self._composer.facts)

    async def settle_step(self) -> bool:
        """Write and publish the results that have come, and let go on what got an address; return whether there was anything."""
        batch, self._done = self._done[:MOST_SETTLED], self._done[MOST_SETTLED:]
        try:
            if batch:
                await self._settle(batch)
        except BaseException:
            self._done = [*batch, *self._done]
            raise
        return await self._readdress() or bool(batch)

    async def drain(self) -> None:
        """Claim nothing more, and finish, with what is being claimed."""
        self._draining = True
        async with self._claiming:
            await self.finish()

    async def finish(self) -> None:
        """Wait for the requests under way, and settle their results."""
        if self._sending:
            await asyncio.wait(self._sending)
        while await self.settle_step():
            pass

    async def _attempt(self, claimed: Claimed, today: date, begins_by_s: float) -> None:
        try:
            attempt = await self._send(claimed, today, begins_by_s)
        except Exception as error:  # noqa: BLE001 - the top of the task: the row must not hang on a bug
            _log.error("dispatch.failed", rule=claimed.rule, recipient=claimed.recipient, error=type(error).__name__)
            attempt = Attempt(claimed, Answer(None), objection="it could not be composed")
        self._breakers.finished(claimed.recipient, time.monotonic(), reached=_reached(attempt))
        if attempt is not None:
            self._done.append(attempt)
            self.after_attempt()

    async def _send(self, claimed: Claimed, today: date, begins_by_s: float) -> Attempt | None:
        """Send what was claimed; None if it is too late for that, and the lease brings the row back."""
        composed = self._composer.compose(claimed, today)
        if composed.objection is not None:
            return Attempt(claimed, Answer(None), composed.objection)
        url = self._endpoints.get(claimed.recipient)
        if url is None:
            return Attempt(claimed, Answer(None), NO_ADDRESS)
        headers = sign(self._keys, str(claimed.delivery_id), int(self._clock.wall_now().timestamp()), composed.body)
        if since_boot_s() > begins_by_s:  # somebody else may have sent it, and its withdrawal after it
            _log.warning("dispatch.overslept", rule=claimed.rule, recipient=claimed.recipient)
            return None
        answer = await self._channel.send(url, headers, composed.body)
        faultpoint("dispatch.sent")
        return Attempt(claimed, answer)

    async def _readdress(self) -> bool:
        """Make due again what was refused for want of an address that there is now; return whether there was anything."""
        new = set(self._endpoints.new)
        if not new or any(attempt.objection == NO_ADDRESS for attempt in self._done):  # not yet refused
            return False
        async with self._database.begin() as tx:
            refused = await rows.refused_for(tx.connection, settling.not_sent(NO_ADDRESS), new, most=MOST_SETTLED)
            await tx.lock_cases(set(refused.values()))
            due = await rows.redrive(tx.connection, refused, tx.now)
            await insert_history(tx.connection, [rows.redriven(each, tx.now, ADDRESSED) for each in due])
        if not refused:
            self._endpoints.new.difference_update(new)
        for each in due:
            _log.info("delivery.redriven", delivery_id=str(each))
        return bool(refused)

    async def _settle(self, batch: Sequence[Attempt]) -> None:
        async with self._database.begin() as tx:
            await tx.lock_cases({attempt.claimed.case_key for attempt in batch})
            if not all(attempt.answer.taken for attempt in batch):
                urgent = await rows.as_urgent(tx.connection, [attempt.claimed for attempt in batch])
                batch = [replace(each, claimed=claimed) for each, claimed in zip(batch, urgent, strict=True)]
            jitters = [random.random() for _ in batch]  # noqa: S311 - jitter
            settled = [
                settling.settle(attempt, tx.now, jitter, self._delays_s)
                for attempt, jitter in zip(batch, jitters, strict=True)
            ]
            states = await rows.settle(tx.connection, settled, tx.now)
            ours = [
                (attempt, each, states[lease])
                for attempt, each in zip(batch, settled, strict=True)
                if (lease := (each.claimed.delivery_id, each.claimed.lease_epoch)) in states
            ]
            remembered = []
            for attempt, each, state in ours:
                remembered.append(settling.history(attempt, each, state, tx.now))
                for message in settling.messages(attempt, each, state, tx.now):
                    tx.emit(topics.DELIVERIES, message)
            await insert_history(tx.connection, remembered)
        for outcome, count in Counter(each.state for _, each, _ in ours).items():
            _log.info("dispatch.settled", outcome=outcome, count=count)


def _reached(attempt: Attempt | None) -> bool | None:
    """Say whether a recipient's system answered as one that works; None if nothing was sent to it."""
    if attempt is None or attempt.objection is not None:
        return None
    status = attempt.answer.http_status
    return status is not None and status < FIRST_SERVER_ERROR
