"""An installation of test builds: its services are forked, can be armed, and can lack a part."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final, Self

from handrail.embedded.places import private_folder
from handrail.installation.installation import Installation
from schemas.topics import SERVICES
from tests.support.faults.forked import Forked, import_services
from tests.support.faults.service import run

SECOND: Final = "-2"
COPIES: Final = tuple(service + copy for copy in ("", SECOND) for service in SERVICES)


def service_of(copy: str) -> str:
    """Return the service that a process is a copy of."""
    return copy.removesuffix(SECOND)


class Builds(Installation):
    """Everything as shipped but for the services."""

    def start(self) -> Self:
        """Start everything; the services are imported while the servers start."""
        import_services()
        return super().start()

    def start_service(self, name: str) -> None:
        """Start one process and return at once."""
        if name in SERVICES:
            self.fork(name)
        else:
            super().start_service(name)

    def fork(self, copy: str, *, fault: str = "", without: Sequence[str] = ()) -> None:
        """Fork one process of a service, perhaps with a point armed (`relay.sent:kill:2`); returns at once."""
        service = service_of(copy)
        self.mark(copy).unlink(missing_ok=True)
        env = {
            **self.environment(service),
            "HANDRAIL_HTTP_PORT": str(self.ports[copy]),
            "HANDRAIL_FAULT": fault,
            "HANDRAIL_FAULT_MARK": str(self.mark(copy)),
        }
        log_path = private_folder(self.folder / "logs") / f"{copy}.log"
        self.processes[copy] = Forked(copy, run, service, *without, log_path=log_path, env=env)

    def mark(self, copy: str) -> Path:
        """Return the file in which a process notes the armed point that it reached."""
        return private_folder(self.folder / "run") / f"{copy}.mark"
