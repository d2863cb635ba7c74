"""What an earlier version of the program has stored is read as it was meant: an upgrade alone tells nobody anything."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from importlib import import_module

import asyncpg
from sqlalchemy import text

from handrail.embedded.postgres import DatabaseAddress
from schemas import decisions as say
from schemas import deliveries as tell
from schemas.identity import only_item
from services.routing.announcing import Announcer
from services.routing.service import RoutingService
from tests.support.releases import SECOND, national
from tests.support.road import Recipients, Road, laws, move_clock, of
from tests.support.routing import (
    COUNCIL,
    LEEDS,
    LSCP,
    OTHER_CASE,
    WANDSWORTH,
    acted,
    aware,
    corrected,
    decided,
    linked,
    reported,
    submitted,
    suspects,
)
from tests.support.rulebooks import law

ITEMS = import_module("services.routing.migrations.0011_each_delay_placement_and_withdrawal_is_an_item")
DELAY, LATER_DELAY, WITHDRAWAL, PLACEMENT = "d" * 32, "c" * 32, "e" * 32, "f" * 32
REVIEW: dict[str, str | int] = {"review.decision": "proceed", "review.decided_on": "2026-06-01"}
PLACED: dict[str, str | int] = {
    "placement.made_on": "2026-06-01",
    "placement.by": WANDSWORTH,
    "placement.in_area": LEEDS,
}
DELAYED: dict[str, str | int] = {"delay.cause": "inquest", "delay.known_on": "2026-06-10"}
_EARLIER_NAMES = """(VALUES ('review.delay', 'delay.cause'), ('review.delay_known_on', 'delay.known_on'),
    ('review.expected_on', 'delay.expected_on'), ('review.delay_panel_told_on', 'delay.panel_told_on')) AS r(before, now)"""
# Stores what is stored as it was before each delay, placement and withdrawal was an item.
_BEFORE = (
    f"""UPDATE routing.fact SET name = r.before, subject = 'incident' FROM {_EARLIER_NAMES}
        WHERE name = r.now AND (subject = '{DELAY}' OR corrects IS NOT NULL)""",  # noqa: S608
    # That the Panel was told of a delay was kept under both names for a while.
    f"""INSERT INTO routing.fact SELECT event_id, 'incident', 'review.delay_panel_told_on', case_key, authority, value, occurred_at,
        recorded_at, corrects FROM routing.fact WHERE name = 'delay.panel_told_on' AND subject = '{LATER_DELAY}'""",  # noqa: S608
    "UPDATE routing.fact SET subject = 'incident' WHERE starts_with(name, 'placement.')",
    "DELETE FROM routing.fact WHERE starts_with(name, 'withdrawal.')",
    f"""UPDATE routing.delivery SET payload = jsonb_set(payload, '{{grant,subject}}', '"incident"')
        WHERE payload #>> '{{grant,subject}}' IN ('{DELAY}', '{WITHDRAWAL}', '{PLACEMENT}')""",  # noqa: S608
    f"""UPDATE routing.obligation SET subject = 'incident', opened = jsonb_set(opened, '{{subject}}', '"incident"'),
        anchor = CASE rule WHEN 'L-05' THEN 'review.decided_on of incident' WHEN 'R-06' THEN 'notification.submitted_on of ' || duty_holder
            ELSE 'placement.made_on of incident' END WHERE subject IN ('{DELAY}', '{WITHDRAWAL}', '{PLACEMENT}')""",  # noqa: S608
    f"""UPDATE routing.question SET opened = jsonb_set(opened, '{{subject}}', '"incident"') WHERE opened ->> 'subject' = '{PLACEMENT}'""",  # noqa: S608
    f"""UPDATE routing.question SET opened = opened || jsonb_build_object('fact', r.before, 'subject', 'incident')
        FROM {_EARLIER_NAMES} WHERE opened ->> 'fact' = r.now""",  # noqa: S608
)


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


async def test_a_delivery_of_an_earlier_version_changed_last_when_its_history_says(
    road: Road, recipients: Recipients, address: DatabaseAddress
) -> None:
    async def changed_at() -> dict[str, datetime]:
        return {r["recipient"]: r["changed_at"] for r in await road.rows("SELECT recipient, changed_at FROM delivery")}

    council, upgraded_at = f"la:{LEEDS}", datetime(2030, 1, 1, tzinfo=UTC)
    await road.route(reported())
    await move_clock(address, timedelta(hours=1))
    await recipients.send_all()
    before = await changed_at()
    connection = await asyncpg.connect(address.url())
    try:
        await connection.execute("UPDATE routing.delivery SET changed_at = $1", upgraded_at)
        await connection.execute(
            """DELETE FROM routing.delivery_history h USING routing.delivery d
            WHERE d.delivery_id = h.delivery_id AND d.recipient = $1""",
            council,
        )
        await connection.execute(import_module("services.routing.migrations.0002_claim_by_index")._BACKFILL)
    finally:
        await connection.close()

    assert await changed_at() == before | {council: upgraded_at}


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


async def test_of_a_delay_a_placement_and_a_withdrawal_of_before_nobody_is_told_anew(
    road: Road, recipients: Recipients, address: DatabaseAddress
) -> None:
    """A case had one of each; what is owed, was told or met stays as it is."""
    withdrawn: dict[str, str | int] = {"notification.withdrawn": "duplicate", "notification.withdrawn_on": "2026-06-10"}
    withdrawn |= {"withdrawal.reason": "duplicate", "withdrawal.made_on": "2026-06-10"}
    delay = acted("review.delayed.v1", DELAYED, about=DELAY, case_key=OTHER_CASE)
    await road.route(reported(), aware(), suspects(), submitted(), acted("lcspr.decision.made.v1", REVIEW), linked())
    told = await road.route(
        delay,
        corrected(delay.id, "delay.known_on", "2026-06-09", LSCP, case_key=OTHER_CASE),
        acted("review.delayed.v1", DELAYED | {"delay.panel_told_on": "2026-06-12"}, about=LATER_DELAY),
        acted("scsi.notification.withdrawn.v1", withdrawn, COUNCIL, about=WITHDRAWAL),
        acted("placement.made.v1", PLACED, COUNCIL, about=PLACEMENT),
    )
    await _run(address, (*_BEFORE, *ITEMS.STATEMENTS))

    published = await road.route(aware())
    await recipients.send_all()

    owed = {(each.data.rule, each.data.subject) for each in of(say.ObligationOpened, told)}
    assert owed >= {("L-05", DELAY), ("L-05", LATER_DELAY), ("R-06", WITHDRAWAL), ("N-22", PLACEMENT)}
    assert {type(each) for each in published} == {say.CaseDecided}
    assert (
        await road.rows("SELECT rule FROM routing.obligation WHERE rule IN ('L-05', 'R-06') AND subject = 'incident'")
        == []
    )
    assert await road.rows("SELECT rule, reason FROM routing.delivery WHERE state = 'refused'") == []


async def test_what_is_asked_of_a_delay_of_before_is_asked_still(road: Road, address: DatabaseAddress) -> None:
    delay = acted("review.delayed.v1", DELAYED, about=DELAY)
    placement = acted("placement.made.v1", PLACED, COUNCIL, about=PLACEMENT)
    await road.route(
        reported(), aware(), suspects(), submitted(), acted("lcspr.decision.made.v1", REVIEW), delay, placement
    )
    asked = await road.route(
        corrected(delay.id, "delay.known_on", None, LSCP), corrected(placement.id, "placement.in_area", None, COUNCIL)
    )
    await _run(address, (*_BEFORE, *ITEMS.STATEMENTS))

    published = await road.route(aware())

    assert {each.data.fact for each in of(say.QuestionOpened, asked)} >= {"delay.known_on", "placement.in_area"}
    assert {type(each) for each in published} == {say.CaseDecided}
    open_now = await road.rows("SELECT opened FROM routing.question WHERE state = 'open'")
    about = {each["opened"]["fact"]: each["opened"]["subject"] for each in open_now}
    assert (about["delay.known_on"], about["placement.in_area"]) == (only_item("delay"), only_item("placement"))


async def _run(address: DatabaseAddress, statements: Iterable[str]) -> None:
    """Run these as the owner of the tables, as a migration does."""
    connection = await asyncpg.connect(address.url())
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()
