"""Plays many seeds: `python -m tests.simulation --seeds 10000`; one, with its trace: `--seed 87`."""

from __future__ import annotations

import argparse
import gc
import os
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor

from tests.simulation.simulate import Run, simulate

BLOCK = 25


def main(arguments: Sequence[str] | None = None) -> int:
    """Play seeds; return 0 if nothing broke."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=500, help="how many seeds to play (default 500)")
    parser.add_argument("--first", type=int, default=0, help="the first of them (default 0)")
    parser.add_argument("--seed", type=int, help="play this one and show its trace")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes (default: one per core)")
    given = parser.parse_args(arguments)
    if given.seed is not None:
        return _show(simulate(given.seed))
    return _play(range(given.first, given.first + given.seeds), given.jobs)


def _show(run: Run) -> int:
    print("\n".join(run.trace))  # noqa: T201
    print(f"seed {run.seed}: {run.faults} faults, trace {run.digest}")  # noqa: T201
    print("\n".join(run.violations) or "everything held")  # noqa: T201
    return 1 if run.violations else 0


def _play(seeds: range, jobs: int) -> int:
    blocks = [seeds[start : start + BLOCK] for start in range(0, len(seeds), BLOCK)]
    played = faults = broken = 0
    with ProcessPoolExecutor(jobs, initializer=gc.freeze) as pool:  # what is imported need not be looked through again
        for block in pool.map(_block, blocks):
            for seed, faults_of_it, violations in block:
                played, faults, broken = played + 1, faults + faults_of_it, broken + bool(violations)
                if violations:
                    print(f"\nseed {seed} broke (python -m tests.simulation --seed {seed}):", *violations, sep="\n  ")  # noqa: T201
            if sys.stdout.isatty() or played == len(seeds):
                counted = f"{played} of {len(seeds)} seeds, {faults} faults, {broken} broke"
                print(f"\rsimulation: {counted}", end="", flush=True)  # noqa: T201
    print()  # noqa: T201
    return 1 if broken or not faults else 0


def _block(seeds: range) -> list[tuple[int, int, tuple[str, ...]]]:
    runs = (simulate(seed) for seed in seeds)
    return [(run.seed, run.faults, run.violations) for run in runs]


if __name__ == "__main__":
    sys.exit(main())
