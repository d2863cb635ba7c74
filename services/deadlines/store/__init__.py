"""The tables of deadlines, as the service and its timers use them: in PostgreSQL, or in memory where a test has none.

Each table is a module of functions over a connection; what they must do is said here once, in terms of types.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.envelope import Envelope
from services.deadlines.domain.alert import Alert
from services.deadlines.domain.catch_up import DueRung
from services.deadlines.domain.duty import Duty
from services.deadlines.domain.guard import Tick
from services.deadlines.domain.ladder import Rung
from services.deadlines.store import alerts, clock, duties, rungs
from services.kit import reach
from services.kit.reach import Reach


class Duties(Protocol):
    """One row per duty, as it stands now (`store.duties`)."""

    async def load(self, connection: AsyncConnection, ids: Collection[UUID]) -> dict[UUID, Duty]:
        """Return the known duties among `ids`."""
        ...

    async def save(self, connection: AsyncConnection, duties: Iterable[Duty]) -> None:
        """Write each duty as it stands, new or known."""
        ...


class Rungs(Protocol):
    """The timers (`store.rungs`)."""

    async def arm(
        self, connection: AsyncConnection, ladders: Iterable[tuple[Duty, Sequence[Rung]]], now: datetime
    ) -> None:
        """Insert the rungs of some duties, in each duty's present generation."""
        ...

    async def supersede(self, connection: AsyncConnection, duty_ids: Collection[UUID], now: datetime) -> None:
        """Make every pending rung of some duties unable to fire."""
        ...

    async def due_cases(
        self,
        connection: AsyncConnection,
        now: datetime,
        *,
        low: datetime | None,
        limit: int,
        without: Collection[str] = ...,
    ) -> tuple[str, ...]:
        """Return the cases of the first due rungs, but for those in `without`; takes no lock."""
        ...

    async def claim(self, connection: AsyncConnection, case_keys: Collection[str], now: datetime) -> list[DueRung]:
        """Lock and return every due rung of the open duties of some cases, of their present generation only."""
        ...

    async def settle(
        self, connection: AsyncConnection, *, fired: Sequence[DueRung], superseded: Sequence[DueRung], now: datetime
    ) -> None:
        """Mark claimed rungs as fired or superseded."""
        ...

    async def next_wake(self, connection: AsyncConnection, *, low: datetime | None) -> datetime | None:
        """Return when the next pending rung wakes, by the legal clock."""
        ...


class Alerts(Protocol):
    """What a person must look at (`store.alerts`)."""

    async def add(self, connection: AsyncConnection, alerts: Iterable[Alert]) -> list[Alert]:
        """Insert alerts; return those that were new."""
        ...

    async def close(
        self,
        connection: AsyncConnection,
        references: Collection[str],
        because: str,
        now: datetime,
        *,
        severities: Sequence[str] = ...,
    ) -> None:
        """Close the open alerts about some duties or notices."""
        ...

    async def leave_digests(
        self, connection: AsyncConnection, duty_ids: Collection[UUID], because: str, now: datetime
    ) -> None:
        """Take duties out of the open digests that stand for them; one that stands for none any more is closed."""
        ...

    async def tell_since(self, connection: AsyncConnection, says: Mapping[str, str]) -> None:
        """Say beside the open breaches of some duties, by reference, what has become of those since."""
        ...

    async def acknowledge(
        self, connection: AsyncConnection, alert_id: UUID, *, by: str, name: str, now: datetime
    ) -> bool:
        """Record who took an alert on; False when somebody had done so before."""
        ...

    async def get(self, connection: AsyncConnection, reach: Reach, alert_id: UUID) -> Alert | None:
        """Return one alert, none if it may not be read."""
        ...


class Parties(Protocol):
    """The parties to each case (`services.kit.reach`)."""

    async def add(self, connection: AsyncConnection, messages: Iterable[Envelope]) -> None:
        """Keep the parties that messages make to their cases."""
        ...


class LegalClock(Protocol):
    """The legal clock and the last tick that was trusted (`store.clock`)."""

    async def read(self, connection: AsyncConnection, witness_at: datetime) -> Tick:
        """Return the clocks as they stand."""
        ...

    async def last_tick(self, connection: AsyncConnection) -> Tick | None:
        """Return the last tick that was trusted."""
        ...

    async def save_tick(self, connection: AsyncConnection, current: Tick) -> None:
        """Keep a trusted tick."""
        ...


@dataclass(frozen=True)
class Tables:
    """Everything that timers live on."""

    duties: Duties
    rungs: Rungs
    alerts: Alerts
    clock: LegalClock
    parties: Parties


POSTGRES: Final = Tables(duties, rungs, alerts, clock, reach)
