"""One service process: its database, broker, relay and loops, started and stopped together.

HTTP answers from the first moment, also while Kafka is away: the broker is started by a loop that keeps trying. SIGTERM
makes the process unready, finishes the batch and the step in hand, publishes what it can, and ends.
"""

from __future__ import annotations

import asyncio
import gc
import random
import signal
import ssl
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any, Final

import structlog
import uvicorn
import uvloop
from aiokafka.helpers import create_ssl_context
from fastapi import FastAPI
from faststream import AckPolicy
from faststream.kafka import KafkaBroker, KafkaRouter
from faststream.security import SASLScram512
from sqlalchemy import text

from schemas.bodies import NONE, Bodies, NoRegister
from services.kit import metrics
from services.kit.clock import Clock, SystemClock
from services.kit.consume import Consume
from services.kit.cursor import PostgresCursor
from services.kit.database import Database
from services.kit.errors import is_own_end, summary
from services.kit.health import Health, Heartbeat
from services.kit.lifeguard import Lifeguard
from services.kit.logging import configure_logging, log_what_nobody_caught, where
from services.kit.publisher import KafkaPublisher
from services.kit.relay import REST_S, Relay
from services.kit.settings import KitSettings

_log = structlog.get_logger("services.kit.runtime")

GRACE_S: Final = 30.0
WATCH_EVERY_S: Final = 5.0
METADATA_AGE_MS: Final = 3_000  # a new client's topic is found within seconds
_NOT_STARTED: Final = 3  # uvicorn's own exit code for it
_LOOP_RETRY_CAP_S: Final = 10.0

_COUNT_HELD: Final = text("""
    SELECT count(*), count(*) FILTER (WHERE due_at < clock.legal_now()), (SELECT count(*) FROM parked_event),
        (SELECT count(*) FROM published_before WHERE NOT in_outbox)
    FROM quarantine WHERE state = 'held'
""")


class Loop:
    """A supervised background loop of small steps.

    `step` does a bounded piece of work and returns whether there was any: if so it is called again at once, else after
    `every_s` or when `wake` is called, in each case after `rest_s`, so that what comes in one moment is one step's work.
    If it raises, that is logged and it is tried again, ever more slowly.
    """

    def __init__(
        self,
        name: str,
        step: Callable[[], Awaitable[bool | None]],
        *,
        every_s: float,
        rest_s: float = 0.0,
        stuck_after_s: float = 120.0,
    ) -> None:
        self.name = name
        self._step = step
        self._every_s = every_s
        self._rest_s = rest_s
        self._awake = asyncio.Event()
        self._stop = False
        self._heartbeat = Heartbeat(stuck_after_s + every_s)

    async def run(self) -> None:
        """Step until `stop`."""
        failures = 0
        while not self._stop:
            self._heartbeat.beat()
            self._awake.clear()
            try:
                busy = await self._step()
                failures, delay = 0, 0.0 if busy else self._every_s
            except (Exception, asyncio.CancelledError) as error:  # the top of the loop: it must go on
                if is_own_end(error):
                    raise
                failures += 1
                delay = min(_LOOP_RETRY_CAP_S, 0.2 * 2**failures) * random.uniform(0.5, 1.0)  # noqa: S311 - jitter
                metrics.LOOP_FAILURES.labels(self.name).inc()
                _log.warning("loop.failed", loop=self.name, attempt=failures, error=summary(error), where=where(error))
            if self._rest_s and not self._stop:
                await asyncio.sleep(self._rest_s)
            if delay and not self._stop:
                await self._sleep(delay)

    async def _sleep(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._awake.wait()
        except TimeoutError:
            return

    def wake(self) -> None:
        """Step now."""
        self._awake.set()

    def stop(self) -> None:
        """Finish the step in hand and end."""
        self._stop = True
        self._awake.set()

    def wrong(self) -> str | None:
        """Return why this loop is dead, or nothing."""
        return self._heartbeat.wrong()


class Runtime:
    """Everything that a service process holds open. `publish_rest_s`: see `services.kit.relay.REST_S`."""

    def __init__(
        self, settings: KitSettings, service: str, *, clock: Clock | None = None, publish_rest_s: float = REST_S
    ) -> None:
        configure_logging(service, json=settings.log_json)
        self.settings = settings
        self.service = service
        self.clock = clock or SystemClock()
        self.bodies = _bodies(settings.rulebooks / "register" / "areas.yaml")
        self.health = Health()
        self.metrics = metrics
        self.loops: list[Loop] = []
        key = settings.quarantine_key.get_secret_value() if settings.quarantine_key is not None else None
        self.database = Database(settings.database_url.get_secret_value(), service, quarantine_key=key)
        self.consume = Consume(self.database, self.health)
        self.broker = _broker(settings, service)
        self.relay = Relay(
            service,
            PostgresCursor(self.database.engine, service),
            KafkaPublisher(kafka_connection(settings), f"{service}-relay"),
            self.database.committed,
            publish_rest_s,
        )
        self._tasks: list[asyncio.Task[None]] = []
        self._started = asyncio.Event()

    async def start(self, routers: Sequence[KafkaRouter], loops: Sequence[Loop]) -> None:
        """Start everything; returns at once."""
        for router in routers:
            self.broker.include_router(router)
        self.loops = [
            *loops,
            Loop("broker", self._start_broker, every_s=60),
            Loop("watch", self._watch, every_s=WATCH_EVERY_S),
        ]
        self.health.live["relay"] = self.relay.wrong
        self.health.ready["database"] = self._database_unready
        self.health.ready["relay"] = self.relay.unready
        self.database.admit = self.relay.admit
        self._tasks = [asyncio.create_task(self.relay.run(), name="relay")]
        for loop in self.loops:
            self.health.live[f"loop {loop.name}"] = loop.wrong
            self._tasks.append(asyncio.create_task(loop.run(), name=loop.name))
        for task in self._tasks:
            self.health.live[f"task {task.get_name()}"] = _ended(task)
        _log.info("runtime.started", port=self.settings.http_port)

    async def stop(self) -> None:
        """Finish what is in hand and close everything."""
        self.health.stopping.set()
        self.health.ready["process"] = _stopping
        for loop in self.loops:
            loop.stop()
        for worker in self.consume.workers.values():
            worker.hurry()
        await _finish(self._tasks[1:])  # before the broker goes, which some of them talk to
        await asyncio.gather(*(worker.leave() for worker in self.consume.workers.values()))
        if self._started.is_set():
            await self.broker.stop()  # waits for the batch in hand, which may emit
        for worker in self.consume.workers.values():
            await worker.settled()
        self.relay.stop()
        await _finish(self._tasks[:1])
        await self.database.close()
        _log.info("runtime.stopped")

    async def _start_broker(self) -> None:
        if self._started.is_set() or not self.consume.workers:
            return
        try:
            async with asyncio.timeout(GRACE_S):
                await self.broker.start()
        except BaseException:
            await self.broker.stop()
            raise
        self._started.set()

    async def _watch(self) -> None:
        await self.relay.measure()
        async with self.database.connect() as connection:
            held, overdue, parked, lacking = (await connection.execute(_COUNT_HELD)).one()
        metrics.HELD.set(held)
        metrics.OVERDUE.set(overdue)
        metrics.PARKED.set(parked)
        metrics.LACKING.set(lacking)
        watched = [worker.watch() for worker in self.consume.workers.values()]
        for failed in await asyncio.gather(*watched, return_exceptions=True):  # one that fails holds up no other
            if failed:
                raise failed

    async def _database_unready(self) -> str | None:
        try:
            async with asyncio.timeout(2):
                await self.database.ping()
        except Exception as error:  # noqa: BLE001 - whatever the driver says, the answer is "not ready"
            return f"the database does not answer: {summary(error)}"
        return None


def _bodies(register: Path) -> Bodies:
    """Return the bodies of a register; without one that can be read none has a successor: only routing refuses to start."""
    try:
        return Bodies(register.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, NoRegister) as error:
        _log.error("register.unreadable", error=summary(error), reason="no body is taken for the successor of another")
        return NONE


async def _finish(tasks: Sequence[asyncio.Task[None]]) -> None:
    """Wait for tasks that were told to end; cancel those that do not."""
    if not tasks:
        return
    _, late = await asyncio.wait(tasks, timeout=GRACE_S)
    for task in late:
        task.cancel()
    await asyncio.gather(*late, return_exceptions=True)


async def _stopping() -> str | None:
    return "the process is stopping"


def _ended(task: asyncio.Task[None]) -> Callable[[], str | None]:
    return lambda: "the task has ended" if task.done() else None


def kafka_connection(settings: KitSettings) -> dict[str, Any]:
    """Return aiokafka's connection options."""
    secure = settings.kafka_security == "SASL_SSL"
    return {
        "bootstrap_servers": settings.kafka_bootstrap.split(","),
        "security_protocol": settings.kafka_security,
        "ssl_context": _ssl_context(settings) if secure else None,
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": settings.kafka_user,
        "sasl_plain_password": settings.kafka_password.get_secret_value(),
    }


def _ssl_context(settings: KitSettings) -> ssl.SSLContext:
    context: ssl.SSLContext = create_ssl_context(cafile=str(settings.kafka_ca_file) if settings.kafka_ca_file else None)
    return context


def _broker(settings: KitSettings, service: str) -> KafkaBroker:
    secure = settings.kafka_security == "SASL_SSL"
    return KafkaBroker(
        settings.kafka_bootstrap.split(","),
        client_id=service,
        # Without a context FastStream would fall back to plain text and not say so; the settings allow that or not.
        security=SASLScram512(
            settings.kafka_user,
            settings.kafka_password.get_secret_value(),
            ssl_context=_ssl_context(settings) if secure else None,
            use_ssl=secure,
        ),
        ack_policy=AckPolicy.NACK_ON_ERROR,
        consumer_only=True,  # the relay has its own producer; nothing else publishes
        allow_auto_create_topics=False,
        metadata_max_age_ms=METADATA_AGE_MS,
        graceful_timeout=GRACE_S,
        apply_types=False,  # the codec gives typed events already
        logger=None,
    )


def lifespan(
    runtime: Runtime, routers: Sequence[KafkaRouter], loops: Sequence[Loop]
) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    """Return FastAPI's lifespan: everything starts with the app and ends with it."""

    @asynccontextmanager
    async def run(_app: FastAPI) -> AsyncIterator[None]:
        await runtime.start(routers, loops)
        try:
            yield
        finally:
            await runtime.stop()

    return run


def serve(app: FastAPI, settings: KitSettings) -> None:
    """Run a service until SIGTERM or SIGINT, or until it is dead (`services.kit.lifeguard`)."""
    log_what_nobody_caught()
    # The collector's default thresholds cost more than pydantic itself on batches of 500 events (measured).
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
    for number in (signal.SIGTERM, signal.SIGINT):  # uvicorn stops gracefully, then raises the signal once more
        signal.signal(number, lambda *_: sys.exit(0))
    config = uvicorn.Config(
        app,
        host=settings.http_host,
        port=settings.http_port,
        log_config=None,
        http="httptools",
        access_log=False,
        server_header=False,
        timeout_keep_alive=10,
        timeout_graceful_shutdown=int(GRACE_S),
    )
    server = uvicorn.Server(config)
    Lifeguard(app.state.runtime.health).start()
    uvloop.run(server.serve())
    if not server.started:
        sys.exit(_NOT_STARTED)
