"""Faults of aiokafka that end a task a consumer lives by, mended until it mends them (what it cannot read: `kafka_records`).

Private names of aiokafka. For each fault a test shows that aiokafka still has it, and fails once ours can go.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

from aiokafka.conn import AIOKafkaConnection, CloseReason
from aiokafka.consumer.fetcher import Fetcher
from aiokafka.consumer.group_coordinator import GroupCoordinator
from aiokafka.errors import KafkaConnectionError

_close: Final = Fetcher.close
_need_rejoin: Final = GroupCoordinator.need_rejoin
_send: Final = AIOKafkaConnection.send


async def close_fetcher(fetcher: Any) -> None:
    """Close a consumer's fetcher, and let no cancellation out but our own.

    aiokafka's cancels each fetch that waits to try again and awaits it, so whoever stopped the consumer got that for an end
    asked of himself: a relay that stopped one after an error was gone for good. And its connections stayed open.
    """
    fetcher._fetch_task.cancel()  # noqa: SLF001 - it would begin more
    await asyncio.gather(fetcher._fetch_task, return_exceptions=True)  # noqa: SLF001
    waiting, fetcher._pending_tasks = fetcher._pending_tasks, set()  # noqa: SLF001
    for fetch in waiting:
        fetch.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    await _close(fetcher)  # type: ignore[no-untyped-call]


def need_rejoin(coordinator: Any, subscription: Any) -> bool:
    """Return whether a consumer must join its group, as it must also once there is another subscription than this one.

    aiokafka asks after it has waited for a coordinator that was away. Had its pattern met a new topic meanwhile, it took itself
    for a member, failed at an assertion, and read nothing any more.
    """
    return not subscription.active or _need_rejoin(coordinator, subscription)  # type: ignore[no-untyped-call]


def send(connection: Any, request: Any, expect_response: bool = True) -> Any:  # noqa: FBT001, FBT002 - aiokafka's
    """Send a request, and take a connection that the broker has just cut for one that is broken.

    A moment passes until aiokafka hears of the cut. Who wrote in it got uvloop's `RuntimeError`, where asyncio says nothing:
    aiokafka knows `OSError` alone, so its heartbeats or its look for brokers ended, and with them the process
    (https://github.com/aio-libs/aiokafka/issues/1038).

    Raises:
        KafkaConnectionError: There is no connection any more.
        NotImplementedError: aiokafka knows no version of the request that the broker knows.
    """
    try:
        return _send(connection, request, expect_response)  # type: ignore[no-untyped-call]
    except NotImplementedError:  # a `RuntimeError` too
        raise
    except RuntimeError as error:
        connection.close(reason=CloseReason.CONNECTION_BROKEN)
        raise KafkaConnectionError(str(error)) from error


def install() -> None:
    """Have aiokafka use these."""
    Fetcher.close = close_fetcher  # type: ignore[method-assign]
    GroupCoordinator.need_rejoin = need_rejoin  # type: ignore[method-assign]
    AIOKafkaConnection.send = send  # type: ignore[method-assign]
