"""The broker and database of a test run as containers, with `HANDRAIL_TEST_STACK=docker`.

The same images, broker configuration and start script as `docker-compose.yml`, so that a test run on containers
tests what is deployed.
"""

import secrets
from collections.abc import Callable
from pathlib import PurePosixPath

from testcontainers.community.postgres import PostgresContainer
from testcontainers.core.container import DockerContainer
from testcontainers.core.wait_strategies import PortWaitStrategy

from handrail.embedded.kafka import ADMIN, BrokerAddress, server_properties
from handrail.embedded.places import DEPLOY
from handrail.embedded.postgres import DatabaseAddress
from handrail.embedded.process import choose_port

KAFKA_IMAGE = "apache/kafka:4.3.1"
POSTGRES_IMAGE = "postgres:18"
_CONTROLLER_PORT = 9093
_CLUSTER_ID = "AGhhbmRyYWlsLXRlc3QtMQ"


def start_containers() -> tuple[BrokerAddress, DatabaseAddress, Callable[[], None]]:
    """Start both and return their addresses and what stops them; on failure nothing is left running."""
    kafka, broker = _kafka()
    postgres = PostgresContainer(POSTGRES_IMAGE, username="postgres", password=secrets.token_hex(16), dbname="postgres")
    postgres.with_command("postgres -c autovacuum=off")  # as of the embedded one: see `tests.support.stack`
    try:
        kafka.start()
        postgres.start()
    except BaseException:
        postgres.stop()
        kafka.stop()
        raise
    database = DatabaseAddress(
        postgres.get_container_host_ip(), postgres.get_exposed_port(5432), postgres.username, postgres.password
    )

    def stop() -> None:
        kafka.stop()
        postgres.stop()

    return broker, database, stop


def _kafka() -> tuple[DockerContainer, BrokerAddress]:
    port = choose_port("Kafka", None)  # known before the start, because the broker tells its clients where it is
    password = secrets.token_hex(16)
    properties = server_properties(
        listeners=f"CLIENT://0.0.0.0:{port}",
        advertised=f"CLIENT://localhost:{port}",
        controller_port=_CONTROLLER_PORT,
        data_dir=PurePosixPath("/tmp/kafka"),
        admin_password=password,
        controller_password=secrets.token_hex(16),
    )
    container = (
        DockerContainer(KAFKA_IMAGE)
        .with_env("CLUSTER_ID", _CLUSTER_ID)
        .with_env("HEAP", "512m")
        .with_bind_ports(port, port)
        .with_copy_into_container(properties.encode(), "/run/secrets/kafka.properties")
        .with_copy_into_container(password.encode(), "/run/secrets/kafka-admin.password")
        .with_copy_into_container(DEPLOY / "kafka" / "log4j2-console.properties", "/run/log4j2.properties")
        .with_copy_into_container(DEPLOY / "kafka" / "start.sh", "/run/start.sh", 0o755)
        .with_command("/run/start.sh")
        .waiting_for(PortWaitStrategy(port))
    )
    return container, BrokerAddress(f"localhost:{port}", ADMIN, password)
