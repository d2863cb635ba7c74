"""Assemble a running Handrail from its parts: broker, database, keys, topics, migrations and one process a service.

The order matters only where it must: broker and database first (both at once), then topics and migrations (both at
once), then every service at once. Stopping goes the other way, and nothing outlives the command that started it.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from handrail.embedded.errors import FolderInUse
from handrail.embedded.nursery import Nursery
from handrail.embedded.places import REPOSITORY, private_folder, write_private
from handrail.embedded.process import LOOPBACK, Child, choose_port, empty_folder, lock_folder, was_locked
from handrail.embedded.stack import Ports, Stack
from handrail.embedded.topics import apply_topics
from handrail.front.accounts import give_own_passwords, write_accounts
from handrail.installation.database import DATABASE, ensure_database, make_ready, reach_database
from handrail.installation.endpoints import write_endpoints
from handrail.installation.given import refuse_new_passwords, refuse_servers_in_use
from handrail.installation.keys import make_keys, read_password
from handrail.installation.running import OPERATOR, Running, status_file
from handrail.installation.tokens import Account
from handrail.installation.waiting import wait_ready, wait_while_it_helps
from handrail.installation.web import Web
from schemas.topics import SERVICES

BASE_PORT: Final = 8400
_MODULES: Final = {
    "front": "handrail.front",
    **{service: f"services.{service}" for service in SERVICES},
    "stubs": "deploy.stubs",
}
_NICENESS: Final = {"routing": 10, "deadlines": 10, "audit": 10}
"""Reports are taken in before anything else is done: who works off the backlog lets intake and its servers go first (0017)."""
_KEPT: Final = ".kept"  # stands in a folder whose data is kept, which nothing empties
_LOCK_WAIT_S: Final = 1.0  # `handrail status` looks at the lock for an instant; a second Handrail holds it


@dataclass(frozen=True, slots=True)
class Options:
    """What kind of installation this is.

    Attributes:
        demo: Stub recipients, demo accounts and a notice on each page that everything is invented.
        clock_movable: The legal clock may be moved.
        base_port: First of the ports that are used, 12 in all; None for ports that the system says are free.
        keep: Go on with the data of the folder, and keep it when stopped; else the folder is emptied first.
    """

    demo: bool = False
    clock_movable: bool = False
    base_port: int | None = BASE_PORT
    keep: bool = True


@dataclass
class Installation:
    """A Handrail on this machine. Use as a context manager, or call `start` and `stop`."""

    folder: Path
    options: Options = field(default_factory=Options)
    progress: Callable[[str], None] = lambda _text: None
    extra_env: Mapping[str, str] = field(default_factory=dict)
    processes: dict[str, Child] = field(default_factory=dict, init=False)
    ports: dict[str, int] = field(default_factory=dict, init=False)
    _nursery: Nursery | None = field(default=None, init=False)
    _stack: Stack | None = field(default=None, init=False)
    _lock: int | None = field(default=None, init=False)

    def start(self) -> Self:
        """Start everything and return once every service is ready; on failure nothing is left running.

        Except in a demo, a service that is alive and not ready in time is named, and the others work without it.

        Raises:
            EmbeddedError: One line that says what to do.
        """
        if self.options.demo:
            refuse_servers_in_use(os.environ)
        else:
            refuse_new_passwords(self.keys, os.environ)
        self.folder = private_folder(self.folder)
        if not self.options.keep:
            self._refuse_to_empty()
        self._lock = lock_folder(self.folder, "Handrail", wait_s=_LOCK_WAIT_S)
        try:
            self._start_servers()
            self._prepare()
            write_private(self.keys / "kafka-admin.password", self.stack.kafka.password)
            self.running.write()  # before the wait: with it, a person can do what a service waits for
            self._start_services()
        except BaseException:
            self.stop()
            raise
        return self

    def _start_servers(self) -> None:
        if self.options.keep:
            (self.folder / _KEPT).touch(mode=0o600)
        else:
            empty_folder(self.folder)
        make_keys(self.keys)
        self._choose_ports()
        self._stack = Stack(
            self.folder, ports=Ports(self.ports["kafka"], self.ports["postgres"]), keep=self.options.keep
        )
        self._nursery = Nursery(
            list(_MODULES.values()),
            log_path=private_folder(self.folder / "logs") / "nursery.log",
            env={**_inherited(), "PYTHONPATH": str(REPOSITORY)},
        )
        self.progress("Starting Apache Kafka and PostgreSQL")
        self.stack.start()

    def _refuse_to_empty(self) -> None:
        """Refuse a folder that is not that of an earlier demo: it is emptied before anything else is done."""
        if (self.folder / _KEPT).exists():
            raise FolderInUse(
                f"{self.folder} holds what `handrail up` keeps, and would be emptied. "
                "Let HANDRAIL_DATA name another folder for one of the two."
            )
        if not was_locked(self.folder) and any(self.folder.iterdir()):
            raise FolderInUse(
                f"{self.folder} holds what no demo has put there, and would be emptied. "
                "Let HANDRAIL_DATA name a folder beside another one."
            )

    def stop(self) -> None:
        """Stop every service, then broker and database. Twice does no harm. Starts no thread, so it may run at exit."""
        for child in self.processes.values():
            child.ask_to_stop()
        for child in self.processes.values():
            child.stop()
        self.processes.clear()
        if self._nursery:
            self._nursery.close()
        if self._stack:
            self._stack.stop()
        status_file(self.folder).unlink(missing_ok=True)
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def keys(self) -> Path:
        """Folder of keys and passwords."""
        return self.folder / "keys"

    @property
    def stack(self) -> Stack:
        """Broker and database of this installation, once it is started."""
        assert self._stack is not None  # noqa: S101 - the caller started it
        return self._stack

    def url(self, service: str) -> str:
        """Return the address of a service, the front or the stubs."""
        return f"http://{LOOPBACK}:{self.ports[service]}"

    def web(self, service: str, account: Account = OPERATOR) -> Web:
        """Return a caller of one service, signed in as the account."""
        return self.running.web(service, account)

    @property
    def running(self) -> Running:
        """What others need to use this installation."""
        return Running(
            folder=str(self.folder),
            keys=str(self.keys),
            demo=self.options.demo,
            urls={name: self.url(name) for name in self._names},
            kafka_bootstrap=self.stack.kafka.bootstrap,
            kafka_security=self.stack.kafka.security_protocol,
            kafka_admin=self.stack.kafka.user,
            kafka_ca_file=self.stack.kafka.ca_file,
            database=f"{self.stack.database.host_and_port}/{self._database}",
            log_public_key=str(self.keys / "log.pub"),
        )

    def database_url(self, service: str | None = None) -> str:
        """Return the address of the database for a service's own role, or for the administrator."""
        if service is None:
            return self.stack.database.url(database=self._database)
        password = read_password(self.keys, f"database-{service}")
        return self.stack.database.url(database=self._database, user=f"handrail_{service}", password=password)

    @property
    def _names(self) -> list[str]:
        return [name for name in _MODULES if name != "stubs" or self.options.demo]

    @property
    def _database(self) -> str:
        return DATABASE if self.stack.embedded_postgres else self.stack.database.database

    def start_service(self, name: str) -> None:
        """Start one process and return at once; see `wait_ready`."""
        logs = private_folder(self.folder / "logs")
        run = private_folder(self.folder / "run" / name)
        self.processes[name] = Child(
            name,
            [sys.executable, "-m", _MODULES[name]],
            log_path=logs / f"{name}.log",
            folder=run,
            stop_signal=signal.SIGTERM,
            niceness=_NICENESS.get(name, 0),
            env=self.environment(name),
            nursery=self._nursery,
        )

    def wait_ready(self, name: str) -> None:
        """Return once the process answers that it is ready.

        Raises:
            StartFailed: It ended first, or took too long.
        """
        wait_ready(name, self.processes[name], self.url(name))

    def _choose_ports(self) -> None:
        base = self.options.base_port
        places = [*enumerate(("front", *SERVICES, "stubs")), (10, "kafka"), (11, "postgres")]
        for number, name in places:
            self.ports[name] = choose_port(name, None if base is None else base + number)

    def _prepare(self) -> None:
        self.progress("Making topics, users and tables")
        if self.stack.embedded_postgres:
            ensure_database(self.stack.database)
        else:
            reach_database(self.stack.database)
        with ThreadPoolExecutor(2) as pool:
            topics = pool.submit(
                apply_topics, self.stack.kafka, {name: read_password(self.keys, f"kafka-{name}") for name in SERVICES}
            )
            tables = pool.submit(
                make_ready,
                self.database_url(),
                {name: read_password(self.keys, f"database-{name}") for name in SERVICES},
            )
        topics.result()
        tables.result()
        if self.options.demo:
            password = read_password(self.keys, "accounts")
            write_accounts(self.folder / "accounts.yaml", lambda _account: password)
        else:
            give_own_passwords(self.folder / "accounts.yaml", self.keys)
        write_endpoints(self.folder / "endpoints.yaml", self.url("stubs") if self.options.demo else None)

    def _start_services(self) -> None:
        self.progress("Starting the services")
        for name in self._names:
            self.start_service(name)
        if self.options.demo:
            for name in self._names:
                self.wait_ready(name)
            return
        for name, wrong in wait_while_it_helps(self.processes, self.running.urls).items():
            self.progress(f"{name} is not ready: {wrong}")

    def environment(self, name: str) -> dict[str, str]:
        """Return the whole environment of one process; it holds secrets."""
        return {**_inherited(), **self._settings(name), **self.extra_env}

    def _settings(self, name: str) -> dict[str, str]:
        keys, rulebooks = self.keys, os.environ.get("HANDRAIL_RULEBOOKS")
        common = {
            "PYTHONPATH": str(REPOSITORY),
            "HANDRAIL_HTTP_HOST": LOOPBACK,
            "HANDRAIL_HTTP_PORT": str(self.ports[name]),
            "HANDRAIL_TOKEN_PUBLIC_KEY_FILE": str(keys / "token.pub"),
            "HANDRAIL_DEMO": str(self.options.demo).lower(),
            "HANDRAIL_CLOCK_MOVABLE": str(self.options.clock_movable).lower(),
            **{f"HANDRAIL_{each.upper()}_URL": self._address(each) for each in ("front", *SERVICES)},
            **({"HANDRAIL_RULEBOOKS": str(Path(rulebooks).absolute())} if rulebooks else {}),
            **_permitted("HANDRAIL_ACCESSIBILITY_URL"),
            **_permitted("HANDRAIL_PRIVACY_URL"),
        }
        own = {
            "front": {
                "HANDRAIL_TOKEN_KEY_FILE": str(keys / "token.key"),
                "HANDRAIL_ACCOUNTS_FILE": str(self.folder / "accounts.yaml"),
                "HANDRAIL_STUBS_URL": self.url("stubs") if self.options.demo else "",
            },
            "stubs": {
                "HANDRAIL_WEBHOOK_PUBLIC_KEY_FILE": str(keys / "webhook.pub"),
                "HANDRAIL_STUB_JOURNAL": str(private_folder(self.folder / "stubs")),
            },
            "intake": {
                "HANDRAIL_VAULT_KEY_FILE": str(keys / "vault.key"),
                "HANDRAIL_IDENTITY_KEY_FILE": str(keys / "identity.key"),
                "HANDRAIL_SUBMISSION_KEY_FILE": str(keys / "submission.key"),
                "HANDRAIL_GRANT_PUBLIC_KEY_FILE": str(keys / "grant.pub"),
            },
            "routing": {
                "HANDRAIL_WEBHOOK_KEY_FILE": str(keys / "webhook.key"),
                "HANDRAIL_GRANT_KEY_FILE": str(keys / "grant.key"),
                "HANDRAIL_ENDPOINTS_FILE": str(self.folder / "endpoints.yaml"),
                **_permitted("HANDRAIL_ENDPOINTS_PLAINTEXT_OK"),
            },
            "audit": {
                "HANDRAIL_LOG_KEY_FILE": str(keys / "log.key"),
                "HANDRAIL_LOG_ORIGIN": "handrail.example/log",
                **({} if self.options.demo else _permitted("HANDRAIL_LOG_ORIGIN")),
                "HANDRAIL_CHECKPOINT_DIR": str(private_folder(self.folder / "checkpoints")),
            },
        }
        return {**common, **own.get(name, {}), **(self._connections(name) if name in SERVICES else {})}

    def _address(self, name: str) -> str:
        """Return where people, partners and recipients reach a process: as the operator says, who has put a proxy before it."""
        given = None if self.options.demo else os.environ.get(f"HANDRAIL_{name.upper()}_URL")
        return given or self.url(name)

    def _connections(self, name: str) -> dict[str, str]:
        ca_file = self.stack.kafka.ca_file
        return {
            **({"HANDRAIL_KAFKA_CA_FILE": str(Path(ca_file).absolute())} if ca_file else {}),
            "HANDRAIL_DATABASE_URL": self.database_url(name).replace("postgresql://", "postgresql+asyncpg://", 1),
            "HANDRAIL_KAFKA_BOOTSTRAP": self.stack.kafka.bootstrap,
            "HANDRAIL_KAFKA_SECURITY": self.stack.kafka.security_protocol,
            **_permitted("HANDRAIL_KAFKA_PLAINTEXT_OK"),
            "HANDRAIL_KAFKA_USER": name,
            "HANDRAIL_KAFKA_PASSWORD": read_password(self.keys, f"kafka-{name}"),
            "HANDRAIL_QUARANTINE_KEY_FILE": str(self.keys / f"quarantine-{name}.key"),
        }


def _inherited() -> dict[str, str]:
    """Return our environment without any setting of Handrail: a process gets only what is meant for it."""
    return {name: value for name, value in os.environ.items() if not name.startswith("HANDRAIL_")}


def _permitted(name: str) -> dict[str, str]:
    """Return the operator's own word on a setting, where it is given."""
    return {name: os.environ[name]} if name in os.environ else {}
