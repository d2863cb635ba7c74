"""What one entry of the log says, made from one Kafka record.

An entry is canonical JSON that names the record, the event's envelope and what it is about (rules and recipients), and
commits to the whole record by a salted hash. The record itself is kept beside the log, so that erasing it and its salt
leaves every proof valid and says nothing about what was erased. Kafka carries nothing personal; what cannot be read as an
event (poison) is not kept at all, only its length and hash.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Annotated, Any, Final, Literal
from uuid import UUID

import orjson
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from schemas.case_events import CaseLinked
from schemas.deliveries import NoticeData
from schemas.messages import AnyMessage, UnreadableMessage, parse
from services.audit.domain.canonical import EXACT, Json, canonical

COMMIT_PREFIX: Final = b"handrail-commit-v1\x00"  # keeps these hashes apart from any other use of SHA-256
SALT_BYTES: Final = 32
MAX_ENTRY_BYTES: Final = 32 * 1024  # C2SP tlog-tiles can frame 65,535

LINKED: Final = "case.linked.v1"

PRINTABLE: Final = r"^[\x20-\x7e]{1,200}$"

Word = Annotated[str, Field(pattern=PRINTABLE)]
Number = Annotated[int, Field(ge=1, le=EXACT)]
Instant = Annotated[AwareDatetime, Field(ge=datetime(1900, 1, 1, tzinfo=UTC), lt=datetime(3000, 1, 1, tzinfo=UTC))]


class Envelope(BaseModel):
    """The attributes of a CloudEvent that the log keeps, of any type and version; what else it has is not looked at."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)

    specversion: Literal["1.0"]
    id: UUID
    type: Word
    source: Word
    time: Instant
    recordedat: Instant
    casekey: Word | None = None
    caseseq: Number | None = None
    producer: Word | None = None
    producerseq: Number | None = None
    partnership: Word | None = None
    causationid: Word | None = None
    data: Any = None

    def attributes(self) -> dict[str, Json]:
        """Return the attributes that are set, each in the one form that the log writes."""
        given = self.model_dump(exclude={"specversion", "data"}, exclude_none=True)
        times = {name: given[name].astimezone(UTC).isoformat() for name in ("time", "recordedat")}
        return {**given, **times, "id": str(self.id)}


@dataclass(frozen=True, slots=True)
class Record:
    """One Kafka record, as it was read."""

    topic: str
    partition: int
    offset: int
    value: bytes


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry before it has a place: its text, the id that makes it unique, and the record that it is about.

    `salt` is None when the record is not kept: poison may hold anything.
    """

    event_id: UUID
    text: bytes
    record: Record
    salt: bytes | None

    @property
    def payload(self) -> bytes | None:
        """Return the bytes that are kept beside the log."""
        return None if self.salt is None else self.record.value


class NotAnEvent(ValueError):
    """The bytes are not a CloudEvent that the log can name. The message never quotes them."""


def commitment(salt: bytes, payload: bytes) -> bytes:
    """Return the hash that binds an entry to its record: SHA-256("handrail-commit-v1" || 0 || salt || record)."""
    return sha256(COMMIT_PREFIX + salt + payload).digest()


def commits_to(entry: Mapping[str, Any], salt: bytes, payload: bytes) -> bool:
    """Say whether an entry of kind `message` commits to a record.

    Not with a salt of another length: the hash does not say where it ends, and it could have taken a part of the record.
    """
    return len(salt) == SALT_BYTES and commitment(salt, payload).hex() == entry["payload"]["commit"]


def message_entry(record: Record, *, salt: bytes, logged_at: datetime) -> Entry:
    """Return the entry for a record that holds an event, of any type and version.

    Args:
        record: What was read.
        salt: 32 random bytes, used for this entry alone.
        logged_at: Now, by the legal clock.

    Raises:
        NotAnEvent: It does not hold one, or one too large to log.
    """
    try:
        orjson.loads(record.value)  # pydantic takes NaN and infinity, too, which no reader of the log can be given
    except orjson.JSONDecodeError:
        reason = "expected a CloudEvent, got what is not JSON"
        raise NotAnEvent(reason) from None  # the chained error would quote the input
    try:
        event = Envelope.model_validate_json(record.value)
    except ValidationError as error:
        places = sorted(
            {str(item["loc"][0]) if item["loc"] else "record" for item in error.errors(include_input=False)}
        )
        reason = f"expected a CloudEvent, got one with a bad {', '.join(places)}"
        raise NotAnEvent(reason) from None  # the chained error would quote the input
    commit = commitment(salt, record.value).hex()
    text = canonical(
        {
            **_head("message", record, logged_at),
            "event": event.attributes(),
            "about": {"rules": _words(_rules(event.data)), "recipients": _words(_recipients(event.data))},
            "payload": {"alg": "sha256-salted-v1", "commit": commit, "bytes": len(record.value)},
        }
    )
    if len(text) > MAX_ENTRY_BYTES:
        reason = f"expected an entry of at most {MAX_ENTRY_BYTES} bytes, got {len(text)}"
        raise NotAnEvent(reason)
    return Entry(event.id, text, record, salt)


def poison_entry(record: Record, *, entry_id: UUID, kind: str, logged_at: datetime) -> Entry:
    """Return the entry for a record that cannot be logged as an event.

    Args:
        record: What was read.
        entry_id: Derived from the record's place and bytes, so that reading it again gives the same.
        kind: `poison`, or `conflict` for an id that another content has already used.
        logged_at: Now, by the legal clock.
    """
    head = _head(kind, record, logged_at)
    body: dict[str, Json] = {"sha256": sha256(record.value).hexdigest(), "bytes": len(record.value)}
    return Entry(entry_id, canonical({**head, **body}), record, None)


@dataclass(frozen=True, slots=True)
class Indexed:
    """What the log can be searched by, read back from an entry and the record that is kept beside it.

    `linked_case_key`: the other case that the entry names, empty if it names one that cannot be read. `duty_id`: the
    obligation or question that it is about; whatever else names that one says its rules and recipients for all of them.
    """

    kind: str
    type: str | None
    case_key: str | None
    linked_case_key: str | None
    duty_id: UUID | None
    producer: str | None
    producer_seq: int | None
    rules: tuple[str, ...]
    recipients: tuple[str, ...]
    occurred_at: datetime
    recorded_at: datetime


def index_of(text: bytes, message: AnyMessage | None) -> Indexed:
    """Return what an entry can be searched by; for poison, its time is when it was logged."""
    entry = orjson.loads(text)
    event, about = entry.get("event", {}), entry.get("about", {})
    logged_at = entry["logged_at"]
    return Indexed(
        kind=entry["kind"],
        type=event.get("type"),
        case_key=event.get("casekey"),
        linked_case_key=_linked(message) if event.get("type") == LINKED else None,
        duty_id=_duty(message),
        producer=event.get("producer"),
        producer_seq=event.get("producerseq"),
        # Deadlines writes all rules of a question in one text.
        rules=tuple(rule for text in about.get("rules", ()) for rule in text.split(", ")),
        recipients=tuple(about.get("recipients", ())),
        occurred_at=datetime.fromisoformat(event.get("time", logged_at)),
        recorded_at=datetime.fromisoformat(event.get("recordedat", logged_at)),
    )


def message_of(payload: bytes | None) -> AnyMessage | None:
    """Return the message in a record; None where there is none that this version can read."""
    try:
        return parse(payload) if payload else None
    except UnreadableMessage:
        return None


def _linked(message: AnyMessage | None) -> str:
    return message.data.linked_case_key if isinstance(message, CaseLinked) else ""


def _duty(message: AnyMessage | None) -> UUID | None:
    """Return the obligation or question that a message is about; a notice is to one of its recipients only."""
    data = message.data if message and not isinstance(message.data, NoticeData) else None
    ids = (getattr(data, name, None) for name in ("duty_id", "obligation_id", "question_id"))
    return next((found for found in ids if found), None)


def _head(kind: str, record: Record, logged_at: datetime) -> dict[str, Json]:
    place: dict[str, Json] = {"topic": record.topic, "partition": record.partition, "offset": record.offset}
    return {"v": 1, "kind": kind, "record": place, "logged_at": logged_at.astimezone(UTC).isoformat()}


def _rules(data: object) -> Iterator[object]:
    """Yield the rules that a message is about; a rule that was answered no is none of them."""
    if isinstance(data, Mapping):
        yield data.get("rule")
        yield from _listed(data.get("rules"))
        traces = [trace for trace in _listed(data.get("traces")) if isinstance(trace, Mapping)]
        yield from (trace.get("rule") for trace in traces if trace.get("answer") != "no")


def _recipients(data: object) -> Iterator[object]:
    """Yield the recipients that a message names."""
    if isinstance(data, Mapping):
        yield data.get("recipient")
        yield from _listed(data.get("recipients"))


def _words(found: Iterator[object]) -> list[str]:
    """Return those that are short printable text, sorted, each once: data of an unknown type may hold anything."""
    return sorted({one for one in found if isinstance(one, str) and re.fullmatch(PRINTABLE, one)})


def _listed(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
