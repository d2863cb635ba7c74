"""The personal block of an event: where it stands, and the fields of it that go to the vault one by one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal

import orjson
from pydantic import BaseModel

from schemas.people import IncidentPersonal
from schemas.submission import Submission
from schemas.vocabulary import PersonalKind
from services.intake.domain.problems import FieldError, Refusal

Way = Literal["http", "kafka"]
_HOW: Final = "encrypt the block to the key at /v1/keys and put the compact JWE text in personal"


@dataclass(frozen=True, slots=True)
class PersonalField:
    """One value for the vault. `child_ref` is the client's reference, None for what is about the incident."""

    child_ref: str | None
    field: str
    value: str


def sealed_block(fields: Mapping[str, object], way: Way) -> str | None:
    """Return the compact JWE that stands in `data.personal`, None if nothing encrypted stands there.

    Raises:
        Refusal: By Kafka the block came in plain text, where every reader of the topic could see it.
    """
    data = fields.get("data")
    block = data.get("personal") if isinstance(data, dict) else None
    if isinstance(block, str):
        return block
    if way == "kafka" and block is not None:
        place = FieldError("/data/personal", "personal data came in plain text by Kafka", "an encrypted block", _HOW)
        raise Refusal("plain_personal", "Personal data must be encrypted on the Kafka way.", (place,))
    return None


def with_block(fields: Mapping[str, object], block: object) -> dict[str, object]:
    """Return the event with its decrypted personal block in place."""
    data = fields["data"]
    return {**fields, "data": {**data, "personal": block}} if isinstance(data, dict) else dict(fields)


def unreadable() -> Refusal:
    """Return the refusal of a personal block that cannot be decrypted."""
    place = FieldError(
        "/data/personal", "the encrypted block cannot be read", "ECDH-ES+A256KW with A256GCM, compact", _HOW
    )
    return Refusal("unreadable_personal", "The personal block cannot be decrypted with Handrail's key.", (place,))


def personal_fields(data: Submission) -> tuple[PersonalField, ...]:
    """Return what the vault has to keep of an event, the incident's fields first, then child by child."""
    block = getattr(data, "personal", None)
    if block is None:
        return ()
    found = [*_said(block, None, "", {"children"})]
    for child in block.children if isinstance(block, IncidentPersonal) else ():
        found += _said(child, child.ref, "child.", {"ref"})
    return tuple(found)


def _said(block: BaseModel, child_ref: str | None, prefix: str, leave_out: set[str]) -> Iterator[PersonalField]:
    """Yield what a block says. Text and dates are kept as they are, lists and numbers as JSON; an empty list says nothing."""
    said: dict[str, object] = block.model_dump(mode="json", exclude_none=True, exclude=leave_out)
    for name, value in said.items():
        if value != []:
            text = value if isinstance(value, str) else orjson.dumps(value).decode()
            yield PersonalField(child_ref, prefix + name, text)


def plain(kind: PersonalKind, text: str) -> object:
    """Return a kept value as it was said, by its field's kind in the vocabulary."""
    return orjson.loads(text) if kind in {"choices", "entries", "whole number"} else text
