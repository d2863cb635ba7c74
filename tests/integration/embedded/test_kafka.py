"""Pins what the embedded Kafka promises: data kept over restart and kill, loopback alone, one clear line."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from handrail.embedded.errors import ToolMissing
from handrail.embedded.kafka import BrokerAddress, EmbeddedKafka
from handrail.embedded.topics import apply_topics
from schemas import topics
from tests.support.stack import SERVICE_PASSWORDS


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder with a space, a letter beyond ASCII and a backslash in its name."""
    with tempfile.TemporaryDirectory(prefix="handrail test \u00fc\\t ") as path:
        yield Path(path, "kafka")


def write(address: BrokerAddress, value: bytes) -> None:
    config = {**address.client_config(user="intake", password=SERVICE_PASSWORDS["intake"]), "acks": "all"}
    producer = Producer({**config, "log_level": 0})
    producer.produce(topics.CASE_EVENTS, value, partition=0)
    assert producer.flush(60) == 0


def read_all(address: BrokerAddress) -> list[bytes | None]:
    config = {
        **address.client_config(user="routing", password=SERVICE_PASSWORDS["routing"]),
        "group.id": "routing.test",
        "auto.offset.reset": "earliest",
        "enable.partition.eof": True,
    }
    consumer = Consumer({**config, "log_level": 0})
    consumer.assign([TopicPartition(topics.CASE_EVENTS, 0, 0)])
    values: list[bytes | None] = []
    while (message := consumer.poll(60)) is not None and message.error() is None:
        values.append(message.value())
    consumer.close()
    return values


def test_records_users_and_rules_survive_a_restart_and_a_kill(folder: Path) -> None:
    broker = EmbeddedKafka(folder)
    first = broker.start()
    apply_topics(first, SERVICE_PASSWORDS)
    write(first, b"before the restart")
    broker.stop()

    second = broker.start()
    assert second == first
    write(second, b"before the kill")
    assert broker.pid is not None
    psutil.Process(broker.pid).kill()
    broker.stop()
    third = broker.start()
    values = read_all(third)
    broker.stop()

    assert values == [b"before the restart", b"before the kill"]


def test_it_listens_on_loopback_alone_and_shows_no_password_on_its_command_line(folder: Path) -> None:
    broker = EmbeddedKafka(folder)
    address = broker.start()
    assert broker.pid is not None
    server = psutil.Process(broker.pid)

    listening = {c.laddr.ip for c in server.net_connections() if c.status == psutil.CONN_LISTEN}
    command = " ".join(server.cmdline())
    broker.stop()

    assert {ip.removeprefix("::ffff:") for ip in listening} == {"127.0.0.1"}
    assert address.password not in command
    assert (folder / "server.properties").stat().st_mode & 0o777 == 0o600
    assert address.password not in (folder / "kafka.log").read_text()


def test_a_java_that_is_not_there_gets_one_line(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HANDRAIL_JAVA", "/nowhere/java")

    with pytest.raises(ToolMissing, match="HANDRAIL_JAVA names /nowhere/java, which is not a program"):
        EmbeddedKafka(folder).start()
