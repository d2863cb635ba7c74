"""Faults of the network: what was asked of a server is done, and its answer never comes."""

from __future__ import annotations

from typing import Final

from schemas.topics import SERVICES
from tests.support.faults.proxy import Proxy, before_kafka, before_postgres
from tests.support.faults.rig import Rig, wait_for
from tests.support.faults.servers import calm, kafka_of, postgres_of
from tests.support.faults.table import Fault, Landed, Scene

TIMES: Final = 5
REQUESTS: Final = ("Produce", "Fetch", "OffsetCommit")


def commits(scene: Scene) -> Landed:
    """Lose the answer to commits of every service: none knows whether its transaction is durable."""
    with before_postgres(postgres_of(scene.rig)) as proxy:
        return Landed(f"connections cut after {TIMES} commits of each service", _lose(scene.rig, proxy, SERVICES))


def requests(scene: Scene) -> Landed:
    """Lose Kafka's answers to what was published, read and acknowledged."""
    with before_kafka(kafka_of(scene.rig)) as proxy:
        return Landed(f"connections cut after {TIMES} requests of each kind", _lose(scene.rig, proxy, REQUESTS))


def _lose(rig: Rig, proxy: Proxy, names: tuple[str, ...]) -> str:
    """Lose so many answers of each name, once none says any more that the server has just been started; return what was lost."""
    calm(rig)
    for name in names:
        proxy.lose(name, TIMES)
    wait_for(lambda: all(proxy.lost[name] == TIMES for name in names), "answers that are lost")
    return "what was done and not told: " + ", ".join(f"{name} {proxy.lost[name]}" for name in names)


FAULTS: Final = (
    Fault("Network: answers of PostgreSQL lost", commits),
    Fault("Network: answers of Kafka lost", requests),
)
