"""The publisher with a broker that takes nothing or gives nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import NotEnoughReplicasError
from aiokafka.protocol.metadata import MetadataResponse_v1
from aiokafka.protocol.produce import ProduceResponse_v2

from services.kit import publisher as publishing
from services.kit.errors import Unavailable
from services.kit.publisher import SEND_TIMEOUT_S, KafkaPublisher, Outgoing
from tests.simulation.loop import run as simulated

TOPIC = "topic"
Answer = Callable[[int], Coroutine[Any, Any, Any]]


async def lacks_replicas(partition: int) -> Any:
    return ProduceResponse_v2([(TOPIC, [(partition, NotEnoughReplicasError.errno, -1, -1)])], 0)


async def says_nothing(_partition: int) -> Any:
    await asyncio.Event().wait()


async def producer_of(answer: Answer, asked: list[int]) -> Any:
    """Return a producer that has begun, with a partition on each of two brokers; `asked` gets the broker of each request."""
    producer: Any = AIOKafkaProducer(enable_idempotence=True)
    partitions = [(0, number, number, [number], [number]) for number in (0, 1)]
    brokers = [(number, "nowhere", 9092, None) for number in (0, 1)]
    producer.client.cluster.update_metadata(MetadataResponse_v1(brokers, 0, [(0, TOPIC, False, partitions)]))

    async def send(node: int, _request: Any) -> Any:
        asked.append(node)
        return await answer(node)

    producer.client.send = send
    producer._txn_manager.set_pid_and_epoch(1, 0)
    producer.client._sync_task = asyncio.create_task(producer.client._md_synchronizer())
    await producer._sender.start()
    return producer


@pytest.mark.parametrize("answer", [lacks_replicas, says_nothing])
def test_a_producer_that_failed_has_ended_and_sends_nothing_more(answer: Answer) -> None:
    """An idempotent producer tries a batch for ever: one that was left to itself sent it again, behind what was newer."""

    async def story() -> tuple[int, int, set[str]]:
        asked: list[int] = []
        publisher = KafkaPublisher({}, "test")
        before = asyncio.all_tasks()
        producer = publisher._producer = await producer_of(answer, asked)
        with pytest.raises(Unavailable):
            await publisher.publish([Outgoing(TOPIC, f"key {number}".encode(), b"value") for number in range(10)])
        by_then = len(asked)
        left = {task.get_coro().__qualname__ for task in asyncio.all_tasks() - before}  # type: ignore[union-attr]
        await asyncio.sleep(60)
        assert producer._closed
        return by_then, len(asked), left

    by_then, at_last, left = simulated(story())

    assert by_then >= 2  # both brokers
    assert at_last == by_then
    assert left == set()


class StandsStill:
    """A consumer of two partitions with ten records each; it gives one a second of the first, and then no more."""

    gives = 3

    def __init__(self, **_options: object) -> None:
        self._positions: dict[TopicPartition, int] = {}

    async def start(self) -> None:
        return None

    async def stop(self) -> None:
        return None

    async def topics(self) -> set[str]:
        return {TOPIC}

    async def beginning_offsets(self, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        return dict.fromkeys(partitions, 0)

    async def end_offsets(self, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        return dict.fromkeys(partitions, 10)

    def assign(self, partitions: Sequence[TopicPartition]) -> None:
        assert len(partitions) == 2

    def seek(self, partition: TopicPartition, offset: int) -> None:
        self._positions[partition] = offset

    async def position(self, partition: TopicPartition) -> int:
        return self._positions[partition]

    async def getmany(self, first: TopicPartition, *_: object, **_options: int) -> dict[TopicPartition, list[Any]]:
        await asyncio.sleep(1)
        offset = self._positions[first]
        if offset == self.gives:
            return {}
        self._positions[first] = offset + 1
        return {first: [SimpleNamespace(offset=offset, key=None, value=b"value")]}


def test_a_reading_that_stands_still_ends_instead_of_going_on_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """Kafka was frozen, or the topic made shorter: the comparison never ended, and each empty answer said that it lived."""
    monkeypatch.setattr(publishing, "AIOKafkaConsumer", StandsStill)

    async def read(publisher: KafkaPublisher, offsets: list[int]) -> None:
        async with asyncio.timeout(5 * SEND_TIMEOUT_S):
            async for portion in publisher.after([TOPIC], {}):
                offsets.extend(record.offset for record in portion)

    async def story() -> tuple[list[int], float]:
        offsets: list[int] = []
        publisher = KafkaPublisher({}, "test")
        publisher._producer = await producer_of(says_nothing, [])
        with pytest.raises(Unavailable):
            await read(publisher, offsets)
        took_s = asyncio.get_running_loop().time()
        await publisher.close()
        return offsets, took_s

    offsets, took_s = simulated(story())

    assert offsets == [0, 1, 2]
    assert took_s == StandsStill.gives + SEND_TIMEOUT_S
