"""Canaries: each private or half-public name of FastStream and aiokafka that the kit leans on is still what it was."""

from __future__ import annotations

import asyncio
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import aiokafka
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.consumer.subscription_state import SubscriptionState, TopicPartitionState
from aiokafka.errors import CommitFailedError, ConsumerStoppedError, CorruptRecordException, KafkaError
from aiokafka.partitioner import DefaultPartitioner, murmur2
from aiokafka.producer.sender import Sender
from faststream import AckPolicy
from faststream._internal.endpoint.subscriber.utils import MultiLock
from faststream.kafka import KafkaBroker

from services.kit import kafka_compat
from services.kit.codec import RawBatchCodec
from services.kit.fence import Place
from services.kit.kafka_compat import (
    TELL_EVERY_S,
    TELL_WITHIN_S,
    Subscriber,
    partition_of,
    safe_parser,
    subscribe,
)
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


def never(error: Exception, _place: Place | None) -> None:
    raise AssertionError("nothing has failed") from error


def test_a_batch_subscriber_has_what_the_kit_looks_at() -> None:
    broker = KafkaBroker(logger=None)
    subscriber, view = subscribe(
        broker,
        "topic",
        most=lambda: 500,
        failed=never,
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

        def paused(self) -> set[TopicPartition]:
            return set()

    most = iter([100, 500])
    subscriber, _ = subscribe(
        KafkaBroker(logger=None), "topic", most=lambda: next(most), failed=never, group_id="group"
    )
    async with asyncio.timeout(0.01):
        found = [await subscriber.get_msg(Consumer()) for _ in range(2)]

    assert found == [(), ("first", "second", "third")]
    assert asked == [100, 500, 499]


Found = dict[str, list[str]]


class Looks:
    """A consumer that gives these answers, one a look."""

    def __init__(self, *answers: Found | Exception) -> None:
        self._answers = iter(answers)

    async def getmany(self, **_options: int) -> Found:
        found = next(self._answers)
        if isinstance(found, Exception):
            raise found
        return found

    def paused(self) -> set[TopicPartition]:
        return set()


def reader(failed: list[Exception]) -> Subscriber:
    def append(error: Exception, _place: Place | None) -> None:
        failed.append(error)

    return subscribe(KafkaBroker(logger=None), "topic", most=lambda: 500, failed=append, group_id="group")[1]


async def look(view: Subscriber, consumer: Any) -> Any:
    """Look once, as FastStream does."""
    return await view.read(consumer)


async def test_what_was_found_is_not_lost_with_an_error_of_the_second_look() -> None:
    failed: list[Exception] = []
    error = CommitFailedError()

    found = await look(reader(failed), Looks({"a": ["first"]}, error))

    assert found == ("first",)
    assert failed == [error]


@pytest.mark.parametrize("error", [CommitFailedError(), OSError("no connection")])
async def test_a_look_that_failed_is_told_as_faststream_expects(error: Exception) -> None:
    failed: list[Exception] = []
    view, consumer = reader(failed), Looks(error, {"a": ["first"]}, {})

    with pytest.raises(KafkaError):  # FastStream waits after one, and after no other
        await look(view, consumer)
    found = await look(view, consumer)

    assert failed == [error]
    assert found == ("first",)
    assert [each.__cause__ for each in failed] == [None], "an error that is its own cause is told for ever"


class Damaged:
    """A consumer whose one partition has a batch that cannot be read, however often it is asked for."""

    def __init__(self) -> None:
        self.asked = 0
        self.state = SimpleNamespace(damage=None)
        assignment = SimpleNamespace(state_value=lambda _tp: self.state)
        self._subscription = SimpleNamespace(subscription=SimpleNamespace(assignment=assignment))
        self._resumed = True

    async def getmany(self, **_options: int) -> Found:
        if self._resumed:
            self.asked += 1
            self.state.damage, self._resumed = CorruptRecordException(str(self.asked)), False
        return {}

    def paused(self) -> set[TopicPartition]:
        return {TopicPartition("topic", 0)}

    def resume(self, _partition: TopicPartition) -> None:
        self._resumed = True


async def test_a_batch_that_cannot_be_read_is_asked_for_after_a_pause_each_time_and_told_each_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    failed: list[Exception] = []
    view, consumer = reader(failed), Damaged()
    said = []

    for pause_s in (60, 60, 0, 60, 60):  # the third look finds the pause over, the fourth asks again
        monkeypatch.setattr(kafka_compat, "PAUSE_S", pause_s)
        await look(view, consumer)
        said.append(view.damaged())

    assert (consumer.asked, [str(each) for each in failed]) == (
        2,
        [str(CorruptRecordException(number)) for number in "12"],
    )
    assert set(said) == {"a batch in topic[0] cannot be read; it is asked for again, and what comes after it waits"}


async def test_a_consumer_that_is_stopped_says_so_as_faststream_expects() -> None:
    with pytest.raises(ConsumerStoppedError):
        await look(reader([]), Looks(ConsumerStoppedError()))


class Running:
    """FastStream's subscriber while it runs, and aiokafka's consumer with the tasks that it lives by."""

    running = True

    def __init__(self, **ended: Any) -> None:
        alive = asyncio.get_running_loop().create_future()
        self.tasks = [alive]
        tasks = dict.fromkeys(("sync", "fetch", "coordination", "heartbeat", "offsets"), alive) | ended
        self.consumer = SimpleNamespace(
            _client=SimpleNamespace(_sync_task=tasks["sync"]),
            _fetcher=SimpleNamespace(_fetch_task=tasks["fetch"]),
            _coordinator=SimpleNamespace(
                _coordination_task=tasks["coordination"],
                _heartbeat_task=tasks["heartbeat"],
                _commit_refresh_task=tasks["offsets"],
            ),
        )


@pytest.mark.parametrize(
    ("task", "said"), [("sync", "metadata"), ("fetch", "fetching"), ("coordination", "coordination")]
)
async def test_a_consumer_is_dead_with_each_task_that_it_lives_by(task: str, said: str) -> None:
    ended, failed, cancelled = (asyncio.get_running_loop().create_future() for _ in range(3))
    ended.set_result(None)
    failed.set_exception(KeyError("Robin Example"))
    cancelled.cancel()

    problems = [
        Subscriber(Running(**{task: each}), lambda: 500, never).problem(60) for each in (ended, failed, cancelled)
    ]

    assert problems == [
        f"aiokafka's {said} task has ended: without an error",
        f"aiokafka's {said} task has ended: KeyError at outside our code",
        f"aiokafka's {said} task has ended: cancelled",
    ]


@pytest.mark.parametrize(("task", "said"), [("heartbeat", "heartbeat"), ("offsets", "committed offsets")])
async def test_a_task_that_each_joining_ends_is_no_finding_and_one_that_failed_is(task: str, said: str) -> None:
    stopped, failed = asyncio.get_running_loop().create_future(), asyncio.get_running_loop().create_future()
    stopped.set_result(None)
    failed.set_exception(AssertionError())

    problems = [Subscriber(Running(**{task: each}), lambda: 500, never).problem(60) for each in (stopped, failed)]

    assert problems == [None, f"aiokafka's {said} task has ended: AssertionError at outside our code"]


async def test_a_consumer_that_looks_for_records_is_not_idle_however_long_that_takes() -> None:
    view, may_answer = Subscriber(Running(), lambda: 500, lambda *_: None), asyncio.Event()

    class Rebalancing:
        async def getmany(self, **_options: int) -> Found:
            await may_answer.wait()
            raise CommitFailedError

    looking = asyncio.create_task(look(view, Rebalancing()))
    await asyncio.sleep(0)  # its turn to begin
    meanwhile = view.problem(0.0)
    may_answer.set()
    with pytest.raises(CommitFailedError):
        await looking

    assert meanwhile is None
    assert "expected at most" in (view.problem(0.0) or "")


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
    subscriber, view = subscribe(KafkaBroker(logger=None), "topic", most=lambda: 500, failed=never, group_id="group")
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


def test_aiokafka_tells_how_long_nobody_has_read() -> None:
    assert isinstance(vars(SubscriptionState)["fetcher_idle_time"], property)
    assert "_subscription" in inspect.getsource(AIOKafkaConsumer.__init__)
    assert {"has_valid_position", "position"} <= set(dir(TopicPartitionState))
    assert "self.highwater" in inspect.getsource(TopicPartitionState.__init__)


def test_aiokafkas_producer_shows_whether_its_sender_lives() -> None:
    assert isinstance(vars(Sender)["sender_task"], property)
    assert "self._sender = Sender(" in inspect.getsource(AIOKafkaProducer.__init__)


def test_aiokafkas_sender_keeps_its_requests_where_they_are_looked_for() -> None:
    routine = inspect.getsource(Sender._sender_routine)

    assert "task = create_task(self._send_produce_req(node_id, node_batches))" in routine
    assert "tasks.add(task)" in routine
    assert "self._closed = True" in inspect.getsource(AIOKafkaProducer.stop)


def test_aiokafka_never_formats_a_log_line_before_it_logs_it() -> None:
    formatted = re.compile(r"\b(?:log|logger)\.\w+\(\s*(?:f[\"']|[^)]*\.format\()")
    sources = Path(inspect.getfile(aiokafka)).parent.rglob("*.py")

    assert [path.name for path in sources if formatted.search(path.read_text())] == []
