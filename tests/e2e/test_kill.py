"""Each service is killed once, with work in its hands, under load; afterwards everything adds up.

A kill counts only if the process had an open transaction: it is frozen first, PostgreSQL is asked, and if nothing was
open it goes on and is tried again. What is compared is the client's own list of 202s and the stubs' journals.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Final
from urllib.parse import quote

import aiohttp
import asyncpg
import pytest

from handrail.installation.installation import Installation
from handrail.installation.running import AUDITOR
from handrail.installation.web import Web
from handrail.verify import verify_log
from schemas.topics import SERVICES
from tests.support.installation import add_police, start_installation

EVENTS: Final = 2_000
AT_ONCE: Final = 16
KILL_WITHIN_S: Final = 60.0
SETTLE_S: Final = 240.0
NOTICES_EACH: Final = 2  # N-11: the council of the area and its partnership


def event(number: int) -> bytes:
    data = {
        "case_reference": f"KILL-{number}",
        "harm": "serious_harm",
        "country": "england",
        "area": "E08000035",
        "reported_on": "2026-06-01",
        "adult_at_risk": "no",
        "domestic_death": "no",
        "children": [{"ref": "child-1", "home_area": "E08000035", "looked_after": "no", "care_leaver": "no"}],
    }
    page = {"specversion": "1.0", "id": f"kill-{number}", "source": "urn:example:load", "type": "incident.reported.v1"}
    return json.dumps({**page, "time": "2026-06-01T08:00:00Z", "data": data}).encode()


class Load(threading.Thread):
    """A partner system that reports 2,000 events and keeps trying each until it has a receipt."""

    def __init__(self, url: str, token: str) -> None:
        super().__init__(daemon=True)
        self._url = url
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/cloudevents+json"}
        self.receipts: dict[int, str] = {}
        self.refused: list[str] = []

    def run(self) -> None:
        asyncio.run(self._send_all())

    async def _send_all(self) -> None:
        numbers = iter(range(EVENTS))
        async with aiohttp.ClientSession(headers=self._headers) as session:
            await asyncio.gather(*(self._send_next(session, numbers) for _ in range(AT_ONCE)))

    async def _send_next(self, session: aiohttp.ClientSession, numbers: Iterator[int]) -> None:
        for number in numbers:
            while number not in self.receipts:
                try:
                    await self._try(session, number)
                except (aiohttp.ClientError, TimeoutError):
                    await asyncio.sleep(0.1)  # the service is being started again

    async def _try(self, session: aiohttp.ClientSession, number: int) -> None:
        async with session.post(f"{self._url}/v1/events", data=event(number)) as response:
            body = await response.json(content_type=None)
            if response.status in {200, 202}:
                self.receipts[number] = body["receipt_id"]
            elif response.status != 503:
                self.refused.append(f"{response.status}: {body}")
                self.receipts[number] = "refused"


async def has_open_transaction(url: str, service: str) -> bool:
    connection = await asyncpg.connect(url)
    try:
        count = await connection.fetchval(
            "SELECT count(*) FROM pg_stat_activity WHERE usename = $1 AND xact_start IS NOT NULL AND backend_xid IS NOT NULL",
            f"handrail_{service}",
        )
        return bool(count)
    finally:
        await connection.close()


def kill_with_work_in_hand(installation: Installation, service: str) -> None:
    """Freeze the process until it is caught in a transaction that has written; kill it then, and start it again."""
    process = installation.processes[service].pid
    end = time.monotonic() + KILL_WITHIN_S
    while time.monotonic() < end:
        os.kill(process, signal.SIGSTOP)
        if asyncio.run(has_open_transaction(installation.database_url(), service)):
            os.kill(process, signal.SIGKILL)
            installation.processes[service].stop()
            installation.start_service(service)
            installation.wait_ready(service)
            return
        os.kill(process, signal.SIGCONT)
        time.sleep(0.003)  # let it work: the next freeze must find it somewhere else
    pytest.fail(f"{service} was never caught with an open transaction")


def wait_until(ready: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + SETTLE_S
    while not ready():
        assert time.monotonic() < end, f"waited too long for {what}"
        time.sleep(0.25)


def journal(installation: Installation) -> list[dict[str, Any]]:
    stubs = Web(installation.url("stubs"))
    return [
        entry
        for mailbox in stubs.get("/recipients")["recipients"]
        for entry in stubs.get(f"/recipients/{quote(mailbox['recipient'], safe='')}/journal")["entries"]
    ]


async def one_timer_per_obligation(url: str) -> tuple[int, int, int]:
    connection = await asyncpg.connect(url)
    try:
        row = await connection.fetchrow(
            """SELECT (SELECT count(*) FROM routing.obligation),
                      (SELECT count(*) FROM deadlines.duty WHERE kind = 'obligation'),
                      (SELECT count(*) FROM (SELECT duty_id, kind, due_at FROM deadlines.rung WHERE state = 0
                                             GROUP BY 1, 2, 3 HAVING count(*) > 1) AS doubled)"""
        )
        assert row is not None
        return row[0], row[1], row[2]
    finally:
        await connection.close()


def test_a_kill_of_each_service_under_load_loses_nothing_and_doubles_nothing() -> None:
    installation = start_installation()
    police = add_police(installation, "load-police")
    load = Load(installation.url("intake"), police.token)

    load.start()
    for service in SERVICES:
        kill_with_work_in_hand(installation, service)
    load.join(SETTLE_S)

    assert load.refused == []
    assert len(load.receipts) == EVENTS
    assert len(set(load.receipts.values())) == EVENTS
    wait_until(lambda: len({e["webhook_id"] for e in journal(installation)}) == EVENTS * NOTICES_EACH, "every notice")
    _each_receipt_has_one_outcome(installation, police.token, load)
    _the_stubs_agree(installation)
    obligations, duties, doubled = asyncio.run(one_timer_per_obligation(installation.database_url()))
    assert (obligations, duties, doubled) == (EVENTS * NOTICES_EACH, EVENTS * NOTICES_EACH, 0)
    report = verify_log(
        installation.url("audit"),
        installation.web("audit", AUDITOR).token,
        (installation.keys / "log.pub").read_bytes(),
    )
    assert report.ok, report.problems
    installation.stop()


def _each_receipt_has_one_outcome(installation: Installation, token: str, load: Load) -> None:
    intake = Web(installation.url("intake"), token)

    def decided(receipt: str) -> bool:
        page = intake.get(f"/v1/receipts/{receipt}")
        return page["status"] == "decided" and len(page["told"]) == NOTICES_EACH

    for receipt in load.receipts.values():
        wait_until(partial(decided, receipt), "a receipt's outcome")


def _the_stubs_agree(installation: Installation) -> None:
    entries = journal(installation)
    assert all(entry["verified"] for entry in entries)
    bodies: dict[str, set[str]] = {}
    for entry in entries:
        bodies.setdefault(entry["webhook_id"], set()).add(json.dumps(entry["body"], sort_keys=True))
    assert all(len(each) == 1 for each in bodies.values()), "a repeat must carry the same body"
    told = Counter((entry["body"]["case_key"], entry["recipient"]) for entry in entries if entry["outcome"] == "taken")
    assert len(told) == EVENTS * NOTICES_EACH
    assert set(told.values()) == {1}
