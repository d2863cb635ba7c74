"""A runtime that opens nothing, for tests of the HTTP side."""

from __future__ import annotations

from pathlib import Path

from services.kit.clock import Clock
from services.kit.runtime import Runtime
from services.kit.settings import KitSettings


def bare_runtime(token_public_key_file: Path, clock: Clock) -> Runtime:
    """Return a runtime whose broker and database do not exist; do not start it."""
    settings = KitSettings(
        kafka_bootstrap="127.0.0.1:9",
        kafka_user="nobody",
        kafka_password="none",
        kafka_security="SASL_PLAINTEXT",
        database_url="postgresql://nobody:none@127.0.0.1:9/none",
        token_public_key_file=token_public_key_file,
    )
    return Runtime(settings, "kit", clock=clock)
