"""Faults of processes that are not killed at a point: zombies, stops with work in hand, kills at a random moment."""

from __future__ import annotations

import os
import signal
import threading
import time
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any, Final

import psutil

from schemas.topics import SERVICES
from services.kit.cursor import SILENT_AFTER_S
from services.routing.dispatch.rows import LEASE_S
from tests.support.faults.builds import COPIES, SECOND, service_of
from tests.support.faults.quiet import ends_of, wait_until_read, what_stands
from tests.support.faults.rig import READY_S, DidNotLand, Rig, wait_for
from tests.support.faults.table import Fault, Landed, Scene

GROUPS: Final = {
    "intake": ("intake.submissions", "intake"),
    "routing": ("routing",),
    "deadlines": ("deadlines", "deadlines.quarantine"),
    "audit": ("audit",),
}
STOPPED: Final = '"event": "runtime.stopped"'
OVERSLEPT: Final = "dispatch.overslept"
IN_MID_STEP: Final = {
    f"routing{SECOND}": "dispatch.claimed",
    f"deadlines{SECOND}": "firing.claimed",
    f"audit{SECOND}": "checkpoint.kept",
}
"""By copy. A relay that sleeps so keeps the others from publishing until it is taken for silent: that has a test of its own."""
CAUGHT_WITHIN_S: Final = 120.0
OVERTAKEN_WITHIN_S: Final = SILENT_AFTER_S + READY_S
"""One that sleeps may be its service's relay. Nothing is published then, so nobody has a batch, until it is taken for silent."""
_WRITTEN_BY_WORK: Final = {"intake": "submission", "routing": "inbox", "deadlines": "inbox", "audit": "inbox"}
"""What a request (intake) or a batch (the others) writes, and neither a relay nor a dispatcher nor a timer does."""

_AT_WORK: Final = """SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid)
    WHERE usename = $1 AND client_port = ANY($2) AND relation = to_regclass($3) AND mode = 'RowExclusiveLock' AND granted"""


def zombies(scene: Scene) -> Landed:
    """Freeze a copy of every service with a batch in its hands until its groups have given it up; then wake it."""
    rig = scene.rig
    asleep = [service + SECOND for service in SERVICES]
    try:
        for copy in asleep:
            rig.restart(copy, fault="consume.received:stop")
        every = "every one sleeps with a batch in hand"
        wait_for(lambda: all(_sleeps(rig, copy) for copy in asleep), every, within_s=OVERTAKEN_WITHIN_S)
        wait_for(lambda: all(_members(rig, service) == 1 for service in SERVICES), "their groups gave them up")
        ends = ends_of(rig)
        if left := wait_until_read(rig, ends, within_s=OVERTAKEN_WITHIN_S, stuck_s=OVERTAKEN_WITHIN_S):
            stands = what_stands(rig)
            raise DidNotLand(f"the other copies do not read what they sleep over: {left}; {rig.ended()}; {stands}")
    finally:
        for copy in asleep:
            rig.signal(copy, signal.SIGCONT)
    overtaken = "handrail_fence_overtaken_total"
    wait_for(lambda: all(rig.metric(overtaken, copy) for copy in asleep), "the fence turns each of them away")
    seen = rig.metric(overtaken, *asleep)
    return Landed(
        f"{len(asleep)} processes frozen past their session", f"the fence, which turned {seen:.0f} batches away"
    )


def overslept(scene: Scene) -> Landed:
    """Freeze processes between doing something and writing it down, until another may have done the same; then wake them."""
    rig = scene.rig
    log = rig.process("routing" + SECOND).log_path
    before = log.read_text().count(OVERSLEPT)
    try:
        for copy, point in IN_MID_STEP.items():
            rig.restart(copy, fault=f"{point}:stop")
        every = "every one sleeps in mid-step"
        wait_for(lambda: all(_sleeps(rig, copy) for copy in IN_MID_STEP), every, within_s=OVERTAKEN_WITHIN_S)
        end = time.monotonic() + LEASE_S
        wait_for(lambda: time.monotonic() > end, "what they had claimed is free again")
    finally:
        for copy in IN_MID_STEP:
            rig.signal(copy, signal.SIGCONT)
    seen = wait_for(lambda: log.read_text().count(OVERSLEPT) - before, "routing notices that it overslept")
    return Landed(
        f"{len(IN_MID_STEP)} processes frozen for {LEASE_S} s at {', '.join(IN_MID_STEP.values())}",
        f"routing's word that it is too late for {seen} notices",
    )


def stopped(scene: Scene) -> Landed:
    """Ask every process to stop while it has work in hand; each must end by itself and in good order."""
    for copy in COPIES:
        _catch_at_work(scene.rig, copy, signal.SIGTERM, scene.random)
        wait_for(lambda copy=copy: scene.rig.died(copy), f"{copy} ends")  # type: ignore[misc]
        if STOPPED not in scene.rig.process(copy).last_line():
            raise DidNotLand(f"{copy} was asked to stop and ended otherwise: {scene.rig.process(copy).last_line()}")
        scene.rig.start(copy)
        scene.rig.wait_ready(copy)
    return Landed(
        f"SIGTERM to {len(COPIES)} processes, one after the other",
        "each one's open batch or request, and its last word",
    )


def killed_at_work(events: int = 0) -> Fault:
    """Kill every process at a random moment, but with work in hand, while `events` more are reported at full speed."""

    def inject(scene: Scene) -> Landed:
        order = list(COPIES)
        scene.random.shuffle(order)
        more = threading.Thread(target=scene.load.post_many, args=(events,))
        more.start()
        try:
            for copy in order:
                _kill_at_work(scene.rig, copy, scene.random)
        finally:
            more.join()
        for copy in order:
            scene.rig.wait_ready(copy)
        return Landed(f"SIGKILL of {len(order)} processes at a random moment", "each one's open batch or request")

    return Fault(f"SIGKILL at a random moment{f', {events} events more' if events else ''}", inject)


def _kill_at_work(rig: Rig, copy: str, chance: Random) -> None:
    _catch_at_work(rig, copy, signal.SIGKILL, chance)
    wait_for(lambda: rig.died(copy), f"{copy} is gone")
    rig.start(copy)


ZOMBIES: Final = Fault("Zombies of every service", zombies)
FAULTS: Final = (
    ZOMBIES,
    Fault("Zombies in mid-step", overslept),
    Fault("SIGTERM with work in hand", stopped),
    killed_at_work(),
)


def _sleeps(rig: Rig, copy: str) -> bool:
    assert rig.process(copy).running, f"{copy} has ended: {rig.process(copy).last_line()}"
    status = Path(f"/proc/{rig.process(copy).pid}/stat").read_text()
    return bool(rig.marked(copy)) and status.rpartition(")")[2].split()[0] == "T"


def _members(rig: Rig, service: str) -> int:
    """Return how many members the service's groups have, the largest of them."""
    return max(len(each.members) for each in groups_of(rig, service))


def groups_of(rig: Rig, service: str) -> list[Any]:
    """Return what Kafka says of a service's consumer groups."""
    admin = rig.installation.stack.kafka.admin()  # kept: its requests end with it
    return [answer.result(30) for answer in admin.describe_consumer_groups(list(GROUPS[service])).values()]


def local_ports(pid: int) -> list[int]:
    """Return the ports of a process's own connections, by which PostgreSQL knows whose a session is."""
    return [each.laddr.port for each in psutil.Process(pid).net_connections("tcp")]


def _catch_at_work(rig: Rig, copy: str, number: signal.Signals, chance: Random) -> None:
    """Freeze a process again and again until it is caught with an open batch or request; send the signal then.

    Raises:
        DidNotLand: It was never caught.
    """
    pid, service = rig.process(copy).pid, service_of(copy)
    end = time.monotonic() + CAUGHT_WITHIN_S
    while time.monotonic() < end:
        frozen_at = time.monotonic()
        os.kill(pid, signal.SIGSTOP)
        try:
            if rig.ask(_AT_WORK, f"handrail_{service}", local_ports(pid), f"{service}.{_WRITTEN_BY_WORK[service]}"):
                os.kill(pid, number)
                return
        finally:
            with suppress(ProcessLookupError):  # killed, and gone already
                os.kill(pid, signal.SIGCONT)
        # The next freeze must find it somewhere else, and it must run long enough to stay in its group.
        time.sleep(time.monotonic() - frozen_at + chance.uniform(0.001, 0.02))
    raise DidNotLand(f"{copy} was never caught with an open batch or request")
