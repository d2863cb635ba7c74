"""One run: services of several copies on one broker, a partner, an operator, and bad weather; then calm, and the books."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any, Final

from schemas import topics
from schemas.calendar import load_england
from schemas.messages import parse
from services.audit.loops import SIGN_EVERY_S
from services.audit.store import Log
from services.deadlines.alerting import acknowledge
from services.deadlines.firing import Firing
from services.deadlines.service import DeadlinesService
from services.deadlines.store import Tables
from services.deadlines.tables import PENDING
from services.deadlines.watch import ClockWatch
from services.kit.auth import Principal
from services.kit.consume import Worker
from services.kit.errors import HandrailError
from services.kit.memory import MemoryCursor, MemoryTransaction
from services.kit.path import Consumer, Handler
from services.kit.relay import Relay
from services.kit.release import release
from services.kit.runtime import Loop
from tests.simulation.audit import Audit
from tests.simulation.broker import Broker, Client, RemotePublisher
from tests.simulation.database import Connections, RemoteCursor
from tests.simulation.legal_clock import DAY_S, MovedClock
from tests.simulation.process import CALM, Process, World
from tests.simulation.workload import SOURCES, Deciding, Script
from tests.support.audit_memory import MemoryLog
from tests.support.deadlines_memory import memory_tables, rows
from tests.support.kit import NOON
from tests.support.self_connected import SelfConnectedStore

ENGLAND: Final = load_england()
COPIES: Final = 2
STORM_S: Final = 3.0
OPERATOR: Final = Principal("operator", "Olu Operator", "operations")
PATIENCE_S: Final = 100.0  # longer than a sweep for timers takes to come round
LOOK_S: Final = 0.3


@dataclass(frozen=True)
class Build:
    """What the services are made of. A planted bug is a build with one part replaced."""

    connections: type[Connections] = Connections
    cursor: type[MemoryCursor] = MemoryCursor
    worker: type[Worker] = Worker
    tables: Callable[[Callable[[], tuple[datetime, int]]], Tables] = memory_tables
    log: Callable[[], Log] = MemoryLog


SHIPPED: Final = Build()


@dataclass
class Copy:
    """One process of a service, and its parts that are looked at."""

    process: Process
    connections: Connections
    clients: list[Client] = field(default_factory=list)


class Service:
    """A service: a database of its own, and copies of one process."""

    def __init__(self, road: Road, name: str) -> None:
        self.road = road
        self.name = name
        self.store = SelfConnectedStore(name, NOON)
        self.copies: dict[int, Copy] = {}
        self.raw = False
        self.groups: dict[str, tuple[Sequence[str], Callable[[Process], Handler]]] = {}
        self.loops: dict[str, tuple[Callable[[Copy], Callable[[], Coroutine[Any, Any, Any]]], float]] = {}
        self.nothing_due: Callable[[], bool] = lambda: True

    def consumer(self, group_id: str, process: Process) -> Consumer:
        """Return a subscription as a copy has it."""
        return Consumer(group_id, self.groups[group_id][1](process), None if self.raw else parse)

    def start(self, number: int, generation: int) -> Copy:
        """Start a copy."""
        road = self.road
        process = Process(road.world, f"{self.name}.{number}.{generation}")
        connections = road.build.connections(self.store, process, road.clock.now)
        copy = self.copies[number] = Copy(process, connections)
        if not self.raw:
            cursor = RemoteCursor(road.build.cursor(self.store), process)
            publisher = RemotePublisher(road.broker, process)
            process.spawn(Relay(self.name, cursor, publisher, connections.committed).run())
        for group_id, (subscribed, _) in self.groups.items():
            worker = road.build.worker(connections, self.consumer(group_id, process))
            client = Client(road.broker.group(group_id, subscribed), process, worker)
            copy.clients.append(client)
            process.spawn(client.run())
            process.spawn(Loop("watch", worker.watch, every_s=1).run())
        for name, (step, every_s) in self.loops.items():
            process.spawn(Loop(name, step(copy), every_s=every_s).run())
        return copy

    async def keep_running(self, number: int) -> None:
        """Start a copy again whenever it has ended, after a moment."""
        generation = 0
        while True:
            generation += 1
            await self.start(number, generation).process.ended.wait()
            await asyncio.sleep(self.road.world.chance.uniform(0.1, 1.5))

    @property
    def idle(self) -> bool:
        """Whether nothing is left to do here."""
        relayed = (self.store.cursor.xid, self.store.cursor.id) >= max(self.store.state.outbox, default=(0, 0))
        awake = not any(copy.process.silent for copy in self.copies.values())
        return (
            relayed
            and awake
            and self.nothing_due()
            and all(self.road.broker.groups[group].idle for group in self.groups)
        )


class Road:
    """The services, and what happens to them."""

    def __init__(self, seed: int, build: Build) -> None:
        self.world = World(seed)
        self.build = build
        self.broker = Broker(self.world)
        self.script = Script(self.world.chance)
        self.deciding = Deciding(self.script)
        self.clock = MovedClock(self.world)
        self._tables = build.tables(self.clock.read)
        self._timers = DeadlinesService(ENGLAND, self._tables)
        self.told_at: dict[
            tuple[str, int, int], datetime
        ] = {}  # a message in an outbox -> the right time of its commit
        self.world.when_committed.append(self._remember)
        self.routing = Service(self, "routing")
        self.routing.groups["routing"] = (SOURCES, self._deciding_in)
        self.deadlines = Service(self, "deadlines")
        self.deadlines.groups["deadlines"] = ((topics.DECISIONS,), lambda _: self._timers.follow)
        self.deadlines.loops["firing"] = self._firing_in, 0
        self.deadlines.nothing_due = self._no_timer_is_due
        self.log = Audit(build.log(), self.world.chance)
        self.audit = Service(self, "audit")
        self.audit.groups["audit"] = (self.log.topics, lambda _: self.log.handler)
        self.audit.raw = True
        self.audit.loops["sign"] = lambda copy: self.log.signing(copy.connections), SIGN_EVERY_S
        self.audit.nothing_due = lambda: self.log.all_signed(self.audit.store.opened())
        self.services = [self.routing, self.deadlines, self.audit]
        self._background: list[asyncio.Task[None]] = []

    def _remember(self, tx: MemoryTransaction) -> None:
        for xid, number in tx.own.outbox:
            self.told_at[tx.service, xid, number] = self.clock.right_now()

    def _deciding_in(self, process: Process) -> Handler:
        return partial(self.deciding.handle, process=process)

    def _no_timer_is_due(self) -> bool:
        of_now = (row for row in rows(self.deadlines.store.opened(), "rung") if row.state == PENDING)
        return all(row.rung.due_at > self.clock.now() for row in of_now)

    def _firing_in(self, copy: Copy) -> Callable[[], Coroutine[Any, Any, bool]]:
        database: Any = copy.connections
        return Firing(database, ENGLAND, ClockWatch(database, self.clock.machine_now, self._tables), self._tables).step

    async def storm(self) -> None:
        """Play the storm, and wait for the calm after it."""
        world = self.world
        for service in self.services:
            for number in range(COPIES):
                self._background.append(asyncio.create_task(service.keep_running(number)))
        wandering = self.clock.wander(watched=self._clock_is_watched, done=lambda: world.now() > STORM_S)
        await asyncio.gather(self._partner(), self._operator(), wandering, asyncio.sleep(STORM_S))
        world.weather = CALM
        world.note("world", "calm")
        await self.settle("after the storm")

    async def let_out(self) -> None:
        """Put the handler right, let out what was held, and wait for the end."""
        self.deciding.repaired = True
        for service in self.services:
            await self._let_out(service)
        await self.settle("after everything was let out")

    async def pass_days(self, days: int) -> None:
        """Let legal time pass."""
        self.clock.move(days * DAY_S)
        await self.settle(f"after {days} days")

    def _clock_is_watched(self) -> bool:
        return any(rows(self.deadlines.store.opened(), "tick"))

    async def _acknowledge_clock(self) -> None:
        """Take on each alert that the clock is not trusted, now that it is right."""
        copy = self.deadlines.copies[0]
        database: Any = copy.connections
        for alert in list(rows(self.deadlines.store.opened(), "alert")):
            if alert.kind == "clock.distrusted" and alert.acknowledged_at is None and not copy.process.silent:
                await acknowledge(database, alert.alert_id, OPERATOR, table=self._tables.alerts)

    async def _partner(self) -> None:
        for sent in self.script.sent:
            await asyncio.sleep(sent.after_s)
            place = self.broker.append(sent.topic, sent.key, sent.value)
            self.world.note("partner", f"sent {sent.what} to {place.topic}/{place.partition}")

    async def _operator(self) -> None:
        """Now and then try what is held again, in the middle of the storm."""
        for _ in range(2):
            await asyncio.sleep(self.world.chance.uniform(0.5, STORM_S / 2))
            for service in self.services:
                copy = service.copies[0]
                task = copy.process.spawn(self._try_first(service, copy))
                await asyncio.wait([task])

    async def _try_first(self, service: Service, copy: Copy) -> None:
        for held in list(service.store.state.held.values())[:1]:
            consumer = service.consumer(held.record.consumer, copy.process)
            with contextlib.suppress(HandrailError, ConnectionError):
                await release(
                    copy.connections, consumer, held.quarantine_id, resolution="retried", by="a", reason="a try"
                )

    async def _let_out(self, service: Service) -> None:
        """Try what is held again, first come first; what fails again is thrown away."""
        copy = service.copies[0]
        while held := [one for one in service.store.state.held.values() if one.state == "held"]:
            first = min(held, key=lambda one: one.arrival)
            let_out = partial(
                release, copy.connections, service.consumer(first.record.consumer, copy.process), first.quarantine_id
            )
            released = await let_out(resolution="retried", by="operator", reason="put right")
            if released.state == "held":
                await let_out(resolution="discarded", by="operator", reason="nobody can read it")

    async def settle(self, when: str) -> None:
        """Wait until nobody has anything left to do."""
        for group in self.broker.groups.values():
            group.rebalance()  # a record passed over at the very end of a partition is noticed at the next assignment
        quiet = 0
        until = self.world.now() + PATIENCE_S
        while quiet < 2:
            await asyncio.sleep(LOOK_S)
            await self._acknowledge_clock()
            quiet = quiet + 1 if all(service.idle for service in self.services) else 0
            if self.world.now() > until:
                raise Unsettled(f"not at rest {PATIENCE_S:.0f} s {when}")


class Unsettled(AssertionError):
    """The services did not come to rest."""
