"""An installation that runs, as its status file describes it: everything needed to use it, nothing to stop it with.

The command line, the story's player and its judge work through this alone, so they work the same on `handrail demo`,
on `handrail up` and on the containers of `make up`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Self

from handrail.embedded.kafka import BrokerAddress
from handrail.embedded.places import write_private
from handrail.installation.clients import ClientRegistry
from handrail.installation.tokens import Account, TokenIssuer
from handrail.installation.web import Web

OPERATOR: Final = Account("command-line", "The command line of this installation", "operations")
AUDITOR: Final = Account("command-line-audit", "The command line of this installation, as auditor", "auditor")
_FILE: Final = "status.json"


def status_file(folder: Path) -> Path:
    """Return where the installation in `folder` says that it runs."""
    return folder / _FILE


@dataclass(frozen=True, slots=True)
class Running:
    """One running installation.

    Attributes:
        folder: Its folder on this machine.
        keys: Folder of its keys and passwords.
        demo: Everything in it is invented.
        urls: Address of each service, of the front, and of the stubs where there are any.
        database: `host:port/name`, as the services see it.
    """

    folder: str
    keys: str
    demo: bool
    urls: Mapping[str, str]
    kafka_bootstrap: str
    kafka_security: str
    kafka_admin: str
    kafka_ca_file: str | None
    database: str
    log_public_key: str

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read the status file of a folder; the caller knows that there is one."""
        return cls(**json.loads(status_file(folder).read_text()))

    def write(self) -> None:
        """Write the status file."""
        write_private(status_file(Path(self.folder)), json.dumps(asdict(self), indent=2) + "\n")

    def url(self, service: str) -> str:
        """Return the address of a service, the front or the stubs."""
        return self.urls[service]

    def web(self, service: str, account: Account = OPERATOR) -> Web:
        """Return a caller of one service, signed in as the account."""
        return Web(self.url(service), TokenIssuer(Path(self.keys) / "token.key").issue(account))

    @property
    def broker(self) -> BrokerAddress:
        """The cluster and its administrator."""
        return BrokerAddress(
            self.kafka_bootstrap,
            self.kafka_admin,
            self.password("kafka-admin"),
            self.kafka_security,
            self.kafka_ca_file,
        )

    @property
    def clients(self) -> ClientRegistry:
        """The partner systems that may report."""
        return ClientRegistry(self.web("intake"), self.broker, Path(self.folder) / "clients")

    def password(self, name: str) -> str:
        """Return one of its passwords, such as that of the accounts."""
        return (Path(self.keys) / f"{name}.password").read_text()

    def shown(self) -> dict[str, Any]:
        """Return everything but the keys' contents, with the credentials of every client: for `handrail status --json`."""
        known = sorted((Path(self.folder) / "clients").glob("*.json"))
        return asdict(self) | {"clients": {path.stem: json.loads(path.read_text()) for path in known}}
