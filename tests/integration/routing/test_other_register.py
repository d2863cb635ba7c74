"""Another register at a start: what is open is decided by it, whatever cuts that short, and nobody is told twice."""

from __future__ import annotations

from dataclasses import replace

import pytest

from schemas import deliveries as tell
from schemas.messages import AnyMessage
from services.routing import deciding_again, succeeding
from services.routing.domain.register import Register
from services.routing.laws import Laws
from services.routing.service import RoutingService
from services.routing.succeeding import Succession
from tests.support.road import Recipients, Road, laws, of
from tests.support.routing import CASE, LEEDS, OTHER_CASE, reported
from tests.support.rulebooks import law

PARTNERSHIP = f"lscp:{LEEDS}"


def without(body: str) -> Laws:
    """Return laws whose register does not know yet which area a body serves."""
    known = law().register
    bodies = [replace(each, areas=()) if each.id == body else each for each in known.bodies.values()]
    return laws(replace(law(), register=Register("an older one", known.areas.values(), bodies)))


async def started(road: Road, by: Laws) -> list[AnyMessage]:
    """Start a routing with a register; return what it published."""
    await Succession(road.database, RoutingService(by), by).step()
    return await road.published()


async def test_whoever_is_registered_after_a_case_was_decided_is_told_without_any_event_and_once(
    road: Road, recipients: Recipients
) -> None:
    older = without(PARTNERSHIP)
    await started(road, older)
    await Road(road.database, RoutingService(older)).route(reported())
    await road.published()
    await recipients.send_all()
    assert await recipients.journal(PARTNERSHIP) == []

    published = await started(road, laws())
    assert await started(road, laws()) == []
    await recipients.send_all()

    assert {each.data.recipient for each in of(tell.NoticeOwed, published)} == {PARTNERSHIP}
    assert [each["body"]["rule"] for each in await recipients.journal(PARTNERSHIP)] == ["N-11"]
    assert [each["body"]["rule"] for each in await recipients.journal(f"la:{LEEDS}")] == ["N-11"]


async def test_whoever_is_told_of_an_area_by_mistake_has_its_notice_taken_back_once_the_register_is_right(
    road: Road, recipients: Recipients
) -> None:
    await started(road, laws())
    await road.route(reported())
    await recipients.send_all()

    await started(road, without(PARTNERSHIP))
    await recipients.send_all()

    assert [each["body"]["type"] for each in await recipients.journal(PARTNERSHIP)] == [
        "notice.v1",
        "notice.withdrawn.v1",
    ]


async def live(road: Road) -> list[str]:
    """Return the cases in which the partnership has a notice that stands."""
    rows = await road.rows(
        "SELECT case_key FROM routing.delivery WHERE kind = 'notice' AND recipient = :to AND state <> 'withdrawn'",
        to=PARTNERSHIP,
    )
    return sorted(row["case_key"] for row in rows)


@pytest.fixture
async def two_cases(road: Road, monkeypatch: pytest.MonkeyPatch) -> Road:
    """Give a road with two cases of which a step decides one."""
    monkeypatch.setattr(deciding_again, "AT_A_STEP", 1)
    await started(road, laws())
    for key in (CASE, OTHER_CASE):
        await road.route(reported(case_key=key))
    return road


async def test_a_start_that_was_cut_short_is_made_up_for_by_the_next(two_cases: Road) -> None:
    older = without(PARTNERSHIP)
    assert await Succession(two_cases.database, RoutingService(older), older).step()
    assert len(await live(two_cases)) == 1

    again = Succession(two_cases.database, RoutingService(older), older)
    while await again.step():
        pass

    assert await live(two_cases) == []


async def test_a_register_that_is_taken_back_before_everything_was_decided_by_it_is_undone(two_cases: Road) -> None:
    older = without(PARTNERSHIP)
    assert await Succession(two_cases.database, RoutingService(older), older).step()
    assert len(await live(two_cases)) == 1

    back = Succession(two_cases.database, two_cases.service, laws())
    while await back.step():
        pass

    assert await live(two_cases) == sorted([CASE, OTHER_CASE])


async def test_what_a_copy_with_the_older_register_decides_meanwhile_is_decided_again_an_hour_later(
    road: Road, monkeypatch: pytest.MonkeyPatch
) -> None:
    older, newer = without(PARTNERSHIP), Succession(road.database, road.service, laws())
    await newer.step()
    await Road(road.database, RoutingService(older)).route(reported())
    await newer.step()
    assert await live(road) == []

    monkeypatch.setattr(succeeding, "AGAIN_AFTER_S", 0.0)
    for _ in range(3):
        await newer.step()

    assert await live(road) == [CASE]
    passes = await road.rows("SELECT pass, done FROM routing.register ORDER BY seq")
    assert [(row["pass"], row["done"]) for row in passes] == [(1, False), (1, True), (2, False), (2, True)]
