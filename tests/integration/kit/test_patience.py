"""How long a transaction waits for a case that another one holds."""

from __future__ import annotations

import pytest
from sqlalchemy.exc import DBAPIError

from services.kit.settings import KitSettings
from tests.support import kit


async def test_a_transaction_with_little_patience_gives_up_a_case_that_is_held(settings: KitSettings) -> None:
    database = kit.database(settings.database_url.get_secret_value())
    async with database.begin() as holder:
        await holder.lock_cases([kit.case(1)])
        with pytest.raises(DBAPIError, match="lock timeout"):
            async with database.begin(patience_ms=50) as impatient:
                await impatient.lock_cases([kit.case(1)])

    async with database.begin(patience_ms=50) as later:
        await later.lock_cases([kit.case(1)])  # nobody holds it any more
    await database.close()
