"""Set what a service keeps of its reading and publishing back to the start, or on to where Kafka is, in its own database."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Final

from aiokafka.helpers import create_ssl_context
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from handrail.embedded.errors import EmbeddedError
from handrail.embedded.kafka import BrokerAddress
from services.kit.cursor import rewind as rewind_cursor
from services.kit.database import Database
from services.kit.errors import Unavailable
from services.kit.fence import rewind as rewind_fence
from services.kit.publisher import KafkaPublisher
from services.kit.restored import Found, NotSettled, RelayAtWork, catch_up
from services.routing.store.recalling import recall_published


def _change(change: Callable[[AsyncConnection], Awaitable[None]], service: str, address: str) -> None:
    async def run() -> None:
        database = Database(address, service)
        try:
            async with database.begin() as transaction:
                await change(transaction.connection)
        finally:
            await database.close()

    asyncio.run(run())


async def _read_again(connection: AsyncConnection) -> None:
    read = await connection.execute(text("SELECT DISTINCT consumer, topic FROM consumer_offset"))
    for consumer, topic in read.all():
        await rewind_fence(connection, consumer, topic)


_SETTLE: Final = {"routing": recall_published}
"""What a service has to put right in a restored database before it goes on."""


def catch_up_relay(service: str, address: str, broker: BrokerAddress) -> Found | None:
    """Take over from Kafka what a restored database lacks; nothing, while a relay is at work on it.

    Raises:
        EmbeddedError: One line that says why that cannot be done now.
    """

    async def run() -> Found | None:
        database, publisher = Database(address, service), KafkaPublisher(_connection(broker), "handrail-catch-up")
        try:
            return await catch_up(database, publisher, _SETTLE.get(service))
        except RelayAtWork:
            return None
        except (NotSettled, Unavailable) as reason:
            raise EmbeddedError(f"{service}: {reason}") from reason
        finally:
            await publisher.close()
            await database.close()

    return asyncio.run(run())


def _connection(broker: BrokerAddress) -> dict[str, Any]:
    secure = broker.security_protocol == "SASL_SSL"
    return {
        "bootstrap_servers": broker.bootstrap.split(","),
        "security_protocol": broker.security_protocol,
        "ssl_context": create_ssl_context(cafile=broker.ca_file) if secure else None,
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": broker.user,
        "sasl_plain_password": broker.password,
    }


rewind_relay: Final = partial(_change, rewind_cursor)
"""Publish the whole outbox again: `rewind_relay(service, address)`."""

rewind_consumers: Final = partial(_change, _read_again)
"""Read every topic again: `rewind_consumers(service, address)`."""
