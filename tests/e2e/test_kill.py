"""Services, recipients, broker and database are killed once each, with work in hand, under load; then everything adds up.

A kill of a service counts only if it had an open batch or request: it is frozen first, PostgreSQL is asked, and if none
was open it goes on and is tried again. Broker and database die while a service is frozen like that, the recipients
with a webhook in flight. What is compared is the client's own list of 202s and the stubs' journals.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any, Final
from urllib.parse import quote

import aiohttp
import asyncpg
import psutil
import pytest

from handrail.embedded.kafka import EmbeddedKafka
from handrail.embedded.postgres import EmbeddedPostgres
from handrail.installation.installation import Installation
from handrail.installation.running import AUDITOR
from handrail.installation.web import Web
from handrail.verify import verify_log
from schemas.topics import SERVICES
from tests.support.installation import add_police, start_installation

EVENTS: Final = 2_000  # at least
AT_ONCE: Final = 16
LIMIT_S: Final = 600.0  # for each wait: a busy machine is no finding
JSON: Final = {"Content-Type": "application/json"}
TOLD: Final = ("la:E08000035", "lscp:E08000035")  # N-11: the council of the area and its partnership
WRITTEN_BY_WORK: Final = {"intake": "submission", "routing": "inbox", "deadlines": "inbox", "audit": "inbox"}
"""What a request (intake) or a batch (the others) writes, and neither a relay nor a dispatcher nor a timer does."""


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
    """A partner system that reports without a pause, at least 2,000 events, and tries each until it has a receipt."""

    def __init__(self, url: str, token: str) -> None:
        super().__init__(daemon=True)
        self._url = url
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/cloudevents+json"}
        self.enough = threading.Event()  # report no further event than the least number
        self.receipts: dict[int, str] = {}
        self.case_keys: dict[int, str] = {}
        self.refused: list[str] = []

    def run(self) -> None:
        asyncio.run(self._send_all())

    def _numbers(self) -> Iterator[int]:
        return itertools.takewhile(lambda number: number < EVENTS or not self.enough.is_set(), itertools.count())

    async def _send_all(self) -> None:
        numbers = self._numbers()
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
                self.receipts[number], self.case_keys[number] = body["receipt_id"], body["case_key"]
            elif response.status != 503:
                self.refused.append(f"{response.status}: {body}")
                self.receipts[number] = "refused"


@contextmanager
def under_load(installation: Installation, token: str) -> Iterator[Load]:
    load = Load(installation.url("intake"), token)
    load.start()
    try:
        yield load
    finally:
        load.enough.set()
    load.join(LIMIT_S)


async def has_work_in_hand(connection: asyncpg.Connection, service: str) -> bool:
    """Whether the service has a transaction open that has written what only a batch or a request writes."""
    found = await connection.fetchval(
        """SELECT EXISTS (SELECT FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE usename = $1
               AND relation = to_regclass($2) AND mode = 'RowExclusiveLock' AND granted)""",
        f"handrail_{service}",
        f"{service}.{WRITTEN_BY_WORK[service]}",
    )
    return bool(found)


async def freeze_with_work_in_hand(installation: Installation, service: str) -> int:
    """Freeze the process again and again until it is caught at work; return its id. It stays frozen."""
    process = installation.processes[service].pid
    connection = await asyncpg.connect(installation.database_url())
    end = time.monotonic() + LIMIT_S
    try:
        while time.monotonic() < end:
            os.kill(process, signal.SIGSTOP)
            if await has_work_in_hand(connection, service):
                return process
            os.kill(process, signal.SIGCONT)
            await asyncio.sleep(0.003)  # let it work: the next freeze must find it somewhere else
    finally:
        await connection.close()
    pytest.fail(f"{service} was never caught with an open batch or request")


def kill_service(installation: Installation, service: str, load: Load) -> None:
    process = asyncio.run(freeze_with_work_in_hand(installation, service))
    assert load.is_alive()
    os.kill(process, signal.SIGKILL)
    start_again(installation, service)


def kill_stubs(installation: Installation, load: Load) -> str:
    """Kill the recipients while a webhook is in flight, and return its id: the mailbox took it and never answered."""
    stubs, mailbox = Web(installation.url("stubs")), f"/recipients/{quote(TOLD[0], safe='')}"
    told = stubs.call("POST", f"{mailbox}/behaviour", b'{"mode": "hang", "times": 1}', JSON)
    assert told.status == 200
    in_flight: list[str] = []

    def hangs() -> bool:
        entries = stubs.get(f"{mailbox}/journal")["entries"]
        in_flight.extend(entry["webhook_id"] for entry in entries if entry["outcome"] == "hung")
        return bool(in_flight)

    wait_until(hangs, "a webhook in flight")
    assert load.is_alive()
    os.kill(installation.processes["stubs"].pid, signal.SIGKILL)
    start_again(installation, "stubs")
    return in_flight[0]


def kill_server(installation: Installation, server: EmbeddedKafka | EmbeddedPostgres, worker: str, load: Load) -> None:
    """Kill every process of the broker or the database while `worker` has a batch or request open that needs it."""
    assert server.pid is not None
    main = psutil.Process(server.pid)
    frozen = asyncio.run(freeze_with_work_in_hand(installation, worker))
    assert load.is_alive()
    doomed = [main, *main.children(recursive=True)]
    for process in doomed:
        with suppress(psutil.NoSuchProcess):  # a child that ended because its parent did
            process.kill()
    os.kill(frozen, signal.SIGCONT)
    assert not psutil.wait_procs(doomed, timeout=30)[1]
    server.stop()
    server.start()


def start_again(installation: Installation, name: str) -> None:
    installation.processes[name].stop()
    installation.start_service(name)


def wait_until(ready: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + LIMIT_S
    while not ready():
        assert time.monotonic() < end, f"waited too long for {what}"
        time.sleep(0.25)


def taken(installation: Installation) -> int:
    mailboxes = Web(installation.url("stubs")).get("/recipients")["recipients"]
    return sum(mailbox["counts"].get("taken", 0) for mailbox in mailboxes)


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


def test_a_kill_of_each_part_under_load_loses_nothing_and_doubles_nothing() -> None:
    installation = start_installation()
    police = add_police(installation, "load-police")
    kafka, postgres = installation.stack.embedded_kafka, installation.stack.embedded_postgres
    assert kafka, "unset HANDRAIL_KAFKA_BOOTSTRAP: this test kills a broker of its own"
    assert postgres, "unset HANDRAIL_DATABASE_URL: this test kills a database of its own"

    with under_load(installation, police.token) as load:
        in_flight = kill_stubs(installation, load)
        for service in SERVICES:
            kill_service(installation, service, load)
        kill_server(installation, kafka, "routing", load)
        kill_server(installation, postgres, "intake", load)

    events = len(load.receipts)
    assert events >= EVENTS
    assert load.refused == []
    assert not load.is_alive()
    assert len(set(load.receipts.values())) == len(set(load.case_keys.values())) == events
    wait_until(lambda: taken(installation) >= events * len(TOLD), "every notice")
    _each_receipt_has_one_outcome(installation, police.token, load)
    _the_stubs_agree(installation, load, in_flight)
    timers = asyncio.run(one_timer_per_obligation(installation.database_url()))
    assert timers == (events * len(TOLD), events * len(TOLD), 0)
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
        return page["status"] == "decided" and sorted(told["recipient"] for told in page["told"]) == sorted(TOLD)

    for receipt in load.receipts.values():
        wait_until(partial(decided, receipt), "a receipt's outcome")


def _the_stubs_agree(installation: Installation, load: Load, in_flight: str) -> None:
    entries = journal(installation)
    assert all(entry["verified"] for entry in entries)
    bodies: dict[str, set[str]] = {}
    for entry in entries:
        bodies.setdefault(entry["webhook_id"], set()).add(json.dumps(entry["body"], sort_keys=True))
    assert all(len(each) == 1 for each in bodies.values()), "a repeat must carry the same body"
    taken = [entry for entry in entries if entry["outcome"] == "taken"]
    told = Counter((entry["body"]["case_key"], entry["recipient"]) for entry in taken)
    assert told == Counter(itertools.product(load.case_keys.values(), TOLD))
    assert in_flight in {entry["webhook_id"] for entry in taken}
