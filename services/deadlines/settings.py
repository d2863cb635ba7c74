"""Settings of the deadlines service: the kit's, and its own port."""

from __future__ import annotations

from services.kit.settings import KitSettings


class DeadlinesSettings(KitSettings):
    """What a deadlines process reads from its environment (prefix `HANDRAIL_`)."""

    http_port: int = 8403
