"""`make bench-growth`: what an event costs the consume path while its tables grow to a million events.

One process handles a million events as in `benchmarks.consume`: each leaves one row in the inbox, one of its own and one in
the outbox. The cost is CPU time, of that process and of PostgreSQL together: it does not depend on who else is waiting.
Vacuuming is measured apart, once over everything: by itself it begins some minute, and falls on one tenth alone.
"""

from __future__ import annotations

import asyncio
import gc
import sys
from typing import Final

import asyncpg
import psutil
import uvloop

from benchmarks import consume
from benchmarks.figures import Figure, Machine, conclude, cpu_seconds, family_seconds, table
from handrail.embedded.postgres import DatabaseAddress
from services.kit.settings import KitSettings
from tests.support import kit_kafka
from tests.support.eventually import eventually
from tests.support.stack import stack

GOAL: Final = 1.2
EVENTS: Final = 1_000_000
TENTHS: Final = 10
# As many as the outbox has numbered: to count a million rows again and again would be most of what is measured.
_KEPT: Final = "SELECT coalesce(pg_sequence_last_value('kit.outbox_id_seq'), 0)"


_TABLES: Final = ("kit.inbox", "kit.event", "kit.outbox")


async def measure(given: KitSettings) -> list[float]:
    """Return the CPU seconds per event of each tenth of the events."""
    source, destination = kit_kafka.make_topic(consume.PARTITIONS), kit_kafka.make_topic(consume.PARTITIONS)
    await consume.fill(given, source, EVENTS)
    looking = asyncio.create_task(_look(given.database_url.get_secret_value().replace("+asyncpg", "")))
    await consume.consume(given, source, destination, EVENTS)
    return await looking


async def _look(url: str) -> list[float]:
    connection = await asyncpg.connect(url)
    costs: list[float] = []
    spent, kept = _spent(), 0
    try:
        while len(costs) < TENTHS:
            wanted = EVENTS * (len(costs) + 1) // TENTHS

            async def reached(wanted: int = wanted) -> int:
                numbered = int(await connection.fetchval(_KEPT))
                return numbered if numbered >= wanted else 0

            now_kept = await eventually(reached, f"{wanted:,} events", within_s=900, every_s=0.25)
            now_spent = _spent()
            costs.append((now_spent - spent) / (now_kept - kept))
            spent, kept = now_spent, now_kept
    finally:
        await connection.close()
    return costs


async def _say(address: DatabaseAddress, statement: str) -> None:
    connection = await asyncpg.connect(address.url())
    try:
        for table_name in _TABLES:
            await connection.execute(statement.format(table_name))
    finally:
        await connection.close()


def _spent() -> float:
    """Return the CPU seconds of this process and of PostgreSQL, what has ended included."""
    server = stack().embedded_postgres
    assert server, "unset HANDRAIL_DATABASE_URL: this bench looks at a server of its own"
    assert server.pid
    parent = psutil.Process(server.pid)
    return sum(cpu_seconds(each.pid) for each in (psutil.Process(), parent, *parent.children(recursive=True)))


def main() -> int:
    """Measure and conclude."""
    print(stack().description)
    kit_kafka.make_topic(name="safeguarding.kit.quarantine.v1")
    machine, cpu = Machine(), family_seconds()
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)  # as `services.kit.runtime.serve` does
    address = consume.new_database()
    uvloop.run(_say(address, "ALTER TABLE {} SET (autovacuum_enabled = false)"))
    costs = uvloop.run(measure(consume.settings(address)))
    before = _spent()
    uvloop.run(_say(address, "VACUUM (ANALYZE) {}"))
    vacuuming = (_spent() - before) / EVENTS
    rows = [
        (f"{EVENTS * place // TENTHS:,}", f"{cost * 1e6:,.0f} us  {cost / costs[0]:.2f}x")
        for place, cost in enumerate(costs, 1)
    ]
    rows.append(("vacuuming them, once", f"{vacuuming * 1e6:,.1f} us"))
    table(rows, "events in the tables, and what each of the last 100,000 cost")
    print(machine.report(family_seconds() - cpu))
    return conclude("bench-growth", Figure(costs[-1] / costs[0], GOAL, "x", at_most=True))


if __name__ == "__main__":
    sys.exit(main())
