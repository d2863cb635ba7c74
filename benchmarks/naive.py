"""What people would otherwise write: one message per FastStream handler, a pooled ORM session, publish after the commit.

It is quick to read and loses messages: a crash between commit and publish, and a redelivery, go unseen. It stands here
only so that `make bench-consume` has something to be compared with, on the same broker and the same database.
"""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from faststream import AckPolicy
from faststream.kafka import KafkaBroker
from faststream.security import SASLScram512
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from services.kit.database import asyncpg_url
from services.kit.settings import KitSettings


class Base(DeclarativeBase):
    """The tables of the naive service."""


class EventRow(Base):
    """One event."""

    __tablename__ = "event"
    event_id: Mapped[UUID] = mapped_column(primary_key=True)
    case_key: Mapped[str]
    said: Mapped[str]


class Incoming(BaseModel):
    """An event, as far as a consumer reads it."""

    id: UUID
    type: str
    source: str
    time: datetime
    casekey: str
    data: dict[str, Any]


async def consume(settings: KitSettings, source: str, destination: str, count: int) -> None:
    """Handle `count` events of `source` one by one and publish an answer to each."""
    engine = create_async_engine(
        asyncpg_url(settings.database_url.get_secret_value()),
        pool_size=10,
        connect_args={"server_settings": {"search_path": "kit"}},
    )
    session_of = async_sessionmaker(engine, expire_on_commit=False)
    password = settings.kafka_password.get_secret_value()
    broker = KafkaBroker(
        settings.kafka_bootstrap,
        security=SASLScram512(settings.kafka_user, password, use_ssl=settings.kafka_security == "SASL_SSL"),
        logger=None,
    )
    done, handled = asyncio.Event(), 0

    @broker.subscriber(source, group_id="naive", auto_offset_reset="earliest", ack_policy=AckPolicy.NACK_ON_ERROR)
    async def on_event(event: Incoming) -> None:
        nonlocal handled
        async with session_of() as session:
            session.add(EventRow(event_id=event.id, case_key=event.casekey, said=event.data["how"]))
            await session.commit()
        answer = event.model_copy(update={"id": uuid4()})
        await broker.publish(answer.model_dump(mode="json"), destination, key=event.casekey.encode())
        handled += 1
        if handled == count:
            done.set()

    async with broker:
        await broker.start()
        await done.wait()
    await engine.dispose()
