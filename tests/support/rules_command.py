"""`handrail rules` as a person runs it, in this process: what it prints, what it complains of, and its exit code."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Ran:
    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        """Return what it printed, line by line, without the spaces at the ends."""
        return [line.strip() for line in self.out.splitlines()]


Rules = Callable[..., Ran]
