"""The table of faults: each is injected under load, must be seen by its detector, and is then judged by every invariant."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from random import Random
from typing import Final

from handrail.installation.clients import Credentials
from tests.support.faults.evidence import gather
from tests.support.faults.invariants import INVARIANTS
from tests.support.faults.load import Load
from tests.support.faults.quiet import wait_until_quiet
from tests.support.faults.rig import DidNotLand, Rig
from tests.support.installation import add_police

POLICE: Final = "load-police"


@dataclass(frozen=True)
class Landed:
    """What was injected how often, and what saw that it was."""

    injected: str
    detected_by: str


@dataclass
class Scene:
    """What a fault may use: the rig, the load that is running on it, and the randomness of the run."""

    rig: Rig
    load: Load
    random: Random


@dataclass(frozen=True)
class Fault:
    """One row. `inject` does the damage, waits until its detector saw it, and undoes it.

    It raises `DidNotLand` if the detector saw nothing.
    """

    name: str
    inject: Callable[[Scene], Landed]


@dataclass(frozen=True)
class Row:
    """What became of one fault."""

    name: str
    injected: str
    detected_by: str
    recovered_after_s: float
    took_s: float
    events_in: int
    outcomes_out: int
    problems: tuple[str, ...]

    def __str__(self) -> str:
        line = (
            f"{self.name} | {self.injected} | seen by {self.detected_by} | quiet after {self.recovered_after_s:.1f} s"
            f" | {self.events_in} in, {self.outcomes_out} out | {self.took_s:.0f} s in all"
        )
        return "\n".join([line, *(f"    WRONG {problem}" for problem in self.problems)])


@dataclass
class Table:
    """Runs faults one after the other on one rig, the same way for the same seed, and keeps their rows."""

    rig: Rig
    seed: int
    tell: Callable[[str], None] = print
    rows: list[Row] = field(default_factory=list)
    _numbers: itertools.count[int] = field(default_factory=itertools.count)
    _police: Credentials | None = None

    def run(self, fault: Fault) -> Row:
        """Inject one fault under load, wait until all is quiet, and ask every invariant."""
        number, began = next(self._numbers), time.monotonic()
        self._police = self._police or add_police(self.rig.installation, POLICE)
        load = Load(self.rig, self._police, f"row-{number}")
        with load:
            try:
                landed, problems = fault.inject(Scene(self.rig, load, Random(f"{self.seed} {fault.name}"))), []  # noqa: S311
            except DidNotLand as nothing:
                landed, problems = Landed("did not land", "nothing"), [str(nothing)]
        ended = time.monotonic()
        if waits := wait_until_quiet(self.rig):
            problems.append(f"not quiet: {waits}")
        recovered_after_s = time.monotonic() - ended
        seen = gather(self.rig, load.sent)
        problems += [f"{each.__name__}: {problem}" for each in INVARIANTS for problem in each(seen)]
        row = Row(
            fault.name,
            landed.injected,
            landed.detected_by,
            recovered_after_s,
            time.monotonic() - began,
            load.sent.count,
            seen.outcomes,
            tuple(problems),
        )
        self.rows.append(row)
        self.tell(str(row))
        return row

    def run_all(self, faults: Iterable[Fault]) -> list[Row]:
        """Run faults in their order; return the rows that are wrong."""
        return [row for row in map(self.run, faults) if row.problems]
