"""The rig: one installation with two copies of every service, whose processes can be armed, killed and frozen.

Every service is a test build (`tests.support.faults.builds`); front and stub recipients are as shipped.
"""

from __future__ import annotations

import asyncio
import math
import os
import re
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from http.client import HTTPException
from typing import Any, Final

import asyncpg

from handrail.embedded.process import Child, choose_port
from handrail.installation.running import AUDITOR
from handrail.installation.web import Answer, CallFailed, Web
from schemas.topics import SERVICES
from tests.support.eventually import until
from tests.support.faults.builds import COPIES, SECOND, Builds, service_of
from tests.support.installation import start_one

READY_S: Final = 180.0  # a loaded machine starts eight processes at once


class DidNotLand(AssertionError):
    """A fault was injected and its detector saw nothing: the row proves nothing."""


def wait_for(condition: Callable[[], Any], what: str, *, within_s: float = READY_S, every_s: float = 0.05) -> Any:
    """Return the condition's value as soon as it is true; asked again after `every_s`.

    Raises:
        DidNotLand: It was not true in time; says what was waited for.
    """
    return until(condition, what, within_s=within_s, every_s=every_s, failure=DidNotLand)


@dataclass
class Rig:
    """Everything that faults are injected into."""

    installation: Builds = field(default_factory=lambda: start_one(Builds))
    without: dict[str, str] = field(default_factory=dict)
    """By service, the part that its test builds lack (`tests.support.faults.taken_out`)."""

    def __post_init__(self) -> None:
        for service in SERVICES:
            self.installation.ports[service + SECOND] = choose_port(service, None)
            self.start(service + SECOND)
        for service in SERVICES:
            self.wait_ready(service + SECOND)

    @property
    def database_url(self) -> str:
        """Address of the database for its administrator."""
        return self.installation.database_url()

    @property
    def auditor(self) -> str:
        """An access token that may read the whole log."""
        return self.installation.web("audit", AUDITOR).token or ""

    def web(self, copy: str) -> Web:
        """Return a caller of one process, signed in as an operator."""
        return Web(self.installation.url(copy), self.installation.web(service_of(copy)).token)

    def start(self, copy: str, *, fault: str = "") -> None:
        """Start one process as a test build, perhaps with a point armed (`relay.sent:kill:2`); returns at once."""
        without = [self.without[service_of(copy)]] if service_of(copy) in self.without else []
        self.installation.start_copy(copy, fault=fault, without=without)

    def restart(self, copy: str, *, fault: str = "") -> None:
        """Stop a process, if it runs, and start it again; returns at once."""
        self.process(copy).stop()
        self.start(copy, fault=fault)

    def restart_all(self, service: str) -> None:
        """Stop both copies of a service and start them again; return once they are ready."""
        for copy in (service, service + SECOND):
            self.restart(copy)
        for copy in (service, service + SECOND):
            self.wait_ready(copy)

    def wait_ready(self, copy: str) -> None:
        """Return once a process answers that it is ready."""
        wait_for(lambda: self.is_ready(copy), f"{copy} is ready")

    def is_ready(self, copy: str) -> bool:
        """Say whether a process answers that it is ready; one that has ended is an error."""
        assert self.process(copy).running, f"{copy} has ended: {self.process(copy).last_line()}"
        answer = self._ask(copy, "/health/ready")
        return answer is not None and answer.status == 200

    def wrong(self, copy: str) -> str:
        """Return what a process says is wrong with it, so that it should be restarted; empty while it is well."""
        answer = self._ask(copy, "/health/live")
        return answer.text if answer and answer.status != 200 else ""

    def _ask(self, copy: str, path: str) -> Answer | None:
        """Return what a process answers, or nothing if it does not."""
        try:
            return Web(self.installation.url(copy)).call("GET", path)
        except (CallFailed, HTTPException):
            return None

    def process(self, copy: str) -> Child:
        """Return the running process of a copy."""
        return self.installation.processes[copy]

    def signal(self, copy: str, number: signal.Signals) -> None:
        """Send a signal to a process."""
        os.kill(self.process(copy).pid, number)

    def ended(self) -> list[str]:
        """Return which processes do not run now, each with its last line."""
        return [
            f"{copy} has ended: {process.last_line()}"
            for copy, process in self.installation.processes.items()
            if not process.running
        ]

    def died(self, copy: str) -> bool:
        """Say whether a process is gone."""
        return not self.process(copy).running

    def marked(self, copy: str) -> str:
        """Return the armed point that a process has reached, if any."""
        mark = self.installation.mark(copy)
        return mark.read_text() if mark.exists() else ""

    def ask(self, query: str, *values: Any) -> Any:
        """Return the one value that a query gives, as the database's administrator. Blocking."""
        return asyncio.run(self._fetch(query, values))

    async def _fetch(self, query: str, values: Sequence[Any]) -> Any:
        connection = await asyncpg.connect(self.database_url)
        try:
            return await connection.fetchval(query, *values)
        finally:
            await connection.close()

    def move_clock(self, seconds: int, reason: str) -> None:
        """Move the legal clock as an operator does."""
        self.web("deadlines").post("/v1/clock", {"seconds": seconds, "reason": reason})

    def move_clock_to(self, at: datetime, reason: str) -> None:
        """Move the legal clock to this moment or, as it goes on meanwhile, up to a second later."""
        self.move_clock(math.ceil((at - self.ask("SELECT clock.legal_now()")).total_seconds()), reason)

    def metric(self, name: str, *copies: str) -> float:
        """Return the sum of a metric over its labels and these copies (default: all); one that is away counts nothing."""
        return sum(self._metric(name, copy) for copy in copies or COPIES)

    def metrics(self, copy: str) -> str:
        """Return the page of metrics of a process; empty if it is away."""
        answer = self._ask(copy, "/metrics")
        return answer.text if answer else ""

    def _metric(self, name: str, copy: str) -> float:
        page = self.metrics(copy)
        return sum(float(value) for value in re.findall(rf"^{re.escape(name)}(?:{{.*}})? (\S+)$", page, re.MULTILINE))
