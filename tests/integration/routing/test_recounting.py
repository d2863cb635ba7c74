"""A bank holiday is proclaimed: open duties are counted again, and whoever was told the old day hears of the new one."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

from schemas import decisions as say
from schemas import deliveries as tell
from schemas.calendar.holiday import Holiday
from schemas.messages import AnyMessage
from services.routing.recounting import Recount
from services.routing.service import RoutingService
from services.routing.store import loading
from tests.support.road import Recipients, Road, laws, of
from tests.support.routing import CASE, LEEDS, aware, decided, reported, submitted, suspects
from tests.support.rulebooks import law

OLD, NEW = date(2026, 6, 8), date(2026, 6, 9)  # Monday 1 June 2026 + 5 working days, without and with Thursday 4 June
PROCLAIMED = Holiday("Invented holiday", "proclamation", "An invented proclamation", date(2026, 6, 2))
WHY = "counted from aware_on: working days are now counted with the calendar 2026.11.1"


async def started(road: Road) -> list[AnyMessage]:
    """Start a routing with the calendar of today; return what it published."""
    await Recount(road.database, road.service, laws()).step()
    return await road.published()


async def counted_otherwise(road: Road) -> dict[str, int]:
    async with road.database.connect() as connection:
        return await loading.counted_otherwise(connection, law().calendar_ref)


async def upgraded(road: Road) -> list[AnyMessage]:
    """Start a routing whose calendar has one holiday more; return what it published."""
    calendar = law().calendar
    holidays = {**calendar.holidays, date(2026, 6, 4): PROCLAIMED}
    newer = laws(replace(law(), calendar=replace(calendar, version="2026.11.1", sha256="0" * 64, holidays=holidays)))
    await Recount(road.database, RoutingService(newer), newer).step()
    return await road.published()


async def test_a_duty_whose_days_span_a_new_holiday_is_due_a_day_later_and_says_why(road: Road) -> None:
    await road.route(reported(), aware(), suspects())

    published = await upgraded(road)

    moved = [each.data for each in of(say.ObligationRedated, published)]
    assert {(each.old_due_on, each.due_on, each.reason) for each in moved} == {(OLD, NEW, WHY)}
    [conclusion] = of(say.CaseDecided, published)
    assert conclusion.data.event_ids == ()
    assert {each.calendar for each in moved} == {conclusion.data.calendar} == {"2026.11.1 000000000000"}


async def test_whoever_was_told_the_old_day_gets_a_notice_that_corrects_it(road: Road, recipients: Recipients) -> None:
    await road.route(reported(), aware(), suspects(), decided("notify"))
    await recipients.send_all()

    await upgraded(road)
    await recipients.send_all()

    first, second = [e["body"] for e in await recipients.journal("panel") if e["body"]["rule"] == "N-01"]
    assert (first["due_on"], first["corrects"]) == (OLD.isoformat(), None)
    assert (second["due_on"], second["corrects"]["old_due_on"]) == (NEW.isoformat(), OLD.isoformat())


async def test_what_is_met_keeps_its_day_and_its_notice(road: Road, recipients: Recipients) -> None:
    await road.route(reported(), aware(), suspects(), decided("notify"))
    await recipients.send_all()
    await road.route(submitted())

    published = await upgraded(road)

    panel = await road.rows("SELECT obligation_id FROM routing.obligation WHERE rule = 'N-01'")
    identities = {row["obligation_id"] for row in panel}
    assert identities
    assert not identities & {each.data.obligation_id for each in of(say.ObligationRedated, published)}
    assert not [each for each in of(tell.NoticeOwed, published) if each.data.rule == "N-01"]


async def test_a_question_whose_day_is_proclaimed_a_holiday_is_put_again_once_with_the_next_working_day(
    road: Road,
) -> None:
    wednesday = datetime(2026, 6, 3, 9, tzinfo=UTC)  # to be answered on Thursday 4 June
    put = of(say.QuestionOpened, await road.route(reported(at=wednesday)))
    before = await road.rows("SELECT question_id, opened_at FROM routing.question ORDER BY question_id")

    again = of(say.QuestionOpened, await upgraded(road))

    assert {each.data.due_on for each in put} == {date(2026, 6, 4)}
    assert {each.data.question_id for each in again} == {each.data.question_id for each in put} != set()
    assert {(each.data.period.from_on, each.data.due_on) for each in again} == {(date(2026, 6, 3), date(2026, 6, 5))}
    assert await road.rows("SELECT question_id, opened_at FROM routing.question ORDER BY question_id") == before
    assert await upgraded(road) == []


async def test_a_day_beyond_the_calendar_that_the_next_calendar_confirms_is_confirmed_once(road: Road) -> None:
    england = law().calendar
    until = date(2026, 6, 5)
    holidays = {day: each for day, each in england.holidays.items() if day <= until}
    shorter = replace(england, version="2026.10.0", sha256="0" * 64, covers_to=until, holidays=holidays)
    road.service = RoutingService(laws(replace(law(), calendar=shorter)))
    opened = of(say.ObligationOpened, await road.route(reported(), aware(), suspects()))
    before = await counted_otherwise(road)

    road.service = RoutingService(laws())
    confirmed = of(say.ObligationRedated, await started(road))

    beyond = {each.data.obligation_id: each.data.due_on for each in opened if each.data.provisional}
    assert {each.data.obligation_id: each.data.due_on for each in confirmed} == beyond
    assert set(beyond.values()) == {OLD}
    assert {(each.data.old_due_on, each.data.provisional) for each in confirmed} == {(OLD, False)}
    assert (list(before), await counted_otherwise(road)) == ([CASE], {})
    assert of(say.ObligationRedated, await started(road)) == []


async def test_nothing_is_said_twice_nor_of_a_calendar_that_stays(road: Road) -> None:
    await road.route(reported(), aware(), suspects())
    await road.published()

    assert await started(road) == []
    assert await started(road) == []
    assert await upgraded(road) != []
    assert await upgraded(road) == []


async def test_a_case_whose_days_do_not_span_it_hears_nothing(road: Road) -> None:
    later = date(2026, 6, 8)
    await road.route(reported(on=later), aware(on=later), suspects(since=later))

    assert of(say.ObligationRedated, await upgraded(road)) == []
    assert await road.rows("SELECT 1 FROM routing.obligation WHERE duty_holder = :of", of=f"la:{LEEDS}")


async def test_it_is_published_once_which_days_came_and_went_and_how_many_duties_are_looked_at(road: Road) -> None:
    await road.route(reported(), aware(), suspects())
    await started(road)
    duties = await road.rows("SELECT 1 FROM routing.obligation WHERE state = 'open'")

    [forth] = of(say.CalendarUpdated, await upgraded(road))
    again = of(say.CalendarUpdated, await upgraded(road))
    [back] = of(say.CalendarUpdated, await started(road))

    added = say.HolidayOn(day=date(2026, 6, 4), title="Invented holiday", source="An invented proclamation")
    assert (forth.data.added, forth.data.removed, forth.case_key) == ((added,), (), None)
    assert (forth.data.calendar_before, forth.data.calendar) == (law().calendar_ref, "2026.11.1 000000000000")
    assert forth.data.open_duties == len(duties) > 0
    assert again == []
    assert (back.data.added, back.data.removed) == ((), (added,))
    assert (back.data.calendar_before, back.data.calendar) == ("2026.11.1 000000000000", law().calendar_ref)
