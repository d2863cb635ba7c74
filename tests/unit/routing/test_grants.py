"""Pins the grant that opens the content of one notice, and the file of recipients' addresses."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest
from joserfc import jwt
from joserfc.errors import BadSignatureError
from joserfc.jwk import OKPKey

from services.routing.dispatch.endpoints import read_endpoints
from services.routing.dispatch.grants import Grant, mint

NOW = datetime(2026, 6, 1, tzinfo=UTC)
GRANT = Grant(
    notice_id=UUID(int=3),
    recipient="panel",
    case_keys=["a" * 32, "b" * 32],
    subject="c" * 32,
    profile="panel-notification",
    purpose="statutory notification to the Panel",
    give={"harm": "in full", "personal.incident_date": "as month"},
)


def test_a_grant_names_recipient_notice_cases_and_fields_and_lives_for_thirty_days() -> None:
    key = OKPKey.generate_key("Ed25519")

    claims = jwt.decode(mint(GRANT, key, NOW), key, algorithms=["Ed25519"]).claims

    assert claims["exp"] - claims["iat"] == 30 * 24 * 3600
    assert claims["iat"] == NOW.timestamp()
    assert (claims["sub"], claims["jti"], claims["case_keys"]) == ("panel", str(UUID(int=3)), ["a" * 32, "b" * 32])
    assert claims["give"] == {"harm": "in full", "personal.incident_date": "as month"}


def test_a_grant_of_another_key_is_worth_nothing() -> None:
    token = mint(GRANT, OKPKey.generate_key("Ed25519"), NOW)

    with pytest.raises(BadSignatureError):
        jwt.decode(token, OKPKey.generate_key("Ed25519"), algorithms=["Ed25519"])


def test_addresses_are_encrypted_unless_they_are_on_this_machine_or_the_network_is_trusted(tmp_path: Path) -> None:
    good, plain, odd = tmp_path / "good.yaml", tmp_path / "plain.yaml", tmp_path / "odd.yaml"
    good.write_text("panel: https://panel.example/hook\nofsted: http://127.0.0.1:8405/recipients/ofsted/webhook\n")
    plain.write_text("panel: http://panel.example/hook\n")
    odd.write_text("- panel\n")

    assert set(read_endpoints(good)) == {"panel", "ofsted"}
    assert set(read_endpoints(plain, plain_text_ok=True)) == {"panel"}
    for refused in (plain, odd):
        with pytest.raises(ValueError, match=r"expected|https"):
            read_endpoints(refused)


def test_an_address_that_cannot_be_read_is_refused_by_file_and_recipient(tmp_path: Path) -> None:
    (tmp_path / "endpoints.yaml").write_text("panel: 'https://['\n")

    with pytest.raises(ValueError, match=r"endpoints.yaml: the address of panel cannot be read"):
        read_endpoints(tmp_path / "endpoints.yaml")


def test_an_empty_file_sends_nothing_anywhere(tmp_path: Path) -> None:
    (tmp_path / "endpoints.yaml").write_text("# recipient id: webhook URL\n")

    assert read_endpoints(tmp_path / "endpoints.yaml") == {}
