"""Settings of the routing service: the kit's, its keys, its rulebook, and where recipients are reached."""

from __future__ import annotations

from pathlib import Path

from pydantic import SecretStr

from services.kit.settings import KitSettings


class RoutingSettings(KitSettings):
    """What a routing process reads from its environment (prefix `HANDRAIL_`)."""

    http_port: int = 8402
    webhook_key: SecretStr  # PEM of one or two Ed25519 keys, or WEBHOOK_KEY_FILE; the first is the newest
    grant_key: SecretStr  # PEM of an Ed25519 key, or GRANT_KEY_FILE
    rulebook: str | None = None  # version that a new case takes; by default the newest that counts
    endpoints_file: Path  # YAML: recipient id -> webhook URL
    endpoints_plaintext_ok: bool = False  # http:// to other machines, for a trusted network only
