"""What every bench prints: what the machine had to do meanwhile, who used its processors, and the figure at the end.

A figure is a ratio to a goal on one machine in one run. Nothing else may depend on it, so no test asserts one; the exit
code says whether the goal was met.
"""

from __future__ import annotations

import os
import platform
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psutil


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured value and its goal: at least that much, or (`at_most`) no more."""

    value: float
    goal: float
    unit: str
    at_most: bool = False

    @property
    def met(self) -> bool:
        """Whether the goal was reached."""
        return self.value <= self.goal if self.at_most else self.value >= self.goal


def conclude(name: str, *figures: Figure) -> int:
    """Print the last line of a bench and return its exit code."""
    met = all(figure.met for figure in figures)
    measured = ", ".join(f"{_rounded(figure.value)} {figure.unit}" for figure in figures)
    goals = ", ".join(f"{'<=' if figure.at_most else '>='} {figure.goal:,g} {figure.unit}" for figure in figures)
    print(f"{name}: {measured} (goal {goals}): {'met' if met else 'short'}")
    return 0 if met else 1


def _rounded(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def table(rows: Iterable[tuple[str, str]], title: str) -> None:
    """Print a title and two columns."""
    print(title)
    for name, value in rows:
        print(f"  {name:<38} {value:>12}")


@dataclass
class Cpu:
    """CPU seconds by the name of the process, taken from two looks at a set of processes and their children."""

    started: dict[int, float] = field(default_factory=dict)

    @classmethod
    def of(cls, processes: Mapping[int, str]) -> Cpu:
        """Take the first look."""
        return cls({pid: cpu_seconds(pid) for pid in processes})

    def spent(self, processes: Mapping[int, str]) -> Counter[str]:
        """Return the CPU seconds spent since the first look, by name; processes of one name are added up."""
        found: Counter[str] = Counter()
        for pid, name in processes.items():
            found[name] += cpu_seconds(pid) - self.started.get(pid, 0.0)  # type: ignore[assignment]  # seconds are no int
        return found


def cpu_seconds(pid: int) -> float:
    """Return the CPU seconds of a process and of its children that have ended; 0 if it is gone."""
    try:
        times = psutil.Process(pid).cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(times.user + times.system + times.children_user + times.children_system)


def family_seconds() -> float:
    """Return the CPU seconds of this process and of all that it started and that still run, or that it waited for."""
    me = psutil.Process()
    return sum(cpu_seconds(each.pid) for each in (me, *me.children(recursive=True)))


class Machine:
    """How busy the machine was between two moments, and how much of that was not ours."""

    def __init__(self) -> None:
        self._before = psutil.cpu_times()

    def report(self, ours_s: float) -> str:
        """Say what machine this is, and the share of its processors that others used (or that was stolen from it)."""
        now = psutil.cpu_times()
        total = sum(now) - sum(self._before) - (now.guest - self._before.guest)
        idle = now.idle + now.iowait - self._before.idle - self._before.iowait
        others = max(0.0, total - idle - ours_s) / total if total else 0.0
        memory = psutil.virtual_memory().total >> 30
        return f"machine: {os.cpu_count()} x {_processor()}, {memory} GB; others used {others:.0%} of it meanwhile"


def _processor() -> str:
    page = Path("/proc/cpuinfo")
    found = re.search(r"^model name\s*: (.+)$", page.read_text(), re.MULTILINE) if page.exists() else None
    return found[1] if found else platform.processor()
