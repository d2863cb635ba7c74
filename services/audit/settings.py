"""Settings of the audit service: the kit's, its own port, the log's name and key, and where checkpoints are kept."""

from pathlib import Path

from pydantic import SecretStr

from services.kit.settings import KitSettings


class AuditSettings(KitSettings):
    """What an audit process reads from its environment (prefix `HANDRAIL_`); the key stands in `HANDRAIL_LOG_KEY_FILE`."""

    http_port: int = 8404
    log_key: SecretStr  # Ed25519 private key, PEM; signs checkpoints
    log_origin: str = "handrail.example/log"  # the log's name for ever; it stands in every checkpoint
    checkpoint_dir: Path  # a folder that the database's administrator cannot write to
