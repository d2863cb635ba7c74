"""Each fault of aiokafka's that the kit mends is still there, and is mended in every process that reads or sends."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import uvloop
from aiokafka import TopicPartition
from aiokafka.conn import AIOKafkaConnection
from aiokafka.consumer.fetcher import Fetcher
from aiokafka.consumer.group_coordinator import GroupCoordinator
from aiokafka.consumer.subscription_state import SubscriptionState
from aiokafka.errors import KafkaConnectionError
from aiokafka.protocol.admin import ApiVersionRequest

from services.kit import kafka_compat, kafka_mended
from services.kit.kafka_mended import need_rejoin, send


async def _error_of_a_request_just_after_the_cut(send: Callable[..., Any]) -> BaseException:
    """Return what comes of writing to a connection from the first moment on in which it is cut."""

    async def cut(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.transport.abort()

    async with await asyncio.start_server(cut, "127.0.0.1", 0) as server:
        connection = AIOKafkaConnection("127.0.0.1", server.sockets[0].getsockname()[1])
        connecting = asyncio.create_task(connection.connect())
        try:
            while True:
                await asyncio.sleep(0)  # its turn to connect, to send, to be cut
                if connection._writer is None and not connecting.done():
                    continue
                send(connection, ApiVersionRequest()).close()
        except (KafkaConnectionError, RuntimeError) as error:
            return error
        finally:
            await asyncio.gather(connecting, return_exceptions=True)


def test_a_request_just_after_the_broker_cut_the_connection_finds_it_broken() -> None:
    aiokafkas, ours = (uvloop.run(_error_of_a_request_just_after_the_cut(each)) for each in (kafka_mended._send, send))

    assert type(aiokafkas) is RuntimeError, "aiokafka mended it: ours can go"
    assert type(ours) is KafkaConnectionError
    assert "the handler is closed" in str(ours)


def test_a_request_that_no_broker_knows_is_not_taken_for_a_cut_connection() -> None:
    def unknown(_versions: object) -> None:
        raise NotImplementedError

    connection: Any = SimpleNamespace(_writer=object(), _versions={})
    with pytest.raises(NotImplementedError):
        send(connection, SimpleNamespace(prepare=unknown))


async def test_a_pattern_that_met_a_new_topic_while_the_coordinator_was_away_is_joined_again() -> None:
    state = SubscriptionState()
    state.subscribe_pattern(re.compile("submissions.*"), listener=None)
    state.subscribe_from_pattern({"submissions.a"})
    subscription = state.subscription
    state.assign_from_subscribed({TopicPartition("submissions.a", 0)})
    coordinator: Any = SimpleNamespace(_rejoin_needed_fut=asyncio.get_running_loop().create_future())
    before = need_rejoin(coordinator, subscription)

    state.subscribe_from_pattern({"submissions.a", "submissions.b"})

    assert before is False
    assert kafka_mended._need_rejoin(coordinator, subscription) is False, "aiokafka mended it: ours can go"  # type: ignore[no-untyped-call]
    assert need_rejoin(coordinator, subscription) is True


class FetcherWithOneThatWaits:
    """A fetcher of aiokafka's, of which one fetch waits to try again, as after a broken connection."""

    close = Fetcher.close

    def __init__(self) -> None:
        self._closed = False
        self._fetch_waiters: set[object] = set()
        self._fetch_task = asyncio.create_task(asyncio.sleep(60))
        self._pending_tasks = {asyncio.create_task(asyncio.sleep(60))}


@pytest.mark.parametrize(
    ("close", "lets_out"), [(kafka_mended._close, asyncio.CancelledError), (FetcherWithOneThatWaits.close, type(None))]
)
async def test_who_stops_a_consumer_is_not_taken_for_cancelled_with_its_fetches(close: Any, lets_out: type) -> None:
    """The first is aiokafka's own: once that lets nothing out, ours can go."""
    fetcher = FetcherWithOneThatWaits()
    await asyncio.sleep(0)

    outcome = (await asyncio.gather(asyncio.create_task(close(fetcher)), return_exceptions=True))[0]

    assert type(outcome) is lets_out
    assert fetcher._closed


def test_every_process_that_uses_kafka_has_them() -> None:
    assert vars(kafka_compat)["kafka_mended"] is kafka_mended
    assert (AIOKafkaConnection.send, Fetcher.close, GroupCoordinator.need_rejoin) == (
        send,
        kafka_mended.close_fetcher,
        need_rejoin,
    )
