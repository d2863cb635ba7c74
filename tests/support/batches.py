"""Batches of records for the consume path, and a service that hears them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson

from schemas.messages import parse
from services.kit.codec import Decoded, Event, decode
from services.kit.fence import Place
from services.kit.kafka_compat import RawRecord
from services.kit.path import Consumer, Outcome, handle_batch
from tests.support.kit import Backend, aware, case

TOPIC = "kit-test"
PLACE = Place(TOPIC, 0)


def record(offset: int, value: bytes, key: str | None = None, partition: int = 0) -> RawRecord:
    return RawRecord(TOPIC, partition, offset, key.encode() if key else None, value, (), 0)


def event(offset: int, name: str, number: int = 1, partition: int = 0) -> Decoded:
    return decode(record(offset, aware(name, case(number)).wire(), case(number), partition))


def poison(offset: int, number: int = 1) -> Decoded:
    return decode(record(offset, b"\xff not json", case(number)))


def unknown(offset: int, number: int = 1) -> Decoded:
    body = orjson.loads(aware("x", case(number)).wire()) | {"type": "something.new.v1"}
    return decode(record(offset, orjson.dumps(body), case(number)))


class Service:
    """A handler that repeats what it hears, and fails where it is told to."""

    def __init__(self, kit: Backend) -> None:
        self.kit = kit
        self.failing: set[str] = set()
        self.error: Exception = ZeroDivisionError("a value that must not be shown")
        self.consumer = Consumer("reader", self.handle, parse)

    async def handle(self, events: Sequence[Event], tx: Any) -> None:
        for each in events:
            tx.emit("out", aware(f"heard {each.message.data.how}", str(each.case_key)))
            if each.message.data.how in self.failing:
                raise self.error

    async def take(self, *items: Decoded, holes: dict[Place, int] | None = None) -> Outcome:
        return await handle_batch(self.kit.store, self.consumer, items, holes)

    async def heard(self) -> list[str]:
        return [said.removeprefix("heard ") for said in await self.kit.said() if said.startswith("heard ")]

    async def announced(self) -> list[str]:
        return [said for said in await self.kit.said() if said.startswith("record.")]

    async def next_offset(self) -> int | None:
        async with self.kit.store.begin() as tx:
            offsets: dict[Place, int] = await tx.fence.hold("reader", [PLACE])
        return offsets.get(PLACE)
