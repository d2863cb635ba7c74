"""Canaries: each private or half-public name of FastStream and aiokafka that the kit leans on is still what it was."""

from __future__ import annotations

import asyncio
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiokafka
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.consumer.fetcher import Fetcher
from aiokafka.consumer.subscription_state import SubscriptionState, TopicPartitionState
from aiokafka.errors import CommitFailedError, KafkaError
from aiokafka.partitioner import DefaultPartitioner, murmur2
from aiokafka.producer.sender import Sender
from faststream import AckPolicy
from faststream._internal.endpoint.subscriber.utils import MultiLock
from faststream.kafka import KafkaBroker

from services.kit import kafka_compat
from services.kit.codec import RawBatchCodec
from services.kit.fence import Place
from services.kit.kafka_compat import TELL_EVERY_S, TELL_WITHIN_S, Subscriber, partition_of, safe_parser, subscribe
from tests.simulation.loop import run as simulated

JAVA_MURMUR2 = {
    # From Apache Kafka, clients/src/test/java/org/apache/kafka/common/utils/UtilsTest.java, testMurmur2 (Apache-2.0).
    b"21": -973932308,
    b"foobar": -790332482,
    b"a-little-bit-long-string": -985981536,
    b"a-little-bit-longer-string": -1486304829,
    b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
    b"abc": 479470107,
}


@pytest.mark.parametrize(("key", "expected"), JAVA_MURMUR2.items())
def test_murmur2_is_javas(key: bytes, expected: int) -> None:
    assert (murmur2(key) ^ 0x80000000) - 0x80000000 == expected  # Java's int is signed


@pytest.mark.parametrize("key", JAVA_MURMUR2)
def test_the_cached_partition_is_that_of_the_default_partitioner(key: bytes) -> None:
    assert partition_of(key, 12) == DefaultPartitioner()(key, list(range(12)), list(range(12)))


def test_a_batch_subscriber_has_what_the_kit_looks_at() -> None:
    broker = KafkaBroker(logger=None)
    subscriber, view = subscribe(
        broker,
        "topic",
        most=lambda: 500,
        group_id="group",
        parser=safe_parser,
        codec=RawBatchCodec(None),
        ack_policy=AckPolicy.MANUAL,
    )

    assert (subscriber.consumer, subscriber.running, subscriber.tasks) == (None, False, [])
    assert view.problem(1.0) is None
    assert view.assignment() == set()
    assert subscriber.ack_policy is AckPolicy.MANUAL
    assert hasattr(MultiLock(), "wait_release")
    assert "await self.get_msg(consumer)" in inspect.getsource(type(subscriber)._run_consume_loop)


async def test_a_batch_is_there_at_once_and_has_what_came_while_the_one_before_it_was_in_hand() -> None:
    looks: Iterator[dict[str, list[str]]] = iter([{}, {"a": ["first"]}, {"a": ["second"], "b": ["third"]}])

    asked: list[int] = []

    class Consumer:
        async def getmany(self, *, timeout_ms: int, max_records: int) -> dict[str, list[str]]:
            del timeout_ms
            asked.append(max_records)
            return next(looks)

    most = iter([100, 500])
    subscriber, _ = subscribe(KafkaBroker(logger=None), "topic", most=lambda: next(most), group_id="group")
    async with asyncio.timeout(0.01):
        found = [await subscriber.get_msg(Consumer()) for _ in range(2)]

    assert found == [(), ("first", "second", "third")]
    assert asked == [100, 500, 499]


async def test_what_was_found_is_not_lost_with_an_error_of_the_second_look() -> None:
    looks: Iterator[dict[str, list[str]] | KafkaError] = iter([{"a": ["first"]}, CommitFailedError()])

    class Consumer:
        async def getmany(self, **_options: int) -> dict[str, list[str]]:
            found = next(looks)
            if isinstance(found, KafkaError):
                raise found
            return found

    subscriber, _ = subscribe(KafkaBroker(logger=None), "topic", most=lambda: 500, group_id="group")

    assert await subscriber.get_msg(Consumer()) == ("first",)


class Committing:
    """A consumer of one partition that was told this, and answers when it may."""

    def __init__(self, *, fails: bool = False) -> None:
        self.told: list[dict[TopicPartition, int]] = []
        self.may_answer = asyncio.Event()
        self._fails = fails

    def assignment(self) -> set[TopicPartition]:
        return {TopicPartition("topic", 0)}

    async def commit(self, offsets: dict[TopicPartition, int]) -> None:
        self.told.append(offsets)
        await self.may_answer.wait()
        if self._fails:
            raise CommitFailedError


def view_of(consumer: Committing) -> Subscriber:
    subscriber, view = subscribe(KafkaBroker(logger=None), "topic", most=lambda: 500, group_id="group")
    subscriber.consumer = consumer
    return view


@pytest.mark.parametrize("fails", [False, True])
def test_nobody_waits_while_kafka_is_told_how_far_a_consumer_is(fails: bool) -> None:  # noqa: FBT001 - a case
    async def told() -> list[dict[TopicPartition, int]]:
        consumer = Committing(fails=fails)
        view = view_of(consumer)
        for offset in (5, 6, 7):
            view.acknowledge({Place("topic", 0): offset, Place("topic", 1): offset}, soon=True)
            await asyncio.sleep(0)  # its turn to begin
        consumer.may_answer.set()
        await asyncio.sleep(3 * TELL_EVERY_S)
        view.acknowledge({Place("topic", 0): 8}, soon=False)
        await asyncio.sleep(2 * TELL_EVERY_S)
        view.acknowledge({Place("topic", 0): 9}, soon=False)
        await view.tell()
        await view.settle()
        view.acknowledge({Place("topic", 0): 10}, soon=True)
        await asyncio.sleep(2 * TELL_EVERY_S)
        return consumer.told

    here = TopicPartition("topic", 0)
    assert simulated(told()) == [{here: 5}, {here: 7}, {here: 9}]


def test_kafka_that_does_not_answer_is_left_alone() -> None:
    async def took() -> float:
        began = asyncio.get_running_loop().time()
        view = view_of(Committing())
        view.acknowledge({Place("topic", 0): 5}, soon=False)
        await view.tell()
        await view.settle()
        return asyncio.get_running_loop().time() - began

    assert simulated(took()) == TELL_WITHIN_S


class FetcherWithOneThatWaits:
    """A fetcher of aiokafka's, of which one fetch waits to try again, as after a broken connection."""

    close = Fetcher.close

    def __init__(self) -> None:
        self._closed = False
        self._fetch_waiters: set[object] = set()
        self._fetch_task = asyncio.create_task(asyncio.sleep(60))
        self._pending_tasks = {asyncio.create_task(asyncio.sleep(60))}


@pytest.mark.parametrize(
    ("close", "lets_out"), [(kafka_compat._close, asyncio.CancelledError), (FetcherWithOneThatWaits.close, type(None))]
)
async def test_who_stops_a_consumer_is_not_taken_for_cancelled_with_its_fetches(close: Any, lets_out: type) -> None:
    """The first is aiokafka's own: once that lets nothing out, ours can go."""
    fetcher = FetcherWithOneThatWaits()
    await asyncio.sleep(0)

    outcome = (await asyncio.gather(asyncio.create_task(close(fetcher)), return_exceptions=True))[0]

    assert type(outcome) is lets_out
    assert fetcher._closed


def test_aiokafka_tells_how_long_nobody_has_read() -> None:
    assert isinstance(vars(SubscriptionState)["fetcher_idle_time"], property)
    assert "_subscription" in inspect.getsource(AIOKafkaConsumer.__init__)
    assert {"has_valid_position", "position"} <= set(dir(TopicPartitionState))
    assert "self.highwater" in inspect.getsource(TopicPartitionState.__init__)


def test_aiokafkas_producer_shows_whether_its_sender_lives() -> None:
    assert isinstance(vars(Sender)["sender_task"], property)
    assert "self._sender = Sender(" in inspect.getsource(AIOKafkaProducer.__init__)


def test_aiokafka_never_formats_a_log_line_before_it_logs_it() -> None:
    formatted = re.compile(r"\b(?:log|logger)\.\w+\(\s*(?:f[\"']|[^)]*\.format\()")
    sources = Path(inspect.getfile(aiokafka)).parent.rglob("*.py")

    assert [path.name for path in sources if formatted.search(path.read_text())] == []
