"""Pins that a partner system is registered at intake and on Kafka, or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from handrail.embedded.errors import EmbeddedError
from handrail.embedded.kafka import BrokerAddress
from handrail.installation.clients import ClientRegistry
from handrail.installation.web import Answer, Web


class Intake(Web):
    """Intake, as far as it registers clients: a name is taken until it is revoked."""

    def __init__(self) -> None:
        super().__init__("http://intake.example")
        self.names: set[str] = set()

    def call(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Add or revoke the one client of this test."""
        assert body is None or b'"leeds-city-council"' in body
        assert headers is None or headers["Content-Type"] == "application/json"
        if method == "POST" and path == "/v1/clients":
            self.names.add("leeds-city-council")
            return Answer(201, {"token": "a token"}, "")
        assert (method, path) == ("DELETE", "/v1/clients/leeds-city-council")
        self.names.remove("leeds-city-council")
        return Answer(204, None, "")


def test_a_client_that_kafka_does_not_take_is_not_left_at_intake(tmp_path: Path) -> None:
    unusable = BrokerAddress("127.0.0.1:1", "admin", "secret", "SASL_SSL", "/nonexistent/ca.pem")
    intake = Intake()

    with pytest.raises(EmbeddedError, match=r"leeds-city-council was not added; add it again when Kafka answers\."):
        ClientRegistry(intake, unusable, tmp_path / "clients").add(
            "leeds-city-council", body="local_authority", area="E08000035", recipient=None
        )

    assert intake.names == set()
    assert not list((tmp_path / "clients").iterdir())
