"""An installation that runs, as its status file describes it: everything needed to use it, nothing to stop it with.

The command line, the story's player and its judge work through this alone, so they work the same on `handrail demo`,
on `handrail up`, on the containers of `make up` and on a deployment that `handrail provision` made.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Self

from handrail.embedded.errors import EmbeddedError
from handrail.embedded.kafka import BrokerAddress
from handrail.embedded.places import write_private
from handrail.embedded.stack import given_broker
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
        """Read the status file of a folder; the caller knows that there is one.

        Raises:
            EmbeddedError: It is another program's, or of a release that wrote something else into it.
        """
        file = status_file(folder)
        try:
            return cls(**json.loads(file.read_text()))
        except (ValueError, TypeError) as error:
            raise EmbeddedError(f"{file} is not the status file of an installation of this release") from error

    def write(self) -> None:
        """Write the status file."""
        write_private(status_file(Path(self.folder)), json.dumps(asdict(self), indent=2) + "\n")

    def url(self, service: str) -> str:
        """Return the address of a service, the front or the stubs."""
        return self.urls[service]

    def web(self, service: str, account: Account = OPERATOR) -> Web:
        """Return a caller of one service, signed in as the account.

        Raises:
            EmbeddedError: The key that signs tokens cannot be read from here.
        """
        key = Path(self.keys) / "token.key"
        try:
            issuer = TokenIssuer(key)
        except OSError as error:
            raise EmbeddedError(
                f"{key} cannot be read ({type(error).__name__}): only who may read the keys of an installation may act for it"
            ) from error
        return Web(self.url(service), issuer.issue(account))

    @property
    def broker(self) -> BrokerAddress:
        """The cluster and its administrator. A deployment does not keep that password: the environment must give it again.

        Raises:
            EmbeddedError: It does not.
        """
        if (Path(self.keys) / "kafka-admin.password").exists():
            password = self.password("kafka-admin")
            return BrokerAddress(
                self.kafka_bootstrap, self.kafka_admin, password, self.kafka_security, self.kafka_ca_file
            )
        given = given_broker(os.environ)
        if given is None:
            raise EmbeddedError(
                f"{self.keys} does not keep the password of Kafka's administrator: set HANDRAIL_KAFKA_BOOTSTRAP, "
                "HANDRAIL_KAFKA_ADMIN_USER and HANDRAIL_KAFKA_ADMIN_PASSWORD as for `handrail provision`"
            )
        return given

    @property
    def clients(self) -> ClientRegistry:
        """The partner systems that may report."""
        return ClientRegistry(self.web("intake"), self.broker, Path(self.folder) / "clients")

    def password(self, name: str) -> str:
        """Return one of its passwords, such as that of the demo's accounts."""
        return (Path(self.keys) / f"{name}.password").read_text()

    def shown(self) -> dict[str, Any]:
        """Return everything but the keys' contents, with the credentials of every client: for `handrail status --json`."""
        known = sorted((Path(self.folder) / "clients").glob("*.json"))
        return asdict(self) | {"clients": {path.stem: json.loads(path.read_text()) for path in known}}
