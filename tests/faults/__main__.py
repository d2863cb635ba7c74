"""The long fault table: `python -m tests.faults [--seed N] [--kills N] [--generated N] [--only WORDS]`.

Every row of `tests/support/faults`, and each part that holds the promise taken out; what leaves most messages behind comes
last, because all of them are published again now and then. Exit code 1 if a row is wrong, or a part is missed by nobody.
The seed of a run is printed, and reproduces its choices.
"""

from __future__ import annotations

import argparse
import logging
import secrets
import sys

from tests.support.faults.rig import Rig
from tests.support.faults.rows import ROWS, heavy_rows
from tests.support.faults.table import Table
from tests.support.faults.taken_apart import MENDABLE, SNAPSHOT, noticed


def main(arguments: list[str]) -> int:
    """Run the table and say whether it is as it must be."""
    given = _parser().parse_args(arguments)
    logging.getLogger("aiokafka").addHandler(logging.NullHandler())
    logging.getLogger("aiokafka").propagate = False
    print(f"seed {given.seed}")  # noqa: T201
    table = Table(Rig(), given.seed)
    wanted = [damage for damage in (*MENDABLE, SNAPSHOT) if given.only in damage.name]
    wrong = table.run_all(row for row in ROWS if given.only in row.name)
    missed = [damage for damage in wanted if damage is not SNAPSHOT and not noticed(table, damage)]
    heavy = heavy_rows(kills=given.kills, generated=given.generated)
    wrong += table.run_all(row for row in heavy if given.only in row.name)
    missed += [damage for damage in wanted if damage is SNAPSHOT and not noticed(table, damage)]
    unnoticed = ", ".join(each.part for each in missed) or "none"
    print(f"{len(table.rows)} rows, {len(wrong)} wrong; parts taken out that no row missed: {unnoticed}")  # noqa: T201
    return 1 if wrong or missed else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description="Run the long fault table.")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(2**32), help="reproduces a run")
    parser.add_argument("--kills", type=int, default=500, help="how many processes die at named points, at least")
    parser.add_argument("--generated", type=int, default=5_000, help="how many generated bodies are sent")
    parser.add_argument("--only", default="", metavar="WORDS", help="only rows that have these words in their name")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
