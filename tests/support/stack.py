"""One broker and one database for a whole test run, on real Kafka and real PostgreSQL.

`stack()` starts them once per process, on first use: the servers that the environment names, with
`HANDRAIL_TEST_STACK=docker` containers, else the embedded ones in a temporary folder. They are stopped, and their
data deleted, when the process ends. When it is killed, their guards stop them and the temporary folder stays.
"""

import asyncio
import itertools
import os
import shutil
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import asyncpg

from handrail.embedded.kafka import BrokerAddress, EmbeddedKafka
from handrail.embedded.postgres import DatabaseAddress, EmbeddedPostgres
from handrail.embedded.stack import Stack
from handrail.embedded.topics import apply_topics
from tests.support.ending import ENDING

SERVICES = ("intake", "routing", "deadlines", "audit")
SERVICE_PASSWORDS = {service: f"{service}-test-password" for service in SERVICES}

_numbers = itertools.count(1)


@dataclass(frozen=True)
class RunningStack:
    """What tests connect to."""

    kafka: BrokerAddress
    database: DatabaseAddress
    description: str
    embedded_kafka: EmbeddedKafka | None = None
    embedded_postgres: EmbeddedPostgres | None = None


@cache
def stack() -> RunningStack:
    """Return the run's broker and database; topics, users and access rules of `deploy/topics.yaml` are in place.

    The services' users have the passwords of `SERVICE_PASSWORDS`.
    """
    running, stop = _containers() if os.environ.get("HANDRAIL_TEST_STACK") == "docker" else _own_or_embedded()
    ENDING.callback(stop)
    apply_topics(running.kafka, SERVICE_PASSWORDS)
    return running


def fresh_database(name: str = "test") -> DatabaseAddress:
    """Make an empty database and return its address, with the superuser; nobody else in this run uses it."""
    server = stack().database
    database = f"{name}_{os.getpid()}_{next(_numbers)}"

    execute(server, f'CREATE DATABASE "{database}" STRATEGY wal_log')
    return replace(server, database=database)


def database_of(owner: str, password: str) -> DatabaseAddress:
    """Make an empty database of a new administrator who may create roles and databases, and nothing else."""
    database = fresh_database("owned")
    execute(
        database,
        f"CREATE ROLE {owner} LOGIN CREATEROLE CREATEDB PASSWORD '{password}'",
        f'ALTER DATABASE "{database.database}" OWNER TO {owner}',
    )
    return replace(database, user=owner, password=password)


def execute(database: DatabaseAddress, *statements: str) -> None:
    """Run statements, each for itself. Blocking."""

    async def run() -> None:
        connection = await asyncpg.connect(database.url())
        try:
            for statement in statements:
                await connection.execute(statement)
        finally:
            await connection.close()

    with ThreadPoolExecutor(1) as pool:  # tests and fixtures may already run an event loop
        pool.submit(asyncio.run, run()).result()


def as_named_by_an_operator(database: DatabaseAddress) -> dict[str, str]:
    """Return the environment that names the run's cluster, on which every service has a user, and a database of it."""
    kafka = stack().kafka
    return {
        "HANDRAIL_KAFKA_BOOTSTRAP": kafka.bootstrap,
        "HANDRAIL_KAFKA_SECURITY": kafka.security_protocol,
        "HANDRAIL_KAFKA_CA_FILE": kafka.ca_file or "",
        "HANDRAIL_KAFKA_ADMIN_USER": kafka.user,
        "HANDRAIL_KAFKA_ADMIN_PASSWORD": kafka.password,
        "HANDRAIL_DATABASE_URL": database.url(),
    }


def _own_or_embedded() -> tuple[RunningStack, Callable[[], None]]:
    folder = Path(tempfile.mkdtemp(prefix="handrail-test-"))
    folder.chmod(0o711)  # where root runs the tests, another account runs PostgreSQL
    servers = Stack(folder, keep=False).start()

    def stop() -> None:
        servers.stop()
        shutil.rmtree(folder, ignore_errors=True)

    if servers.embedded_postgres:
        _vacuum_never(servers.database)
    running = RunningStack(
        servers.kafka,
        servers.database,
        servers.description(),
        servers.embedded_kafka,
        servers.embedded_postgres,
    )
    return running, stop


def _containers() -> tuple[RunningStack, Callable[[], None]]:
    from tests.support.containers import start_containers  # noqa: PLC0415 - only this way needs Docker

    kafka, database, stop = start_containers()
    return RunningStack(kafka, database, f"Kafka {kafka.bootstrap} (Docker), PostgreSQL {database.port} (Docker)"), stop


def _vacuum_never(database: DatabaseAddress) -> None:
    """Keep the server from analysing tables by itself.

    Each time is a transaction, and while that commits, nothing newer is read from any outbox: a test that looks once
    would find less than was written.
    """
    execute(database, "ALTER SYSTEM SET autovacuum = off", "SELECT pg_reload_conf()")
