"""Several versions of the rulebook at once, on a real database: a case keeps the one that it was decided by."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

import pytest

from schemas import decisions as say
from services.routing.missing import NoSuchRulebook
from services.routing.service import RoutingService
from tests.support.releases import FIRST, LATER_REFERRAL, NO_PARTNERSHIP, SECOND, national
from tests.support.road import Road, laws, of
from tests.support.routing import CASE, OTHER_CASE, aware, linked, reported

OLD = national()
NEW = national(SECOND, NO_PARTNERSHIP, LATER_REFERRAL)


def versions(messages: Iterable[Any]) -> dict[str | None, str]:
    return {each.case_key: each.data.rulebook.version for each in of(say.CaseDecided, messages)}


def due(messages: Iterable[Any]) -> set[tuple[tuple[str, ...], date | None]]:
    return {(each.data.recipients, each.data.due_on) for each in of(say.ObligationOpened, messages)}


async def test_a_case_keeps_its_version_and_its_duties_and_a_new_case_takes_the_newest(road: Road) -> None:
    road.service = RoutingService(laws(OLD))
    await road.route(reported())

    road.service = RoutingService(laws(OLD, NEW))
    again = await road.route(reported())
    new = await road.route(reported(case_key=OTHER_CASE))

    assert versions(again) == {CASE: FIRST}
    assert not of(say.ObligationRedated, again)
    assert not of(say.ObligationWithdrawn, again)
    assert versions(new) == {OTHER_CASE: SECOND}
    assert due(new) == {(("la:E08000035",), date(2026, 6, 3))}  # Monday 1 June + 2 working days; no partnership


async def test_what_a_case_owes_later_is_owed_under_its_own_version_too(road: Road) -> None:
    road.service = RoutingService(laws(OLD))
    await road.route(reported())

    road.service = RoutingService(laws(OLD, NEW))
    later = await road.route(aware())

    opened = of(say.ObligationOpened, later) + of(say.ObligationMet, later)
    assert versions(later) == {CASE: FIRST}
    assert opened
    assert {each.data.rulebook.version for each in of(say.ObligationOpened, later)} <= {FIRST}


async def test_linked_cases_are_decided_together_by_the_newest_of_their_versions(road: Road) -> None:
    road.service = RoutingService(laws(OLD))
    await road.route(reported())
    road.service = RoutingService(laws(OLD, NEW))
    await road.route(reported(case_key=OTHER_CASE))

    published = await road.route(linked())

    assert versions(published) == {CASE: SECOND, OTHER_CASE: SECOND}


async def test_a_process_that_lacks_the_version_of_a_case_decides_nothing_about_it(road: Road) -> None:
    road.service = RoutingService(laws(OLD, NEW))
    await road.route(reported())
    road.service = RoutingService(laws(OLD))

    with pytest.raises(NoSuchRulebook, match=f"{SECOND} is not released; versions that count: {FIRST}"):
        await road.route(reported())

    assert [row["revision"] for row in await road.rows("SELECT revision FROM routing.decision")] == [1]
