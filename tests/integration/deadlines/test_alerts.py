"""Alerts about notices, and taking an alert on."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import orjson
import pytest
from sqlalchemy import text

from schemas.deadlines import AlertAcknowledged, AlertRaised
from services.deadlines.alerting import acknowledge
from services.deadlines.service import UnknownDuty
from services.deadlines.store import alerts
from services.kit.auth import Principal
from services.kit.database import Database
from services.kit.errors import NotFound
from services.kit.reach import EVERYTHING
from tests.support.deadlines import (
    notice_delivered,
    notice_failed,
    notice_held,
    notice_refused,
    notice_superseded,
    notice_withdrawn,
    obligation_withdrawn,
    quarantined,
    resolved,
    restored,
)
from tests.support.deadlines_database import feed, feed_quarantines, published
from tests.support.restored import lacking, lose

ADA = Principal("account-1", "Ada Example", "operations")
BO = Principal("account-2", "Bo Example", "review_officer", "west-yorkshire-police", "police:west-yorkshire")


async def test_a_refused_notice_is_told_to_a_person_and_a_failed_attempt_is_not(database: Database) -> None:
    await feed(database, notice_failed(1), notice_refused(2))

    async with database.connect() as connection:
        (alert,) = await alerts.find(connection, EVERYTHING)
    (raised,) = await published(database)
    assert alert.says == "A notice to police West Yorkshire was not taken (attempt 3): HTTP 422"
    assert isinstance(raised, AlertRaised)
    assert (raised.data.kind, raised.data.reference) == ("notice.refused", str(UUID(int=901)))
    assert raised.causation_id == UUID(int=2)


async def test_a_withdrawal_that_is_refused_too_is_told_to_a_person_although_it_counts_its_attempts_anew(
    database: Database,
) -> None:
    await feed(database, notice_refused(2, attempt=1), notice_withdrawn(3))
    await feed(database, notice_refused(4, attempt=1, of="withdrawal"))

    async with database.connect() as connection:
        assert len(await alerts.find(connection, EVERYTHING)) == 1
    assert len(await published(database)) == 2


async def test_a_process_of_the_release_before_raises_alerts_until_it_is_started_again(database: Database) -> None:
    """The tables are made first. It gives no value for what its alerts do not have, and PostgreSQL takes null for that."""
    raised = {
        "alert_id": UUID(int=1),
        "kind": "notice.refused",
        "severity": "fault",
        "reference": "a notice",
        "says": "!",
    }
    async with database.begin() as tx:
        rows = orjson.dumps([raised | {"raised_at": tx.now}], default=str).decode()
        await tx.connection.execute(
            text("""
                INSERT INTO deadlines.alert
                SELECT * FROM jsonb_populate_recordset(NULL::deadlines.alert, CAST(:rows AS jsonb))
            """),
            {"rows": rows},
        )

    async with database.connect() as connection:
        (alert,) = await alerts.find(connection, EVERYTHING)
    assert (alert.says, alert.since_then, alert.duties) == ("!", "", ())


async def test_of_two_refusals_of_one_notice_the_later_alone_waits_for_a_person(database: Database) -> None:
    await feed(database, notice_refused(2, attempt=3), notice_refused(3, attempt=4))
    await feed(database, notice_refused(4, attempt=5))

    async with database.connect() as connection:
        (alert,) = await alerts.find(connection, EVERYTHING)
    assert "(attempt 5)" in alert.says
    assert len(await published(database)) == 3


@pytest.mark.parametrize("said", [notice_delivered, notice_withdrawn, notice_superseded, notice_held])
async def test_the_alert_goes_once_the_notice_was_taken_or_need_not_be_any_more(database: Database, said: Any) -> None:
    await feed(database, notice_refused(2))

    await feed(database, said(3))

    async with database.connect() as connection:
        assert await alerts.find(connection, EVERYTHING) == []


async def test_the_alert_about_a_withdrawal_stays_until_that_is_taken_whatever_is_heard_of_the_notice(
    database: Database,
) -> None:
    await feed(database, notice_withdrawn(2), notice_refused(3, of="withdrawal"))

    await feed(database, notice_delivered(4), notice_withdrawn(5))  # it had been on its way for long

    async with database.connect() as connection:
        (alert,) = await alerts.find(connection, EVERYTHING)
    assert alert.reference == f"withdrawal of {UUID(int=901)}"
    await feed(database, notice_withdrawn(6, taken=True))
    async with database.connect() as connection:
        assert await alerts.find(connection, EVERYTHING) == []


async def test_an_alert_is_taken_on_by_one_person_whose_name_is_not_published(database: Database) -> None:
    await feed(database, notice_refused(2))
    async with database.connect() as connection:
        (alert,) = await alerts.find(connection, EVERYTHING)

    first = await acknowledge(database, alert.alert_id, ADA)
    second = await acknowledge(database, alert.alert_id, BO)

    assert first.acknowledged_name == second.acknowledged_name == "Ada Example"
    (message,) = await published(database, "alert.acknowledged.v1")
    assert isinstance(message, AlertAcknowledged)
    assert message.data.by == "account-1"
    assert b"Ada" not in message.wire()


async def test_an_alert_that_is_taken_on_once_more_after_a_restore_is_not_lacking_any_more(database: Database) -> None:
    await feed(database, notice_refused(2))
    async with database.connect() as connection:
        (alert,) = await alerts.find(connection, EVERYTHING)
    async with database.begin() as tx:
        undone = await lose(tx.connection, "alert.acknowledged.v1", alert_id=str(alert.alert_id))
        of_another = await lose(tx.connection, "alert.acknowledged.v1", alert_id=str(UUID(int=1)))

    await acknowledge(database, alert.alert_id, BO)

    async with database.connect() as connection:
        assert await lacking(connection) == [of_another]
    (message,) = await published(database, "alert.acknowledged.v1")
    assert isinstance(message, AlertAcknowledged)
    assert message.id not in {undone, of_another}
    assert message.data.by == "account-2"


async def test_an_alert_that_does_not_exist_cannot_be_taken_on(database: Database) -> None:
    with pytest.raises(NotFound):
        await acknowledge(database, UUID(int=404), ADA)


async def test_a_change_to_a_duty_that_was_never_opened_is_refused(database: Database) -> None:
    with pytest.raises(UnknownDuty):
        await feed(database, obligation_withdrawn(1, UUID(int=404)))


async def test_what_a_service_puts_aside_is_told_to_a_person_until_it_is_dealt_with(database: Database) -> None:
    await feed_quarantines(database, quarantined(1), quarantined(1))

    async with database.connect() as connection:
        (alert,) = await alerts.find(connection, EVERYTHING)
    (raised,) = await published(database)
    assert alert.says == "Intake could not process a message and kept it in quarantine: it is not JSON."
    assert isinstance(raised, AlertRaised)
    assert (raised.data.kind, raised.data.severity) == ("record.quarantined", "fault")

    await feed_quarantines(database, resolved(2))

    async with database.connect() as connection:
        assert await alerts.find(connection, EVERYTHING) == []


async def test_what_was_dealt_with_and_is_put_aside_anew_is_told_anew(database: Database) -> None:
    await feed_quarantines(database, quarantined(1), resolved(2), quarantined(3))

    async with database.connect() as connection:
        (alert,) = await alerts.find(connection, EVERYTHING)
    assert alert.kind == "record.quarantined"


async def test_that_a_service_goes_on_from_a_backup_is_told_to_a_person(database: Database) -> None:
    await feed_quarantines(database, restored(1), restored(1))

    async with database.connect() as connection:
        (alert,) = await alerts.find(connection, EVERYTHING)
    (raised,) = await published(database)
    assert alert.says == (
        "The database of routing was restored from a backup. It lacks 12 messages that were published after number 40. "
        "What was kept after the backup and not published yet is gone, and cannot be counted. "
        "What a person took out of quarantine since is held again, and no alert says so."
    )
    assert isinstance(raised, AlertRaised)
    assert (raised.data.kind, raised.data.severity, raised.data.reference) == ("database.restored", "fault", "routing")
    assert raised.causation_id == UUID(int=1)
