"""Settings that every service process reads, once, from its environment (prefix `HANDRAIL_`).

A secret can stand in `HANDRAIL_<NAME>` or, better, in a file named by `HANDRAIL_<NAME>_FILE`. There is no default for
a secret. Plain-text Kafka is refused unless the broker is on this machine or the operator says that it is meant.
"""

from __future__ import annotations

import base64
import os
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self, TypeVar

from pydantic import Field, SecretBytes, SecretStr, ValidationError, model_validator
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, SettingsError

RULEBOOKS = Path(__file__).parents[2] / "rulebooks"  # as it came with us; another folder is laid out like it
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "[::1]", "::1"})
KEY_BYTES: Final = 32
PageAddress = Annotated[str, Field(pattern=r"^(https?://\S+)?$")]
"""A page of the operator's own that pages link to; empty for none."""
Settings = TypeVar("Settings", bound=BaseSettings)


def decode_key(text: str) -> bytes:
    """Return the 32 bytes that a key file has in base64.

    Raises:
        ValueError: It has something else; the text says what to do.
    """
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise ValueError(
            f"expected a key file with {KEY_BYTES} bytes in base64; make one with: openssl rand -base64 32"
        )
    return key


def is_secret(field: FieldInfo) -> bool:
    """Say whether a setting may stand in a file that `HANDRAIL_<NAME>_FILE` names."""
    return any(kind in str(field.annotation) for kind in (SecretStr.__name__, SecretBytes.__name__))


def settings_of(kind: type[Settings]) -> Settings:
    """Return what the environment sets.

    Raises:
        SystemExit: It lacks something, or cannot be used; says by name what is wrong with each setting.
    """
    try:
        return kind()
    except SettingsError as error:
        raise SystemExit(str(error)) from None
    except ValidationError as error:
        raise SystemExit("\n".join(_wrong(kind, each) for each in error.errors(include_input=False))) from None


def _wrong(kind: type[BaseSettings], error: ErrorDetails) -> str:
    field = str(error["loc"][0]) if error["loc"] else ""
    name = f"{kind.model_config.get('env_prefix', '')}{field}".upper()
    if field and error["type"] == "missing":
        return f"{name} is not set" + (f", nor {name}_FILE" if is_secret(kind.model_fields[field]) else "")
    return f"{name}: {error['msg']}" if field else error["msg"].removeprefix("Value error, ")


class _SecretFiles(PydanticBaseSettingsSource):
    """Reads `HANDRAIL_<NAME>_FILE` for each setting that is a secret."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        name = f"{self.config['env_prefix']}{field_name}_file".upper()
        path = os.environ.get(name)
        try:
            found = Path(path).read_text(encoding="utf-8").strip() if path and is_secret(field) else None
        except OSError as error:
            raise SettingsError(f"{name} names {path}, which cannot be read: {error.strerror}") from error
        return found, field_name, False

    def __call__(self) -> dict[str, Any]:
        found = {name: self.get_field_value(field, name)[0] for name, field in self.settings_cls.model_fields.items()}
        return {name: value for name, value in found.items() if value is not None}


class KitSettings(BaseSettings):
    """What a service needs to reach its broker, its database, its users and the other services."""

    model_config = SettingsConfigDict(env_prefix="HANDRAIL_", frozen=True, extra="ignore", hide_input_in_errors=True)

    kafka_bootstrap: str
    kafka_user: str
    kafka_password: SecretStr
    kafka_security: Literal["SASL_SSL", "SASL_PLAINTEXT"] = "SASL_SSL"
    kafka_plaintext_ok: bool = False
    kafka_ca_file: Path | None = None

    database_url: SecretStr
    quarantine_key: SecretStr | None = None  # base64 of 32 bytes; encrypts what is put aside

    http_host: str = "127.0.0.1"
    http_port: int = 0  # each service sets its own default; 0 lets the system choose
    token_public_key_file: Path

    front_url: str = "http://127.0.0.1:8400"
    intake_url: str = "http://127.0.0.1:8401"
    routing_url: str = "http://127.0.0.1:8402"
    deadlines_url: str = "http://127.0.0.1:8403"
    audit_url: str = "http://127.0.0.1:8404"
    accessibility_url: PageAddress = ""
    privacy_url: PageAddress = ""

    rulebooks: Path = RULEBOOKS  # routing decides by all of it, the others read who is whose successor
    demo: bool = False
    clock_movable: bool = False
    log_json: bool = True

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read arguments, then the environment, then secret files; a `.env` lying about is not read."""
        del dotenv_settings, file_secret_settings
        return init_settings, env_settings, _SecretFiles(settings_cls)

    @model_validator(mode="after")
    def _refuse_plain_text_to_other_machines(self) -> Self:
        hosts = {address.strip().rpartition(":")[0] for address in self.kafka_bootstrap.split(",")}
        if self.kafka_security == "SASL_PLAINTEXT" and not self.kafka_plaintext_ok and not hosts <= _LOOPBACK:
            msg = (
                "SASL_PLAINTEXT to a broker on another machine sends events unencrypted: "
                "set HANDRAIL_KAFKA_SECURITY=SASL_SSL, or HANDRAIL_KAFKA_PLAINTEXT_OK=true if the network is trusted"
            )
            raise ValueError(msg)
        return self
