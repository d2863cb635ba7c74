"""What the service and its timers rely on in the tables of deadlines, on both kinds of store."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from uuid import UUID

import pytest

from services.deadlines.domain.alert import Alert
from services.deadlines.domain.catch_up import DueRung
from services.deadlines.domain.duty import Dating, Duty
from services.deadlines.domain.guard import Tick
from services.deadlines.domain.ladder import Rung
from services.kit.reach import EVERYTHING, Reach
from tests.support.deadlines import CALENDAR, CASE, NOON, duty, obligation_opened, period
from tests.support.deadlines_backends import Backend
from tests.support.intake_routing import decided

LATE = NOON + timedelta(hours=1)
RUNG = Rung("soon", 3, NOON)
LATER = Rung("breach", 0, LATE + timedelta(hours=1))


def alert(number: int, severity: str = "warning", *, reference: str = "duty") -> Alert:
    breach = severity == "breach"
    return Alert(
        UUID(int=number),
        "deadline.breached" if breach else "deadline.due-soon",
        "breach" if breach else "warning",
        reference,
        "Tell the Panel: due today.",
        NOON,
        case_key=CASE,
    )


async def arm(deadlines: Backend, *duties: Duty, rungs: Sequence[Rung] = (RUNG,), now: datetime = NOON) -> None:
    """Save duties and arm the same rungs for each."""
    async with deadlines.store.begin() as tx:
        await deadlines.tables.duties.save(tx.connection, duties)
        await deadlines.tables.rungs.arm(tx.connection, [(each, rungs) for each in duties], now)


async def claim(deadlines: Backend, now: datetime = LATE) -> list[DueRung]:
    async with deadlines.store.begin() as tx:
        return await deadlines.tables.rungs.claim(tx.connection, [CASE], now)


@pytest.mark.parametrize(
    "kept",
    [
        duty(1, date(2026, 11, 9), date(2026, 11, 2)),
        duty(2, None),
        replace(
            duty(3),
            kind="question",
            rules=("N-01", "N-03"),
            state="met",
            reason="it was answered",
            closed_at=LATE,
            met_on=date(2026, 11, 3),
            generation=4,
            dating=Dating(
                period(1, date(2026, 11, 2)), date(2026, 11, 3), date(2026, 11, 2), provisional=True, calendar=CALENDAR
            ),
        ),
    ],
)
async def test_a_duty_comes_back_as_it_was_saved(deadlines: Backend, kept: Duty) -> None:
    duties = deadlines.tables.duties
    async with deadlines.store.begin() as tx:
        await duties.save(tx.connection, [replace(kept, title="as it was before")])
        await duties.save(tx.connection, [kept])

    async with deadlines.store.begin() as tx:
        assert await duties.load(tx.connection, [kept.duty_id, UUID(int=99)]) == {kept.duty_id: kept}


async def test_a_transaction_that_fails_leaves_no_duty_and_no_rung_behind(deadlines: Backend) -> None:
    async def fail() -> None:
        async with deadlines.store.begin() as tx:
            await deadlines.tables.duties.save(tx.connection, [duty(1)])
            await deadlines.tables.rungs.arm(tx.connection, [(duty(1), [RUNG])], NOON)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()

    async with deadlines.store.begin() as tx:
        assert await deadlines.tables.duties.load(tx.connection, [duty(1).duty_id]) == {}
    assert await claim(deadlines) == []


async def test_a_rung_that_was_due_before_it_was_made_wakes_at_once_and_keeps_its_due_time(deadlines: Backend) -> None:
    await arm(deadlines, duty(1), now=LATE)
    await arm(deadlines, duty(1), now=LATE)  # the same rung again is no second one

    rungs = deadlines.tables.rungs
    async with deadlines.store.begin() as tx:
        assert await rungs.due_cases(tx.connection, LATE, low=LATE - timedelta(seconds=1), limit=10) == (CASE,)
        assert await rungs.next_wake(tx.connection, low=None) == LATE
        assert await rungs.next_wake(tx.connection, low=LATE) is None
    (claimed,) = await claim(deadlines)
    assert claimed.rung == RUNG


async def test_a_poll_looks_above_its_bound_only_and_a_sweep_everywhere(deadlines: Backend) -> None:
    await arm(deadlines, duty(1), rungs=[RUNG, LATER])

    rungs = deadlines.tables.rungs
    async with deadlines.store.begin() as tx:
        assert await rungs.due_cases(tx.connection, LATE, low=NOON, limit=10) == ()
        assert await rungs.due_cases(tx.connection, LATE, low=None, limit=10) == (CASE,)
        assert await rungs.next_wake(tx.connection, low=NOON) == LATER.due_at


async def test_due_cases_come_in_the_order_in_which_they_are_due_and_each_once(deadlines: Backend) -> None:
    second = replace(duty(2), case_key="d" * 32)
    await arm(deadlines, second, rungs=[replace(RUNG, due_at=NOON + timedelta(minutes=2))])
    await arm(deadlines, duty(1), rungs=[RUNG, replace(RUNG, days_left=2, due_at=NOON + timedelta(minutes=1))])

    async with deadlines.store.begin() as tx:
        found = [await deadlines.tables.rungs.due_cases(tx.connection, LATE, low=None, limit=n) for n in (2, 3)]
        behind = await deadlines.tables.rungs.due_cases(tx.connection, LATE, low=None, limit=1, without=[CASE])
    assert found == [(CASE,), (CASE, "d" * 32)]
    assert behind == ("d" * 32,)


async def test_a_rung_that_was_armed_while_the_clock_was_ahead_is_found_by_a_sweep(deadlines: Backend) -> None:
    await arm(deadlines, duty(1), now=NOON + timedelta(days=40))

    rungs = deadlines.tables.rungs
    async with deadlines.store.begin() as tx:
        assert await rungs.due_cases(tx.connection, LATE, low=None, limit=10) == (CASE,)
        assert await rungs.due_cases(tx.connection, NOON - timedelta(seconds=1), low=None, limit=10) == ()
    (claimed,) = await claim(deadlines)
    assert claimed.rung == RUNG


async def test_rungs_are_claimed_in_the_order_in_which_they_are_due_and_not_before(deadlines: Backend) -> None:
    await arm(deadlines, duty(1), rungs=[LATER, RUNG])

    assert [one.rung for one in await claim(deadlines)] == [RUNG]
    assert [one.rung for one in await claim(deadlines, LATER.due_at)] == [RUNG, LATER]


async def test_a_rung_is_claimed_by_one_transaction_at_a_time(deadlines: Backend) -> None:
    await arm(deadlines, duty(1))

    rungs = deadlines.tables.rungs
    async with deadlines.store.begin() as mine, deadlines.store.begin() as other:
        assert len(await rungs.claim(mine.connection, [CASE], LATE)) == 1
        async with asyncio.timeout(60):  # it does not wait
            assert await rungs.claim(other.connection, [CASE], LATE) == []


async def test_a_rung_of_an_older_generation_or_of_a_closed_duty_is_never_claimed(deadlines: Backend) -> None:
    await arm(deadlines, duty(1), replace(duty(2), state="withdrawn", closed_at=LATE))
    async with deadlines.store.begin() as tx:
        await deadlines.tables.duties.save(tx.connection, [replace(duty(1), generation=2)])

    assert await claim(deadlines) == []


async def test_a_rung_that_was_superseded_or_has_fired_is_not_due_any_more(deadlines: Backend) -> None:
    rungs = deadlines.tables.rungs
    await arm(deadlines, duty(1), duty(2), duty(3))
    async with deadlines.store.begin() as tx:
        await rungs.supersede(tx.connection, [duty(1).duty_id], NOON)
        fired, superseded = await rungs.claim(tx.connection, [CASE], LATE)
        await rungs.settle(tx.connection, fired=[fired], superseded=[superseded], now=LATE)

    async with deadlines.store.begin() as tx:
        assert await rungs.due_cases(tx.connection, LATE, low=None, limit=10) == ()
        assert await rungs.next_wake(tx.connection, low=None) is None
    assert await claim(deadlines) == []


async def test_an_alert_is_raised_once_also_by_two_transactions_at_once(deadlines: Backend) -> None:
    raised: list[list[int]] = []

    async def add(*numbers: int) -> None:
        async with deadlines.store.begin() as tx:
            new = await deadlines.tables.alerts.add(tx.connection, map(alert, numbers))
            raised.append([one.alert_id.int for one in new])

    await add(1, 2)
    await asyncio.gather(add(2, 3), add(2, 3))

    assert sorted(raised) == [[], [1, 2], [3]]


async def test_closing_leaves_breaches_and_what_is_about_something_else_open(deadlines: Backend) -> None:
    alerts = deadlines.tables.alerts
    async with deadlines.store.begin() as tx:
        await alerts.add(tx.connection, [alert(1), alert(2, "breach"), alert(3, reference="another"), alert(4)])
        await alerts.acknowledge(tx.connection, UUID(int=4), by="account-1", name="Ada Example", now=NOON)
        await alerts.close(tx.connection, ["duty"], "the duty was closed", LATE)
        await alerts.close(tx.connection, ["duty"], "closed again", LATE)

    async with deadlines.store.begin() as tx:
        found = [await alerts.get(tx.connection, EVERYTHING, UUID(int=number)) for number in (1, 2, 3, 4)]
    assert [one and one.closed_because for one in found] == ["the duty was closed", None, None, None]


async def test_what_has_become_of_a_duty_is_said_beside_its_open_breaches_alone(deadlines: Backend) -> None:
    alerts = deadlines.tables.alerts
    async with deadlines.store.begin() as tx:
        await alerts.add(
            tx.connection,
            [alert(1, "breach"), alert(2), alert(3, "breach", reference="another"), alert(4, "breach")],
        )
        await alerts.acknowledge(tx.connection, UUID(int=4), by="account-1", name="Ada Example", now=NOON)
        await alerts.tell_since(tx.connection, {"duty": "It was met."})
        await alerts.tell_since(tx.connection, {"duty": "It is withdrawn."})
        await alerts.tell_since(tx.connection, {})

    async with deadlines.store.begin() as tx:
        found = [await alerts.get(tx.connection, EVERYTHING, UUID(int=number)) for number in (1, 2, 3, 4)]
    assert [one and one.since_then for one in found] == ["It is withdrawn.", "", "", ""]


async def test_the_first_person_to_acknowledge_stands(deadlines: Backend) -> None:
    alerts = deadlines.tables.alerts
    async with deadlines.store.begin() as tx:
        await alerts.add(tx.connection, [alert(1)])
        first = await alerts.acknowledge(tx.connection, UUID(int=1), by="account-1", name="Ada Example", now=NOON)
        second = await alerts.acknowledge(tx.connection, UUID(int=1), by="account-2", name="Bo Example", now=LATE)
        nobody = await alerts.acknowledge(tx.connection, UUID(int=9), by="account-2", name="Bo Example", now=LATE)

    async with deadlines.store.begin() as tx:
        found = await alerts.get(tx.connection, EVERYTHING, UUID(int=1))
    assert (first, second, nobody) == (True, False, False)
    assert found == replace(
        alert(1), acknowledged_at=NOON, acknowledged_by="account-1", acknowledged_name="Ada Example"
    )


async def test_an_alert_is_shown_to_the_parties_to_its_case(deadlines: Backend) -> None:
    opened = obligation_opened(1, UUID(int=1), date(2026, 11, 9))
    async with deadlines.store.begin() as tx:
        await deadlines.tables.parties.add(tx.connection, [opened, opened])
        await deadlines.tables.alerts.add(tx.connection, [alert(1)])

    async with deadlines.store.begin() as tx:
        for reach, shown in (
            (Reach((opened.data.duty_holder,)), True),
            (Reach(("la:other",)), False),
            (Reach(), False),
        ):
            found = await deadlines.tables.alerts.get(tx.connection, reach, UUID(int=1))
            assert (found is not None) is shown


async def test_an_alert_about_a_question_is_shown_to_whoever_is_asked_and_one_about_another_duty_is_not(
    deadlines: Backend,
) -> None:
    asked, owing = replace(duty(1), kind="question", duty_holder="la:E09000032"), duty(2)
    async with deadlines.store.begin() as tx:
        await deadlines.tables.duties.save(tx.connection, [asked, owing])
        about = [alert(each.duty_id.int, reference=str(each.duty_id)) for each in (asked, owing)]
        await deadlines.tables.alerts.add(tx.connection, [*about, alert(3, reference="a clock reading")])

    async with deadlines.store.begin() as tx:
        for reach, shown in (
            (Reach((asked.duty_holder,)), [True, False, False]),
            (Reach((owing.duty_holder,)), [False, False, False]),
        ):
            found = [await deadlines.tables.alerts.get(tx.connection, reach, UUID(int=number)) for number in (1, 2, 3)]
            assert [one is not None for one in found] == shown


async def test_a_digest_is_shown_to_its_holder_alone_and_goes_with_the_last_of_its_duties(
    deadlines: Backend,
) -> None:
    tables, holder = deadlines.tables, duty(1).duty_holder
    mine, other, asked = (
        duty(1),
        replace(duty(2), case_key="d" * 32),
        replace(duty(3), kind="question", case_key="e" * 32),
    )
    told = [obligation_opened(9, each.duty_id, each.dating.due_on, case_key=each.case_key) for each in (mine, other)]
    digest = replace(
        alert(1, reference=holder),
        kind="deadline.digest",
        case_key=None,
        duties=(mine.duty_id, other.duty_id, asked.duty_id),
    )
    async with deadlines.store.begin() as tx:
        await tables.duties.save(tx.connection, [mine, other, asked])
        await tables.parties.add(tx.connection, [*told, decided(CASE, reporters=("leeds-police",))])
        await tables.alerts.add(tx.connection, [digest, replace(digest, alert_id=UUID(int=2), duties=())])

    found = []
    for left in ((), (other.duty_id,), (asked.duty_id, UUID(int=9)), (mine.duty_id,)):
        async with deadlines.store.begin() as tx:
            await tables.alerts.leave_digests(tx.connection, left, "they are met", LATE)
            shown = [
                await tables.alerts.get(tx.connection, reach, UUID(int=number))
                for reach in (Reach((holder,)), Reach(("client:leeds-police",)), Reach(("la:other",)))
                for number in (1, 2)
            ]
            whole = await tables.alerts.get(tx.connection, EVERYTHING, UUID(int=1))
            assert whole is not None
            found.append(([one is not None for one in shown], len(whole.duties), whole.closed_because))

    assert found == [
        ([True, False, False, False, False, False], 3, None),
        ([True, False, False, False, False, False], 2, None),
        ([True, False, False, False, False, False], 1, None),  # in a case of the police, who never saw the others
        ([False] * 6, 0, "they are met"),
    ]


async def test_the_last_trusted_tick_is_kept(deadlines: Backend) -> None:
    clock = deadlines.tables.clock
    async with deadlines.store.begin() as tx:
        before = await clock.last_tick(tx.connection)
        await clock.save_tick(tx.connection, Tick(NOON, NOON, 0))
        await clock.save_tick(tx.connection, Tick(LATE, NOON, 3600))

    async with deadlines.store.begin() as tx:
        assert before is None
        assert await clock.last_tick(tx.connection) == Tick(LATE, NOON, 3600)
        assert (await clock.read(tx.connection, LATE)).witness_at == LATE
