"""A running broker and database: those that the environment names, else embedded ones, started side by side.

`HANDRAIL_KAFKA_BOOTSTRAP` (with `HANDRAIL_KAFKA_ADMIN_USER` and `HANDRAIL_KAFKA_ADMIN_PASSWORD`) and
`HANDRAIL_DATABASE_URL` (an account that may create roles and databases) use your own servers instead. A secret can
also stand in the file that `<NAME>_FILE` names. As for the services, `HANDRAIL_KAFKA_SECURITY` is `SASL_SSL` unless set.
"""

import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import unquote, urlsplit

from handrail.embedded.errors import EmbeddedError
from handrail.embedded.kafka import BrokerAddress, EmbeddedKafka
from handrail.embedded.places import private_folder
from handrail.embedded.postgres import DatabaseAddress, EmbeddedPostgres

_POSTGRES_PORT = 5432


@dataclass(frozen=True)
class Ports:
    """Ports of the embedded servers; None takes one that is free."""

    kafka: int | None = None
    postgres: int | None = None


class Stack:
    """The two servers that everything else needs, as a context manager.

    Args:
        folder: Data of the embedded servers, in `kafka/` and `postgres/`.
        ports: Where the embedded servers listen.
        keep: False deletes the embedded servers' data before the start, and again when the stack is stopped.
        environ: None for the environment of this process.
    """

    kafka: BrokerAddress
    database: DatabaseAddress

    def __init__(
        self, folder: Path, *, ports: Ports | None = None, keep: bool = True, environ: Mapping[str, str] | None = None
    ) -> None:
        ports = ports or Ports()
        environ = os.environ if environ is None else environ
        self._keep = keep
        self._folder = folder.absolute()
        self._given_kafka = given_broker(environ)
        self._given_database = given_database(environ)
        self.embedded_kafka = None if self._given_kafka else EmbeddedKafka(self._folder / "kafka", port=ports.kafka)
        self.embedded_postgres = (
            None if self._given_database else EmbeddedPostgres(self._folder / "postgres", port=ports.postgres)
        )

    def start(self) -> Self:
        """Start what is not given, both at once, and return when both answer; on failure nothing is left running.

        Raises:
            EmbeddedError: One line that says what to do.
        """
        private_folder(self._folder)
        if not self._keep:
            self.stop()
        try:
            with ThreadPoolExecutor(2) as pool:
                kafka = pool.submit(self.embedded_kafka.start) if self.embedded_kafka else None
                postgres = pool.submit(self.embedded_postgres.start) if self.embedded_postgres else None
            if kafka:
                self.kafka = kafka.result()
            elif self._given_kafka:
                self.kafka = self._given_kafka
            if postgres:
                self.database = postgres.result()
            elif self._given_database:
                self.database = self._given_database
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """Stop the embedded servers in good order. Twice does no harm. Starts no thread, so it may run at exit."""
        for server in (self.embedded_kafka, self.embedded_postgres):
            if server:
                server.stop() if self._keep else server.remove_data()

    def description(self) -> str:
        """Return one line that says which broker and which database are in use."""
        kafka = "embedded" if self.embedded_kafka else "HANDRAIL_KAFKA_BOOTSTRAP"
        postgres = "embedded" if self.embedded_postgres else "HANDRAIL_DATABASE_URL"
        return f"Kafka {self.kafka.bootstrap} ({kafka}), PostgreSQL {self.database.host_and_port} ({postgres})"

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def given_broker(environ: Mapping[str, str]) -> BrokerAddress | None:
    """Return the cluster that the environment names, None when it names none.

    Raises:
        EmbeddedError: It names a cluster without its administrator.
    """
    bootstrap = environ.get("HANDRAIL_KAFKA_BOOTSTRAP")
    if not bootstrap:
        return None
    user, password = environ.get("HANDRAIL_KAFKA_ADMIN_USER"), _secret(environ, "HANDRAIL_KAFKA_ADMIN_PASSWORD")
    if not user or not password:
        raise EmbeddedError(
            "HANDRAIL_KAFKA_BOOTSTRAP is set without its administrator: set HANDRAIL_KAFKA_ADMIN_USER and "
            "HANDRAIL_KAFKA_ADMIN_PASSWORD (or HANDRAIL_KAFKA_ADMIN_PASSWORD_FILE) too."
        )
    security = environ.get("HANDRAIL_KAFKA_SECURITY", "SASL_SSL")
    return BrokerAddress(bootstrap, user, password, security, environ.get("HANDRAIL_KAFKA_CA_FILE"))


def given_database(environ: Mapping[str, str]) -> DatabaseAddress | None:
    """Return the database server that the environment names, None when it names none.

    Raises:
        EmbeddedError: The address lacks a part, or one has another form.
    """
    url = _secret(environ, "HANDRAIL_DATABASE_URL")
    return read_address(url, "HANDRAIL_DATABASE_URL") if url else None


def read_address(url: str, where: str) -> DatabaseAddress:
    """Return the server that an address names; `where` the address stands, for the message.

    Raises:
        EmbeddedError: The address lacks a part, one has another form, or there is more than these.
    """
    wrong = EmbeddedError(f"{where} is not complete: expected postgresql://user:password@host:port/database.")
    try:
        parts = urlsplit(url)
        port = parts.port or _POSTGRES_PORT
    except ValueError:
        raise wrong from None  # that error's own text may quote the password
    if parts.scheme not in {"postgres", "postgresql"} or not parts.hostname or not parts.username or not parts.password:
        raise wrong
    if parts.query or parts.fragment:  # such as sslmode: SQLAlchemy's driver takes none of PostgreSQL's own names
        raise EmbeddedError(
            f"{where} has settings after the name of the database, and they would be dropped: leave them out, and ask "
            "for TLS with PGSSLMODE and PGSSLROOTCERT."
        )
    return DatabaseAddress(
        parts.hostname, port, unquote(parts.username), unquote(parts.password), parts.path.strip("/") or "postgres"
    )


def _secret(environ: Mapping[str, str], name: str) -> str | None:
    """Return a secret from `NAME`, or from the file that `NAME_FILE` names."""
    if value := environ.get(name):
        return value
    path = environ.get(f"{name}_FILE")
    if not path:
        return None
    try:
        return Path(path).read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise EmbeddedError(f"{name}_FILE names {path}, which cannot be read ({type(error).__name__}).") from error
