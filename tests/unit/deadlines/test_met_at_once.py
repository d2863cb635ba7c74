"""What is overdue when it is opened, and met by the same decision: the two messages may come apart."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

import pytest

from schemas import decisions
from schemas.calendar import load_england
from schemas.envelope import Envelope
from services.deadlines.firing import Firing
from services.deadlines.service import DeadlinesService
from services.deadlines.watch import ClockWatch
from services.kit.codec import Event
from tests.support.deadlines import CASE, NOON, obligation_met, obligation_opened, obligation_redated
from tests.support.deadlines_memory import memory_tables, rows
from tests.support.self_connected import SelfConnectedStore

DUTY = UUID(int=1)
OVER, AHEAD = date(2026, 10, 30), date(2026, 11, 9)  # it is Monday 2 November
OPENED = obligation_opened(11, DUTY, OVER, from_on=date(2026, 10, 23))
MOVED = obligation_redated(12, DUTY, OVER, date(2026, 10, 23))


def met_by_then(message: Any) -> Any:
    return message.model_copy(update={"data": message.data.model_copy(update={"already_met": True})})


async def breaches(*batches: tuple[Envelope, ...]) -> int:
    """Return how many duties are told as missed where all timers that are due fire between two batches."""
    store, tables = SelfConnectedStore("deadlines", NOON), memory_tables(lambda: (NOON, 0))
    service = DeadlinesService(load_england(), tables)
    firing = Firing(store, load_england(), ClockWatch(store, lambda: NOON, tables), tables)  # type: ignore[arg-type] # what they ask of a database
    for batch in batches:
        async with store.begin() as tx:
            events = [Event(message, b"", "topic", 0, offset) for offset, message in enumerate(batch)]
            await tx.lock_cases([CASE])
            await service.follow(events, tx)
        await firing.one_pass()
    return sum(alert.kind == "deadline.breached" for alert in rows(store.opened(), "alert"))


@pytest.mark.parametrize(
    ("batches", "told"),
    [
        ([(met_by_then(OPENED),), (obligation_met(13, DUTY, NOON),)], 0),
        ([(met_by_then(OPENED), obligation_met(13, DUTY, NOON))], 0),
        ([(obligation_opened(10, DUTY, AHEAD),), (met_by_then(MOVED),), (obligation_met(13, DUTY, NOON),)], 0),
        ([(OPENED,), (obligation_met(13, DUTY, NOON),)], 1),  # met by a later decision
        ([(met_by_then(OPENED), obligation_met(13, DUTY, NOON), OPENED)], 1),  # and opened again
    ],
)
async def test_what_is_met_by_the_decision_that_opens_or_dates_it_is_never_told_as_missed(
    batches: list[tuple[Envelope, ...]], told: int
) -> None:
    assert await breaches(*batches) == told


def test_a_message_of_before_says_nothing_of_it() -> None:
    kept = OPENED.model_dump(mode="json")
    del kept["data"]["already_met"]

    assert not decisions.ObligationOpened.model_validate(kept, strict=False).data.already_met
