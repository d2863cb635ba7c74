"""Whether the road is quiet: nothing waits to be published, read, sent, fired, indexed or signed.

Nothing here looks at what became of the events: when the road is quiet, the invariants may be asked, and they decide.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any, Final

import asyncpg
from confluent_kafka import IsolationLevel, KafkaException, TopicPartition
from confluent_kafka.admin import OffsetSpec

from handrail.embedded.topics_page import Spec
from schemas.topics import SERVICES, SUBMISSIONS_PREFIX
from tests.support.faults.rig import Rig

QUIET_WITHIN_S: Final = 300.0
STUCK_S: Final = 90.0  # longer than a dispatcher's lease
_POLL_S: Final = 0.2
_LINES: Final = 6
_SESSIONS: Final = """
    SELECT concat(application_name, ' ', pid, ' at ', client_port), concat_ws(' ', state, 'for', now() - state_change,
        'on', wait_event_type, wait_event, 'behind', pg_blocking_pids(pid), left(query, 80))
    FROM pg_stat_activity WHERE application_name LIKE 'handrail-%' AND state <> 'idle' ORDER BY 1
"""

_WAITS: Final = {
    **{
        f"in the outbox of {service}": (
            f"SELECT count(*) FROM {service}.outbox o, {service}.relay_cursor c WHERE (o.xid, o.id) > (c.xid, c.id)"  # noqa: S608
        )
        for service in SERVICES
    },
    "to be sent": "SELECT count(*) FROM routing.delivery WHERE state IN ('due', 'sending')",
    "to be fired": """SELECT count(*) FROM deadlines.rung r JOIN deadlines.duty d USING (duty_id, generation)
        WHERE r.state = 0 AND d.state = 'open' AND r.due_at <= clock.legal_now()""",
    "to be signed": """SELECT coalesce((SELECT size FROM audit.log), 0)
        - coalesce((SELECT max(size) FROM audit.checkpoint), 0)""",
    "to be indexed": "SELECT coalesce((SELECT size FROM audit.log), 0) - (SELECT size FROM audit.projection)",
}


def wait_until_quiet(rig: Rig, *, within_s: float = QUIET_WITHIN_S, stuck_s: float = STUCK_S) -> str | None:
    """Return nothing once the road is quiet; else what still waits when the time is up, or has not changed for so long."""
    return _until_nothing(lambda: _what_waits(rig), within_s, stuck_s)


def wait_until_read(rig: Rig, ends: dict[tuple[str, int], int], *, within_s: float, stuck_s: float) -> str | None:
    """Return nothing once each service has read up to these ends; else what it has not read, as `wait_until_quiet` does."""
    return _until_nothing(lambda: _what_is_unread(rig, ends), within_s, stuck_s)


def what_stands(rig: Rig) -> str:
    """Return what every session of the services does and waits for, and the last lines of each process, to find who is stuck."""
    sessions = "; ".join(f"{who}: {what}" for who, what in asyncio.run(_sessions(rig)))
    logs = "; ".join(
        f"{copy}: {' '.join(process.log_path.read_text().splitlines()[-_LINES:])}"
        for copy, process in rig.installation.processes.items()
    )
    return f"sessions: {sessions}; logs: {logs}"


async def _sessions(rig: Rig) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(rig.database_url)
    try:
        return await connection.fetch(_SESSIONS)
    finally:
        await connection.close()


def _until_nothing(look: Callable[[], Coroutine[Any, Any, str | None]], within_s: float, stuck_s: float) -> str | None:
    end, before, changed = time.monotonic() + within_s, None, time.monotonic()
    while waits := _looked(look()):
        if waits != before:
            before, changed = waits, time.monotonic()
        if time.monotonic() > min(end, changed + stuck_s):
            return waits
        time.sleep(_POLL_S)
    return None


def _looked(look: Coroutine[Any, Any, str | None]) -> str | None:
    try:
        return asyncio.run(look)
    except (KafkaException, OSError, asyncpg.PostgresError) as error:  # a server that is only just back
        return f"{type(error).__name__} when asking"


async def _what_waits(rig: Rig) -> str | None:
    connection = await asyncpg.connect(rig.database_url)
    try:
        ends = await asyncio.to_thread(ends_of, rig)  # before the cursors: what is published meanwhile was waiting
        if unread := await _unread(connection, ends):
            return unread
        for what, query in _WAITS.items():
            if count := await connection.fetchval(query):
                return f"{count} {what}"
    finally:
        await connection.close()
    return None if await asyncio.to_thread(ends_of, rig) == ends else "records were still arriving"


def ends_of(rig: Rig) -> dict[tuple[str, int], int]:
    """Return the end of every partition of ours that has records."""
    admin = rig.installation.stack.kafka.admin()
    wanted: dict[TopicPartition, OffsetSpec] = {
        TopicPartition(topic, partition): OffsetSpec.latest()
        for topic, found in admin.list_topics(timeout=30).topics.items()
        if topic.startswith("safeguarding.")
        for partition in found.partitions
    }
    answers = admin.list_offsets(wanted, isolation_level=IsolationLevel.READ_UNCOMMITTED)
    ends: dict[TopicPartition, Any] = {tp: future.result(30) for tp, future in answers.items()}
    return {(tp.topic, tp.partition): found.offset for tp, found in ends.items() if found.offset}


async def _what_is_unread(rig: Rig, ends: dict[tuple[str, int], int]) -> str | None:
    connection = await asyncpg.connect(rig.database_url)
    try:
        return await _unread(connection, ends)
    finally:
        await connection.close()


async def _unread(connection: asyncpg.Connection, ends: dict[tuple[str, int], int]) -> str | None:
    """Return how many records before these ends each service has not read, and where the most are."""
    readers = {topic.name: topic.read_by for topic in Spec.load().topics}
    unread: dict[str, int] = {}
    for service in SERVICES:
        rows = await connection.fetch(
            f"SELECT topic, partition, min(next_offset) AS next FROM {service}.consumer_offset GROUP BY 1, 2"  # noqa: S608
        )
        stands = {(row["topic"], row["partition"]): row["next"] for row in rows}
        for (topic, partition), end in ends.items():
            reads = service == "intake" if topic.startswith(SUBMISSIONS_PREFIX) else service in readers[topic]
            if reads and (left := end - stands.get((topic, partition), 0)) > 0:
                unread[f"{service} of {topic}[{partition}]"] = left
    if not unread:
        return None
    most = sorted(unread.items(), key=lambda each: -each[1])[:5]
    return f"{sum(unread.values())} to be read, of them " + ", ".join(f"{left} by {who}" for who, left in most)
