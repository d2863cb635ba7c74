"""Pins how the environment names servers of one's own."""

from pathlib import Path

import pytest

from handrail.embedded.errors import EmbeddedError
from handrail.embedded.postgres import DatabaseAddress
from handrail.embedded.stack import Stack, given_broker, given_database


def test_without_environment_both_servers_are_embedded(tmp_path: Path) -> None:
    stack = Stack(tmp_path, environ={})

    assert stack.embedded_kafka is not None
    assert stack.embedded_postgres is not None


def test_servers_of_the_environment_are_used_and_none_is_started(tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_text("from a file\n")
    environ = {
        "HANDRAIL_KAFKA_BOOTSTRAP": "kafka.example:9092",
        "HANDRAIL_KAFKA_ADMIN_USER": "admin",
        "HANDRAIL_KAFKA_ADMIN_PASSWORD_FILE": str(secret),
        "HANDRAIL_DATABASE_URL": "postgresql://owner:s%40cret@db.example/handrail",
    }

    with Stack(tmp_path / "data", environ=environ) as stack:
        assert stack.kafka.password == "from a file"
        assert stack.kafka.security_protocol == "SASL_SSL"
        assert stack.database == DatabaseAddress("db.example", 5432, "owner", "s@cret", "handrail")
        assert stack.description() == (
            "Kafka kafka.example:9092 (HANDRAIL_KAFKA_BOOTSTRAP), PostgreSQL db.example:5432 (HANDRAIL_DATABASE_URL)"
        )


def test_a_cluster_without_its_administrator_is_refused() -> None:
    with pytest.raises(EmbeddedError, match="set HANDRAIL_KAFKA_ADMIN_USER"):
        given_broker({"HANDRAIL_KAFKA_BOOTSTRAP": "kafka.example:9092"})


def test_a_database_address_without_a_password_is_refused() -> None:
    with pytest.raises(EmbeddedError, match="expected postgresql://user:password@host:port/database"):
        given_database({"HANDRAIL_DATABASE_URL": "postgresql://owner@db.example/handrail"})


@pytest.mark.parametrize("more", ["?sslmode=verify-full&sslrootcert=/x", "?ssl=require", "#require"])
def test_an_address_with_settings_is_refused_before_what_it_asks_for_is_dropped(more: str) -> None:
    with pytest.raises(EmbeddedError, match=r"settings after the name of the database.*PGSSLMODE") as refused:
        given_database({"HANDRAIL_DATABASE_URL": f"postgresql://owner:s3cret@db.example/handrail{more}"})

    assert "s3cret" not in str(refused.value)
    assert "\n" not in str(refused.value)


def test_an_address_round_trips_through_its_url_and_hides_its_password_in_print() -> None:
    address = DatabaseAddress("db.example", 5433, "owner", "p@ss/word:", "handrail")

    assert given_database({"HANDRAIL_DATABASE_URL": address.url()}) == address
    assert "p@ss" not in repr(address)


def test_a_database_at_an_address_of_ipv6_is_named_as_it_was_given() -> None:
    address = given_database({"HANDRAIL_DATABASE_URL": "postgresql://owner:s3cret@[::1]:5433/handrail"})

    assert address is not None
    assert address.host_and_port == "[::1]:5433"
    assert address.url() == "postgresql://owner:s3cret@[::1]:5433/handrail"
