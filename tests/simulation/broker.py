"""The simulated broker: partitions, consumer groups that rebalance, and a client that polls as aiokafka and FastStream do.

What is modelled are the promises the kit builds on and their limits: order within a partition, an acknowledged offset
that is only a hint, a member that was taken for dead and does not know it, a client that may pass over records
(tests/integration/kit/test_traps.py shows one that did), and a publisher whose answer gets lost.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from typing import Final

from aiokafka import TopicPartition

from services.kit.codec import decode
from services.kit.consume import Worker
from services.kit.errors import Unavailable
from services.kit.fence import Place
from services.kit.kafka_compat import RawRecord, partition_of
from services.kit.publisher import Outgoing, Published
from tests.simulation.process import SESSION_S, Process, World

PARTITIONS: Final = 2
POLL_S: Final = 0.5
MAX_RECORDS: Final = 6


class Broker:
    """Topics, and the groups that read them."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.logs: dict[Place, list[RawRecord]] = defaultdict(list)
        self.groups: dict[str, Group] = {}
        self.appended = asyncio.Event()

    def append(self, topic: str, key: bytes, value: bytes) -> Place:
        """Add a record to the partition of its key, and return where."""
        place = Place(topic, partition_of(key, PARTITIONS))
        log = self.logs[place]
        log.append(RawRecord(topic, place.partition, len(log), key, value, (), 0))
        appended, self.appended = self.appended, asyncio.Event()
        appended.set()
        return place

    def of(self, topic: str) -> list[RawRecord]:
        """Return the records of a topic, partition by partition."""
        return [record for number in range(PARTITIONS) for record in self.logs[Place(topic, number)]]

    def group(self, name: str, topics: Sequence[str]) -> Group:
        """Return a group; the first to ask says what it reads."""
        if name not in self.groups:
            self.groups[name] = Group(self, name, topics)
        return self.groups[name]


class RemotePublisher:
    """What the relay publishes through. When it fails, some partitions may have a part of what was sent."""

    def __init__(self, broker: Broker, process: Process) -> None:
        self._broker = broker
        self._process = process

    async def publish(self, records: Sequence[Outgoing]) -> dict[Place, tuple[int, int]]:
        """Publish in order per partition."""
        await self._process.step("publish")
        world = self._process.world
        kept = len(records)
        if lost := world.struck(world.weather.away):
            kept = world.chance.randrange(kept + 1)
            world.fault(self._process.name, f"publishing stopped after {kept} of {len(records)}")
        offsets: dict[Place, tuple[int, int]] = {}
        for record in records[:kept]:
            place = self._broker.append(record.topic, record.key, record.value)
            last = len(self._broker.logs[place]) - 1
            offsets[place] = (offsets.get(place, (last, 0))[0], last)
        world.note(self._process.name, f"published {kept}")
        await self._process.step("published", may_fail=False)
        if lost:
            raise Unavailable
        return offsets

    async def ends(self, places: Iterable[Place]) -> dict[Place, int]:
        """Return the end offset of partitions."""
        await self._process.step("ends")
        return {place: len(self._broker.logs[place]) for place in places}

    async def after(
        self, topics: Iterable[str], acknowledged: Mapping[Place, int]
    ) -> AsyncGenerator[Sequence[Published]]:
        """Yield what stands on these topics beyond the offsets given."""
        await self._process.step("after")
        for place in [Place(topic, number) for topic in sorted(topics) for number in range(PARTITIONS)]:
            beyond = self._broker.logs[place][acknowledged.get(place, -1) + 1 :]
            if beyond:
                yield [Published(place, record.offset, record.key or b"", record.value or b"") for record in beyond]

    async def close(self) -> None:
        """Let go of the broker."""


class Group:
    """A consumer group: who has which partition. An offset that was acknowledged is where a new owner begins."""

    def __init__(self, broker: Broker, name: str, topics: Sequence[str]) -> None:
        self.broker = broker
        self.name = name
        self.places = [Place(topic, number) for topic in topics for number in range(PARTITIONS)]
        self.members: list[Client] = []
        self.acknowledged: dict[Place, int] = {}
        self.passed_over: list[RawRecord] = []
        self.generation = 0
        self._changed = asyncio.Event()
        self._task = asyncio.get_running_loop().create_task(self._run())

    def join(self, member: Client) -> None:
        """Take a member in; the partitions are shared out again."""
        self.members.append(member)
        self.rebalance()

    def leave(self, member: Client) -> None:
        """Let a member go that left or was not heard of any more."""
        if member in self.members:
            self.members.remove(member)
            self.rebalance()

    @property
    def idle(self) -> bool:
        """Whether every partition has an owner that has handed over all there is."""
        positions = {place: at for member in self.members for place, at in member.positions.items()}
        ends = {place: len(self.broker.logs[place]) for place in self.places}
        return positions == ends and not any(member.busy or member.process.silent for member in self.members)

    def rebalance(self) -> None:
        """Share the partitions out again."""
        self._changed.set()

    async def _run(self) -> None:
        while True:
            await self._changed.wait()
            self._changed.clear()
            await self._round([member.process.spawn(member.revoke()) for member in self.members])
            if self._changed.is_set() or not self.members:
                continue
            self.generation += 1
            shares: dict[Client, list[Place]] = {member: [] for member in self.members}
            for place in self.places:
                shares[self.broker.world.chance.choice(self.members)].append(place)
            assigning = [member.process.spawn(member.assign(share)) for member, share in shares.items()]
            await self._round(assigning)

    async def _round(self, answers: list[asyncio.Task[None]]) -> None:
        """Wait for everybody's answer; who does not give one in time will be missed, and there is another round."""
        if answers:
            await asyncio.wait(answers, timeout=1.2 * SESSION_S)


class Client:
    """One member: aiokafka's consumer and FastStream's loop around it, as far as the kit's `Worker` can see them."""

    def __init__(self, group: Group, process: Process, worker: Worker) -> None:
        self.group = group
        self.process = process
        self.worker = worker
        self.positions: dict[Place, int] = {}
        self._generation = 0
        self._in_hand = asyncio.Lock()
        self._stopped = False
        worker.subscriber = self  # type: ignore[assignment] # answers what the worker asks
        process.when_silent.append(lambda: group.leave(self))

    @property
    def busy(self) -> bool:
        """Whether a batch is in hand."""
        return self._in_hand.locked()

    @property
    def expelled(self) -> bool:
        """Whether the group goes on without this member, which may not know it."""
        return self not in self.group.members

    async def run(self) -> None:
        """Poll and hand over."""
        self.group.join(self)
        world = self.process.world
        while not self._stopped:
            await self.process.step("poll", may_fail=False)
            if self.expelled and world.chance.random() < 1 / 2:  # what it has fetched already may still be handed over
                await self.revoke()
                self.group.join(self)
            batch = self._take()
            if batch and self._passes_over(batch):
                world.fault(self.process.name, f"{self.group.name} passes over {_named(batch)}")
            elif batch:
                async with self._in_hand:
                    await self._hand_over(batch)
            else:
                await self._wait()

    def _take(self) -> list[RawRecord]:
        batch: list[RawRecord] = []
        size = self.process.world.chance.randint(1, MAX_RECORDS)
        for place, position in self.positions.items():
            found = self.group.broker.logs[place][position : position + size - len(batch)]
            self.positions[place] += len(found)
            batch += found
        return batch

    def _passes_over(self, batch: Sequence[RawRecord]) -> bool:
        """Say whether the client loses a batch. It loses no record twice: then the kit takes its place for a hole."""
        passed = self.group.passed_over
        world = self.process.world
        if any(record in passed for record in batch) or not world.struck(world.weather.skip):
            return False
        passed.extend(batch)
        return True

    async def _hand_over(self, batch: Sequence[RawRecord]) -> None:
        try:
            await self.worker.receive([decode(record, self.worker.consumer.parse) for record in batch])
        except Exception as error:  # noqa: BLE001 - FastStream's loop goes on, whatever it is
            self.process.world.note(self.process.name, f"gives back {_named(batch)}: {type(error).__name__}")
            return
        late = ", replaced meanwhile" if self.expelled else ""
        self.process.world.note(self.process.name, f"{self.group.name} has handled {_named(batch)}{late}")

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(POLL_S):
                await self.group.broker.appended.wait()
        except TimeoutError:
            return

    async def revoke(self) -> None:
        """Give the partitions back."""
        await self.process.step("revoke", may_fail=False)
        await self.worker.on_partitions_revoked({TopicPartition(*place) for place in self.positions})
        self.positions = {}

    async def assign(self, places: Sequence[Place]) -> None:
        """Take partitions over, where the last owner's acknowledged offset says."""
        await self.process.step("assign", may_fail=False)
        self._generation = self.group.generation
        self.positions = {place: self.group.acknowledged.get(place, 0) for place in places}
        try:
            await self.worker.on_partitions_assigned({TopicPartition(*place) for place in places})
        except Exception as error:  # noqa: BLE001 - aiokafka only logs it
            self.process.world.note(self.process.name, f"{self.group.name} not assigned: {type(error).__name__}")

    # What the worker asks of its subscriber.

    def damaged(self) -> None:
        """Say that every batch can be read."""

    def assignment(self) -> set[Place]:
        """Return the partitions that this member thinks it has."""
        return set(self.positions)

    def seek(self, place: Place, offset: int) -> None:
        """Read a partition from an offset, if this member still has it."""
        if place in self.positions:
            self.positions[place] = offset

    def acknowledge(self, next_offsets: Mapping[Place, int], *, soon: bool) -> None:
        """Take down how far this member is, unless its group goes on without it."""
        del soon
        if self._generation == self.group.generation and not self.expelled:
            self.group.acknowledged |= {place: next_offsets[place] for place in next_offsets if place in self.positions}

    async def bounds(self, places: Iterable[Place]) -> dict[Place, tuple[int, int]]:
        """Return the first offset and the end offset of partitions."""
        await self.process.step("bounds")
        return {place: (0, len(self.group.broker.logs[place])) for place in places}

    async def drain(self, timeout_s: float) -> None:
        """Wait until no batch is in hand."""
        del timeout_s
        async with self._in_hand:
            return

    async def tell(self) -> None:
        """Do nothing: what was acknowledged was taken down at once."""

    async def stop(self) -> None:
        """Stop reading for good."""
        self._stopped = True
        self.group.leave(self)

    def problem(self, idle_limit_s: float) -> str | None:
        """Return nothing: only health asks."""
        del idle_limit_s
        return None


def _named(batch: Sequence[RawRecord]) -> str:
    return " ".join(f"{record.topic.split('.')[1]}/{record.partition}@{record.offset}" for record in batch)
