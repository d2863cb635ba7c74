"""From raw bytes to what a consumer handles: an event, or a poison record.

The codec never raises: FastStream loses a batch whose decoding fails. `schemas.messages.parse` says what is wrong in
words that never quote the bytes; of any other exception only the type is kept.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, NamedTuple
from uuid import UUID

from schemas.envelope import Envelope
from schemas.messages import UnreadableMessage, parse
from services.kit.inbox import record_id
from services.kit.kafka_compat import RawRecord, raw_record

Parse = Callable[[bytes], Envelope]
_CASE_KEY: Final = re.compile(rb"[0-9a-f]{32}")


class Event(NamedTuple):
    """A message that was read and understood, with the bytes it came in."""

    message: Any  # the class of `schemas` that its type names
    raw: bytes
    topic: str
    partition: int
    offset: int
    key: bytes | None = None

    @property
    def record_id(self) -> UUID:
        """The id under which the inbox knows it: the message's own."""
        return self.message.id  # type: ignore[no-any-return]

    @property
    def unread_id(self) -> UUID:
        """The id under which the inbox knows it if an older version could not read it."""
        return record_id(self.topic, self.partition, self.offset, self.raw)

    @property
    def case_key(self) -> str | None:
        """The case it is about."""
        return self.message.case_key  # type: ignore[no-any-return]


@dataclass(frozen=True, slots=True)
class Poison:
    """A record that cannot be read, with the reason in our own words."""

    record: RawRecord
    reason: str
    record_id: UUID

    @property
    def case_key(self) -> str | None:
        """The case it is probably about: every topic's Kafka key is a case key."""
        key = self.record.key
        return key.decode() if key and _CASE_KEY.fullmatch(key) else None


@dataclass(frozen=True, slots=True)
class Raw:
    """A record that the handler wants undecoded."""

    record: RawRecord
    record_id: UUID


Decoded = Event | Poison | Raw


def decode(record: RawRecord, parse_message: Parse | None = parse) -> Decoded:
    """Return what a record is. Never raises.

    Args:
        record: The record.
        parse_message: Reads a message from its bytes; without one the record stays raw.
    """
    if parse_message is None:
        return Raw(record, _id_of(record))
    try:
        message = parse_message(record.value)
    except UnreadableMessage as error:
        return Poison(record, str(error), _id_of(record))
    except Exception as error:  # noqa: BLE001 - whatever the bytes provoke, the rest of the batch must not suffer
        return Poison(record, f"reading it failed: {type(error).__name__}", _id_of(record))
    return Event(message, record.value, record.topic, record.partition, record.offset, record.key)


def _id_of(record: RawRecord) -> UUID:
    return record_id(record.topic, record.partition, record.offset, record.value)


class RawBatchCodec:
    """FastStream's codec for batch subscribers: bytes in, `Decoded` out."""

    def __init__(self, parse_message: Parse | None) -> None:
        self._parse = parse_message

    async def decode(self, message: Any) -> Any:
        """Return a single message's bytes; batch subscribers do not call this."""
        return message.body

    async def encode(self, message: Any, serializer: Any = None) -> tuple[bytes, str | None]:
        """Return bytes as they are; nothing is published through FastStream."""
        del serializer
        return message, None

    async def decode_batch(self, message: Any) -> list[Any]:
        """Decode each record of a batch on its own."""
        return [decode(raw_record(record), self._parse) for record in message.raw_message]

    async def encode_batch(self, messages: Any, serializer: Any = None) -> list[tuple[bytes, str | None]]:
        """Return bytes as they are; nothing is published through FastStream."""
        del serializer
        return [(message, None) for message in messages]
