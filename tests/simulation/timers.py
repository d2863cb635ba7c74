"""What must hold of timers: once, never early, none missing, one per duty; judged against what routing decided."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import orjson

from schemas.calendar import end_of_day
from services.deadlines.domain.duty import Duty
from services.deadlines.tables import PENDING
from tests.simulation.road import Road
from tests.support.deadlines_memory import RungRow, rows

MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class Told:
    """One message of deadlines about a duty: what it says, and the right legal time when it was committed."""

    type: str
    duty_id: UUID
    generation: int
    due_on: date
    at: datetime


def told(road: Road) -> Iterator[Told]:
    """Yield what deadlines said about duties, in commit order."""
    for place, row in sorted(road.deadlines.store.state.outbox.items()):
        body = orjson.loads(row.payload)
        data: dict[str, Any] = body["data"]
        if "generation" in data:
            at = road.told_at["deadlines", *place]
            due_on = date.fromisoformat(data["due_on"])
            yield Told(body["type"], UUID(data["duty_id"]), data["generation"], due_on, at)


def dates(road: Road) -> dict[UUID, tuple[int, date | None]]:
    """Return, by duty, its generation and its date while it is open: what routing decided, in the order it did."""
    found: dict[UUID, tuple[int, date | None]] = {}
    for _, row in sorted(road.routing.store.state.outbox.items()):
        body = orjson.loads(row.payload)
        if not body["type"].startswith("obligation."):
            continue
        duty_id = UUID(body["data"]["obligation_id"])
        generation, before = found.get(duty_id, (0, None))
        due_on = date.fromisoformat(body["data"]["due_on"]) if "due_on" in body["data"] else None
        found[duty_id] = (generation + (due_on not in {before, None}), due_on)
    return found


def duties_stand_as_routing_decided(road: Road) -> Iterator[str]:
    """Nothing lost on the way to the timers: each duty has the date and the generation that its last decision gave it."""
    found = {
        duty.duty_id: (duty.generation, duty.dating.due_on if duty.state == "open" else None)
        for duty in _duties(road).values()
    }
    if found != dates(road):
        yield f"expected duties {dates(road)}, got {found}"


def no_timer_fires_early(road: Road) -> Iterator[str]:
    """Never early: a breach is told after the last instant of its day, by the clock as it should have been."""
    for one in told(road):
        if one.type == "deadline.breached.v1" and one.at < end_of_day(one.due_on):
            yield f"duty {one.duty_id.int}: breach of {one.due_on} told at {one.at}"


def each_timer_fires_once(road: Road) -> Iterator[str]:
    """Once: no breach is told twice for one generation, nor for a duty whose date had changed or that was met."""
    breaches = Counter((one.duty_id, one.generation) for one in told(road) if one.type == "deadline.breached.v1")
    yield from (
        f"duty {duty.int}, generation {number}: {n} breaches" for (duty, number), n in breaches.items() if n > 1
    )
    newest: dict[UUID, int] = {}
    met = set()
    for one in told(road):
        if one.duty_id in met or one.generation < newest.get(one.duty_id, 0):
            yield f"duty {one.duty_id.int}: {one.type} of generation {one.generation} was told too late"
        newest[one.duty_id] = one.generation
        if one.type == "deadline.met.v1":
            met.add(one.duty_id)


def every_overdue_duty_is_breached(road: Road) -> Iterator[str]:
    """Not silently late: once at rest, each open duty whose day is over has been told so."""
    breached = {(one.duty_id, one.generation) for one in told(road) if one.type == "deadline.breached.v1"}
    for duty_id, (generation, due_on) in dates(road).items():
        over = due_on is not None and end_of_day(due_on) + MINUTE < road.clock.now()
        if over and (duty_id, generation) not in breached:
            yield f"duty {duty_id.int}, generation {generation}: due {due_on}, not breached at {road.clock.now()}"


def each_open_duty_has_one_timer(road: Road) -> Iterator[str]:
    """One timer per duty: of its present date one breach, waiting or told; of any other date none that waits."""
    duties = _duties(road)
    timers: list[RungRow] = list(rows(road.deadlines.store.opened(), "rung"))
    for duty in duties.values():
        of_now = [row for row in timers if row.duty_id == duty.duty_id and row.generation == duty.generation]
        breaches = [row for row in of_now if row.rung.kind == "breach"]
        if duty.state == "open" and len(breaches) != 1:
            yield f"duty {duty.duty_id.int}: expected one breach timer for {duty.dating.due_on}, got {len(breaches)}"
        if any(row.rung.due_at != end_of_day(duty.dating.due_on) for row in breaches if duty.dating.due_on):
            yield f"duty {duty.duty_id.int}: a breach timer of another date than {duty.dating.due_on}"
    for row in timers:
        duty = duties[row.duty_id]
        if row.state == PENDING and (duty.state != "open" or duty.generation != row.generation):
            yield f"duty {row.duty_id.int}: a timer of generation {row.generation} still waits"


def _duties(road: Road) -> dict[UUID, Duty]:
    return {duty.duty_id: duty for duty in rows(road.deadlines.store.opened(), "duty")}


AT_REST = (no_timer_fires_early, each_timer_fires_once, each_open_duty_has_one_timer)
WHEN_ALL_IS_LET_OUT = (duties_stand_as_routing_decided, every_overdue_duty_is_breached)
