"""What the front needs to know, from the environment (prefix `HANDRAIL_`)."""

from __future__ import annotations

from pathlib import Path

from pydantic_settings import BaseSettings, SettingsConfigDict

from services.kit.settings import PageAddress


class FrontSettings(BaseSettings):
    """Settings of the front process."""

    model_config = SettingsConfigDict(env_prefix="HANDRAIL_", frozen=True)

    http_host: str = "127.0.0.1"
    http_port: int
    token_key_file: Path
    token_public_key_file: Path
    accounts_file: Path
    front_url: str
    intake_url: str
    routing_url: str
    deadlines_url: str
    audit_url: str
    stubs_url: str = ""
    accessibility_url: PageAddress = ""
    privacy_url: PageAddress = ""
    demo: bool = False
