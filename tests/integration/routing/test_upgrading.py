"""What an earlier version of the program has stored is read as it was meant: an upgrade alone tells nobody anything."""

from __future__ import annotations

from sqlalchemy import text

from schemas import decisions as say
from schemas import deliveries as tell
from services.routing.announcing import Announcer
from services.routing.service import RoutingService
from tests.support.releases import SECOND, national
from tests.support.road import Recipients, Road, law, laws, of
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


async def test_a_notice_that_waited_while_the_unreleased_version_was_changed_is_sent_once_it_may_be(
    road: Road, recipients: Recipients
) -> None:
    """The text that it rests on stands in no file any more: the guard reads it as it was kept."""
    road.service = RoutingService(laws(national()))
    await road.route(reported(), aware(), suspects())
    road.service = RoutingService(laws())

    published = await road.route(decided("notify"))
    await recipients.send_all()

    assert of(tell.NoticeReleased, published)
    assert not of(tell.NoticeWithdrawn, published)
    assert [entry["body"]["type"] for entry in await recipients.journal("panel")] == ["notice.v1"]
    assert await road.rows("SELECT reason FROM routing.delivery WHERE state = 'refused'") == []


async def test_a_text_is_kept_by_whoever_decides_by_it_and_by_whoever_starts_with_it(road: Road) -> None:
    await road.route(reported())
    await Announcer(road.database, laws(law(), national(SECOND))).step()
    await Announcer(road.database, laws()).step()

    kept = await road.rows("SELECT sha256, text FROM routing.rulebook_text")

    assert {row["sha256"]: row["text"] for row in kept} == {
        each.rulebook.sha256: each.text for each in (law(), national(SECOND))
    }


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
