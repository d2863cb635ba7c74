"""`make bench-start`: how long `handrail demo --check` takes until everything is ready, step by step.

The command itself is run, with its output on a pipe; it prints a line when a step begins. It is started once to warm the
caches of files and byte code, then measured, and stopped as soon as it is ready: playing the story is not part of this.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

from benchmarks.figures import Figure, Machine, conclude, cpu_seconds, table

GOAL_S: Final = 12.0
ROUNDS: Final = 3
HANDRAIL: Final = Path(sys.executable).with_name("handrail")
STEPS: Final = {
    "Starting Apache Kafka": "the command itself",
    "Making topics": "Kafka and PostgreSQL",
    "Starting the services": "topics, users and tables",
    "Kafka 127": "the services",
}
"""Each step by the line that begins the next one."""


@dataclass(frozen=True, slots=True)
class Start:
    """One start: seconds by step, CPU seconds by program."""

    steps: dict[str, float]
    cpu: Counter[str]

    @property
    def ready_s(self) -> float:
        """Seconds from the command to the last service that was ready."""
        return sum(self.steps.values())


def start_once() -> Start:
    """Start the demo, note when each step ended, and stop it."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("HANDRAIL_")}
    began = time.monotonic()
    steps: dict[str, float] = {}
    with subprocess.Popen(
        [HANDRAIL, "demo", "--check"], env=env, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as command:
        assert command.stdout is not None
        for line in command.stdout:
            ended = next((step for mark, step in STEPS.items() if line.strip().startswith(mark)), None)
            if ended:
                steps[ended] = time.monotonic() - began
                began = time.monotonic()
            if len(steps) == len(STEPS):
                break
        cpu = _cpu(command.pid)
        command.send_signal(signal.SIGINT)
        command.communicate()
    if len(steps) != len(STEPS):
        raise SystemExit("handrail demo --check ended before it was ready; run it to see why")
    return Start(steps, cpu)


def _cpu(pid: int) -> Counter[str]:
    found: Counter[str] = Counter()
    for process in (command := psutil.Process(pid), *command.children(recursive=True)):
        try:
            found[_name(process)] += cpu_seconds(process.pid)  # type: ignore[assignment]  # seconds are no int
        except psutil.NoSuchProcess:
            continue
    return found


def _name(process: psutil.Process) -> str:
    line = " ".join(process.cmdline())
    if "guard.py" in line:
        return "guards, and what ended (initdb, format)"
    if process.name().startswith("python") and "nursery" in line:
        return "nursery, and its guards"
    for mark, name in (("kafka.Kafka", "Kafka"), ("postgres", "PostgreSQL"), ("bin/handrail", "the command itself")):
        if mark in line:
            return name
    return process.name()  # what the nursery calls its forks


def main() -> int:
    """Measure and conclude."""
    start_once()
    machine = Machine()
    starts = [start_once() for _ in range(ROUNDS)]
    best = min(starts, key=lambda start: start.ready_s)
    table([(step, f"{seconds:.2f} s") for step, seconds in best.steps.items()], "step (of the fastest start)")
    table([(name, f"{seconds:.2f} s") for name, seconds in best.cpu.most_common()], "CPU until ready")
    print(f"CPU in all {best.cpu.total():.1f} s; ready after {', '.join(f'{start.ready_s:.1f}' for start in starts)} s")
    print(machine.report(sum(start.cpu.total() for start in starts)))
    return conclude("bench-start", Figure(best.ready_s, GOAL_S, "s", at_most=True))


if __name__ == "__main__":
    sys.exit(main())
