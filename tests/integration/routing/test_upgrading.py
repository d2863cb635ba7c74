"""What an earlier version of the program has stored is read as it was meant: an upgrade alone tells nobody anything."""

from __future__ import annotations

from datetime import date
from importlib import import_module

import asyncpg
from sqlalchemy import text

from handrail.embedded.postgres import DatabaseAddress
from schemas import decisions as say
from schemas import deliveries as tell
from services.routing.announcing import Announcer
from services.routing.service import RoutingService
from tests.support.releases import SECOND, national
from tests.support.road import Recipients, Road, laws, of
from tests.support.routing import LEEDS, LSCP, acted, aware, corrected, decided, reported, submitted, suspects
from tests.support.rulebooks import law


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


async def test_what_was_stated_of_a_delay_is_read_under_the_names_of_today(
    road: Road, address: DatabaseAddress
) -> None:
    review: dict[str, str | int] = {"review.decision": "proceed", "review.decided_on": "2026-06-01"}
    delay: dict[str, str | int] = {"delay.cause": "inquest", "delay.known_on": "2026-06-10"}
    act = acted("review.delayed.v1", delay | {"delay.panel_told_on": "2026-06-11"}, LSCP, about="d" * 32)
    await road.route(reported(), aware(), suspects(), submitted(), acted("lcspr.decision.made.v1", review))
    await road.route(act, corrected(act.id, "delay.known_on", "2026-06-12", LSCP))
    before = {"review.delay": "delay.cause", "review.delay_known_on": "delay.known_on"}
    before |= {"review.delay_panel_told_on": "delay.panel_told_on"}
    connection = await asyncpg.connect(address.url())
    try:
        for each in before.items():
            await connection.execute("UPDATE routing.fact SET name = $1, subject = 'incident' WHERE name = $2", *each)
        for statement in import_module("services.routing.migrations.0011_each_delay_is_an_item")._STATEMENTS:
            await connection.execute(statement)
    finally:
        await connection.close()

    published = await road.route(decided("defer"))

    told = [each.data for each in of(say.ObligationOpened, published) if each.data.rule == "L-05"]
    met = {each.data.obligation_id for each in of(say.ObligationMet, published)}
    assert {(each.recipients, each.due_on, each.obligation_id in met) for each in told} == {
        (("panel",), date(2026, 6, 16), True),
        (("dfe",), date(2026, 6, 16), False),
    }
