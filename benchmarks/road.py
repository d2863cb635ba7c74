"""`make bench-road`: the whole road, fed through Kafka and by single POSTs, against what the machine could do at most.

Everything runs on this machine: all services, Kafka, PostgreSQL, the stub recipients and the clients. A report counts once
its duties stand in deadlines with their rungs and everything said about it stands in the log; its notices go out
meanwhile and compete for the same processors. Latency is from before the POST to the recipient's journal.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import asyncpg
from confluent_kafka.admin import NewTopic

from benchmarks import raw
from benchmarks.figures import Cpu, Figure, Machine, conclude, family_seconds, table
from benchmarks.load import (
    Poster,
    installation,
    notices,
    processes,
    send_by_kafka,
    wait_for,
    wait_for_notices,
)
from handrail.embedded.process import LOOPBACK, choose_port
from handrail.installation.clients import Credentials
from handrail.installation.installation import Installation
from tests.support.eventually import eventually
from tests.support.installation import add_police

KAFKA_GOAL_PER_S: Final = 1_500.0
POST_GOAL_PER_S: Final = 600.0
LATENCY_GOAL_MS: Final = 250.0
BY_KAFKA: Final = 3_000
BY_POST: Final = 2_000
STEADY: Final = 1_000
PER_S: Final = 50.0
AT_ONCE: Final = 32
RAW: Final = 10_000


def by_kafka(running: Installation, client: Credentials) -> float:
    """Return reports per second from the first record on the topic until all has arrived."""
    cpu, before, began = Cpu.of(processes(running)), processes(running), time.monotonic()
    send_by_kafka(running, client, range(BY_KAFKA))
    asyncio.run(wait_for(running, BY_KAFKA))
    seconds = time.monotonic() - began
    _shares(cpu.spent(before | processes(running)), BY_KAFKA, "CPU per report by Kafka")
    asyncio.run(wait_for_notices(running, 2 * BY_KAFKA))
    print(f"  all notices delivered after {time.monotonic() - began:.1f} s")
    return BY_KAFKA / seconds


def by_post(running: Installation, client: Credentials) -> float:
    """Return posts per second, each answered once it is durable; what follows from them runs at the same time."""
    cpu, before, began = Cpu.of(processes(running)), processes(running), time.monotonic()
    asyncio.run(Poster(running, client).post_all(range(BY_POST), at_once=AT_ONCE))
    seconds = time.monotonic() - began
    _shares(cpu.spent(before | processes(running)), BY_POST, "CPU per POST, the rest of the road included")
    asyncio.run(wait_for(running, BY_KAFKA + BY_POST))
    return BY_POST / seconds


def latency_ms(running: Installation, client: Credentials) -> float:
    """Return the 99th percentile from the POST to the journal of the last recipient of each report."""
    asyncio.run(wait_for_notices(running, 2 * (BY_KAFKA + BY_POST)))
    poster = Poster(running, client)
    asyncio.run(poster.post_steadily(range(BY_POST, BY_POST + STEADY), per_s=PER_S))
    asyncio.run(wait_for_notices(running, 2 * (BY_KAFKA + BY_POST + STEADY)))
    arrived: dict[str, float] = {
        one["body"]["case_key"]: one["at"] for one in notices(running)
    }  # the later one of a case stays
    took = sorted((arrived[key] - at) * 1000 for key, at in poster.sent.items())
    rows = [(f"p{share}", f"{took[len(took) * share // 100]:,.0f} ms") for share in (50, 90, 99)]
    table(rows, f"latency from POST to webhook at {PER_S:.0f}/s")
    return took[len(took) * 99 // 100]


def raw_limits(running: Installation) -> tuple[float, float, float]:
    """Return reports per second by bare Kafka and COPY, by a bare POST and insert, and of the rows of all of them alone."""
    admin = running.stack.kafka.admin()
    for made in admin.create_topics([NewTopic("bench-raw", 12, replication_factor=1)]).values():
        made.result(30)
    asyncio.run(_make_table(running.database_url()))
    kafka = asyncio.run(raw.through_kafka(running.stack.kafka, running.database_url(), "bench-raw", RAW))
    reports = BY_KAFKA + BY_POST + STEADY
    count, seconds = asyncio.run(raw.rows_again(running.database_url()))
    print(
        f"  the {count / reports:.0f} rows of a report, written again by COPY, take {seconds / reports * 1e6:,.0f} us"
    )
    with _bare_route(running) as url:
        poster = Poster(running, Credentials("bare", "none", "", "", ""), url)
        began = time.monotonic()
        asyncio.run(poster.post_all(range(BY_POST), at_once=AT_ONCE))
        return kafka, BY_POST / (time.monotonic() - began), reports / seconds


async def _make_table(url: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(raw.TABLE)
    finally:
        await connection.close()


@contextmanager
def _bare_route(running: Installation) -> Iterator[str]:
    port = choose_port("the bare route", None)
    url = f"http://{LOOPBACK}:{port}"
    command = [sys.executable, "-m", "uvicorn", "benchmarks.raw:app", "--port", str(port), "--log-level", "critical"]
    env = {**os.environ, "RAW_DATABASE_URL": running.database_url()}
    with subprocess.Popen([*command, "--no-access-log"], env=env) as server:
        try:
            asyncio.run(eventually(lambda: _answers(url), "the bare route"))
            yield url
        finally:
            server.terminate()


def _answers(url: str) -> bool:
    try:
        urllib.request.urlopen(f"{url}/openapi.json", timeout=1).close()  # noqa: S310 - http on loopback
    except urllib.error.URLError:
        return False
    return True


def _shares(spent: Counter[str], reports: int, title: str) -> None:
    total = spent.total()
    rows = [(name, f"{s / reports * 1e6:,.0f} us {s / total:>5.0%}") for name, s in spent.most_common()]
    table([*rows, ("in all", f"{total / reports * 1e6:,.0f} us")], title)


def main() -> int:
    """Measure and conclude."""
    machine, ours = Machine(), family_seconds()
    with installation() as running:
        kafka_per_s = by_kafka(running, add_police(running, "bench-kafka"))
        poster = add_police(running, "bench-post")
        post_per_s = by_post(running, poster)
        p99_ms = latency_ms(running, poster)
        raw_kafka, raw_post, raw_rows = raw_limits(running)
        report = machine.report(family_seconds() - ours)
    rows = [
        ("by Kafka", f"{kafka_per_s:,.0f}/s"),
        ("raw: produce, consume, COPY", f"{raw_kafka:,.0f}/s"),
        ("by Kafka, share of the raw limit", f"{kafka_per_s / raw_kafka:.1%}"),
        ("raw: its rows alone, by COPY", f"{raw_rows:,.0f}/s"),
        ("by Kafka, share of that", f"{kafka_per_s / raw_rows:.1%}"),
        ("by POST", f"{post_per_s:,.0f}/s"),
        ("raw: bare route, one insert", f"{raw_post:,.0f}/s"),
        ("by POST, share of the raw limit", f"{post_per_s / raw_post:.1%}"),
    ]
    table(rows, "reports")
    print(report)
    return conclude(
        "bench-road",
        Figure(kafka_per_s, KAFKA_GOAL_PER_S, "events/s by Kafka"),
        Figure(post_per_s, POST_GOAL_PER_S, "POST/s"),
        Figure(p99_ms, LATENCY_GOAL_MS, "ms p99", at_most=True),
    )


if __name__ == "__main__":
    sys.exit(main())
