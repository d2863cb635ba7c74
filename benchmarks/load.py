"""An installation under load, for benches: reports of invented cases by Kafka and by HTTP, and when all of it has arrived.

Each report, of today, opens a case of its own with two obligations, of the reporting police to tell the area's council and
its partnership (rule N-11), each with its rungs, its notice, and the entries of all of it in the log.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import aiohttp
import asyncpg
import psutil
from confluent_kafka import Producer

from handrail.installation.clients import Credentials
from handrail.installation.installation import Installation
from schemas.calendar.london import london_date
from schemas.topics import SERVICES
from tests.support import reports
from tests.support.eventually import eventually
from tests.support.installation import DEMO, journal

OBLIGATIONS_EACH: Final = 2
# A question is a duty in deadlines, too.
_ARRIVED: Final = """
    SELECT (SELECT count(*) FROM deadlines.duty WHERE kind = 'obligation'), coalesce((SELECT size FROM audit.log), 0)
"""
_SAID: Final = "SELECT " + " + ".join(f"(SELECT count(*) FROM {service}.outbox)" for service in SERVICES)  # noqa: S608 - our own names


@contextmanager
def installation() -> Iterator[Installation]:
    """Run an installation with stub recipients, and delete it afterwards."""
    with tempfile.TemporaryDirectory(prefix="handrail-bench-") as folder:
        Path(folder).chmod(0o711)  # where root runs this, another account runs PostgreSQL
        with Installation(Path(folder) / "data", DEMO) as running:
            yield running


def report(number: int) -> bytes:
    """Return the report of one new case."""
    return reports.report(f"bench-{number}", f"BENCH-{number}", london_date(datetime.now(UTC)))


def send_by_kafka(running: Installation, client: Credentials, numbers: range) -> None:
    """Put reports on the client's topic; returns once the broker has all of them."""
    address = running.stack.kafka.client_config(user=client.kafka_user, password=client.kafka_password)
    producer = Producer({**address, "enable.idempotence": True, "compression.type": "zstd", "linger.ms": 20})
    for number in numbers:
        producer.produce(client.kafka_topic, report(number), key=str(number))
        producer.poll(0)
    if producer.flush(60):
        raise SystemExit("the broker did not take the reports")


class Poster:
    """A reporter that posts one event a request over connections that it keeps."""

    def __init__(self, running: Installation, client: Credentials, url: str | None = None) -> None:
        self._url = f"{url or running.url('intake')}/v1/events"
        self._headers = {"Authorization": f"Bearer {client.token}", "Content-Type": "application/cloudevents+json"}
        self.sent: dict[str, float] = {}
        """When each case's report was sent, by the wall clock."""

    async def post_all(self, numbers: range, *, at_once: int) -> None:
        """Post reports, at most so many at once."""
        left = iter(numbers)
        async with aiohttp.ClientSession(headers=self._headers) as session:

            async def worker() -> None:
                for number in left:
                    await self._post(session, number)

            await asyncio.gather(*(worker() for _ in range(at_once)))

    async def post_steadily(self, numbers: range, *, per_s: float) -> None:
        """Post reports at a steady rate, however long each takes."""
        began = time.monotonic()
        async with aiohttp.ClientSession(headers=self._headers) as session, asyncio.TaskGroup() as tasks:
            for place, number in enumerate(numbers):
                await asyncio.sleep(began + place / per_s - time.monotonic())
                tasks.create_task(self._post(session, number))

    async def _post(self, session: aiohttp.ClientSession, number: int) -> None:
        at = time.time()
        async with session.post(self._url, data=report(number)) as response:
            answer = await response.json()
            assert response.status == 202, answer
        self.sent[answer["case_key"]] = at


async def wait_for(running: Installation, reports: int) -> None:
    """Return once the duties of so many reports stand in deadlines, and everything that was said stands in the log."""
    connection = await asyncpg.connect(running.database_url())

    async def arrived() -> bool:
        duties, entries = await connection.fetchrow(_ARRIVED) or (0, 0)
        # What was said is counted last: counting it all the time would be measured, too.
        return bool(duties >= reports * OBLIGATIONS_EACH and entries >= await connection.fetchval(_SAID) > 0)

    try:
        await eventually(arrived, f"the duties and log entries of {reports} reports", within_s=1_800, every_s=0.25)
    finally:
        await connection.close()


def notices(running: Installation) -> list[Mapping[str, Any]]:
    """Return the notices that recipients have taken, oldest first."""
    return [one for one in journal(running) if one["outcome"] == "taken" and one["body"]["type"] == "notice.v1"]


async def wait_for_notices(running: Installation, count: int) -> None:
    """Return once recipients have taken so many notices."""
    await eventually(lambda: len(notices(running)) >= count, f"{count} notices", within_s=1_800, every_s=0.25)


def processes(running: Installation) -> dict[int, str]:
    """Return every process of an installation, by its id, and the bench itself."""
    found = {child.pid: name for name, child in running.processes.items()}
    for server, name in ((running.stack.embedded_kafka, "Kafka"), (running.stack.embedded_postgres, "PostgreSQL")):
        if server and server.pid:
            parent = psutil.Process(server.pid)
            found |= {each.pid: name for each in (parent, *parent.children(recursive=True))}
    return found | {psutil.Process().pid: "the bench's own clients"}
