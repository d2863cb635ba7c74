"""What an earlier version of the program has stored is read as it was meant: an upgrade alone tells nobody anything."""

from __future__ import annotations

from sqlalchemy import text

from schemas import decisions as say
from schemas import deliveries as tell
from tests.support.road import Road, of
from tests.support.routing import LEEDS, aware, corrected, decided, reported, suspects


async def test_duties_that_were_published_before_there_were_editions_are_not_published_again(road: Road) -> None:
    became = aware()
    await road.route(reported(), became, suspects())
    async with road.database.begin() as tx:
        await tx.connection.execute(text("UPDATE routing.obligation SET opened = opened - 'editions'"))

    published = await road.route(decided("defer"))

    assert not of(say.ObligationOpened, published)
    assert not of(tell.NoticeOwed, published)
    assert not of(tell.NoticeWithdrawn, published)


async def test_a_duty_that_comes_under_another_edition_is_published_again(road: Road) -> None:
    """From an edition to another, and from none (a day before the first) to one: what is stored says that there was none."""
    became = aware()
    await road.route(reported(), became, suspects())
    async with road.database.begin() as tx:
        await tx.connection.execute(
            text("UPDATE routing.obligation SET opened = jsonb_set(opened, '{editions}', '[]')")
        )

    published = await road.route(corrected(became.id, "aware_on", "2026-06-02"))

    assert {each.data.rule for each in of(say.ObligationOpened, published)} >= {"N-01", "N-03"}
    assert {each.data.duty_holder for each in of(say.ObligationOpened, published)} >= {f"la:{LEEDS}"}
