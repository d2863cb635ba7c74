"""Settings of the intake service: the kit's, its own port, and its keys."""

from __future__ import annotations

from pathlib import Path

from pydantic import SecretStr

from services.kit.settings import KitSettings


class IntakeSettings(KitSettings):
    """What an intake process reads from its environment (prefix `HANDRAIL_`); each key stands in a file `<NAME>_FILE`."""

    http_port: int = 8401
    vault_key: SecretStr  # 32 bytes in base64; wraps the data keys
    submission_key: SecretStr  # EC P-256 private key, PEM; partners encrypt personal blocks to its public part
    quarantine_key: SecretStr  # needed here: what is put aside may hold personal data
    identity_key: SecretStr  # 32 bytes in base64; keys the digests of events and references
    grant_public_key_file: Path  # Ed25519 public key, PEM; verifies grants that routing signs
