"""Faults of consumer groups: a third process of every service joins and leaves while the others have a batch in hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Final

from confluent_kafka import ConsumerGroupState

from handrail.embedded.process import choose_port
from schemas.topics import SERVICES
from tests.support.faults.builds import SECOND, THIRD
from tests.support.faults.processes import groups_of, local_ports
from tests.support.faults.rig import Rig, wait_for
from tests.support.faults.servers import transaction
from tests.support.faults.table import Fault, Landed, Scene

_HOLD: Final = "LOCK TABLE {}.inbox IN EXCLUSIVE MODE"
"""Every batch writes there, between the fence and its effects; a request by HTTP does not."""

_IN_HAND: Final = """SELECT count(*) FROM pg_stat_activity a WHERE usename = $1 AND wait_event_type = 'Lock'
    AND client_port = ANY($3::int[])
    AND EXISTS (SELECT FROM pg_locks l WHERE l.pid = a.pid AND l.granted AND l.mode = 'RowExclusiveLock'
        AND l.relation = to_regclass($2))"""
"""How many batches of some connections wait that have moved the fence, which nothing but a batch does."""


def in_mid_batch(scene: Scene) -> Landed:
    """Hold the batches of every service before their commit; have a third process join their groups, and then leave."""
    rig = scene.rig
    thirds = [service + THIRD for service in SERVICES]
    for copy in thirds:
        rig.installation.ports[copy] = choose_port(copy, None)
    try:
        joined = _while_batches_are_held(rig, rig.start, thirds)
        for copy in thirds:
            rig.wait_ready(copy)
        left = _while_batches_are_held(rig, lambda copy: rig.process(copy).ask_to_stop(), thirds)
    finally:
        for copy in set(thirds) & set(rig.installation.processes):
            rig.process(copy).stop()
            del rig.installation.processes[copy]
    return Landed(
        f"{len(thirds)} processes that joined and left while batches were in hand",
        f"{joined} and {left} batches that waited before their commit while their groups were rebalancing",
    )


def _while_batches_are_held(rig: Rig, change: Callable[[str], None], thirds: Sequence[str]) -> int:
    """Hold a batch of every service, have the third processes join or leave, and let go once each group was rebalancing.

    What is held is a batch of a process that stays: a group whose others are free has rebalanced before anybody can see it.
    Each is seen for itself: a process that waits 15 s for its batch gives it up, and the last to start may take that long.
    """
    caught: dict[str, int] = {}

    def catch() -> bool:
        for service in SERVICES:
            if service not in caught and _rebalances(rig, service) and (batches := _in_hand(rig, service)):
                caught[service] = batches
        return len(caught) == len(SERVICES)

    with ExitStack() as held:
        for service in reversed(SERVICES):  # from the end of the road: what is held passes nothing on
            held.enter_context(transaction(rig, _HOLD.format(service)))
            wait_for(lambda service=service: _in_hand(rig, service), f"{service} has a batch in hand")  # type: ignore[misc]
        for copy in thirds:
            change(copy)
        wait_for(catch, "each group is rebalancing while a batch is in hand")
        return sum(caught.values())


def _in_hand(rig: Rig, service: str) -> int:
    ports = [port for copy in (service, service + SECOND) for port in local_ports(rig.process(copy).pid)]
    return int(rig.ask(_IN_HAND, f"handrail_{service}", f"{service}.consumer_offset", ports))


def _rebalances(rig: Rig, service: str) -> bool:
    return any(group.state is ConsumerGroupState.PREPARING_REBALANCING for group in groups_of(rig, service))


REBALANCE: Final = Fault("Kafka: a rebalance in mid-batch", in_mid_batch)
