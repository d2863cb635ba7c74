"""Values that requests ask with, checked so far that the database can take them. Nothing of a value is ever repeated."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Annotated, Final

from pydantic import AfterValidator, AwareDatetime
from pydantic_core import PydanticCustomError

FIRST_DAY, LAST_DAY = date(1900, 1, 1), date(2999, 12, 31)
"""Days that can be asked about, both included: no instant and no period is counted past the years that there are."""
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def _without_control(value: str) -> str:
    if _CONTROL.search(value):
        raise PydanticCustomError("string_control", "control characters")
    return value


def _in_utc(value: datetime) -> datetime:
    try:
        return value.astimezone(UTC)
    except OverflowError:  # the last hours of the year 9999 west of Greenwich, the first of year 1 east of it
        raise PydanticCustomError("datetime_out_of_range", "not an instant in UTC") from None


PlainText = Annotated[str, AfterValidator(_without_control)]
"""Text of one or more lines, without NUL, which PostgreSQL does not take, and other control characters."""
Moment = Annotated[AwareDatetime, AfterValidator(_in_utc)]
"""An instant with its offset, in UTC."""
