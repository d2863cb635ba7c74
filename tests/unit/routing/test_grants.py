"""Pins the grant that opens the content of one notice."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest
from joserfc import jwt
from joserfc.errors import BadSignatureError
from joserfc.jwk import OKPKey

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
