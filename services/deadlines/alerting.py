"""Raising and acknowledging alerts: the row and its message in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from schemas import topics
from services.deadlines import translate
from services.deadlines.domain.alert import Alert
from services.deadlines.store import Alerts, alerts
from services.kit.auth import Principal
from services.kit.database import Database
from services.kit.errors import Forbidden, NotFound
from services.kit.reach import reach_of
from services.kit.transaction import Transaction


async def raise_alerts(
    tx: Transaction, raised: Sequence[Alert], *, causation_id: UUID | None = None, table: Alerts = alerts
) -> None:
    """Keep alerts and announce those that are new; the caller holds the locks of their cases."""
    for alert in await table.add(tx.connection, raised):
        tx.emit(topics.DEADLINES, translate.alert_raised(alert, _stamp(alert, tx, causation_id)), key=_key(alert))


def may_acknowledge(person: Principal, kind: str) -> bool:
    """Say whether a person who reads an alert of this kind may take it on: only operations work the quarantine.

    What another took on would leave the list, and the case would stay parked unseen.
    """
    return kind != "record.quarantined" or person.role == "operations"


async def acknowledge(database: Database, alert_id: UUID, person: Principal, *, table: Alerts = alerts) -> Alert:
    """Record that a signed-in person takes an alert on, and announce it; the first to do so stands.

    Raises:
        NotFound: There is no such alert, or it is about a case that this person may not read.
        Forbidden: It is for operations alone.
    """
    reach = reach_of(person)
    async with database.connect() as connection:
        alert = await table.get(connection, reach, alert_id)
    if alert is None:
        raise NotFound("There is no alert with this id.")
    if not may_acknowledge(person, alert.kind):
        raise Forbidden(
            "Only operations may acknowledge an alert about the quarantine. Ask them to retry or discard what is in it."
        )
    async with database.begin() as tx:
        await tx.lock_cases([alert.case_key] if alert.case_key else [])
        if await table.acknowledge(tx.connection, alert_id, by=person.subject, name=person.name, now=tx.now):
            alert = replace(
                alert, acknowledged_at=tx.now, acknowledged_by=person.subject, acknowledged_name=person.name
            )
            message = translate.alert_acknowledged(alert, person.subject, _stamp(alert, tx))
            tx.emit(topics.DEADLINES, message, key=_key(alert))
            return alert
    async with database.connect() as connection:
        return await table.get(connection, reach, alert_id) or alert


def _stamp(alert: Alert, tx: Transaction, causation_id: UUID | None = None) -> translate.Stamp:
    return translate.Stamp(tx.now, alert.case_key, alert.partnership, causation_id)


def _key(alert: Alert) -> str:
    """Return the Kafka key: the case; for an alert about none, what it is about."""
    return alert.case_key or alert.partnership or alert.kind
