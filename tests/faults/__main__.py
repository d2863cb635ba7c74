"""The long fault table: `python -m tests.faults [--seed N] [--kills N] [--generated N] [--only WORDS]`.

Every row of `tests/support/faults`, then kills at named points and at random moments until there were as many as asked
for, then each part that holds the promise taken out. Exit code 1 if a row is wrong, or a part is missed by nobody. The
seed of a run is printed, and reproduces its choices.
"""

from __future__ import annotations

import argparse
import logging
import secrets
import sys
from dataclasses import replace
from random import Random

from tests.support.faults.builds import COPIES
from tests.support.faults.killing import POINTS, kill_at_each_point
from tests.support.faults.messages import traps
from tests.support.faults.processes import AT_RANDOM
from tests.support.faults.rig import Rig
from tests.support.faults.rows import EVERY_ROW
from tests.support.faults.servers import lock_held
from tests.support.faults.table import Fault, Table
from tests.support.faults.taken_apart import DAMAGES, noticed

LONG_LOCK_S = 65.0  # longer than a command may take
KILLS_A_ROUND = sum(map(len, POINTS.values()))
TIMES = 5  # at each point in one row: what takes time is the quiet after it
AT_POINTS = 0.6


def main(arguments: list[str]) -> int:
    """Run the table and say whether it is as it must be."""
    given = _parser().parse_args(arguments)
    logging.getLogger("aiokafka").addHandler(logging.NullHandler())
    logging.getLogger("aiokafka").propagate = False
    print(f"seed {given.seed}")  # noqa: T201
    table = Table(Rig(), given.seed)
    rows = [*EVERY_ROW, lock_held(LONG_LOCK_S), traps(given.generated), *_kills(given.kills, given.seed)]
    wrong = table.run_all(row for row in rows if given.only in row.name)
    missed = [damage for damage in DAMAGES if given.only in damage.name and not noticed(table, damage)]
    unnoticed = ", ".join(each.part for each in missed) or "none"
    print(f"{len(table.rows)} rows, {len(wrong)} wrong; parts taken out that no row missed: {unnoticed}")  # noqa: T201
    return 1 if wrong or missed else 0


def _kills(wanted: int, seed: int) -> list[Fault]:
    """Return rows of kills, most at named points and some at random moments, that come to as many as wanted."""
    rows: list[Fault] = []
    choose, counted = Random(seed), 0  # noqa: S311
    while counted < wanted:
        at_points = choose.random() < AT_POINTS
        fault = kill_at_each_point(TIMES) if at_points else AT_RANDOM
        counted += KILLS_A_ROUND * TIMES if at_points else len(COPIES)
        rows.append(replace(fault, name=f"{fault.name}, up to kill {counted}"))
    return rows


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description="Run the long fault table.")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(2**32), help="reproduces a run")
    parser.add_argument("--kills", type=int, default=500, help="how many processes are killed, at least")
    parser.add_argument("--generated", type=int, default=5_000, help="how many generated bodies are sent")
    parser.add_argument("--only", default="", metavar="WORDS", help="only rows that have these words in their name")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
