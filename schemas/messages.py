"""Every message on Handrail's own topics, and how to read one from its bytes.

Whatever cannot be read goes to quarantine. Of a type or a major version that an older service does not know, the reason
says that it should be upgraded: skipped, the event would be lost to it for ever.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Annotated, Any, Final, get_args

import orjson
from pydantic import Field, TypeAdapter, ValidationError

from schemas.case_events import CaseEvent
from schemas.deadlines import DeadlineMessage
from schemas.decisions import DecisionMessage
from schemas.deliveries import DeliveryMessage
from schemas.envelope import Envelope
from schemas.quarantines import QuarantineMessage

AnyMessage = CaseEvent | DecisionMessage | DeliveryMessage | DeadlineMessage | QuarantineMessage


def types_of(message: type[Envelope]) -> tuple[str, ...]:
    """Return the CloudEvents types that a message class is for: one, or several that have the same form."""
    return get_args(message.model_fields["type"].annotation)


def _classes() -> dict[str, type[Envelope]]:
    found: dict[str, type[Envelope]] = {}
    for union in (CaseEvent, DecisionMessage, DeliveryMessage, DeadlineMessage, QuarantineMessage):
        for cls in get_args(get_args(union)[0]):
            found |= dict.fromkeys(types_of(cls), cls)
    return found


MESSAGES: Final = _classes()
"""Message class by CloudEvents type."""

_MAJOR: Final = re.compile(r"^(?P<name>.+)\.v(?P<major>[0-9]+)$")
_NAMES: Final = frozenset(_MAJOR.sub(r"\g<name>", type_) for type_ in MESSAGES)
_ADAPTER: Final[TypeAdapter[AnyMessage]] = TypeAdapter(
    Annotated[AnyMessage, Field(discriminator="type")]  # one tagged union: pydantic picks the class in Rust
)


class UnreadableMessage(ValueError):
    """The bytes are not a message of ours. The text says what was wrong and never quotes a value."""


def parse(raw: bytes) -> AnyMessage:
    """Read one message; fields that this version does not know are ignored.

    Raises:
        UnreadableMessage: The type or its major version is not known here, or anything else is wrong: the places and kinds
            of error, never the values.
    """
    try:
        return _ADAPTER.validate_json(raw, extra="ignore")
    except ValidationError as error:
        raise _explain(raw, error) from None  # the chained error would quote the input


def _explain(raw: bytes, error: ValidationError) -> UnreadableMessage:
    if error.errors(include_url=False, include_input=False)[0]["type"] == "union_tag_invalid":
        try:
            tag = orjson.loads(raw)["type"]
        except orjson.JSONDecodeError:
            return UnreadableMessage("message: json_invalid")  # pydantic takes NaN and infinity, which are not JSON
        match = _MAJOR.match(tag) if isinstance(tag, str) else None
        if match and match["name"] in _NAMES:
            return UnreadableMessage(f"major version {match['major']} of a known type; upgrade this service")
        if match:
            return UnreadableMessage("a type that this version does not know; upgrade this service")
    return UnreadableMessage(describe(error))


def describe(error: ValidationError) -> str:
    """Return where and how a value was wrong, without the value: `data.children.0.home_area: string_pattern_mismatch`.

    A name that the sender made up is a value, too, and may be of any length and have any character in it.
    """
    found = error.errors(include_url=False, include_input=False, include_context=False)
    return "; ".join(f"{'.'.join(map(_part, item['loc'])) or 'message'}: {item['type']}" for item in found[:10])


def _part(part: int | str) -> str:
    return str(part) if isinstance(part, int) or part in MESSAGES or part in _names() else "*"


@cache
def _names() -> frozenset[str]:
    """Return the names of all fields that messages have."""
    return frozenset(_names_in(_ADAPTER.json_schema()))


def _names_in(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        yield from schema.get("properties", ())
    for each in schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ():
        yield from _names_in(each)
