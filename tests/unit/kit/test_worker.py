"""A consumer and its partitions, on a memory store and a subscriber that answers as it is told."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import TopicPartition

from services.kit import consume, metrics
from services.kit.codec import decode
from services.kit.consume import BATCH_S, FEWEST, MOST, REST_S, fitting
from services.kit.fence import REWOUND
from services.kit.health import SILENT_S
from services.kit.kafka_compat import RawRecord
from services.kit.memory import MemoryStore
from services.kit.path import Consumer
from tests.simulation.loop import run as simulated
from tests.support.kit import NOON
from tests.support.worker import GROUP, PLACE, FailingStore, FakeSubscriber, assign, fenced, worker_on


async def test_what_the_last_owner_reads_during_a_rebalance_does_not_look_like_a_topic_cut_short() -> None:
    store, subscriber = MemoryStore("kit", NOON), FakeSubscriber()
    worker = worker_on(store, subscriber)
    await fenced(store, 4)
    subscriber.end = 5

    async def last_owner_goes_on() -> None:
        subscriber.end = 6
        await fenced(store, 6)

    subscriber.meanwhile = last_owner_goes_on
    await assign(worker)

    assert worker.stopped() is None
    assert await worker.unready() is None
    assert subscriber.sought == [4]


async def test_what_is_read_while_the_broker_answers_does_not_look_like_a_topic_cut_short() -> None:
    store, subscriber = MemoryStore("kit", NOON), FakeSubscriber()
    worker = worker_on(store, subscriber)
    subscriber.end = 5
    await fenced(store, 5)
    await assign(worker)

    async def reading_goes_on() -> None:
        worker._next_offsets[PLACE] = 7  # what a batch does that ends now

    subscriber.meanwhile = reading_goes_on
    await worker.watch()

    assert worker.stopped() is None


async def test_a_topic_that_became_shorter_stops_the_consumer() -> None:
    store, subscriber = MemoryStore("kit", NOON), FakeSubscriber()
    worker = worker_on(store, subscriber)
    subscriber.end = 5
    await fenced(store, 5)
    await assign(worker)

    subscriber.end = 2
    await worker.watch()
    await worker.settled()

    assert "cut short" in (worker.stopped() or "")
    assert subscriber.stopped


async def test_records_that_were_deleted_unread_stop_the_consumer_before_it_takes_them_for_a_hole() -> None:
    store, subscriber = MemoryStore("kit", NOON), FakeSubscriber()
    worker = worker_on(store, subscriber)
    subscriber.end = 5
    await fenced(store, 2)
    await assign(worker)

    subscriber.begin = 4  # while a database was away, say: nobody has read 2 and 3
    first_left = [decode(RawRecord(*PLACE, 4, None, b"the fifth", (), 0), None)]
    for _ in range(2):
        with pytest.raises(RuntimeError, match="cut short"):
            await worker.receive(first_left)
    await worker.settled()

    assert "cut short" in (worker.stopped() or "")
    async with store.begin() as tx:
        assert await tx.fence.hold(GROUP, [PLACE]) == {PLACE: 2}


def test_a_kafka_that_no_longer_answers_makes_the_consumer_unready_and_its_lag_unknown_until_it_answers_again() -> None:
    async def away() -> list[tuple[str | None, float]]:
        subscriber = FakeSubscriber()
        worker = worker_on(MemoryStore("kit", NOON), subscriber)
        subscriber.end = 5
        await assign(worker)
        await worker.watch()
        said = [(await worker.unready(), _lag())]

        subscriber.meanwhile = asyncio.Event().wait
        watching = asyncio.create_task(worker.watch())
        await asyncio.sleep(SILENT_S - 1)
        said.append((await worker.unready(), _lag()))
        with pytest.raises(TimeoutError):  # the loop that watches logs it and comes back
            await watching
        said.append((await worker.unready(), _lag()))

        subscriber.meanwhile = None
        await worker.watch()
        return [*said, (await worker.unready(), _lag())]

    well, soon, silent, back = simulated(away())

    assert well == soon == back == (None, 5.0)
    assert silent[0] == "Kafka has not answered for 30 s"
    assert math.isnan(silent[1])


async def test_the_lag_of_a_partition_that_another_copy_has_now_is_not_measured_here_any_more() -> None:
    worker = worker_on(MemoryStore("kit", NOON), FakeSubscriber())
    await assign(worker)
    await worker.watch()
    measured = _is_measured()

    await worker.on_partitions_assigned(set())

    assert (measured, _is_measured()) == (True, False)


async def test_the_lag_of_a_partition_that_another_copy_took_during_a_batch_is_not_measured_here_any_more() -> None:
    worker = worker_on(MemoryStore("kit", NOON), FakeSubscriber())
    await assign(worker)
    in_hand, go_on = asyncio.Event(), asyncio.Event()

    async def slow(events: Sequence[Any], tx: Any) -> None:
        del events, tx
        in_hand.set()
        await go_on.wait()

    worker.consumer = Consumer(GROUP, slow, None)
    batch = asyncio.create_task(worker.receive([decode(RawRecord(*PLACE, 0, None, b"one", (), 0), None)]))
    await in_hand.wait()
    await worker.on_partitions_assigned(set())
    go_on.set()
    await batch
    await worker.watch()

    assert not _is_measured()


def _is_measured() -> bool:
    places = [{**sample.labels} for metric in metrics.LAG.collect() for sample in metric.samples]
    return {"consumer": GROUP, "topic": PLACE.topic, "partition": str(PLACE.partition)} in places


def _lag() -> float:
    lag: float = metrics.LAG.labels(GROUP, *PLACE)._value.get()
    return lag


async def test_a_database_that_is_away_at_the_rebalance_leaves_the_consumer_unready_only_until_it_is_back() -> None:
    store, subscriber = FailingStore("kit", NOON), FakeSubscriber()
    worker = worker_on(store, subscriber)
    subscriber.end = 5
    await fenced(store, 3)
    store.failures = 2

    with pytest.raises(ConnectionError):  # aiokafka logs it and goes on
        await assign(worker)
    with pytest.raises(ConnectionError):  # the loop that watches logs it and comes back
        await worker.watch()
    assert await worker.unready() == "no partitions are assigned yet"
    await worker.watch()

    assert await worker.unready() is None
    assert subscriber.sought == [3]


async def test_a_loss_at_the_very_beginning_shows_also_if_the_partitions_could_not_be_taken_over_at_once() -> None:
    store, subscriber = FailingStore("kit", NOON), FakeSubscriber()
    worker = worker_on(store, subscriber)
    subscriber.end = 2
    store.failures = 1
    with pytest.raises(ConnectionError):
        await assign(worker)

    await worker.receive([decode(RawRecord(*PLACE, 1, None, b"the second", (), 0), None)])

    assert subscriber.sought == [0, 0]  # standing on the fence, then for the gap
    async with store.begin() as tx:
        assert await tx.fence.hold(GROUP, [PLACE]) == {PLACE: 0}


async def test_a_consumer_without_partitions_is_ready_once_the_database_is_back() -> None:
    store, subscriber = FailingStore("kit", NOON), FakeSubscriber()
    worker = worker_on(store, subscriber)
    subscriber.here = set()
    store.failures = 1
    with pytest.raises(ConnectionError):  # aiokafka logs it and goes on
        await worker.on_partitions_assigned(set())

    await worker.watch()

    assert await worker.unready() is None


async def test_a_partition_whose_batch_cannot_be_read_is_for_a_person_and_the_others_are_at_work() -> None:
    subscriber = FakeSubscriber()
    worker = worker_on(MemoryStore("kit", NOON), subscriber)
    await assign(worker)
    fine = worker.stopped()

    subscriber.unreadable = "a batch cannot be read"

    assert (fine, worker.stopped()) == (None, "a batch cannot be read")
    assert await worker.unready() is None


async def test_nothing_is_handled_that_comes_between_two_owners() -> None:
    store, subscriber = MemoryStore("kit", NOON), FakeSubscriber()
    worker = worker_on(store, subscriber)
    await assign(worker)
    await worker.on_partitions_revoked({TopicPartition(*PLACE)})

    with pytest.raises(RuntimeError, match="read again"):
        await worker.receive([decode(RawRecord(*PLACE, 0, None, b"the first", (), 0), None)])

    async with store.begin() as tx:
        assert await tx.fence.hold(GROUP, [PLACE]) == {PLACE: 0}


async def test_an_assignment_that_another_has_overtaken_does_not_let_records_in() -> None:
    store, subscriber = MemoryStore("kit", NOON), FakeSubscriber()
    worker = worker_on(store, subscriber)
    answers, asked = [asyncio.Event(), asyncio.Event()], asyncio.Event()
    waiting = iter(answers)

    async def answer_late() -> None:
        asked.set()
        await next(waiting).wait()

    subscriber.meanwhile = answer_late
    first = asyncio.create_task(worker.on_partitions_assigned(set()))
    await asked.wait()
    await worker.on_partitions_revoked(set())
    asked.clear()
    second = asyncio.create_task(assign(worker))
    await asked.wait()

    answers[0].set()
    await first
    before = await worker.unready()
    answers[1].set()
    await second

    assert (before, await worker.unready()) == ("no partitions are assigned yet", None)
    async with store.begin() as tx:
        assert await tx.fence.hold(GROUP, [PLACE]) == {PLACE: 0}


async def test_partitions_that_are_revoked_while_they_are_taken_over_again_are_not_taken_over() -> None:
    store, subscriber = FailingStore("kit", NOON), FakeSubscriber()
    worker = worker_on(store, subscriber)
    store.failures = 1
    with pytest.raises(ConnectionError):
        await assign(worker)
    asked, answered = asyncio.Event(), asyncio.Event()

    async def answer_late() -> None:
        asked.set()
        await answered.wait()

    subscriber.meanwhile = answer_late
    again = asyncio.create_task(worker.watch())
    await asked.wait()
    await worker.on_partitions_revoked({TopicPartition(*PLACE)})
    answered.set()
    await again

    assert subscriber.sought == []
    assert await worker.unready() == "no partitions are assigned yet"


async def test_nothing_is_taken_over_while_a_rebalance_is_under_way() -> None:
    store, subscriber = MemoryStore("kit", NOON), FakeSubscriber()
    worker = worker_on(store, subscriber)
    await assign(worker)
    await worker.on_partitions_revoked({TopicPartition(*PLACE)})
    subscriber.sought.clear()

    await worker.watch()

    assert subscriber.sought == []
    assert await worker.unready() == "no partitions are assigned yet"


@pytest.mark.parametrize(("before", "now"), [(5, 3), (5, REWOUND)])
async def test_a_fence_that_was_set_back_is_followed_though_no_record_comes_that_would_show_it(
    before: int, now: int
) -> None:
    store, subscriber = MemoryStore("kit", NOON), FakeSubscriber()
    worker = worker_on(store, subscriber)
    subscriber.end = 5
    await fenced(store, before)
    await assign(worker)
    await worker.watch()
    seen_well = list(subscriber.sought)

    store.state.offsets[GROUP, PLACE] = (
        now  # what a server has that took over without the last commits, or was told to have
    )
    await worker.watch()

    assert (seen_well, subscriber.sought) == ([5], [5, max(now, 0)])
    assert worker.stopped() is None
    assert await worker.unready() is None


async def test_a_batch_is_acknowledged_after_its_commit_and_read_again_if_there_was_none() -> None:
    store, subscriber = FailingStore("kit", NOON), FakeSubscriber()
    worker = worker_on(store, subscriber)
    await assign(worker)
    worker.hurry()  # it does not try again by itself
    batch = [decode(RawRecord(*PLACE, number, None, b"one", (), 0), None) for number in range(3)]
    subscriber.sought.clear()
    worker.most = MOST

    store.failures = 1
    with pytest.raises(ConnectionError):
        await worker.receive(batch)
    assert (subscriber.sought, subscriber.acknowledged, worker.most) == ([0], [], FEWEST)

    await worker.receive(batch)
    assert (subscriber.sought, subscriber.acknowledged) == ([0], [3])


async def test_kafka_is_told_before_a_rebalance_and_not_while_it_is_under_way() -> None:
    store, subscriber = MemoryStore("kit", NOON), FakeSubscriber()
    worker = worker_on(store, subscriber)
    await assign(worker)
    in_hand, go_on = asyncio.Event(), asyncio.Event()

    async def slow(events: Sequence[Any], tx: Any) -> None:
        del events, tx
        in_hand.set()
        await go_on.wait()

    worker.consumer = Consumer(GROUP, slow, None)
    batch = asyncio.create_task(worker.receive([decode(RawRecord(*PLACE, 0, None, b"one", (), 0), None)]))
    await in_hand.wait()
    await worker.on_partitions_revoked({TopicPartition(*PLACE)})
    go_on.set()
    await batch

    assert subscriber.did == ["waited for the batch in hand", "told", "acknowledged"]


async def test_what_fails_after_the_commit_does_not_make_a_hole_of_a_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    store, subscriber = MemoryStore("kit", NOON), FakeSubscriber()
    worker = worker_on(store, subscriber)
    await assign(worker)
    subscriber.sought.clear()

    def fail(*_: object) -> None:
        raise OSError

    monkeypatch.setattr(worker, "_report", fail)
    with pytest.raises(OSError):  # noqa: PT011 - it has nothing to say
        await worker.receive([decode(RawRecord(*PLACE, 5, None, b"the sixth", (), 0), None)])

    assert subscriber.sought == [0]


def test_a_small_batch_gives_others_time_to_gather_but_not_when_much_is_waiting_or_the_process_is_to_stop() -> None:
    async def took(count: int, *, hurry: bool = False) -> float:
        worker = worker_on(MemoryStore("kit", NOON), FakeSubscriber())
        await assign(worker)
        if hurry:
            worker.hurry()
        began = asyncio.get_running_loop().time()
        await worker.receive([decode(RawRecord(*PLACE, n, None, b"one", (), 0), None) for n in range(count)])
        return asyncio.get_running_loop().time() - began

    assert simulated(took(1)) == REST_S
    assert simulated(took(FEWEST)) == 0
    assert simulated(took(1, hurry=True)) == 0


async def test_a_consumer_takes_as_much_at_a_time_as_its_last_transaction_could_have_had(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    worker = worker_on(MemoryStore("kit", NOON), FakeSubscriber())
    await assign(worker)
    instants = iter([0.0, BATCH_S / 2])
    monkeypatch.setattr(consume, "time", SimpleNamespace(monotonic=lambda: next(instants)))

    await worker.receive([decode(RawRecord(*PLACE, n, None, b"one", (), 0), None) for n in range(FEWEST)])

    assert worker.most == 2 * FEWEST


@pytest.mark.parametrize(
    ("records", "seconds", "next_most"),
    [
        (400, BATCH_S, 400),
        (400, 2 * BATCH_S, 200),
        (400, BATCH_S / 2, 800),
        (1, BATCH_S, FEWEST),
        (500, BATCH_S / 1_000, MOST),
        (1, 0.0, MOST),
    ],
)
def test_the_next_batch_is_as_large_as_its_transaction_may_take(records: int, seconds: float, next_most: int) -> None:
    assert fitting(records, seconds) == next_most
