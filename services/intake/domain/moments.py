"""Checks every date and instant of a submitted event: written in full, not before 1900, not in the future.

Pydantic reads the text "1700000000" as an instant; nobody who reports an incident means that.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import Final

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from schemas.acts import ACTS
from schemas.calendar.london import london_date
from services.intake.domain.problems import FieldError, pointer

_WRITTEN: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}([Tt ].+)?")
_AHEAD: Final = timedelta(days=1)  # for senders whose clocks, or ours in a demonstration, are not quite right
_FIRST: Final = datetime(1900, 1, 1, tzinfo=UTC)  # as audit's log, which can name no earlier instant
_ALWAYS: Final = datetime(9999, 1, 1, tzinfo=UTC)


def check(value: object, raw: object, path: tuple[str | int, ...], now: datetime) -> tuple[FieldError, ...]:
    """Return an error for each date or instant in `value`, a model, that cannot be meant.

    Args:
        value: A checked model, or a part of one.
        raw: The parsed JSON that it was read from.
        path: Place of `value` in the event.
        now: Aware.
    """
    match value, raw:
        case BaseModel(), dict():
            return tuple(
                e
                for name, field in type(value).model_fields.items()
                if name in raw
                for e in check(getattr(value, name), raw[name], (*path, name), _ALWAYS if _planned(field) else now)
            )
        case tuple(), list():
            pairs = enumerate(zip(value, raw, strict=True))
            return tuple(e for index, (part, given) in pairs for e in check(part, given, (*path, index), now))
        case date(), str():
            return _one(value, raw, path, now)
        case _:
            return ()


def check_stated(
    fact: str, value: date, raw: str, path: tuple[str | int, ...], now: datetime
) -> tuple[FieldError, ...]:
    """Return an error if the day that a correction gives for a fact cannot be meant; the other arguments are as in `check`."""
    return _one(value, raw, path, _ALWAYS if fact in _PLANNED else now)


def _planned(field: FieldInfo) -> bool:
    """Say whether a field's day is planned, and so may lie ahead."""
    return isinstance(field.json_schema_extra, dict) and bool(field.json_schema_extra.get("planned"))


_PLANNED: Final = frozenset(
    str(field.json_schema_extra["fact"])
    for act in ACTS.values()
    for field in act.model_fields.values()
    if isinstance(field.json_schema_extra, dict) and _planned(field)
)
"""Facts whose day is planned: what an act states as such."""


def _one(value: date, raw: str, path: tuple[str | int, ...], now: datetime) -> tuple[FieldError, ...]:
    is_instant = isinstance(value, datetime)
    if not _WRITTEN.fullmatch(raw):
        shape = "a date and time such as 2026-11-23T09:15:00Z" if is_instant else "a date as YYYY-MM-DD"
        return (FieldError(pointer(*path), "this is not written as a date", shape),)
    # An instant is compared as one: by its own offset the first hours of 1900 are still 1899.
    early, late = (
        (value < _FIRST, value > now + _AHEAD)
        if isinstance(value, datetime)
        else (value < _FIRST.date(), value > london_date(now + _AHEAD))
    )
    if early:
        return (FieldError(pointer(*path), "this lies too far back", f"a date from {_FIRST.year} on"),)
    if late:
        return (FieldError(pointer(*path), "this lies in the future", "something that has happened"),)
    return ()
