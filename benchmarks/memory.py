"""`make bench-memory`: how much memory each service takes under load while the one behind it stands still.

Reports come as fast as Kafka takes them. Whoever reads what a service writes is frozen (SIGSTOP), one stage after another,
so that everything piles up in front of it; then it goes on and has the whole pile to work off. The floor is what a
service holds once it is ready and has done nothing: its imports.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import asyncpg

from benchmarks.figures import Figure, Machine, conclude, family_seconds, table
from benchmarks.load import installation, send_by_kafka, wait_for, wait_for_notices
from handrail.installation.installation import Installation
from schemas.topics import SERVICES
from tests.support.eventually import eventually
from tests.support.installation import add_police

GOAL_MB: Final = 100.0
REPORTS: Final = 3_000
STAGES: Final[tuple[tuple[str, ...], ...]] = (("routing",), ("stubs", "deadlines"), ("audit",))
"""Who stands still, one stage after another, while a third of the reports comes."""
_KEPT: Final = "SELECT count(*) FROM intake.submission"
_MB: Final = 1 << 20


class Peaks:
    """The most memory that each process had since it was ready, looked at ten times a second."""

    def __init__(self, running: Installation) -> None:
        self._pids = {name: running.processes[name].pid for name in SERVICES}
        self.floor = self._now()
        self.peak = dict(self.floor)
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._look)

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Look until the end of the block."""
        self._thread.start()
        try:
            yield
        finally:
            self._done.set()
            self._thread.join()

    def _look(self) -> None:
        while not self._done.wait(0.1):
            for name, bytes_ in self._now().items():
                self.peak[name] = max(self.peak[name], bytes_)

    def _now(self) -> dict[str, int]:
        return {name: _resident(pid) for name, pid in self._pids.items()}


def _resident(pid: int) -> int:
    """Return the bytes of memory in use; pages that forks still share count in each of them, before and after."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


@contextmanager
def standing_still(running: Installation, names: tuple[str, ...]) -> Iterator[None]:
    """Freeze some processes for the length of the block."""
    for name in names:
        os.kill(running.processes[name].pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for name in names:
            os.kill(running.processes[name].pid, signal.SIGCONT)


async def _wait_until_kept(running: Installation, reports: int) -> None:
    connection = await asyncpg.connect(running.database_url())

    async def kept() -> bool:
        return bool(await connection.fetchval(_KEPT) >= reports)

    try:
        await eventually(kept, f"{reports} reports kept by intake", within_s=900, every_s=0.25)
    finally:
        await connection.close()


def main() -> int:
    """Measure and conclude."""
    machine, cpu = Machine(), family_seconds()
    with installation() as running:
        client, peaks, each = add_police(running, "bench-memory"), Peaks(running), REPORTS // len(STAGES)
        with peaks.watching():
            for place, names in enumerate(STAGES):
                with standing_still(running, names):
                    send_by_kafka(running, client, range(place * each, (place + 1) * each))
                    asyncio.run(_wait_until_kept(running, (place + 1) * each))
                asyncio.run(wait_for(running, (place + 1) * each))
            asyncio.run(wait_for_notices(running, 2 * REPORTS))
        report = machine.report(family_seconds() - cpu)
    grown = {name: (peaks.peak[name] - peaks.floor[name]) / _MB for name in SERVICES}
    rows = [(name, f"{peaks.floor[name] / _MB:.0f} + {grown[name]:.0f} MB") for name in SERVICES]
    table(rows, f"memory under {REPORTS:,} reports: floor of the imports + most under load")
    print(report)
    return conclude("bench-memory", Figure(max(grown.values()), GOAL_MB, "MB", at_most=True))


if __name__ == "__main__":
    sys.exit(main())
