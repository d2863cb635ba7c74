"""What an alert is named after: a timer of a duty, and not the number of its row, which a restored database gives again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from schemas.calendar import load_england
from services.deadlines import translate
from services.deadlines.domain.alert import Alert
from services.deadlines.domain.duty import Duty
from services.deadlines.domain.ladder import Rung
from services.deadlines.firing import DIGEST_OVER, Firing
from services.deadlines.watch import ClockWatch
from tests.support.deadlines import NOON, duty
from tests.support.deadlines_memory import memory_tables, rows
from tests.support.self_connected import SelfConnectedStore

RUNG = Rung("soon", 3, NOON - timedelta(hours=1))


async def raised(*duties: Duty) -> dict[str, UUID]:
    """Fire a rung of each duty on a new database, whose numbers begin anew; return the alerts' ids by reference."""
    store, tables = SelfConnectedStore("deadlines", NOON), memory_tables(lambda: (NOON, 0))
    async with store.begin() as tx:
        await tables.duties.save(tx.connection, duties)
        await tables.rungs.arm(tx.connection, [(each, (RUNG,)) for each in duties], NOON)
    watch = ClockWatch(store, lambda: NOON, tables)  # type: ignore[arg-type] # what it asks of a database
    await Firing(store, load_england(), watch, tables).one_pass()  # type: ignore[arg-type]
    alerts: Iterable[Alert] = rows(store.opened(), "alert")
    return {alert.reference: alert.alert_id for alert in alerts}


async def test_a_timer_under_a_number_that_was_given_before_has_an_alert_of_its_own() -> None:
    before, restored = await raised(duty(1)), await raised(duty(2))

    assert set(before.values()).isdisjoint(restored.values())


async def test_a_timer_that_is_armed_again_under_another_number_has_the_same_alert() -> None:
    before, restored = await raised(duty(1)), await raised(duty(2), duty(1))

    assert before.items() <= restored.items()


async def test_another_dating_of_a_duty_has_an_alert_of_its_own() -> None:
    assert await raised(duty(1)) != await raised(replace(duty(1), generation=2))


async def test_a_digest_is_named_after_the_first_timer_that_it_stands_for() -> None:
    many = [duty(number) for number in range(1, DIGEST_OVER + 3)]

    before, restored, others = await raised(*many), await raised(*many), await raised(*many[1:])

    assert list(before) == ["la:E08000035"]
    assert before == restored != others


def test_taking_an_alert_on_once_more_after_a_restore_is_a_message_of_its_own() -> None:
    alert = Alert(UUID(int=1), "deadline.breached", "breach", "duty", "Tell the Panel: due today.", NOON)

    anna = translate.alert_acknowledged(alert, "anna", translate.Stamp(NOON))
    bob = translate.alert_acknowledged(alert, "bob", translate.Stamp(NOON + timedelta(minutes=1)))

    assert anna.data.alert_id == bob.data.alert_id
    assert anna.id != bob.id
