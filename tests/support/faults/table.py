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
from tests.support.faults.invariants import INVARIANTS, never_repeated
from tests.support.faults.load import PAUSE_S, Load
from tests.support.faults.quiet import STUCK_S, wait_until_quiet
from tests.support.faults.rig import DidNotLand, Rig
from tests.support.installation import add_police

POLICE: Final = "load-police"
OTHER_POLICE: Final = "load-other-police"


@dataclass(frozen=True)
class Landed:
    """What was injected how often, and what saw that it was."""

    injected: str
    detected_by: str


@dataclass
class Scene:
    """What a fault may use: the rig, the load that is running on it, the randomness of the run, and a partner at rest."""

    rig: Rig
    load: Load
    random: Random
    other: Credentials


@dataclass(frozen=True)
class Fault:
    """One row. `inject` does the damage, waits until its detector saw it, and undoes it.

    It raises `DidNotLand` if the detector saw nothing. `may_repeat` is false where the damage touches nothing between routing
    and the recipients, so that no webhook has a reason to come again.
    """

    name: str
    inject: Callable[[Scene], Landed]
    may_repeat: bool = True


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
    pause_s: float = PAUSE_S
    rows: list[Row] = field(default_factory=list)
    _numbers: itertools.count[int] = field(default_factory=itertools.count)
    _clients: tuple[Credentials, ...] = ()

    def run(self, fault: Fault, *, stuck_s: float = STUCK_S) -> Row:
        """Inject one fault under load, wait until all is quiet, and ask every invariant."""
        (row,) = self.run_together([fault], stuck_s=stuck_s)
        return row

    def run_together(self, faults: Iterable[Fault], *, stuck_s: float = STUCK_S) -> list[Row]:
        """Inject faults one after the other under one load, and judge them together at its end.

        Args:
            faults: In their order.
            stuck_s: Once what still waits has not changed for so long, nobody waits for it any more.

        Returns:
            A row for each; what became of the load, how long it took and what is wrong with it is the same in all of them.
        """
        began = time.monotonic()
        self._clients = self._clients or tuple(add_police(self.rig.installation, who) for who in (POLICE, OTHER_POLICE))
        police, other = self._clients
        with Load(self.rig, police, f"row-{next(self._numbers)}", pause_s=self.pause_s) as load:
            landed = [(fault, *self._inject(fault, load, other)) for fault in faults]
        ended = time.monotonic()
        waits = wait_until_quiet(self.rig, stuck_s=stuck_s)
        recovered_after_s = time.monotonic() - ended
        seen = gather(self.rig, load.sent, police, other)
        wrong = [*([f"not quiet: {waits}"] if waits else []), *self.rig.ended()]
        asked = [*INVARIANTS, *([] if any(fault.may_repeat for fault, _, _ in landed) else [never_repeated])]
        wrong += [f"{each.__name__}: {problem}" for each in asked for problem in each(seen)]
        rows = [
            Row(
                fault.name,
                found.injected,
                found.detected_by,
                recovered_after_s,
                time.monotonic() - began,
                load.sent.count,
                seen.outcomes,
                (*problems, *wrong),
            )
            for fault, found, problems in landed
        ]
        for row in rows:
            self.tell(str(row))
        self.rows += rows
        return rows

    def _inject(self, fault: Fault, load: Load, other: Credentials) -> tuple[Landed, list[str]]:
        try:
            return fault.inject(Scene(self.rig, load, Random(f"{self.seed} {fault.name}"), other)), []  # noqa: S311
        except DidNotLand as nothing:
            # At once: with what the fault has left behind, the load may not come to its end.
            self.tell(f"{fault.name} | did not land: {nothing} | {'; '.join(self.rig.ended()) or 'all processes run'}")
            return Landed("did not land", "nothing"), [str(nothing)]

    def run_all(self, faults: Iterable[Fault]) -> list[Row]:
        """Run faults in their order; return the rows that are wrong."""
        return [row for row in map(self.run, faults) if row.problems]
