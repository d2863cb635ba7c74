"""Pins that a partner system is registered at intake and on Kafka, or not at all."""

from __future__ import annotations

import errno
from collections.abc import Mapping
from pathlib import Path

import pytest

from handrail.embedded.errors import EmbeddedError
from handrail.embedded.kafka import BrokerAddress
from handrail.installation import clients
from handrail.installation.clients import ClientRegistry
from handrail.installation.web import Answer, CallFailed, Web


class Intake(Web):
    """Intake, as far as it registers clients: a name is taken until it is revoked."""

    def __init__(self) -> None:
        super().__init__("http://intake.example")
        self.names: set[str] = set()
        self.revoked: set[str] = set()

    def call(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Add or revoke the one client of this test."""
        assert body is None or b'"leeds-city-council"' in body
        assert headers is None or headers["Content-Type"] == "application/json"
        if method == "POST" and path == "/v1/clients":
            self.names.add("leeds-city-council")
            return Answer(201, {"token": "a token"}, "")
        if method == "GET" and path == "/v1/clients":
            known = dict.fromkeys(self.revoked, "2026-03-02T09:00:00Z") | dict.fromkeys(self.names)
            return Answer(200, {"clients": [{"name": name, "revoked_at": at} for name, at in known.items()]}, "")
        assert method == "DELETE"
        name = path.removeprefix("/v1/clients/")
        if name not in self.names:
            return Answer(404, {"title": "Not found"}, "")
        self.names.remove(name)
        self.revoked.add(name)
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


@pytest.mark.parametrize("step", ["add_client_topic", "write_private"])
@pytest.mark.parametrize("end", [KeyboardInterrupt(), OSError(errno.ENOSPC, "No space left on device")])
def test_a_client_whose_token_was_not_kept_can_be_added_again(
    step: str, end: BaseException, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    intake, broker, users = Intake(), BrokerAddress("127.0.0.1:1", "admin", "secret"), set[str]()

    def end_there(place: object, *_arguments: str) -> None:
        if isinstance(place, Path):
            place.write_text("the beginning")
        raise end

    monkeypatch.setattr(clients, "add_client_topic", lambda _broker, name, _password: users.add(name))
    monkeypatch.setattr(clients, "revoke_client", lambda _broker, name: users.discard(name))
    monkeypatch.setattr(clients, step, end_there)
    with pytest.raises(type(end)):
        ClientRegistry(intake, broker, tmp_path / "clients").add(
            "leeds-city-council", body="local_authority", area="E08000035", recipient=None
        )

    assert (intake.names, users) == (set(), set())
    assert not list((tmp_path / "clients").iterdir())


def test_a_revocation_that_kafka_did_not_take_is_done_again_to_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    intake, broker, refused = Intake(), BrokerAddress("127.0.0.1:1", "admin", "secret"), list[str]()
    intake.names.add("leeds-city-council")
    registry = ClientRegistry(intake, broker, tmp_path / "clients")
    credentials = tmp_path / "clients" / "leeds-city-council.json"
    credentials.write_text("{}")

    def away_once(_broker: BrokerAddress, name: str) -> None:
        refused.append(name)
        if len(refused) == 1:
            raise EmbeddedError("Kafka did not answer.")

    monkeypatch.setattr(clients, "revoke_client", away_once)
    with pytest.raises(EmbeddedError, match=r"is refused by HTTP alone; revoke it again when Kafka answers\."):
        registry.revoke("leeds-city-council")
    kept = credentials.exists()

    registry.revoke("leeds-city-council")

    assert (kept, credentials.exists()) == (True, False)
    assert refused == ["leeds-city-council"] * 2


def test_a_client_that_never_was_cannot_be_revoked(tmp_path: Path) -> None:
    registry = ClientRegistry(Intake(), BrokerAddress("127.0.0.1:1", "admin", "secret"), tmp_path / "clients")

    with pytest.raises(CallFailed, match="no-such-council was never added"):
        registry.revoke("no-such-council")
