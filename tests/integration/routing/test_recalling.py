"""Pins what a database that was restored from a backup takes over of what recipients were sent since then."""

from __future__ import annotations

from typing import Any

import asyncpg
import pytest

from handrail.embedded.postgres import DatabaseAddress
from schemas import deliveries as tell
from services.routing.store.recalling import recall_published
from tests.support.road import Recipients, Road, of
from tests.support.routing import LEEDS, LSCP, POLICE, acknowledged, corrected, reported
from tests.support.routing_app import app, client

LSCP_ID = f"lscp:{LEEDS}"
# The database as a backup had it: rows of deliveries as they were, nothing that was tried or published since.
_RESTORE = (
    """INSERT INTO routing.published_before SELECT event_id, topic, 0, id, id, NULL, NULL, payload, false, key, '0', 0
        FROM routing.outbox WHERE topic = 'safeguarding.deliveries.v1' AND id > {id}""",
    "DELETE FROM routing.outbox WHERE id > {id}",
    "DELETE FROM routing.delivery_history WHERE seq > {seq}",
    "DELETE FROM routing.delivery",
    "INSERT INTO routing.delivery OVERRIDING SYSTEM VALUE SELECT * FROM backup",
    "DROP TABLE backup",
)


class Backup:
    """A backup of what routing knows of its deliveries; `restore` makes it what routing knows."""

    def __init__(self, address: DatabaseAddress) -> None:
        self._address = address
        self._at: dict[str, int] = {}

    async def take(self) -> None:
        connection = await asyncpg.connect(self._address.url())
        try:
            await connection.execute("CREATE TABLE backup AS SELECT * FROM routing.delivery")
            self._at = {
                "id": await connection.fetchval("SELECT coalesce(max(id), 0) FROM routing.outbox"),
                "seq": await connection.fetchval("SELECT coalesce(max(seq), 0) FROM routing.delivery_history"),
            }
        finally:
            await connection.close()

    async def restore(self, road: Road) -> None:
        connection = await asyncpg.connect(self._address.url())
        try:
            for statement in _RESTORE:
                await connection.execute(statement.format(**self._at))
        finally:
            await connection.close()
        async with road.database.begin() as tx:
            await recall_published(tx.connection)


@pytest.fixture
def backup(address: DatabaseAddress) -> Backup:
    return Backup(address)


async def delivery(road: Road) -> dict[str, Any]:
    [row] = await road.rows("SELECT * FROM routing.delivery WHERE recipient = :r AND kind = 'notice'", r=LSCP_ID)
    return dict(row)


async def attempts(road: Road) -> list[tuple[int, str]]:
    history = await road.rows(
        "SELECT h.attempt, h.state FROM routing.delivery_history h JOIN routing.delivery d USING (delivery_id)"
        " WHERE d.recipient = :r AND h.attempt IS NOT NULL ORDER BY h.seq",
        r=LSCP_ID,
    )
    return [(row["attempt"], row["state"]) for row in history]


async def test_what_was_taken_since_is_not_sent_again_also_if_it_was_refused_before(
    road: Road, recipients: Recipients, backup: Backup, address: DatabaseAddress
) -> None:
    addresses = recipients.file.read_text()
    recipients.register("".join(line for line in addresses.splitlines(keepends=True) if LSCP_ID not in line))
    await road.route(reported())
    await recipients.send_all()
    await backup.take()
    recipients.register(addresses)
    await recipients.settle()
    await recipients.send_all()
    taken = await delivery(road)

    await backup.restore(road)
    recipients.endpoints.new.update({LSCP_ID})  # as after a start
    await recipients.settle()
    await recipients.send_all()

    restored = await delivery(road)
    assert len(await recipients.journal(LSCP_ID)) == 1
    assert (restored["state"], restored["reference"]) == ("delivered", taken["reference"])
    async with client(app(address), "auditor") as http:
        shown = (await http.get(f"/v1/cases/{restored['case_key']}/ask", params={"recipient": LSCP_ID})).json()
    assert shown["state"] == "delivered"


async def test_attempts_go_on_being_counted_so_that_a_person_hears_of_one_that_fails_now(
    road: Road, recipients: Recipients, backup: Backup
) -> None:
    await road.route(reported())
    await backup.take()
    await recipients.behave(LSCP_ID, mode="fail", times=1)
    await recipients.send_all()
    await backup.restore(road)
    await road.published()
    await recipients.behave(LSCP_ID, mode="refuse")
    await recipients.send_all()

    [attempted] = [each for each in of(tell.NoticeAttempted, await road.published()) if each.data.recipient == LSCP_ID]
    assert (attempted.data.attempt, attempted.data.outcome, attempted.data.http_status) == (2, "refused", 403)


async def test_who_may_have_a_notice_that_was_tried_since_hears_of_its_withdrawal(
    road: Road, recipients: Recipients, backup: Backup
) -> None:
    report = reported()
    await road.route(report)
    await backup.take()
    await recipients.behave(LSCP_ID, mode="fail", times=1)  # a gateway, behind which it was taken
    await recipients.send_all()
    await backup.restore(road)
    await road.route(corrected(report.id, "harm", "other", POLICE))
    await recipients.send_all()

    assert [entry["body"]["type"] for entry in await recipients.journal(LSCP_ID)] == [
        "notice.v1",
        "notice.withdrawn.v1",
    ]


async def test_what_is_taken_over_twice_changes_nothing_and_what_was_accepted_stays_so(
    road: Road, recipients: Recipients, backup: Backup
) -> None:
    await road.route(reported())
    await recipients.dispatcher.claim_step()
    await road.route(acknowledged((await delivery(road))["notice_id"], LSCP))
    await backup.take()
    await recipients.settle()
    await backup.restore(road)
    once = await attempts(road)
    async with road.database.begin() as tx:
        await recall_published(tx.connection)

    assert once == [(1, "accepted")]
    assert await attempts(road) == once
    assert ((await delivery(road))["state"], (await delivery(road))["attempts"]) == ("accepted", 1)
