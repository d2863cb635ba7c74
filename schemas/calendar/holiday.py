"""One holiday and why it is one."""

from dataclasses import dataclass
from datetime import date
from typing import Literal

Basis = Literal["rule", "proclamation", "substitute", "common_law"]


@dataclass(frozen=True, slots=True)
class Holiday:
    """A weekday that is not worked in England.

    `basis` says what makes it one: `rule` (named in the 1971 Act), `proclamation`, `substitute` (for a day that fell on a
    weekend) or `common_law`. `announced_on` is known for the one-off changes alone.
    """

    title: str
    basis: Basis
    source: str
    announced_on: date | None = None
