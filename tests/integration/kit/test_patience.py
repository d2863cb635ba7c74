"""How long a transaction waits for a case that another one holds."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy.exc import DBAPIError

from services.kit import database as of_the_kit
from services.kit.settings import KitSettings
from tests.support import kit
from tests.support.eventually import eventually


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


async def test_the_transactions_of_a_frozen_process_do_not_hold_a_case_one_after_the_other(
    settings: KitSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = settings.database_url.get_secret_value()
    monkeypatch.setattr(of_the_kit, "IDLE_MS", 1_000)
    monkeypatch.setattr(of_the_kit, "LOCK_MS", 2_000)
    frozen, awake = kit.database(url), kit.database(url)
    got, refused, for_ever = list[int](), list[str](), asyncio.Event()

    async def hold(number: int) -> None:
        async with frozen.begin() as tx:
            try:
                await tx.lock_cases([kit.case(1)])
                got.append(number)
            except DBAPIError as error:
                refused.append(str(error.orig))
            await for_ever.wait()  # what the process would do next it does not

    tasks = [asyncio.create_task(hold(number)) for number in range(10)]
    await eventually(lambda: len(got) + len(refused) == len(tasks), "each has had the case, or given up")
    async with awake.begin() as tx:
        await tx.lock_cases([kit.case(1)])
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await frozen.close()
    await awake.close()

    assert len(refused) > len(tasks) / 2
    assert all("lock timeout" in each for each in refused)
