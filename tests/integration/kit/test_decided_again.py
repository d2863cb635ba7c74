"""A decision about the quarantine that a restore undid, and that a person then made again: on real PostgreSQL."""

from __future__ import annotations

from services.kit.quarantine import Record
from services.kit.settings import KitSettings
from tests.support import kit
from tests.support.kit import case
from tests.support.restored import lacking, lose


async def test_a_decision_that_was_made_again_is_not_lacking_any_more(settings: KitSettings) -> None:
    held, other = (Record("reader", "topic", 0, offset, None, b"?", case(1)) for offset in range(2))
    database = kit.database(settings.database_url.get_secret_value())

    async with database.begin() as tx:
        await tx.held.hold(held, reason="it failed", parks=True, now=tx.now)
        await lose(tx.connection, "record.resolved.v1", quarantine_id=str(held.quarantine_id()))
        others = {
            await lose(tx.connection, "record.resolved.v1", quarantine_id=str(other.quarantine_id())),
            await lose(tx.connection, "record.quarantined.v1", quarantine_id=str(held.quarantine_id())),
        }
        await tx.held.resolve(held.quarantine_id(), outcome="retried", by="bob", reason="put right", now=tx.now)
    async with database.connect() as connection:
        left = await lacking(connection)
    await database.close()

    assert set(left) == others
