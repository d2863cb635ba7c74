"""Faults of the two servers: Kafka and PostgreSQL killed, frozen, cut off; transactions that wait or commit late."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import asyncpg

from handrail.embedded.errors import StartFailed
from handrail.embedded.kafka import EmbeddedKafka
from handrail.embedded.postgres import EmbeddedPostgres
from tests.support.faults.rig import DidNotLand, Rig, wait_for
from tests.support.faults.table import Fault, Landed, Scene

FAILURES: Final = ("handrail_relay_failures_total", "handrail_loop_failures_total", "handrail_batch_retries_total")
AWAY_S: Final = 2.0
FROZEN_S: Final = 8.0  # longer than a session time-out
COMMAND_TIMEOUT_S: Final = 60.0
LATER_COMMITS: Final = 20
CALM_S: Final = 2.0
REFUSALS: Final = 20
_CUT: Final = """SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
    WHERE usename LIKE 'handrail_%' AND pg_backend_pid() <> pid"""


def kafka_killed(scene: Scene) -> Landed:
    """Kill the broker; start it again once something that was committed could not be published."""
    kafka = kafka_of(scene.rig)
    assert kafka.pid
    os.kill(kafka.pid, signal.SIGKILL)
    try:
        waited = _unpublished(scene.rig, for_s=AWAY_S)
    finally:
        kafka.stop()
        kafka.start()
    return Landed("SIGKILL of the broker, started again", f"a message that waited {waited:.0f} s in intake's outbox")


def kafka_frozen(scene: Scene) -> Landed:
    """Freeze the broker until what intake committed has waited for longer than a session lasts."""
    pid = kafka_of(scene.rig).pid
    assert pid
    os.kill(pid, signal.SIGSTOP)
    try:
        waited = _unpublished(scene.rig, for_s=FROZEN_S)
    finally:
        os.kill(pid, signal.SIGCONT)
    return Landed("SIGSTOP of the broker, then SIGCONT", f"a message that waited {waited:.0f} s in intake's outbox")


def _unpublished(rig: Rig, *, for_s: float) -> float:
    """Return how long a message of intake has waited for the broker, once that is long enough."""
    query = """SELECT extract(epoch FROM clock_timestamp() - min(o.created_at)) FROM intake.outbox o, intake.relay_cursor c
        WHERE (o.xid, o.id) > (c.xid, c.id)"""
    age: float = wait_for(
        lambda: (age := float(rig.ask(query) or 0)) > for_s and age, "a message that cannot be published"
    )
    return age


def postgres_killed(scene: Scene) -> Landed:
    """Kill the database server; start it again once a partner was told to come back later."""
    postgres = postgres_of(scene.rig)
    assert postgres.pid
    before = scene.load.sent.answers[503]
    os.kill(postgres.pid, signal.SIGKILL)
    try:
        seen = wait_for(lambda: scene.load.sent.answers[503] - before, "an answer 503")
    finally:
        postgres.stop()
        wait_for(lambda: started(postgres), "PostgreSQL starts again")
    return Landed("SIGKILL of the database server, started again", f"{seen} answers 503 with Retry-After")


def connections_cut(scene: Scene) -> Landed:
    """Cut every connection of every service until one of them has noticed in its work."""
    before, cut = calm(scene.rig), 0

    def noticed() -> float:
        nonlocal cut
        cut += int(scene.rig.ask(_CUT))
        return max(_failures(scene.rig) - before, 0) if cut else 0

    seen = wait_for(noticed, "a service that fails")
    return Landed(f"{cut} connections cut", f"{seen:.0f} failures of relays, loops and batches")


def no_connection_free(scene: Scene) -> Landed:
    """Take every connection that the server has until partners get nothing but refusals."""
    with _every_connection(scene.rig) as taken:
        seen = wait_for(lambda: refused_in_a_row(scene), "refusals and no receipt between them")
    return Landed(f"all {taken} connections of the server taken", f"{seen} answers 503 in a row")


@contextmanager
def _every_connection(rig: Rig) -> Iterator[int]:
    """Hold all connections while the block runs, those of the services included, which are cut."""
    held: list[asyncpg.Connection] = []

    async def take() -> None:
        while True:
            try:
                held.append(await asyncpg.connect(rig.database_url))
            except asyncpg.TooManyConnectionsError:
                if not await held[0].fetchval(_CUT):
                    return

    with asyncio.Runner() as runner:
        try:
            runner.run(take())
            yield len(held)
        finally:
            for connection in held:
                runner.run(connection.close())


def refused_in_a_row(scene: Scene) -> int:
    """Return how many refusals there were without a receipt, once there are enough of them."""
    sent = scene.load.sent
    receipts, before = len(sent.accepted), sent.answers[503]
    wait_for(lambda: sent.answers[503] - before >= REFUSALS or len(sent.accepted) > receipts, "an answer")
    return sent.answers[503] - before if len(sent.accepted) == receipts else 0


def lock_held(held_s: float) -> Fault:
    """Hold a lock on routing's deliveries until somebody has waited for it that long."""

    def inject(scene: Scene) -> Landed:
        query = """SELECT coalesce(max(extract(epoch FROM clock_timestamp() - query_start)), 0) FROM pg_stat_activity
            WHERE usename = 'handrail_routing' AND wait_event_type = 'Lock'"""
        with transaction(scene.rig, "LOCK TABLE routing.delivery IN ACCESS EXCLUSIVE MODE"):
            since, longest_s = time.monotonic(), 0.0

            def held_long_enough() -> bool:
                nonlocal longest_s
                longest_s = max(longest_s, float(scene.rig.ask(query)))
                return time.monotonic() - since >= held_s

            wait_for(held_long_enough, "the lock is held that long")
        if longest_s < min(held_s, COMMAND_TIMEOUT_S) / 2:
            raise DidNotLand(f"routing waited for the lock for {longest_s:.0f} s at most")
        return Landed(f"a lock held for {held_s:.0f} s", f"routing, which waited for it for {longest_s:.0f} s")

    return Fault(f"PostgreSQL: a lock held for {held_s:.0f} s", inject)


def late_commit(scene: Scene) -> Landed:
    """Let one of intake's transactions, begun early, commit after many that began later."""
    case = f"{scene.load.prefix}-1"
    first = scene.load.event_id(f"{case}-0")
    wait_for(lambda: first in scene.load.sent.accepted, "the first receipt")
    case_key = scene.rig.ask("SELECT case_key FROM intake.submission WHERE event_id = $1", first)
    waiting = """SELECT CAST(CAST(backend_xid AS text) AS bigint) FROM pg_stat_activity
        WHERE usename = 'handrail_intake' AND wait_event_type = 'Lock' AND backend_xid IS NOT NULL"""
    later = "SELECT count(*) FROM intake.outbox WHERE xid > CAST(CAST($1 AS bigint) AS text)::xid8"
    with transaction(scene.rig, f"SELECT FROM intake.case_head WHERE case_key = '{case_key}' FOR UPDATE"):
        extra = threading.Thread(target=scene.load.post_at_once, args=(case,), kwargs={"sides": 1, "times": 1})
        extra.start()
        xid = wait_for(lambda: scene.rig.ask(waiting), "a transaction that has its id and waits")
        seen = wait_for(
            lambda: (count := scene.rig.ask(later, xid)) >= LATER_COMMITS and count, "later transactions that commit"
        )
    extra.join()
    return Landed("a transaction that commits late", f"{seen} messages of later transactions before it")


KAFKA_KILLED: Final = Fault("Kafka: killed and restarted", kafka_killed)
POSTGRES_KILLED: Final = Fault("PostgreSQL: killed and restarted", postgres_killed)
CUT: Final = Fault("PostgreSQL: connections cut", connections_cut)
LATE_COMMIT: Final = Fault("PostgreSQL: a transaction that commits late", late_commit)
FAULTS: Final = (
    KAFKA_KILLED,
    Fault("Kafka: frozen", kafka_frozen),
    POSTGRES_KILLED,
    CUT,
    Fault("PostgreSQL: no connection free", no_connection_free),
    LATE_COMMIT,
)


def kafka_of(rig: Rig) -> EmbeddedKafka:
    """Return the embedded broker."""
    kafka = rig.installation.stack.embedded_kafka
    assert kafka, "the servers of the fault table are embedded ones: they are killed"
    return kafka


def postgres_of(rig: Rig) -> EmbeddedPostgres:
    """Return the embedded database server."""
    postgres = rig.installation.stack.embedded_postgres
    assert postgres, "the servers of the fault table are embedded ones: they are killed"
    return postgres


def started(postgres: EmbeddedPostgres) -> bool:
    """Start the database server once it was killed; say whether it could."""
    try:
        postgres.start()
    except StartFailed:  # what is left of the killed one still holds its shared memory
        return False
    return True


def _failures(rig: Rig) -> float:
    return sum(rig.metric(name) for name in FAILURES)


def calm(rig: Rig) -> float:
    """Return how many failures there were, once none is added: what an earlier fault left behind is none of this one's."""
    found = -1.0

    def none_added() -> bool:
        nonlocal found
        before, found = found, _failures(rig)
        return found == before

    wait_for(none_added, "no more failures", every_s=CALM_S)
    return found


@contextmanager
def transaction(rig: Rig, statement: str) -> Iterator[None]:
    """Hold what a statement locks while the block runs."""
    with asyncio.Runner() as runner:
        connection = runner.run(asyncpg.connect(rig.database_url))
        try:
            held = connection.transaction()
            runner.run(held.start())
            runner.run(connection.execute(statement))
            yield
            runner.run(held.commit())
        finally:
            runner.run(connection.close())
