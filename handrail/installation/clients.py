"""Add, list and revoke partner systems: their token at intake, their Kafka user, and the one topic they may write."""

from __future__ import annotations

import json
import secrets
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from handrail.embedded.errors import EmbeddedError
from handrail.embedded.kafka import BrokerAddress
from handrail.embedded.places import private_folder, write_private
from handrail.embedded.topics import add_client_topic, revoke_client
from handrail.embedded.topics_page import user_of_client
from handrail.installation.web import CallFailed, Web
from schemas.topics import submissions


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a partner system needs to report, by HTTP and by Kafka. Shown once, kept in the installation's folder."""

    client: str
    token: str
    kafka_user: str
    kafka_password: str
    kafka_topic: str


class ClientRegistry:
    """Keeps intake's register of clients and the broker's users the same."""

    def __init__(self, intake: Web, broker: BrokerAddress, folder: Path) -> None:
        self._intake = intake
        self._broker = broker
        self._folder = private_folder(folder)

    def add(self, name: str, *, body: str, area: str, recipient: str | None) -> Credentials:
        """Register a client and return its credentials; if they cannot be kept, revoke it again, so that its name is free.

        Raises:
            CallFailed: Intake refused, for example because the name is taken.
            EmbeddedError: The broker refused.
        """
        answer = self._intake.post("/v1/clients", {"name": name, "body": body, "area": area, "recipient": recipient})
        password = secrets.token_urlsafe(32)
        credentials = Credentials(name, answer["token"], user_of_client(name), password, submissions(name))
        try:
            add_client_topic(self._broker, name, password)
            write_private(self._kept(name), json.dumps(asdict(credentials), indent=2) + "\n")
        except EmbeddedError as error:
            self._take_back(name)
            raise EmbeddedError(f"{error} {name} was not added; add it again when Kafka answers.") from error
        except BaseException:  # a Ctrl-C as well: the token is shown once, and nobody has seen it
            self._take_back(name)
            raise
        return credentials

    def _take_back(self, name: str) -> None:
        self._intake.delete(f"/v1/clients/{name}")
        with suppress(EmbeddedError):  # the broker may be away; whoever adds the client again replaces what it has
            revoke_client(self._broker, name)
        with suppress(OSError):
            self._kept(name).unlink()

    def _kept(self, name: str) -> Path:
        return self._folder / f"{name}.json"

    def list(self) -> list[dict[str, Any]]:
        """Return the registered clients as intake knows them."""
        clients: list[dict[str, Any]] = self._intake.get("/v1/clients")["clients"]
        return clients

    def revoke(self, name: str) -> None:
        """Refuse the client from now on, by HTTP and by Kafka. What it reported stays.

        Raises:
            CallFailed: There never was such a client, or intake refused.
            EmbeddedError: The broker refused; to be done again.
        """
        revoked_at = {client["name"]: client["revoked_at"] for client in self.list()}
        if name not in revoked_at:
            raise CallFailed(f"{name} was never added; `handrail client list` shows every client there ever was")
        if revoked_at[name] is None:  # else it may have been Kafka that did not answer
            self._intake.delete(f"/v1/clients/{name}")
        try:
            revoke_client(self._broker, name)
        except EmbeddedError as error:
            raise EmbeddedError(
                f"{error} {name} is refused by HTTP alone; revoke it again when Kafka answers."
            ) from error
        self._kept(name).unlink(missing_ok=True)

    def credentials(self, name: str) -> Credentials:
        """Return the credentials of a client that was added from this folder.

        Raises:
            KeyError: No such client here.
        """
        path = self._kept(name)
        if not path.exists():
            raise KeyError(name)
        return Credentials(**json.loads(path.read_text()))
