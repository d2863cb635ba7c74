"""The libraries that the project is built on do its work: FastStream, SQLAlchemy, Alembic, testcontainers."""

from __future__ import annotations

import importlib
import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar

import pytest
from faststream.kafka import KafkaBroker
from sqlalchemy import MetaData

from handrail.embedded.topics_page import Spec
from handrail.installation.keys import make_keys
from schemas.topics import SERVICES, submissions
from services.kit.runtime import Runtime
from services.kit.tables import kit_tables
from tests.support import containers, stack
from tests.support.repository import ROOT

GROUPS = {
    "intake": {"intake", "intake.submissions"},
    "routing": {"routing"},
    "deadlines": {"deadlines", "deadlines.quarantine"},
    "audit": {"audit"},
}


@pytest.fixture
def keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Set what a service needs to be put together; nothing of it is connected to."""
    folder = tmp_path / "keys"
    make_keys(folder)
    (tmp_path / "endpoints.yaml").write_text("{}")
    secrets = ("vault", "identity", "submission", "webhook", "grant", "log")
    given = {
        "KAFKA_BOOTSTRAP": "127.0.0.1:1",
        "KAFKA_USER": "nobody",
        "KAFKA_PASSWORD": "none",
        "KAFKA_SECURITY": "SASL_PLAINTEXT",
        "DATABASE_URL": "postgresql://nobody:none@127.0.0.1:1/none",
        "ENDPOINTS_FILE": str(tmp_path / "endpoints.yaml"),
        "CHECKPOINT_DIR": str(tmp_path),
        "TOKEN_PUBLIC_KEY_FILE": str(folder / "token.pub"),
        "GRANT_PUBLIC_KEY_FILE": str(folder / "grant.pub"),
        "QUARANTINE_KEY_FILE": str(folder / "quarantine-intake.key"),
        **{f"{name.upper()}_KEY_FILE": str(folder / f"{name}.key") for name in secrets},
    }
    for name, value in given.items():
        monkeypatch.setenv(f"HANDRAIL_{name}", value)
    return folder


def put_together(service: str) -> Runtime:
    runtime: Runtime = importlib.import_module(f"services.{service}.main").create_app().state.runtime
    return runtime


def subscribers_of(runtime: Runtime) -> dict[str, Any]:
    """Return FastStream's own subscribers, by consumer group."""
    return {group: worker.subscriber._subscriber for group, worker in runtime.consume.workers.items()}


@pytest.mark.usefixtures("keys")
@pytest.mark.parametrize("service", SERVICES)
def test_each_service_reads_its_topics_with_faststream(service: str) -> None:
    runtime = put_together(service)

    subscribers = subscribers_of(runtime)
    assert subscribers.keys() == GROUPS[service]
    assert all(type(each).__module__.startswith("faststream.kafka.") for each in subscribers.values())
    assert type(runtime.broker) is KafkaBroker


@pytest.mark.usefixtures("keys")
@pytest.mark.parametrize("service", SERVICES)
def test_a_service_may_read_what_it_subscribes_to_and_nothing_else(service: str) -> None:
    subscribers = subscribers_of(put_together(service)).values()

    page, a_partners = Spec.load(), submissions("example-council")
    allowed = {
        topic.name for topic in (*page.topics, page.submissions_topic("example-council")) if service in topic.read_by
    }
    read = {name for each in subscribers for name in each.topic_names_for_subscribe}
    read |= {a_partners for each in subscribers if each._pattern and re.fullmatch(each._pattern, a_partners)}
    assert read == allowed


@pytest.mark.parametrize("service", SERVICES)
def test_each_table_that_a_service_defines_is_made_by_its_migrations(service: str) -> None:
    migrations = "".join(path.read_text() for path in (ROOT / "services" / service / "migrations").rglob("0*.py"))
    own = importlib.import_module(f"services.{service}.tables").metadata if _has_tables(service) else MetaData()

    assert "from alembic import op" in migrations
    assert f'kit_tables(op, "{service}")' in migrations
    assert len(kit_tables(MetaData(), service).tables) > 5
    assert [name for name in own.tables if f"CREATE TABLE {name} (" not in migrations] == []


def test_only_audit_has_no_tables_in_python() -> None:
    assert [service for service in SERVICES if not _has_tables(service)] == ["audit"]  # its log is written in plain SQL


def _has_tables(service: str) -> bool:
    return find_spec(f"services.{service}.tables") is not None


class FakeContainer:
    """Stands for a container of testcontainers: every `with_...` gives itself, and what is started is written down."""

    started: ClassVar[list[str]] = []

    def __init__(self, image: str, **_options: str) -> None:
        self._image = image

    def start(self) -> None:
        self.started.append(self._image)

    def __getattr__(self, _name: str) -> Any:
        return lambda *_arguments: self


def test_a_run_on_docker_uses_what_testcontainers_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DockerContainer", "PostgresContainer"):
        assert getattr(containers, name).__module__.startswith("testcontainers.")
        monkeypatch.setattr(containers, name, FakeContainer)
    monkeypatch.setattr(FakeContainer, "started", [])

    running, _stop = stack._containers()

    assert FakeContainer.started == ["apache/kafka:4.3.1", "postgres:18"]
    assert "(Docker), PostgreSQL" in running.description
    assert running.embedded_kafka is None
    assert running.embedded_postgres is None
