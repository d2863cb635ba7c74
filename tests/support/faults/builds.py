"""An installation of test builds: its services can be armed and can lack a part."""

from __future__ import annotations

import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from handrail.embedded.places import private_folder
from handrail.embedded.process import Child
from handrail.installation.installation import Installation
from schemas.topics import SERVICES
from tests.support.faults import service as test_build

SECOND: Final = "-2"
THIRD: Final = "-3"  # one that is there for a while only
COPIES: Final = tuple(service + copy for copy in ("", SECOND) for service in SERVICES)


def service_of(copy: str) -> str:
    """Return the service that a process is a copy of."""
    return copy.partition("-")[0]


class Builds(Installation):
    """Everything as shipped but for the services."""

    def start_service(self, name: str) -> None:
        """Start one process and return at once."""
        if name in SERVICES:
            self.start_copy(name)
        else:
            super().start_service(name)

    def start_copy(self, copy: str, *, fault: str = "", without: Sequence[str] = ()) -> None:
        """Start one process of a service, perhaps with a point armed (`relay.sent:kill:2`); returns at once."""
        service = service_of(copy)
        self.mark(copy).unlink(missing_ok=True)
        self.processes[copy] = Child(
            copy,
            ["-m", test_build.__name__],
            log_path=self.log(copy),
            folder=private_folder(self.folder / "run" / copy),
            stop_signal=signal.SIGTERM,
            env={
                **self.environment(service),
                "HANDRAIL_HTTP_PORT": str(self.ports[copy]),
                "HANDRAIL_FAULT": fault,
                "HANDRAIL_FAULT_MARK": str(self.mark(copy)),
                test_build.SERVICE: service,
                test_build.WITHOUT: " ".join(without),
            },
            nursery=self._nursery,
        )

    def mark(self, copy: str) -> Path:
        """Return the file in which a process notes the armed point that it reached."""
        return private_folder(self.folder / "run") / f"{copy}.mark"

    def log(self, copy: str) -> Path:
        """Return the log file of a process."""
        return private_folder(self.folder / "logs") / f"{copy}.log"
