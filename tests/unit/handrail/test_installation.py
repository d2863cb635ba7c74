"""Pins what of an operator's environment the services of `handrail up` are given."""

from __future__ import annotations

from pathlib import Path

import pytest

from handrail.embedded.stack import Stack
from handrail.installation.installation import Installation, Options
from handrail.installation.keys import make_keys
from schemas.topics import SERVICES

GIVEN = {
    "HANDRAIL_KAFKA_BOOTSTRAP": "kafka.example:9092",
    "HANDRAIL_KAFKA_SECURITY": "SASL_PLAINTEXT",
    "HANDRAIL_KAFKA_ADMIN_USER": "admin",
    "HANDRAIL_KAFKA_ADMIN_PASSWORD": "secret",
    "HANDRAIL_DATABASE_URL": "postgresql://owner:secret@db.example/handrail",
}


def prepared(folder: Path, *, demo: bool) -> Installation:
    """Return an installation that could start its services."""
    installation = Installation(folder, Options(demo=demo, clock_movable=demo))
    make_keys(installation.keys)
    installation.ports = dict.fromkeys(("front", *SERVICES, "stubs"), 8400)
    installation._stack = Stack(folder, environ=GIVEN).start()
    return installation


@pytest.mark.parametrize(
    ("permission", "whose"),
    [("HANDRAIL_ENDPOINTS_PLAINTEXT_OK", {"routing"}), ("HANDRAIL_KAFKA_PLAINTEXT_OK", set(SERVICES))],
)
def test_a_permission_for_plain_text_reaches_the_services_whose_refusal_asks_for_it(
    permission: str, whose: set[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installation = prepared(tmp_path, demo=False)
    without = [name for name in ("front", *SERVICES) if permission in installation.environment(name)]

    monkeypatch.setenv(permission, "true")

    assert without == []
    assert {name for name in ("front", *SERVICES) if installation.environment(name).get(permission) == "true"} == whose


@pytest.mark.parametrize(
    ("demo", "intake", "origin"),
    [
        (False, "https://handrail.example:8401", "leeds.example/log"),
        (True, "http://127.0.0.1:8400", "handrail.example/log"),
    ],
)
def test_what_is_kept_has_the_addresses_and_the_log_s_name_that_its_operator_gives_and_a_demo_its_own(
    demo: bool,  # noqa: FBT001
    intake: str,
    origin: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HANDRAIL_INTAKE_URL", "https://handrail.example:8401")
    monkeypatch.setenv("HANDRAIL_LOG_ORIGIN", "leeds.example/log")
    installation = prepared(tmp_path, demo=demo)

    given = {name: installation.environment(name) for name in ("front", *SERVICES)}

    assert {each["HANDRAIL_INTAKE_URL"] for each in given.values()} == {intake}
    assert {each["HANDRAIL_ROUTING_URL"] for each in given.values()} == {"http://127.0.0.1:8400"}
    assert given["audit"]["HANDRAIL_LOG_ORIGIN"] == origin


def test_each_process_is_given_the_statements_that_the_operator_owes_its_users(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HANDRAIL_PRIVACY_URL", "https://council.example/privacy")
    installation = prepared(tmp_path, demo=False)

    given = [installation.environment(name) for name in ("front", *SERVICES)]

    assert {each["HANDRAIL_PRIVACY_URL"] for each in given} == {"https://council.example/privacy"}
    assert not any("HANDRAIL_ACCESSIBILITY_URL" in each for each in given)
