"""Pins what of an operator's environment the services of `handrail up` are given."""

from __future__ import annotations

from pathlib import Path

import pytest

from handrail.embedded.stack import Stack
from handrail.installation.installation import Installation
from handrail.installation.keys import make_keys
from schemas.topics import SERVICES

GIVEN = {
    "HANDRAIL_KAFKA_BOOTSTRAP": "kafka.example:9092",
    "HANDRAIL_KAFKA_SECURITY": "SASL_PLAINTEXT",
    "HANDRAIL_KAFKA_ADMIN_USER": "admin",
    "HANDRAIL_KAFKA_ADMIN_PASSWORD": "secret",
    "HANDRAIL_DATABASE_URL": "postgresql://owner:secret@db.example/handrail",
}


@pytest.mark.parametrize(
    ("permission", "whose"),
    [("HANDRAIL_ENDPOINTS_PLAINTEXT_OK", {"routing"}), ("HANDRAIL_KAFKA_PLAINTEXT_OK", set(SERVICES))],
)
def test_a_permission_for_plain_text_reaches_the_services_whose_refusal_asks_for_it(
    permission: str, whose: set[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installation = Installation(tmp_path)
    make_keys(installation.keys)
    installation.ports = dict.fromkeys(("front", *SERVICES, "stubs"), 8400)
    installation._stack = Stack(tmp_path, environ=GIVEN).start()
    without = [name for name in ("front", *SERVICES) if permission in installation.environment(name)]

    monkeypatch.setenv(permission, "true")

    assert without == []
    assert {name for name in ("front", *SERVICES) if installation.environment(name).get(permission) == "true"} == whose
