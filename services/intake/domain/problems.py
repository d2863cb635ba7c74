"""How intake says no: one refusal with a reason, and the places in the event that have to change.

Pointers are RFC 6901. No text here ever repeats a value that the sender wrote: somebody may have typed a name.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal
from uuid import UUID

from schemas.field_faults import UNKNOWN_FIELD

Cause = Literal["not_json", "invalid", "not_allowed", "differs", "plain_personal", "unreadable_personal"]


LISTED: Final = 100
"""How many places a refusal lists at most: a record may be wrong in as many as it has bytes."""


@dataclass(frozen=True, slots=True)
class FieldError:
    """One thing to change. `pointer` is where, `hint` the nearest word that exists or what to do."""

    pointer: str
    detail: str
    expected: str
    hint: str = ""

    @property
    def known_place(self) -> str:
        """The pointer, without the last name if the sender made that name up."""
        return self.pointer.rpartition("/")[0] if self.detail == UNKNOWN_FIELD else self.pointer


class Refusal(Exception):
    """An event that intake cannot accept. `detail` says what was wrong and what to do, and never quotes the event.

    `receipt_id`: of the event that the same client sent before with this source and id, where that one stands.
    """

    def __init__(
        self, cause: Cause, detail: str, errors: Sequence[FieldError] = (), receipt_id: UUID | None = None
    ) -> None:
        self.cause = cause
        self.detail = detail
        self.errors = tuple(errors)
        self.receipt_id = receipt_id
        super().__init__(detail)

    @property
    def reason(self) -> str:
        """Say in one line what was wrong, for quarantine: the places, never the values."""
        places = ", ".join(error.known_place or "/" for error in self.errors[:10])
        return f"{self.detail} ({places})" if places else self.detail


def invalid(*errors: FieldError, more: int = 0) -> Refusal:
    """Return the refusal of an event with these errors, and as many `more` that nobody has explained."""
    count, listed = len(errors) + more, errors[:LISTED]
    things = "one thing has" if count == 1 else f"{count} things have"
    return Refusal(
        "invalid",
        f"The event was not accepted: {things} to be put right.{not_listed(count, len(listed))} Change it and send it "
        "again; the id may stay the same.",
        listed,
    )


def not_listed(count: int, listed: int) -> str:
    """Say how many of the places are not listed; empty where all are."""
    if count == listed:
        return ""
    return f" The first {listed} are listed, {count - listed} more are not." if listed else " They are not listed."


def pointer(*parts: str | int) -> str:
    """Return the RFC 6901 JSON pointer of a place."""
    return "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in parts)
