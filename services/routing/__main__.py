"""Start the routing service: `python -m services.routing`."""

from __future__ import annotations

from services.kit.runtime import serve
from services.kit.settings import settings_of
from services.routing.main import create_app
from services.routing.settings import RoutingSettings

if __name__ == "__main__":
    settings = settings_of(RoutingSettings)
    serve(create_app(settings), settings)
