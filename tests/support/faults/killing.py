"""Faults of processes: killed at each named point, frozen, told to stop with work in their hands."""

from __future__ import annotations

import time
from collections import Counter, deque
from typing import Final

from tests.support.faults.builds import COPIES, SECOND, service_of
from tests.support.faults.rig import DidNotLand, Rig, other_copy
from tests.support.faults.table import Fault, Landed, Scene

_EVERYWHERE: Final = ("consume.received", "transaction.before_commit", "transaction.committed")
POINTS: Final = {
    "intake": (*_EVERYWHERE, "relay.sent"),
    "routing": (*_EVERYWHERE, "relay.sent", "dispatch.claimed", "dispatch.sent"),
    "deadlines": (*_EVERYWHERE, "relay.sent", "firing.claimed"),
    "audit": (*_EVERYWHERE, "checkpoint.kept"),  # it says nothing, so it has nothing to relay
}
"""Every fault point, by the services whose processes pass it."""

KILLS_WITHIN_S: Final = 900.0
PASSES: Final = 4  # at which pass a process dies: drawn from 1 to this


def kill_at_each_point(times: int = 1) -> Fault:
    """Kill a process at each named point of each service, `times` over, all processes in parallel."""

    def inject(scene: Scene) -> Landed:
        queues: dict[str, deque[str]] = {copy: deque() for copy in COPIES}
        for service, points in POINTS.items():
            wanted = [point for point in points for _ in range(times)]
            scene.random.shuffle(wanted)
            for place, point in enumerate(wanted):
                armed = f"{point}:kill:{scene.random.randint(1, PASSES)}"
                queues[service + (SECOND if place % 2 else "")].append(armed)
        hit = _kill_in_turn(scene.rig, queues)
        missed = {(service, point) for service, points in POINTS.items() for point in points} - hit.keys()
        if missed:
            raise DidNotLand(f"never killed at {sorted(missed)}")
        return Landed(f"{hit.total()} kills at {len(hit)} points", "the mark that each process left and its SIGKILL")

    return Fault("SIGKILL at each named point", inject)


def _kill_in_turn(rig: Rig, queues: dict[str, deque[str]]) -> Counter[tuple[str, str]]:
    """Start each process armed with the first of its queue; when it died of that, with the next; at last unarmed."""
    hit: Counter[tuple[str, str]] = Counter()
    armed: dict[str, str] = {}
    for copy, queue in queues.items():
        if queue:
            armed[copy] = queue.popleft()
            rig.restart(copy, fault=armed[copy])
    end = time.monotonic() + KILLS_WITHIN_S
    while armed:
        for copy in [copy for copy in armed if rig.died(copy)]:
            hit[service_of(copy), _point_of_death(rig, copy, armed.pop(copy))] += 1
            if queues[copy]:
                armed[copy] = queues[copy].popleft()
            rig.start(copy, fault=armed.get(copy, ""))
        _let_lead(rig, armed)
        if time.monotonic() > end:
            raise DidNotLand(f"not within {KILLS_WITHIN_S:.0f} s: {armed}")
        time.sleep(0.2)
    for copy in queues:
        rig.wait_ready(copy)
    return hit


def _let_lead(rig: Rig, armed: dict[str, str]) -> None:
    """Stop a relay that nobody kills any more, so that the other copy, which is to die as the relay, gets its turn."""
    for copy in [copy for copy, what in armed.items() if what.startswith("relay.")]:
        other = other_copy(copy)
        if other not in armed and rig.metric("handrail_relay_leader", other):
            rig.restart(other)


def _point_of_death(rig: Rig, copy: str, armed: str) -> str:
    """Return the point at which a process killed itself.

    Raises:
        DidNotLand: It died of something else.
    """
    point = armed.partition(":")[0]
    if rig.marked(copy) != point:
        raise DidNotLand(f"{copy} ended and not at {point}: {rig.process(copy).last_line()}")
    return point
