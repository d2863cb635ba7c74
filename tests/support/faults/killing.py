"""Faults of processes: killed at each named point, frozen, told to stop with work in their hands."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping
from random import Random
from typing import Final

from tests.support.faults.builds import COPIES, SECOND, service_of
from tests.support.faults.rig import DidNotLand, Rig
from tests.support.faults.table import Fault, Landed, Scene

_EVERYWHERE: Final = (
    "consume.received",
    "consume.before_commit",
    "consume.committed",
    "transaction.before_commit",
    "transaction.committed",
)
POINTS: Final = {
    "intake": (*_EVERYWHERE, "relay.sent"),
    "routing": (*_EVERYWHERE, "relay.sent", "dispatch.claimed", "dispatch.sent"),
    "deadlines": (*_EVERYWHERE, "relay.sent", "firing.claimed"),
    "audit": (*_EVERYWHERE, "checkpoint.kept"),  # it says nothing, so it has nothing to relay
}
"""Every fault point, by the services whose processes pass it."""

KILLS_WITHIN_S: Final = 900.0
PASSES: Final = 4  # at which pass a process dies: drawn from 1 to this


def kill_at_each_point(kills: int = 0) -> Fault:
    """Kill a process at each named point of each service, and on until so many have died, all processes in parallel."""

    def inject(scene: Scene) -> Landed:
        wanted = {(service, point) for service, points in POINTS.items() for point in points}
        seed = scene.random.random()
        hit = _kill_on(scene.rig, {copy: _points(copy, Random(seed)) for copy in COPIES}, wanted, kills)  # noqa: S311
        return Landed(f"{hit.total()} kills at {len(hit)} points", "the mark that each process left and its SIGKILL")

    return Fault("SIGKILL at each named point", inject)


def _points(copy: str, chance: Random) -> Iterator[str]:
    """Return what to arm a process with, time after time: every point of its service, then again in another order.

    Given the same chance, the copies of a service go through them from both ends.
    """
    points = [*POINTS[service_of(copy)]]
    while True:
        chance.shuffle(points)
        yield from (
            f"{point}:kill:{chance.randint(1, PASSES)}" for point in points[:: -1 if copy.endswith(SECOND) else 1]
        )


def _kill_on(
    rig: Rig, points: Mapping[str, Iterator[str]], wanted: set[tuple[str, str]], kills: int
) -> Counter[tuple[str, str]]:
    """Start each process armed with its next point, time after time, until there were enough; at last unarmed.

    Raises:
        DidNotLand: They did not die, or of something else.
    """
    hit: Counter[tuple[str, str]] = Counter()
    armed = {copy: next(queue) for copy, queue in points.items()}
    for copy, point in armed.items():
        rig.restart(copy, fault=point)
    end = time.monotonic() + KILLS_WITHIN_S
    while hit.total() < kills or wanted - hit.keys():
        for copy in [copy for copy in armed if rig.died(copy)]:
            hit[service_of(copy), _point_of_death(rig, copy, armed[copy])] += 1
            armed[copy] = next(points[copy])
            rig.start(copy, fault=armed[copy])
        if time.monotonic() > end:
            raise DidNotLand(f"not within {KILLS_WITHIN_S:.0f} s: {hit.total()} kills, none at {wanted - hit.keys()}")
        time.sleep(0.2)
    for copy in armed:
        rig.restart(copy)
    for copy in armed:
        rig.wait_ready(copy)
    return hit


def _point_of_death(rig: Rig, copy: str, armed: str) -> str:
    """Return the point at which a process killed itself.

    Raises:
        DidNotLand: It died of something else.
    """
    point = armed.partition(":")[0]
    if rig.marked(copy) != point:
        raise DidNotLand(f"{copy} ended and not at {point}: {rig.process(copy).last_line()}")
    return point
