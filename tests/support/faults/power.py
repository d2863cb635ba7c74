"""The fault of the whole machine: every process of ours, the broker and the database server are killed at one moment."""

from __future__ import annotations

import os
import signal
from typing import Final

from tests.support.faults.builds import COPIES
from tests.support.faults.rig import Rig, wait_for
from tests.support.faults.servers import kafka_of, postgres_of, started
from tests.support.faults.table import Fault, Landed, Scene

RECOVERS: Final = "was not properly shut down"
SOME: Final = 20  # events of this row that have a receipt when all ends


def cut(scene: Scene) -> Landed:
    """Kill everything but the load and the recipients; start the servers again, and then every service."""
    rig, accepted = scene.rig, scene.load.sent.accepted
    wait_for(lambda: len(accepted) >= SOME, "receipts of this row")
    kafka, postgres = kafka_of(rig), postgres_of(rig)
    before = _recoveries(rig)
    pids = [rig.process(copy).pid for copy in COPIES]
    assert kafka.pid
    assert postgres.pid
    for pid in (*pids, kafka.pid, postgres.pid):
        os.kill(pid, signal.SIGKILL)
    known = len(accepted)
    for copy in COPIES:
        wait_for(lambda copy=copy: rig.died(copy), f"{copy} is gone")  # type: ignore[misc]
    postgres.stop()
    wait_for(lambda: started(postgres), "PostgreSQL starts again")
    kafka.stop()
    kafka.start()
    seen = wait_for(lambda: _recoveries(rig) - before, "PostgreSQL's word that it recovers")
    for copy in COPIES:
        rig.start(copy)
    for copy in COPIES:
        rig.wait_ready(copy)
    return Landed(
        f"SIGKILL of {len(pids)} processes, the broker and the database server at once, with {known} events accepted",
        f"{seen} recovery of PostgreSQL from its own log",
    )


CUT: Final = Fault("Everything killed at once", cut)


def _recoveries(rig: Rig) -> int:
    return (rig.installation.folder / "postgres" / "postgres.log").read_text().count(RECOVERS)
