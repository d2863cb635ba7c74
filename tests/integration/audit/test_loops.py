"""The alarms: a refusal to sign and a number that stays away show in readiness and in metrics, and go when it is over."""

import asyncio
import json
from datetime import timedelta
from math import nan

import asyncpg
import pytest
from prometheus_client import REGISTRY

from services.audit.domain.note import Checkpoint
from services.audit.loops import Loops
from services.audit.publisher import Publisher
from services.audit.service import INDEX_BATCH
from services.audit.sink import CheckpointFolder
from services.kit.clock import FixedClock
from tests.support.audit import KEY, NOON, NOTE_KEY, ORIGIN, TestLog, event, record, records
from tests.support.audit_app import client


def loops_of(log: TestLog, clock: FixedClock) -> Loops:
    return Loops(log.database, log.publisher, clock)


async def superuser(log: TestLog, table: str, statement: str, value: bytes) -> None:
    connection = await asyncpg.connect(log.address.url())
    try:
        await connection.execute(f"ALTER TABLE audit.{table} DISABLE TRIGGER ALL")
        await connection.execute(statement, value)
    finally:
        await connection.close()


async def rewrite_root(log: TestLog, root: bytes) -> None:
    await superuser(log, "log", "UPDATE audit.log SET root = $1", root)


async def keep_instead(log: TestLog, payload: bytes) -> None:
    """Keep a record with the one entry of the log that `message_entry` would not take any more."""
    await superuser(log, "record", "UPDATE audit.record SET payload = $1", payload)


async def test_a_refusal_to_sign_makes_the_service_unready_until_the_log_is_right_again(log: TestLog) -> None:
    loops = loops_of(log, FixedClock(NOON))
    await log.append(records(3))
    await loops.sign()
    assert await loops.unready() is None
    root = (await log.head()).root
    await rewrite_root(log, bytes(32))

    await loops.sign()
    assert "do not have the root that was signed for them" in (await loops.unready() or "")
    assert REGISTRY.get_sample_value("handrail_audit_signing_refused") == 1

    await rewrite_root(log, root)
    await loops.sign()
    assert await loops.unready() is None
    assert REGISTRY.get_sample_value("handrail_audit_signing_refused") == 0
    assert REGISTRY.get_sample_value("handrail_audit_signed_entries") == 3


async def test_a_folder_that_fails_for_more_than_a_minute_makes_the_service_unready(log: TestLog) -> None:
    class Broken(CheckpointFolder):
        def newest(self) -> Checkpoint | None:
            raise OSError

    clock = FixedClock(NOON)
    loops = Loops(log.database, Publisher(ORIGIN, KEY, Broken(log.folder, NOTE_KEY)), clock)
    for seconds, unready in ((60, None), (61, "the log was not signed for 61 s, expected each second")):
        clock.at = NOON + timedelta(seconds=seconds)
        with pytest.raises(OSError):  # noqa: PT011 - whatever the disk says; the loop goes on
            await loops.sign()
        assert await loops.unready() == unready


async def test_a_log_that_stands_still_stays_ready(log: TestLog) -> None:
    clock = FixedClock(NOON)
    loops = loops_of(log, clock)
    for minutes in (0, 1, 2, 3):
        clock.at = NOON + timedelta(minutes=minutes)
        await loops.sign()
        assert await loops.unready() is None


async def test_a_copy_that_another_overtakes_while_it_signs_raises_no_alarm(log: TestLog) -> None:
    running = asyncio.get_running_loop()

    class Slow(CheckpointFolder):
        """While it is read, another copy signs a log that has grown."""

        def newest(self) -> Checkpoint | None:
            asyncio.run_coroutine_threadsafe(overtake(), running).result()
            return super().newest()

    async def overtake() -> None:
        await log.append(records(3))
        await log.publish()

    slow = Publisher(ORIGIN, KEY, Slow(log.folder, NOTE_KEY))
    loops = Loops(log.database, slow, FixedClock(NOON))

    await loops.sign()

    assert await loops.unready() is None
    assert REGISTRY.get_sample_value("handrail_audit_signed_entries") == 3


async def test_a_number_that_stays_away_for_a_minute_raises_the_alarm_and_ends_it_when_it_comes(log: TestLog) -> None:
    clock = FixedClock(NOON)
    loops = loops_of(log, clock)
    numbered = records(6)
    await log.append([numbered[0], numbered[5]])
    await loops.index()
    await loops.index()
    assert REGISTRY.get_sample_value("handrail_audit_missing_numbers", {"producer": "routing"}) is None

    clock.at = NOON + timedelta(seconds=61)
    await loops.index()
    assert REGISTRY.get_sample_value("handrail_audit_missing_numbers", {"producer": "routing"}) == 4
    assert REGISTRY.get_sample_value("handrail_audit_oldest_gap_seconds") == 61

    await log.append(numbered)
    await loops.index()
    await loops.index()
    assert REGISTRY.get_sample_value("handrail_audit_missing_numbers", {"producer": "routing"}) is None
    assert REGISTRY.get_sample_value("handrail_audit_oldest_gap_seconds") == 0


async def test_an_old_entry_whose_record_is_not_json_neither_stops_the_index_nor_hides_a_gap(log: TestLog) -> None:
    """Such records were once logged as messages."""
    clock = FixedClock(NOON)
    loops = loops_of(log, clock)
    numbered = records(6)
    odd = record(json.dumps(event(1, type="something.new.v3", data={"x": nan})).encode(), 1)
    await log.append([numbered[0]])
    await keep_instead(log, odd.value)
    await log.append([numbered[5]])

    await loops.index()
    clock.at = NOON + timedelta(seconds=61)
    await loops.index()
    await log.publish()

    assert REGISTRY.get_sample_value("handrail_audit_missing_numbers", {"producer": "routing"}) == 4
    async with client(log, "auditor") as opened:
        page, listed = await opened.get("/log"), await opened.get("/v1/entries")
    assert (page.status_code, [one["record"] is None for one in listed.json()["entries"]]) == (200, [True, False])


async def test_the_alarm_is_raised_also_while_the_index_lags_behind_the_log(log: TestLog) -> None:
    clock = FixedClock(NOON)
    loops = loops_of(log, clock)
    first, _, *rest = records(2 * INDEX_BATCH + 2)
    await log.append([first, *rest])

    assert await loops.index()
    clock.at = NOON + timedelta(seconds=61)
    assert await loops.index()

    assert REGISTRY.get_sample_value("handrail_audit_missing_numbers", {"producer": "routing"}) == 1
