"""Where settings come from, and what is refused."""

from __future__ import annotations

import subprocess
import sys
import traceback
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from services.kit.database import asyncpg_url
from services.kit.runtime import Runtime
from services.kit.settings import KitSettings, decode_key, settings_of

BASE: dict[str, Any] = {
    "kafka_bootstrap": "127.0.0.1:9092",
    "kafka_user": "kit",
    "kafka_password": "kafka-password",
    "database_url": "postgresql://kit:database-password@127.0.0.1/handrail",
    "token_public_key_file": "token.pub",
}


class Settings(KitSettings):
    vault_key: SecretStr


@pytest.fixture(autouse=True)
def empty_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    import os  # noqa: PLC0415

    for name in list(os.environ):
        if name.startswith("HANDRAIL_"):
            monkeypatch.delenv(name)


def test_a_secret_can_stand_in_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("kafka_password", "vault_key"):
        (tmp_path / name).write_text(f"{name} from a file\n")
        monkeypatch.setenv(f"HANDRAIL_{name.upper()}_FILE", str(tmp_path / name))
    for name, value in BASE.items():
        if name != "kafka_password":
            monkeypatch.setenv(f"HANDRAIL_{name.upper()}", str(value))

    settings = Settings()

    assert settings.kafka_password.get_secret_value() == "kafka_password from a file"
    assert settings.vault_key.get_secret_value() == "vault_key from a file"


@pytest.mark.parametrize("address", ["council.example/privacy", "javascript:alert(1)", "https://two words.example"])
def test_a_page_to_link_to_has_a_web_address(address: str) -> None:
    assert KitSettings(**BASE, privacy_url="https://council.example/privacy").privacy_url
    with pytest.raises(ValidationError, match="privacy_url"):
        KitSettings(**BASE, privacy_url=address)


def test_there_is_no_default_for_a_secret_or_a_host() -> None:
    with pytest.raises(ValidationError) as caught:
        KitSettings()

    missing = {error["loc"][0] for error in caught.value.errors()}
    assert missing == set(BASE)


@pytest.mark.parametrize("bootstrap", ["kafka:9092", "127.0.0.1:9092,kafka:9092", "10.0.0.1:9092"])
def test_plain_text_to_another_machine_is_refused(bootstrap: str) -> None:
    with pytest.raises(ValidationError, match="HANDRAIL_KAFKA_SECURITY=SASL_SSL"):
        KitSettings(**BASE | {"kafka_bootstrap": bootstrap, "kafka_security": "SASL_PLAINTEXT"})


@pytest.mark.parametrize("bootstrap", ["localhost:9092", "127.0.0.1:9092", "[::1]:9092"])
def test_plain_text_on_this_machine_is_allowed(bootstrap: str) -> None:
    settings = KitSettings(**BASE | {"kafka_bootstrap": bootstrap, "kafka_security": "SASL_PLAINTEXT"})

    assert settings.kafka_bootstrap == bootstrap


def test_plain_text_is_allowed_if_the_operator_means_it() -> None:
    changes = {"kafka_bootstrap": "kafka:9092", "kafka_security": "SASL_PLAINTEXT", "kafka_plaintext_ok": True}

    assert KitSettings(**BASE | changes).kafka_plaintext_ok


@pytest.mark.parametrize("text", ["", "not base64!", "AAAA", "AAECAwQFBgcICQoLDA0ODw=="])  # the last: 16 bytes
def test_a_key_file_with_anything_else_says_how_to_make_one(text: str) -> None:
    with pytest.raises(ValueError, match="openssl rand"):
        decode_key(text)


def test_a_service_does_not_start_with_an_empty_quarantine_key_and_keep_plain_text() -> None:
    settings = KitSettings(**BASE | {"quarantine_key": "", "kafka_security": "SASL_PLAINTEXT"})

    with pytest.raises(ValueError, match="openssl rand"):
        Runtime(settings, "kit")


def test_no_secret_shows_in_a_settings_own_text() -> None:
    shown = repr(KitSettings(**BASE))

    assert "kafka-password" not in shown
    assert "database-password" not in shown


@pytest.mark.parametrize(
    "url", ["postgresql://kit:se@cret:xx@127.0.0.1/handrail", "mysql://kit:secret@127.0.0.1/handrail"]
)
def test_an_address_that_cannot_be_read_is_refused_and_not_quoted(url: str) -> None:
    with pytest.raises(ValueError, match="expected a database URL") as refused:
        asyncpg_url(url)

    assert "cret" not in "".join(traceback.format_exception(refused.value))


def test_a_process_that_lacks_settings_names_each_and_says_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in BASE.items():
        if name != "kafka_user":
            monkeypatch.setenv(f"HANDRAIL_{name.upper()}", str(value))
    monkeypatch.setenv("HANDRAIL_KAFKA_SECURITY", "PLAIN")

    with pytest.raises(SystemExit) as ended:
        settings_of(Settings)

    assert str(ended.value).splitlines() == [
        "HANDRAIL_KAFKA_USER is not set",
        "HANDRAIL_KAFKA_SECURITY: Input should be 'SASL_SSL' or 'SASL_PLAINTEXT'",
        "HANDRAIL_VAULT_KEY is not set, nor HANDRAIL_VAULT_KEY_FILE",
    ]


def test_a_file_of_a_secret_that_is_not_there_is_named_with_its_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HANDRAIL_VAULT_KEY_FILE", "/nowhere/vault.key")

    with pytest.raises(
        SystemExit, match=r"^HANDRAIL_VAULT_KEY_FILE names /nowhere/vault.key, which cannot be read: No such"
    ):
        settings_of(Settings)


@pytest.mark.parametrize("module", ["services.audit", "handrail.front"])
def test_a_service_that_is_started_without_settings_says_so_in_lines_and_no_trace(module: str) -> None:
    started = subprocess.run(
        [sys.executable, "-m", module], capture_output=True, text=True, check=False, timeout=120, env={"PATH": ""}
    )

    assert started.returncode == 1
    assert "HANDRAIL_TOKEN_PUBLIC_KEY_FILE is not set" in started.stderr.splitlines()
    assert "Traceback" not in started.stderr
